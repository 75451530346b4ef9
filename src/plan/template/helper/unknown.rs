//! Words that are called like a helper, and are none.

use std::ops::Range;

use crate::diag::{did_you_mean, listed, meant};

use super::super::problem::Problem;
use super::{all, is_block};

/// Helpers of the language that are not there, and what to do instead.
const UNSUPPORTED: [(&str, &str); 6] = [
    ("split", "cut the text before the run, and make the parts a list that a stage loops over"),
    ("chunks", "make the groups before the run, as a list of lists"),
    ("group", "make the groups before the run, or ask a stage with `json: true` for them"),
    ("unique", "take what is there twice out before the run, or ask a stage with `json: true`"),
    ("where", "write `{{#each LIST}}{{#if (eq field 'value')}}..{{/if}}{{/each}}`"),
    ("sort", "sort the list before the run, or ask a stage with `json: true`"),
];
/// Helpers of Handlebars that pipelines do without.
const REFUSED: [&str; 2] = ["log", "raw"];

/// What to say where `name`, which stands at `range`, is called and is no helper.
pub(in super::super) fn explain_unknown(name: &str, range: Range<usize>) -> Problem {
    if let Some((_, instead)) = UNSUPPORTED.iter().find(|(other, _)| *other == name) {
        return Problem::new(range, Problem::NOT_YET, format!("`{name}` is not supported yet")).help(*instead);
    }
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

/// Whether `name` is probably a helper that is misspelled, or one that is not there yet.
pub(in super::super) fn is_nearly(name: &str) -> bool {
    UNSUPPORTED.iter().any(|(other, _)| *other == name) || did_you_mean(name, all().map(|helper| helper.name)).is_some()
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
        let refused = UNSUPPORTED.iter().map(|(name, _)| name).chain(&REFUSED);
        assert!(refused.into_iter().all(|name| all().all(|helper| helper.name != *name)));
    }
}
