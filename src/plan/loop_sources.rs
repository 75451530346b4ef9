//! What loops are made of: lists that are there, values of stages, fields of items.

use crate::diag::{Diagnostic, did_you_mean};
use crate::model::{InputKind, Json, Place};
use crate::spec::{InputDefault, InputSpec, KindSpec, LoopSourceSpec, LoopSpec, PipelineSpec, StageSpec};

use super::fields::{it_has, lacks};
use super::loop_builder::{Builder, Known, Progress};
use super::loops::DraftSource;
use super::names::Named;
use super::pipeline::{InputValue, LoopIx};
use super::settings::Settings;
use super::shape::Shape;

const A_LIST_IS: &str = "a list is an input of `type: items`, a stage with `json: true`, a `value`, a field of a loop \
                         variable, `[a, b]`, or a number";

impl Builder<'_> {
    /// What a loop is made of, and the loop that this brings along.
    pub(super) fn source(&mut self, stage: usize, entry: &LoopSpec) -> Known<(DraftSource, Option<LoopIx>)> {
        let place = &entry.source.place;
        let path = match &entry.source.value {
            LoopSourceSpec::List(items) => return Known::As((DraftSource::List(items.clone()), None)),
            LoopSourceSpec::Count(count) => return Known::As((DraftSource::Count(*count), None)),
            LoopSourceSpec::Broken => return Known::Wrongly,
            LoopSourceSpec::Path(path) => path,
        };
        let Some((root, rest)) = path.split_first() else { return Known::Wrongly };
        let unit = self.unit(stage);
        match self.names.get(unit, root) {
            Some(Named::Input(input)) => {
                self.input_source(input, rest, place).map_or(Known::Wrongly, |source| Known::As((source, None)))
            }
            Some(Named::Stage(of)) => match self.stage_source(of, rest, place) {
                Known::As((_, brought)) if self.is_collected(stage, brought, (unit, root)) => {
                    self.error(
                        "not-a-list",
                        place,
                        format!("`{root}` is one list of many values here, and is not taken apart"),
                        "let the input be of `type: items`: its items are these values",
                    );
                    Known::Wrongly
                }
                known => known,
            },
            Some(Named::Variable) => {
                let of = match self.variable(self.names.meant(unit, root).unwrap_or((unit, root))) {
                    Known::As(of) => of,
                    Known::Wrongly => return Known::Wrongly,
                    Known::Waits => return Known::Waits,
                };
                let item = self.tree.shape(of, self.inputs);
                if self.is_list(root, &item, rest, place) {
                    Known::As((DraftSource::Item { of, path: rest.to_vec() }, Some(of)))
                } else {
                    Known::Wrongly
                }
            }
            None if self.names.is_incomplete(unit) => Known::Wrongly,
            None => {
                let help =
                    self.names.suggest(unit, root, &entry.variable.value).unwrap_or_else(|| A_LIST_IS.to_owned());
                self.error("unknown-list", place, format!("there is no list `{root}`"), help);
                Known::Wrongly
            }
        }
    }

    /// Whether a stage that an input is another name for is a list of its values, where the input was given: its own
    /// loops are not those that the stage with this `for_each` runs in.
    fn is_collected(&self, by: usize, brought: Option<LoopIx>, (unit, name): (usize, &str)) -> bool {
        let is_other_name = self.names.meant(unit, name).is_some_and(|(meant, _)| meant != unit);
        let around = match self.base(by) {
            Known::As(base) => self.tree.chain(base),
            Known::Waits | Known::Wrongly => return false,
        };
        is_other_name && brought.is_some_and(|brought| !around.contains(&brought))
    }

    fn input_source(&mut self, input: usize, rest: &[String], place: &Place) -> Option<DraftSource> {
        let spec = &self.spec.inputs[input];
        let name = &spec.name.value;
        let source = DraftSource::Input { input, path: rest.to_vec() };
        match self.inputs.kinds[input] {
            InputKind::Items if rest.is_empty() => Some(source),
            InputKind::Integer if rest.is_empty() => self.counts_up(input, place).then_some(source),
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

    fn stage_source(&mut self, stage: usize, rest: &[String], place: &Place) -> Known<(DraftSource, Option<LoopIx>)> {
        let spec = &self.spec.stages[stage];
        let (brought, is_wrong) = match self.progress[stage] {
            Progress::Open { .. } => return Known::Waits,
            Progress::Settled(innermost) => (innermost, false),
            Progress::Wrong => (None, true),
        };
        if let Some((what, help)) = no_list(spec, self.spec) {
            let help = match brought {
                Some(ix) if rest.is_empty() => {
                    let variable = self.tree.name(ix);
                    format!("to run once for each of its values, join its loop: `for_each: {variable}`")
                }
                _ => help.to_owned(),
            };
            self.error("not-a-list", place, format!("`{}` is {what}, not a list", spec.name.value), help);
            return Known::Wrongly;
        }
        if is_wrong {
            // In which loops the list would stand is not known.
            return Known::Wrongly;
        }
        let value = self.tree.values[stage].clone();
        if !self.is_list(&spec.name.value, &value, rest, place) {
            return Known::Wrongly;
        }
        Known::As((DraftSource::Stage { stage, path: rest.to_vec() }, brought))
    }

    /// Whether an integer input is at least 1, as a number that is written into `for_each` must be; if not, that is told
    /// where its value is said.
    fn counts_up(&mut self, input: usize, named: &Place) -> bool {
        let InputValue::Json(value) = &self.inputs.values[input].value else { return true };
        if value.as_u64().is_some_and(|count| count > 0) {
            return true;
        }
        let name = &self.spec.inputs[input].name.value;
        let message = format!("`{name}` is {value}, and a loop counts up to it");
        let told = Diagnostic::error("wrong-input", &self.inputs.places[input], message)
            .also(named, "the loop counts up to it here")
            .help("give a whole number of at least 1, and let the input say so with `min: 1`");
        if !self.is_told(&told) {
            self.push(told);
        }
        false
    }

    /// Whether a path into a value can lead to a list, as far as its shape is known; if not, that is told.
    fn is_list(&mut self, name: &str, shape: &Shape, rest: &[String], place: &Place) -> bool {
        let wrong = no_list_behind(name, shape, rest, place);
        let is_list = wrong.is_none();
        if let Some(wrong) = wrong {
            self.push(wrong);
        }
        is_list
    }
}

/// Why a path into the value of `name` can't lead to a list, as far as its shape is known.
pub(super) fn no_list_behind(name: &str, shape: &Shape, rest: &[String], place: &Place) -> Option<Diagnostic> {
    let mut shape = shape.clone();
    let mut path = name.to_owned();
    for field in rest {
        let Some(found) = shape.field(field) else {
            let help = match did_you_mean(field, shape.fields()) {
                Some(meant) => format!("did you mean `{path}.{meant}`?"),
                None if matches!(shape, Shape::Fields(_) | Shape::Open(_) | Shape::Seen(_)) => it_has(&shape),
                None => A_LIST_IS.to_owned(),
            };
            let message = lacks(&format!("`{path}`"), &shape, field);
            return Some(Diagnostic::error("unknown-field", place, message).help(help));
        };
        shape = found;
        path = format!("{path}.{field}");
    }
    if matches!(shape, Shape::List(_) | Shape::Any) {
        return None;
    }
    let help = match shape.fields().next() {
        Some(_) => format!("name a list inside of it: {}", it_has(&shape)),
        None => A_LIST_IS.to_owned(),
    };
    let message = format!("`{path}` is {}, not a list", shape.words());
    Some(Diagnostic::error("not-a-list", place, message).help(help))
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
    let settings = Settings::of(stage, &spec.defaults);
    let asks_json = || settings.get(|settings| settings.answer.as_ref()).is_some_and(|answer| answer.value.is_json());
    let text = Some(("a text", "add `json: true` to it, and loop over a list inside of its answer"));
    match stage.kind.as_ref()? {
        KindSpec::Text(_) | KindSpec::Chat(_) if !asks_json() => text,
        // Of a `value`, that is told when all shapes are known.
        KindSpec::Text(_) | KindSpec::Chat(_) | KindSpec::Value(_) | KindSpec::Use(_) => None,
        KindSpec::Image(_) => Some(("a picture", "loop over a list, and name the picture inside the loop")),
        KindSpec::Render(_) => Some(("a text", "loop over the list that it is rendered from")),
    }
}
