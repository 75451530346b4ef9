//! Which instances are ready: the state of a run, which knows no task and no socket.
//!
//! A *frame* is an open item, a *cursor* reads a list for a frame, a *shelf* holds values that are reached from afar. An
//! instance is ready when every stage that it names has come to an end where it looks; it counts, and never polls.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::sync::Arc;

use crate::model::{End, EventKind, Failure, FailureKind, ItemRef, OnError, SkipReason, StageTally};
use crate::plan::{OnErrorPlan, Plan, Reach, ScopeIx, Stage, StageIx};
use crate::store::{Held, StoreError};

use super::cursor::{Cursor, Cursors};
use super::frame::{Frame, FrameId, Frames, InstanceId, Slot};
use super::job::SavedRow;
use super::lists;
use super::order::InOrder;
use super::queue::ReadyQueue;
use super::shelf::{Path, Shelf, Waiter};

/// The state of a run.
#[derive(Debug)]
pub(super) struct Frontier {
    pub(super) plan: Arc<Plan>,
    pub(super) frames: Frames,
    pub(super) shelves: Vec<Option<Shelf>>,
    pub(super) cursors: Cursors,
    pub(super) queues: Vec<ReadyQueue>,
    rows: Vec<Option<InOrder<SavedRow>>>,
    /// For each scope, the items that are open.
    pub(super) open: Vec<BTreeSet<Path>>,
    /// How many may be.
    pub(super) window: usize,
    pub(super) tallies: Vec<StageTally>,
    /// Events that have happened and were not handed out.
    pub(super) outbox: Vec<EventKind>,
    /// Rows that are next in their files.
    pub(super) rows_out: Vec<(StageIx, SavedRow)>,
    /// For each stage, those whose shelf it uses up.
    feeds: Vec<Vec<StageIx>>,
    /// For each scope and stage, where the stage stands among those beneath.
    beneath: Vec<Vec<usize>>,
    ready: Vec<InstanceId>,
    pub(super) ends: Vec<(InstanceId, End, Option<SavedRow>)>,
    pub(super) root: FrameId,
    pub(super) is_over: bool,
    pub(super) is_stopped: bool,
    /// A list that turned out wrong while it was read, and the failure of an instance that never came to be.
    pub(super) broken: Vec<(ItemRef, StageIx, Failure)>,
    /// What can't be held, or is held and can't be read: the run ends.
    pub(super) unheld: Option<Failure>,
    pub(super) stdin: lists::Stdin,
    /// Stages with instances of which nobody knows how many there are, since the list of a loop around them is not known;
    /// and the stage whose value that list is made of.
    pub(super) uncounted: BTreeMap<StageIx, StageIx>,
}

/// How many items of a scope may be open at once, unless the caller says.
fn usual_window(plan: &Plan) -> usize {
    let most = plan.stages.iter().map(|stage| stage.concurrency).max().unwrap_or(1);
    most.saturating_mul(8).max(1024)
}

fn shelf(ix: StageIx, stage: &Stage, held: &Arc<Held>) -> Option<Shelf> {
    stage.shelf.as_ref().map(|shelving| Shelf::new(ix, shelving, held.clone()))
}

/// Notes what can't be held, if it is the first.
pub(super) fn note(unheld: &mut Option<Failure>, held: Result<(), StoreError>) {
    if let Err(error) = held {
        unheld.get_or_insert_with(|| error.into());
    }
}

impl Frontier {
    pub(super) fn new(
        plan: Arc<Plan>,
        queues: Vec<ReadyQueue>,
        stdin: lists::Stdin,
        held: &Arc<Held>,
        window: Option<NonZeroUsize>,
    ) -> Self {
        let stages = plan.stages.len();
        let mut feeds = vec![Vec::new(); stages];
        for (ix, stage) in plan.stage_ixs() {
            for consumer in stage.shelf.iter().filter(|shelf| !shelf.to_the_end).flat_map(|shelf| &shelf.consumers) {
                feeds[consumer.0].push(ix);
            }
        }
        let positions = |beneath: &[StageIx]| {
            let mut at = vec![usize::MAX; stages];
            beneath.iter().enumerate().for_each(|(position, stage)| at[stage.0] = position);
            at
        };
        let mut frames = Frames::default();
        let root = frames.insert(Frame::root(plan.scope(ScopeIx::ROOT)));
        Self {
            frames,
            shelves: plan.stage_ixs().map(|(ix, stage)| shelf(ix, stage, held)).collect(),
            cursors: Cursors::new(plan.scopes.len()),
            queues,
            rows: plan.stages.iter().map(|stage| stage.has_rows().then(InOrder::default)).collect(),
            open: vec![BTreeSet::new(); plan.scopes.len()],
            window: window.map_or_else(|| usual_window(&plan), NonZeroUsize::get),
            tallies: vec![StageTally::default(); stages],
            outbox: Vec::new(),
            rows_out: Vec::new(),
            feeds,
            beneath: plan.scopes.iter().map(|scope| positions(&scope.beneath)).collect(),
            ready: Vec::new(),
            ends: Vec::new(),
            root,
            is_over: false,
            is_stopped: false,
            broken: Vec::new(),
            unheld: None,
            stdin,
            uncounted: BTreeMap::new(),
            plan,
        }
    }

    /// Opens the run itself.
    pub(super) fn start(&mut self) {
        self.furnish(self.root);
        if self.frames.at(self.root).unfinished == 0 {
            self.is_over = true;
        }
        self.go_on();
    }

    /// Works off what has become ready and what has ended, until nothing follows from it.
    pub(super) fn go_on(&mut self) {
        loop {
            if let Some((instance, end, row)) = self.ends.pop() {
                self.end(instance, end, row);
            } else if let Some(instance) = self.ready.pop() {
                self.make_ready(instance);
            } else {
                return;
            }
        }
    }

    /// Nothing more starts; what is in flight may still come back.
    pub(super) fn stop(&mut self) {
        self.is_stopped = true;
        self.cursors.close_all();
        self.queues.iter().for_each(ReadyQueue::close);
    }

    pub(super) fn position(&self, frame: FrameId, stage: StageIx) -> usize {
        self.beneath[self.frames.at(frame).scope.0][stage.0]
    }

    /// Makes the instances of a frame wait for what they name, and its lists for what they are made of.
    pub(super) fn furnish(&mut self, id: FrameId) {
        let plan = self.plan.clone();
        let (scope, path) = (self.frames.at(id).scope, self.frames.at(id).path.clone());
        let level = plan.scope(scope);
        for stage in &level.beneath {
            let own = plan.stage(*stage).scope == scope;
            if let Some(rows) = &mut self.rows[stage.0]
                && (own || level.level > 0)
            {
                rows.expect(&path);
            }
        }
        for (slot, stage) in level.stages.iter().enumerate() {
            self.tallies[stage.0].instances += 1;
            if plan.known_instances(plan.stage(*stage)).is_none() {
                self.outbox.push(EventKind::InstancesFound { stage: plan.stage(*stage).name.clone(), count: 1 });
            }
            self.wire(InstanceId { frame: id, slot }, *stage);
        }
        for (child, scope) in level.children.iter().enumerate() {
            let keys = lists::names_files(&plan, *scope).then(Default::default);
            let cursor = Cursor { scope: *scope, frame: id, child, rows: None, next: 0, keys };
            let cursor = self.cursors.insert(cursor);
            self.await_list(cursor);
            self.try_open(cursor);
        }
    }

    fn wire(&mut self, instance: InstanceId, stage: StageIx) {
        let plan = self.plan.clone();
        let mut waiting = 0;
        for one in &plan.stage(stage).refs {
            match one.reach {
                Reach::Near { up, slot } => {
                    let frame = self.up(instance.frame, up);
                    let frame = self.frames.at_mut(frame);
                    if frame.end(slot).is_none() {
                        frame.waiters[slot].push(instance);
                        waiting += 1;
                    }
                }
                Reach::Far { len, .. } => {
                    let path = self.frames.at(instance.frame).path.clone();
                    if self.wait_for(one.stage, &path[..len], Waiter::Instance(instance)) {
                        waiting += 1;
                    }
                }
            }
        }
        waiting += usize::from(self.await_previous(instance, stage));
        self.frames.at_mut(instance.frame).slots[instance.slot] = Slot::Waiting(waiting);
        if waiting == 0 {
            self.ready.push(instance);
        }
    }

    fn up(&self, frame: FrameId, up: usize) -> FrameId {
        (0..up).fold(frame, |frame, _| self.frames.at(frame).parent.unwrap_or(self.root))
    }

    /// Waits until a stage is complete under a path; false if it is.
    pub(super) fn wait_for(&mut self, stage: StageIx, path: &[u64], waiter: Waiter) -> bool {
        let Some(held) = &mut self.shelves[stage.0] else { return false };
        let waits = !held.is_complete(path);
        if waits {
            held.wait(path, waiter);
        }
        waits
    }

    /// An instance has come to its end.
    fn end(&mut self, instance: InstanceId, end: End, row: Option<SavedRow>) {
        let scope = self.frames.at(instance.frame).scope;
        let stage = self.plan.scope(scope).stages[instance.slot];
        if let End::Absent(reason @ SkipReason::Unknown { .. }) = &end {
            let path = self.frames.at(instance.frame).path.clone();
            self.hide(stage, &path, reason);
        }
        if let Some(next) = self.pass_on(instance, stage, &end) {
            self.wake(next);
        }
        let frame = self.frames.at_mut(instance.frame);
        if let Some(shelf) = &mut self.shelves[stage.0] {
            let put = shelf.put(&frame.path, &end);
            note(&mut self.unheld, put);
        }
        frame.slots[instance.slot] = Slot::Ended(end);
        for waiter in std::mem::take(&mut frame.waiters[instance.slot]) {
            self.wake(waiter);
        }
        self.complete(instance.frame, stage, row);
        self.one_less(instance.frame);
    }

    /// Lets no one collect a stage under a prefix of `path`, where something of it is not known.
    pub(super) fn hide(&mut self, stage: StageIx, path: &Path, reason: &SkipReason) {
        let Some(rows) = &mut self.shelves[stage.0] else { return };
        for len in 0..path.len() {
            let hidden = match rows.barren(&path[..len]) {
                Ok(None) => rows.set_barren(&path[..len].into(), reason),
                Ok(Some(_)) => Ok(()),
                Err(error) => Err(error),
            };
            note(&mut self.unheld, hidden);
        }
    }

    fn wake(&mut self, instance: InstanceId) {
        if let Slot::Waiting(waiting) = &mut self.frames.at_mut(instance.frame).slots[instance.slot] {
            *waiting -= 1;
            if *waiting == 0 {
                self.ready.push(instance);
            }
        }
    }

    /// A stage has come to its end under a frame: all its instances there have.
    pub(super) fn complete(&mut self, id: FrameId, stage: StageIx, row: Option<SavedRow>) {
        let frame = self.frames.at(id);
        let (path, parent, child) = (frame.path.clone(), frame.parent, frame.child);
        if let Some(rows) = &mut self.rows[stage.0] {
            if rows.settle(&path, row).is_err() {
                let message = "a row came out after those that follow it were written";
                let item = ItemRef { stage: self.plan.stage(stage).name.clone(), key: None, path: path.clone() };
                let failure = Failure::new(FailureKind::Internal, message).suggest("please report it");
                self.broken.push((item, stage, failure));
            }
            self.rows_out.extend(std::iter::from_fn(|| rows.next()).map(|row| (stage, row)));
        }
        let waiters = self.shelves[stage.0].as_mut().map(|shelf| shelf.complete(&path)).unwrap_or_default();
        for waiter in waiters {
            match waiter {
                Waiter::Instance(instance) => self.wake(instance),
                Waiter::Cursor(cursor) => self.try_open(cursor),
            }
        }
        for fed in self.feeds[stage.0].clone() {
            let is_shared = self.plan.stage(fed).shelf.as_ref().is_some_and(|shelving| path.len() <= shelving.len);
            if let (true, Some(shelf)) = (is_shared, &mut self.shelves[fed.0]) {
                let consumed = shelf.consume(&path, stage);
                note(&mut self.unheld, consumed);
            }
        }
        if let Some(parent) = parent {
            let at = self.position(parent, stage);
            let around = self.frames.at_mut(parent);
            around.joins[at] -= 1;
            if around.joins[at] == 0 && around.children[child].exhausted {
                self.complete(parent, stage, None);
            }
        }
    }

    /// One less is open in a frame; without any, it closes.
    pub(super) fn one_less(&mut self, id: FrameId) {
        let frame = self.frames.at_mut(id);
        frame.unfinished -= 1;
        if frame.unfinished > 0 {
            return;
        }
        let (scope, parent, child) = (frame.scope, frame.parent, frame.child);
        let Some(parent) = parent else {
            self.is_over = true;
            return;
        };
        self.open[scope.0].remove(&frame.path);
        self.frames.remove(id);
        let around = &mut self.frames.at_mut(parent).children[child];
        around.open -= 1;
        if around.open == 0 && around.exhausted {
            self.one_less(parent);
        }
    }

    /// Whether an item may be opened: there is room for it, or it comes before all that are open. These may hold on to
    /// their places until it has come to its end.
    pub(super) fn may_open(&self, scope: ScopeIx, place: &[u64]) -> bool {
        let open = &self.open[scope.0];
        open.len() < self.window || open.first().is_none_or(|first| *place < **first)
    }

    /// Whether an item would add to rows that wait for one before it, of which there are as many as items may be open: so
    /// one slow item does not have all that comes after it held in memory.
    pub(super) fn is_far_ahead(&self, scope: ScopeIx, place: &[u64]) -> bool {
        let rows = self.plan.scope(scope).beneath.iter().filter_map(|stage| self.rows[stage.0].as_ref());
        rows.into_iter().any(|rows| rows.held() >= self.window && rows.is_behind_held(place))
    }

    /// Rows that have come but whose turn never did, since the run ends before it.
    pub(super) fn rows_left(&mut self) -> Vec<(StageIx, SavedRow)> {
        let stages = self.rows.iter_mut().enumerate();
        stages
            .flat_map(|(ix, rows)| {
                rows.iter_mut().flat_map(InOrder::drain).map(move |row| (StageIx(ix), row)).collect::<Vec<_>>()
            })
            .collect()
    }

    /// Whether a failure of this stage ends the run.
    pub(super) fn stops_on_failure(&self, stage: StageIx) -> bool {
        // Where a value should have stood in and could not, nobody has said that the run goes on.
        !matches!(self.plan.stage(stage).on_error, OnErrorPlan::Simply(OnError::Continue))
    }

    /// Whether more of a stage's instances have failed than it allows.
    pub(super) fn has_too_many_failures(&self, stage: StageIx) -> bool {
        let (policy, tally) = (self.plan.stage(stage), &self.tallies[stage.0]);
        let goes_on = matches!(policy.on_error, OnErrorPlan::Simply(OnError::Continue));
        goes_on && policy.max_failures.is_some_and(|limit| limit.is_passed(tally.failed, tally.instances_ended()))
    }
}
