//! What a path means where it stands.

use std::ops::Range;

use super::expression::{Base, Path};
use super::problem::Problem;

/// A step from a name of the file into its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A field of a mapping, or an index as it is written.
    Field(String),
    /// Each element of a list.
    Element,
}

/// A path as people speak of it: `articles`, an item of `articles`, `author` of an item of `articles`.
pub fn described(path: &[Step]) -> String {
    let mut groups = path.split(|step| *step == Step::Element);
    let dotted = |group: &[Step]| {
        let fields = group.iter().filter_map(|step| match step {
            Step::Field(name) => Some(name.as_str()),
            Step::Element => None,
        });
        fields.collect::<Vec<_>>().join(".")
    };
    let first = groups.next().map(dotted).unwrap_or_default();
    groups.fold(format!("`{first}`"), |around, group| match dotted(group) {
        fields if fields.is_empty() => format!("an item of {around}"),
        fields => format!("`{fields}` of an item of {around}"),
    })
}

/// What the element of a block is, followed back to a name of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Origin {
    /// What these steps lead to.
    Steps(Vec<Step>),
    /// `{key, items}`: items of a list, and what they have behind a path of fields if that is written out.
    Group { list: Vec<Step>, by: Option<Vec<String>> },
}

impl Origin {
    fn steps(&self) -> &[Step] {
        match self {
            Self::Steps(steps) | Self::Group { list: steps, .. } => steps,
        }
    }
}

/// An `#each` or `#with` that is open.
#[derive(Debug, Clone)]
pub(super) struct Scope {
    /// It is an `#each`: there are `@index` and its like.
    pub(super) each: bool,
    /// What its element is, if a path says so.
    pub(super) origin: Option<Origin>,
    /// It may go through some of the elements alone.
    pub(super) partial: bool,
    /// `as |item index|`
    pub(super) params: Vec<String>,
    /// Tells it from every other scope of the template.
    pub(super) id: usize,
}

/// Whose field a path is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Owner {
    /// A name of the file.
    Root,
    /// The element of the scope with this id.
    Element(usize),
    /// `@index` and block parameters that hold one.
    Data,
}

/// A path whose meaning is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Resolved {
    /// What the engine starts from, as its own paths are written; nothing where it starts from a name of the file.
    pub(super) start: Option<String>,
    pub(super) owner: Owner,
    /// From there on; for [`Owner::Root`] the first is the name.
    pub(super) segments: Vec<String>,
    /// From a name of the file, through lists, as far as paths say it. Nothing for what a helper makes.
    pub(super) steps: Option<Vec<Step>>,
}

/// The names that can be meant: those of the file, and those of open blocks.
pub(super) struct Names<'a> {
    is_name: &'a dyn Fn(&str) -> bool,
    scopes: Vec<Scope>,
    opened: usize,
}

impl<'a> Names<'a> {
    pub(super) fn new(is_name: &'a dyn Fn(&str) -> bool) -> Self {
        Self { is_name, scopes: Vec::new(), opened: 0 }
    }

    pub(super) fn is_name(&self, name: &str) -> bool {
        (self.is_name)(name)
    }

    pub(super) fn enter(&mut self, each: bool, (origin, partial): (Option<Origin>, bool), params: Vec<String>) {
        self.opened += 1;
        self.scopes.push(Scope { each, origin, partial, params, id: self.opened });
    }

    /// Whether each of `branches` open blocks goes through what `steps` leads through: then the block is rendered wherever
    /// there is something behind these steps.
    pub(super) fn lead_to(&self, steps: &[Step], branches: usize) -> bool {
        let leads = |scope: &Scope| {
            !scope.partial && scope.origin.as_ref().is_some_and(|origin| steps.starts_with(origin.steps()))
        };
        self.scopes.len() == branches && self.scopes.iter().all(leads)
    }

    pub(super) fn leave(&mut self) {
        self.scopes.pop();
    }

    /// The meaning of `path`, which stands at `range`.
    pub(super) fn resolve(&self, path: &Path, range: &Range<usize>) -> Result<Resolved, Problem> {
        let segments = path.segments.clone();
        match &path.base {
            Base::Root if segments.is_empty() => Err(wrong(range, "`@root` holds everything")
                .help("name the value that is needed: `@root.title`, or just `title`")),
            Base::Root => Ok(root(segments)),
            Base::Data(level, name) => self.data(*level, name, segments, range),
            Base::Element(level) => self.element(*level, segments, range),
            Base::Bare => {
                let first = segments.first().map(String::as_str).unwrap_or_default();
                if let Some(found) = self.param(first, &segments[1..], range) {
                    found
                } else if self.is_name(first) || self.scopes.is_empty() {
                    Ok(root(segments))
                } else {
                    self.element(0, segments, range)
                }
            }
        }
    }

    fn data(&self, level: usize, name: &str, segments: Vec<String>, range: &Range<usize>) -> Result<Resolved, Problem> {
        let around = self.scopes.len().saturating_sub(level);
        if !self.scopes[..around].iter().any(|scope| scope.each) {
            return Err(wrong(range, format!("`@{name}` stands in no `#each`"))
                .help("inside a loop of stages there are `loop.index`, `loop.number` and `loop.key`"));
        }
        let start = format!("@{}{name}", "../".repeat(level));
        Ok(Resolved { start: Some(start), owner: Owner::Data, segments, steps: None })
    }

    fn element(&self, level: usize, segments: Vec<String>, range: &Range<usize>) -> Result<Resolved, Problem> {
        let open = self.scopes.len();
        if let Some(scope) = open.checked_sub(level + 1).map(|at| &self.scopes[at]) {
            let start = format!("{}this", "../".repeat(level));
            return of_scope(scope, start, segments, range);
        }
        if level > open {
            return Err(wrong(range, "`../` leads out of the template").help("take one of them away"));
        }
        match segments.as_slice() {
            [] => Err(wrong(range, "there is no element here").help("name a value: `title`")),
            [first, ..] if level == 0 => {
                Err(wrong(range, "`this` stands in no `#each` and no `#with`").help(format!("write `{first}`")))
            }
            _ => Ok(root(segments)),
        }
    }

    /// Every block parameter that can be named here.
    pub(super) fn params(&self) -> Vec<String> {
        self.scopes.iter().flat_map(|scope| scope.params.iter().cloned()).collect()
    }

    fn param(&self, name: &str, rest: &[String], range: &Range<usize>) -> Option<Result<Resolved, Problem>> {
        let scope = self.scopes.iter().rfind(|scope| scope.params.iter().any(|param| param == name))?;
        let start = name.to_owned();
        if scope.params.first().is_some_and(|param| param == name) {
            return Some(of_scope(scope, start, rest.to_vec(), range));
        }
        Some(Ok(Resolved { start: Some(start), owner: Owner::Data, segments: rest.to_vec(), steps: None }))
    }
}

fn of_scope(scope: &Scope, start: String, segments: Vec<String>, range: &Range<usize>) -> Result<Resolved, Problem> {
    let (from, fields) = match (&scope.origin, segments.split_first()) {
        (Some(Origin::Steps(steps)), _) => (Some(steps.clone()), segments.as_slice()),
        (None, _) | (Some(Origin::Group { .. }), None) => (None, &[][..]),
        (Some(Origin::Group { list, by }), Some((field, rest))) => match field.as_str() {
            "items" => (Some(list.clone()), rest),
            "key" => (by.as_ref().map(|by| behind(list, by)), rest),
            other => {
                let message = format!("a group has no field `{other}`");
                let problem = Problem::new(range.clone(), Problem::FIELD, message);
                return Err(problem.help("it has `key` and `items`, through which `#each` goes"));
            }
        },
    };
    let steps = from.map(|mut steps| {
        steps.extend(fields.iter().cloned().map(Step::Field));
        steps
    });
    Ok(Resolved { start: Some(start), owner: Owner::Element(scope.id), segments, steps })
}

/// The way to what lies behind a path of fields in the elements of a list.
pub(super) fn behind(list: &[Step], path: &[String]) -> Vec<Step> {
    list.iter().cloned().chain([Step::Element]).chain(path.iter().cloned().map(Step::Field)).collect()
}

fn root(segments: Vec<String>) -> Resolved {
    let steps = Some(segments.iter().cloned().map(Step::Field).collect());
    Resolved { start: None, owner: Owner::Root, segments, steps }
}

fn wrong(range: &Range<usize>, message: impl Into<String>) -> Problem {
    Problem::new(range.clone(), Problem::NAME, message)
}
