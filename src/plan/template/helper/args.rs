//! What a helper is called with.

use std::borrow::Cow;

use crate::model::Json;

use super::super::engine::printed;
use super::kind::as_whole;

/// Why a helper gives no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) enum Fault {
    /// What it looks for is not there; in a condition that is fine.
    Absent(Absent),
    /// It can't use what it is given.
    Wrong(String),
}

/// What is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) enum Absent {
    /// None of several values.
    Nothing,
    /// A part of a value.
    Part {
        /// What was looked for, if it has a name.
        key: Option<String>,
        /// What is wrong.
        message: String,
    },
}

/// The arguments of one call. Those that are absent can be seen by tolerant helpers alone.
#[derive(Debug)]
pub(in super::super) struct Args<'a> {
    pub(in super::super) positional: Vec<Option<&'a Json>>,
    pub(in super::super) named: Vec<(&'a str, &'a Json)>,
}

impl<'a> Args<'a> {
    /// The argument at `at`, if it is written and there.
    pub(super) fn get(&self, at: usize) -> Option<&'a Json> {
        self.positional.get(at).copied().flatten()
    }

    /// The argument at `at`; null if there is none.
    pub(super) fn value(&self, at: usize) -> &'a Json {
        self.get(at).unwrap_or(&Json::Null)
    }

    /// The argument at `at` as it prints; empty if there is none.
    pub(super) fn text(&self, at: usize) -> Cow<'a, str> {
        printed(self.value(at))
    }

    /// The argument at `at` as a list; empty if there is none.
    pub(super) fn list(&self, at: usize) -> &'a [Json] {
        self.value(at).as_array().map(Vec::as_slice).unwrap_or_default()
    }

    /// The argument at `at` as a number of things.
    pub(super) fn count(&self, at: usize) -> Option<usize> {
        self.whole(at).and_then(|number| usize::try_from(number).ok())
    }

    /// The argument at `at` as a whole number.
    pub(super) fn whole(&self, at: usize) -> Option<i64> {
        as_whole(self.get(at)?)
    }

    /// The argument `name=`.
    pub(super) fn named(&self, name: &str) -> Option<&'a Json> {
        self.named.iter().find(|(other, _)| *other == name).map(|(_, value)| *value)
    }

    /// The argument `name=` as a number of things.
    pub(super) fn named_count(&self, name: &str) -> Option<usize> {
        as_whole(self.named(name)?).and_then(|number| usize::try_from(number).ok())
    }

    /// The argument `name=` as it prints.
    pub(super) fn named_text(&self, name: &str) -> Option<Cow<'a, str>> {
        self.named(name).map(printed)
    }
}
