//! Where answers are kept, as this room sees it.

use std::fmt;

use futures::FutureExt;
use futures::future::{BoxFuture, ready};

use crate::model::{AnswerId, Asked, AttemptRecord, Failure, KeptAnswer, Reuse, Spent};

/// What is looked for.
#[derive(Debug, Clone, Copy)]
pub struct LookUp<'a> {
    /// The call.
    pub asked: &'a Asked,
    /// How old an answer may be.
    pub reuse: Reuse,
    /// Whether another take is wanted than those that are there.
    pub fresh: bool,
    /// Only what came before this one.
    pub before: Option<AnswerId>,
    /// The take that counts, once that is known: answers of another are not used.
    pub take: Option<u32>,
}

/// Where a call stands.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Standing {
    /// The take that counts, from 0.
    pub take: u32,
    /// The latest answer of that take which may be used.
    pub answer: Option<KeptAnswer>,
}

/// A place where whole answers are kept under the keys of their calls.
pub trait Keep: Send + Sync + fmt::Debug {
    /// Where a call stands, and the latest answer that is kept for it.
    ///
    /// # Errors
    /// A [`Failure`] if the place can't be read, or if it is all that may be asked and has no answer.
    fn look_up<'a>(&'a self, look_up: LookUp<'a>) -> BoxFuture<'a, Result<Standing, Failure>>;

    /// Writes down that a request is about to be sent, and the most that it can take of a budget: whoever dies before it is
    /// answered may have paid for it. When this returns, that is safe. Gives its number, where it has one.
    ///
    /// # Errors
    /// A [`Failure`] if the place can't be written.
    fn sending(&self, _worst: Spent) -> BoxFuture<'_, Result<Option<i64>, Failure>> {
        ready(Ok(None)).boxed()
    }

    /// Keeps a request that was sent, with its answer. When this returns, the answer is safe; nothing else has seen it
    /// before. Gives its place, if it has one.
    ///
    /// # Errors
    /// A [`Failure`] if the place can't be written.
    fn hand_over(&self, record: AttemptRecord) -> BoxFuture<'_, Result<Option<AnswerId>, Failure>>;

    /// Writes down a request that brought no answer. Nobody waits for that.
    fn note(&self, record: AttemptRecord);

    /// Writes down beside an answer that was kept why it was not taken, as the checks stood then. Nobody waits for that.
    fn judged(&self, _answer: AnswerId, _failure: &Failure) {}

    /// Whether texts that are streamed are wanted in their pieces too.
    fn wants_chunks(&self) -> bool {
        false
    }

    /// Whether an answer can be read again by its place.
    fn has_places(&self) -> bool {
        true
    }

    /// The text of an answer that was looked up, in the pieces in which it came, where it is to be shown as if it came
    /// now. Answers that somebody knows already are not.
    fn chunks(&self, _asked: &Asked, _id: AnswerId) -> Vec<String> {
        Vec::new()
    }
}

/// No place at all: every call is made, and its answer is held by whoever asked.
#[derive(Debug, Clone, Copy, Default)]
pub struct NothingKept;

impl Keep for NothingKept {
    fn look_up<'a>(&'a self, _look_up: LookUp<'a>) -> BoxFuture<'a, Result<Standing, Failure>> {
        ready(Ok(Standing::default())).boxed()
    }

    fn hand_over(&self, _record: AttemptRecord) -> BoxFuture<'_, Result<Option<AnswerId>, Failure>> {
        ready(Ok(None)).boxed()
    }

    fn note(&self, _record: AttemptRecord) {}
}
