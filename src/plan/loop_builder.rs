//! How the tree of loops grows: an entry of `for_each` is declared once all that it is made of has been declared.
//!
//! Stages are gone through again and again, each as far as it can go, until none gets any further. So it does not matter
//! in which order they stand in the file; and what is left over then waits for itself, which `loop_cycles` tells.

use crate::diag::{Diagnostic, Diagnostics};
use crate::model::Place;
use crate::spec::{ForEachSpec, LoopSpec, PipelineSpec};

use super::inputs::Inputs;
use super::loops::{DraftSource, LoopDraft, LoopTree};
use super::names::Names;
use super::pipeline::LoopIx;
use super::shape::Shape;
use super::units::Units;

pub(super) struct Builder<'a> {
    pub(super) units: &'a Units<'a>,
    pub(super) spec: &'a PipelineSpec,
    pub(super) names: &'a Names,
    pub(super) inputs: &'a Inputs,
    pub(super) tree: LoopTree,
    pub(super) progress: Vec<Progress>,
    diagnostics: &'a mut Diagnostics,
}

/// How far a stage has got.
#[derive(Debug, Clone, Copy)]
pub(super) enum Progress {
    /// So many of its entries are declared, the last of them as this loop.
    Open { entries: usize, around: Option<LoopIx> },
    /// All of its loops are known.
    Settled(Option<LoopIx>),
    /// Something in its `for_each` is wrong, and that is told, or will be at the end.
    Wrong,
}

/// What is known of something that a loop or a stage waits for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Known<T> {
    /// Not yet.
    Waits,
    /// It is wrong, and that is told where it is.
    Wrongly,
    As(T),
}

impl<'a> Builder<'a> {
    pub(super) fn new(
        units: &'a Units<'a>,
        names: &'a Names,
        inputs: &'a Inputs,
        values: &[Shape],
        diagnostics: &'a mut Diagnostics,
    ) -> Self {
        let spec = &units.spec;
        let begin = spec.stages.iter().zip(&units.homes).map(|(stage, home)| match stage.for_each {
            Some(ForEachSpec::Broken(_)) => Progress::Wrong,
            None if home.within.is_none() => Progress::Settled(None),
            // Those of a used pipeline run in the loops of the stage that uses it, and in their own inside of these.
            _ => Progress::Open { entries: 0, around: None },
        });
        let tree = LoopTree { values: values.to_vec(), ..LoopTree::default() };
        Self { units, spec, names, inputs, tree, progress: begin.collect(), diagnostics }
    }

    pub(super) fn build(mut self) -> LoopTree {
        let stages = 0..self.spec.stages.len();
        let mut moved = true;
        while moved {
            moved = false;
            for stage in stages.clone() {
                moved |= self.advance(stage);
            }
        }
        self.tell_cycles();
        for stage in stages {
            self.tell_of_join(stage);
            let innermost = if let Progress::Settled(innermost) = self.progress[stage] { innermost } else { None };
            self.tree.of_stage.push(self.tree.chain(innermost));
            self.tree.is_broken.push(matches!(self.progress[stage], Progress::Wrong));
        }
        self.tree
    }

    pub(super) fn push(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    /// Whether the same is told of this place already.
    pub(super) fn is_told(&self, one: &Diagnostic) -> bool {
        self.diagnostics.iter().any(|other| other.place == one.place && other.message == one.message)
    }

    pub(super) fn error(&mut self, code: &'static str, place: &Place, message: String, help: impl Into<String>) {
        self.push(Diagnostic::error(code, place, message).help(help));
    }

    /// Goes with a stage as far as possible, and says whether that was anywhere.
    fn advance(&mut self, stage: usize) -> bool {
        let Progress::Open { entries, around } = self.progress[stage] else { return false };
        let spec = self.spec;
        let around = match self.base(stage) {
            Known::As(base) => around.or(base),
            Known::Wrongly => {
                self.progress[stage] = Progress::Wrong;
                return true;
            }
            Known::Waits => return false,
        };
        let mut now = (entries, around);
        let end = match &spec.stages[stage].for_each {
            None => Progress::Settled(around),
            Some(ForEachSpec::Broken(_)) => Progress::Wrong,
            Some(ForEachSpec::Join(name)) => match self.variable((self.unit(stage), &name.value)) {
                Known::As(found) => Progress::Settled(Some(found)),
                Known::Wrongly => Progress::Wrong,
                Known::Waits => return false,
            },
            Some(ForEachSpec::Loops(written)) => loop {
                let Some(entry) = written.get(now.0) else { break Progress::Settled(now.1) };
                match self.nest(stage, entry, now.1) {
                    Known::As(declared) => now = (now.0 + 1, Some(declared)),
                    Known::Wrongly => {
                        // Where the others would stand is not known, but what is wrong with their lists is.
                        for other in &written[now.0 + 1..] {
                            _ = self.source(stage, other);
                        }
                        break Progress::Wrong;
                    }
                    Known::Waits => break Progress::Open { entries: now.0, around: now.1 },
                }
                // Others may ask for what is declared before this stage is through.
                self.progress[stage] = Progress::Open { entries: now.0, around: now.1 };
            },
        };
        self.progress[stage] = end;
        now.0 > entries || !matches!(end, Progress::Open { .. })
    }

    /// The innermost loop of the stage that uses the pipeline of this one.
    pub(super) fn base(&self, stage: usize) -> Known<Option<LoopIx>> {
        let Some(user) = self.units.homes[stage].within else { return Known::As(None) };
        match self.progress[user] {
            Progress::Settled(innermost) => Known::As(innermost),
            Progress::Open { .. } => Known::Waits,
            Progress::Wrong => Known::Wrongly,
        }
    }

    /// The unit whose names the `for_each` of a stage means.
    pub(super) fn unit(&self, stage: usize) -> usize {
        self.units.homes[stage].declared
    }

    /// The loop of this name, wherever its unit declares it. A name that is no loop variable is wrong.
    pub(super) fn variable(&self, name: (usize, &str)) -> Known<LoopIx> {
        match self.tree.find(name) {
            Some(found) => Known::As(found),
            None if self.open_entry(name).is_some() => Known::Waits,
            None => Known::Wrongly,
        }
    }

    /// The first entry in the file that may still declare this variable: its stage, and its place in there.
    pub(super) fn open_entry(&self, (unit, name): (usize, &str)) -> Option<(usize, usize)> {
        let open = |stage: usize| match self.progress[stage] {
            Progress::Open { entries, .. } => entries,
            Progress::Settled(_) | Progress::Wrong => usize::MAX,
        };
        let mut all = declarations(self.spec).filter(|(stage, ..)| self.unit(*stage) == unit);
        let found = all.find(|(stage, at, entry)| entry.variable.value == name && *at >= open(*stage));
        found.map(|(stage, at, _)| (stage, at))
    }

    /// Declares one entry of `for_each: {lang: [en, de], tone: tones}`, inside of the one before it.
    fn nest(&mut self, stage: usize, entry: &LoopSpec, around: Option<LoopIx>) -> Known<LoopIx> {
        let (source, brought) = match self.source(stage, entry) {
            Known::As(found) => found,
            Known::Wrongly => return Known::Wrongly,
            Known::Waits => return Known::Waits,
        };
        match self.parent(entry, around, brought) {
            Ok(parent) => self.declare(self.unit(stage), entry, (source, parent)).map_or(Known::Wrongly, Known::As),
            Err(diagnostic) => {
                self.push(*diagnostic);
                Known::Wrongly
            }
        }
    }

    /// The loop that a new one stands in: the one before it in the list, or the one that its source brings along.
    fn parent(
        &self,
        entry: &LoopSpec,
        around: Option<LoopIx>,
        brought: Option<LoopIx>,
    ) -> Result<Option<LoopIx>, Box<Diagnostic>> {
        let (Some(outer), Some(inner)) = (around, brought) else {
            return Ok(around.or(brought));
        };
        if self.tree.chain(around).contains(&inner) {
            return Ok(around);
        }
        if self.tree.chain(brought).contains(&outer) {
            return Ok(brought);
        }
        let (outer, inner, variable) = (self.tree.name(outer), self.tree.name(inner), &entry.variable.value);
        let message = format!("`{variable}` brings the loop `{inner}` along, which is not inside `{outer}`");
        let help =
            format!("name both loops, the outer one first: `for_each: {{{inner}: .., {outer}: .., {variable}: ..}}`");
        Err(Box::new(Diagnostic::error("loop-nesting", &entry.source.place, message).help(help)))
    }

    fn declare(
        &mut self,
        unit: usize,
        entry: &LoopSpec,
        (source, parent): (DraftSource, Option<LoopIx>),
    ) -> Option<LoopIx> {
        let name = &entry.variable.value;
        let Some(found) = self.tree.find((unit, name)) else {
            let (place, list_place) = (entry.variable.place.clone(), entry.source.place.clone());
            let items = entry.items.clone();
            let full = self.names.full(unit, name);
            self.tree.loops.push(LoopDraft {
                name: name.clone(),
                unit,
                full,
                parent,
                source,
                place,
                list_place,
                items,
            });
            return Some(LoopIx(self.tree.loops.len() - 1));
        };
        let known = &self.tree.loops[found.0];
        if known.parent == parent && known.source == source {
            return Some(found);
        }
        let what = if known.source == source { "nested differently" } else { "over another list" };
        let diagnostic = Diagnostic::error(
            "loop-declared-twice",
            &entry.variable.place,
            format!("`{name}` is declared twice, {what}"),
        )
        .also(&known.place, "first declared here")
        .help("nest it the same way, or give it another name");
        self.push(diagnostic);
        None
    }
}

/// Every entry of every `for_each`: its stage, its place in there, and what it says.
pub(super) fn declarations(spec: &PipelineSpec) -> impl Iterator<Item = (usize, usize, &LoopSpec)> {
    spec.stages.iter().enumerate().flat_map(|(ix, stage)| {
        let entries: &[LoopSpec] = match &stage.for_each {
            Some(ForEachSpec::Loops(entries)) => entries,
            _ => &[],
        };
        entries.iter().enumerate().map(move |(at, entry)| (ix, at, entry))
    })
}
