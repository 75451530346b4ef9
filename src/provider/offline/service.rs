//! The provider itself: what it takes, how a request of it goes, and what it says of itself.

use std::time::Duration;

use futures::StreamExt as _;
use futures::stream::{self, BoxStream};
use secrecy::SecretString;

use super::answer::BYTES_PER_TOKEN;
use super::dice::Dice;
use super::heed::heed;
use super::picture::{self, Studio};
use super::rehearsal::{Course, Step};
use super::text;
use crate::model::{
    Call, Choice, Content, Failure, Json, JsonMap, OfflineManner, Picture, Piece, Price, ProviderIdentity,
    ProviderSettings, Reply, Request, Usage,
};
use crate::provider::service::{self, OFFLINE};
use crate::provider::{Attempt, ModelInfo, Provider, RequestView};

/// How many calls it takes at once: as many items as a run has open unless it is told to do more at once. It opens no
/// socket, so there is nothing to be spared.
const CEILING: u32 = 1024;
/// In bytes: a text grows no further, whatever is checked.
const LONGEST: u64 = 1 << 20;

/// The built-in provider.
#[derive(Debug)]
pub(in crate::provider) struct Offline {
    identity: ProviderIdentity,
    manner: OfflineManner,
    studio: Studio,
}

impl Offline {
    /// A provider that behaves as `settings.offline` says.
    pub(in crate::provider) fn new(settings: &ProviderSettings) -> Self {
        Self { identity: service::offline_identity(), manner: settings.offline.clone(), studio: Studio::new() }
    }

    /// All that will happen after one request.
    async fn course(&self, attempt: Attempt<'_>) -> Vec<Step> {
        let course = Course::draw(&self.manner, attempt.key.bytes(), attempt.number, attempt.stream);
        if let Err(failure) = self.supports(attempt.call) {
            return vec![Step { after: Duration::ZERO, what: Err(failure) }];
        }
        if course.fails_at_once() {
            return course.failing();
        }
        match self.reply(attempt).await {
            Ok(reply) => course.answering(reply),
            Err(failure) => vec![Step { after: Duration::ZERO, what: Err(failure) }],
        }
    }

    async fn reply(&self, attempt: Attempt<'_>) -> Result<Reply, Failure> {
        let dice = |purpose| Dice::new(attempt.key.bytes(), self.manner.seed, purpose);
        let (content, output) = match &attempt.call.request {
            Request::Text { .. } => {
                let text = text::write(attempt.call, &dice("text"))?;
                let text = heeded(text, attempt, &mut dice("checks"));
                let length = text.len();
                (Content::Text(text), length)
            }
            Request::Image { prompt, params } => (self.studio.paint(prompt, params, dice("image")).await?, 0),
        };
        let (input_tokens, output_tokens) = (tokens(input_bytes(&attempt.call.request)), tokens(output));
        Ok(Reply {
            content,
            usage: Some(Usage { input_tokens, output_tokens, total_tokens: input_tokens + output_tokens }),
            model: Some(OFFLINE.to_owned()),
            finish_reason: Some("stop".to_owned()),
            request_id: None,
        })
    }
}

/// A text as its checks want it; JSON is made to its shape alone.
fn heeded(text: String, attempt: Attempt<'_>, dice: &mut Dice) -> String {
    let Request::Text { params, .. } = &attempt.call.request else { return text };
    if attempt.checks.is_empty() || attempt.call.answer != Choice::Text {
        return text;
    }
    let tokens = params.most_tokens().map_or(LONGEST, |most| most.saturating_mul(BYTES_PER_TOKEN as u64));
    heed(text, attempt.checks, usize::try_from(tokens.min(LONGEST)).unwrap_or(usize::MAX), dice)
}

impl Provider for Offline {
    fn identity(&self) -> &ProviderIdentity {
        &self.identity
    }

    fn ceiling(&self, _secret: Option<&SecretString>) -> u32 {
        CEILING
    }

    fn spacing(&self, _call: &Call) -> Option<Duration> {
        None
    }

    fn supports(&self, call: &Call) -> Result<(), Failure> {
        match &call.request {
            Request::Text { .. } => Ok(()),
            Request::Image { params, .. } => picture::check_size(params),
        }
    }

    fn view(&self, attempt: Attempt<'_>) -> RequestView {
        let body = serde_json::to_string_pretty(&body_of(attempt.call)).unwrap_or_default();
        RequestView { method: "-", url: OFFLINE.to_owned(), body }
    }

    fn send<'a>(&'a self, attempt: Attempt<'a>) -> BoxStream<'a, Result<Piece, Failure>> {
        let happen = |step: Step| async move {
            if !step.after.is_zero() {
                tokio::time::sleep(step.after).await;
            }
            step.what
        };
        stream::once(self.course(attempt)).flat_map(stream::iter).then(happen).boxed()
    }

    fn models<'a>(&'a self, _secret: Option<&'a SecretString>) -> BoxStream<'a, Result<ModelInfo, Failure>> {
        let model = ModelInfo {
            name: OFFLINE.to_owned(),
            makes: vec!["text".to_owned(), "image".to_owned()],
            description: Some("Built in: answers from the words of the prompt, without a network".to_owned()),
            aliases: vec![],
            price: Some(Price::FREE),
        };
        stream::iter([Ok(model)]).boxed()
    }
}

/// The request as people look at it.
fn body_of(call: &Call) -> Json {
    let mut body = JsonMap::new();
    if let Some(model) = &call.model {
        body.insert("model".to_owned(), model.clone().into());
    }
    let (name, asked, params) = match &call.request {
        Request::Text { messages, params } => {
            ("messages", serde_json::to_value(messages), serde_json::to_value(params))
        }
        Request::Image { prompt, params } => ("prompt", serde_json::to_value(prompt), serde_json::to_value(params)),
    };
    body.insert(name.to_owned(), asked.unwrap_or_default());
    if let Ok(Json::Object(params)) = params {
        body.extend(params);
    }
    name_pictures(&mut body, &call.request);
    match &call.answer {
        Choice::Text => {}
        Choice::Json => drop(body.insert("json".to_owned(), true.into())),
        Choice::Schema(schema) => drop(body.insert("schema".to_owned(), schema.sent().clone())),
    }
    Json::Object(body)
}

/// Pictures as people know them, in the place of their digests.
fn name_pictures(body: &mut JsonMap, request: &Request) {
    let names = |pictures: &[Picture]| pictures.iter().map(crate::provider::shown::address).collect::<Json>();
    match request {
        Request::Text { messages, .. } => {
            let said = body.get_mut("messages").and_then(Json::as_array_mut).into_iter().flatten();
            for (said, message) in said.zip(messages).filter(|(_, message)| !message.images.is_empty()) {
                said["images"] = names(&message.images);
            }
        }
        Request::Image { params, .. } if !params.images.is_empty() => {
            body.insert("images".to_owned(), names(&params.images));
        }
        Request::Image { .. } => {}
    }
}

fn input_bytes(request: &Request) -> usize {
    match request {
        Request::Text { messages, .. } => messages.iter().map(|message| message.content.len()).sum(),
        Request::Image { prompt, .. } => prompt.len(),
    }
}

/// Tokens that so many bytes count as.
fn tokens(bytes: usize) -> u64 {
    u64::try_from(bytes.div_ceil(BYTES_PER_TOKEN)).unwrap_or(u64::MAX)
}
