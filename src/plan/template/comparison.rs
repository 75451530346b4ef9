//! Values that a template compares with words of its own: whether they can be that is known where their values are.

use std::ops::Range;

use crate::model::Json;

use super::expression::{Call, ExprKind};
use super::helper::same;
use super::lower::{Pass, literal};
use super::names::Step;

/// `eq article.kind 'news'`, or `ne`.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// What is compared, from a name of the file.
    pub path: Vec<Step>,
    /// What it is compared with.
    pub with: Json,
    /// Bytes in the template: what it is compared with, as it is written.
    pub range: Range<usize>,
    /// Whether it holds where the two differ: `ne`.
    pub differs: bool,
}

impl Comparison {
    /// Whether this value is the one that is asked for.
    pub fn is_of(&self, value: &Json) -> bool {
        same(value, &self.with)
    }
}

impl Pass<'_> {
    pub(super) fn record_comparison(&mut self, call: &Call) {
        let ("eq" | "ne", [a, b]) = (call.name.as_str(), call.args.as_slice()) else { return };
        for (one, other) in [(a, b), (b, a)] {
            let (ExprKind::Path(path), Some(with)) = (&one.kind, literal(other)) else { continue };
            // What is wrong with a path is told where that is looked at.
            if let Some(path) = self.names.resolve(path, &one.range).ok().and_then(|found| found.steps) {
                let (with, range, differs) = (with.clone(), other.range.clone(), call.name == "ne");
                self.comparisons.push(Comparison { path, with, range, differs });
            }
        }
    }
}
