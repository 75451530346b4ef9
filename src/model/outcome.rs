//! What a run and its stages came to.

use serde::{Deserialize, Serialize};

use super::Failure;

/// What became of the instances of a stage: they add up to `instances`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageTally {
    /// All that are known.
    pub instances: u64,
    /// Came out.
    pub done: u64,
    /// Came out of an answer that was kept.
    pub reused: u64,
    /// `on_error.value` stands in.
    pub replaced: u64,
    /// Skipped by `when`, or because something they name was.
    pub skipped: u64,
    /// Skipped because something they name has failed.
    pub skipped_after_failure: u64,
    /// Failed.
    pub failed: u64,
    /// Not started, or not ended.
    pub not_started: u64,
}

impl StageTally {
    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            instances: self.instances + other.instances,
            done: self.done + other.done,
            reused: self.reused + other.reused,
            replaced: self.replaced + other.replaced,
            skipped: self.skipped + other.skipped,
            skipped_after_failure: self.skipped_after_failure + other.skipped_after_failure,
            failed: self.failed + other.failed,
            not_started: self.not_started + other.not_started,
        }
    }

    /// How many have come to an end, whichever.
    pub fn instances_ended(&self) -> u64 {
        self.done + self.reused + self.replaced + self.skipped + self.skipped_after_failure + self.failed
    }
}

/// How a run ended. The worst of all that holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "outcome")]
pub enum RunOutcome {
    /// Every item came out, was replaced, or was skipped.
    Done,
    /// Items failed.
    Failed,
    /// A key is missing or refused, a balance is gone, the time is up.
    Blocked {
        /// What blocks it.
        failure: Failure,
    },
    /// An output can't be written.
    Unwritable {
        /// What is in the way.
        failure: Failure,
    },
    /// Someone asked it to end.
    Interrupted {
        /// Whether it was asked to by a signal other than that of Ctrl-C.
        terminated: bool,
    },
    /// A fault of this program.
    Internal {
        /// What went wrong.
        failure: Failure,
    },
}

impl RunOutcome {
    /// The one that is told where both hold: interrupted, a fault of ours, unwritable, blocked, failed, done.
    #[must_use]
    pub fn or_worse(self, other: Self) -> Self {
        let rank = |outcome: &Self| match outcome {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Blocked { .. } => 2,
            Self::Unwritable { .. } => 3,
            Self::Internal { .. } => 4,
            Self::Interrupted { .. } => 5,
        };
        if rank(&other) > rank(&self) { other } else { self }
    }
}
