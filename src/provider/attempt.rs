//! One request, as a provider is given it.

use secrecy::SecretString;

use super::Form;
use crate::model::{Call, CallKey, Check};

/// One request to be sent.
#[derive(Debug, Clone, Copy)]
pub struct Attempt<'a> {
    /// What is asked.
    pub call: &'a Call,
    /// Its key; seeds are derived from it.
    pub key: CallKey,
    /// From 1.
    pub number: u32,
    /// Whether a stream is asked for. Providers may answer whole all the same.
    pub stream: bool,
    /// How an answer in JSON is asked for.
    pub form: Form,
    /// What the answer must be beside; never sent. A provider that makes answers up may heed it.
    pub checks: &'a [Check],
    /// The key of the account, where the provider needs one.
    pub secret: Option<&'a SecretString>,
}

impl<'a> Attempt<'a> {
    /// The first of a call: whole, by its schema, without checks and without a key of an account.
    pub fn of(call: &'a Call) -> Self {
        Self { call, key: call.key(), number: 1, stream: false, form: Form::Schema, checks: &[], secret: None }
    }
}
