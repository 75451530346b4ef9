//! What of a template does not depend on one of its names: what fails there fails whatever the value of that name is.

use std::iter::once;

use handlebars::template::{HelperTemplate, Parameter, TemplateElement};
use handlebars::{Handlebars, Helper, HelperDef, RenderContext, RenderError, ScopedJson};

use crate::model::Json;

use super::compiled::{Inner, Shape, Template};
use super::engine::{self, failure};
use super::helper;
use super::lower::{expression, helper_call};

/// An argument of a helper that is not called: the value, the helper, and the argument's position or name.
pub(super) const ARGUMENT: &str = "argument";

impl Template {
    /// All of it that is rendered in any case and reads nothing of `name`; nothing if there is no such part.
    ///
    /// What it renders is of no use: it fails exactly if the template itself fails for every value of `name`, as far as
    /// that can be told without one. Whether a block is rendered that asks for `name` is up to `name`, and so is all in it.
    #[must_use]
    pub fn apart_from(&self, name: &str) -> Option<Self> {
        let tree = apart(&self.0.tree, name);
        if tree.elements.is_empty() {
            return None;
        }
        let text = self.text().to_owned();
        let (uses, elements, comparisons, called) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let shape = Shape::Mixed;
        let inner = Inner { text, shape, tree, uses, elements, comparisons, called, only_name: None, origin: None };
        Some(Self(inner.into()))
    }
}

fn apart(tree: &handlebars::Template, name: &str) -> handlebars::Template {
    let mut rest = handlebars::Template::new();
    for element in &tree.elements {
        let parts = |call: &HelperTemplate| {
            let parts: Vec<Parameter> = call.params.iter().flat_map(|param| parts(param, name)).collect();
            parts.into_iter().map(|part| helper_call(engine::PRINT, vec![part]))
        };
        match element {
            TemplateElement::HelperBlock(block) if !block.params.iter().any(|param| reads(param, name)) => {
                let mut block = block.clone();
                block.template = block.template.as_ref().map(|body| apart(body, name));
                block.inverse = block.inverse.as_ref().map(|body| apart(body, name));
                rest.elements.push(TemplateElement::HelperBlock(block));
            }
            TemplateElement::Expression(call) | TemplateElement::HelperBlock(call) => rest.elements.extend(parts(call)),
            _ => {}
        }
    }
    rest
}

/// The call that a value is, if it is one.
fn call(value: &Parameter) -> Option<&HelperTemplate> {
    match value {
        Parameter::Subexpression(call) => match call.as_element() {
            TemplateElement::Expression(call) => Some(call),
            _ => None,
        },
        _ => None,
    }
}

/// Whether a value depends on a name.
fn reads(value: &Parameter, name: &str) -> bool {
    let Some(call) = call(value) else { return false };
    let is_look_up = call.name.as_name().is_some_and(|called| plain(called) == engine::NAME);
    if is_look_up {
        return matches!(call.params.first(), Some(Parameter::Literal(Json::String(root))) if root == name);
    }
    call.params.iter().chain(call.hash.values()).any(|value| reads(value, name))
}

/// The largest parts of a value that do not depend on a name, of those that can fail at all.
fn parts(value: &Parameter, name: &str) -> Vec<Parameter> {
    let Some(call) = call(value) else { return Vec::new() };
    if !reads(value, name) {
        return vec![value.clone()];
    }
    let called = call.name.as_name().map(plain).unwrap_or_default();
    let mut named: Vec<_> = call.hash.iter().collect();
    named.sort_by_key(|(name, _)| *name);
    let positions = call.params.iter().enumerate().map(|(at, value)| (Json::from(at), value));
    let named = named.into_iter().map(|(name, value)| (Json::from(name.as_str()), value));
    let parts = positions.chain(named).flat_map(|(which, value)| {
        let as_argument = |part: Parameter| {
            let call = [Json::from(called), which.clone()].map(Parameter::Literal);
            expression(ARGUMENT, once(part).chain(call).collect())
        };
        let is_apart = !reads(value, name);
        parts(value, name)
            .into_iter()
            .map(move |part| if is_apart { as_argument(part) } else { part })
            .collect::<Vec<_>>()
    });
    parts.collect()
}

/// What a helper is called by authors.
fn plain(registered: &str) -> &str {
    registered.trim_end_matches('?')
}

/// Looks at an argument as its helper would, and gives it back.
pub(super) struct Argument;

impl HelperDef for Argument {
    fn call_inner<'reg: 'rc, 'rc>(
        &self,
        call: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc handlebars::Context,
        _: &mut RenderContext<'reg, 'rc>,
    ) -> Result<ScopedJson<'rc>, RenderError> {
        let (Some(value), Some(called), Some(which)) = (call.param(0), call.param(1), call.param(2)) else {
            return Ok(ScopedJson::Missing);
        };
        let helper = called.value().as_str().and_then(helper::find);
        if let (Some(helper), false) = (helper, value.is_value_missing()) {
            let at = which.value().as_u64().and_then(|at| usize::try_from(at).ok());
            let fault = match (at, which.value().as_str()) {
                (Some(at), _) => helper.fault_at(at, value.value()),
                (None, name) => helper.fault_named(name.unwrap_or_default(), value.value()),
            };
            if let Some(fault) = fault {
                return Err(failure(format!("`{}`: {fault}", helper.name)));
            }
        }
        Ok(ScopedJson::Derived(value.value().clone()))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::engine::Context;
    use super::*;

    fn fault(text: &str, expression: bool) -> Option<String> {
        let is_name = |name: &str| matches!(name, "answer" | "list" | "word" | "none");
        let compile = if expression { Template::expression } else { Template::compile };
        let template = compile(text, &is_name).unwrap();
        let Json::Object(names) = json!({"list": [{"x": 1}], "word": "ten", "none": []}) else { unreachable!() };
        template.apart_from("answer")?.render(&Context::new(names)).err().map(|problem| problem.message)
    }

    #[test]
    fn a_fault_shows_without_the_answer_if_it_does_not_depend_on_it() {
        for (expression, expected) in [
            ("eq answer.x (first none)", Some("`first`: the list is empty")),
            ("eq (default (first none) answer) 1", None),
            ("eq (pad answer 3 with=word) ''", Some("`pad`: `with=` is not one character")),
            ("eq (pad answer list) ''", Some("`pad`: argument 2 is a list, not a whole number")),
            (
                "eq (lookup answer (upper list)) 1",
                Some("`upper`: argument 1 is a list, not a text; `join` makes one of it"),
            ),
            ("gt (first answer) 1", None),
            ("eq (lookup list answer.at) 1", None),
        ] {
            assert_eq!(fault(expression, true).as_deref(), expected, "{expression}");
        }
    }

    #[test]
    fn what_may_be_left_out_for_the_answer_is_the_answers_affair() {
        for (text, expected) in [
            ("{{#if answer}}{{first none}}{{/if}}", None),
            ("{{#if word}}{{answer}} {{first none}}{{/if}}", Some("`first`: the list is empty")),
            ("{{#unless word}}{{answer}} {{first none}}{{/unless}}", None),
            ("{{#each list as |one|}}{{one.y}} {{answer}}{{/each}}", Some("an item of `list` has no field `y`")),
            ("{{#each answer as |one|}}{{one.y}}{{/each}}", None),
            ("{{#if (eq answer (first none))}}a{{/if}}", None),
        ] {
            assert_eq!(fault(text, false).as_deref(), expected, "{text}");
        }
    }
}
