//! Stages that do their items one after another, since each needs what came of the one before.
//!
//! An instance waits for the same stage's instance of the item before, in the loop that both stand in most deeply. That
//! item was opened earlier, so the first that is open in a list never waits for another of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::{Conversation, End, SkipReason};
use crate::plan::{PREVIOUS, StageIx};

use super::frame::{FrameId, InstanceId};
use super::frontier::Frontier;
use super::job::Seen;

/// How far such a stage has come in one list.
#[derive(Debug, Default)]
pub(super) struct Chain {
    /// So many items have come to their end: the first ones, in their order.
    ended: u64,
    /// What the last of them came to that has a value, or whose value is not known.
    last: Option<End>,
    /// Instances that wait for the item before, by their own index.
    waiting: BTreeMap<u64, InstanceId>,
}

impl Chain {
    /// Makes an instance wait for the one before; false if that has ended.
    fn wait(&mut self, index: u64, instance: InstanceId) -> bool {
        let waits = self.ended < index;
        if waits {
            self.waiting.insert(index, instance);
        }
        waits
    }

    /// The item of this index has come to its end. Gives the one that waited for it.
    fn go_on(&mut self, index: u64, end: &End) -> Option<InstanceId> {
        self.ended = index + 1;
        // One that was skipped or has failed is passed over: what was before it is still there.
        if !matches!(end, End::Absent(reason) if !matches!(reason, SkipReason::Unknown { .. })) {
            self.last = Some(end.clone());
        }
        self.waiting.remove(&self.ended)
    }
}

impl Frontier {
    /// Makes an instance wait for the item before, if its stage goes in turn; false if it need not.
    pub(super) fn await_previous(&mut self, instance: InstanceId, stage: StageIx) -> bool {
        let index = self.index(instance.frame);
        self.plan.stage(stage).goes_in_turn() && self.chain(instance).is_some_and(|chain| chain.wait(index, instance))
    }

    /// Hands the end of an instance on to the next item, if its stage goes in turn.
    pub(super) fn pass_on(&mut self, instance: InstanceId, stage: StageIx, end: &End) -> Option<InstanceId> {
        if !self.plan.stage(stage).goes_in_turn() {
            return None;
        }
        let index = self.index(instance.frame);
        self.chain(instance)?.go_on(index, end)
    }

    /// What an instance sees of the items before it, and the conversation that it may go on with.
    pub(super) fn previous(&mut self, instance: InstanceId) -> (Seen, Option<Conversation>) {
        let first = || SkipReason::Absent { stage: Arc::from(PREVIOUS) };
        let last = self.chain(instance).and_then(|chain| chain.last.clone());
        let (value, said) = last.map_or_else(|| (Err(first()), None), End::parts);
        (value.map_or_else(Seen::Nothing, Seen::One), said)
    }

    fn index(&self, frame: FrameId) -> u64 {
        self.frames.at(frame).path.last().copied().unwrap_or(0)
    }

    fn chain(&mut self, instance: InstanceId) -> Option<&mut Chain> {
        let frame = self.frames.at(instance.frame);
        let (parent, child) = (frame.parent?, frame.child);
        Some(self.frames.at_mut(parent).children[child].chains.entry(instance.slot).or_default())
    }
}
