//! On what terms an answer is taken: what it must be, and what is done where it is not.

use std::fmt;
use std::sync::Arc;

use crate::model::{Call, Check, Failure, Json, ProviderIdentity, Reply};

/// What goes with a call beside its request. None of it is part of the call's key.
#[derive(Debug, Clone)]
pub struct Terms {
    /// What the answer must be.
    pub checks: Vec<Check>,
    /// Who looks at it in ways that this room does not know.
    pub judge: Option<Arc<dyn Judge>>,
    /// Whether a wrong answer is given back with what is wrong with it. Without that it fails at once.
    pub feedback: bool,
    /// Who else is asked, one after the other, where there is no good answer.
    pub fallbacks: Vec<Fallback>,
}

impl Terms {
    /// Whether a wrong answer is given back unless somebody says otherwise.
    pub const FEEDBACK: bool = true;
}

impl Default for Terms {
    /// Any answer will do, and nobody else is asked.
    fn default() -> Self {
        Self { checks: Vec::new(), judge: None, feedback: Self::FEEDBACK, fallbacks: Vec::new() }
    }
}

/// Somebody else to be asked.
#[derive(Debug, Clone, PartialEq)]
pub struct Fallback {
    /// The provider's name in the file.
    pub provider: Arc<str>,
    /// Which service that is.
    pub identity: ProviderIdentity,
    /// Which of its models; none is sent without a value.
    pub model: Option<String>,
}

impl Fallback {
    /// The same question to this one. What comes of it is kept under the key of the first.
    pub(super) fn call(&self, call: &Call) -> Call {
        Call { provider: self.identity.clone(), model: self.model.clone(), ..call.clone() }
    }
}

/// Looks at an answer with what only its caller knows.
pub trait Judge: Send + Sync + fmt::Debug {
    /// What it finds in a whole reply; `json` is what was found in that, where JSON was asked for.
    ///
    /// # Errors
    /// It can't look at any answer, whatever that is.
    fn judge(&self, reply: &Reply, json: Option<&Json>) -> Result<Judgement, Failure>;
}

/// What a [`Judge`] finds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Judgement {
    /// What is wrong, as the rest of a sentence about the answer each: `is shorter than the question`.
    pub objections: Vec<String>,
    /// What else the answer must be, known only now.
    pub checks: Vec<Check>,
}
