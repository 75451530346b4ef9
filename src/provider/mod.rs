//! The services that answer: how a call becomes a request of theirs, and their reply ours.
//!
//! Encoding and decoding are pure; `http.rs` is the only file that names the HTTP client. This room never retries, never
//! waits for a permit and reads no environment: `client` does.

mod attempt;
mod chat;
mod chat_stream;
mod error_body;
mod errors;
mod exchange;
mod finish;
mod form;
mod formats;
mod heard;
mod http;
mod images;
mod legacy;
mod message;
mod model_list;
mod offline;
mod openai;
mod placeholders;
mod pollinations;
mod prices;
mod redact;
mod retry_after;
mod said;
mod service;
mod shown;
mod sse;
mod status;
mod usage;

use std::fmt;
use std::sync::Arc;

use futures::stream::BoxStream;
use secrecy::SecretString;

use crate::model::{Call, Failure, Piece, Price, ProviderIdentity, ProviderKind, ProviderSettings};

pub use attempt::Attempt;
pub use form::Form;
pub use http::HttpClient;
pub use prices::known_price;
pub use redact::{Redactor, is_credential};
pub use service::identity;

/// What a sender knows of its request before it goes out; shown to people, never sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestView {
    /// `POST`, `GET`, or `-` where there is no request.
    pub method: &'static str,
    /// The address, without credentials.
    pub url: String,
    /// The body: pretty JSON, or empty.
    pub body: String,
}

/// A service that answers calls.
pub trait Provider: Send + Sync + fmt::Debug {
    /// What of it is part of a call's key.
    fn identity(&self) -> &ProviderIdentity;

    /// How many requests it takes at once for a model, where its settings do not say; depends on the kind of key.
    fn ceiling(&self, secret: Option<&SecretString>) -> u32;

    /// How many requests it takes at once over all its models, where its settings do not say; without a value each model
    /// has a limit of its own.
    fn at_once(&self, _secret: Option<&SecretString>) -> Option<u32> {
        None
    }

    /// The least time between two requests for this call, where the service asks for one.
    fn spacing(&self, call: &Call) -> Option<std::time::Duration>;

    /// Whether a picture can be asked for with a seed, so that another seed is another request.
    fn takes_seed(&self) -> bool {
        true
    }

    /// Whether this provider can make this call at all.
    ///
    /// # Errors
    /// A [`Failure`] that says what it can't do, and what to do instead.
    fn supports(&self, call: &Call) -> Result<(), Failure>;

    /// The request as it would be sent.
    fn view(&self, attempt: Attempt<'_>) -> RequestView;

    /// Sends one request. The stream gives signs of life and text as it comes, and ends after [`Piece::Whole`] or the
    /// first error. Dropping it takes the request back.
    fn send<'a>(&'a self, attempt: Attempt<'a>) -> BoxStream<'a, Result<Piece, Failure>>;

    /// The names of its models, as the service lists them.
    fn models<'a>(&'a self, secret: Option<&'a SecretString>) -> BoxStream<'a, Result<ModelInfo, Failure>>;
}

/// A model, as a service lists it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct ModelInfo {
    /// What to write as `model`.
    pub name: String,
    /// What it makes: `text`, `image`, `audio`, `video`, as the service says.
    pub makes: Vec<String>,
    /// In a few words, where the service says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Other names that mean it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<String>,
    /// What it costs, where the service says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price: Option<Price>,
}

/// The provider that these settings describe. Nothing is sent, and no key is looked for.
///
/// # Errors
/// A [`Failure`] where `base_url` is no address that a request can go to, or has credentials in it.
pub fn build(settings: &ProviderSettings, http: &HttpClient) -> Result<Arc<dyn Provider>, Failure> {
    Ok(match settings.kind {
        ProviderKind::Pollinations => Arc::new(pollinations::Pollinations::new(settings, http)?),
        ProviderKind::PollinationsLegacy => Arc::new(legacy::Legacy::new(settings, http)?),
        ProviderKind::Openai => Arc::new(openai::OpenAi::new(settings, http)?),
        ProviderKind::Offline => Arc::new(offline::Offline::new(settings)),
    })
}
