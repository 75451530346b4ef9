//! Permits to send, as things to wait for: cancel-safe, and given back when they are dropped.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use crate::model::{EventKind, LaneRef};

use super::admission::{Admission, Aftermath, End, Granted, LaneId, Ticket, Wish};
use super::lane::LaneReport;

/// The desk where permits are given out.
#[derive(Debug)]
pub(super) struct Permits {
    admission: Mutex<Admission>,
}

/// A permit to send one request. Dropping it gives it back, and says nothing about the lane.
#[derive(Debug)]
pub(super) struct Permit<'a> {
    permits: &'a Permits,
    granted: Option<Granted>,
    is_accepted: bool,
}

/// A place in the queue, left when it is dropped.
struct Place<'a> {
    permits: &'a Permits,
    ticket: Ticket,
    bell: Arc<Notify>,
}

impl Permits {
    pub(super) fn new(admission: Admission) -> Self {
        Self { admission: Mutex::new(admission) }
    }

    fn admission(&self) -> MutexGuard<'_, Admission> {
        self.admission.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn lane(&self, provider: usize, name: &LaneRef, ceiling: u32) -> LaneId {
        self.admission().lane(provider, name, ceiling)
    }

    pub(super) fn bound(&self, provider: usize, ceiling: u32) {
        self.admission().bound(provider, ceiling);
    }

    pub(super) fn reports(&self) -> Vec<LaneReport> {
        self.admission().reports()
    }

    /// Waits until a request may be sent.
    pub(super) async fn acquire(&self, wish: Wish) -> Permit<'_> {
        let bell = Arc::new(Notify::new());
        let permit = |granted| Permit { permits: self, granted: Some(granted), is_accepted: false };
        let ticket = {
            let mut admission = self.admission();
            let ticket = admission.join(wish, Arc::clone(&bell), Instant::now());
            // Most go at once, and leave no place behind.
            if let Some(granted) = admission.pick_up(&ticket) {
                return permit(granted);
            }
            ticket
        };
        let place = Place { permits: self, ticket, bell };
        loop {
            let looked = self.admission().look(&place.ticket, Instant::now());
            match looked {
                Ok(granted) => return permit(granted),
                Err(None) => place.bell.notified().await,
                Err(Some(alarm)) => {
                    tokio::select! {
                        () = place.bell.notified() => {}
                        () = sleep_until(alarm) => {}
                    }
                }
            }
        }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.permits.admission().withdraw(&self.ticket, Instant::now());
    }
}

impl Permit<'_> {
    /// The server has begun to answer: it has not refused. Says what changes by that.
    pub(super) fn accept(&mut self) -> Option<EventKind> {
        if std::mem::replace(&mut self.is_accepted, true) {
            return None;
        }
        let granted = self.granted.as_ref()?;
        self.permits.admission().accept(granted, Instant::now())
    }

    /// The request has come to an end.
    pub(super) fn finish(mut self, end: End) -> Aftermath {
        self.give_back(end)
    }

    fn give_back(&mut self, end: End) -> Aftermath {
        match self.granted.take() {
            Some(granted) => self.permits.admission().leave(&granted, end, Instant::now()),
            None => Aftermath::default(),
        }
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.give_back(End::Other);
    }
}
