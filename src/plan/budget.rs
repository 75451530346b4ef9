//! What a run may take, and whether each stage can be held to it.

use crate::diag::{Diagnostic, Diagnostics};
use crate::model::Budget;
use crate::spec::PipelineSpec;

use super::given::Given;
use super::settings::Settings;

/// The limits of a run: those that are given, then those of the file. What an answer takes is known beforehand only if
/// its length has an end.
pub(super) fn check(spec: &PipelineSpec, given: &Given, diagnostics: &mut Diagnostics) -> Budget {
    let written = spec.budget.as_ref();
    let budget = given.budget.or(written.map(|at| at.value).unwrap_or_default());
    // What is built in costs nothing, however long it is.
    let is_free = given.offline && budget.tokens.is_none();
    let Some(limit) = limit_of_length(&budget).filter(|_| !is_free) else { return budget };
    for stage in &spec.stages {
        let settings = Settings::of(stage, &spec.defaults);
        if !settings.speaks() || settings.has_max_tokens() {
            continue;
        }
        let name = &stage.name.value;
        let message = format!("`{name}` has no `max_tokens`, which a budget of `{limit}` needs");
        let mut diagnostic = Diagnostic::error("no-max-tokens", &stage.name.place, message)
            .help("write `max_tokens: 500` here or in `defaults`: what an answer may take at most has to be known before it is asked for");
        if let Some(at) = written.filter(|_| !given.budget.limits_length()) {
            diagnostic = diagnostic.also(&at.place, "the budget");
        }
        diagnostics.push(diagnostic);
    }
    budget
}

fn limit_of_length(budget: &Budget) -> Option<&'static str> {
    if budget.cost.is_some() { Some("cost") } else { budget.tokens.map(|_| "tokens") }
}
