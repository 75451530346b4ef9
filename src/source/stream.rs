//! Rows for async code.

use std::collections::VecDeque;
use std::panic;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures::Stream;
use tokio::task::{JoinHandle, spawn_blocking};

use super::{ListSource, Row, Rows, SourceError, StdinCopy};

type Batch = VecDeque<Result<Row, SourceError>>;

/// The rows of a list as a stream. It is polled inside a tokio runtime; files are read in batches on its blocking
/// threads, at most 256 rows or about a MiB ahead.
#[derive(Debug)]
pub struct RowStream {
    from: Supply,
    left: u64,
}

#[derive(Debug)]
enum Supply {
    Memory(Rows),
    Disk(Batches),
    Copy(Following),
    Over,
}

impl RowStream {
    /// The rows of a list. A file is opened when the first row is asked for, on a blocking thread.
    ///
    /// # Errors
    /// The list is standard input, of which there is a copy instead.
    pub fn of(list: &ListSource) -> Result<Self, SourceError> {
        let from = match list {
            ListSource::Inline(_) | ListSource::Count(_) | ListSource::Stdin => Supply::Memory(list.rows()?),
            other => Supply::Disk(Batches { unopened: Some(other.clone()), ..Batches::default() }),
        };
        Ok(Self { from, left: u64::MAX })
    }

    /// The rows of standard input from the first, those to come as they come.
    ///
    /// # Errors
    /// The copy can't be opened.
    pub fn stdin(copy: &StdinCopy) -> Result<Self, SourceError> {
        let batches = Batches { rows: Some(copy.list().rows()?), ..Batches::default() };
        let following = Following { copy: copy.clone(), batches, taken: 0 };
        Ok(Self { from: Supply::Copy(following), left: u64::MAX })
    }

    /// Only the first `limit` rows; nothing behind them is waited for.
    #[must_use]
    pub fn take(mut self, limit: u64) -> Self {
        self.left = self.left.min(limit);
        self
    }
}

impl Stream for RowStream {
    type Item = Result<Row, SourceError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let left = self.left;
        let row = match &mut self.from {
            _ if left == 0 => None,
            Supply::Over => None,
            Supply::Memory(rows) => rows.next(),
            Supply::Copy(following) => ready!(following.poll_row(left, context)),
            Supply::Disk(batches) => ready!(batches.poll_row(left, context)),
        };
        match row {
            // Nothing follows an error of standard input, whose copy just ends there; and nobody waits for more of it.
            None => self.from = Supply::Over,
            Some(Err(_)) if matches!(self.from, Supply::Copy(_)) => self.from = Supply::Over,
            Some(_) => self.left -= 1,
        }
        Poll::Ready(row)
    }
}

/// Reads on a blocking thread, a batch at a time, only while somebody waits for it: a thread that lived as long as the
/// stream would keep a paused clock from going on, and a disk never blocks the runtime's own threads.
#[derive(Debug, Default)]
struct Batches {
    /// What is still to be opened.
    unopened: Option<ListSource>,
    read: Batch,
    rows: Option<Rows>,
    reading: Option<JoinHandle<(Option<Rows>, Batch)>>,
}

/// Follows the copy of standard input, and never reads beyond what is whole there.
#[derive(Debug)]
struct Following {
    copy: StdinCopy,
    batches: Batches,
    taken: u64,
}

impl Following {
    fn poll_row(&mut self, most: u64, context: &mut Context<'_>) -> Poll<Option<Result<Row, SourceError>>> {
        let behind = match ready!(self.copy.poll_behind(self.taken, context)) {
            Ok(0) => return Poll::Ready(None),
            Ok(behind) => behind,
            Err(error) => return Poll::Ready(Some(Err(error))),
        };
        let row = ready!(self.batches.poll_row(most.min(behind), context));
        self.taken += 1;
        self.copy.note_taken(self.taken);
        Poll::Ready(row)
    }
}

impl Batches {
    fn poll_row(&mut self, most: u64, context: &mut Context<'_>) -> Poll<Option<Result<Row, SourceError>>> {
        if let Some(row) = self.read.pop_front() {
            return Poll::Ready(Some(row));
        }
        let unopened = self.unopened.take();
        if self.rows.is_some() || unopened.is_some() {
            let rows = self.rows.take();
            self.reading = Some(spawn_blocking(move || read(rows, unopened, most)));
        }
        let Some(reading) = &mut self.reading else { return Poll::Ready(None) };
        let read = ready!(Pin::new(reading).poll(context));
        self.reading = None;
        match read {
            Ok((rows, batch)) => {
                self.rows = rows;
                self.read = batch;
                Poll::Ready(self.read.pop_front())
            }
            Err(error) if error.is_panic() => panic::resume_unwind(error.into_panic()),
            Err(_) => Poll::Ready(Some(Err(SourceError::new("the reading of a list was interrupted")))),
        }
    }
}

/// The next batch of a list that is open, or of one that is opened for it.
fn read(rows: Option<Rows>, unopened: Option<ListSource>, most: u64) -> (Option<Rows>, Batch) {
    let opened = match (rows, unopened) {
        (Some(rows), _) => Ok(rows),
        (None, Some(list)) => list.rows(),
        (None, None) => return (None, Batch::new()),
    };
    match opened {
        Ok(mut rows) => {
            let batch = rows.batch(most);
            (Some(rows), batch)
        }
        Err(error) => (None, Batch::from([Err(error)])),
    }
}
