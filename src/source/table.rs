//! `.csv` and `.tsv`: a header row, then a row each; values are text.
//!
//! The form is that of RFC 4180, with any line ends. It is read here and not by the `csv` crate, since that one takes a
//! quote that is never closed for a value that reaches to the end of the file, however long, and counts the lines of
//! records otherwise than an editor does.

use std::mem;

use super::SourceError;
use super::lines::{LONGEST, Lines, column_of};
use super::rows::{Depth, ReadRows, Row};
use crate::model::{Json, JsonMap};

/// Reads the rows of a table.
pub(super) struct Table {
    records: Records,
    header: Vec<String>,
    header_line: u64,
    depth: Depth,
    next: u64,
}

impl Table {
    /// Reads the header. The names in it are taken without the white space around them.
    pub(super) fn open(lines: Lines, separator: u8, depth: Depth) -> Result<Self, SourceError> {
        let mut records = Records { lines, separator, fields: Vec::new(), line: 0, columns: None };
        if !records.advance()? {
            return Err(records
                .lines
                .error_at(1, 1, "there is no header row")
                .help("its first line names the columns"));
        }
        let header: Vec<String> = records.fields.iter().map(|name| name.trim().to_owned()).collect();
        for (at, name) in header.iter().enumerate() {
            if name.is_empty() {
                return Err(records.header_error(format!("column {} has no name", at + 1)));
            }
            if header[..at].contains(name) {
                return Err(records.header_error(format!("two columns are named `{name}`")));
            }
        }
        records.columns = Some(header.len());
        let header_line = records.line;
        Ok(Self { records, header, header_line, depth, next: 0 })
    }

    fn row(&mut self) -> Result<Row, SourceError> {
        let records = &mut self.records;
        let (found, expected) = (records.fields.len(), self.header.len());
        if found != expected {
            let names = self.header.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
            let fields = if found == 1 { "field" } else { "fields" };
            return Err(records
                .lines
                .error_at(records.line, 1, format!("this row has {found} {fields}, but the header names {expected}"))
                .show(records.lines.text())
                .help(format!("the header names {names}; a value with a separator in it stands in double quotes")));
        }
        let value = match self.depth {
            Depth::FormOnly => Json::Null,
            Depth::Whole => {
                let values = records.fields.drain(..).map(Json::String);
                Json::Object(self.header.iter().cloned().zip(values).collect::<JsonMap>())
            }
        };
        Ok(Row { index: self.next - 1, value, line: records.line })
    }
}

impl ReadRows for Table {
    fn next_row(&mut self) -> Option<Result<Row, SourceError>> {
        let read = self.records.advance();
        if matches!(read, Ok(false)) {
            return None;
        }
        self.next += 1;
        Some(read.and_then(|_| self.row()))
    }

    fn bytes_read(&self) -> u64 {
        self.records.lines.bytes()
    }

    fn header(&self) -> Option<(u64, &[String])> {
        Some((self.header_line, &self.header))
    }
}

/// The records of a file, one at a time.
struct Records {
    lines: Lines,
    separator: u8,
    /// The fields of the record that was read last.
    fields: Vec<String>,
    /// The line on which it begins.
    line: u64,
    /// How many columns there are, once the header is read.
    columns: Option<usize>,
}

/// Where in a record the reading stands.
enum Quoting {
    /// All quotes are closed.
    Closed,
    /// Inside of quotes that opened there.
    Open { line: u64, column: usize, value: String },
}

impl Records {
    /// Reads the next record; false at the end.
    fn advance(&mut self) -> Result<bool, SourceError> {
        self.fields.clear();
        loop {
            if !self.lines.advance()? {
                return Ok(false);
            }
            if !self.is_blank() {
                break;
            }
        }
        self.line = self.lines.number();
        let begin = self.lines.bytes();
        let mut quoting = self.read_line(Quoting::Closed)?;
        while let Quoting::Open { line, column, .. } = quoting {
            let too_long = self.lines.bytes() - begin > LONGEST as u64;
            if too_long || !self.lines.advance()? {
                return Err(self
                    .lines
                    .error_at(line, column, "the quote that opens here is not closed")
                    .help("close it with `\"`; a quote inside of quotes is written twice"));
            }
            quoting = self.read_line(quoting)?;
        }
        Ok(true)
    }

    /// A line of spaces is no record, unless there is one column: then only an empty line is none.
    fn is_blank(&self) -> bool {
        let text = self.lines.text();
        match self.columns {
            Some(1) => text.is_empty(),
            _ => text.bytes().all(|byte| byte == b' ' || (byte == b'\t' && self.separator != b'\t')),
        }
    }

    /// Adds the fields of this line. What is open at its end goes on in the next line.
    fn read_line(&mut self, quoting: Quoting) -> Result<Quoting, SourceError> {
        let separator = char::from(self.separator);
        let text = self.lines.text();
        let mut rest = text;
        let mut open = match quoting {
            Quoting::Closed => None,
            Quoting::Open { line, column, value } => Some((line, column, value)),
        };
        loop {
            if open.is_none() {
                if let Some(quoted) = rest.strip_prefix('"') {
                    open = Some((self.lines.number(), column_of(text, text.len() - rest.len()), String::new()));
                    rest = quoted;
                } else {
                    let (field, after) = rest.split_once(separator).map_or((rest, None), |(a, b)| (a, Some(b)));
                    self.fields.push(field.to_owned());
                    match after {
                        Some(after) => rest = after,
                        None => return Ok(Quoting::Closed),
                    }
                    continue;
                }
            }
            let Some((line, column, mut value)) = open.take() else { continue };
            let Some(after) = unquote(rest, &mut value) else {
                value.push_str(&self.lines.raw()[text.len()..]);
                return Ok(Quoting::Open { line, column, value });
            };
            self.fields.push(mem::take(&mut value));
            if after.is_empty() {
                return Ok(Quoting::Closed);
            }
            rest = after.strip_prefix(separator).ok_or_else(|| {
                let column = column_of(text, text.len() - after.len());
                self.lines
                    .error(column, "there is text between a closing quote and the next separator")
                    .show(text)
                    .help("a quote inside of quotes is written twice")
            })?;
        }
    }

    fn header_error(&self, message: String) -> SourceError {
        self.lines.error_at(self.line, 1, message).show(self.lines.text()).help("the first line names the columns")
    }
}

/// Adds what stands before the closing quote to `value`, and gives what stands behind it; none if it does not close.
fn unquote<'a>(mut rest: &'a str, value: &mut String) -> Option<&'a str> {
    loop {
        let Some((before, after)) = rest.split_once('"') else {
            value.push_str(rest);
            return None;
        };
        value.push_str(before);
        match after.strip_prefix('"') {
            Some(more) => {
                value.push('"');
                rest = more;
            }
            None => return Some(after),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn read(text: &str) -> Result<Vec<Result<Row, SourceError>>, SourceError> {
        let bytes = std::io::Cursor::new(text.to_owned().into_bytes());
        let mut table = Table::open(Lines::new(Box::new(bytes), None), b',', Depth::Whole)?;
        Ok(std::iter::from_fn(|| table.next_row()).collect())
    }

    fn rows(text: &str) -> Vec<(u64, Json)> {
        read(text).unwrap().into_iter().map(|row| row.unwrap()).map(|row| (row.line, row.value)).collect()
    }

    #[test]
    fn quotes_line_ends_and_blank_lines() {
        let text = "\u{FEFF}id, note\r\n1,plain\r\n\r\n2,\"a, \"\"b\"\"\r\nc\"\r\n3,\n";
        assert_eq!(
            rows(text),
            [
                (2, json!({"id": "1", "note": "plain"})),
                (4, json!({"id": "2", "note": "a, \"b\"\r\nc"})),
                (6, json!({"id": "3", "note": ""})),
            ]
        );
    }

    #[test]
    fn a_row_with_another_number_of_fields_is_named_and_the_next_is_read() {
        let rows = read("a,b\n1\n1,2,3\n1,2").unwrap();
        assert_eq!(
            rows[0].as_ref().unwrap_err().to_string(),
            "standard input:2:1: this row has 1 field, but the header names 2"
        );
        assert_eq!(rows[1].as_ref().unwrap_err().line, Some(3));
        assert_eq!(rows[2].as_ref().unwrap().index, 2);
    }

    #[test]
    fn quotes_that_do_not_fit_are_errors_at_their_place() {
        let open = read("a,b\n1,\"x\ny\nz").unwrap().remove(0).unwrap_err();
        assert_eq!(open.to_string(), "standard input:2:3: the quote that opens here is not closed");
        let after = read("a,b\n1,\"x\"y").unwrap().remove(0).unwrap_err();
        assert_eq!((after.line, after.column), (Some(2), Some(6)));
        assert_eq!(rows("a\nit\"s")[0].1, json!({"a": "it\"s"}));
    }

    #[test]
    fn headers_must_have_names_that_differ() {
        assert_eq!(read("").unwrap_err().message, "there is no header row");
        assert_eq!(read("a,,b").unwrap_err().message, "column 2 has no name");
        assert_eq!(read("a,b, a").unwrap_err().message, "two columns are named `a`");
    }

    proptest! {
        #[test]
        fn reads_what_the_csv_crate_writes(
            rows_in in proptest::collection::vec(proptest::collection::vec("[a-z,\"\n\r ä]{0,6}", 3), 0..6)
        ) {
            let mut writer = csv::WriterBuilder::new().quote_style(csv::QuoteStyle::Always).from_writer(Vec::new());
            writer.write_record(["x", "y", "z"]).unwrap();
            for row in &rows_in {
                writer.write_record(row).unwrap();
            }
            let text = String::from_utf8(writer.into_inner().unwrap()).unwrap();
            let read: Vec<Json> = rows(&text).into_iter().map(|(_, value)| value).collect();
            let wrote: Vec<Json> = rows_in.iter().map(|row| json!({"x": row[0], "y": row[1], "z": row[2]})).collect();
            prop_assert_eq!(read, wrote);
        }
    }
}
