//! Answers come from a tape, and from nowhere else.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use futures::FutureExt;
use futures::future::{BoxFuture, ready};
use jiff::Timestamp;

use crate::model::{AnswerId, Asked, AttemptRecord, Failure, FailureKind, KeptAnswer, Likeness, differences};
use crate::store::{StoreError, Tape, TapedCall};

use super::keep::{Keep, LookUp, Standing};

/// Fields that are named of the nearest call.
const MOST_FIELDS: usize = 6;

/// A tape that answers. It is all that may be asked.
#[derive(Debug)]
pub struct Replaying {
    tape: Tape,
    /// The calls of a stage, looked through when the first one of it is missing.
    likenesses: Mutex<HashMap<Arc<str>, Arc<Vec<Likeness>>>>,
}

impl Replaying {
    /// Of this tape.
    pub fn new(tape: Tape) -> Self {
        Self { tape, likenesses: Mutex::default() }
    }

    fn standing(&self, look_up: LookUp<'_>) -> Result<Standing, Failure> {
        let mut answers = self.tape.answers(look_up.asked.key)?;
        answers.truncate(look_up.before.map_or(usize::MAX, |AnswerId(id)| usize::try_from(id).unwrap_or_default()));
        let Some(taped) = answers.pop() else { return Err(self.missing(look_up.asked)?) };
        let id = AnswerId(i64::try_from(answers.len()).unwrap_or(i64::MAX));
        let answer = Some(KeptAnswer { id, at: Timestamp::UNIX_EPOCH, lane: None, reply: taped.reply });
        Ok(Standing { take: 0, answer })
    }

    /// Why there is no answer: what is there instead.
    fn missing(&self, asked: &Asked) -> Result<Failure, StoreError> {
        let (tape, stage) = (self.tape.path().display(), &asked.stage);
        let message = match self.nearest(asked)? {
            None => format!("The tape has no call of `{stage}` at all (`{tape}`)"),
            Some(TapedCall { line, canonical }) => {
                let differences = differences(&canonical, &asked.canonical);
                let more = differences.len().saturating_sub(MOST_FIELDS);
                let mut shown: Vec<String> = differences.iter().take(MOST_FIELDS).map(ToString::to_string).collect();
                if more > 0 {
                    shown.push(format!("and {more} more fields"));
                }
                let nearest = format!("the nearest of `{stage}`, in line {line} of `{tape}`, differs");
                format!("The tape has no such call; {nearest}: {}", shown.join("; "))
            }
        };
        Ok(Failure::new(FailureKind::NotRecorded, message)
            .suggest(format!("record it again with `--record {tape}`, or ask as it was recorded")))
    }

    fn nearest(&self, asked: &Asked) -> Result<Option<TapedCall>, StoreError> {
        let likenesses = self.likenesses(&asked.stage)?;
        let Some(at) = Likeness::of(&asked.canonical).nearest(likenesses.iter()) else { return Ok(None) };
        self.tape.call_of(&asked.stage, at)
    }

    fn likenesses(&self, stage: &Arc<str>) -> Result<Arc<Vec<Likeness>>, StoreError> {
        let mut known = self.likenesses.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = known.get(stage) {
            return Ok(Arc::clone(known));
        }
        let mut likenesses = Vec::new();
        while let Some(call) = self.tape.call_of(stage, likenesses.len())? {
            likenesses.push(Likeness::of(&call.canonical));
        }
        let likenesses = Arc::new(likenesses);
        known.insert(stage.clone(), Arc::clone(&likenesses));
        Ok(likenesses)
    }
}

impl Keep for Replaying {
    /// However old an answer is, and whatever take it was, it is the only one there.
    fn look_up<'a>(&'a self, look_up: LookUp<'a>) -> BoxFuture<'a, Result<Standing, Failure>> {
        ready(self.standing(look_up)).boxed()
    }

    /// Nothing is ever sent, so nothing comes.
    fn hand_over(&self, _record: AttemptRecord) -> BoxFuture<'_, Result<Option<AnswerId>, Failure>> {
        ready(Ok(None)).boxed()
    }

    fn note(&self, _record: AttemptRecord) {}

    fn has_places(&self) -> bool {
        false
    }

    fn chunks(&self, asked: &Asked, id: AnswerId) -> Vec<String> {
        let at = usize::try_from(id.0).unwrap_or_default();
        let taped = self.tape.answers(asked.key).ok().and_then(|answers| answers.into_iter().nth(at));
        taped.map(|taped| taped.chunks).unwrap_or_default()
    }
}
