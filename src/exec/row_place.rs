//! Where the row stands that a value came from, for failures that are its fault.

use crate::model::{Failure, FailureKind};
use crate::plan::template::Template;
use crate::plan::{LoopSource, Plan};
use crate::source::ListSource;

use super::context::Unrendered;
use super::job::Around;

/// Says of a failure in which file and line the row stands that these templates name, if it stands in one.
pub(super) fn with_row<'t>(
    failure: Failure,
    plan: &Plan,
    around: &[Around],
    templates: impl IntoIterator<Item = &'t Template>,
) -> Failure {
    if failure.kind != FailureKind::Template {
        return failure;
    }
    let named: Vec<&str> =
        templates.into_iter().flat_map(Template::uses).filter_map(|one| one.path.first().map(String::as_str)).collect();
    // The innermost is the one that differs from item to item.
    let place = around.iter().rev().filter(|one| named.contains(&&*one.name)).find_map(|one| place(plan, around, one));
    match place {
        Some(place) => Failure { message: format!("{place}: {}", failure.message), ..failure },
        None => failure,
    }
}

/// The same of what a template could not be rendered for.
pub(super) fn unrendered_with_row<'t>(
    unrendered: Unrendered,
    plan: &Plan,
    around: &[Around],
    templates: impl IntoIterator<Item = &'t Template>,
) -> Unrendered {
    match unrendered {
        Unrendered::Fail(failure) => Unrendered::Fail(with_row(failure, plan, around, templates)),
        skip @ Unrendered::Skip(_) => skip,
    }
}

/// `rows.jsonl:4`, as faults that are found before a run are told.
fn place(plan: &Plan, around: &[Around], item: &Around) -> Option<String> {
    let of = plan.loops.iter().find(|one| one.name == item.name)?;
    match (&of.source, item.line) {
        (LoopSource::Rows { list: ListSource::File { path, .. }, .. }, Some(line)) => {
            Some(format!("{}:{line}", path.display()))
        }
        (LoopSource::Rows { list: ListSource::Stdin, .. }, Some(line)) => Some(format!("standard input:{line}")),
        // It is part of a row.
        (LoopSource::Item { of, .. }, _) => {
            let name = &plan.loop_at(*of).name;
            place(plan, around, around.iter().find(|one| one.name == *name)?)
        }
        (LoopSource::Rows { .. } | LoopSource::Stage { .. }, _) => None,
    }
}
