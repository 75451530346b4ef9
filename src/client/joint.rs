//! The same question, asked twice at the same time, is asked once: who comes first leads, the others wait for what comes
//! of it.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures::channel::oneshot;

use crate::model::CallKey;

use super::{Answer, Unanswered};

/// What is asked for: a call, and whether another take of it is wanted.
type Wanted = (CallKey, bool);

type Outcome = Result<Answer, Unanswered>;

/// Questions in flight.
#[derive(Debug, Default)]
pub(super) struct Joint {
    asked: Mutex<HashMap<Wanted, Vec<oneshot::Sender<Outcome>>>>,
}

/// What somebody who asks has to do.
pub(super) enum Part<'a> {
    /// Ask, and tell the others.
    Lead(Lead<'a>),
    /// Wait. Who leads may give up without a word; then somebody else has to lead.
    Follow(oneshot::Receiver<Outcome>),
}

/// The one who asks. When it is dropped, nobody is told anything.
#[derive(Debug)]
pub(super) struct Lead<'a> {
    joint: &'a Joint,
    wanted: Wanted,
    has_told: bool,
}

impl Joint {
    fn asked(&self) -> MutexGuard<'_, HashMap<Wanted, Vec<oneshot::Sender<Outcome>>>> {
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
    pub(super) fn tell(mut self, outcome: &Outcome) {
        self.has_told = true;
        let waiting = self.joint.asked().remove(&self.wanted).unwrap_or_default();
        for told in waiting {
            // Who no longer waits does not want to know.
            told.send(outcome.clone()).ok();
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
