//! Questions that wait for their answer.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::model::{Json, RetryPolicy};

use super::super::{self as face, Error, ImageAnswer, TextAnswer};
use super::TextStream;
use super::desk::Desk;

/// A question for a text. Its options are those of [the one that is awaited](face::TextAsk).
#[derive(Debug, Clone)]
#[must_use = "nothing is asked until it is sent"]
pub struct TextAsk {
    ask: face::TextAsk,
    desk: Arc<Desk>,
}

/// A question for a picture. Its options are those of [the one that is awaited](face::ImageAsk).
#[derive(Debug, Clone)]
#[must_use = "nothing is asked until it is sent"]
pub struct ImageAsk {
    ask: face::ImageAsk,
    desk: Arc<Desk>,
}

/// An option of the question inside.
macro_rules! options {
    ($($(#[$about:meta])* $name:ident($($value:ident: $kind:ty),*);)*) => {
        $($(#[$about])* pub fn $name(self, $($value: $kind),*) -> Self {
            Self { ask: self.ask.$name($($value),*), ..self }
        })*
    };
}

impl TextAsk {
    pub(super) fn new(ask: face::TextAsk, desk: Arc<Desk>) -> Self {
        Self { ask, desk }
    }

    options! {
        /// What sets the frame: it is said before everything else.
        system(content: impl Into<String>);
        /// Which model is asked.
        model(name: impl Into<String>);
        /// The longest answer, in tokens.
        max_tokens(tokens: u64);
        /// How freely words are chosen: 0 to 2.
        temperature(temperature: f64);
        /// From how large a share of the likely words: 0 to 1.
        top_p(share: f64);
        /// What the service's dice begin with.
        seed(seed: i64);
        /// How long the model may think.
        reasoning_effort(effort: impl Into<String>);
        /// One more parameter, sent as it is beside the rest.
        extra(name: impl Into<String>, value: impl Into<Json>);
        /// Asks for JSON, and takes nothing else.
        json();
        /// Asks for JSON that fits a JSON Schema, and takes nothing else.
        schema(schema: impl Into<Json>);
        /// Shows a picture: the bytes of a PNG, JPEG, WebP or GIF.
        picture(bytes: impl Into<Bytes>);
        /// Shows the picture at an address.
        picture_url(url: impl AsRef<str>);
        /// How long it may take with all attempts and pauses, from when the first request is sent.
        timeout(total: Duration);
        /// How often, and after what pauses, it is sent again where that may help.
        retry(policy: RetryPolicy);
        /// Sends it once.
        no_retry();
        /// Asks anew where an answer is kept.
        fresh();
        /// Another answer to the same question, by its number.
        variant(number: u64);
    }

    /// Where the answer ends: one to four texts.
    pub fn stop<T: Into<String>>(self, texts: impl IntoIterator<Item = T>) -> Self {
        Self { ask: self.ask.stop(texts), ..self }
    }

    /// Asks, and waits for the answer.
    ///
    /// # Errors
    /// Why there is none.
    pub fn send(self) -> Result<TextAnswer, Error> {
        self.desk.wait_for(self.ask)?
    }

    /// Asks as soon as it is read, and gives the text as it comes.
    pub fn stream(self) -> TextStream {
        TextStream::new(self.ask.stream(), self.desk)
    }
}

impl ImageAsk {
    pub(super) fn new(ask: face::ImageAsk, desk: Arc<Desk>) -> Self {
        Self { ask, desk }
    }

    options! {
        /// Which model is asked.
        model(name: impl Into<String>);
        /// Shows a picture: the bytes of a PNG, JPEG, WebP or GIF.
        picture(bytes: impl Into<Bytes>);
        /// Shows the picture at an address.
        picture_url(url: impl AsRef<str>);
        /// In pixels.
        width(pixels: u32);
        /// In pixels.
        height(pixels: u32);
        /// What should not be seen.
        negative_prompt(prompt: impl Into<String>);
        /// What the service's dice begin with.
        seed(seed: i64);
        /// `low`, `medium`, `high`, `hd`, `standard`: passed on.
        quality(quality: impl Into<String>);
        /// Leaves the background out, where the model can.
        transparent();
        /// One more parameter, sent as it is beside the rest.
        extra(name: impl Into<String>, value: impl Into<Json>);
        /// How long it may take with all attempts and pauses, from when the first request is sent.
        timeout(total: Duration);
        /// How often, and after what pauses, it is sent again where that may help.
        retry(policy: RetryPolicy);
        /// Sends it once.
        no_retry();
        /// Asks anew where a picture is kept.
        fresh();
        /// Another picture for the same prompt, by its number.
        variant(number: u64);
    }

    /// Asks, and waits for the picture. [`ImageAnswer::save_blocking`] writes it to a file.
    ///
    /// # Errors
    /// Why there is none.
    pub fn send(self) -> Result<ImageAnswer, Error> {
        self.desk.wait_for(self.ask)?
    }
}
