//! The tape of a run: one that it is recorded on, or one that answers it.

use std::sync::Arc;

use crate::model::Failure;
use crate::store::NewTape;

/// The tape of a run.
#[derive(Debug, Clone)]
pub enum RunTape {
    /// What the run uses is put on it, at every orderly end.
    Recorded(Arc<NewTape>),
    /// It answers, under this name.
    Replayed(Arc<str>),
}

impl RunTape {
    /// The tape that is recorded, as it was named.
    pub(super) fn recorded(&self) -> Option<Arc<str>> {
        match self {
            Self::Recorded(tape) => Some(tape.path().display().to_string().into()),
            Self::Replayed(_) => None,
        }
    }

    /// The tape that answers, as it was named.
    pub(super) fn replayed(&self) -> Option<Arc<str>> {
        match self {
            Self::Recorded(_) => None,
            Self::Replayed(name) => Some(name.clone()),
        }
    }

    /// Writes what was recorded. When this returns, it is safe.
    pub(super) async fn end(&self) -> Result<(), Failure> {
        let Self::Recorded(tape) = self else { return Ok(()) };
        let tape = Arc::clone(tape);
        let finished = tokio::task::spawn_blocking(move || tape.finish()).await;
        // Who is not there any more to write it has panicked, which is told elsewhere.
        Ok(finished.unwrap_or(Ok(()))?)
    }
}
