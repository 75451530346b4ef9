//! The tree of loops: which loops there are, under which parent, and in which of them each stage runs.

use crate::diag::{Diagnostic, Diagnostics, did_you_mean};
use crate::model::{At, InputKind, Json, Place};
use crate::spec::{ForEachSpec, KindSpec, LoopSourceSpec, LoopSpec, PipelineSpec, StageSpec};

use super::inputs::{Inputs, list};
use super::names::{Named, Names};
use super::pipeline::{InputValue, LoopIx};
use super::shape::Shape;

/// A loop as it is found: its source names stages and loops by index.
#[derive(Debug)]
pub(super) struct LoopDraft {
    pub(super) name: String,
    pub(super) parent: Option<LoopIx>,
    pub(super) source: DraftSource,
    pub(super) place: Place,
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

/// The tree, and the loops of each stage, outermost first.
#[derive(Debug, Default)]
pub(super) struct LoopTree {
    pub(super) loops: Vec<LoopDraft>,
    pub(super) of_stage: Vec<Vec<LoopIx>>,
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
            DraftSource::Input { input, path } => match &inputs.shapes[*input] {
                Shape::List(of) if path.is_empty() => of.as_ref().clone(),
                Shape::Plain(_) if path.is_empty() => Shape::Plain("a number"),
                _ => Shape::Any,
            },
            DraftSource::List(items) => Shape::of_items(items),
            DraftSource::Count(_) => Shape::Plain("a number"),
            DraftSource::Stage { .. } | DraftSource::Item { .. } => Shape::Any,
        }
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Visit {
    Unseen,
    Open,
    Closed,
}

struct Builder<'a> {
    spec: &'a PipelineSpec,
    names: &'a Names,
    inputs: &'a Inputs,
    tree: LoopTree,
    visits: Vec<Visit>,
    diagnostics: &'a mut Diagnostics,
}

/// Finds the loops of every stage. A stage whose `for_each` is wrong is left without loops, and the mistake is told.
pub(super) fn build(spec: &PipelineSpec, names: &Names, inputs: &Inputs, diagnostics: &mut Diagnostics) -> LoopTree {
    let tree = LoopTree { loops: Vec::new(), of_stage: vec![Vec::new(); spec.stages.len()] };
    let visits = vec![Visit::Unseen; spec.stages.len()];
    let mut builder = Builder { spec, names, inputs, tree, visits, diagnostics };
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
    fn visit(&mut self, stage: usize) {
        if self.visits[stage] != Visit::Unseen {
            return;
        }
        self.visits[stage] = Visit::Open;
        let spec = &self.spec.stages[stage];
        let innermost = match &spec.for_each {
            None => None,
            Some(ForEachSpec::Join(name)) => self.join(name),
            Some(ForEachSpec::Loops(entries)) => self.nest(entries),
        };
        self.tree.of_stage[stage] = self.tree.chain(innermost);
        self.visits[stage] = Visit::Closed;
    }

    fn error(&mut self, code: &'static str, place: &Place, message: String, help: impl Into<String>) {
        self.diagnostics.push(Diagnostic::error(code, place, message).help(help));
    }

    /// `for_each: article`
    fn join(&mut self, name: &At<String>) -> Option<LoopIx> {
        if let Some(found) = self.declared(&name.value) {
            return found;
        }
        let word = &name.value;
        match self.names.get(word) {
            Some(Named::Input(_) | Named::Stage(_)) => {
                let help = format!("give each item a name: `for_each: {{{}: {word}}}`", singular(word));
                self.error("for-each-list", &name.place, format!("`{word}` is a list, not a loop variable"), help);
            }
            _ => {
                let variables: Vec<String> =
                    declarations(self.spec).map(|(_, entry)| entry.variable.value.clone()).collect();
                let help = match did_you_mean(word, variables.iter().map(String::as_str)) {
                    Some(meant) => format!("did you mean `{meant}`?"),
                    None if variables.is_empty() => {
                        "no stage declares a loop: `for_each: {item: LIST}` does".to_owned()
                    }
                    None => format!("loop variables are {}", list(variables.iter().map(String::as_str))),
                };
                self.error("unknown-loop", &name.place, format!("there is no loop variable `{word}`"), help);
            }
        }
        None
    }

    /// The loop of this name, wherever it is declared. `Some(None)`: it is, but wrongly, and that is told there.
    fn declared(&mut self, name: &str) -> Option<Option<LoopIx>> {
        if let Some(found) = self.tree.find(name) {
            return Some(Some(found));
        }
        let stage = declarations(self.spec).find(|(_, entry)| entry.variable.value == name).map(|(stage, _)| stage)?;
        self.visit(stage);
        Some(self.tree.find(name))
    }

    /// `for_each: {lang: [en, de], tone: tones}`
    fn nest(&mut self, entries: &[LoopSpec]) -> Option<LoopIx> {
        let mut around: Option<LoopIx> = None;
        for entry in entries {
            let (source, brought) = self.source(entry)?;
            let parent = self.parent(entry, around, brought)?;
            around = Some(self.declare(entry, source, parent)?);
        }
        around
    }

    /// The loop that a new one stands in: the one before it in the list, or the one that its source brings along.
    fn parent(&mut self, entry: &LoopSpec, around: Option<LoopIx>, brought: Option<LoopIx>) -> Option<Option<LoopIx>> {
        let (Some(outer), Some(inner)) = (around, brought) else {
            return Some(around.or(brought));
        };
        if self.tree.chain(around).contains(&inner) {
            return Some(around);
        }
        if self.tree.chain(brought).contains(&outer) {
            return Some(brought);
        }
        let (outer, inner) = (self.tree.name(outer).to_owned(), self.tree.name(inner).to_owned());
        let variable = entry.variable.value.clone();
        let message = format!("`{variable}` brings the loop `{inner}` along, which is not inside `{outer}`");
        let help =
            format!("name both loops, the outer one first: `for_each: {{{inner}: .., {outer}: .., {variable}: ..}}`");
        self.error("loop-nesting", &entry.source.place, message, help);
        None
    }

    fn declare(&mut self, entry: &LoopSpec, source: DraftSource, parent: Option<LoopIx>) -> Option<LoopIx> {
        let name = &entry.variable.value;
        let Some(found) = self.tree.find(name) else {
            self.tree.loops.push(LoopDraft { name: name.clone(), parent, source, place: entry.variable.place.clone() });
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

    /// What a loop is made of, and the loop that this brings along.
    fn source(&mut self, entry: &LoopSpec) -> Option<(DraftSource, Option<LoopIx>)> {
        let place = &entry.source.place;
        let path = match &entry.source.value {
            LoopSourceSpec::List(items) => return Some((DraftSource::List(items.clone()), None)),
            LoopSourceSpec::Count(count) => return Some((DraftSource::Count(*count), None)),
            LoopSourceSpec::Path(path) => path,
        };
        let (root, rest) = path.split_first()?;
        match self.names.get(root) {
            Some(Named::Input(input)) => self.input_source(input, rest, place).map(|source| (source, None)),
            Some(Named::Stage(stage)) => self.stage_source(stage, rest, place),
            Some(Named::Variable) => {
                let of = self.declared(root)??;
                Some((DraftSource::Item { of, path: rest.to_vec() }, Some(of)))
            }
            None => {
                let help = self.names.suggest(root).unwrap_or_else(|| {
                    "a list is an `items` input, a stage with `json`, a loop variable's field, `[a, b]`, or a number".to_owned()
                });
                self.error("unknown-list", place, format!("there is no list `{root}`"), help);
                None
            }
        }
    }

    fn input_source(&mut self, input: usize, rest: &[String], place: &Place) -> Option<DraftSource> {
        let name = &self.spec.inputs[input].name.value;
        match self.inputs.kinds[input] {
            InputKind::Items if rest.is_empty() => {}
            InputKind::Integer if rest.is_empty() => {}
            InputKind::Json => {}
            kind => {
                let words = if kind == InputKind::Items {
                    "is a list and has no fields".to_owned()
                } else {
                    format!("is {}, not a list", Shape::of_input(kind).words())
                };
                let message = format!("the input `{name}` {words}");
                self.error("not-a-list", place, message, "loop over an input of `type: items`, or a whole number");
                return None;
            }
        }
        if let InputValue::Json(value) = &self.inputs.values[input].value {
            let found = rest.iter().try_fold(value.as_ref(), |value, field| value.get(field));
            if self.inputs.kinds[input] == InputKind::Json && !found.is_some_and(Json::is_array) {
                let path =
                    std::iter::once(name.as_str()).chain(rest.iter().map(String::as_str)).collect::<Vec<_>>().join(".");
                self.error("not-a-list", place, format!("`{path}` is not a list"), "name the list inside of it");
                return None;
            }
        }
        Some(DraftSource::Input { input, path: rest.to_vec() })
    }

    fn stage_source(&mut self, stage: usize, rest: &[String], place: &Place) -> Option<(DraftSource, Option<LoopIx>)> {
        let spec = &self.spec.stages[stage];
        let name = &spec.name.value;
        if self.visits[stage] == Visit::Open {
            let message = format!("the list of this loop comes from `{name}`, which runs in this loop itself");
            self.error("loop-cycle", place, message, "a loop's list must be there before its first item");
            return None;
        }
        if let Some((what, help)) = no_list(spec, self.spec) {
            self.error("not-a-list", place, format!("`{name}` is {what}, not a list"), help);
            return None;
        }
        self.visit(stage);
        let brought = self.tree.of_stage[stage].last().copied();
        Some((DraftSource::Stage { stage, path: rest.to_vec() }, brought))
    }
}

/// Why a stage's value can't be a list.
fn no_list(stage: &StageSpec, spec: &PipelineSpec) -> Option<(&'static str, &'static str)> {
    let defaults = [&spec.defaults.text, &spec.defaults.all];
    let chat = [&spec.defaults.chat, &spec.defaults.all];
    let asks_json = |defaults: [&crate::spec::SettingsSpec; 2]| {
        let own = stage.settings.json.as_ref();
        own.or_else(|| defaults.iter().find_map(|settings| settings.json.as_ref())).is_some_and(|json| json.value)
    };
    match &stage.kind {
        KindSpec::Text(_) if !asks_json(defaults) => {
            Some(("a text", "add `json: true` and loop over a list inside its answer"))
        }
        KindSpec::Chat(_) if !asks_json(chat) => {
            Some(("a text", "add `json: true` and loop over a list inside its answer"))
        }
        KindSpec::Image(_) => Some(("a picture", "loop over a list, and name the picture inside the loop")),
        KindSpec::Render(_) => Some(("a text", "loop over the list that it is rendered from")),
        _ => None,
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
