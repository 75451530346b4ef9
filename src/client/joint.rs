//! The same question, asked twice at the same time, is asked once: who comes first leads, the others wait for what comes
//! of it.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures::channel::oneshot;

use crate::model::{CallKey, Check, Choice};

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
}

impl Told {
    /// Whether the answer had to be what this question wants too. Who judges knows each item, so that nobody can tell.
    pub(super) fn is_for(&self, ask: &Ask) -> bool {
        let is_judged = self.is_judged || ask.terms.judge.is_some();
        !is_judged && self.answer == ask.call.answer && self.checks == ask.terms.checks
    }
}

/// Questions in flight.
#[derive(Debug, Default)]
pub(super) struct Joint {
    asked: Mutex<HashMap<Wanted, Vec<oneshot::Sender<Told>>>>,
}

/// What somebody who asks has to do.
pub(super) enum Part<'a> {
    /// Ask, and tell the others.
    Lead(Lead<'a>),
    /// Wait. Who leads may give up without a word; then somebody else has to lead.
    Follow(oneshot::Receiver<Told>),
}

/// The one who asks. When it is dropped, nobody is told anything.
#[derive(Debug)]
pub(super) struct Lead<'a> {
    joint: &'a Joint,
    wanted: Wanted,
    has_told: bool,
}

impl Joint {
    fn asked(&self) -> MutexGuard<'_, HashMap<Wanted, Vec<oneshot::Sender<Told>>>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn join(&self, wanted: Wanted) -> Part<'_> {
        match self.asked().entry(wanted) {
            std::collections::hash_map::Entry::Vacant(vacant) => {
                vacant.insert(Vec::new());
                Part::Lead(Lead { joint: self, wanted, has_told: false })
            }
            std::collections::hash_map::Entry::Occupied(mut waiting) => {
                let (told, outcome) = oneshot::channel();
                waiting.get_mut().push(told);
                Part::Follow(outcome)
            }
        }
    }
}

impl Lead<'_> {
    /// Tells those who wait.
    pub(super) fn tell(mut self, outcome: &Outcome, ask: &Ask) {
        self.has_told = true;
        let waiting = self.joint.asked().remove(&self.wanted).unwrap_or_default();
        for waits in waiting {
            let (answer, checks) = (ask.call.answer.clone(), ask.terms.checks.clone());
            let is_judged = ask.terms.judge.is_some();
            // Who no longer waits does not want to know.
            waits.send(Told { outcome: outcome.clone(), answer, checks, is_judged }).ok();
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
