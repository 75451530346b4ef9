//! Words that are called like a helper, and are none.

use std::ops::Range;

use crate::diag::{did_you_mean, listed, meant};

use super::super::problem::Problem;
use super::{all, is_block};

/// Helpers of Handlebars that pipelines do without.
const REFUSED: [&str; 2] = ["log", "raw"];

/// What to say where `name`, which stands at `range`, is called and is no helper.
pub(in super::super) fn explain_unknown(name: &str, range: Range<usize>) -> Problem {
    if REFUSED.contains(&name) {
        return Problem::new(range, Problem::UNSUPPORTED, format!("`{name}` can't be used here"))
            .help("leave it out; `\\{{` writes braces that are text");
    }
    let problem = Problem::new(range, Problem::UNKNOWN_HELPER, format!("there is no helper `{name}`"));
    problem.help(meant(name, all().map(|helper| helper.name)).unwrap_or_else(|| {
        let names = all().map(|helper| helper.name).filter(|name| !is_block(name));
        format!("text beside a value stands outside of the braces; the helpers are {}", listed(names))
    }))
}

/// Whether `name` is probably a helper that is misspelled.
pub(in super::super) fn is_nearly(name: &str) -> bool {
    did_you_mean(name, all().map(|helper| helper.name)).is_some()
}

/// The block that `name` was probably meant to be.
pub(in super::super) fn near_block(name: &str) -> Option<String> {
    did_you_mean(name, all().map(|helper| helper.name).filter(|name| is_block(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn help(name: &str) -> String {
        explain_unknown(name, 0..name.len()).help.unwrap()
    }

    #[test]
    fn near_names_are_suggested() {
        for (name, near) in [("uper", "upper"), ("truncat", "truncate"), ("jion", "join"), ("eqq", "eq")] {
            assert_eq!(help(name), format!("did you mean `{near}`?"));
        }
        assert!(help("the").contains("`truncate`"), "all are named where none is near");
    }

    #[test]
    fn what_is_refused_is_no_helper() {
        assert!(REFUSED.iter().all(|name| all().all(|helper| helper.name != *name)));
    }
}
