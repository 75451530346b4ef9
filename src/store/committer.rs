//! The one thread that commits: pictures are written and synced, then their folder, then one transaction with all rows
//! that have come in meanwhile. So a thousand answers a second share a few dozen commits, and nothing that was made from
//! an answer can be kept without it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use futures::channel::oneshot;
use rusqlite::{Connection, TransactionBehavior};

use crate::model::{AnswerId, AttemptRecord, Content, Failure, Spent};

use super::blobs::{Blobs, Digest};
use super::error::StoreError;
use super::known::{Clerk, Known};
use super::runs::{InstanceRecord, NewRun, RunEnd, RunId};
use super::schema;
use super::writing;

/// At most so many rows are committed together, so that the first of them need not wait for ever.
const MOST_TOGETHER: usize = 1024;

/// How often a minute is waited for another program that writes.
const MOST_TRIES: u32 = 10;

/// Where so many were committed together, more are on their way.
const BUSY: usize = 8;
/// How long those wait for each other then: a commit costs the same for a few as for one. They come back together, though,
/// and more of them at once keep the run busy while services wait for it (`calls` in docs/performance.md).
const WAIT: Duration = Duration::from_millis(1);

/// Something to be kept.
#[derive(Debug)]
pub(super) enum Entry {
    Begin(NewRun),
    Sending(RunId, Spent),
    Attempt(RunId, Box<AttemptRecord>),
    Verdict(AnswerId, Box<Failure>),
    Instance(RunId, Box<InstanceRecord>),
    End(RunId, Box<RunEnd>),
}

/// Told when an entry is safe, with the number of its row.
pub(super) type Told = oneshot::Receiver<Result<i64, StoreError>>;

type Handed = (Entry, oneshot::Sender<Result<i64, StoreError>>);

/// The way to the thread. When it is dropped, everything has been committed.
#[derive(Debug)]
pub(super) struct Committer {
    sender: Option<Sender<Handed>>,
    thread: Option<JoinHandle<()>>,
}

impl Committer {
    pub(super) fn start(
        connection: Connection,
        database: &Path,
        blobs: Blobs,
        known: Arc<Known>,
    ) -> Result<Self, StoreError> {
        let (sender, receiver) = channel();
        let desk = Desk { connection, database: database.to_owned(), blobs, clerk: Clerk::new(known) };
        let thread = std::thread::Builder::new().name("commit".to_owned()).spawn(move || desk.work(&receiver));
        let thread = thread.map_err(|error| StoreError::file(database, &error))?;
        Ok(Self { sender: Some(sender), thread: Some(thread) })
    }

    /// Hands something over. What comes back tells when it is safe; nobody has to listen.
    pub(super) fn hand(&self, entry: Entry) -> Told {
        let (told, safe) = oneshot::channel();
        // A thread that has ended drops what it is sent, and whoever waits is told.
        self.sender.as_ref().map(|sender| sender.send((entry, told)));
        safe
    }
}

impl Drop for Committer {
    fn drop(&mut self) {
        self.sender = None;
        if let Some(thread) = self.thread.take() {
            // One that has panicked has said so.
            thread.join().ok();
        }
    }
}

/// Adds what comes within a moment.
fn gather(receiver: &Receiver<Handed>, handed: &mut Vec<Handed>) {
    let end = Instant::now() + WAIT;
    while handed.len() < MOST_TOGETHER {
        // One sleep instead of one for each: whoever hands something over need not wake this thread.
        let Some(left) = end.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) else { return };
        std::thread::sleep(left);
        handed.extend(receiver.try_iter().take(MOST_TOGETHER - handed.len()));
    }
}

struct Desk {
    connection: Connection,
    database: PathBuf,
    blobs: Blobs,
    clerk: Clerk,
}

impl Desk {
    fn work(mut self, receiver: &Receiver<Handed>) {
        let mut is_busy = false;
        let mut trouble: Option<StoreError> = None;
        while let Ok(first) = receiver.recv() {
            let mut handed = vec![first];
            if is_busy {
                gather(receiver, &mut handed);
            }
            handed.extend(receiver.try_iter().take(MOST_TOGETHER - handed.len()));
            is_busy = handed.len() >= BUSY;
            // What can't be kept once is not followed by what came later.
            let committed = match &trouble {
                Some(error) => Err(error.clone()),
                None => self.commit_patiently(&handed),
            };
            match committed {
                Ok(rows) => {
                    for ((_, told), row) in handed.into_iter().zip(rows) {
                        // Not everyone waits.
                        told.send(Ok(row)).ok();
                    }
                    self.clerk.read_on(&self.connection);
                }
                Err(error) => {
                    for (_, told) in handed {
                        told.send(Err(error.clone())).ok();
                    }
                    trouble = Some(error);
                }
            }
        }
    }

    /// Another program may write for long, as whoever tidies a large store does; what was handed over is paid for, and waits.
    fn commit_patiently(&mut self, handed: &[Handed]) -> Result<Vec<i64>, StoreError> {
        let pictures = self.pictures(handed)?;
        let mut tries = 1;
        loop {
            match self.commit(handed, &pictures) {
                Err(error) if schema::is_busy(&error) && tries < MOST_TRIES => tries += 1,
                committed => return committed.map_err(|error| StoreError::database(&self.database, &error)),
            }
        }
    }

    fn commit(&mut self, handed: &[Handed], pictures: &[Option<Digest>]) -> rusqlite::Result<Vec<i64>> {
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        self.clerk.note(&transaction, handed.iter().map(|(entry, _)| entry));
        let mut rows = Vec::with_capacity(handed.len());
        for ((entry, _), picture) in handed.iter().zip(pictures) {
            rows.push(writing::write(&transaction, entry, picture.as_ref())?);
        }
        transaction.commit()?;
        Ok(rows)
    }

    /// Writes the pictures, and gives their digests.
    fn pictures(&self, handed: &[Handed]) -> Result<Vec<Option<Digest>>, StoreError> {
        let picture = |entry: &Entry| match entry {
            Entry::Attempt(_, record) => match record.outcome.as_ref().map(|reply| &reply.content) {
                Ok(Content::Image { bytes, .. }) => Some(bytes.clone()),
                _ => None,
            },
            _ => None,
        };
        let digests: Vec<Option<Digest>> = handed
            .iter()
            .map(|(entry, _)| picture(entry).map(|bytes| self.blobs.put(&bytes)).transpose())
            .collect::<Result<_, _>>()?;
        if digests.iter().any(Option::is_some) {
            self.blobs.sync()?;
        }
        Ok(digests)
    }
}
