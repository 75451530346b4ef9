//! A template under other names: what a file calls by its own name goes by a longer one where several files are one
//! pipeline.

use std::sync::Arc;

use handlebars::template::{Parameter, TemplateElement};

use crate::model::Json;

use super::compiled::{Inner, Template};
use super::engine::{NAME, registered};
use super::names::Step;

/// What a path of a template becomes: `None` if it stays as it is.
type Rename<'a> = dyn Fn(&[&str]) -> Option<Vec<String>> + 'a;

impl Template {
    /// The same with every path that starts from a name of the file renamed, where `rename` says how. Places in the text,
    /// and what messages quote of it, stay as they are written.
    #[must_use]
    pub fn renamed(&self, rename: &Rename<'_>) -> Self {
        let renamed = |path: &[String]| {
            let path: Vec<&str> = path.iter().map(String::as_str).collect();
            rename(&path)
        };
        let mut uses = self.uses().to_vec();
        let mut changes = false;
        for one in &mut uses {
            if let Some(path) = renamed(&one.path) {
                one.path = path;
                changes = true;
            }
        }
        if !changes {
            return self.clone();
        }
        let mut elements = self.element_uses().to_vec();
        for one in &mut elements {
            let names = one.path.iter().map_while(|step| match step {
                Step::Field(name) => Some(name.clone()),
                Step::Element => None,
            });
            let names: Vec<String> = names.collect();
            if let Some(path) = renamed(&names) {
                let rest = one.path.split_off(names.len());
                one.path = path.into_iter().map(Step::Field).chain(rest).collect();
            }
        }
        let mut tree = self.0.tree.clone();
        rename_all(&mut tree.elements, rename);
        let only_name = self.0.only_name.as_ref().and(uses.first()).map(|one| one.path[0].clone());
        let Inner { text, shape, origin, comparisons, called, .. } = &*self.0;
        let (text, shape, origin) = (text.clone(), shape.clone(), origin.clone());
        // They are looked at before anything is renamed.
        let (comparisons, called) = (comparisons.clone(), called.clone());
        Self(Arc::new(Inner { text, shape, tree, uses, elements, comparisons, called, only_name, origin }))
    }
}

fn rename_all(elements: &mut [TemplateElement], rename: &Rename<'_>) {
    for element in elements {
        rename_in(element, rename);
    }
}

fn rename_in(element: &mut TemplateElement, rename: &Rename<'_>) {
    let (TemplateElement::Expression(call) | TemplateElement::HelperBlock(call)) = element else { return };
    let is_look_up = |name: &Parameter| {
        let Parameter::Name(name) = name else { return false };
        [false, true].iter().any(|tolerant| *name == registered(NAME, *tolerant))
    };
    if is_look_up(&call.name) {
        let path: Vec<&str> = call.params.iter().filter_map(segment).collect();
        if let Some(path) = rename(&path) {
            call.params = path.into_iter().map(|segment| Parameter::Literal(Json::String(segment))).collect();
        }
        return;
    }
    for parameter in call.params.iter_mut().chain(call.hash.values_mut()) {
        if let Parameter::Subexpression(inner) = parameter {
            rename_in(&mut inner.element, rename);
        }
    }
    for branch in [&mut call.template, &mut call.inverse].into_iter().flatten() {
        rename_all(&mut branch.elements, rename);
    }
}

fn segment(parameter: &Parameter) -> Option<&str> {
    match parameter {
        Parameter::Literal(Json::String(segment)) => Some(segment),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::engine::Context;
    use super::*;

    fn renamed(text: &str) -> Template {
        let template = Template::compile(text, &|name| matches!(name, "a" | "b" | "loop")).unwrap();
        template.renamed(&|path| match path {
            ["loop", "a", rest @ ..] => Some(["loop", "u/a"].iter().chain(rest).map(|one| (*one).to_owned()).collect()),
            ["a", rest @ ..] => Some(std::iter::once(&"u/a").chain(rest).map(|one| (*one).to_owned()).collect()),
            _ => None,
        })
    }

    fn rendered(text: &str) -> String {
        let values = json!({"u/a": {"x": [{"y": 1}, {"y": 2}]}, "a": "wrong", "b": "b", "loop": {"u/a": {"index": 7}}});
        let Json::Object(names) = values else { unreachable!() };
        renamed(text).render(&Context::new(names)).unwrap()
    }

    #[test]
    fn every_path_is_looked_up_under_its_new_name() {
        assert_eq!(rendered("{{b}} {{len a.x}} {{loop.a.index}}"), "b 2 7");
        assert_eq!(
            rendered("{{#each a.x}}{{y}}{{#if (eq y ../a.x.0.y)}}!{{/if}}{{#if ../a.z}}?{{/if}}{{/each}}"),
            "1!2"
        );
        assert_eq!(rendered("{{#if c}}{{a.z}}{{else}}{{default a.z b}}{{/if}}"), "b");
    }

    #[test]
    fn uses_have_the_new_name_and_the_old_place() {
        let template = renamed("{{#each a.x}}{{y}}{{/each}}{{b}}");
        let paths: Vec<String> = template.uses().iter().map(|one| one.path.join(".")).collect();
        assert_eq!(paths, ["u/a.x", "b"]);
        assert_eq!(&template.text()[template.uses()[0].range.clone()], "a.x");
        assert_eq!(template.element_uses()[0].path[0], Step::Field("u/a".to_owned()));
        assert_eq!(renamed("{{a}}").only_name(), Some("u/a"));
    }
}
