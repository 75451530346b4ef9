//! Where the `handlebars` crate renders: one registry for all templates, and the few helpers that the lowered tree is
//! made of.

use std::borrow::Cow;
use std::io;
use std::sync::LazyLock;

use handlebars::template::{Parameter, TemplateElement};
use handlebars::{
    Handlebars, Helper, HelperDef, HelperResult, Output, PathAndJson, RenderContext, RenderError, RenderErrorReason,
    Renderable, ScopedJson,
};

use crate::model::{Json, JsonMap, kind_of, plain_text, truthy};

use super::apart::{ARGUMENT, Argument};
use super::helper::{self, Absent, Args, Body, Fault};

/// Prints a value.
pub(super) const PRINT: &str = "print";
/// Looks up a path that starts from a name of the file: its segments.
pub(super) const NAME: &str = "name";
/// Looks up a path that starts from an element, a block parameter or `@index`: where it starts, how a message names
/// that, then its segments.
pub(super) const GET: &str = "get";
/// The truth of a condition.
pub(super) const HOLDS: &str = "holds";
/// What `#each` may go through: the value, and how a message names it.
pub(super) const LIST: &str = "list";

/// What the first argument of a helper is called, as an argument by a name that no author can write.
pub(super) const SUBJECT: &str = "of?";

/// The name under which a helper of the table is registered. The tolerant one takes what is missing as absent; no
/// author can write its name.
pub(super) fn registered(name: &str, tolerant: bool) -> String {
    format!("{name}{}", if tolerant { "?" } else { "" })
}

static REGISTRY: LazyLock<Handlebars<'static>> = LazyLock::new(registry);

fn registry() -> Handlebars<'static> {
    let mut registry = Handlebars::new();
    registry.register_escape_fn(handlebars::no_escape);
    registry.register_helper(PRINT, Box::new(Print { segment: None }));
    registry.register_helper(HOLDS, Box::new(Holds));
    registry.register_helper(LIST, Box::new(List));
    registry.register_helper(ARGUMENT, Box::new(Argument));
    for tolerant in [false, true] {
        registry.register_helper(&registered(NAME, tolerant), Box::new(Get { named: true, tolerant }));
        registry.register_helper(&registered(GET, tolerant), Box::new(Get { named: false, tolerant }));
        for helper in helper::all() {
            // `if`, `unless`, `each` and `with` are those of the crate.
            if !matches!(helper.body, Body::Block) {
                registry.register_helper(&registered(helper.name, tolerant), Box::new(Builtin { helper, tolerant }));
            }
        }
    }
    registry
}

/// The values that a template is filled in with, by name.
#[derive(Debug, Clone)]
pub struct Context(handlebars::Context);

impl Context {
    /// The values of `names`. A picture is the mapping of its fields, as
    /// [`Value::to_json`](crate::model::Value::to_json) makes it; it prints as its path.
    pub fn new(names: JsonMap) -> Self {
        Self(handlebars::Context::from(Json::Object(names)))
    }
}

impl From<JsonMap> for Context {
    fn from(names: JsonMap) -> Self {
        Self::new(names)
    }
}

/// Why a template can't be filled in with these values.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct RenderProblem {
    /// The path up to the part that is not there, if that is why.
    pub missing: Option<Vec<String>>,
    /// `default` found none of its values: what is filled in is to be skipped, and nothing is wrong.
    pub nothing: bool,
    /// What is wrong, without a full stop.
    pub message: String,
}

/// Text that is written bit by bit.
struct Text(String);

impl Output for Text {
    fn write(&mut self, text: &str) -> Result<(), io::Error> {
        self.0.push_str(text);
        Ok(())
    }
}

pub(super) fn render(tree: &handlebars::Template, names: &Context) -> Result<String, RenderProblem> {
    let mut out = Text(String::new());
    let mut state = RenderContext::new(None);
    tree.render(&REGISTRY, &names.0, &mut state, &mut out).map_err(|error| problem(&error))?;
    Ok(out.0)
}

/// As [`render`], with what comes out of each value put through `segment`.
pub(super) fn render_path(
    tree: &handlebars::Template,
    names: &Context,
    segment: fn(&str) -> String,
) -> Result<String, RenderProblem> {
    let mut out = Text(String::new());
    let mut state = RenderContext::new(None);
    state.register_local_helper(PRINT, Box::new(Print { segment: Some(segment) }));
    tree.render(&REGISTRY, &names.0, &mut state, &mut out).map_err(|error| problem(&error))?;
    Ok(out.0)
}

/// The value of the only expression in `tree`.
pub(super) fn evaluate(tree: &handlebars::Template, names: &Context) -> Result<Json, RenderProblem> {
    let Some(value) = only_value(tree) else { return render(tree, names).map(Json::String) };
    let mut state = RenderContext::new(None);
    let value = value.expand(&REGISTRY, &names.0, &mut state).map_err(|error| problem(&error))?;
    Ok(value.value().clone())
}

/// What `tree` prints with `stand_in` for each value; nothing if it has blocks, which may leave out what is in them.
pub(super) fn with_stand_in(tree: &handlebars::Template, stand_in: &str) -> Option<String> {
    let parts = tree.elements.iter().map(|element| match element {
        TemplateElement::RawString(text) => Some(text.as_str()),
        TemplateElement::Expression(_) => Some(stand_in),
        _ => None,
    });
    parts.collect()
}

fn only_value(tree: &handlebars::Template) -> Option<&Parameter> {
    match tree.elements.as_slice() {
        [TemplateElement::Expression(print)] => print.params.first(),
        _ => None,
    }
}

fn problem(error: &RenderError) -> RenderProblem {
    let own = match error.reason() {
        RenderErrorReason::NestedError(inner) => inner.downcast_ref::<RenderProblem>(),
        _ => None,
    };
    own.cloned().unwrap_or_else(|| RenderProblem { missing: None, nothing: false, message: error.reason().to_string() })
}

impl From<RenderProblem> for RenderError {
    fn from(problem: RenderProblem) -> Self {
        RenderErrorReason::NestedError(Box::new(problem)).into()
    }
}

pub(super) fn failure(message: String) -> RenderError {
    RenderProblem { missing: None, nothing: false, message }.into()
}

/// How a value prints, as [`plain_text`] says.
pub(super) fn printed(value: &Json) -> Cow<'_, str> {
    match value {
        Json::String(text) => Cow::Borrowed(text),
        other => Cow::Owned(plain_text(other)),
    }
}

/// One step of a path.
pub(super) fn step<'a>(value: &'a Json, segment: &str) -> Option<&'a Json> {
    match value {
        Json::Object(fields) => fields.get(segment),
        Json::Array(items) => items.get(segment.parse::<usize>().ok()?),
        _ => None,
    }
}

/// The value of a path of the context, as long as the context lives.
fn in_context<'rc>(context: &'rc handlebars::Context, path: &[String]) -> Option<&'rc Json> {
    path.iter().try_fold(context.data(), |value, segment| step(value, segment))
}

struct Print {
    /// What a printed value goes through, where it is part of a path.
    segment: Option<fn(&str) -> String>,
}

impl HelperDef for Print {
    fn call<'reg: 'rc, 'rc>(
        &self,
        call: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc handlebars::Context,
        _: &mut RenderContext<'reg, 'rc>,
        out: &mut dyn Output,
    ) -> HelperResult {
        if let Some(value) = call.param(0) {
            let text = printed(value.value());
            match self.segment {
                Some(segment) => out.write(&segment(&text))?,
                None => out.write(&text)?,
            }
        }
        Ok(())
    }
}

struct Holds;

impl HelperDef for Holds {
    fn call_inner<'reg: 'rc, 'rc>(
        &self,
        call: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc handlebars::Context,
        _: &mut RenderContext<'reg, 'rc>,
    ) -> Result<ScopedJson<'rc>, RenderError> {
        let holds = call.param(0).is_some_and(|value| !value.is_value_missing() && truthy(value.value()));
        Ok(ScopedJson::Derived(Json::Bool(holds)))
    }
}

struct List;

impl HelperDef for List {
    fn call_inner<'reg: 'rc, 'rc>(
        &self,
        call: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        context: &'rc handlebars::Context,
        _: &mut RenderContext<'reg, 'rc>,
    ) -> Result<ScopedJson<'rc>, RenderError> {
        let Some(value) = call.param(0) else { return Ok(ScopedJson::Missing) };
        if !matches!(value.value(), Json::Array(_) | Json::Object(_)) {
            let words = call.param(1).and_then(|words| words.value().as_str()).unwrap_or("this");
            return Err(failure(format!("`#each` goes through a list, and {words} is {}", kind_of(value.value()))));
        }
        let borrowed = value
            .context_path()
            .and_then(|path| in_context(context, path).map(|found| ScopedJson::Context(found, path.clone())));
        Ok(borrowed.unwrap_or_else(|| ScopedJson::Derived(value.value().clone())))
    }
}

struct Get {
    /// It starts from a name of the file, so that every argument is a segment.
    named: bool,
    tolerant: bool,
}

impl HelperDef for Get {
    fn call_inner<'reg: 'rc, 'rc>(
        &self,
        call: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        context: &'rc handlebars::Context,
        _: &mut RenderContext<'reg, 'rc>,
    ) -> Result<ScopedJson<'rc>, RenderError> {
        let (start, words, segments) = match call.params().as_slice() {
            [start, words, segments @ ..] if !self.named => (Some(start), words.value().as_str(), segments),
            segments => (None, None, segments),
        };
        let name = start.and_then(|start| start.relative_path());
        let mut walked: Vec<String> = name.into_iter().cloned().collect();
        if start.is_some_and(PathAndJson::is_value_missing) {
            return self.missing(walked, words, None);
        }
        let mut value = start.map_or(context.data(), PathAndJson::value);
        for segment in segments.iter().filter_map(|segment| segment.value().as_str()) {
            walked.push(segment.to_owned());
            match step(value, segment) {
                Some(next) => value = next,
                None => return self.missing(walked, words, Some(value)),
            }
        }
        // What lies in the context is handed on as a path, so that nothing is copied.
        let before = start.map_or(Some(&[][..]), |start| start.context_path().map(Vec::as_slice));
        let borrowed = before.and_then(|before| {
            let path: Vec<String> = before.iter().chain(&walked[usize::from(name.is_some())..]).cloned().collect();
            in_context(context, &path).map(|found| ScopedJson::Context(found, path))
        });
        Ok(borrowed.unwrap_or_else(|| ScopedJson::Derived(value.clone())))
    }
}

impl Get {
    /// `path` ends in what is not there; `words` say where it starts, and `parent` is what it was looked for in.
    fn missing<'rc>(
        &self,
        path: Vec<String>,
        words: Option<&str>,
        parent: Option<&Json>,
    ) -> Result<ScopedJson<'rc>, RenderError> {
        if self.tolerant {
            return Ok(ScopedJson::Missing);
        }
        let (last, before) = path.split_last().map_or(("", &[][..]), |(last, before)| (last.as_str(), before));
        let owner = match (words, before) {
            (Some(words), [_]) => words.to_owned(),
            (Some(words), [_, rest @ ..]) => format!("`{}` of {words}", shown(rest)),
            (_, before) => format!("`{}`", shown(before)),
        };
        let message = match parent {
            _ if before.is_empty() => format!("`{last}` is not there"),
            Some(Json::Array(items)) => format!("{owner} is a list of {} and has no `{last}`", items.len()),
            Some(Json::Object(_)) | None => format!("{owner} has no field `{last}`"),
            Some(other) => format!("{owner} is {} and has no field `{last}`", kind_of(other)),
        };
        Err(RenderProblem { missing: Some(path), nothing: false, message }.into())
    }
}

/// A path as its author would write it.
fn shown(path: &[String]) -> String {
    path.join(".")
}

/// A helper of the table.
struct Builtin {
    helper: &'static helper::Helper,
    tolerant: bool,
}

impl HelperDef for Builtin {
    fn call_inner<'reg: 'rc, 'rc>(
        &self,
        call: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc handlebars::Context,
        _: &mut RenderContext<'reg, 'rc>,
    ) -> Result<ScopedJson<'rc>, RenderError> {
        let present = |value: &'_ PathAndJson<'rc>| !value.is_value_missing();
        let positional: Vec<Option<&Json>> =
            call.params().iter().map(|value| present(value).then(|| value.value())).collect();
        let named: Vec<(&str, &Json)> = call
            .hash()
            .iter()
            .filter(|(name, value)| present(value) && **name != SUBJECT)
            .map(|(name, value)| (*name, value.value()))
            .collect();
        let subject = call.hash_get(SUBJECT).and_then(|words| words.value().as_str());
        let absent = positional.contains(&None) || named.len() + usize::from(subject.is_some()) < call.hash().len();
        let result = match self.helper.body {
            Body::Value(_) if absent => Err(Fault::Absent(Absent::Nothing)),
            Body::Value(run) | Body::Tolerant(run) => self.helper.run(run, &Args { positional, named }),
            Body::Block => Err(Fault::Wrong("is a block".to_owned())),
        };
        match result {
            Ok(value) => Ok(ScopedJson::Derived(value)),
            Err(Fault::Absent(_)) if self.tolerant => Ok(ScopedJson::Missing),
            Err(Fault::Absent(Absent::Nothing)) => {
                let message = format!("`{}` has none of its values", self.helper.name);
                Err(RenderProblem { missing: None, nothing: true, message }.into())
            }
            Err(Fault::Absent(Absent::Part { key, message })) => {
                let message = format!("`{}`: {message}", self.helper.name);
                Err(RenderProblem { missing: key.map(|key| vec![key]), nothing: false, message }.into())
            }
            Err(Fault::Wrong(message)) => {
                let of = subject.map(|words| format!(" of {words}")).unwrap_or_default();
                Err(failure(format!("`{}`{of}: {message}", self.helper.name)))
            }
        }
    }
}
