//! Today's API of Pollinations, at `gen.pollinations.ai`.
//!
//! A seed is always sent: the file's, else one from the call's key. Pictures are random per request without one, and the
//! same request with the same seed joins or finds the answer of the first, which is billed once.

use std::time::Duration;

use futures::stream::BoxStream;
use secrecy::{ExposeSecret, SecretString};

use super::chat::{self, BodyManner};
use super::exchange::{self, Expected};
use super::form::Wanted;
use super::http::HttpClient;
use super::message::{HttpRequest, encoded};
use super::placeholders::Placeholders;
use super::service::Service;
use super::shown;
use super::{Attempt, ModelInfo, Provider, RequestView};
use crate::model::{
    Call, Failure, FailureKind, ImageParams, Json, JsonMap, Picture, Piece, ProviderIdentity, ProviderKind,
    ProviderSettings, Request, plain_text,
};

/// The longest address for a picture, in bytes; beyond it the request has a body. What lies between here and the service
/// refuses addresses from about 8 KB on (pollinations/pollinations#7786).
const URL_LIMIT: usize = 2000;
/// Requests at once with a secret key, which the gateway does not limit but the edge does.
const SECRET_CEILING: u32 = 6;
/// No key has ever been shorter, in bytes.
const SHORTEST_KEY: usize = 7;
/// So many prompts with the same picture make it a placeholder.
const PROMPTS: usize = 3;
/// The side of a picture where nobody says, in pixels.
const SIDE: u32 = 1024;

/// Today's Pollinations.
#[derive(Debug)]
pub(super) struct Pollinations {
    service: Service,
    placeholders: Placeholders,
}

impl Pollinations {
    pub(super) fn new(settings: &ProviderSettings, http: &HttpClient) -> Result<Self, Failure> {
        Ok(Self { service: Service::new(settings, http)?, placeholders: Placeholders::new(PROMPTS) })
    }

    fn request(&self, attempt: Attempt<'_>) -> HttpRequest {
        let seed = attempt.call.request.seed().unwrap_or_else(|| attempt.key.seed().into());
        let model = attempt.call.model.as_deref();
        match &attempt.call.request {
            Request::Text { messages, params } => {
                let wanted = Wanted::of(attempt.call, attempt.form);
                let manner = BodyManner { seed: Some(seed), stream: attempt.stream, wanted, completion_tokens: false };
                let body = chat::body(model, messages, params, manner);
                self.service.post("/v1/chat/completions", &body, attempt.secret)
            }
            Request::Image { prompt, params } => {
                let has_files = params.images.iter().any(|picture| picture.file().is_some());
                let body = || picture_body(model, prompt, params, seed);
                if has_files {
                    return self.service.post("/v1/images/edits", &body(), attempt.secret);
                }
                let url = picture_url(&format!("{}/image", self.service.identity.address), model, prompt, params, seed);
                if url.len() <= URL_LIMIT {
                    return self.service.get(url, attempt.secret);
                }
                self.service.post("/v1/images/generations", &body(), attempt.secret)
            }
        }
    }
}

/// The address of a picture: the prompt is one segment of the path. Flags that are off are left out, since servers have
/// taken `false` for true; `image`, a list of addresses, comes last.
pub(super) fn picture_url(base: &str, model: Option<&str>, prompt: &str, params: &ImageParams, seed: i64) -> String {
    let mut query: Vec<(&str, String)> = vec![];
    query.extend(model.map(|model| ("model", model.to_owned())));
    query.extend(params.width.map(|width| ("width", width.to_string())));
    query.extend(params.height.map(|height| ("height", height.to_string())));
    query.push(("seed", seed.to_string()));
    query.extend(params.quality.clone().map(|quality| ("quality", quality)));
    query.extend(params.transparent.then(|| ("transparent", "true".to_owned())));
    query.extend(params.negative_prompt.clone().map(|negative| ("negative_prompt", negative)));
    let references = params.images.iter().map(shown::address).collect::<Vec<_>>().join("|");
    let (last, extra): (Vec<_>, Vec<_>) = params.extra.iter().partition(|(name, _)| *name == "image");
    for (name, value) in extra.into_iter().chain(last) {
        match value {
            Json::Null | Json::Bool(false) => {}
            Json::Array(parts) => query.push((name, parts.iter().map(plain_text).collect::<Vec<_>>().join("|"))),
            value => query.push((name, plain_text(value))),
        }
    }
    query.extend((!references.is_empty()).then_some(("image", references)));
    let query: Vec<String> =
        query.into_iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(&value))).collect();
    format!("{base}/{}?{}", encoded(prompt), query.join("&"))
}

fn picture_body(model: Option<&str>, prompt: &str, params: &ImageParams, seed: i64) -> JsonMap {
    let mut body = JsonMap::new();
    body.insert("prompt".to_owned(), prompt.into());
    if let Some(model) = model {
        body.insert("model".to_owned(), model.into());
    }
    if params.width.or(params.height).is_some() {
        let (width, height) = (params.width.unwrap_or(SIDE), params.height.unwrap_or(SIDE));
        body.insert("size".to_owned(), format!("{width}x{height}").into());
    }
    if let Some(quality) = &params.quality {
        body.insert("quality".to_owned(), quality.as_str().into());
    }
    body.insert("response_format".to_owned(), "b64_json".into());
    body.insert("seed".to_owned(), seed.into());
    if params.transparent {
        body.insert("transparent".to_owned(), true.into());
    }
    if let Some(negative_prompt) = &params.negative_prompt {
        body.insert("negative_prompt".to_owned(), negative_prompt.as_str().into());
    }
    if !params.images.is_empty() {
        body.insert("image".to_owned(), references(&params.images));
    }
    let set = params.extra.iter().filter(|(_, value)| !matches!(value, Json::Null | Json::Bool(false)));
    body.extend(set.map(|(name, value)| (name.clone(), value.clone())));
    body
}

/// Addresses as a list of texts; where there are files, as the edits of pictures take them.
fn references(images: &[Picture]) -> Json {
    if images.iter().all(|picture| picture.file().is_none()) {
        return images.iter().map(|picture| Json::from(shown::address(picture))).collect();
    }
    images.iter().map(|picture| serde_json::json!({"image_url": shown::address(picture)})).collect()
}

/// A prompt that can be a segment of a path, and no key where it would be stored and logged.
pub(super) fn check_picture(prompt: &str, params: &ImageParams) -> Result<(), Failure> {
    if prompt.trim().is_empty() || matches!(prompt, "." | "..") {
        return Err(Failure::new(FailureKind::BadRequest, "The prompt of a picture has no words")
            .suggest("say what should be seen"));
    }
    if let Some(name) = ["key", "token"].into_iter().find(|name| params.extra.contains_key(*name)) {
        return Err(Failure::new(FailureKind::BadRequest, format!("`extra.{name}` would put a key into an address"))
            .suggest("name the variable that holds it: `api_key: {env: NAME}`"));
    }
    Ok(())
}

/// What can be known of a key without asking: the dashboard's list shows shortened ones, and people copy those (pollinations/pollinations#9215).
fn check_key(name: &str, secret: Option<&SecretString>) -> Result<(), Failure> {
    let Some(key) = secret.map(|secret| secret.expose_secret().trim()) else { return Ok(()) };
    let what = if key.contains("...") || key.contains('…') {
        "is shortened: it has dots in it"
    } else if key.len() < SHORTEST_KEY {
        "is too short to be one"
    } else {
        return Ok(());
    };
    Err(Failure::new(FailureKind::KeyRefused, format!("The key of `{name}` {what}"))
        .suggest("copy the whole key from https://enter.pollinations.ai when it is made; later it is shown in part"))
}

/// Whether a key is a secret one (`sk_`), and no publishable one.
fn is_secret(secret: Option<&SecretString>) -> bool {
    secret.is_some_and(|secret| {
        let key = secret.expose_secret().trim();
        key.strip_prefix("plln_").unwrap_or(key).starts_with("sk_")
    })
}

impl Provider for Pollinations {
    fn identity(&self) -> &ProviderIdentity {
        &self.service.identity
    }

    fn ceiling(&self, secret: Option<&SecretString>) -> u32 {
        if is_secret(secret) { SECRET_CEILING } else { 1 }
    }

    fn at_once(&self, secret: Option<&SecretString>) -> Option<u32> {
        // What the service counts of a publishable key is the address that it comes from.
        (!is_secret(secret)).then_some(1)
    }

    fn spacing(&self, _call: &Call) -> Option<Duration> {
        None
    }

    fn supports(&self, call: &Call) -> Result<(), Failure> {
        match &call.request {
            Request::Text { .. } => Ok(()),
            Request::Image { prompt, params } => {
                check_picture(prompt, params)?;
                shown::check_references(&self.service.name, ProviderKind::Pollinations, params)
            }
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
        let request = check_key(&self.service.name, attempt.secret)
            .and_then(|()| self.supports(attempt.call))
            .and_then(|()| shown::check_read(attempt.call))
            .map(|()| self.request(attempt));
        exchange::pieces(&self.service, request, expected, speaker)
    }

    fn models<'a>(&'a self, secret: Option<&'a SecretString>) -> BoxStream<'a, Result<ModelInfo, Failure>> {
        // These two have been there in all the years; `/v1/models` has had texts alone, and then everything.
        let list = |path: &str| format!("{}{path}", self.service.identity.address);
        self.service.models(vec![(list("/text/models"), Some("text")), (list("/image/models"), Some("image"))], secret)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_an_address_without_what_is_off() {
        let mut params = ImageParams { width: Some(64), ..ImageParams::default() };
        params.extra.insert("image".into(), serde_json::json!(["https://a.b/?c=d&e", "https://f.g"]));
        params.extra.insert("enhance".into(), false.into());
        params.extra.insert("safe".into(), true.into());
        assert_eq!(
            picture_url("http://h/image", Some("flux"), "wait... a/b", &params, 7),
            "http://h/image/wait...%20a%2Fb?model=flux&width=64&seed=7&safe=true&image=https%3A%2F%2Fa.b%2F%3Fc%3Dd%26e%7Chttps%3A%2F%2Ff.g"
        );
    }

    #[test]
    fn a_picture_of_many_words_has_a_body() {
        let params =
            ImageParams { height: Some(64), quality: Some("hd".into()), transparent: true, ..Default::default() };
        assert_eq!(
            Json::from(picture_body(None, "p", &params, 7)).to_string(),
            r#"{"prompt":"p","size":"1024x64","quality":"hd","response_format":"b64_json","seed":7,"transparent":true}"#
        );
    }

    #[test]
    fn a_key_that_can_be_none_is_told_before_it_is_sent() {
        for (key, works) in [("sk_abcdefgh", true), ("pk_abcd...wxyz", false), ("sk_a", false), ("sk_abcdef…", false)]
        {
            let checked = check_key("p", Some(&key.into()));
            assert_eq!(checked.is_ok(), works, "{key}");
            assert!(checked.is_ok() || !checked.unwrap_err().message.contains(key));
        }
    }
}
