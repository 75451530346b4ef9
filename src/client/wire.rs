//! One request on the wire: from sending to a whole reply, a failure, or a clock that runs out.

use futures::StreamExt;
use tokio::time::{Instant, sleep_until};

use crate::model::{EventKind, Failure, FailureKind, Piece, Reply};
use crate::provider::{Attempt, Provider, Redactor};

use super::Ask;
use super::clock::{Clock, Running};
use super::events::Events;
use super::gate::pass;
use super::outlet::Outlet;
use super::permit::Permit;
use super::veil::Veil;

/// A request that is about to be sent.
#[derive(Debug)]
pub(super) struct Wire<'a> {
    pub(super) provider: &'a dyn Provider,
    pub(super) attempt: Attempt<'a>,
    pub(super) ask: &'a Ask,
    pub(super) events: &'a Events,
    /// Where text is handed out as it comes.
    pub(super) outlet: Option<&'a Outlet>,
    /// What no piece of a stream may show.
    pub(super) hides: Option<&'a Redactor>,
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
        let mut veil = Veil::new(self.hides);
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
                    if heard.is_empty() {
                        self.tell_first(begun).await;
                    }
                    heard.push_str(&text);
                    self.tell(veil.show(&text)).await;
                    if self.keep_chunks {
                        chunks.push(text);
                    }
                    clocks.heard_word();
                }
                Piece::Whole(reply) => {
                    pass(self.ask, &reply, self.events).await?;
                    self.tell(veil.rest()).await;
                    return Ok((reply, chunks));
                }
            }
        }
    }

    /// Tells how long the first piece of text took.
    async fn tell_first(&self, begun: Instant) {
        let (item, attempt, after) = (self.ask.item.clone(), self.attempt.number, begun.elapsed());
        self.events.emit(EventKind::FirstToken { item, attempt, after }).await;
    }

    /// Tells of pieces of text, and hands them out.
    async fn tell(&self, pieces: Vec<String>) {
        for text in pieces {
            if self.ask.show {
                let (item, attempt) = (self.ask.item.clone(), self.attempt.number);
                self.events.emit(EventKind::Chunk { item, attempt, text: text.as_str().into() }).await;
            }
            if let Some(outlet) = self.outlet {
                outlet.say(text).await;
            }
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
