//! What loops are made of: lists that are there, values of stages, fields of items.

use crate::diag::did_you_mean;
use crate::model::{InputKind, Json, Place};
use crate::spec::{InputDefault, InputSpec, KindSpec, LoopSourceSpec, LoopSpec, PipelineSpec, SettingsSpec, StageSpec};

use super::fields::{it_has, lacks};
use super::loops::{Builder, Declared, DraftSource};
use super::names::Named;
use super::pipeline::LoopIx;
use super::shape::Shape;

const A_LIST_IS: &str = "a list is an input of `type: items`, a stage with `json: true`, a field of a loop variable, \
                         `[a, b]`, or a number";

impl Builder<'_> {
    /// What a loop is made of, and the loop that this brings along.
    pub(super) fn source(&mut self, entry: &LoopSpec) -> Option<(DraftSource, Option<LoopIx>)> {
        let place = &entry.source.place;
        let path = match &entry.source.value {
            LoopSourceSpec::List(items) => return Some((DraftSource::List(items.clone()), None)),
            LoopSourceSpec::Count(count) => return Some((DraftSource::Count(*count), None)),
            LoopSourceSpec::Broken => return None,
            LoopSourceSpec::Path(path) => path,
        };
        let (root, rest) = path.split_first()?;
        match self.names.get(root) {
            Some(Named::Input(input)) => self.input_source(input, rest, place).map(|source| (source, None)),
            Some(Named::Stage(stage)) => self.stage_source(stage, rest, place),
            Some(Named::Variable) => {
                let Declared::As(of) = self.declared(root) else { return None };
                let item = self.tree.shape(of, self.inputs);
                let is_list = self.is_list(root, &item, rest, place);
                is_list.then(|| (DraftSource::Item { of, path: rest.to_vec() }, Some(of)))
            }
            None if self.names.is_incomplete() => None,
            None => {
                let help = self.names.suggest(root, &entry.variable.value).unwrap_or_else(|| A_LIST_IS.to_owned());
                self.error("unknown-list", place, format!("there is no list `{root}`"), help);
                None
            }
        }
    }

    fn input_source(&mut self, input: usize, rest: &[String], place: &Place) -> Option<DraftSource> {
        let spec = &self.spec.inputs[input];
        let name = &spec.name.value;
        let source = DraftSource::Input { input, path: rest.to_vec() };
        match self.inputs.kinds[input] {
            InputKind::Items | InputKind::Integer if rest.is_empty() => Some(source),
            InputKind::Items => {
                let one = super::loops::singular(name);
                let message = format!("`{name}` is a list and has no field `{}`", rest[0]);
                let help = format!("nest it: `for_each: {{{one}: {name}, part: {one}.{}}}`", rest.join("."));
                self.error("not-a-list", place, message, help);
                None
            }
            InputKind::Json => {
                let shape = self.inputs.shapes[input].clone();
                self.is_list(name, &shape, rest, place).then_some(source)
            }
            kind => {
                let message = format!("`{name}` is {}, not a list", Shape::of_input(kind).words());
                self.error("not-a-list", place, message, as_items(spec));
                None
            }
        }
    }

    fn stage_source(&mut self, stage: usize, rest: &[String], place: &Place) -> Option<(DraftSource, Option<LoopIx>)> {
        let spec = &self.spec.stages[stage];
        let name = &spec.name.value;
        if self.is_open(stage) {
            let message = format!("stages wait for each other: {}", self.way_to(stage));
            self.error(
                "cycle",
                place,
                message,
                "a loop's list must be there before its first item: take it from elsewhere",
            );
            return None;
        }
        self.visit(stage);
        let brought = self.tree.of_stage[stage].last().copied();
        if let Some((what, help)) = no_list(spec, self.spec) {
            let help = match brought {
                Some(ix) if rest.is_empty() => {
                    let variable = self.tree.name(ix);
                    format!("to run once for each of its values, join its loop: `for_each: {variable}`")
                }
                _ => help.to_owned(),
            };
            self.error("not-a-list", place, format!("`{name}` is {what}, not a list"), help);
            return None;
        }
        Some((DraftSource::Stage { stage, path: rest.to_vec() }, brought))
    }

    /// Whether a path into a value can lead to a list, as far as its shape is known; if not, that is told.
    fn is_list(&mut self, name: &str, shape: &Shape, rest: &[String], place: &Place) -> bool {
        let mut shape = shape.clone();
        let mut path = name.to_owned();
        for field in rest {
            let Some(found) = shape.field(field) else {
                let help = match did_you_mean(field, shape.fields()) {
                    Some(meant) => format!("did you mean `{path}.{meant}`?"),
                    None if matches!(shape, Shape::Fields(_) | Shape::Seen(_)) => it_has(&shape),
                    None => A_LIST_IS.to_owned(),
                };
                self.error("unknown-field", place, lacks(&format!("`{path}`"), &shape, field), help);
                return false;
            };
            shape = found;
            path = format!("{path}.{field}");
        }
        let is_list = matches!(shape, Shape::List(_) | Shape::Any);
        if !is_list {
            let help = match shape.fields().next() {
                Some(_) => format!("name a list inside of it: {}", it_has(&shape)),
                None => A_LIST_IS.to_owned(),
            };
            self.error("not-a-list", place, format!("`{path}` is {}, not a list", shape.words()), help);
        }
        is_list
    }
}

/// A text that looks like a path was probably meant as a list.
fn as_items(input: &InputSpec) -> String {
    match input.default.as_ref().map(|default| &default.value) {
        Some(InputDefault::Value(Json::String(path)))
            if path.contains(['.', '*']) && !path.contains(char::is_whitespace) =>
        {
            format!("declare it as a list: `{}: {{type: items, default: {path}}}`", input.name.value)
        }
        _ => "loop over an input of `type: items`, or a whole number".to_owned(),
    }
}

/// Why a stage's value can't be a list, and what to do.
pub(super) fn no_list(stage: &StageSpec, spec: &PipelineSpec) -> Option<(&'static str, &'static str)> {
    let defaults = &spec.defaults;
    let asks_json = |of_kind: &SettingsSpec| {
        let written = [&stage.settings, of_kind, &defaults.all].into_iter().find_map(|settings| settings.json.as_ref());
        written.is_some_and(|json| json.value)
    };
    let text = Some(("a text", "add `json: true` to it, and loop over a list inside of its answer"));
    match stage.kind.as_ref()? {
        KindSpec::Text(_) if !asks_json(&defaults.text) => text,
        KindSpec::Chat(_) if !asks_json(&defaults.chat) => text,
        KindSpec::Text(_) | KindSpec::Chat(_) => None,
        KindSpec::Image(_) => Some(("a picture", "loop over a list, and name the picture inside the loop")),
        KindSpec::Render(_) => Some(("a text", "loop over the list that it is rendered from")),
    }
}
