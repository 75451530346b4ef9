//! The client that waits.

use std::sync::Arc;

use crate::model::{Message, Spent};
use crate::provider::ModelInfo;

use super::super::super::LaneReport;
use super::super::{self as face, BlossomBuilder, Error};
use super::desk::Desk;
use super::{ImageAsk, TextAsk};

/// A client of one provider, for programs without a runtime; made by [`BlossomBuilder::build_blocking`]. Clones are cheap
/// and share everything.
#[derive(Debug, Clone)]
pub struct Blossom {
    blossom: face::Blossom,
    // After the client: its connections end on a thread that is still there.
    desk: Arc<Desk>,
}

impl Blossom {
    /// The same client for programs without a runtime. It must not have been asked anything elsewhere: connections stay with
    /// the runtime that opened them.
    pub(in super::super) fn new(blossom: face::Blossom) -> Result<Self, Error> {
        Ok(Self { blossom, desk: Arc::new(Desk::start()?) })
    }

    /// What there is to say of a client before it is made, with [`BlossomBuilder::build_blocking`].
    pub fn builder() -> BlossomBuilder {
        face::Blossom::builder()
    }

    /// A client that the environment describes, as [`Blossom::from_env`](face::Blossom::from_env) of the crate's root.
    ///
    /// # Errors
    /// As for [`BlossomBuilder::build_blocking`].
    pub fn from_env() -> Result<Self, Error> {
        Self::builder().build_blocking()
    }

    /// A question for a text.
    pub fn text(&self, prompt: impl Into<String>) -> TextAsk {
        TextAsk::new(self.blossom.text(prompt), Arc::clone(&self.desk))
    }

    /// A question for the next text of a conversation.
    pub fn chat<M: Into<Message>>(&self, messages: impl IntoIterator<Item = M>) -> TextAsk {
        TextAsk::new(self.blossom.chat(messages), Arc::clone(&self.desk))
    }

    /// A question for a picture.
    pub fn image(&self, prompt: impl Into<String>) -> ImageAsk {
        ImageAsk::new(self.blossom.image(prompt), Arc::clone(&self.desk))
    }

    /// The models of the provider, as the service lists them.
    ///
    /// # Errors
    /// The service does not answer, or refuses the key.
    pub fn models(&self) -> Result<Vec<ModelInfo>, Error> {
        let blossom = self.blossom.clone();
        self.desk.wait_for(async move { blossom.models().await })?
    }

    /// What all questions have taken so far.
    pub fn spent(&self) -> Spent {
        self.blossom.spent()
    }

    /// How much the service has shown to bear, for each model that was asked.
    pub fn lanes(&self) -> Vec<LaneReport> {
        self.blossom.lanes()
    }

    /// From now on nothing is sent, by none of the clones. What is on the wire comes to its end.
    pub fn close(&self) {
        self.blossom.close();
    }
}
