//! Whatever a run uses is put on a tape as well.

use std::sync::{Arc, PoisonError, RwLock};

use futures::FutureExt;
use futures::future::BoxFuture;

use crate::model::{AnswerId, Asked, AttemptRecord, Content, Failure, FailureKind, Reply, Spent};
use crate::store::NewTape;

use super::keep::{Keep, LookUp, Standing};

/// A place where answers are kept, and a tape beside it.
#[derive(Debug)]
pub struct Recording {
    keep: Arc<dyn Keep>,
    tape: Arc<NewTape>,
    /// How many answers have come that have no place among all.
    placeless: RwLock<i64>,
}

impl Recording {
    /// Of what is kept there, and of what comes from providers.
    pub fn new(keep: Arc<dyn Keep>, tape: Arc<NewTape>) -> Self {
        Self { keep, tape, placeless: RwLock::new(0) }
    }

    async fn add(&self, asked: Asked, id: Option<AnswerId>, reply: Reply, chunks: Vec<String>) -> Result<(), Failure> {
        let order = id.map_or_else(|| self.next_placeless(), |AnswerId(id)| id);
        let tape = Arc::clone(&self.tape);
        if matches!(reply.content, Content::Text(_)) {
            return Ok(tape.add(&asked, order, &reply, &chunks)?);
        }
        // A picture is written and synced, which takes longer than anything else may wait.
        let added = tokio::task::spawn_blocking(move || tape.add(&asked, order, &reply, &chunks)).await;
        let lost = || Failure::new(FailureKind::Interrupted, "The program ended while a picture was recorded");
        Ok(added.map_err(|_| lost())??)
    }

    fn next_placeless(&self) -> i64 {
        let mut count = self.placeless.write().unwrap_or_else(PoisonError::into_inner);
        *count += 1;
        *count
    }
}

impl Keep for Recording {
    fn look_up<'a>(&'a self, look_up: LookUp<'a>) -> BoxFuture<'a, Result<Standing, Failure>> {
        async move {
            let standing = self.keep.look_up(look_up).await?;
            // One of an earlier take than the latest is not used.
            let is_used = look_up.take.is_none_or(|take| take == standing.take);
            if let Some(kept) = standing.answer.as_ref().filter(|_| is_used) {
                self.add(look_up.asked.clone(), Some(kept.id), kept.reply.clone(), Vec::new()).await?;
            }
            Ok(standing)
        }
        .boxed()
    }

    fn sending(&self, worst: Spent) -> BoxFuture<'_, Result<Option<i64>, Failure>> {
        self.keep.sending(worst)
    }

    fn hand_over(&self, record: AttemptRecord) -> BoxFuture<'_, Result<Option<AnswerId>, Failure>> {
        async move {
            let AttemptRecord { asked, chunks, outcome, .. } = record.clone();
            let id = self.keep.hand_over(record).await?;
            if let Ok(reply) = outcome {
                self.add(asked, id, reply, chunks).await?;
            }
            Ok(id)
        }
        .boxed()
    }

    fn note(&self, record: AttemptRecord) {
        self.keep.note(record);
    }

    fn judged(&self, answer: AnswerId, failure: &Failure) {
        self.keep.judged(answer, failure);
    }

    fn wants_chunks(&self) -> bool {
        true
    }

    fn has_places(&self) -> bool {
        self.keep.has_places()
    }

    fn chunks(&self, asked: &Asked, id: AnswerId) -> Vec<String> {
        self.keep.chunks(asked, id)
    }
}
