//! Why a call, or an instance, did not come out, and what can be done about it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Usage, seconds};

/// What kind of failure it is; it decides what happens next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    /// No connection: nothing was sent.
    Connect,
    /// A clock ran out.
    Timeout,
    /// Too many at once, or too fast: 429, or a 402 that says `Queue full`.
    RateLimited,
    /// The server, or what stands behind it, is in trouble: 408, 500, 502, 503, 504, 52x.
    Server,
    /// The connection broke before the whole answer was there.
    Cut,
    /// The answer has nothing in it.
    Empty,
    /// The answer is not what the API promises: HTML, broken JSON, no picture.
    Garbled,
    /// A picture that stands in for the one asked for.
    Placeholder,
    /// The service does not take the form in which JSON is asked for, `response_format`: it can be asked for in words.
    FormRefused,
    /// The request is wrong, and will be wrong again: 400, 405, 409, 410, 413, 415.
    BadRequest,
    /// No such model, or no such address: 404.
    NotFound,
    /// A filter refused prompt or answer.
    Moderated,
    /// The model is not allowed for this key.
    ModelForbidden,
    /// The answer hit `max_tokens`.
    Length,
    /// The answer is whole, but not what was asked for.
    WrongAnswer,
    /// A template could not be rendered for this item.
    Template,
    /// The answer could not be saved.
    Output,
    /// Answers can't be kept.
    Store,
    /// The tape that is replayed has no such call.
    NotRecorded,
    /// No key where one is needed.
    KeyMissing,
    /// The key is refused.
    KeyRefused,
    /// Balance or quota is gone.
    BalanceGone,
    /// The service asks to be left alone for longer than a run waits.
    Away,
    /// What the run may take is used up.
    BudgetUsedUp,
    /// The cost is limited, and nobody knows what the call would cost.
    Unpriced,
    /// The time of the run is up.
    DeadlinePassed,
    /// The run was stopped before this could end.
    Interrupted,
    /// A fault of this program.
    Internal,
}

/// What to do after a failed attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Advice {
    /// Send the same again after a pause.
    Retry,
    /// The item has failed.
    GiveUp,
    /// Every later call will fail in the same way: the run ends.
    Block,
}

impl FailureKind {
    /// As it stands in JSON.
    pub fn name(self) -> String {
        serde_json::to_value(self).ok().and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default()
    }

    /// What to do about it.
    pub fn advice(self) -> Advice {
        match self {
            Self::Connect
            | Self::Timeout
            | Self::RateLimited
            | Self::Server
            | Self::Cut
            | Self::Empty
            | Self::Garbled
            | Self::Placeholder
            | Self::FormRefused => Advice::Retry,
            Self::BadRequest
            | Self::NotFound
            | Self::Moderated
            | Self::ModelForbidden
            | Self::Length
            | Self::WrongAnswer
            | Self::Template
            | Self::Output
            | Self::Store
            | Self::NotRecorded
            | Self::Interrupted
            | Self::Internal => Advice::GiveUp,
            Self::KeyMissing
            | Self::KeyRefused
            | Self::BalanceGone
            | Self::Away
            | Self::BudgetUsedUp
            | Self::Unpriced
            | Self::DeadlinePassed => Advice::Block,
        }
    }
}

/// A failed attempt, or a failed instance. It carries no secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// What kind it is.
    pub kind: FailureKind,
    /// What happened, in one sentence without a full stop.
    pub message: String,
    /// What to try.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub suggestion: Option<String>,
    /// The HTTP status, where there was one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub status: Option<u16>,
    /// The provider's own word for the error.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub code: Option<String>,
    /// The provider's name for the exchange.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub request_id: Option<String>,
    /// How long the provider asks to be left alone; in JSON a number of seconds.
    #[serde(skip_serializing_if = "Option::is_none", default, with = "seconds::option")]
    pub retry_after: Option<Duration>,
    /// What had arrived of the answer, for people to look at.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub partial: Option<String>,
    /// What the attempt took all the same, where the provider says.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub usage: Option<Usage>,
}

impl Failure {
    /// A failure with a message and nothing else.
    pub fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            suggestion: None,
            status: None,
            code: None,
            request_id: None,
            retry_after: None,
            partial: None,
            usage: None,
        }
    }

    /// The same with a suggestion.
    #[must_use]
    pub fn suggest(mut self, suggestion: impl Into<String>) -> Self {
        self.suggestion = Some(suggestion.into());
        self
    }

    /// What to do about it.
    pub fn advice(&self) -> Advice {
        self.kind.advice()
    }
}
