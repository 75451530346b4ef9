//! `expect`: checks that are ready, and those that are rendered for each instance.

use std::sync::Arc;

use crate::diag::Severity;
use crate::model::{At, Check, CheckKind, Json};
use crate::spec::{CheckSpec, CheckValue, JsonSpec, StageSpec};

use super::binder::{Binder, Site};
use super::template::Template;
use super::work::JsonTemplate;

/// What an answer of a stage must be.
#[derive(Debug, Clone, Default)]
pub struct Expect {
    /// Checks that are the same for all instances.
    pub fixed: Vec<Check>,
    /// Checks whose values are rendered.
    pub rendered: Vec<RenderedCheck>,
    /// Expressions that must hold; the stage's own name is its answer there.
    pub holds: Vec<Holds>,
}

/// An expression that must hold.
#[derive(Debug, Clone)]
pub struct Holds {
    /// The expression.
    pub expression: Template,
    /// What can be said of it without the answer.
    pub apart: Option<Apart>,
}

/// What can be looked at before anybody is asked: a fault in it is no answer's fault.
#[derive(Debug, Clone)]
pub struct Apart {
    /// The parts that don't depend on the answer; what they render is of no use.
    pub parts: Template,
    /// The check that they are of, as it is called.
    pub check: &'static str,
    /// Where that stands: `show.yaml:7:14`.
    pub at: Arc<str>,
}

/// A check whose value is rendered for each instance.
#[derive(Debug, Clone)]
pub struct RenderedCheck {
    /// What it looks at.
    pub kind: CheckKind,
    /// Its value; what comes out of it is looked at when it does.
    pub value: JsonTemplate,
    /// Whether the value names the stage itself, and so is known only with its answer.
    pub names_answer: bool,
    /// Of one that does, what can be said without it.
    pub apart: Vec<Apart>,
}

/// Binds the checks of a stage. What a value comes to is looked at where that is known.
pub(super) fn expect(stage: &StageSpec, binder: &mut Binder<'_>) -> Expect {
    let mut expect = Expect::default();
    for check @ CheckSpec { kind, value, .. } in &stage.expect {
        let apart = |template: &Template, answer: &str| {
            let (check, at) = (check.name(), Arc::clone(&check.at));
            template.apart_from(answer).map(|parts| Apart { parts, check, at })
        };
        match (kind, value) {
            (_, CheckValue::Holds(expression)) => {
                let expression = binder.holds(expression);
                let apart = apart(&expression, binder.own_full_name());
                expect.holds.push(Holds { expression, apart });
            }
            (_, CheckValue::Plain(check)) => expect.fixed.extend(check.value.clone()),
            (Some(kind), CheckValue::Template(written)) => {
                let errors = binder.diagnostics().count(Severity::Error);
                let value = binder.json(&written.value, Site::Expect);
                // What is wrong with a template is told already.
                if binder.diagnostics().count(Severity::Error) == errors {
                    refuse_known(*kind, written, &value, stage, binder);
                }
                let answer = binder.own_full_name();
                let names_answer = names(&value, answer);
                let templates = if names_answer { value.templates() } else { Vec::new() };
                let apart = templates.into_iter().filter_map(|template| apart(template, answer)).collect();
                expect.rendered.push(RenderedCheck { kind: *kind, value, names_answer, apart });
            }
            (None, CheckValue::Template(_)) => {}
        }
    }
    expect
}

/// With a condition, a value may never come out.
fn refuse_known(
    kind: CheckKind,
    written: &At<JsonSpec>,
    value: &JsonTemplate,
    stage: &StageSpec,
    binder: &mut Binder<'_>,
) {
    let is_conditional = stage.when.is_some() || binder.has_outer_condition();
    if let (JsonTemplate::Template(template), false) = (value, is_conditional) {
        binder.refuse_known(template, &written.place, |value: &Json| kind.read(value).err());
    }
}

/// Whether a template in it names this.
fn names(value: &JsonTemplate, name: &str) -> bool {
    match value {
        JsonTemplate::Plain(_) => false,
        JsonTemplate::Template(template) => {
            template.uses().iter().any(|one| one.path.first().is_some_and(|root| root == name))
        }
        JsonTemplate::List(items) => items.iter().any(|item| names(item, name)),
        JsonTemplate::Mapping(fields) => fields.iter().any(|(_, value)| names(value, name)),
    }
}
