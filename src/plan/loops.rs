//! The tree of loops: which loops there are, under which parent, and in which of them each stage runs.

use crate::diag::{Diagnostic, Diagnostics, did_you_mean, listed};
use crate::model::{At, InputKind, Json, Place};
use crate::spec::{ForEachSpec, LoopSpec, PipelineSpec};

use super::inputs::Inputs;
use super::loop_sources::no_list;
use super::names::{Named, Names};
use super::pipeline::LoopIx;
use super::shape::Shape;

/// A loop as it is found: its source names stages and loops by index.
#[derive(Debug)]
pub(super) struct LoopDraft {
    pub(super) name: String,
    pub(super) parent: Option<LoopIx>,
    pub(super) source: DraftSource,
    pub(super) place: Place,
    /// Where its list is written.
    pub(super) list_place: Place,
}

/// Where items come from; two loops over equal sources are loops over one list.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum DraftSource {
    Input { input: usize, path: Vec<String> },
    List(Vec<Json>),
    Count(u64),
    Stage { stage: usize, path: Vec<String> },
    Item { of: LoopIx, path: Vec<String> },
}

impl DraftSource {
    /// The stage that the items come from.
    pub(super) fn stage(&self) -> Option<usize> {
        if let Self::Stage { stage, .. } = self { Some(*stage) } else { None }
    }
}

/// The tree, and the loops of each stage, outermost first.
#[derive(Debug, Default)]
pub(super) struct LoopTree {
    pub(super) loops: Vec<LoopDraft>,
    pub(super) of_stage: Vec<Vec<LoopIx>>,
    /// Stages whose `for_each` is wrong: in which loops they would run is not known.
    pub(super) is_broken: Vec<bool>,
}

impl LoopTree {
    /// A loop and the loops around it, outermost first.
    pub(super) fn chain(&self, innermost: Option<LoopIx>) -> Vec<LoopIx> {
        let mut chain: Vec<LoopIx> = std::iter::successors(innermost, |ix| self.loops[ix.0].parent).collect();
        chain.reverse();
        chain
    }

    pub(super) fn find(&self, name: &str) -> Option<LoopIx> {
        self.loops.iter().position(|one| one.name == name).map(LoopIx)
    }

    pub(super) fn name(&self, ix: LoopIx) -> &str {
        &self.loops[ix.0].name
    }

    /// The shape of an item.
    pub(super) fn shape(&self, ix: LoopIx, inputs: &Inputs) -> Shape {
        match &self.loops[ix.0].source {
            DraftSource::Input { input, path } => match inputs.shapes[*input].behind(path) {
                Some(Shape::List(of)) => *of,
                Some(Shape::Plain(_)) => Shape::Plain("a number"),
                _ => Shape::Any,
            },
            DraftSource::List(items) => Shape::of_items(items),
            DraftSource::Count(_) => Shape::Plain("a number"),
            DraftSource::Item { of, path } => {
                let list = self.shape(*of, inputs).behind(path);
                list.and_then(|list| list.element()).unwrap_or(Shape::Any)
            }
            DraftSource::Stage { .. } => Shape::Any,
        }
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Visit {
    Unseen,
    Open,
    Closed,
}

/// How it stands with the declaration of a loop variable.
#[derive(Clone, Copy)]
pub(super) enum Declared {
    Nowhere,
    /// It is declared, and what is wrong with that is told there.
    Wrongly,
    As(LoopIx),
}

/// What is wrong has been told already.
struct Told;

pub(super) struct Builder<'a> {
    pub(super) spec: &'a PipelineSpec,
    pub(super) names: &'a Names,
    pub(super) inputs: &'a Inputs,
    pub(super) tree: LoopTree,
    visits: Vec<Visit>,
    /// Stages that are being visited, each for the one before it.
    trail: Vec<usize>,
    diagnostics: &'a mut Diagnostics,
}

/// Finds the loops of every stage. A stage whose `for_each` is wrong is left without loops, and the mistake is told.
pub(super) fn build(spec: &PipelineSpec, names: &Names, inputs: &Inputs, diagnostics: &mut Diagnostics) -> LoopTree {
    let count = spec.stages.len();
    let tree = LoopTree { loops: Vec::new(), of_stage: vec![Vec::new(); count], is_broken: vec![false; count] };
    let visits = vec![Visit::Unseen; spec.stages.len()];
    let mut builder = Builder { spec, names, inputs, tree, visits, trail: Vec::new(), diagnostics };
    for stage in 0..spec.stages.len() {
        builder.visit(stage);
    }
    let tree = builder.tree;
    warn_of_twins(&tree, diagnostics);
    tree
}

fn warn_of_twins(tree: &LoopTree, diagnostics: &mut Diagnostics) {
    for (ix, one) in tree.loops.iter().enumerate() {
        let by_name =
            matches!(one.source, DraftSource::Input { .. } | DraftSource::Stage { .. } | DraftSource::Item { .. });
        let twin = tree.loops[..ix].iter().find(|other| other.source == one.source && other.parent == one.parent);
        if let (true, Some(twin)) = (by_name, twin) {
            let (first, second) = (&twin.name, &one.name);
            diagnostics.push(
                Diagnostic::warning(
                    "two-loops-one-list",
                    &one.place,
                    format!("`{second}` and `{first}` loop over the same list"),
                )
                .also(&twin.place, format!("`{first}` is declared here"))
                .help(format!(
                    "a stage in the one sees all values of the other: write `for_each: {first}` to go item beside item"
                )),
            );
        }
    }
}

impl Builder<'_> {
    pub(super) fn visit(&mut self, stage: usize) {
        if self.visits[stage] != Visit::Unseen {
            return;
        }
        self.visits[stage] = Visit::Open;
        self.trail.push(stage);
        let spec = &self.spec.stages[stage];
        let innermost = match &spec.for_each {
            None | Some(ForEachSpec::Broken(_)) => None,
            Some(ForEachSpec::Join(name)) => self.join(name),
            Some(ForEachSpec::Loops(entries)) => self.nest(entries),
        };
        self.tree.of_stage[stage] = self.tree.chain(innermost);
        self.tree.is_broken[stage] = innermost.is_none() && spec.for_each.is_some();
        self.trail.pop();
        self.visits[stage] = Visit::Closed;
    }

    /// From an open stage to the one that is being visited, and back.
    pub(super) fn way_to(&self, stage: usize) -> String {
        let from = self.trail.iter().position(|on| *on == stage).unwrap_or(0);
        let way = self.trail[from..].iter().chain([&stage]);
        way.map(|ix| self.spec.stages[*ix].name.value.as_str()).collect::<Vec<_>>().join(" -> ")
    }

    pub(super) fn is_open(&self, stage: usize) -> bool {
        self.visits[stage] == Visit::Open
    }

    pub(super) fn error(&mut self, code: &'static str, place: &Place, message: String, help: impl Into<String>) {
        self.diagnostics.push(Diagnostic::error(code, place, message).help(help));
    }

    /// `for_each: article`
    fn join(&mut self, name: &At<String>) -> Option<LoopIx> {
        let word = &name.value;
        match self.declared(word) {
            Declared::As(found) => return Some(found),
            Declared::Wrongly => return None,
            Declared::Nowhere => {}
        }
        if let Some(named) = self.names.get(word) {
            let (message, help) = self.no_variable(word, named);
            self.error("for-each-list", &name.place, message, help);
        } else if !self.names.is_incomplete() {
            let variables = || declarations(self.spec).map(|(_, entry)| entry.variable.value.as_str());
            let help = match did_you_mean(word, variables()) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None if variables().next().is_none() => "declare one: `for_each: {item: LIST}`".to_owned(),
                None => format!("loop variables are {}", listed(variables())),
            };
            self.error("unknown-loop", &name.place, format!("there is no loop variable `{word}`"), help);
        }
        None
    }

    /// Why the name of an input or a stage can't be joined, and what to write instead.
    fn no_variable(&mut self, word: &str, named: Named) -> (String, String) {
        let each = format!("give each item a name: `for_each: {{{}: {word}}}`", singular(word));
        match named {
            Named::Input(input) if self.inputs.kinds[input] == InputKind::Items => {
                (format!("`{word}` is a list, not a loop variable"), each)
            }
            Named::Stage(stage) if !self.is_open(stage) => {
                self.visit(stage);
                let message = format!("`{word}` is a stage, not a loop variable");
                match self.tree.of_stage[stage].last() {
                    Some(ix) => {
                        (message, format!("join the loop that it runs in: `for_each: {}`", self.tree.name(*ix)))
                    }
                    None if no_list(&self.spec.stages[stage], self.spec).is_none() => (message, each),
                    None => (message, "take it out: a stage that names another one waits for it anyway".to_owned()),
                }
            }
            Named::Input(input) if self.inputs.kinds[input] == InputKind::Json => {
                let help = format!("name a list in it: `for_each: {{item: {word}.LIST}}`");
                (format!("`{word}` is an input, not a loop variable"), help)
            }
            Named::Input(input) if self.inputs.kinds[input] == InputKind::Integer => {
                let help = format!("count up to it: `for_each: {{n: {word}}}`");
                (format!("`{word}` is an input, not a loop variable"), help)
            }
            named => {
                let help = "a loop goes over a list: `for_each: {item: LIST}`".to_owned();
                (format!("`{word}` is {}, not a loop variable", named.words()), help)
            }
        }
    }

    /// The loop of this name, wherever it is declared.
    pub(super) fn declared(&mut self, name: &str) -> Declared {
        if let Some(found) = self.tree.find(name) {
            return Declared::As(found);
        }
        let Some((stage, _)) = declarations(self.spec).find(|(_, entry)| entry.variable.value == name) else {
            return Declared::Nowhere;
        };
        self.visit(stage);
        self.tree.find(name).map_or(Declared::Wrongly, Declared::As)
    }

    /// `for_each: {lang: [en, de], tone: tones}`
    fn nest(&mut self, entries: &[LoopSpec]) -> Option<LoopIx> {
        let mut around: Option<LoopIx> = None;
        for (at, entry) in entries.iter().enumerate() {
            around = self.nest_in(around, entry);
            if around.is_none() {
                // Where the others would stand is not known, but what is wrong with their lists is.
                for other in &entries[at + 1..] {
                    _ = self.source(other);
                }
                break;
            }
        }
        around
    }

    fn nest_in(&mut self, around: Option<LoopIx>, entry: &LoopSpec) -> Option<LoopIx> {
        let (source, brought) = self.source(entry)?;
        let parent = self.parent(entry, around, brought).ok()?;
        self.declare(entry, source, parent)
    }

    /// The loop that a new one stands in: the one before it in the list, or the one that its source brings along.
    fn parent(
        &mut self,
        entry: &LoopSpec,
        around: Option<LoopIx>,
        brought: Option<LoopIx>,
    ) -> Result<Option<LoopIx>, Told> {
        let (Some(outer), Some(inner)) = (around, brought) else {
            return Ok(around.or(brought));
        };
        if self.tree.chain(around).contains(&inner) {
            return Ok(around);
        }
        if self.tree.chain(brought).contains(&outer) {
            return Ok(brought);
        }
        let (outer, inner) = (self.tree.name(outer).to_owned(), self.tree.name(inner).to_owned());
        let variable = entry.variable.value.clone();
        let message = format!("`{variable}` brings the loop `{inner}` along, which is not inside `{outer}`");
        let help =
            format!("name both loops, the outer one first: `for_each: {{{inner}: .., {outer}: .., {variable}: ..}}`");
        self.error("loop-nesting", &entry.source.place, message, help);
        Err(Told)
    }

    fn declare(&mut self, entry: &LoopSpec, source: DraftSource, parent: Option<LoopIx>) -> Option<LoopIx> {
        let name = &entry.variable.value;
        let Some(found) = self.tree.find(name) else {
            let (place, list_place) = (entry.variable.place.clone(), entry.source.place.clone());
            self.tree.loops.push(LoopDraft { name: name.clone(), parent, source, place, list_place });
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
        self.diagnostics.push(diagnostic);
        None
    }
}

fn declarations(spec: &PipelineSpec) -> impl Iterator<Item = (usize, &LoopSpec)> {
    spec.stages.iter().enumerate().flat_map(|(ix, stage)| {
        let entries: &[LoopSpec] = match &stage.for_each {
            Some(ForEachSpec::Loops(entries)) => entries,
            _ => &[],
        };
        entries.iter().map(move |entry| (ix, entry))
    })
}

/// A name for one of many, good enough for an example.
pub(super) fn singular(plural: &str) -> String {
    match plural
        .strip_suffix("ies")
        .map(|stem| format!("{stem}y"))
        .or_else(|| plural.strip_suffix('s').map(str::to_owned))
    {
        Some(one) if !one.is_empty() && one != plural => one,
        _ => "item".to_owned(),
    }
}
