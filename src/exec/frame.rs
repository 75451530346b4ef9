//! An item that is open: its instances, what they came to, and what is still to come beneath it.

use std::collections::BTreeMap;
use std::num::NonZeroU64;
use std::sync::Arc;

use crate::model::{End, Json};
use crate::plan::{Scope, ScopeIx};

use super::chain::Chain;

/// A frame, by its place in the arena; places are used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct FrameId(pub(super) usize);

/// An instance: a slot of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct InstanceId {
    pub(super) frame: FrameId,
    pub(super) slot: usize,
}

/// An instance in its frame.
#[derive(Debug)]
pub(super) enum Slot {
    /// Waits for so many others.
    Waiting(usize),
    /// In the queue or in flight.
    Going,
    /// At an end.
    Ended(End),
}

/// One open item of one scope; the root frame is the run itself.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) scope: ScopeIx,
    pub(super) parent: Option<FrameId>,
    /// Which child of the parent's scope this is.
    pub(super) child: usize,
    /// The index in each loop, outermost first.
    pub(super) path: Arc<[u64]>,
    pub(super) item: Arc<Json>,
    /// The line of its file on which it begins, from 1.
    pub(super) line: Option<NonZeroU64>,
    /// What the item itself is called.
    pub(super) own_key: Arc<str>,
    /// The same with those of the loops around, joined by `/`.
    pub(super) key: Arc<str>,
    /// As `key`, but unlike that of any other item of the stage.
    pub(super) file_key: Arc<str>,
    pub(super) slots: Vec<Slot>,
    /// For each slot, the instances that wait for its end.
    pub(super) waiters: Vec<Vec<InstanceId>>,
    /// For each child scope: whether all its items have been read, and how many are open.
    pub(super) children: Vec<Child>,
    /// For each stage beneath, in how many open frames directly below it is not complete.
    pub(super) joins: Vec<u64>,
    /// Instances without an end, and child scopes that are not closed.
    pub(super) unfinished: usize,
}

/// A child scope of a frame.
#[derive(Debug, Default)]
pub(super) struct Child {
    pub(super) exhausted: bool,
    pub(super) open: u64,
    /// Those of its stages that go in turn, by their slots.
    pub(super) chains: BTreeMap<usize, Chain>,
}

impl Frame {
    pub(super) fn root(scope: &Scope) -> Self {
        let empty: Arc<str> = Arc::from("");
        let mut frame = Self {
            scope: ScopeIx::ROOT,
            parent: None,
            child: 0,
            path: Arc::from([]),
            item: Arc::new(Json::Null),
            line: None,
            own_key: empty.clone(),
            key: empty.clone(),
            file_key: empty,
            slots: Vec::new(),
            waiters: Vec::new(),
            children: Vec::new(),
            joins: Vec::new(),
            unfinished: 0,
        };
        frame.furnish(scope);
        frame
    }

    /// Makes room for what a scope holds.
    pub(super) fn furnish(&mut self, scope: &Scope) {
        self.slots = scope.stages.iter().map(|_| Slot::Waiting(0)).collect();
        self.waiters = scope.stages.iter().map(|_| Vec::new()).collect();
        self.children = scope.children.iter().map(|_| Child::default()).collect();
        self.joins = vec![0; scope.beneath.len()];
        self.unfinished = scope.stages.len() + scope.children.len();
    }

    pub(super) fn end(&self, slot: usize) -> Option<&End> {
        if let Slot::Ended(end) = &self.slots[slot] { Some(end) } else { None }
    }
}

/// Frames that are open. Closed ones leave their place to the next.
#[derive(Debug, Default)]
pub(super) struct Frames {
    frames: Vec<Option<Frame>>,
    free: Vec<usize>,
}

impl Frames {
    pub(super) fn insert(&mut self, frame: Frame) -> FrameId {
        if let Some(ix) = self.free.pop() {
            self.frames[ix] = Some(frame);
            return FrameId(ix);
        }
        self.frames.push(Some(frame));
        FrameId(self.frames.len() - 1)
    }

    pub(super) fn remove(&mut self, id: FrameId) {
        self.frames[id.0] = None;
        self.free.push(id.0);
    }

    /// The frame `id`, which is open as long as anything in it is not at an end.
    pub(super) fn at(&self, id: FrameId) -> &Frame {
        self.frames[id.0].as_ref().expect("a frame closes only after all that names it")
    }

    pub(super) fn at_mut(&mut self, id: FrameId) -> &mut Frame {
        self.frames[id.0].as_mut().expect("a frame closes only after all that names it")
    }

    /// The frame and those around it, innermost first.
    pub(super) fn chain(&self, id: FrameId) -> impl Iterator<Item = &Frame> {
        std::iter::successors(Some(self.at(id)), |frame| frame.parent.map(|parent| self.at(parent)))
    }
}
