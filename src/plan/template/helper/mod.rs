//! The helpers that templates have: what each takes, what it gives, and one sentence about it.
//!
//! [`HELPERS`] is the only list. The check of a template, the engine and the documentation read it; a helper is a pure
//! function of its arguments.

mod args;
mod dates;
mod gives;
mod items;
mod kind;
mod lists;
mod logic;
mod numbers;
mod signature;
mod split;
mod text;
mod unknown;

pub(super) use args::{Absent, Args, Fault};
pub use gives::Gives;
pub(super) use kind::Kind;
pub(super) use logic::same;
pub(super) use signature::Body;
use signature::Takes;
pub use signature::{Helper, Subject};
pub(super) use unknown::{explain_unknown, is_nearly, near_block};

/// Every helper there is, by subject.
pub const HELPERS: &[Subject] = &[
    Subject { name: "Conditions and blocks", helpers: logic::HELPERS },
    Subject { name: "Text", helpers: text::HELPERS },
    Subject { name: "Lists and JSON", helpers: lists::HELPERS },
    Subject { name: "Items of lists", helpers: items::HELPERS },
    Subject { name: "Numbers", helpers: numbers::HELPERS },
    Subject { name: "Dates", helpers: dates::HELPERS },
];

/// Every helper.
pub(super) fn all() -> impl Iterator<Item = &'static Helper> {
    HELPERS.iter().flat_map(|subject| subject.helpers)
}

/// The helper called `name`.
pub(super) fn find(name: &str) -> Option<&'static Helper> {
    all().find(|helper| helper.name == name)
}

/// How the helper called `name` is called.
pub fn usage(name: &str) -> Option<&'static str> {
    find(name).map(|helper| helper.usage)
}

/// Whether `name` is the helper of a block.
pub(super) fn is_block(name: &str) -> bool {
    find(name).is_some_and(|helper| matches!(helper.body, Body::Block))
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
    }

    #[test]
    fn every_promised_helper_is_there() {
        let promised = "if unless each with lookup eq ne gt gte lt lte and or not len json default join lines first last \
                        slice truncate trim upper lower title slug replace indent escape markdown date number pad \
                        basename words split chunks group unique where sort";
        let names: HashSet<_> = all().map(|helper| helper.name).collect();
        assert_eq!(names, promised.split_whitespace().collect());
    }
}
