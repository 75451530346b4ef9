//! A file with a row for each instance, in the order of the items.

use std::io::{self, BufWriter, Write};

use super::folder::OutputFolder;
use super::in_order::InOrder;
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

/// A file whose rows come in any order and are written in that of their places. A place is the path of item indices
/// (from 0), outermost loop first: the empty path for a stage without loops. All rows of a file have paths of one
/// length; a shorter path is a prefix, which says that more may come under it.
///
/// A row is written as soon as nothing can come before it: under a prefix that is open, once all places with lower
/// numbers are settled; so rows of a streamed loop are not held. The whole list is such a prefix. Before a prefix is
/// settled (with `None`), each place right under it is expected or settled.
///
/// Rows go to a buffered part file, on the thread that settles them. Without [`RowFile::finish`] it is removed.
#[derive(Debug)]
pub struct RowFile {
    folder: OutputFolder,
    path: SafePath,
    writer: RowWriter,
    rows: InOrder<Encoded>,
    settled: u64,
}

#[derive(Debug)]
enum RowWriter {
    JsonLines(BufWriter<PartFile>),
    Csv { writer: Box<csv::Writer<PartFile>>, columns: Vec<String> },
}

/// A row that waits, as small as it is written.
#[derive(Debug)]
enum Encoded {
    Line(String),
    Record(csv::StringRecord),
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
        Ok(Self { folder: folder.clone(), path, writer, rows: InOrder::new(), settled: 0 })
    }

    /// A place that will be settled, or a prefix under which more may come.
    pub fn expect(&mut self, order: &[u64]) {
        self.rows.expect(order);
    }

    /// The row of a place; none where the instance has none, and for a prefix under which nothing more comes.
    pub fn settle(&mut self, order: &[u64], row: Option<JsonMap>) -> Result<(), OutputError> {
        let row = row.map(|row| self.writer.encode(row));
        let has_row = row.is_some();
        let out_of_order = |_| OutputError::OutOfOrder { path: self.path.to_string() };
        self.rows.settle(order, row).map_err(out_of_order)?;
        self.settled += u64::from(has_row);
        while let Some(row) = self.rows.next() {
            self.writer.write(row).map_err(|error| OutputError::io(&self.folder.shown(&self.path), error))?;
        }
        Ok(())
    }

    /// How many rows the file will have, if it is finished now.
    pub fn rows(&self) -> u64 {
        self.settled
    }

    /// Under the output folder.
    pub fn path(&self) -> &SafePath {
        &self.path
    }

    /// Writes the rows that still wait, in order, whatever is open before them; syncs the file and gives it its name.
    /// Gives the number of rows. It waits for the disk: call it on a blocking thread.
    pub fn finish(self) -> Result<u64, OutputError> {
        let Self { folder, path, mut writer, rows, settled } = self;
        let written = rows.into_rest().try_for_each(|row| writer.write(row));
        let part =
            written.and_then(|()| writer.into_part()).map_err(|error| OutputError::io(&folder.shown(&path), error))?;
        folder.publish(part)?;
        Ok(settled)
    }
}

impl RowWriter {
    fn encode(&self, mut row: JsonMap) -> Encoded {
        match self {
            Self::JsonLines(_) => Encoded::Line(format!("{}\n", Json::Object(row))),
            Self::Csv { columns, .. } => {
                let cell = |column| match row.remove(column) {
                    Some(Json::String(text)) => text,
                    Some(other) => plain_text(&other),
                    None => String::new(),
                };
                Encoded::Record(columns.iter().map(cell).collect())
            }
        }
    }

    fn write(&mut self, row: Encoded) -> io::Result<()> {
        match (self, row) {
            (Self::JsonLines(writer), Encoded::Line(line)) => writer.write_all(line.as_bytes()),
            (Self::Csv { writer, .. }, Encoded::Record(record)) => writer.write_record(&record).map_err(plain),
            _ => Err(io::Error::other("a row of another format")),
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
