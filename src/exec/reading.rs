//! Lists are opened as soon as what they are made of is there, and read as long as there is room for items.

use std::sync::Arc;
use std::task::{Context, Poll};

use futures::StreamExt;

use crate::model::{EventKind, Failure, FailureKind, ItemRef, Json, SkipReason};
use crate::plan::{LoopIx, LoopSource, ScopeIx};
use crate::source::{Row, SourceError};

use super::cursor::CursorId;
use super::frame::FrameId;
use super::frontier::{Frontier, note};
use super::lists;
use super::shelf::{Path, Waiter};

/// So many lists of one loop may be waited for at once.
const MOST_PENDING: u32 = 8;

impl Frontier {
    /// Reads lists and opens items, at most `budget` of them. Ready if anything has come of it.
    pub(super) fn read(&mut self, cx: &mut Context<'_>, budget: usize) -> Poll<()> {
        let mut steps = 0;
        // Deeper scopes come later in the plan: their items let open ones end.
        for scope in (1..self.plan.scopes.len()).rev().map(ScopeIx) {
            let (mut after, mut pending): (Option<(Path, CursorId)>, u32) = (None, 0);
            while !self.is_stopped {
                let Some((path, id)) = self.cursors.readable(scope, after.as_ref()) else { break };
                let place = self.cursors.place(id, &path);
                if !self.may_open(scope, &place) {
                    break;
                }
                match self.next_row(id, &place, cx) {
                    Poll::Pending => {
                        // Lists ahead are begun as well, but not all of them.
                        pending += 1;
                        if pending == MOST_PENDING {
                            break;
                        }
                        after = Some((path, id));
                        continue;
                    }
                    Poll::Ready(None) => self.exhaust(id, &path),
                    Poll::Ready(Some(Ok(row))) => self.open_item(id, &row),
                    Poll::Ready(Some(Err(error))) => {
                        self.break_off(id, &path, Failure::new(FailureKind::BadRequest, error.to_string()));
                    }
                }
                self.go_on();
                steps += 1;
                if steps == budget {
                    return Poll::Ready(());
                }
            }
        }
        if steps > 0 { Poll::Ready(()) } else { Poll::Pending }
    }

    /// The next row of a list, which is opened if it is not.
    fn next_row(
        &mut self,
        id: CursorId,
        place: &[u64],
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Row, SourceError>>> {
        let Some(cursor) = self.cursors.get(id) else { return Poll::Ready(None) };
        // Nobody needs to wake this: rows leave when an instance comes back, and then lists are looked at again.
        if self.is_far_ahead(cursor.scope, place) {
            return Poll::Pending;
        }
        let opened = match &cursor.rows {
            Some(_) => None,
            None => match lists::rows(&self.plan, cursor.scope, &self.stdin) {
                Ok(rows) => Some(rows),
                Err(error) => return Poll::Ready(Some(Err(error))),
            },
        };
        let Some(cursor) = self.cursors.get_mut(id) else { return Poll::Ready(None) };
        if opened.is_some() {
            cursor.rows = opened;
        }
        cursor.rows.as_mut().map_or(Poll::Ready(None), |rows| rows.poll_next_unpin(cx))
    }

    fn open_item(&mut self, id: CursorId, row: &Row) {
        let Some(cursor) = self.cursors.get_mut(id) else { return };
        cursor.next += 1;
        let (scope, parent_id, child) = (cursor.scope, cursor.frame, cursor.child);
        let parent = self.frames.at(parent_id);
        let mut frame = lists::frame(row, scope, parent_id, parent, cursor.keys.as_mut());
        frame.child = child;
        let level = self.plan.scope(scope);
        frame.furnish(level);
        let positions: Vec<usize> = level.beneath.iter().map(|stage| self.position(parent_id, *stage)).collect();
        let path = frame.path.clone();
        let frame = self.frames.insert(frame);
        let parent = self.frames.at_mut(parent_id);
        parent.children[child].open += 1;
        for at in positions {
            parent.joins[at] += 1;
        }
        self.open[scope.0].insert(path);
        self.furnish(frame);
    }

    /// Makes a list wait for what it is made of.
    pub(super) fn await_list(&mut self, id: CursorId) {
        let Some(cursor) = self.cursors.get(id) else { return };
        let (scope, path) = (cursor.scope, self.frames.at(cursor.frame).path.clone());
        for (stage, len) in lists::awaited(&self.plan, scope) {
            self.wait_for(stage, &path[..len], Waiter::Cursor(id));
        }
    }

    /// Opens a list if what it is made of is there, and if reading it is of use.
    pub(super) fn try_open(&mut self, id: CursorId) {
        let Some(cursor) = self.cursors.get(id) else { return };
        let (frame, scope) = (cursor.frame, cursor.scope);
        let path = self.frames.at(frame).path.clone();
        if self.cursors.is_open(id, &path) {
            return;
        }
        match lists::open(self, frame, scope) {
            lists::Opened::NotYet => {}
            lists::Opened::Unread => self.cursors.open(id, &path, None),
            lists::Opened::Rows(rows) => self.cursors.open(id, &path, Some(rows)),
            lists::Opened::Absent(reason) => self.leave_out(id, &path, &reason),
            lists::Opened::Broken(failure) => self.break_off(id, &path, failure),
            lists::Opened::Unreadable(failure) => {
                self.unheld.get_or_insert(failure);
            }
        }
    }

    /// A list that is none, or not to its end: an instance that never comes to be has failed. What there is of it may go
    /// on, but nothing that collects from it takes that for the whole.
    fn break_off(&mut self, id: CursorId, path: &Path, failure: Failure) {
        let Some((scope, frame)) = self.cursors.get(id).map(|cursor| (cursor.scope, cursor.frame)) else { return };
        let stage = self.plan.scope(scope).beneath[0];
        let name = self.plan.stage(stage).name.clone();
        // Of the item around it, as it has none of its own.
        let key = Some(self.frames.at(frame).key.clone()).filter(|key| !key.is_empty());
        let item = ItemRef { stage: name.clone(), key, path: path.clone() };
        self.tallies[stage.0].instances += 1;
        self.outbox.push(EventKind::InstancesFound { stage: name.clone(), count: 1 });
        self.broken.push((item, stage, failure));
        self.leave_out(id, path, &SkipReason::Failed { stage: name });
    }

    /// A loop without a list: what collects from it for this frame is skipped too.
    fn leave_out(&mut self, id: CursorId, path: &Path, reason: &SkipReason) {
        let Some(scope) = self.cursors.get(id).map(|cursor| cursor.scope) else { return };
        let plan = self.plan.clone();
        let made_of = match plan.scope(scope).of.map(|of| &plan.loop_at(of).source) {
            Some(LoopSource::Stage { stage, .. }) => Some(*stage),
            _ => None,
        };
        for stage in &plan.scope(scope).beneath {
            if let Some(shelf) = &mut self.shelves[stage.0] {
                let put = shelf.set_barren(path, reason);
                note(&mut self.unheld, put);
            }
            if let (SkipReason::Unknown { .. }, Some(from)) = (reason, made_of) {
                self.hide(*stage, path, reason);
                self.uncounted.entry(*stage).or_insert(from);
            }
        }
        self.exhaust(id, path);
    }

    /// All items of a list were read.
    fn exhaust(&mut self, id: CursorId, under: &Path) {
        let Some(cursor) = self.cursors.remove(id, under) else { return };
        let plan = self.plan.clone();
        self.frames.at_mut(cursor.frame).children[cursor.child].exhausted = true;
        for stage in &plan.scope(cursor.scope).beneath {
            let at = self.position(cursor.frame, *stage);
            if self.frames.at(cursor.frame).joins[at] == 0 {
                self.complete(cursor.frame, *stage, None);
            }
        }
        if self.frames.at(cursor.frame).children[cursor.child].open == 0 {
            self.one_less(cursor.frame);
        }
    }

    /// The item of a loop around a frame.
    pub(super) fn item_of(&self, frame: FrameId, of: LoopIx) -> Option<Arc<Json>> {
        self.frames
            .chain(frame)
            .find(|frame| self.plan.scope(frame.scope).of == Some(of))
            .map(|frame| frame.item.clone())
    }
}
