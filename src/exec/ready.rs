//! An instance that waits for nothing more: it is skipped, or it goes into the queue with all it needs.

use std::sync::Arc;

use crate::model::{Conversation, End, EventKind, Failure, ItemRef, Order, SkipReason};
use crate::plan::{Continues, PREVIOUS, Reach, Ref, Stage, StageIx};

use super::frame::{FrameId, InstanceId, Slot};
use super::frontier::Frontier;
use super::job::{Around, Job, Seen};
use super::lists::passed_on;

impl Frontier {
    pub(super) fn make_ready(&mut self, instance: InstanceId) {
        let plan = self.plan.clone();
        let ix = plan.scope(self.frames.at(instance.frame).scope).stages[instance.slot];
        let stage = plan.stage(ix);
        let item = self.item_ref(stage, instance.frame);
        self.frames.at_mut(instance.frame).slots[instance.slot] = Slot::Going;
        let mut seen: Vec<(Arc<str>, Seen)> = Vec::with_capacity(stage.refs.len());
        let mut before = None;
        for one in &stage.refs {
            let (found, said) = match self.see_with_talk(instance.frame, one) {
                Ok(found) => found,
                Err(failure) => {
                    self.unheld.get_or_insert(failure);
                    return;
                }
            };
            // With something unknown it goes on: whether it is skipped may be known all the same.
            let is_unknown = matches!(&found, Seen::Nothing(SkipReason::Unknown { .. }));
            if let (Seen::Nothing(reason), false) = (&found, one.optional || is_unknown) {
                let reason = passed_on(reason, &plan.stage(one.stage).name);
                self.skip(ix, instance, item, reason);
                return;
            }
            seen.push((plan.stage(one.stage).name.clone(), found));
            if stage.continues() == Some(Continues::Stage(one.stage)) {
                before = said;
            }
        }
        if stage.goes_in_turn() {
            let (found, said) = self.previous(instance);
            seen.push((Arc::from(PREVIOUS), found));
            if stage.continues() == Some(Continues::Previous) {
                before = said;
            }
        }
        let frame = self.frames.at(instance.frame);
        let job = Job {
            stage: ix,
            instance,
            order: Order { depth: stage.depth, path: frame.path.clone() },
            file_key: frame.file_key.clone(),
            around: self.around(instance.frame),
            seen,
            before,
            item: item.clone(),
        };
        self.outbox.push(EventKind::Ready { item });
        self.queues[ix.0].push(Box::new(job));
    }

    pub(super) fn item_ref(&self, stage: &Stage, frame: FrameId) -> ItemRef {
        let frame = self.frames.at(frame);
        let key = (!frame.path.is_empty()).then(|| frame.key.clone());
        ItemRef { stage: stage.name.clone(), key, path: frame.path.clone() }
    }

    /// What an instance sees of a stage, all of whose instances there have ended.
    ///
    /// # Errors
    /// It is held on the disk, and can't be read.
    pub(super) fn see(&mut self, frame: FrameId, one: &Ref) -> Result<Seen, Failure> {
        self.see_with_talk(frame, one).map(|(seen, _)| seen)
    }

    /// The same with what was said, where that is carried along.
    fn see_with_talk(&mut self, frame: FrameId, one: &Ref) -> Result<(Seen, Option<Conversation>), Failure> {
        let end = match one.reach {
            Reach::Near { up, slot } => self.frames.chain(frame).nth(up).and_then(|frame| frame.end(slot)).cloned(),
            Reach::Far { len, collect } => {
                let Some(held) = &mut self.shelves[one.stage.0] else { return Ok((absent(one, self), None)) };
                let path = &self.frames.at(frame).path[..len];
                if collect {
                    let seen = match held.barren(path)? {
                        Some(reason) => Seen::Nothing(reason),
                        None => Seen::All(held.collect(path)),
                    };
                    return Ok((seen, None));
                }
                held.get(path)?
            }
        };
        let Some((value, said)) = end.map(End::parts) else { return Ok((absent(one, self), None)) };
        Ok((value.map_or_else(Seen::Nothing, Seen::One), said))
    }

    fn around(&self, frame: FrameId) -> Vec<Around> {
        let mut around: Vec<Around> = self
            .frames
            .chain(frame)
            .filter_map(|frame| {
                let of = self.plan.scope(frame.scope).of?;
                Some(Around {
                    name: self.plan.loop_at(of).name.clone(),
                    item: frame.item.clone(),
                    line: frame.line,
                    index: frame.path.last().copied().unwrap_or(0),
                    key: frame.own_key.clone(),
                })
            })
            .collect();
        around.reverse();
        around
    }

    /// An instance that is not run.
    pub(super) fn skip(&mut self, stage: StageIx, instance: InstanceId, item: ItemRef, reason: SkipReason) {
        let tally = &mut self.tallies[stage.0];
        match &reason {
            SkipReason::Failed { .. } => tally.skipped_after_failure += 1,
            SkipReason::When | SkipReason::Absent { .. } => tally.skipped += 1,
            SkipReason::Unknown { .. } => {}
        }
        self.outbox.push(EventKind::Skipped { item, reason: reason.clone() });
        self.ends.push((instance, End::Absent(reason), None));
    }
}

/// Nothing is there, as after a run that was stopped.
fn absent(one: &Ref, frontier: &Frontier) -> Seen {
    Seen::Nothing(SkipReason::Absent { stage: frontier.plan.stage(one.stage).name.clone() })
}
