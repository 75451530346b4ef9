//! A list that is being read: one pass over one loop, under one frame.

use std::collections::{BTreeSet, HashMap};

use crate::output::FileNames;
use crate::plan::ScopeIx;
use crate::source::RowStream;

use super::frame::FrameId;
use super::shelf::Path;

/// A cursor, by its place among all that were ever opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct CursorId(pub(super) u64);

/// Reads one list for one frame.
#[derive(Debug)]
pub(super) struct Cursor {
    pub(super) scope: ScopeIx,
    /// The frame around.
    pub(super) frame: FrameId,
    /// Which child of that frame's scope this is.
    pub(super) child: usize,
    /// The list, once it is read. A file is opened no earlier, since a process has only so many handles.
    pub(super) rows: Option<RowStream>,
    /// How many rows were read.
    pub(super) next: u64,
    /// The names that are taken, where files are named after items.
    pub(super) keys: Option<FileNames>,
}

/// All lists that are not read to their end.
#[derive(Debug, Default)]
pub(super) struct Cursors {
    all: HashMap<CursorId, Cursor>,
    last: u64,
    /// For each scope, those that can be read, the earliest item first.
    readable: Vec<BTreeSet<(Path, CursorId)>>,
}

impl Cursors {
    pub(super) fn new(scopes: usize) -> Self {
        Self { readable: vec![BTreeSet::new(); scopes], ..Self::default() }
    }

    pub(super) fn insert(&mut self, cursor: Cursor) -> CursorId {
        self.last += 1;
        let id = CursorId(self.last);
        self.all.insert(id, cursor);
        id
    }

    pub(super) fn get(&self, id: CursorId) -> Option<&Cursor> {
        self.all.get(&id)
    }

    pub(super) fn get_mut(&mut self, id: CursorId) -> Option<&mut Cursor> {
        self.all.get_mut(&id)
    }

    pub(super) fn remove(&mut self, id: CursorId, under: &Path) -> Option<Cursor> {
        let cursor = self.all.remove(&id)?;
        self.readable[cursor.scope.0].remove(&(under.clone(), id));
        Some(cursor)
    }

    /// The place of the next item of a list under `under`.
    pub(super) fn place(&self, id: CursorId, under: &Path) -> Vec<u64> {
        under.iter().copied().chain(self.all.get(&id).map(|cursor| cursor.next)).collect()
    }

    /// From now on it can be read. `rows` are its list, if that is here already.
    pub(super) fn open(&mut self, id: CursorId, under: &Path, rows: Option<RowStream>) {
        if let Some(cursor) = self.all.get_mut(&id) {
            cursor.rows = rows;
            self.readable[cursor.scope.0].insert((under.clone(), id));
        }
    }

    /// Whether it can be read.
    pub(super) fn is_open(&self, id: CursorId, under: &Path) -> bool {
        let Some(cursor) = self.all.get(&id) else { return false };
        self.readable[cursor.scope.0].contains(&(under.clone(), id))
    }

    /// The first of a scope that can be read, of those behind `after`.
    pub(super) fn readable(&self, scope: ScopeIx, after: Option<&(Path, CursorId)>) -> Option<(Path, CursorId)> {
        use std::ops::Bound::{Excluded, Unbounded};
        let from = after.map_or(Unbounded, Excluded);
        self.readable[scope.0].range((from, Unbounded)).next().cloned()
    }

    /// No list is read on.
    pub(super) fn close_all(&mut self) {
        self.all.clear();
        self.readable.iter_mut().for_each(BTreeSet::clear);
    }
}
