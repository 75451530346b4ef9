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

pub(super) struct Builder<'a> {
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
        spec: &'a PipelineSpec,
        names: &'a Names,
        inputs: &'a Inputs,
        values: &[Shape],
        diagnostics: &'a mut Diagnostics,
    ) -> Self {
        let begin = spec.stages.iter().map(|stage| match stage.for_each {
            Some(ForEachSpec::Broken(_)) => Progress::Wrong,
            Some(_) => Progress::Open { entries: 0, around: None },
            None => Progress::Settled(None),
        });
        let tree = LoopTree { values: values.to_vec(), ..LoopTree::default() };
        Self { spec, names, inputs, tree, progress: begin.collect(), diagnostics }
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
            self.tree.is_broken.push(innermost.is_none() && self.spec.stages[stage].for_each.is_some());
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
        let mut now = (entries, around);
        let end = match &spec.stages[stage].for_each {
            None => Progress::Settled(None),
            Some(ForEachSpec::Broken(_)) => Progress::Wrong,
            Some(ForEachSpec::Join(name)) => match self.variable(&name.value) {
                Known::As(found) => Progress::Settled(Some(found)),
                Known::Wrongly => Progress::Wrong,
                Known::Waits => return false,
            },
            Some(ForEachSpec::Loops(written)) => loop {
                let Some(entry) = written.get(now.0) else { break Progress::Settled(now.1) };
                match self.nest(entry, now.1) {
                    Known::As(declared) => now = (now.0 + 1, Some(declared)),
                    Known::Wrongly => {
                        // Where the others would stand is not known, but what is wrong with their lists is.
                        for other in &written[now.0 + 1..] {
                            _ = self.source(other);
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

    /// The loop of this name, wherever it is declared. A name that is no loop variable is wrong.
    pub(super) fn variable(&self, name: &str) -> Known<LoopIx> {
        match self.tree.find(name) {
            Some(found) => Known::As(found),
            None if self.open_entry(name).is_some() => Known::Waits,
            None => Known::Wrongly,
        }
    }

    /// The first entry in the file that may still declare this variable: its stage, and its place in there.
    pub(super) fn open_entry(&self, name: &str) -> Option<(usize, usize)> {
        let open = |stage: usize| match self.progress[stage] {
            Progress::Open { entries, .. } => entries,
            Progress::Settled(_) | Progress::Wrong => usize::MAX,
        };
        let found =
            declarations(self.spec).find(|(stage, at, entry)| entry.variable.value == name && *at >= open(*stage));
        found.map(|(stage, at, _)| (stage, at))
    }

    /// Declares one entry of `for_each: {lang: [en, de], tone: tones}`, inside of the one before it.
    fn nest(&mut self, entry: &LoopSpec, around: Option<LoopIx>) -> Known<LoopIx> {
        let (source, brought) = match self.source(entry) {
            Known::As(found) => found,
            Known::Wrongly => return Known::Wrongly,
            Known::Waits => return Known::Waits,
        };
        match self.parent(entry, around, brought) {
            Ok(parent) => self.declare(entry, source, parent).map_or(Known::Wrongly, Known::As),
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

    fn declare(&mut self, entry: &LoopSpec, source: DraftSource, parent: Option<LoopIx>) -> Option<LoopIx> {
        let name = &entry.variable.value;
        let Some(found) = self.tree.find(name) else {
            let (place, list_place) = (entry.variable.place.clone(), entry.source.place.clone());
            let items = entry.items.clone();
            self.tree.loops.push(LoopDraft { name: name.clone(), parent, source, place, list_place, items });
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
