//! A question for a text.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;

use crate::model::{Choice, Json, Message, Picture, Request, RetryPolicy, TextParams};

use super::super::Ask;
use super::blossom::Blossom;
use super::manner::Manner;
use super::{Error, TextAnswer, TextStream, beside};

/// A question for a text, made by [`Blossom::text`] and [`Blossom::chat`].
///
/// It is a future: nothing is asked until it is awaited, and dropping it meanwhile takes the request back from the wire.
/// A clone is the same question, to be asked again. [`TextAsk::stream`] gives the text as it comes instead.
#[must_use = "nothing is asked until it is awaited"]
pub struct TextAsk {
    draft: Draft,
    asking: Option<BoxFuture<'static, Result<TextAnswer, Error>>>,
}

#[derive(Clone)]
struct Draft {
    blossom: Blossom,
    system: Option<String>,
    messages: Vec<Message>,
    params: TextParams,
    answer: Result<Choice, Error>,
    pictures: Vec<Result<Picture, Error>>,
    manner: Manner,
}

impl TextAsk {
    pub(super) fn new(blossom: Blossom, messages: Vec<Message>) -> Self {
        let (params, manner) = (blossom.text_params(), blossom.manner());
        let (system, answer, pictures) = (None, Ok(Choice::Text), Vec::new());
        Self { draft: Draft { blossom, system, messages, params, answer, pictures, manner }, asking: None }
    }

    fn with(mut self, change: impl FnOnce(&mut Draft)) -> Self {
        change(&mut self.draft);
        self
    }

    /// What sets the frame: it is said before everything else.
    pub fn system(self, content: impl Into<String>) -> Self {
        self.with(|draft| draft.system = Some(content.into()))
    }

    /// Which model is asked.
    pub fn model(self, name: impl Into<String>) -> Self {
        self.with(|draft| draft.manner.model = Some(name.into()))
    }

    /// The longest answer, in tokens. An answer that reaches it is an error, and not a text that is cut in silence.
    pub fn max_tokens(self, tokens: u64) -> Self {
        self.with(|draft| draft.params.max_tokens = Some(tokens))
    }

    /// How freely words are chosen: 0 to 2.
    pub fn temperature(self, temperature: f64) -> Self {
        self.with(|draft| draft.params.temperature = Some(temperature))
    }

    /// From how large a share of the likely words: 0 to 1.
    pub fn top_p(self, share: f64) -> Self {
        self.with(|draft| draft.params.top_p = Some(share))
    }

    /// What the service's dice begin with. Without it, services that want a seed get one that is derived from the
    /// question: the same for the same question.
    pub fn seed(self, seed: i64) -> Self {
        self.with(|draft| draft.params.seed = Some(seed))
    }

    /// Where the answer ends: one to four texts.
    pub fn stop<T: Into<String>>(self, texts: impl IntoIterator<Item = T>) -> Self {
        self.with(|draft| draft.params.stop = texts.into_iter().map(Into::into).collect())
    }

    /// How long the model may think: `low`, `medium`, `high`, as the service names it.
    pub fn reasoning_effort(self, effort: impl Into<String>) -> Self {
        self.with(|draft| draft.params.reasoning_effort = Some(effort.into()))
    }

    /// One more parameter, sent as it is beside the rest.
    pub fn extra(self, name: impl Into<String>, value: impl Into<Json>) -> Self {
        self.with(|draft| {
            draft.params.extra.insert(name.into(), value.into());
        })
    }

    /// Asks for JSON, and takes nothing else: [`TextAnswer::json`] holds it, [`TextAnswer::parse`] reads it into a type.
    pub fn json(self) -> Self {
        self.with(|draft| draft.answer = Ok(Choice::Json))
    }

    /// Asks for JSON that fits a [JSON Schema](https://json-schema.org), and takes nothing else. It has a mapping at its top, and
    /// nothing outside of it is fetched. Where the service does not take schemas, it is asked for in words.
    ///
    /// ```
    /// use serde_json::json;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), blossom_run::Error> {
    /// let blossom = blossom_run::Blossom::builder().provider("offline").build()?;
    /// let kind = json!({"type": "object", "properties": {"kind": {"enum": ["bug", "feature"]}}, "required": ["kind"]});
    /// let answer = blossom.text("The door squeaks. Bug or feature?").schema(kind).await?;
    /// assert!(["bug", "feature"].contains(&answer.json.unwrap()["kind"].as_str().unwrap()));
    /// # Ok(())
    /// # }
    /// ```
    pub fn schema(self, schema: impl Into<Json>) -> Self {
        self.with(|draft| draft.answer = beside::by_schema(&schema.into()))
    }

    /// Shows a picture with the last message of the user: the bytes of a PNG, JPEG, WebP or GIF of at most 10 MB; all
    /// pictures of a question have at most 14 MB.
    pub fn picture(self, bytes: impl Into<Bytes>) -> Self {
        self.with(|draft| draft.pictures.push(beside::picture(bytes.into())))
    }

    /// Shows the picture at an address, which the service fetches.
    pub fn picture_url(self, url: impl AsRef<str>) -> Self {
        self.with(|draft| draft.pictures.push(beside::picture_at(url.as_ref())))
    }

    /// How long it may take with all attempts and pauses, from when the first request is sent: waiting for a turn does
    /// not count. `tokio::time::timeout` around the question counts that too.
    pub fn timeout(self, total: Duration) -> Self {
        self.with(|draft| draft.manner.within(total))
    }

    /// How often, and after what pauses, it is sent again where that may help.
    pub fn retry(self, policy: RetryPolicy) -> Self {
        self.with(|draft| draft.manner.retry = policy)
    }

    /// Sends it once; what to do then is for the caller to decide, by [`Error::is_transient`] and
    /// [`Error::retry_after`].
    pub fn no_retry(self) -> Self {
        self.with(|draft| draft.manner.once())
    }

    /// Asks anew where an answer is kept. The new one is kept beside the old, and used from then on.
    pub fn fresh(self) -> Self {
        self.with(|draft| draft.manner.fresh = true)
    }

    /// Another answer to the same question, by its number: each has a key of its own, so it is kept by itself and gets a
    /// derived seed of its own. 0 is the question as it is.
    pub fn variant(self, number: u64) -> Self {
        self.with(|draft| draft.manner.variant = number)
    }

    /// Asks as soon as the stream is read, and gives the text as it comes.
    pub fn stream(self) -> TextStream {
        let asked = self.draft.ask(true);
        TextStream::new(self.draft.blossom, asked)
    }
}

impl Draft {
    fn ask(&self, stream: bool) -> Result<Ask, Error> {
        let system = self.system.iter().map(Message::system);
        let messages = system.chain(self.messages.iter().cloned()).collect();
        let mut request = Request::Text { messages, params: self.params.clone() };
        request.show(beside::together(&self.pictures)?);
        if request.pictures().count() < self.pictures.len() {
            let message = "A picture is shown with a message of the user, and there is none";
            return Err(Error::wrong(message, "say something of it: `Message::user(..)`"));
        }
        self.blossom.inner().ask(request, self.answer.clone()?, &self.manner, stream)
    }

    async fn answer(self) -> Result<TextAnswer, Error> {
        let ask = self.ask(false)?;
        TextAnswer::of(self.blossom.inner().answer(&ask).await?)
    }
}

impl Future for TextAsk {
    type Output = Result<TextAnswer, Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { draft, asking } = &mut *self;
        asking.get_or_insert_with(|| draft.clone().answer().boxed()).poll_unpin(context)
    }
}

impl Clone for TextAsk {
    fn clone(&self) -> Self {
        Self { draft: self.draft.clone(), asking: None }
    }
}

impl fmt::Debug for TextAsk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TextAsk")
            .field("messages", &self.draft.messages.len())
            .field("manner", &self.draft.manner)
            .finish_non_exhaustive()
    }
}
