//! What went wrong, for a program to decide on and for a person to read.

use std::fmt;
use std::time::Duration;

use crate::model::{Advice, Cost, Failure, FailureKind, Usage};

use super::super::Unanswered;
use super::wording::in_code;

/// Why there is no answer, or no client. One type for all of it: settings that can't be, a key that is missing, a service
/// that refuses, a stream that breaks off.
///
/// It is shown as one line, without what to try: that is [`Error::suggestion`]. It carries no key.
///
/// ```
/// use blossom_run::Blossom;
/// use blossom_run::model::FailureKind;
///
/// let error = Blossom::builder().provider("polinations").build().unwrap_err();
/// assert_eq!(error.kind(), FailureKind::BadRequest);
/// assert_eq!(error.to_string(), "There is no provider `polinations`");
/// assert!(error.suggestion().unwrap().contains("`pollinations`"));
/// assert!(!error.is_transient());
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Error {
    // In a place of its own: a result should be no larger than its answer.
    inner: Box<Unanswered>,
    /// What to try, in words of files and flags.
    plain: Option<Box<str>>,
}

impl Error {
    /// Settings or options that can't be.
    pub(super) fn wrong(message: impl Into<String>, suggestion: impl Into<String>) -> Self {
        Failure::new(FailureKind::BadRequest, message).suggest(suggestion).into()
    }

    /// What kind it is.
    pub fn kind(&self) -> FailureKind {
        self.inner.failure.kind
    }

    /// What happened, in one sentence without a full stop.
    pub fn message(&self) -> &str {
        &self.inner.failure.message
    }

    /// What to try, where there is something.
    pub fn suggestion(&self) -> Option<&str> {
        self.inner.failure.suggestion.as_deref()
    }

    /// How long the service asks to be left alone (`Retry-After`, RFC 9110).
    pub fn retry_after(&self) -> Option<Duration> {
        self.inner.failure.retry_after
    }

    /// The HTTP status, where there was an answer that had one.
    pub fn status(&self) -> Option<u16> {
        self.inner.failure.status
    }

    /// The service's own word for the error.
    pub fn code(&self) -> Option<&str> {
        self.inner.failure.code.as_deref()
    }

    /// The service's name for the exchange: what its support asks for.
    pub fn request_id(&self) -> Option<&str> {
        self.inner.failure.request_id.as_deref()
    }

    /// What had come of the answer. Of a stream: all that was handed out. Of a whole text: at most its first 2000
    /// characters.
    pub fn partial(&self) -> Option<&str> {
        self.inner.failure.partial.as_deref()
    }

    /// Requests that were sent.
    pub fn attempts(&self) -> u32 {
        self.inner.attempts
    }

    /// What they took, in tokens, as far as the service says.
    pub fn usage(&self) -> Option<Usage> {
        self.inner.usage
    }

    /// What they cost, as far as prices are known.
    pub fn cost(&self) -> Cost {
        self.inner.cost
    }

    /// Whether the same question may well be answered later: after [`Error::retry_after`], where that is known.
    pub fn is_transient(&self) -> bool {
        self.inner.failure.advice() == Advice::Retry || self.kind() == FailureKind::Away
    }

    /// The failure itself.
    pub fn failure(&self) -> &Failure {
        &self.inner.failure
    }

    /// The failure as the rest of the library tells it, with a suggestion in words of files and flags.
    pub(crate) fn plain(&self) -> Failure {
        Failure { suggestion: self.plain.as_deref().map(str::to_owned), ..self.inner.failure.clone() }
    }

    pub(super) fn into_unanswered(self) -> Unanswered {
        Unanswered { failure: self.plain(), ..*self.inner }
    }

    /// With all that was handed out before it.
    pub(super) fn after(mut self, text: &str) -> Self {
        if !text.is_empty() {
            self.inner.failure.partial = Some(text.to_owned());
        }
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())
    }
}

impl fmt::Debug for Error {
    /// What a person should read where `main` returns it, as with `anyhow`: the message, and what to try below it. `{:#?}`
    /// shows all of it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if f.alternate() {
            return f.debug_struct("Error").field("inner", &self.inner).field("plain", &self.plain).finish();
        }
        f.write_str(self.message())?;
        self.suggestion().map_or(Ok(()), |suggestion| write!(f, "\n  {suggestion}"))
    }
}

impl std::error::Error for Error {}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        Unanswered { failure, attempts: 0, usage: None, cost: Cost::NOTHING }.into()
    }
}

impl From<Unanswered> for Error {
    fn from(unanswered: Unanswered) -> Self {
        let plain = unanswered.failure.suggestion.as_deref().map(Into::into);
        Self { inner: Box::new(Unanswered { failure: in_code(unanswered.failure), ..unanswered }), plain }
    }
}
