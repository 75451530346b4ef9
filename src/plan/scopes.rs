//! Scopes: which stages run side by side over one reading of a list, and how they reach each other's values.

use super::loops::LoopTree;
use super::pipeline::{Gate, LoopIx, Reach, Scope, ScopeIx, StageIx};

/// The scopes, and where each stage stands.
#[derive(Debug)]
pub(super) struct Scopes {
    pub(super) all: Vec<Scope>,
    pub(super) of_stage: Vec<ScopeIx>,
    pub(super) slots: Vec<usize>,
}

/// The tree of scopes. Stages that are not kept have no place in it.
pub(super) fn build(tree: &LoopTree, passes: &[Vec<u32>], kept: &[bool]) -> Scopes {
    let root = Scope {
        parent: None,
        of: None,
        pass: 0,
        level: 0,
        children: Vec::new(),
        stages: Vec::new(),
        beneath: Vec::new(),
        gates: Vec::new(),
    };
    let mut scopes = vec![root];
    let (mut of_stage, mut slots) = (Vec::new(), Vec::new());
    for (stage, loops) in tree.of_stage.iter().enumerate() {
        let mut at = ScopeIx::ROOT;
        if !kept[stage] {
            of_stage.push(at);
            slots.push(0);
            continue;
        }
        scopes[at.0].beneath.push(StageIx(stage));
        for ix in loops {
            at = enter(&mut scopes, at, *ix, passes[stage][ix.0]);
            scopes[at.0].beneath.push(StageIx(stage));
        }
        of_stage.push(at);
        slots.push(scopes[at.0].stages.len());
        scopes[at.0].stages.push(StageIx(stage));
    }
    Scopes { all: scopes, of_stage, slots }
}

fn enter(scopes: &mut Vec<Scope>, parent: ScopeIx, of: LoopIx, pass: u32) -> ScopeIx {
    let known = scopes[parent.0].children.iter().copied();
    if let Some(found) = known.into_iter().find(|ix| scopes[ix.0].of == Some(of) && scopes[ix.0].pass == pass) {
        return found;
    }
    let ix = ScopeIx(scopes.len());
    let level = scopes[parent.0].level + 1;
    scopes[parent.0].children.push(ix);
    scopes.push(Scope {
        parent: Some(parent),
        of: Some(of),
        pass,
        level,
        children: Vec::new(),
        stages: Vec::new(),
        beneath: Vec::new(),
        gates: Vec::new(),
    });
    ix
}

impl Scopes {
    /// A scope and those around it, innermost first; the run itself is not among them.
    pub(super) fn chain(&self, scope: ScopeIx) -> impl Iterator<Item = ScopeIx> {
        std::iter::successors(Some(scope), |ix| self.all[ix.0].parent).filter(|ix| *ix != ScopeIx::ROOT)
    }

    /// How a stage in `from` gets at the values of another one.
    pub(super) fn reach(&self, tree: &LoopTree, from: ScopeIx, to: usize) -> Reach {
        let target = self.of_stage[to];
        let chain = std::iter::successors(Some(from), |ix| self.all[ix.0].parent);
        if let Some(up) = chain.into_iter().position(|ix| ix == target) {
            return Reach::Near { up, slot: self.slots[to] };
        }
        let mine = self.loops(from);
        let theirs = &tree.of_stage[to];
        let len = mine.iter().zip(theirs).take_while(|(a, b)| a == b).count();
        Reach::Far { len, collect: len < theirs.len() }
    }

    fn loops(&self, scope: ScopeIx) -> Vec<LoopIx> {
        let chain = std::iter::successors(Some(scope), |ix| self.all[ix.0].parent);
        let mut loops: Vec<LoopIx> = chain.filter_map(|ix| self.all[ix.0].of).collect();
        loops.reverse();
        loops
    }

    /// Sets what has to be complete before it is of use to read a scope's list. `reaches` has, for each stage, the
    /// stages it needs and how; `order` has every stage after those it needs.
    pub(super) fn set_gates(&mut self, order: &[usize], reaches: &[Vec<(usize, Reach)>]) {
        for scope in 1..self.all.len() {
            let level = self.all[scope].level;
            let mut gates: Vec<Option<Vec<Gate>>> = vec![None; reaches.len()];
            for &stage in order.iter().filter(|stage| self.all[scope].beneath.contains(&StageIx(**stage))) {
                let mut own = Vec::new();
                for (needed, reach) in &reaches[stage] {
                    match (*reach, &gates[*needed]) {
                        (Reach::Far { len, .. }, _) if len < level => own.push(Gate { stage: StageIx(*needed), len }),
                        (_, Some(theirs)) => own.extend(theirs.iter().copied()),
                        _ => {}
                    }
                }
                own.sort_unstable();
                own.dedup();
                gates[stage] = Some(own);
            }
            let mut sets: Vec<Vec<Gate>> = gates.into_iter().flatten().collect();
            sets.sort_by_key(Vec::len);
            if sets.first().is_some_and(Vec::is_empty) {
                sets.clear();
            }
            self.all[scope].gates = sets;
        }
    }
}
