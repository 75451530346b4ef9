//! How a service would behave: it takes its time, it streams, and now and then it fails.

use std::time::Duration;

use crate::model::{Content, Failure, FailureKind, OfflineManner, Piece, Reply};

use super::dice::Dice;

/// One thing that happens, and how long after the one before it.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) after: Duration,
    pub(super) what: Result<Piece, Failure>,
}

/// Words that come in one piece of a stream.
const PIECE_WORDS: usize = 3;

/// How one attempt will go.
#[derive(Debug)]
pub(super) struct Course {
    latency: Duration,
    failure: Option<Failure>,
    stream: bool,
}

impl Course {
    /// Draws it: the latency from the call, the failure from call and attempt, so that a second attempt may succeed.
    pub(super) fn draw(manner: &OfflineManner, key: &[u8; 32], attempt: u32, stream: bool) -> Self {
        let share = Dice::new(key, manner.seed, "latency").share();
        let latency = manner.latency.saturating_add(manner.jitter.mul_f32(share));
        let mut dice = Dice::new(key, manner.seed, &format!("failure of attempt {attempt}"));
        let failure = dice.happens(manner.fail).then(|| failure(&mut dice));
        Self { latency, failure, stream }
    }

    /// Whether the answer is not needed, because the request fails before there is one.
    pub(super) fn fails_at_once(&self) -> bool {
        self.failure.as_ref().is_some_and(|failure| failure.kind != FailureKind::Cut)
    }

    /// What happens where no answer is needed.
    pub(super) fn failing(self) -> Vec<Step> {
        // Refusals come quickly, troubles of a server late.
        let early = |kind| matches!(kind, FailureKind::RateLimited | FailureKind::Connect);
        let latency = self.latency;
        let step = |failure: Failure| Step {
            after: if early(failure.kind) { latency / 10 } else { latency },
            what: Err(failure),
        };
        self.failure.map(step).into_iter().collect()
    }

    /// What happens with this answer.
    pub(super) fn answering(self, reply: Reply) -> Vec<Step> {
        let pieces = match &reply.content {
            Content::Text(text) if self.stream || self.failure.is_some() => pieces(text),
            _ => Vec::new(),
        };
        let Some(mut cut) = self.failure else {
            return if self.stream {
                streamed(pieces, self.latency, Ok(Piece::Whole(reply)))
            } else {
                whole(reply, self.latency)
            };
        };
        let arrived = &pieces[..pieces.len() / 2];
        cut.partial = (!arrived.is_empty()).then(|| arrived.concat());
        let shown = if self.stream { arrived.to_vec() } else { Vec::new() };
        streamed(shown, self.latency / 2, Err(cut))
    }
}

fn whole(reply: Reply, latency: Duration) -> Vec<Step> {
    vec![Step { after: latency, what: Ok(Piece::Whole(reply)) }]
}

/// A stream: a sign of life, the pieces evenly spread over the latency, the end.
fn streamed(pieces: Vec<String>, latency: Duration, end: Result<Piece, Failure>) -> Vec<Step> {
    let parts = u32::try_from(pieces.len()).unwrap_or(u32::MAX).saturating_add(1);
    let step = latency / parts;
    let mut steps = vec![Step { after: Duration::ZERO, what: Ok(Piece::Alive) }];
    steps.extend(pieces.into_iter().map(|piece| Step { after: step, what: Ok(Piece::Text(piece)) }));
    steps.push(Step { after: step, what: end });
    steps
}

/// A text in pieces of a few words; together they are the text again.
fn pieces(text: &str) -> Vec<String> {
    let words: Vec<&str> = text.split_inclusive(char::is_whitespace).collect();
    words.chunks(PIECE_WORDS).map(<[&str]>::concat).collect()
}

/// What goes wrong with services, about as often as it does.
fn failure(dice: &mut Dice) -> Failure {
    let (kind, status, message) = match dice.below(100) {
        0..35 => (FailureKind::RateLimited, Some(429), "Rehearsed failure: too many requests"),
        35..55 => (FailureKind::Server, Some(500), "Rehearsed failure: the server is in trouble"),
        55..75 => (FailureKind::Server, Some(503), "Rehearsed failure: the service is not available"),
        75..85 => (FailureKind::Connect, None, "Rehearsed failure: the connection was refused"),
        _ => (FailureKind::Cut, None, "Rehearsed failure: the answer broke off"),
    };
    let mut failure = Failure::new(kind, message).suggest("lower `fail` of this provider to rehearse fewer failures");
    failure.status = status;
    let asks_for_time = matches!(status, Some(429 | 503)) && dice.happens(0.5);
    failure.retry_after = asks_for_time.then(|| Duration::from_secs(1));
    failure
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn draw(fail: f64, call: u8, attempt: u32) -> Course {
        let manner = OfflineManner { fail, ..OfflineManner::default() };
        Course::draw(&manner, &[call; 32], attempt, false)
    }

    #[test]
    fn failures_are_a_mixture_and_pass() {
        let failing = |call, attempt| draw(0.5, call, attempt).failure;
        let kinds: BTreeSet<String> = (0..=255)
            .filter_map(|call| failing(call, 1))
            .map(|failure| format!("{:?}{:?}", failure.kind, failure.status))
            .collect();
        assert_eq!(kinds.len(), 5, "{kinds:?}");
        let failed: Vec<u8> = (0..=255).filter(|call| failing(*call, 1).is_some()).collect();
        assert!((90..170).contains(&failed.len()), "{}", failed.len());
        assert!(failed.iter().any(|call| failing(*call, 2).is_none()));
        assert!((0..=255).all(|call| draw(0.0, call, 1).failure.is_none() && draw(1.0, call, 1).failure.is_some()));
    }

    #[test]
    fn every_failure_may_be_tried_again() {
        let advice = |call| draw(1.0, call, 1).failure.map(|failure| failure.advice());
        assert!((0..=255).all(|call| advice(call) == Some(crate::model::Advice::Retry)));
    }

    #[test]
    fn pieces_make_up_the_text() {
        let text = "One two  three\nfour five six seven 🎉";
        assert_eq!(pieces(text).concat(), text);
        assert!(pieces(text).len() > 2);
    }
}
