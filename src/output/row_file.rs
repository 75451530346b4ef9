//! A file with a row for each instance, in the order in which rows are given.

use std::io::{self, Write};

use super::folder::OutputFolder;
use super::part::PartFile;
use super::{OutputError, SafePath};
use crate::model::{Json, JsonMap, plain_text};

/// So much is held before it is written, in bytes.
const BUFFER: usize = 64 << 10;

/// How rows are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowFormat {
    /// A JSON object a line, its keys in their order.
    JsonLines,
    /// A header, then a line each (RFC 4180, with `\n`). Text stands as it is, null and what is missing as nothing,
    /// everything else as JSON; what is no column is left out.
    Csv {
        /// The names of the columns, in order.
        columns: Vec<String>,
    },
}

/// A file to which rows are added. Whoever adds them knows their order.
///
/// Rows go to a part file, on the thread that adds them. Without [`RowFile::finish`] it is removed.
#[derive(Debug)]
pub struct RowFile {
    folder: OutputFolder,
    path: SafePath,
    format: RowFormat,
    part: PartFile,
    unwritten: Vec<u8>,
    rows: u64,
    /// A row may have been written in part: nothing may stand behind it, and the file is not published.
    is_torn: bool,
}

impl RowFile {
    /// Begins the file; with columns, by their names.
    pub fn create(folder: &OutputFolder, path: SafePath, format: RowFormat) -> Result<Self, OutputError> {
        let part = folder.begin(&path)?;
        let mut unwritten = Vec::new();
        if let RowFormat::Csv { columns } = &format {
            write_record(&mut unwritten, columns).map_err(|error| OutputError::io(&folder.shown(&path), error))?;
        }
        Ok(Self { folder: folder.clone(), path, format, part, unwritten, rows: 0, is_torn: false })
    }

    /// Adds a row.
    pub fn append(&mut self, row: JsonMap) -> Result<(), OutputError> {
        self.format.write(&mut self.unwritten, row).map_err(|error| self.problem(error))?;
        self.rows += 1;
        if self.unwritten.len() >= BUFFER { self.flush() } else { Ok(()) }
    }

    /// Writes what it has, and holds neither memory nor a handle until the next row.
    pub fn rest(&mut self) -> Result<(), OutputError> {
        self.flush()?;
        self.unwritten = Vec::new();
        self.part.rest();
        Ok(())
    }

    /// How many rows the file will have, if it is finished now.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Under the output folder.
    pub fn path(&self) -> &SafePath {
        &self.path
    }

    /// Syncs the file and gives it its name. Gives the number of rows. It waits for the disk: call it on a blocking
    /// thread.
    pub fn finish(mut self) -> Result<u64, OutputError> {
        self.flush()?;
        self.folder.publish(self.part)?;
        Ok(self.rows)
    }

    fn flush(&mut self) -> Result<(), OutputError> {
        if self.is_torn {
            return Err(self.problem(io::Error::other("a row before could not be written")));
        }
        let written = self.part.write_all(&self.unwritten);
        self.is_torn = written.is_err();
        self.unwritten.clear();
        written.map_err(|error| self.problem(error))
    }

    fn problem(&self, error: io::Error) -> OutputError {
        OutputError::io(&self.folder.shown(&self.path), error)
    }
}

impl RowFormat {
    fn write(&self, out: &mut Vec<u8>, mut row: JsonMap) -> io::Result<()> {
        let Self::Csv { columns } = self else {
            serde_json::to_writer(&mut *out, &row)?;
            out.push(b'\n');
            return Ok(());
        };
        let cell = |column| match row.remove(column) {
            Some(Json::String(text)) => text,
            Some(other) => plain_text(&other),
            None => String::new(),
        };
        let record: Vec<String> = columns.iter().map(cell).collect();
        write_record(out, &record)
    }
}

fn write_record(out: &mut Vec<u8>, record: &[String]) -> io::Result<()> {
    let mut writer =
        csv::WriterBuilder::new().terminator(csv::Terminator::Any(b'\n')).buffer_capacity(1 << 10).from_writer(out);
    writer.write_record(record).map_err(plain)?;
    writer.flush()
}

/// What the system says.
fn plain(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}
