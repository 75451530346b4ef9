//! The same question, asked twice at the same time, is asked once: who comes first leads, the others wait for what comes
//! of it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::channel::oneshot;
use tokio::sync::SetOnce;
use tokio::time::Instant;

use crate::model::{Advice, CallKey, Check, Choice, Failure, FailureKind};

use super::clock::{Clock, time_is_up};
use super::{Answer, Ask, Unanswered};

/// What is asked for: a call, and whether another take of it is wanted.
type Wanted = (CallKey, bool);

type Outcome = Result<Answer, Unanswered>;

/// What came of a question, and what its answer had to be.
#[derive(Debug, Clone)]
pub(super) struct Told {
    pub(super) outcome: Outcome,
    answer: Choice,
    checks: Vec<Check>,
    is_judged: bool,
    /// How many requests there could be.
    attempts: u32,
    /// Whether it had a total time.
    is_timed: bool,
}

impl Told {
    /// Whether the answer had to be what this question wants too. Who judges knows each item, so that nobody can tell.
    pub(super) fn is_for(&self, ask: &Ask) -> bool {
        let is_judged = self.is_judged || ask.terms.judge.is_some();
        !is_judged && self.answer == ask.call.answer && self.checks == ask.terms.checks
    }

    /// Whether it was given up where this question, whose time is `running`, may still go on: it may be sent more often, or
    /// has time left where the other had none.
    pub(super) fn is_impatient_beside(&self, ask: &Ask, running: Option<(Instant, Duration)>) -> bool {
        let Err(Unanswered { failure, attempts, .. }) = &self.outcome else { return false };
        let may_end_well =
            failure.advice() == Advice::Retry || (failure.kind == FailureKind::WrongAnswer && ask.terms.feedback);
        // Who may send more requests than it has sent had no more time for them.
        let is_out_of_time = self.is_timed && (*attempts < self.attempts || failure.kind == FailureKind::Timeout);
        may_end_well && (ask.retry.attempts > self.attempts || is_out_of_time && has_time(running))
    }
}

/// Whether there is time left that another request is worth: a tenth, since whoever joins a moment later has no more than
/// that moment.
fn has_time(running: Option<(Instant, Duration)>) -> bool {
    running.is_none_or(|(end, total)| end.saturating_duration_since(Instant::now()) > total / 10)
}

/// A question in flight: who waits for what comes of it.
#[derive(Debug)]
struct InFlight {
    waiting: Vec<oneshot::Sender<Told>>,
    /// When its first request went out, once it has.
    begun: Arc<SetOnce<Instant>>,
}

/// Questions in flight.
#[derive(Debug, Default)]
pub(super) struct Joint {
    asked: Mutex<HashMap<Wanted, InFlight>>,
}

/// What somebody who asks has to do.
pub(super) enum Part<'a> {
    /// Ask, and tell the others; when the first request is sent, too.
    Lead(Lead<'a>, Arc<SetOnce<Instant>>),
    /// Wait. Who leads may give up without a word; then somebody else has to lead.
    Follow(Follow),
}

/// One who waits.
#[derive(Debug)]
pub(super) struct Follow {
    told: oneshot::Receiver<Told>,
    begun: Arc<SetOnce<Instant>>,
    joined: Instant,
}

impl Follow {
    /// What comes of it; nothing where who leads has given up without a word. Waiting takes no longer than the question may,
    /// from when the request is on its way and waited for: `running` says when that is up, also for what comes next.
    ///
    /// # Errors
    /// The total time is up.
    pub(super) async fn outcome(
        self,
        total: Option<Duration>,
        running: &mut Option<(Instant, Duration)>,
    ) -> Result<Option<Told>, Failure> {
        let Self { mut told, begun, joined } = self;
        tokio::select! {
            biased;
            told = &mut told => return Ok(told.ok()),
            at = begun.wait() => {
                let from = (*at).max(joined);
                *running = running.or_else(|| total.and_then(|total| Some((from.checked_add(total)?, total))));
            }
        }
        tokio::select! {
            biased;
            told = told => Ok(told.ok()),
            limit = time_is_up(*running) => Err(Clock::Total.failure(limit)),
        }
    }
}

/// The one who asks. When it is dropped, nobody is told anything.
#[derive(Debug)]
pub(super) struct Lead<'a> {
    joint: &'a Joint,
    wanted: Wanted,
    has_told: bool,
}

impl Joint {
    fn asked(&self) -> MutexGuard<'_, HashMap<Wanted, InFlight>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Somebody asks for this.
    pub(super) fn join(&self, wanted: Wanted) -> Part<'_> {
        match self.asked().entry(wanted) {
            std::collections::hash_map::Entry::Vacant(vacant) => {
                let begun = Arc::new(SetOnce::new());
                vacant.insert(InFlight { waiting: Vec::new(), begun: Arc::clone(&begun) });
                Part::Lead(Lead { joint: self, wanted, has_told: false }, begun)
            }
            std::collections::hash_map::Entry::Occupied(mut there) => {
                let (tell, told) = oneshot::channel();
                let there = there.get_mut();
                there.waiting.push(tell);
                Part::Follow(Follow { told, begun: Arc::clone(&there.begun), joined: Instant::now() })
            }
        }
    }
}

impl Lead<'_> {
    /// Tells those who wait.
    pub(super) fn tell(mut self, outcome: &Outcome, ask: &Ask) {
        self.has_told = true;
        let waiting = self.joint.asked().remove(&self.wanted).map(|there| there.waiting).unwrap_or_default();
        for waits in waiting {
            let (answer, checks) = (ask.call.answer.clone(), ask.terms.checks.clone());
            let is_judged = ask.terms.judge.is_some();
            let (attempts, is_timed) = (ask.retry.attempts, ask.clocks.total.is_some());
            // Who no longer waits does not want to know.
            waits.send(Told { outcome: outcome.clone(), answer, checks, is_judged, attempts, is_timed }).ok();
        }
    }
}

impl Drop for Lead<'_> {
    fn drop(&mut self) {
        // Once told, the place may be another's.
        if !self.has_told {
            self.joint.asked().remove(&self.wanted);
        }
    }
}
