//! Standard input, which can be read only once: copied into a file as it comes, and read from there.

use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread;

use super::SourceError;
use super::json_lines::JsonLines;
use super::lines::Lines;
use super::list::ListSource;
use super::rows::{Depth, ReadRows, Row};
use crate::model::ListFormat;

/// So many rows are copied ahead of whoever has read furthest.
const AHEAD: u64 = 256;

/// JSON lines that come in, checked as they come. Any number of readers follow the copy, each at its own pace: none of
/// them waits for another, and each has all rows. After the first bad row nothing follows. Cloning is cheap.
#[derive(Debug, Clone)]
pub struct StdinCopy {
    path: PathBuf,
    readers: Arc<Readers>,
}

/// All who have the copy; when the last of them is gone, nobody waits for rows any more.
#[derive(Debug)]
struct Readers {
    progress: Arc<Progress>,
}

/// How far the copy has come, and how far it is read.
#[derive(Debug, Default)]
struct Progress {
    state: Mutex<State>,
    moved: Condvar,
}

#[derive(Debug, Default)]
struct State {
    copied: u64,
    /// What the input came to, once it is over.
    end: Option<Result<(), SourceError>>,
    furthest: u64,
    is_left: bool,
    waiting: Vec<Waker>,
}

impl StdinCopy {
    /// Starts to read `input`, on a thread of its own, and to copy it to a new file at `path`. The thread ends with the
    /// input, or when nobody has the copy any more.
    pub fn start(input: impl Read + Send + 'static, path: &Path) -> Result<Self, SourceError> {
        Self::begin(input, path, None)
    }

    /// The same for a copy that others read later: once it has the whole input, and that is safe on the disk, there is
    /// an empty file at `mark`.
    pub fn start_marked(input: impl Read + Send + 'static, path: &Path, mark: &Path) -> Result<Self, SourceError> {
        Self::begin(input, path, Some(mark.to_path_buf()))
    }

    /// Opens what an earlier copy holds, to be read as the input of another.
    pub fn open_kept(path: &Path) -> Result<File, SourceError> {
        let fail = |error| SourceError::io("what was kept of standard input can't be read", Some(path), &error);
        File::open(path).map_err(fail)
    }

    fn begin(input: impl Read + Send + 'static, path: &Path, mark: Option<PathBuf>) -> Result<Self, SourceError> {
        let fail = |error| SourceError::io("the copy of standard input can't be written", Some(path), &error);
        let copy = File::create(path).map_err(fail)?;
        let progress = Arc::new(Progress::default());
        let lines = JsonLines::new(Lines::new(Box::new(input), None), Depth::Whole);
        let mut copying =
            Copying { lines, copy, path: path.to_path_buf(), mark, line: 0, progress: Arc::clone(&progress) };
        thread::Builder::new().name("stdin".to_owned()).spawn(move || copying.run()).map_err(fail)?;
        Ok(Self { path: path.to_path_buf(), readers: Arc::new(Readers { progress }) })
    }

    /// The file that is written. What it lacks while the input is open is told by nobody but this copy.
    pub(super) fn list(&self) -> ListSource {
        ListSource::File { path: self.path.clone(), format: ListFormat::JsonLines }
    }

    /// How many rows there are behind the first `taken`, as soon as there are any; none at the end of the input.
    ///
    /// # Errors
    /// What the input came to instead of its end.
    pub(super) fn poll_behind(&self, taken: u64, context: &Context<'_>) -> Poll<Result<u64, SourceError>> {
        let mut state = self.readers.progress.state();
        let behind = state.copied.saturating_sub(taken);
        match &state.end {
            _ if behind > 0 => Poll::Ready(Ok(behind)),
            Some(end) => Poll::Ready(end.clone().map(|()| 0)),
            None => {
                if !state.waiting.iter().any(|waker| waker.will_wake(context.waker())) {
                    state.waiting.push(context.waker().clone());
                }
                Poll::Pending
            }
        }
    }

    /// Says that a reader has had the first `taken` rows.
    pub(super) fn note_taken(&self, taken: u64) {
        self.readers.progress.change(|state| state.furthest = state.furthest.max(taken));
    }
}

impl Drop for Readers {
    fn drop(&mut self) {
        self.progress.change(|state| state.is_left = true);
    }
}

impl Progress {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state());
        self.moved.notify_all();
    }

    /// Something has come, or the end.
    fn came(&self, change: impl FnOnce(&mut State)) {
        let waiting = {
            let mut state = self.state();
            change(&mut state);
            std::mem::take(&mut state.waiting)
        };
        waiting.into_iter().for_each(Waker::wake);
    }

    /// Waits until the readers are close; false if there are none any more.
    fn wait_for_readers(&self) -> bool {
        let is_far = |state: &mut State| state.copied >= state.furthest + AHEAD && !state.is_left;
        let state = self.moved.wait_while(self.state(), is_far).unwrap_or_else(PoisonError::into_inner);
        !state.is_left
    }
}

struct Copying {
    lines: JsonLines,
    copy: File,
    path: PathBuf,
    /// Where to say that it is whole.
    mark: Option<PathBuf>,
    /// How many lines the copy has.
    line: u64,
    progress: Arc<Progress>,
}

impl Copying {
    fn run(&mut self) {
        while let Some(row) = self.lines.next_row() {
            if let Err(error) = row.and_then(|row| self.keep(&row)) {
                return self.progress.came(|state| state.end = Some(Err(error)));
            }
            self.progress.came(|state| state.copied += 1);
            if !self.progress.wait_for_readers() {
                return;
            }
        }
        let end = self.mark_whole();
        self.progress.came(|state| state.end = Some(end));
    }

    fn mark_whole(&self) -> Result<(), SourceError> {
        let Some(mark) = &self.mark else { return Ok(()) };
        let marked = self.copy.sync_all().and_then(|()| File::create(mark)).map(drop);
        marked.map_err(|error| SourceError::io("the copy of standard input can't be written", Some(mark), &error))
    }

    /// Copies a row onto the line that it came on, in one write: a buffer would hold rows back from the readers.
    fn keep(&mut self, row: &Row) -> Result<(), SourceError> {
        let blank = usize::try_from(row.line.saturating_sub(self.line + 1)).unwrap_or(0);
        let text = format!("{:\n<blank$}{}\n", "", self.lines.text());
        self.line = row.line;
        self.copy
            .write_all(text.as_bytes())
            .map_err(|error| SourceError::io("the copy of standard input can't be written", Some(&self.path), &error))
    }
}
