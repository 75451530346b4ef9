//! The graph: which stage needs which, in what order they could run, and cycles.

use crate::diag::{Diagnostic, Diagnostics};
use crate::model::Place;

use super::loops::LoopTree;
use super::pipeline::LoopIx;
use super::units::Units;

/// The edges of one stage: the stages it names, and those that its loops are made of.
#[derive(Debug, Clone, Default)]
pub(super) struct Edges {
    /// Stages, each with the place where it is named.
    pub(super) to: Vec<(usize, Place)>,
}

/// For each stage, how many stages lie before it on its longest way. Cycles are told; the way ends where one closes.
pub(super) fn depths(units: &Units<'_>, edges: &[Edges], diagnostics: &mut Diagnostics) -> Vec<u32> {
    let mut walk = Walk {
        units,
        edges,
        depths: vec![None; edges.len()],
        trail: Vec::new(),
        is_on_trail: vec![false; edges.len()],
        cycles: Vec::new(),
    };
    for stage in 0..edges.len() {
        walk.from(stage);
    }
    diagnostics.extend(walk.cycles);
    walk.depths.into_iter().map(Option::unwrap_or_default).collect()
}

struct Walk<'a> {
    units: &'a Units<'a>,
    edges: &'a [Edges],
    depths: Vec<Option<u32>>,
    /// The stages on the way here: how many of their edges were followed, and how deep they are by these.
    trail: Vec<Step>,
    is_on_trail: Vec<bool>,
    cycles: Vec<Diagnostic>,
}

struct Step {
    stage: usize,
    followed: usize,
    depth: u32,
}

impl Walk<'_> {
    /// Follows all edges from a stage on. A way may be as long as there are stages: it is kept on a heap.
    fn from(&mut self, stage: usize) {
        if self.depths[stage].is_some() {
            return;
        }
        self.is_on_trail[stage] = true;
        self.trail.push(Step { stage, followed: 0, depth: 0 });
        while let Some(step) = self.trail.last_mut() {
            let Some((to, place)) = self.edges[step.stage].to.get(step.followed) else {
                let Step { stage, depth, .. } = *step;
                self.trail.pop();
                self.is_on_trail[stage] = false;
                self.depths[stage] = Some(depth);
                if let Some(around) = self.trail.last_mut() {
                    around.depth = around.depth.max(depth + 1);
                }
                continue;
            };
            step.followed += 1;
            if self.is_on_trail[*to] {
                let way: Vec<usize> = self.trail.iter().map(|on| on.stage).skip_while(|on| on != to).collect();
                // A condition of a stage that uses a pipeline is one of each stage in it: it is told of once.
                if !self.cycles.iter().any(|told| told.place == *place) {
                    let cycle = self.describe(&way, place);
                    self.cycles.push(cycle);
                }
            } else if let Some(depth) = self.depths[*to] {
                step.depth = step.depth.max(depth + 1);
            } else {
                self.is_on_trail[*to] = true;
                self.trail.push(Step { stage: *to, followed: 0, depth: 0 });
            }
        }
    }

    fn describe(&self, cycle: &[usize], place: &Place) -> Diagnostic {
        let name = |ix: usize| &*self.units.homes[ix].full;
        let way: Vec<&str> = cycle.iter().chain(cycle.first()).map(|ix| name(*ix)).collect();
        let message = format!("stages wait for each other: {}", way.join(" -> "));
        let last = cycle.last().map_or("", |ix| name(*ix));
        let mut diagnostic = Diagnostic::error("cycle", place, message)
            .label(format!("`{last}` waits for `{}`", way[0]))
            .help("a stage can name only what is there before it: take one of these names out");
        for pair in cycle.windows(2) {
            if let Some((_, place)) = self.edges[pair[0]].to.iter().find(|(to, _)| *to == pair[1]) {
                diagnostic = diagnostic.also(place, format!("`{}` waits for `{}`", name(pair[0]), name(pair[1])));
            }
        }
        diagnostic
    }
}

/// Loops whose items the request of each stage depends on, directly or through what it names. A stage that is
/// transparent stands for what it names itself.
pub(super) fn dependence(
    tree: &LoopTree,
    order: &[usize],
    loops_named: impl Fn(usize) -> Vec<LoopIx>,
    stages_named: impl Fn(usize) -> Vec<usize>,
    is_transparent: impl Fn(usize) -> bool,
) -> Vec<Vec<LoopIx>> {
    let mut depends: Vec<Vec<LoopIx>> = vec![Vec::new(); order.len()];
    let add = |set: &mut Vec<LoopIx>, ix: LoopIx| {
        if !set.contains(&ix) {
            set.push(ix);
        }
    };
    for &stage in order {
        let mut set = Vec::new();
        for ix in loops_named(stage) {
            for ix in made_from(tree, ix) {
                add(&mut set, ix);
            }
        }
        for named in stages_named(stage) {
            if is_transparent(named) {
                for ix in &depends[named] {
                    add(&mut set, *ix);
                }
                continue;
            }
            // Its answers differ from item to item of its own loops, asked for again or not.
            for ix in &tree.of_stage[named] {
                if tree.of_stage[stage].contains(ix) {
                    add(&mut set, *ix);
                }
            }
        }
        depends[stage] = set;
    }
    depends
}

/// A loop and those whose items its own items are made from.
fn made_from(tree: &LoopTree, ix: LoopIx) -> Vec<LoopIx> {
    use super::loops::DraftSource;
    let mut found = vec![ix];
    match &tree.loops[ix.0].source {
        DraftSource::Item { of, .. } => found.extend(made_from(tree, *of)),
        DraftSource::Stage { stage, .. } => found.extend(tree.of_stage[*stage].iter().copied()),
        _ => {}
    }
    found
}
