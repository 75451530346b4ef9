//! One request on the wire: from sending to a whole reply, a failure, or a clock that runs out.

use futures::StreamExt;
use tokio::time::{Instant, sleep_until};

use crate::model::{EventKind, Failure, FailureKind, Piece, Reply};
use crate::provider::{Attempt, Provider};

use super::Ask;
use super::clock::{Clock, Running};
use super::events::Events;
use super::permit::Permit;

/// A request that is about to be sent.
#[derive(Debug)]
pub(super) struct Wire<'a> {
    pub(super) provider: &'a dyn Provider,
    pub(super) attempt: Attempt<'a>,
    pub(super) ask: &'a Ask,
    pub(super) events: &'a Events,
    /// Whether the pieces of a stream are wanted.
    pub(super) keep_chunks: bool,
}

impl Wire<'_> {
    /// Sends it and listens to the end. Gives the pieces of a stream too, where they are wanted.
    pub(super) async fn exchange(
        &self,
        permit: &mut Permit<'_>,
        mut clocks: Running,
    ) -> Result<(Reply, Vec<String>), Failure> {
        let begun = Instant::now();
        let mut pieces = self.provider.send(self.attempt);
        let (mut heard, mut chunks) = (String::new(), Vec::new());
        loop {
            // What has come has come in time, even if this program was too busy to look: it is paid for.
            let piece = tokio::select! {
                biased;
                piece = pieces.next() => piece,
                (clock, limit) = run_out(&clocks) => return Err(with_partial(clock.failure(limit), &heard)),
            };
            let piece = piece.unwrap_or_else(|| Err(cut())).map_err(|failure| with_partial(failure, &heard))?;
            if !matches!(piece, Piece::Whole(_))
                && let Some((clock, limit)) = clocks.run_out()
            {
                return Err(with_partial(clock.failure(limit), &heard));
            }
            if let Some(news) = permit.accept() {
                self.events.emit(news).await;
            }
            match piece {
                Piece::Alive => clocks.heard_life(),
                Piece::Thinking => clocks.heard_word(),
                Piece::Text(text) => {
                    self.tell(&text, heard.is_empty().then_some(begun)).await;
                    heard.push_str(&text);
                    if self.keep_chunks {
                        chunks.push(text);
                    }
                    clocks.heard_word();
                }
                Piece::Whole(reply) => return Ok((reply, chunks)),
            }
        }
    }

    /// Tells of a piece of text; of the first one also how long it took.
    async fn tell(&self, text: &str, first_since: Option<Instant>) {
        let (item, attempt) = (&self.ask.item, self.attempt.number);
        if let Some(begun) = first_since {
            let after = begun.elapsed();
            self.events.emit(EventKind::FirstToken { item: item.clone(), attempt, after }).await;
        }
        if self.ask.show {
            self.events.emit(EventKind::Chunk { item: item.clone(), attempt, text: text.into() }).await;
        }
    }
}

async fn run_out(clocks: &Running) -> (Clock, std::time::Duration) {
    match clocks.next() {
        Some((at, clock, limit)) => {
            sleep_until(at).await;
            (clock, limit)
        }
        None => std::future::pending().await,
    }
}

fn cut() -> Failure {
    Failure::new(FailureKind::Cut, "The answer broke off before its end")
}

fn with_partial(mut failure: Failure, heard: &str) -> Failure {
    if failure.partial.is_none() && !heard.is_empty() {
        failure.partial = Some(heard.to_owned());
    }
    failure
}
