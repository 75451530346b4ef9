//! Slots: as many items of a stage are at work at once as it has of them. An item has one from its start until its answer
//! has come. While it waits for the disk, or for an answer that somebody else has asked for, another may have it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// An item's claim to a slot of its stage: held, or given back for the time being.
#[derive(Debug)]
pub struct Slot {
    all: Arc<Semaphore>,
    held: Mutex<Option<OwnedSemaphorePermit>>,
}

impl Slot {
    /// One that is held from the beginning.
    pub fn new(held: OwnedSemaphorePermit) -> Self {
        Self { all: Arc::clone(held.semaphore()), held: Mutex::new(Some(held)) }
    }

    fn held(&self) -> MutexGuard<'_, Option<OwnedSemaphorePermit>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets another item have it.
    pub(super) fn give_back(&self) {
        self.held().take();
    }

    /// Waits until it is held, behind all that wait already. Whoever waits here must hold nothing that others wait for.
    pub(super) async fn hold(&self) {
        if self.held().is_some() {
            return;
        }
        // Slots are never closed.
        if let Ok(slot) = Arc::clone(&self.all).acquire_owned().await {
            *self.held() = Some(slot);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[test]
    fn a_slot_that_is_given_back_is_held_again_when_it_is_free() {
        let all = Arc::new(Semaphore::new(1));
        let slot = Slot::new(Arc::clone(&all).try_acquire_owned().unwrap());
        slot.hold().now_or_never().expect("it is held");
        assert_eq!(all.available_permits(), 0);
        slot.give_back();
        slot.give_back();
        assert_eq!(all.available_permits(), 1, "given back once");
        let other = Arc::clone(&all).try_acquire_owned().unwrap();
        assert!(slot.hold().now_or_never().is_none(), "another has it");
        drop(other);
        slot.hold().now_or_never().expect("it is free");
        assert_eq!(all.available_permits(), 0);
        drop(slot);
        assert_eq!(all.available_permits(), 1);
    }
}
