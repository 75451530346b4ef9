//! The same question, asked twice at the same time, is asked once: who comes first leads, the others wait for what comes
//! of it.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::channel::oneshot;

use tokio::sync::watch;

use crate::model::{Advice, CallKey, Check, Choice, Clocks, Failure, FailureKind};

use super::clock::{Clock, from_now, time_is_up};
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
    /// How long they could take together.
    total: Option<Duration>,
}

impl Told {
    /// Whether the answer had to be what this question wants too. Who judges knows each item, so that nobody can tell.
    pub(super) fn is_for(&self, ask: &Ask) -> bool {
        let is_judged = self.is_judged || ask.terms.judge.is_some();
        !is_judged && self.answer == ask.call.answer && self.checks == ask.terms.checks
    }

    /// Whether it was given up where this question may still go on: it may be sent more often, or take longer.
    pub(super) fn is_impatient_beside(&self, ask: &Ask) -> bool {
        let may_end_well = |failure: &Failure| {
            failure.advice() == Advice::Retry || (failure.kind == FailureKind::WrongAnswer && ask.terms.feedback)
        };
        let has_more = ask.retry.attempts > self.attempts || is_shorter(self.total, ask.clocks.total);
        has_more && self.outcome.as_ref().is_err_and(|unanswered| may_end_well(&unanswered.failure))
    }
}

/// Whether one total time is up before another that begins with it.
fn is_shorter(one: Option<Duration>, other: Option<Duration>) -> bool {
    one.is_some_and(|one| other.is_none_or(|other| one < other))
}

/// A question in flight: who waits for what comes of it.
#[derive(Debug)]
struct InFlight {
    waiting: Vec<oneshot::Sender<Told>>,
    /// Becomes true with its first request.
    begun: watch::Receiver<bool>,
    /// How long it may take.
    total: Option<Duration>,
}

/// Questions in flight.
#[derive(Debug, Default)]
pub(super) struct Joint {
    asked: Mutex<HashMap<Wanted, InFlight>>,
}

/// What somebody who asks has to do.
pub(super) enum Part<'a> {
    /// Ask, and tell the others; that the first request is sent, too.
    Lead(Lead<'a>, watch::Sender<bool>),
    /// Wait. Who leads may give up without a word; then somebody else has to lead.
    Follow(Follow),
}

/// One who waits.
#[derive(Debug)]
pub(super) struct Follow {
    told: oneshot::Receiver<Told>,
    begun: watch::Receiver<bool>,
    /// How long who leads may take.
    total: Option<Duration>,
}

impl Follow {
    /// What comes of it; nothing where who leads has given up without a word. Waiting takes no longer than the question may,
    /// from when the request is on its way: who leads may have more time.
    ///
    /// # Errors
    /// The total time is up.
    pub(super) async fn outcome(mut self, clocks: &Clocks) -> Result<Option<Told>, Failure> {
        let own = clocks.total.filter(|_| is_shorter(clocks.total, self.total));
        let too_long = async {
            if self.begun.wait_for(|begun| *begun).await.is_err() {
                // No request goes out any more.
                std::future::pending::<()>().await;
            }
            time_is_up(own.and_then(from_now)).await
        };
        tokio::select! {
            biased;
            told = self.told => Ok(told.ok()),
            limit = too_long => Err(Clock::Total.failure(limit)),
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

    /// Whoever may take so long asks for this.
    pub(super) fn join(&self, wanted: Wanted, clocks: &Clocks) -> Part<'_> {
        match self.asked().entry(wanted) {
            std::collections::hash_map::Entry::Vacant(vacant) => {
                let (telling, begun) = watch::channel(false);
                vacant.insert(InFlight { waiting: Vec::new(), begun, total: clocks.total });
                Part::Lead(Lead { joint: self, wanted, has_told: false }, telling)
            }
            std::collections::hash_map::Entry::Occupied(mut there) => {
                let (tell, told) = oneshot::channel();
                let there = there.get_mut();
                there.waiting.push(tell);
                Part::Follow(Follow { told, begun: there.begun.clone(), total: there.total })
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
            let (attempts, total) = (ask.retry.attempts, ask.clocks.total);
            // Who no longer waits does not want to know.
            waits.send(Told { outcome: outcome.clone(), answer, checks, is_judged, attempts, total }).ok();
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
