//! A list, row by row.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use crate::model::Json;

use super::SourceError;

/// An item of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Its place among the rows, from 0. A row that can't be read keeps its place.
    pub index: u64,
    /// What it is.
    pub value: Json,
    /// The line on which it begins, from 1; 0 where there are no lines.
    pub line: u64,
}

/// How much of a row is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Depth {
    /// Its value.
    Whole,
    /// Only that it can be read: the value may be left null.
    FormOnly,
}

/// A format: reads one row after the other.
pub(super) trait ReadRows: Send {
    /// The next row. After an error about one row the next ones follow; after any other, nothing.
    fn next_row(&mut self) -> Option<Result<Row, SourceError>>;

    /// How many bytes the rows so far took.
    fn bytes_read(&self) -> u64;

    /// The line of the header and the names in it, for a table.
    fn header(&self) -> Option<(u64, &[String])> {
        None
    }
}

/// The rows of a list, in order, read as they are asked for.
// Nobody ever locks it: a reader may be one that threads can't share, and a run that holds some must be able to go on in
// another thread.
pub struct Rows(Mutex<Box<dyn ReadRows>>);

/// A batch ends after so many rows, or so many bytes.
const BATCH_ROWS: usize = 256;
const BATCH_BYTES: u64 = 1 << 20;

impl Rows {
    pub(super) fn new(reader: impl ReadRows + 'static) -> Self {
        Self(Mutex::new(Box::new(reader)))
    }

    /// The line of the header and the names in it, for a table: all its values are texts.
    pub(super) fn header(&mut self) -> Option<(u64, &[String])> {
        self.reader().header()
    }

    fn reader(&mut self) -> &mut (dyn ReadRows + 'static) {
        &mut **self.0.get_mut().unwrap_or_else(PoisonError::into_inner)
    }

    /// Some rows, at most `most`; none at the end.
    pub(super) fn batch(&mut self, most: u64) -> VecDeque<Result<Row, SourceError>> {
        let most = usize::try_from(most).unwrap_or(usize::MAX).min(BATCH_ROWS);
        let begin = self.reader().bytes_read();
        let mut rows = VecDeque::new();
        while rows.len() < most && self.reader().bytes_read() - begin < BATCH_BYTES {
            let Some(row) = self.next() else { break };
            rows.push_back(row);
        }
        rows
    }
}

impl Iterator for Rows {
    type Item = Result<Row, SourceError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.reader().next_row()
    }
}

impl fmt::Debug for Rows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rows").finish_non_exhaustive()
    }
}

/// A list that stands in the pipeline file.
pub(super) struct Inline {
    items: Arc<[Json]>,
    next: usize,
}

impl Inline {
    pub(super) fn new(items: Arc<[Json]>) -> Self {
        Self { items, next: 0 }
    }
}

impl ReadRows for Inline {
    fn next_row(&mut self) -> Option<Result<Row, SourceError>> {
        let value = self.items.get(self.next)?.clone();
        let index = self.next as u64;
        self.next += 1;
        Some(Ok(Row { index, value, line: 0 }))
    }

    fn bytes_read(&self) -> u64 {
        0
    }
}

/// The numbers from 1.
pub(super) struct Count {
    count: u64,
    next: u64,
}

impl Count {
    pub(super) fn new(count: u64) -> Self {
        Self { count, next: 0 }
    }
}

impl ReadRows for Count {
    fn next_row(&mut self) -> Option<Result<Row, SourceError>> {
        (self.next < self.count).then(|| {
            let index = self.next;
            self.next += 1;
            Ok(Row { index, value: self.next.into(), line: 0 })
        })
    }

    fn bytes_read(&self) -> u64 {
        0
    }
}
