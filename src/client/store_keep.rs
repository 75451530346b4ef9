//! Answers are kept in a store, under a run.

use futures::FutureExt;
use futures::future::{BoxFuture, ready};
use jiff::Timestamp;

use crate::model::{AnswerId, AttemptRecord, Failure, KeptAnswer, Reuse, Spent};
use crate::store::{RunId, Store};

use super::keep::{Keep, LookUp, Standing};

/// The store, as a run uses it.
#[derive(Debug, Clone)]
pub struct StoreKeep {
    store: Store,
    run: RunId,
    /// The first run of the line that this one goes on with.
    root: RunId,
}

impl StoreKeep {
    /// For a run, and the first run of the line that it goes on with; itself, if it goes on with none.
    pub fn new(store: Store, run: RunId, root: RunId) -> Self {
        Self { store, run, root }
    }

    /// To look up alone, as a run would that has not begun yet.
    pub fn to_read(store: Store) -> Self {
        let nobody = RunId(0);
        Self { store, run: nobody, root: nobody }
    }
}

impl Keep for StoreKeep {
    /// The look-up is a read of some pages that are mostly in memory: shorter than handing it to another thread.
    fn look_up<'a>(&'a self, look_up: LookUp<'a>) -> BoxFuture<'a, Result<Standing, Failure>> {
        let standing = self.store.look_up(look_up.asked, look_up.before).map(|found| {
            // A take that this line of runs has made itself is as fresh as can be.
            let is_stale = look_up.fresh && found.made_by.is_some_and(|root| root != self.root);
            if is_stale {
                return Standing { take: found.take.saturating_add(1), answer: None };
            }
            let answer = found.answer.filter(|answer| is_recent(answer, look_up.reuse));
            Standing { take: found.take, answer }
        });
        ready(standing.map_err(Failure::from)).boxed()
    }

    fn sending(&self, worst: Spent) -> BoxFuture<'_, Result<Option<i64>, Failure>> {
        async move { Ok(Some(self.store.sending(self.run, worst).await?)) }.boxed()
    }

    fn hand_over(&self, record: AttemptRecord) -> BoxFuture<'_, Result<Option<AnswerId>, Failure>> {
        async { Ok(Some(AnswerId(self.store.keep(self.run, record).await?))) }.boxed()
    }

    fn note(&self, record: AttemptRecord) {
        self.store.note(self.run, record);
    }

    fn judged(&self, answer: AnswerId, failure: &Failure) {
        self.store.note_verdict(answer, failure);
    }
}

fn is_recent(answer: &KeptAnswer, reuse: Reuse) -> bool {
    match reuse {
        Reuse::Always => true,
        Reuse::Never => false,
        Reuse::For(time) => Timestamp::now().duration_since(answer.at).unsigned_abs() <= time,
    }
}
