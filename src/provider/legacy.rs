//! The anonymous hosts of Pollinations: one request at a time, spaced, and never with a key.
//!
//! A text that is not asked for as JSON may have words of a sponsor at its end. They stay: what is cut off in silence
//! would sooner or later be a part of the answer. Who wants none of them asks for JSON, or uses today's API.

use std::time::Duration;

use futures::stream::BoxStream;
use secrecy::SecretString;

use super::chat::{self, BodyManner};
use super::exchange::{self, Expected};
use super::form::{Form, Wanted};
use super::http::HttpClient;
use super::message::HttpRequest;
use super::placeholders::Placeholders;
use super::pollinations::{check_picture, picture_url};
use super::service::{LEGACY_IMAGE, Service};
use super::shown;
use super::{Attempt, ModelInfo, Provider, RequestView};
use crate::model::{Call, Failure, FailureKind, Piece, ProviderIdentity, ProviderKind, ProviderSettings, Request};

/// The least time between two texts for one address (`shared/ipQueue.js` of the service, November 2025).
const TEXT_SPACING: Duration = Duration::from_secs(18);
/// The least time between two pictures for one address.
const IMAGE_SPACING: Duration = Duration::from_secs(30);
/// The longest address that passes what lies before the service, in bytes. There is no other way to ask.
const URL_LIMIT: usize = 8000;

/// So many prompts with the same picture make it a placeholder: here it is what comes when one asks too fast.
const PROMPTS: usize = 2;

/// The anonymous Pollinations.
#[derive(Debug)]
pub(super) struct Legacy {
    service: Service,
    /// Where pictures are asked for; the same as for texts where the file names an address.
    image_address: String,
    /// Whether the file says how fast to ask, and takes that upon itself.
    has_rate: bool,
    placeholders: Placeholders,
}

impl Legacy {
    pub(super) fn new(settings: &ProviderSettings, http: &HttpClient) -> Result<Self, Failure> {
        let service = Service::new(settings, http)?;
        let image_address = match settings.base_url {
            Some(_) => service.identity.address.clone(),
            None => LEGACY_IMAGE.to_owned(),
        };
        Ok(Self { service, image_address, has_rate: settings.rate.is_some(), placeholders: Placeholders::new(PROMPTS) })
    }

    fn request(&self, attempt: Attempt<'_>) -> HttpRequest {
        let seed = attempt.call.request.seed().unwrap_or_else(|| attempt.key.seed().into());
        let model = attempt.call.model.as_deref();
        match &attempt.call.request {
            Request::Text { messages, params } => {
                let wanted = Wanted::of(attempt.call, form(attempt));
                let manner = BodyManner { seed: Some(seed), stream: attempt.stream, wanted, completion_tokens: false };
                self.service.post("/openai", &chat::body(model, messages, params, manner), None)
            }
            Request::Image { prompt, params } => {
                let base = format!("{}/prompt", self.image_address);
                self.service.get(picture_url(&base, model, prompt, params, seed), None)
            }
        }
    }
}

/// Schemas are not known there: they are put in words.
fn form(attempt: Attempt<'_>) -> Form {
    if attempt.form == Form::Schema { Form::Object } else { attempt.form }
}

impl Provider for Legacy {
    fn identity(&self) -> &ProviderIdentity {
        &self.service.identity
    }

    fn ceiling(&self, _secret: Option<&SecretString>) -> u32 {
        1
    }

    fn at_once(&self, _secret: Option<&SecretString>) -> Option<u32> {
        Some(1)
    }

    fn spacing(&self, call: &Call) -> Option<Duration> {
        let spacing = match &call.request {
            Request::Text { .. } => TEXT_SPACING,
            Request::Image { .. } => IMAGE_SPACING,
        };
        (!self.has_rate).then_some(spacing)
    }

    fn supports(&self, call: &Call) -> Result<(), Failure> {
        let Request::Image { prompt, params } = &call.request else { return Ok(()) };
        check_picture(prompt, params)?;
        shown::check_references(&self.service.name, ProviderKind::PollinationsLegacy, params)?;
        let base = format!("{}/prompt", self.image_address);
        let length = picture_url(&base, call.model.as_deref(), prompt, params, i64::from(i32::MAX)).len();
        if length <= URL_LIMIT {
            return Ok(());
        }
        let message =
            format!("The prompt is too long for `{}`: its address would have {length} bytes", self.service.name);
        Err(Failure::new(FailureKind::BadRequest, message)
            .suggest(format!("shorten it to fit {URL_LIMIT} bytes, or use `provider: pollinations`")))
    }

    fn view(&self, attempt: Attempt<'_>) -> RequestView {
        self.request(attempt).view()
    }

    fn send<'a>(&'a self, attempt: Attempt<'a>) -> BoxStream<'a, Result<Piece, Failure>> {
        let expected = match &attempt.call.request {
            Request::Text { .. } => Expected::Text,
            request @ Request::Image { .. } => Expected::Picture { request, placeholders: &self.placeholders },
        };
        let attempt = Attempt { form: form(attempt), ..attempt };
        let speaker = self.service.speaker_of(attempt);
        let request = self.supports(attempt.call).and_then(|()| shown::check_read(attempt.call));
        let request = request.map(|()| self.request(attempt));
        exchange::pieces(&self.service, request, expected, speaker)
    }

    fn models<'a>(&'a self, _secret: Option<&'a SecretString>) -> BoxStream<'a, Result<ModelInfo, Failure>> {
        let texts = format!("{}/openai/models", self.service.identity.address);
        let pictures = format!("{}/models", self.image_address);
        self.service.models(vec![(texts, Some("text")), (pictures, Some("image"))], None)
    }
}
