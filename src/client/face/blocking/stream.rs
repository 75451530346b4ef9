//! A text as it comes, for whoever waits for each piece.

use std::sync::Arc;

use crate::model::{Failure, FailureKind};

use super::super::{self as face, Error, TextAnswer};
use super::desk::Desk;

/// A text in the pieces in which it comes from the wire: an iterator that waits for each. It behaves as
/// [the one that is awaited](face::TextStream); dropping it takes the request back from the wire.
#[derive(Debug)]
#[must_use = "nothing is asked until it is read"]
pub struct TextStream {
    /// On its way to the thread that reads it, while there is none here.
    stream: Option<face::TextStream>,
    desk: Arc<Desk>,
}

impl TextStream {
    pub(super) fn new(stream: face::TextStream, desk: Arc<Desk>) -> Self {
        Self { stream: Some(stream), desk }
    }

    /// All that has been handed out so far.
    pub fn text(&self) -> &str {
        self.stream.as_ref().map_or("", face::TextStream::text)
    }

    /// The whole answer, once the stream has come to a good end.
    pub fn answer(&self) -> Option<&TextAnswer> {
        self.stream.as_ref()?.answer()
    }

    /// Reads what is left, and gives the whole answer.
    ///
    /// # Errors
    /// What the stream ended with, also if that has been handed out already.
    pub fn finish(mut self) -> Result<TextAnswer, Error> {
        match self.stream.take() {
            Some(stream) => self.desk.wait_for(stream.finish())?,
            None => Err(lost()),
        }
    }
}

impl Iterator for TextStream {
    type Item = Result<String, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut stream = self.stream.take()?;
        let read = self.desk.wait_for(async move {
            let piece = stream.next().await;
            (stream, piece)
        });
        match read {
            Ok((stream, piece)) => {
                self.stream = Some(stream);
                piece
            }
            Err(error) => Some(Err(error)),
        }
    }
}

/// The thread has ended, which was told when the next piece was asked for.
fn lost() -> Error {
    Failure::new(FailureKind::Internal, "The stream was lost")
        .suggest("this is a fault of the program: please report it")
        .into()
}
