//! What the shell is told.

use crate::model::RunOutcome;

/// The exit codes of the program; scripts rely on them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Exit {
    /// Every item came out, was replaced, or was skipped by `when`.
    Done = 0,
    /// A fault of this program, a panic too.
    Internal = 1,
    /// Wrong usage of the command line.
    Usage = 2,
    /// The pipeline file, an input or a data file is wrong; nothing was called.
    Invalid = 3,
    /// Items failed: the run finished under `continue`, or stopped at the first.
    Failed = 4,
    /// A key is missing or refused, a balance is gone, or the deadline has passed.
    Blocked = 5,
    /// The store or an output can't be written.
    Unwritable = 6,
    /// Interrupted by Ctrl-C: 128 and the number of SIGINT.
    Interrupted = 130,
    /// Interrupted by SIGTERM: 128 and its number; by SIGHUP too.
    Terminated = 143,
}

impl Exit {
    /// Every code with its meaning, as the help lists them.
    pub const TABLE: [(Self, &'static str); 9] = [
        (Self::Done, "done: every item came out, was replaced, or was skipped by `when`"),
        (Self::Internal, "a bug in this program"),
        (Self::Usage, "wrong usage"),
        (Self::Invalid, "the pipeline file, an input or a data file is wrong; nothing was called"),
        (Self::Failed, "items failed"),
        (Self::Blocked, "blocked: key missing or refused, balance gone, deadline passed"),
        (Self::Unwritable, "the store or an output can't be written"),
        (Self::Interrupted, "interrupted by Ctrl-C"),
        (Self::Terminated, "interrupted by SIGTERM or SIGHUP"),
    ];

    /// The code for a run that ended so.
    pub fn of(outcome: &RunOutcome) -> Self {
        match outcome {
            RunOutcome::Done => Self::Done,
            RunOutcome::Failed => Self::Failed,
            RunOutcome::Blocked { .. } => Self::Blocked,
            RunOutcome::Unwritable { .. } => Self::Unwritable,
            RunOutcome::Interrupted { terminated: false } => Self::Interrupted,
            RunOutcome::Interrupted { terminated: true } => Self::Terminated,
            RunOutcome::Internal { .. } => Self::Internal,
        }
    }

    /// The one that is told where both hold: 130 and 143, then 1, 6, 5, 4, 0. What is wrong before a run comes after
    /// what is wrong in it.
    #[must_use]
    pub fn or_worse(self, other: Self) -> Self {
        let rank = |exit| match exit {
            Self::Interrupted | Self::Terminated => 7,
            Self::Internal => 6,
            Self::Unwritable => 5,
            Self::Blocked => 4,
            Self::Failed => 3,
            Self::Invalid => 2,
            Self::Usage => 1,
            Self::Done => 0,
        };
        if rank(other) > rank(self) { other } else { self }
    }

    /// The number itself.
    pub fn code(self) -> u8 {
        self as u8
    }
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Failure, FailureKind};

    #[test]
    fn each_outcome_has_its_documented_number() {
        let failure = Failure::new(FailureKind::Internal, "it");
        let codes: Vec<u8> = [
            RunOutcome::Done,
            RunOutcome::Internal { failure: failure.clone() },
            RunOutcome::Failed,
            RunOutcome::Blocked { failure: failure.clone() },
            RunOutcome::Unwritable { failure },
            RunOutcome::Interrupted { terminated: false },
            RunOutcome::Interrupted { terminated: true },
        ]
        .iter()
        .map(|outcome| Exit::of(outcome).code())
        .collect();
        assert_eq!(codes, [0, 1, 4, 5, 6, 130, 143]);
    }

    #[test]
    fn where_several_hold_the_worst_is_told() {
        let from_worst = [Exit::Interrupted, Exit::Internal, Exit::Unwritable, Exit::Blocked, Exit::Failed, Exit::Done];
        for (at, worse) in from_worst.into_iter().enumerate() {
            for other in from_worst.into_iter().skip(at) {
                assert_eq!((worse.or_worse(other), other.or_worse(worse)), (worse, worse));
            }
        }
    }
}
