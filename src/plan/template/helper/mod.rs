//! The helpers that templates have: what each takes, what it gives, and one sentence about it.
//!
//! [`HELPERS`] is the only list. The check of a template, the engine and the documentation read it; a helper is a pure
//! function of its arguments.

mod args;
mod dates;
mod kind;
mod lists;
mod logic;
mod numbers;
mod text;

use std::ops::Range;

use crate::model::Json;

use super::problem::Problem;
pub(super) use args::{Absent, Args, Fault};
pub(super) use kind::Kind;

/// A helper as its users see it.
#[derive(Debug)]
pub struct Helper {
    /// As it is called.
    pub name: &'static str,
    /// How it is called: values in capitals, what may be left out in brackets.
    pub usage: &'static str,
    /// What it gives, in one sentence without a full stop.
    pub about: &'static str,
    pub(super) takes: Takes,
    pub(super) body: Body,
}

/// Helpers that belong together.
#[derive(Debug)]
pub struct Subject {
    /// A heading.
    pub name: &'static str,
    /// The helpers.
    pub helpers: &'static [Helper],
}

/// Every helper there is, by subject.
pub const HELPERS: &[Subject] = &[
    Subject { name: "Conditions and blocks", helpers: logic::HELPERS },
    Subject { name: "Text", helpers: text::HELPERS },
    Subject { name: "Lists and JSON", helpers: lists::HELPERS },
    Subject { name: "Numbers", helpers: numbers::HELPERS },
    Subject { name: "Dates", helpers: dates::HELPERS },
];

/// Helpers that exist on paper.
const LATER: [&str; 6] = ["split", "chunks", "group", "unique", "where", "sort"];
/// Helpers of Handlebars that pipelines do without.
const REFUSED: [&str; 2] = ["log", "raw"];

/// What a helper takes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Takes {
    required: &'static [Kind],
    optional: &'static [Kind],
    rest: Option<Kind>,
    named: &'static [(&'static str, Kind)],
}

impl Takes {
    const fn these(required: &'static [Kind]) -> Self {
        Self { required, optional: &[], rest: None, named: &[] }
    }

    const fn and_maybe(self, optional: &'static [Kind]) -> Self {
        Self { optional, ..self }
    }

    const fn and_more(self, rest: Kind) -> Self {
        Self { rest: Some(rest), ..self }
    }

    const fn and_named(self, named: &'static [(&'static str, Kind)]) -> Self {
        Self { named, ..self }
    }
}

/// A helper's function; the arguments are of the kinds that [`Takes`] names.
pub(super) type Function = fn(&Args<'_>) -> Result<Json, Fault>;

/// How a helper works.
#[derive(Debug, Clone, Copy)]
pub(super) enum Body {
    /// A block of the engine.
    Block,
    /// A value out of values, all of which must be there.
    Value(Function),
    /// A value out of values that may be absent.
    Tolerant(Function),
}

impl Helper {
    /// Whether it gives nothing as long as one of its arguments is absent.
    pub(super) fn needs_its_arguments(&self) -> bool {
        matches!(self.body, Body::Value(_))
    }

    /// How many arguments it takes at most.
    pub(super) fn most(&self) -> Option<usize> {
        self.takes.rest.is_none().then_some(self.takes.required.len() + self.takes.optional.len())
    }

    /// What to say if it can't take `count` arguments.
    pub(super) fn wrong_count(&self, count: usize) -> Option<String> {
        let least = self.takes.required.len();
        let takes = match self.most() {
            Some(most) if count > most && most > least => format!("at most {}", arguments(most)),
            Some(most) if count > most => arguments(most),
            _ if count < least && self.most() == Some(least) => arguments(least),
            _ if count < least => format!("at least {}", arguments(least)),
            _ => return None,
        };
        Some(format!("`{}` takes {takes}, not {count}", self.name))
    }

    /// What its argument at `at` has to be.
    pub(super) fn kind_at(&self, at: usize) -> Option<Kind> {
        let Takes { required, optional, rest, .. } = self.takes;
        required.iter().chain(optional).nth(at).copied().or(rest)
    }

    /// What its argument `name=` has to be.
    pub(super) fn kind_named(&self, name: &str) -> Option<Kind> {
        self.takes.named.iter().find(|(other, _)| *other == name).map(|(_, kind)| *kind)
    }

    /// Looks at the kinds of what is there, and runs.
    pub(super) fn run(&self, function: Function, args: &Args<'_>) -> Result<Json, Fault> {
        for (at, value) in args.positional.iter().enumerate() {
            if let (Some(kind), Some(value)) = (self.kind_at(at), value)
                && let Some(fault) = kind.fault(value)
            {
                return Err(Fault::Wrong(format!("argument {} {fault}", at + 1)));
            }
        }
        for (name, value) in &args.named {
            if let Some(fault) = self.kind_named(name).and_then(|kind| kind.fault(value)) {
                return Err(Fault::Wrong(format!("`{name}=` {fault}")));
            }
        }
        function(args)
    }
}

fn arguments(count: usize) -> String {
    if count == 1 { "1 argument".to_owned() } else { format!("{count} arguments") }
}

/// Every helper.
pub(super) fn all() -> impl Iterator<Item = &'static Helper> {
    HELPERS.iter().flat_map(|subject| subject.helpers)
}

/// The helper called `name`.
pub(super) fn find(name: &str) -> Option<&'static Helper> {
    all().find(|helper| helper.name == name)
}

/// Whether `name` is the helper of a block.
pub(super) fn is_block(name: &str) -> bool {
    find(name).is_some_and(|helper| matches!(helper.body, Body::Block))
}

/// What to say where `name`, which stands at `range`, is called and is no helper.
pub(super) fn explain_unknown(name: &str, range: Range<usize>) -> Problem {
    if LATER.contains(&name) {
        return Problem::new(range, Problem::NOT_YET, format!("`{name}` is not supported yet"))
            .help("make the list an input, or leave the work to a stage");
    }
    if REFUSED.contains(&name) {
        return Problem::new(range, Problem::UNSUPPORTED, format!("`{name}` can't be used here"))
            .help("leave it out; `\\{{` writes braces that are text");
    }
    let problem = Problem::new(range, Problem::UNKNOWN_HELPER, format!("there is no helper `{name}`"));
    if let Some(near) = nearest(name) {
        return problem.help(format!("did you mean `{near}`?"));
    }
    let names: Vec<_> = all().map(|helper| helper.name).filter(|name| !is_block(name)).collect();
    problem.help(format!("the helpers are {}; text beside a value stands outside of the braces", names.join(", ")))
}

/// The helper that `name` most likely means.
fn nearest(name: &str) -> Option<&'static str> {
    let scored = all().map(|helper| (strsim::damerau_levenshtein(name, helper.name), helper.name));
    let (distance, near) = scored.min()?;
    (distance <= 1 + near.len() / 4 && distance < near.len()).then_some(near)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_name_is_there_once_and_its_usage_begins_with_it() {
        let mut names = HashSet::new();
        for helper in all() {
            assert!(names.insert(helper.name), "{}", helper.name);
            let call = helper.usage.trim_start_matches("{{#");
            assert_eq!(call.split([' ', '}']).next(), Some(helper.name));
            assert!(!helper.about.ends_with('.') && helper.about.starts_with(char::is_uppercase), "{}", helper.about);
            assert!(helper.takes.required.len() < helper.usage.split(' ').count(), "{}", helper.usage);
        }
        assert!(LATER.iter().chain(&REFUSED).all(|name| !names.contains(name)));
    }

    #[test]
    fn every_promised_helper_is_there() {
        let promised = "if unless each with lookup eq ne gt gte lt lte and or not len json default join lines first last \
                        slice truncate trim upper lower title slug replace indent escape markdown date number pad \
                        basename words";
        let names: HashSet<_> = all().map(|helper| helper.name).collect();
        assert_eq!(names, promised.split_whitespace().collect());
    }

    #[test]
    fn near_names_are_suggested() {
        for (name, near) in [("uper", "upper"), ("truncat", "truncate"), ("jion", "join"), ("eqq", "eq")] {
            assert_eq!(nearest(name), Some(near), "{name}");
        }
        assert_eq!(nearest("the"), None);
        assert!(explain_unknown("the", 0..3).help.unwrap().contains("truncate"));
    }
}
