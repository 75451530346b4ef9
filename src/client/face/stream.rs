//! A text as it comes.

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures::future::{BoxFuture, FutureExt, ready};
use futures::stream::{FusedStream, Stream, StreamExt};
use tokio::sync::mpsc::Receiver;

use super::super::outlet::Outlet;
use super::super::{Answer, Ask, Unanswered};
use super::blossom::Blossom;
use super::{Error, TextAnswer};

/// A text in the pieces in which it comes from the wire, made by [`TextAsk::stream`](super::TextAsk::stream).
///
/// Nothing is asked until it is read, and nothing happens between two reads: it holds its request, and the permit for
/// it, until its end or until it is dropped. Dropping it takes the request back from the wire.
///
/// Until the first piece, what fails is tried again as the policy says. Afterwards it is not: what was handed out can't be
/// taken back. An error is the last item then, and [`Error::partial`] holds all that was handed out. At the end,
/// [`TextStream::answer`] or [`TextStream::finish`] gives the same answer as awaiting the question would have.
///
/// A kept answer, and one of a service that does not stream, comes as one piece.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), blossom_run::Error> {
/// let blossom = blossom_run::Blossom::builder().provider("offline").build()?;
/// let mut stream = blossom.text("Tell me a short story").stream();
/// while let Some(piece) = stream.next().await {
///     print!("{}", piece?);
/// }
/// let answer = stream.finish().await?;
/// println!("\n{} requests", answer.attempts);
/// # Ok(())
/// # }
/// ```
#[must_use = "nothing is asked until it is read"]
pub struct TextStream {
    pieces: Receiver<String>,
    /// Until its end.
    asking: Option<BoxFuture<'static, Result<Answer, Unanswered>>>,
    /// What is handed out before the end is told.
    ahead: VecDeque<Result<String, Error>>,
    text: String,
    end: Option<Result<TextAnswer, Error>>,
}

impl TextStream {
    pub(super) fn new(blossom: Blossom, asked: Result<Ask, Error>) -> Self {
        let (outlet, pieces) = Outlet::channel();
        let (asking, end) = match asked {
            Ok(ask) => {
                let asking = async move { blossom.inner().answer_aloud(&ask, &outlet).await };
                (Some(asking.boxed()), None)
            }
            // It is told as the first item.
            Err(error) => (Some(ready(Err(error.into_unanswered())).boxed()), None),
        };
        Self { pieces, asking, ahead: VecDeque::new(), text: String::new(), end }
    }

    /// The next piece; nothing after the end, or after an error. Nothing is lost if it is dropped before it is ready.
    pub async fn next(&mut self) -> Option<Result<String, Error>> {
        StreamExt::next(self).await
    }

    /// All that has been handed out so far.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The whole answer, once the stream has come to a good end.
    pub fn answer(&self) -> Option<&TextAnswer> {
        self.end.as_ref()?.as_ref().ok()
    }

    /// Reads what is left, and gives the whole answer.
    ///
    /// # Errors
    /// What the stream ended with, also if that has been handed out already.
    pub async fn finish(mut self) -> Result<TextAnswer, Error> {
        loop {
            while StreamExt::next(&mut self).await.is_some() {}
            if let Some(end) = self.end.take() {
                return end;
            }
        }
    }

    fn hand_out(&mut self, piece: String) -> Poll<Option<Result<String, Error>>> {
        self.text.push_str(&piece);
        Poll::Ready(Some(Ok(piece)))
    }

    /// Nothing more comes: what lies there still, what was not handed out of a whole answer, and the error come next.
    fn close(&mut self, outcome: Result<Answer, Unanswered>) {
        self.asking = None;
        let mut text = self.text.clone();
        while let Ok(piece) = self.pieces.try_recv() {
            text.push_str(&piece);
            self.ahead.push_back(Ok(piece));
        }
        let end = outcome.map_err(Error::from).and_then(TextAnswer::of).map_err(|error| error.after(&text));
        match &end {
            Ok(answer) => {
                // A service may answer whole, and what is kept is not streamed at all.
                let rest = answer.text.strip_prefix(text.as_str()).filter(|rest| !rest.is_empty());
                self.ahead.extend(rest.map(|rest| Ok(rest.to_owned())));
            }
            Err(error) => self.ahead.push_back(Err(error.clone())),
        }
        self.end = Some(end);
    }
}

impl Stream for TextStream {
    type Item = Result<String, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        // What lies there comes before the question goes on: whoever says it waits for that.
        if let Ok(piece) = this.pieces.try_recv() {
            return this.hand_out(piece);
        }
        if let Some(asking) = &mut this.asking {
            if let Poll::Ready(outcome) = asking.poll_unpin(context) {
                this.close(outcome);
            } else {
                return this.pieces.try_recv().map_or(Poll::Pending, |piece| this.hand_out(piece));
            }
        }
        match this.ahead.pop_front() {
            Some(Ok(piece)) => this.hand_out(piece),
            other => Poll::Ready(other),
        }
    }
}

impl FusedStream for TextStream {
    fn is_terminated(&self) -> bool {
        self.asking.is_none() && self.ahead.is_empty()
    }
}

impl fmt::Debug for TextStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TextStream").field("text", &self.text.len()).field("end", &self.end).finish_non_exhaustive()
    }
}
