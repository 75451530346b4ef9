//! A call: what is asked of a provider, and the key under which its answer is known.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::picture::MOST_TOKENS;
use super::{Choice, JsonMap, Picture, ProviderIdentity, USUAL_TOKENS};

/// Who speaks in a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Sets the frame.
    System,
    /// Asks.
    User,
    /// Answers.
    Assistant,
}

impl Role {
    /// As it is written in files and on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::User => "user",
            Self::Assistant => "assistant",
        }
    }
}

/// One turn of a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Who speaks.
    pub role: Role,
    /// What is said.
    pub content: String,
    /// What is shown with it.
    #[serde(skip_serializing_if = "<[Picture]>::is_empty", default)]
    pub images: Arc<[Picture]>,
}

impl Message {
    /// A turn without pictures.
    pub fn new(role: Role, content: impl Into<String>) -> Self {
        Self { role, content: content.into(), images: Arc::default() }
    }

    /// Puts pictures to the last of these that is said by the user.
    pub fn show(messages: &mut [Self], pictures: Vec<Picture>) {
        if let Some(last) = messages.iter_mut().rfind(|message| message.role == Role::User) {
            last.images = last.images.iter().cloned().chain(pictures).collect();
        }
    }
}

/// How a text answer is asked for. What is not set is not sent.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TextParams {
    /// The longest answer, in tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<u64>,
    /// 0 to 2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
    /// 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub top_p: Option<f64>,
    /// What the file says; a derived seed is the provider's affair.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<i64>,
    /// Where the answer ends: one to four texts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub stop: Vec<String>,
    /// How long the model may think.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reasoning_effort: Option<String>,
    /// Sent as it is, beside the rest.
    #[serde(skip_serializing_if = "JsonMap::is_empty")]
    pub extra: JsonMap,
}

impl TextParams {
    /// The most tokens that its answers can have: what is said in `max_tokens`, or in `extra`, where a service reads it too.
    pub fn most_tokens(&self) -> Option<u64> {
        let extra = |name: &str| self.extra.get(name).and_then(serde_json::Value::as_u64);
        let longest =
            [self.max_tokens, extra("max_tokens"), extra("max_completion_tokens")].into_iter().flatten().max()?;
        Some(longest.saturating_mul(extra("n").unwrap_or(1).max(1)))
    }
}

/// How a picture is asked for. What is not set is not sent.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ImageParams {
    /// In pixels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    /// In pixels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
    /// What should not be seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub negative_prompt: Option<String>,
    /// What the file says; a derived seed is the provider's affair.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<i64>,
    /// `low`, `medium`, `high`, `hd`, `standard`: passed on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quality: Option<String>,
    /// Whether the background is left out.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub transparent: bool,
    /// What it should be like, or be made of.
    #[serde(skip_serializing_if = "<[Picture]>::is_empty", default)]
    pub images: Arc<[Picture]>,
    /// Sent as it is, beside the rest.
    #[serde(skip_serializing_if = "JsonMap::is_empty")]
    pub extra: JsonMap,
}

/// What is asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Request {
    /// A text for a conversation; a single prompt is a conversation of one turn.
    Text {
        /// The conversation so far, at least one turn.
        messages: Vec<Message>,
        /// How it is asked for.
        params: TextParams,
    },
    /// A picture for a prompt.
    Image {
        /// What should be seen.
        prompt: String,
        /// How it is asked for.
        params: ImageParams,
    },
}

impl Request {
    /// The seed that the file names.
    pub fn seed(&self) -> Option<i64> {
        match self {
            Self::Text { params, .. } => params.seed,
            Self::Image { params, .. } => params.seed,
        }
    }

    /// The last thing that was said by the user, or the picture's prompt.
    pub fn prompt(&self) -> &str {
        match self {
            Self::Text { messages, .. } => messages
                .iter()
                .rev()
                .find(|message| message.role == Role::User)
                .or(messages.last())
                .map_or("", |message| message.content.as_str()),
            Self::Image { prompt, .. } => prompt,
        }
    }

    /// The pictures that go along with it.
    pub fn pictures(&self) -> impl Iterator<Item = &Picture> {
        let (said, of_picture) = match self {
            Self::Text { messages, .. } => (messages.as_slice(), &[][..]),
            Self::Image { params, .. } => (&[][..], &*params.images),
        };
        said.iter().flat_map(|message| message.images.iter()).chain(of_picture)
    }

    /// Puts pictures to it: to the last thing that is said by the user, or to the prompt of a picture.
    pub fn show(&mut self, pictures: Vec<Picture>) {
        match self {
            Self::Text { messages, .. } => Message::show(messages, pictures),
            Self::Image { params, .. } => params.images = params.images.iter().cloned().chain(pictures).collect(),
        }
    }

    /// The same with each of its pictures changed.
    ///
    /// # Errors
    /// That of the first that can't be.
    pub fn with_pictures<E>(&self, change: impl Fn(&Picture) -> Result<Picture, E>) -> Result<Self, E> {
        let mut changed = self.clone();
        let all = |pictures: &mut Arc<[Picture]>| {
            *pictures = pictures.iter().map(&change).collect::<Result<_, E>>()?;
            Ok(())
        };
        match &mut changed {
            Self::Text { messages, .. } => messages.iter_mut().try_for_each(|message| all(&mut message.images))?,
            Self::Image { params, .. } => all(&mut params.images)?,
        }
        Ok(changed)
    }
}

/// One question to one provider.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// The stage that asks.
    pub stage: Arc<str>,
    /// Which service is asked.
    pub provider: ProviderIdentity,
    /// Which of its models; none is sent without a value.
    pub model: Option<String>,
    /// What is asked.
    pub request: Request,
    /// The items (canonical JSON) of loops that the request does not depend on: the same question, asked once for each.
    pub repeat: Vec<String>,
    /// What the answer must be; sent along where the provider takes it.
    pub answer: Choice,
}

#[derive(Serialize)]
struct Keyed<'a> {
    stage: &'a str,
    provider: &'a ProviderIdentity,
    model: Option<&'a str>,
    request: &'a Request,
    repeat: &'a [String],
}

impl Call {
    /// The key: a digest of stage, provider, model, request and repetition, and of nothing else.
    pub fn key(&self) -> CallKey {
        CallKey::of(&self.canonical())
    }

    /// How long its request is, in bytes of JSON with all that goes with it, a picture as the most tokens that a model
    /// counts for one: never less than the tokens that a model reads of it.
    pub fn bytes(&self) -> u64 {
        self.bytes_with(MOST_TOKENS)
    }

    /// The same with pictures as they usually count, for who takes so many bytes for a token.
    pub fn usual_bytes(&self, bytes_of_token: u64) -> u64 {
        self.bytes_with(USUAL_TOKENS.saturating_mul(bytes_of_token))
    }

    fn bytes_with(&self, each_picture: u64) -> u64 {
        let request = serde_json::to_string(&self.request).map_or(u64::MAX, |json| json.len() as u64);
        let pictures = (self.request.pictures().count() as u64).saturating_mul(each_picture);
        request.saturating_add(pictures).saturating_add(self.answer.bytes())
    }

    /// What the key is a digest of, as JSON; for people who want to know why two calls differ.
    pub fn canonical(&self) -> String {
        let keyed = Keyed {
            stage: &self.stage,
            provider: &self.provider,
            model: self.model.as_deref(),
            request: &self.request,
            repeat: &self.repeat,
        };
        // Maps with text keys and finite numbers always serialise; a template cannot make anything else.
        serde_json::to_string(&keyed).unwrap_or_default()
    }
}

/// The digest under which the answers of a call are known.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CallKey([u8; 32]);

impl CallKey {
    /// The key of a call by its [canonical form](Call::canonical).
    pub fn of(canonical: &str) -> Self {
        Self(blake3::hash(canonical.as_bytes()).into())
    }

    /// The digest itself, read back.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The key of another take of the same call, from 0: the first is the call's own.
    #[must_use]
    pub fn take(&self, take: u32) -> Self {
        if take == 0 {
            return *self;
        }
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.0).update(&take.to_le_bytes());
        Self(hasher.finalize().into())
    }

    /// What is drawn from in place of this key, where what came of it was wrong so many times: 0 is the key itself.
    #[must_use]
    pub fn redrawn(&self, times: u32) -> Self {
        if times == 0 {
            return *self;
        }
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.0).update(b"redrawn").update(&times.to_le_bytes());
        Self(hasher.finalize().into())
    }

    /// A seed for providers that want one, the same for the same call: 0 to 2^31 - 1.
    pub fn seed(&self) -> u32 {
        u32::from_le_bytes([self.0[0], self.0[1], self.0[2], self.0[3]]) & 0x7fff_ffff
    }

    /// The digest itself.
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for CallKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for CallKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CallKey({self})")
    }
}

impl Serialize for CallKey {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::ProviderKind;

    fn call() -> Call {
        Call {
            stage: "analyze".into(),
            provider: ProviderIdentity { kind: ProviderKind::Offline, address: "offline".into() },
            model: Some("offline".into()),
            request: Request::Text { messages: vec![Message::new(Role::User, "Hello")], params: TextParams::default() },
            repeat: vec![],
            answer: Choice::Text,
        }
    }

    #[test]
    fn the_key_is_stable() {
        assert_eq!(
            call().canonical(),
            r#"{"stage":"analyze","provider":{"kind":"offline","address":"offline"},"model":"offline","request":{"text":{"messages":[{"role":"user","content":"Hello"}],"params":{}}},"repeat":[]}"#
        );
    }

    /// A call as it was written when no request had pictures.
    mod without_pictures {
        use super::super::*;

        #[derive(Serialize)]
        pub(super) struct Turn<'a> {
            role: Role,
            content: &'a str,
        }

        #[derive(Serialize)]
        #[serde(rename_all = "lowercase")]
        pub(super) enum Wanted<'a> {
            Text { messages: Vec<Turn<'a>>, params: &'a TextParams },
            Image { prompt: &'a str, params: Painting<'a> },
        }

        #[derive(Serialize)]
        pub(super) struct Painting<'a> {
            #[serde(skip_serializing_if = "Option::is_none")]
            width: Option<u32>,
            #[serde(skip_serializing_if = "Option::is_none")]
            seed: Option<i64>,
            #[serde(skip_serializing_if = "std::ops::Not::not")]
            transparent: bool,
            #[serde(skip_serializing_if = "JsonMap::is_empty")]
            extra: &'a JsonMap,
        }

        impl<'a> Wanted<'a> {
            pub(super) fn of(request: &'a Request) -> Self {
                match request {
                    Request::Text { messages, params } => {
                        let turn = |one: &'a Message| Turn { role: one.role, content: &one.content };
                        Self::Text { messages: messages.iter().map(turn).collect(), params }
                    }
                    Request::Image { prompt, params } => {
                        let ImageParams { width, seed, transparent, extra, .. } = params;
                        let params = Painting { width: *width, seed: *seed, transparent: *transparent, extra };
                        Self::Image { prompt, params }
                    }
                }
            }
        }
    }

    fn requests() -> impl Strategy<Value = Request> {
        let turn = ("[a-z]{0,9}", prop::sample::select(vec![Role::System, Role::User, Role::Assistant]));
        let texts = (prop::collection::vec(turn, 1..5), any::<Option<u64>>(), any::<Option<i64>>());
        let texts = texts.prop_map(|(turns, max_tokens, seed)| Request::Text {
            messages: turns.into_iter().map(|(content, role)| Message::new(role, content)).collect(),
            params: TextParams { max_tokens, seed, ..TextParams::default() },
        });
        let pictures = (".{0,9}", any::<Option<u32>>(), any::<Option<i64>>(), any::<bool>(), any::<bool>());
        let pictures = pictures.prop_map(|(prompt, width, seed, transparent, extra)| {
            let mut params = ImageParams { width, seed, transparent, ..ImageParams::default() };
            if extra {
                params.extra.insert("image".into(), "https://a.example/b.png".into());
            }
            Request::Image { prompt, params }
        });
        prop_oneof![texts, pictures]
    }

    proptest! {
        #[test]
        fn a_call_without_pictures_is_what_it_was(request in requests()) {
            let call = Call { request, ..call() };
            let wanted = serde_json::to_string(&without_pictures::Wanted::of(&call.request)).unwrap();
            let canonical = call.canonical();
            let written = format!(
                r#"{{"stage":"analyze","provider":{{"kind":"offline","address":"offline"}},"model":"offline","request":{wanted},"repeat":[]}}"#
            );
            prop_assert_eq!(canonical, written);
        }
    }

    #[test]
    fn a_picture_counts_as_the_most_that_a_model_takes_for_it() {
        let mut shown = call();
        let bare = shown.bytes();
        shown.request.show(vec![Picture::Url("https://a.example/b.png".into())]);
        let written = shown.canonical().len() as u64 - call().canonical().len() as u64;
        assert_eq!(shown.bytes() - bare, written + MOST_TOKENS);
        assert_eq!(shown.usual_bytes(4) - bare, written + 4 * USUAL_TOKENS);
    }

    #[test]
    fn pictures_go_with_the_last_turn_of_the_user() {
        let turns = [(Role::User, "a"), (Role::Assistant, "b"), (Role::User, "c"), (Role::Assistant, "d")];
        let messages = turns.map(|(role, content)| Message::new(role, content)).to_vec();
        let mut request = Request::Text { messages, params: TextParams::default() };
        request.show(vec![Picture::Url("https://a.example/b.png".into())]);
        let Request::Text { messages, .. } = &request else { unreachable!("it is a text") };
        assert_eq!(messages.iter().map(|one| one.images.len()).collect::<Vec<_>>(), [0, 0, 1, 0]);
        assert_eq!(request.pictures().count(), 1);
    }

    #[test]
    fn another_take_has_a_key_of_its_own() {
        let key = call().key();
        assert_eq!(key.take(0), key);
        assert!(key.take(1) != key && key.take(1) != key.take(2) && key.take(1).seed() != key.seed());
    }

    #[test]
    fn asking_for_json_is_no_other_call() {
        let asked = Call { answer: Choice::Json, ..call() };
        assert_eq!(asked.key(), call().key());
        let repeated = Call { repeat: vec!["1".into()], ..call() };
        assert_ne!(repeated.key(), call().key());
    }
}
