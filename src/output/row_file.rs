//! A file with a row for each instance, in the order in which rows are given.

use std::io::{self, BufWriter, Write};

use super::folder::OutputFolder;
use super::part::PartFile;
use super::{OutputError, SafePath};
use crate::model::{Json, JsonMap, plain_text};

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
/// Rows go to a buffered part file, on the thread that adds them. Without [`RowFile::finish`] it is removed.
#[derive(Debug)]
pub struct RowFile {
    folder: OutputFolder,
    path: SafePath,
    writer: RowWriter,
    rows: u64,
}

#[derive(Debug)]
enum RowWriter {
    JsonLines(BufWriter<PartFile>),
    Csv { writer: Box<csv::Writer<PartFile>>, columns: Vec<String> },
}

impl RowFile {
    /// Begins the file; with columns, by their names.
    pub fn create(folder: &OutputFolder, path: SafePath, format: RowFormat) -> Result<Self, OutputError> {
        let part = folder.begin(&path)?;
        let writer = match format {
            RowFormat::JsonLines => RowWriter::JsonLines(BufWriter::with_capacity(BUFFER, part)),
            RowFormat::Csv { columns } => {
                let mut writer = csv::WriterBuilder::new()
                    .terminator(csv::Terminator::Any(b'\n'))
                    .buffer_capacity(BUFFER)
                    .from_writer(part);
                writer.write_record(&columns).map_err(|error| OutputError::io(&folder.shown(&path), plain(error)))?;
                RowWriter::Csv { writer: Box::new(writer), columns }
            }
        };
        Ok(Self { folder: folder.clone(), path, writer, rows: 0 })
    }

    /// Adds a row.
    pub fn append(&mut self, row: JsonMap) -> Result<(), OutputError> {
        self.writer.write(row).map_err(|error| OutputError::io(&self.folder.shown(&self.path), error))?;
        self.rows += 1;
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

    /// Syncs the file and gives it its name. Gives the number of rows. It waits for the disk.
    pub fn finish(self) -> Result<u64, OutputError> {
        let Self { folder, path, writer, rows } = self;
        let part = writer.into_part().map_err(|error| OutputError::io(&folder.shown(&path), error))?;
        folder.publish(part)?;
        Ok(rows)
    }
}

impl RowWriter {
    fn write(&mut self, mut row: JsonMap) -> io::Result<()> {
        match self {
            Self::JsonLines(writer) => writeln!(writer, "{}", Json::Object(row)),
            Self::Csv { writer, columns } => {
                let cell = |column| match row.remove(column) {
                    Some(Json::String(text)) => text,
                    Some(other) => plain_text(&other),
                    None => String::new(),
                };
                let record: csv::StringRecord = columns.iter().map(cell).collect();
                writer.write_record(&record).map_err(plain)
            }
        }
    }

    fn into_part(self) -> io::Result<PartFile> {
        match self {
            Self::JsonLines(writer) => writer.into_inner().map_err(io::IntoInnerError::into_error),
            Self::Csv { mut writer, .. } => {
                writer.flush()?;
                writer.into_inner().map_err(|_| io::Error::other("the last rows can't be written"))
            }
        }
    }
}

/// What the system says.
fn plain(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}
