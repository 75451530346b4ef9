//! Why a command ends early, and with which exit code.

use anyhow::Error;

use crate::diag::did_you_mean;
use crate::engine::StoreError;
use crate::model::{Advice, Failure, FailureKind};
use crate::sink::{Exit, Paint, one_line};

use super::stdout;

/// A command that can't go on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub(super) struct Fault {
    /// What the shell is told.
    pub(super) exit: Exit,
    /// What is wrong, in one sentence.
    pub(super) message: String,
    /// What to try.
    pub(super) help: Option<String>,
}

impl Fault {
    pub(super) fn usage(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { exit: Exit::Usage, message: message.into(), help: Some(help.into()) }
    }

    pub(super) fn invalid(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { exit: Exit::Invalid, message: message.into(), help: Some(help.into()) }
    }

    /// The help where `wrong` is none of `known`: the nearest of them, or else `otherwise` and all of them.
    pub(super) fn nearest(wrong: &str, known: &[&str], otherwise: &str) -> String {
        match did_you_mean(wrong, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("{otherwise}: {}", known.join(", ")),
        }
    }

    pub(super) fn unwritable(message: impl Into<String>, help: Option<String>) -> Self {
        Self { exit: Exit::Unwritable, message: message.into(), help }
    }

    /// Says on standard error what is wrong. An error that is no fault of the user's is one of ours.
    pub(super) fn tell(error: &Error, paint: Paint) -> Exit {
        let tag = paint.bad("error:");
        let Some(fault) = error.downcast_ref::<Self>() else {
            stdout::error(&format!("{tag} {}\n", one_line(&format!("{error:#}"))));
            return Exit::Internal;
        };
        let help = fault.help.as_deref().map(|help| format!("\n  help: {}", one_line(help))).unwrap_or_default();
        stdout::error(&format!("{tag} {}{help}\n", one_line(&fault.message)));
        fault.exit
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::unwritable(error.message, Some(error.help))
    }
}

impl From<Failure> for Fault {
    fn from(failure: Failure) -> Self {
        let exit = match failure.kind {
            FailureKind::Internal => Exit::Internal,
            FailureKind::Output | FailureKind::Store => Exit::Unwritable,
            FailureKind::Interrupted => Exit::Interrupted,
            FailureKind::Template => Exit::Invalid,
            _ if failure.advice() == Advice::Block => Exit::Blocked,
            _ => Exit::Failed,
        };
        Self { exit, message: failure.message, help: failure.suggestion }
    }
}
