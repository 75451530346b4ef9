//! Answers, with what they took.

use std::fmt;
use std::path::Path;

use bytes::Bytes;
use serde::de::DeserializeOwned;

use crate::model::{Content, Cost, Failure, FailureKind, Json, LaneRef, MediaType, Reply, Usage};

use super::super::Answer;
use super::Error;
use super::picture_file;

/// A text, and what it took. It is shown as its text.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct TextAnswer {
    /// The text, never empty.
    pub text: String,
    /// The JSON in it, where JSON was asked for.
    pub json: Option<Json>,
    /// The name of the provider that gave it.
    pub provider: String,
    /// Which model answered: as the service says, else the one that was asked.
    pub model: Option<String>,
    /// Why it ended, as the service says: `stop`, mostly.
    pub finish_reason: Option<String>,
    /// Tokens of all attempts, as far as the service says; nothing if it was kept.
    pub usage: Option<Usage>,
    /// What all attempts cost, as far as prices are known; nothing if it was kept.
    pub cost: Cost,
    /// Requests that were sent for it; 0 if it was kept.
    pub attempts: u32,
    /// Whether it was kept before, or asked for by somebody else at the same time.
    pub kept: bool,
    /// The service's name for the exchange.
    pub request_id: Option<String>,
}

impl TextAnswer {
    /// The answer as a type of one's own: the JSON in it, where JSON was asked for, else all of its text.
    ///
    /// # Errors
    /// Of kind [`FailureKind::WrongAnswer`], where it is no JSON, or none of that shape.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), blossom_run::Error> {
    /// let blossom = blossom_run::Blossom::builder().provider("offline").build()?;
    /// let answer = blossom.text("Name a colour as JSON.").json().await?;
    /// let colour: serde_json::Value = answer.parse()?;
    /// # drop(colour);
    /// # Ok(())
    /// # }
    /// ```
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, Error> {
        let parsed = match &self.json {
            Some(json) => T::deserialize(json),
            None => serde_json::from_str(&self.text),
        };
        parsed.map_err(|error| {
            let failure = Failure::new(FailureKind::WrongAnswer, format!("The answer has another shape: {error}"))
                .suggest("say in the prompt which fields there are, and show an example");
            Error::from(Failure { request_id: self.request_id.clone(), ..failure }).after(&self.text)
        })
    }

    /// Of a text. A picture in its place would be a fault of this program.
    pub(super) fn of(answer: Answer) -> Result<Self, Error> {
        let Answer { reply, lane, json, attempts, kept, usage, cost, .. } = answer;
        let Reply { content, model, finish_reason, request_id, .. } = reply;
        let (provider, model) = who(lane, model);
        match content {
            Content::Text(text) => {
                Ok(Self { text, json, provider, model, finish_reason, usage, cost, attempts, kept, request_id })
            }
            Content::Image { .. } => Err(mistaken("a picture", "a text")),
        }
    }
}

impl fmt::Display for TextAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl AsRef<str> for TextAnswer {
    fn as_ref(&self) -> &str {
        &self.text
    }
}

impl From<TextAnswer> for String {
    fn from(answer: TextAnswer) -> Self {
        answer.text
    }
}

/// A picture, and what it took.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct ImageAnswer {
    /// The file's bytes, as they came.
    pub bytes: Bytes,
    /// What they are, by the bytes themselves.
    pub media_type: MediaType,
    /// In pixels; 0 where the format does not say.
    pub width: u32,
    /// In pixels; 0 where the format does not say.
    pub height: u32,
    /// The name of the provider that gave it.
    pub provider: String,
    /// Which model made it: as the service says, else the one that was asked.
    pub model: Option<String>,
    /// Tokens of all attempts, as far as the service says; nothing if it was kept.
    pub usage: Option<Usage>,
    /// What all attempts cost, as far as prices are known; nothing if it was kept.
    pub cost: Cost,
    /// Requests that were sent for it; 0 if it was kept.
    pub attempts: u32,
    /// Whether it was kept before, or asked for by somebody else at the same time.
    pub kept: bool,
    /// The service's name for the exchange.
    pub request_id: Option<String>,
}

impl ImageAnswer {
    /// Writes the bytes to a file, which appears whole or not at all; one of that name is replaced. The name should end in
    /// [`MediaType::extension`]; the bytes are not converted.
    ///
    /// # Errors
    /// Of kind [`FailureKind::Output`], where it can't be written. The folder must be there.
    pub async fn save(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        let (bytes, path) = (self.bytes.clone(), path.as_ref().to_owned());
        let written = tokio::task::spawn_blocking(move || picture_file::write(&bytes, &path)).await;
        written.map_err(|error| Failure::new(FailureKind::Internal, format!("The file was not written: {error}")))?
    }

    /// The same, on this thread and without a runtime.
    ///
    /// # Errors
    /// As for [`ImageAnswer::save`].
    pub fn save_blocking(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        picture_file::write(&self.bytes, path.as_ref())
    }

    /// Of a picture. A text in its place would be a fault of this program.
    pub(super) fn of(answer: Answer) -> Result<Self, Error> {
        let Answer { reply, lane, attempts, kept, usage, cost, .. } = answer;
        let Reply { content, model, request_id, .. } = reply;
        let (provider, model) = who(lane, model);
        match content {
            Content::Image { bytes, info } => {
                let (media_type, width, height) = (info.media_type, info.width, info.height);
                Ok(Self { bytes, media_type, width, height, provider, model, usage, cost, attempts, kept, request_id })
            }
            Content::Text(_) => Err(mistaken("a text", "a picture")),
        }
    }
}

impl fmt::Debug for ImageAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ImageAnswer")
            .field("bytes", &self.bytes.len())
            .field("media_type", &self.media_type)
            .field("width", &self.width)
            .field("height", &self.height)
            .field("provider", &self.provider)
            .field("model", &self.model)
            .field("usage", &self.usage)
            .field("cost", &self.cost)
            .field("attempts", &self.attempts)
            .field("kept", &self.kept)
            .field("request_id", &self.request_id)
            .finish()
    }
}

/// Who gave it, and which of its models.
fn who(lane: Option<LaneRef>, told: Option<String>) -> (String, Option<String>) {
    // Only a tape does not say who, and none is played here.
    let (provider, asked) = lane.map(|lane| (lane.provider.to_string(), lane.model)).unwrap_or_default();
    (provider, told.or_else(|| asked.map(|model| model.to_string())))
}

fn mistaken(came: &str, wanted: &str) -> Error {
    let message = format!("{came} came where {wanted} was asked for");
    Failure::new(FailureKind::Internal, message).suggest("this is a fault of the program: please report it").into()
}
