//! The provider that is built in: it answers at once, the same for the same call, and opens no socket.
//!
//! It is no model and does not look like one: what it gives is put together from the words of the prompt, and says
//! `offline` wherever it ends up. It is there so that a pipeline can be tried, tested and shown without a key, with a
//! service's latency and failures if they are to be rehearsed ([`OfflineManner`](crate::model::OfflineManner)).
//!
//! An [`Offline`] answers from the call alone. It must not read a clock, the environment or a file, nor count its calls.

mod answer;
mod ask;
mod dice;
mod fill;
mod frames;
mod painting;
mod prose;
mod rehearsal;
mod shape;
mod sketch;
mod words;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt as _;
use futures::stream::{self, BoxStream};
use secrecy::SecretString;
use tokio::sync::Semaphore;

use crate::model::{
    Call, Choice, Content, Failure, FailureKind, ImageInfo, ImageParams, Json, JsonMap, MediaType, OfflineManner,
    Piece, ProviderIdentity, ProviderKind, ProviderSettings, Reply, Request, Role, Usage,
};

use super::{Attempt, ModelInfo, Provider, RequestView};
use answer::{BYTES_PER_TOKEN, Question};
use ask::Ask;
use dice::Dice;
use painting::Commission;
use prose::Prose;
use rehearsal::{Course, Step};
use shape::Shape;

/// The name of the provider, its address and its model.
const NAME: &str = "offline";
/// How many calls it takes at once: as many as a run ever has in flight.
const CEILING: u32 = 1024;
/// The longest side of a picture, in pixels.
const LONGEST_SIDE: u32 = 4096;
/// The sides of a picture, in pixels, where the call does not say.
const USUAL_SIDE: u32 = 1024;
/// The most lines on a picture's card, and the longest word on it.
const CARD_LINES: usize = 3;
const CARD_WORD: usize = 14;
/// Words that say how a picture looks and not what it shows.
const STYLE_WORDS: &[&str] = &[
    "background",
    "colours",
    "daylight",
    "drawing",
    "flat",
    "gouache",
    "lettering",
    "muted",
    "pale",
    "pencil",
    "photo",
    "photograph",
    "picture",
    "plain",
    "product",
    "shapes",
    "shot",
    "soft",
    "watercolour",
    "wide",
];

/// The built-in provider.
#[derive(Debug)]
pub struct Offline {
    identity: ProviderIdentity,
    manner: OfflineManner,
    /// Painting keeps a core busy and holds a picture in memory: no more at once than there are cores.
    painters: Arc<Semaphore>,
}

impl Offline {
    /// A provider that behaves as `settings.offline` says.
    pub fn new(settings: &ProviderSettings) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self {
            identity: ProviderIdentity { kind: ProviderKind::Offline, address: NAME.to_owned() },
            manner: settings.offline.clone(),
            painters: Arc::new(Semaphore::new(cores)),
        }
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
                let text = text_of(attempt.call, &dice("text"))?;
                let length = text.len();
                (Content::Text(text), length)
            }
            Request::Image { prompt, params } => (self.picture_of(prompt, params, dice("image")).await?, 0),
        };
        let (input_tokens, output_tokens) = (tokens(input_bytes(&attempt.call.request)), tokens(output));
        Ok(Reply {
            content,
            usage: Some(Usage { input_tokens, output_tokens, total_tokens: input_tokens + output_tokens }),
            model: Some(NAME.to_owned()),
            finish_reason: Some("stop".to_owned()),
            request_id: None,
        })
    }

    async fn picture_of(&self, prompt: &str, params: &ImageParams, dice: Dice) -> Result<Content, Failure> {
        let commission = commission(prompt, params);
        let (width, height) = (commission.width, commission.height);
        let lost = || Failure::new(FailureKind::Interrupted, "The program ended while a picture was painted");
        let permit = Arc::clone(&self.painters).acquire_owned().await.map_err(|_| lost())?;
        let painted = tokio::task::spawn_blocking(move || {
            let painted = painting::paint(&commission, dice);
            drop(permit);
            painted
        });
        let bytes = painted.await.map_err(|_| lost())?;
        let bytes = bytes.map_err(|error| {
            Failure::new(FailureKind::Internal, format!("The picture could not be encoded: {error}"))
        })?;
        let info = ImageInfo { media_type: MediaType::Png, width, height };
        Ok(Content::Image { bytes: Bytes::from(bytes), info })
    }
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
        let Request::Image { params, .. } = &call.request else { return Ok(()) };
        let (width, height) = (params.width.unwrap_or(USUAL_SIDE), params.height.unwrap_or(USUAL_SIDE));
        if (1..=LONGEST_SIDE).contains(&width) && (1..=LONGEST_SIDE).contains(&height) {
            return Ok(());
        }
        let message = format!("`{NAME}` paints no picture of {width} by {height} pixels");
        Err(Failure::new(FailureKind::BadRequest, message)
            .suggest(format!("keep both sides between 1 and {LONGEST_SIDE}")))
    }

    fn view(&self, attempt: Attempt<'_>) -> RequestView {
        let body = serde_json::to_string_pretty(&body_of(attempt.call)).unwrap_or_default();
        RequestView { method: "-", url: NAME.to_owned(), body }
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
            name: NAME.to_owned(),
            makes: vec!["text".to_owned(), "image".to_owned()],
            description: Some("Built in: answers from the words of the prompt, without a network".to_owned()),
        };
        stream::iter([Ok(model)]).boxed()
    }
}

/// The text for a call: sentences, or JSON where that is asked for.
fn text_of(call: &Call, dice: &Dice) -> Result<String, Failure> {
    let Request::Text { messages, params } = &call.request else { return Ok(NAME.to_owned()) };
    let prompt = call.request.prompt();
    let said =
        |role| messages.iter().filter(move |message| message.role == role).map(|message| message.content.as_str());
    let mut earlier: Vec<&str> = said(Role::User).collect();
    earlier.pop();
    let question = Question { system: said(Role::System).collect::<Vec<_>>().join("\n"), prompt, earlier, params };
    let must = call.answer == Choice::Json;
    let sketched = if must { sketch::find(prompt) } else { sketch::find_json(prompt) };
    if !must && sketched.is_none() {
        return Ok(answer::write(&question, &mut dice.clone()));
    }
    let (shape, rest) = if let Some(found) = sketched {
        // The sketch itself is nothing to be quoted.
        let rest = format!("{} {}", &prompt[..found.place.start], &prompt[found.place.end..]);
        (Shape::of(&found.sketch, prompt), rest)
    } else {
        let shape = sketch::find(&question.system).map(|found| Shape::of(&found.sketch, prompt));
        (shape.unwrap_or_else(|| Shape::guess(prompt)), prompt.to_owned())
    };
    let material = Prose::read(Ask::read(&question.system, &rest).material).without_orders();
    match fill::fill(&shape, &material, question.room(), dice) {
        Some(json) => Ok(json),
        None if must => {
            Err(Failure::new(FailureKind::Length, "The answer hit `max_tokens`").suggest("raise `max_tokens`"))
        }
        None => Ok(answer::write(&question, &mut dice.clone())),
    }
}

/// What is painted for a prompt.
fn commission(prompt: &str, params: &ImageParams) -> Commission {
    let material = Prose::read(Ask::read("", prompt).material);
    let fits = |word: &&String| {
        let style = STYLE_WORDS.contains(&word.to_lowercase().as_str());
        !style && word.chars().count() <= CARD_WORD && painting::can_spell(word)
    };
    let mut chosen: Vec<&String> = material.keywords.iter().filter(fits).take(CARD_LINES).collect();
    // In the order of the text they read like a title.
    let text = material.sentences.join(" ").to_lowercase();
    chosen.sort_by_cached_key(|word| text.find(word.to_lowercase().as_str()));
    let all = words::words(prompt).take(400).map(str::to_lowercase);
    Commission {
        width: params.width.unwrap_or(USUAL_SIDE),
        height: params.height.unwrap_or(USUAL_SIDE),
        transparent: params.transparent,
        lines: chosen.into_iter().map(|word| words::capitalised(word)).collect(),
        words: material.keywords.iter().map(|word| word.to_lowercase()).chain(all).collect(),
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
    if call.answer == Choice::Json {
        body.insert("json".to_owned(), true.into());
    }
    Json::Object(body)
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

#[cfg(test)]
mod tests;
