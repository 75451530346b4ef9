//! Values that are known before the run: what templates come to that name inputs and lists of the file alone.

use crate::diag::Diagnostic;
use crate::model::{InputKind, Json, JsonMap, Place};
use crate::source::ListSource;
use crate::spec::TextMap;

use super::binder::Binder;
use super::loops::DraftSource;
use super::names::Named;
use super::pipeline::InputValue;
use super::template::{CallFault, Called, Context, Problem, Template};

/// More combinations of items than this are not looked at.
const MOST: usize = 10_000;

/// A value that a template comes to, and where one of the inputs in it was said.
struct KnownValue {
    value: Result<Json, String>,
    said: Option<Place>,
}

impl Binder<'_> {
    /// Every value that `template` comes to; none if one of its names is not known, or if there are too many.
    fn known_values(&self, template: &Template) -> Vec<KnownValue> {
        self.names_of(template).unwrap_or_default().into_iter().map(|names| self.evaluate(template, names)).collect()
    }

    /// Tells of the first value that `template`, which stands at `place`, must not come to.
    pub(super) fn refuse_known(&mut self, template: &Template, place: &Place, wrong: impl Fn(&Json) -> Option<String>) {
        // A helper in it that can't be called has been told.
        if self.call_faults(template).next().is_some() {
            return;
        }
        let refused = self.known_values(template).into_iter().find_map(|known| {
            let message = match &known.value {
                Ok(value) => wrong(value)?,
                Err(message) => message.clone(),
            };
            Some((message, known.said))
        });
        let Some((message, said)) = refused else { return };
        let diagnostic =
            Diagnostic::error("wrong-value", place, message).help("change the value, or what it is made of");
        self.diagnostics().push(match said {
            Some(said) => diagnostic.also(&said, "the value comes from here"),
            None => diagnostic,
        });
    }

    /// Tells of helpers that can't be called with what inputs are. What a condition may leave out is not looked at.
    pub(super) fn check_calls(&mut self, template: &Template, map: &TextMap) {
        let faults: Vec<_> = self.call_faults(template).collect();
        for (called, fault) in faults {
            let place = map.place(fault.range);
            let diagnostic = Diagnostic::error(Problem::ARGUMENTS, &place, fault.message)
                .help(format!("change the value, or write `{}`", called.usage()));
            let said = match self.named(&fault.path[0]) {
                Some(Named::Input(input)) => Some(self.ground.inputs.places[input].clone()),
                _ => None,
            };
            self.diagnostics().push(match said {
                Some(said) => diagnostic.also(&said, "the value comes from here"),
                None => diagnostic,
            });
        }
    }

    fn call_faults<'t>(&self, template: &'t Template) -> impl Iterator<Item = (&'t Called, CallFault)> {
        let is_conditional =
            self.has_outer_condition() || self.stage.is_some_and(|stage| self.ground.spec.stages[stage].when.is_some());
        let calls = if is_conditional && !self.in_when { &[] } else { template.called() };
        calls.iter().filter_map(|called| Some((called, called.fault(&|path| self.input_value(path))?)))
    }

    /// The value behind a path from an input, if that is there.
    fn input_value(&self, path: &[String]) -> Option<Json> {
        let (root, fields) = path.split_first()?;
        let Some(Named::Input(input)) = self.named(root) else { return None };
        let behind = |value: &Json| {
            let found = fields.iter().try_fold(value, |value, field| match value {
                Json::Array(items) => items.get(field.parse::<usize>().ok()?),
                other => other.get(field),
            });
            found.cloned()
        };
        match &self.ground.inputs.values[input].value {
            InputValue::Json(value) => behind(value),
            InputValue::List(ListSource::Inline(items)) => behind(&Json::Array(items.to_vec())),
            // It is a list, whatever is in it.
            InputValue::List(_) => fields.is_empty().then(|| Json::Array(Vec::new())),
            InputValue::Missing => None,
        }
    }

    fn evaluate(&self, template: &Template, names: JsonMap) -> KnownValue {
        let said = names.keys().find_map(|name| match self.found(name)?.0 {
            Named::Input(input) => Some(self.ground.inputs.places[input].clone()),
            _ => None,
        });
        let value = template.evaluate(&Context::new(names)).map_err(|problem| problem.message);
        KnownValue { value, said }
    }

    /// The names that a template names, with every combination of their values.
    fn names_of(&self, template: &Template) -> Option<Vec<JsonMap>> {
        let mut all = vec![JsonMap::new()];
        let mut seen: Vec<&str> = Vec::new();
        for one in template.uses() {
            let name = one.path[0].as_str();
            if seen.contains(&name) {
                continue;
            }
            seen.push(name);
            let values = self.values_of(name)?;
            if all.len().saturating_mul(values.len()) > MOST {
                return None;
            }
            let with = |names: &JsonMap, value: &Json| {
                let mut names = names.clone();
                names.insert(name.to_owned(), value.clone());
                names
            };
            all = all.iter().flat_map(|names| values.iter().map(|value| with(names, value))).collect();
        }
        Some(all).filter(|_| !seen.is_empty())
    }

    /// What goes by this name in the whole pipeline.
    fn found(&self, full: &str) -> Option<(Named, (usize, &str))> {
        let meant = self.ground.names.find(full)?;
        Some((self.ground.names.get(meant.0, meant.1)?, meant))
    }

    /// The values of a name, if they are known.
    fn values_of(&self, name: &str) -> Option<Vec<Json>> {
        let inputs = self.ground.inputs;
        let (named, meant) = self.found(name)?;
        match named {
            Named::Input(input) => match &inputs.values[input].value {
                InputValue::Json(value) => Some(vec![value.as_ref().clone()]),
                InputValue::List(_) | InputValue::Missing => None,
            },
            Named::Stage(_) => None,
            Named::Variable => {
                let ix = self.ground.tree.find(meant).filter(|ix| self.loops.contains(ix))?;
                match &self.ground.tree.loops[ix.0].source {
                    DraftSource::List(items) => Some(items.clone()),
                    DraftSource::Input { input, path }
                        if path.is_empty() && inputs.kinds[*input] == InputKind::Items =>
                    {
                        match &inputs.values[*input].value {
                            InputValue::List(ListSource::Inline(items)) => Some(items.to_vec()),
                            _ => None,
                        }
                    }
                    _ => None,
                }
            }
        }
    }
}
