//! `OpenAI`, and every server that speaks as it does: Ollama, llama.cpp, vLLM, `LiteLLM`.

use std::time::Duration;

use futures::stream::BoxStream;
use secrecy::SecretString;

use super::chat::{self, BodyManner};
use super::exchange::{self, Expected};
use super::form::Wanted;
use super::http::HttpClient;
use super::message::HttpRequest;
use super::placeholders::Placeholders;
use super::service::{OPENAI, Service};
use super::shown;
use super::{Attempt, ModelInfo, Provider, RequestView};
use crate::model::{
    Call, Failure, FailureKind, ImageParams, JsonMap, Piece, ProviderIdentity, ProviderKind, ProviderSettings, Request,
};

/// These servers name no limit; what bounds the requests on the wire is the stage's own `concurrency`.
const CEILING: u32 = 256;
/// So many prompts with the same picture make it a placeholder.
const PROMPTS: usize = 3;

/// A service that speaks the API of `OpenAI`.
#[derive(Debug)]
pub(super) struct OpenAi {
    service: Service,
    /// Whether it is the one of `OpenAI` itself, which is stricter than its followers.
    original: bool,
    placeholders: Placeholders,
}

impl OpenAi {
    pub(super) fn new(settings: &ProviderSettings, http: &HttpClient) -> Result<Self, Failure> {
        let service = Service::new(settings, http)?;
        let original = service.identity.address.starts_with(OPENAI.trim_end_matches("/v1"));
        Ok(Self { service, original, placeholders: Placeholders::new(PROMPTS) })
    }

    fn request(&self, attempt: Attempt<'_>) -> HttpRequest {
        let model = attempt.call.model.as_deref();
        match &attempt.call.request {
            Request::Text { messages, params } => {
                let manner = BodyManner {
                    seed: params.seed,
                    stream: attempt.stream,
                    wanted: Wanted::of(attempt.call, attempt.form),
                    completion_tokens: self.original,
                };
                let body = chat::body(model, messages, params, manner);
                self.service.post("/chat/completions", &body, attempt.secret)
            }
            Request::Image { prompt, params } if params.images.is_empty() => {
                self.service.post("/images/generations", &image_body(model, prompt, params), attempt.secret)
            }
            Request::Image { prompt, params } => {
                let body = image_body(model, prompt, params);
                self.service.form("/images/edits", &body, &params.images, attempt.secret)
            }
        }
    }
}

fn image_body(model: Option<&str>, prompt: &str, params: &ImageParams) -> JsonMap {
    let mut body = JsonMap::new();
    if let Some(model) = model {
        body.insert("model".to_owned(), model.into());
    }
    body.insert("prompt".to_owned(), prompt.into());
    body.insert("n".to_owned(), 1.into());
    if let (Some(width), Some(height)) = (params.width, params.height) {
        body.insert("size".to_owned(), format!("{width}x{height}").into());
    }
    if let Some(quality) = &params.quality {
        body.insert("quality".to_owned(), quality.as_str().into());
    }
    if params.transparent {
        body.insert("background".to_owned(), "transparent".into());
    }
    if let Some(negative_prompt) = &params.negative_prompt {
        body.insert("negative_prompt".to_owned(), negative_prompt.as_str().into());
    }
    if let Some(seed) = params.seed {
        body.insert("seed".to_owned(), seed.into());
    }
    // These models give base64 always, and refuse to be asked for it.
    if !model.is_some_and(|model| model.contains("gpt-image")) {
        body.insert("response_format".to_owned(), "b64_json".into());
    }
    body.extend(params.extra.clone());
    body
}

impl Provider for OpenAi {
    fn identity(&self) -> &ProviderIdentity {
        &self.service.identity
    }

    fn ceiling(&self, _secret: Option<&SecretString>) -> u32 {
        CEILING
    }

    fn spacing(&self, _call: &Call) -> Option<Duration> {
        None
    }

    /// `OpenAI` itself refuses it as an unknown parameter; others heed it, or let it be.
    fn takes_seed(&self) -> bool {
        !self.original
    }

    fn supports(&self, call: &Call) -> Result<(), Failure> {
        match &call.request {
            Request::Image { params, .. } if params.width.is_some() != params.height.is_some() => {
                let message = format!("`{}` takes a size only as a whole", self.service.name);
                Err(Failure::new(FailureKind::BadRequest, message).suggest("set both `width` and `height`, or neither"))
            }
            Request::Image { params, .. } => shown::check_references(&self.service.name, ProviderKind::Openai, params),
            Request::Text { .. } => Ok(()),
        }
    }

    fn view(&self, attempt: Attempt<'_>) -> RequestView {
        self.request(attempt).view()
    }

    fn send<'a>(&'a self, attempt: Attempt<'a>) -> BoxStream<'a, Result<Piece, Failure>> {
        let expected = match &attempt.call.request {
            Request::Text { .. } => Expected::Text,
            request @ Request::Image { .. } => Expected::Picture { request, placeholders: &self.placeholders },
        };
        let speaker = self.service.speaker_of(attempt);
        let request = self.supports(attempt.call).and_then(|()| shown::check_read(attempt.call));
        let request = request.map(|()| self.request(attempt));
        exchange::pieces(&self.service, request, expected, speaker)
    }

    fn models<'a>(&'a self, secret: Option<&'a SecretString>) -> BoxStream<'a, Result<ModelInfo, Failure>> {
        self.service.models(vec![(format!("{}/models", self.service.identity.address), None)], secret)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::Json;

    fn sent(model: Option<&str>, params: &ImageParams) -> String {
        Json::from(image_body(model, "a cat", params)).to_string()
    }

    #[test]
    fn a_picture_is_asked_for_as_base64_where_that_can_be_asked() {
        let plain = ImageParams::default();
        assert_eq!(sent(Some("sd"), &plain), r#"{"model":"sd","prompt":"a cat","n":1,"response_format":"b64_json"}"#);
        for model in ["gpt-image-1", "openai/gpt-image-1", "chatgpt-image-latest"] {
            assert_eq!(sent(Some(model), &plain), format!(r#"{{"model":"{model}","prompt":"a cat","n":1}}"#));
        }
    }

    #[test]
    fn nothing_that_the_file_says_of_a_picture_is_dropped() {
        let mut params = ImageParams {
            width: Some(512),
            height: Some(256),
            negative_prompt: Some("dogs".into()),
            seed: Some(0),
            quality: Some("high".into()),
            transparent: true,
            images: Arc::default(),
            extra: JsonMap::new(),
        };
        params.extra.insert("style".into(), "vivid".into());
        assert_eq!(
            sent(None, &params),
            r#"{"prompt":"a cat","n":1,"size":"512x256","quality":"high","background":"transparent","negative_prompt":"dogs","seed":0,"response_format":"b64_json","style":"vivid"}"#
        );
    }
}
