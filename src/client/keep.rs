//! Where answers are kept, as this room sees it.

use std::fmt;

use futures::FutureExt;
use futures::future::{BoxFuture, ready};

use crate::model::{Call, CallKey, Failure, Reply};

/// A place where whole answers are kept under the keys of their calls.
pub trait Keep: Send + Sync + fmt::Debug {
    /// The latest answer that is kept for a call.
    ///
    /// # Errors
    /// A [`Failure`] if the place can't be read.
    fn look_up<'a>(&'a self, key: &'a CallKey) -> BoxFuture<'a, Result<Option<Reply>, Failure>>;

    /// Keeps an answer. When this returns, it is safe; nothing else has seen it before.
    ///
    /// # Errors
    /// A [`Failure`] if the place can't be written.
    fn hand_over<'a>(
        &'a self,
        key: &'a CallKey,
        call: &'a Call,
        reply: &'a Reply,
    ) -> BoxFuture<'a, Result<(), Failure>>;
}

/// No place at all: every call is made, and its answer is held by whoever asked.
#[derive(Debug, Clone, Copy, Default)]
pub struct NothingKept;

impl Keep for NothingKept {
    fn look_up<'a>(&'a self, _key: &'a CallKey) -> BoxFuture<'a, Result<Option<Reply>, Failure>> {
        ready(Ok(None)).boxed()
    }

    fn hand_over<'a>(
        &'a self,
        _key: &'a CallKey,
        _call: &'a Call,
        _reply: &'a Reply,
    ) -> BoxFuture<'a, Result<(), Failure>> {
        ready(Ok(())).boxed()
    }
}
