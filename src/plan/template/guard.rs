//! What a condition proves: inside `{{#if article.subtitle}}` there is `article.subtitle`.

use super::expression::{Call, Expr, ExprKind};
use super::helper;
use super::names::{Names, Owner, Resolved};
use crate::model::Json;

/// A path that is known to be there in a branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Guard {
    owner: Owner,
    segments: Vec<String>,
}

impl Guard {
    /// Whether the name that `path` starts from is there.
    pub(super) fn proves_name(&self, path: &Resolved) -> bool {
        self.owner == path.owner && self.segments.first() == path.segments.first()
    }

    /// Whether all of `path` is there.
    pub(super) fn proves(&self, path: &Resolved) -> bool {
        self.owner == path.owner && self.segments.starts_with(&path.segments)
    }
}

/// The paths that are there where `condition` holds (or, with `holds` false, where it does not).
pub(super) fn guards(condition: &Expr, holds: bool, names: &Names<'_>) -> Vec<Guard> {
    match &condition.kind {
        ExprKind::Literal(_) => Vec::new(),
        ExprKind::Path(_) => {
            if holds {
                present(condition, names)
            } else {
                Vec::new()
            }
        }
        ExprKind::Call(call) => {
            let each = |holds| call.args.iter().flat_map(|arg| guards(arg, holds, names)).collect();
            match (call.name.as_str(), holds) {
                ("and", true) => each(true),
                ("or", false) => each(false),
                ("not", _) => each(!holds),
                ("eq", true) | ("ne", false) if equals_something(call) => all_present(call, names),
                ("gt" | "gte" | "lt" | "lte", true) => all_present(call, names),
                (name, true) if helper::find(name).is_some_and(helper::Helper::needs_its_arguments) => {
                    all_present(call, names)
                }
                _ => Vec::new(),
            }
        }
    }
}

/// One side is a literal other than null, so the other side is there.
fn equals_something(call: &Call) -> bool {
    call.args.iter().any(|arg| matches!(&arg.kind, ExprKind::Literal(value) if *value != Json::Null))
}

fn all_present(call: &Call, names: &Names<'_>) -> Vec<Guard> {
    let by_name = call.named.iter().map(|named| &named.value);
    call.args.iter().chain(by_name).flat_map(|arg| present(arg, names)).collect()
}

/// The paths that are there if `expr` has a value at all.
fn present(expr: &Expr, names: &Names<'_>) -> Vec<Guard> {
    match &expr.kind {
        ExprKind::Path(path) => names
            .resolve(path, &expr.range)
            .map(|found| Guard { owner: found.owner, segments: found.segments })
            .into_iter()
            .collect(),
        ExprKind::Call(call) if helper::find(&call.name).is_some_and(helper::Helper::needs_its_arguments) => {
            all_present(call, names)
        }
        _ => Vec::new(),
    }
}
