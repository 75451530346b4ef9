//! What the inputs of a used pipeline are: values that are there when the file is loaded, other names for what its user
//! has, or values that are made for each item of the stage that uses it.

use std::path::Path;

use crate::diag::Diagnostic;
use crate::model::{InputKind, Json, JsonMap};
use crate::spec::{ForEachSpec, InputSpec, JsonSpec, KindSpec, SettingsSpec, StageSpec, WithSpec};

use super::inputs::{from_text, typed};
use super::pipeline::InputValue;
use super::template::{Context, Template};
use super::units::Finder;

/// Where the value of an input comes from.
#[derive(Debug, Clone)]
pub(super) enum Binding {
    /// One of all inputs: its value is there before a run.
    Own(usize),
    /// Another name for what is called so in the unit that uses this one.
    Alias(String),
    /// A stage makes it.
    Made {
        /// Which of all stages.
        stage: usize,
        /// What is written.
        with: Box<WithSpec>,
    },
}

/// What a name of a unit stands for, before all stages are laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Word {
    /// One of all inputs.
    Input(usize),
    /// A stage of this kind of value: a text or anything.
    Stage {
        is_text: bool,
    },
    /// One value in the loops of whoever names it.
    Item,
    Nothing,
}

/// Finds out what an input of a used pipeline is. `user` is the unit that says so.
pub(super) fn bind(
    finder: &mut Finder<'_, '_>,
    user: usize,
    prefix: &str,
    input: &InputSpec,
    with: &WithSpec,
) -> Binding {
    if let JsonSpec::Plain(value) = &with.value {
        let value = written(input, value.value.clone(), with, finder.units[user].folder());
        return finder.add(input, prefix, value, &with.place);
    }
    let made = || Binding::Made { stage: 0, with: Box::new(with.clone()) };
    // What can't be read is told where the stage is built that would make it.
    let Some(roots) = gather(&with.value, &|word| is_name(finder, user, word)) else { return made() };
    if let Some(names) = constants(finder, user, &roots) {
        let value = fold(&with.value, &Context::new(names), &|word| is_name(finder, user, word));
        let folder = finder.units[user].folder();
        // What it can't come to is told where the stage is built that says it.
        let value = value.map_or(Ok(InputValue::Missing), |value| written(input, value, with, folder));
        return finder.add(input, prefix, value, &with.place);
    }
    match alone(&with.value, &|word| is_name(finder, user, word)) {
        // A stage that names itself is told so.
        Some(name) if !prefix.ends_with(&format!("{name}/")) && may_be_called(finder, user, &name, input) => {
            Binding::Alias(name)
        }
        _ => made(),
    }
}

/// A value that is there, as the input's type has it.
fn written(input: &InputSpec, value: Json, with: &WithSpec, folder: &Path) -> Result<InputValue, Diagnostic> {
    let value = match (input.kind(), value) {
        (InputKind::Choice, value @ (Json::Number(_) | Json::Bool(_))) => Json::String(value.to_string()),
        // An input of the user's may hold a number as text, as it came from the command line.
        (InputKind::Integer | InputKind::Number | InputKind::Boolean, Json::String(text))
            if !matches!(with.value, JsonSpec::Plain(_)) =>
        {
            from_text(input, &text, &with.place)?
        }
        (InputKind::String, value @ (Json::Number(_) | Json::Bool(_))) if !matches!(with.value, JsonSpec::Plain(_)) => {
            Json::String(value.to_string())
        }
        (_, value) => value,
    };
    if input.is_unsure {
        return Ok(InputValue::Missing);
    }
    typed(input, value, &with.place, folder)
}

/// Whether an input may be just another name. What is made otherwise is looked at as the input's type wants it.
fn may_be_called(finder: &Finder<'_, '_>, user: usize, name: &str, input: &InputSpec) -> bool {
    let is_free = input.min.is_none() && input.max.is_none() && input.pattern.is_none();
    match (word(finder, user, name), input.kind()) {
        // A list is read as it is needed, and never held.
        (Word::Input(ix), InputKind::Items) => !matches!(finder.inputs.values[ix].value, InputValue::Json(_)),
        (Word::Input(_) | Word::Stage { .. } | Word::Item, InputKind::Json) => true,
        (Word::Stage { is_text }, InputKind::String) => is_text && is_free,
        _ => false,
    }
}

fn word(finder: &Finder<'_, '_>, unit: usize, name: &str) -> Word {
    let spec = finder.units[unit].spec;
    if let Some(at) = spec.inputs.iter().position(|input| input.name.value == name) {
        return match &finder.units[unit].bindings[at] {
            Binding::Own(ix) => Word::Input(*ix),
            Binding::Alias(name) => {
                finder.units[unit].parent.map_or(Word::Nothing, |(parent, _)| word(finder, parent, name))
            }
            Binding::Made { .. } => Word::Stage { is_text: false },
        };
    }
    if let Some(stage) = spec.stages.iter().find(|stage| stage.name.value == name) {
        return Word::Stage { is_text: is_text(finder, unit, stage) };
    }
    let mut loops = spec.stages.iter().filter_map(|stage| match &stage.for_each {
        Some(ForEachSpec::Loops(loops)) => Some(loops),
        _ => None,
    });
    if loops.any(|loops| loops.iter().any(|entry| entry.variable.value == name)) {
        return Word::Item;
    }
    Word::Nothing
}

/// Whether the value of a stage is a text for sure: nobody whose settings hold for it says anything of JSON.
fn is_text(finder: &Finder<'_, '_>, unit: usize, stage: &StageSpec) -> bool {
    let says_json = |settings: &SettingsSpec| ["json", "schema"].iter().any(|key| settings.keys.contains_key(key));
    let mut around = std::iter::successors(Some(unit), |at| finder.units[*at].parent.map(|(parent, _)| parent));
    match stage.kind {
        Some(KindSpec::Render(_)) => true,
        Some(KindSpec::Text(_) | KindSpec::Chat(_)) => {
            let defaults = |at: usize| &finder.units[at].spec.defaults;
            !says_json(&stage.settings)
                && !around
                    .any(|at| [&defaults(at).all, &defaults(at).text, &defaults(at).chat].into_iter().any(says_json))
        }
        _ => false,
    }
}

fn is_name(finder: &Finder<'_, '_>, unit: usize, word_: &str) -> bool {
    matches!(word_, "loop" | "run" | "previous") || word(finder, unit, word_) != Word::Nothing
}

/// The names that templates start from; nothing if one of the templates can't be read.
fn gather(value: &JsonSpec, is_name: &dyn Fn(&str) -> bool) -> Option<Vec<String>> {
    let mut roots = Vec::new();
    for text in value.templates() {
        let template = Template::compile(&text.text, is_name).ok()?;
        roots.extend(template.uses().iter().filter_map(|one| one.path.first().cloned()));
    }
    Some(roots)
}

/// The values of these names, if all of them are inputs with a value that is there.
fn constants(finder: &Finder<'_, '_>, unit: usize, roots: &[String]) -> Option<JsonMap> {
    let mut names = JsonMap::new();
    for root in roots {
        let Word::Input(ix) = word(finder, unit, root) else { return None };
        let InputValue::Json(value) = &finder.inputs.values[ix].value else { return None };
        names.insert(root.clone(), value.as_ref().clone());
    }
    Some(names)
}

/// What a value comes to.
fn fold(value: &JsonSpec, names: &Context, is_name: &dyn Fn(&str) -> bool) -> Result<Json, String> {
    Ok(match value {
        JsonSpec::Plain(value) => value.value.clone(),
        JsonSpec::Template(text) => {
            let template = Template::compile(&text.text, is_name).unwrap_or_default();
            template.evaluate(names).map_err(|problem| problem.message)?
        }
        JsonSpec::List(items) => {
            Json::Array(items.iter().map(|item| fold(item, names, is_name)).collect::<Result<_, _>>()?)
        }
        JsonSpec::Mapping(fields) => {
            let fields = fields.iter().map(|(name, value)| Ok((name.clone(), fold(value, names, is_name)?)));
            Json::Object(fields.collect::<Result<_, String>>()?)
        }
    })
}

/// The one name that a value consists of.
fn alone(value: &JsonSpec, is_name: &dyn Fn(&str) -> bool) -> Option<String> {
    let JsonSpec::Template(text) = value else { return None };
    Template::compile(&text.text, is_name).ok()?.only_name().map(str::to_owned)
}
