//! `.jsonl`, `.ndjson`, standard input: a JSON value a line.

use super::SourceError;
use super::lines::{Lines, column_of};
use super::long_integers;
use super::rows::{Depth, ReadRows, Row};
use super::well_formed::WellFormed;
use crate::model::Json;

/// What is wrong most often.
pub(super) const JSON_HELP: &str =
    "put names and texts in double quotes, and a comma between two values: `{\"title\": \"One\", \"words\": 2}`";

/// Reads JSON lines; blank lines are passed over.
pub(super) struct JsonLines {
    lines: Lines,
    depth: Depth,
    next: u64,
}

impl JsonLines {
    pub(super) fn new(lines: Lines, depth: Depth) -> Self {
        Self { lines, depth, next: 0 }
    }

    /// The text of the row that was read last, without the line's end.
    pub(super) fn text(&self) -> &str {
        self.lines.text()
    }

    fn parse(&self) -> Result<Row, SourceError> {
        let text = self.lines.text();
        let value = match self.depth {
            Depth::Whole => serde_json::from_str(text),
            Depth::FormOnly => serde_json::from_str::<WellFormed>(text).map(|_| Json::Null),
        };
        if value.is_ok()
            && let Some(range) = long_integers::in_json(text)
        {
            let column = column_of(text, range.start);
            return Err(self.lines.error(column, "").show(text).with_long_integer(&text[range]));
        }
        match value {
            Ok(value) => Ok(Row { index: self.next - 1, value, line: self.lines.number() }),
            Err(error) => Err(self.explain(&error)),
        }
    }

    fn explain(&self, error: &serde_json::Error) -> SourceError {
        let text = self.lines.text();
        let column = column_of(text, error.column().saturating_sub(1));
        let found = |message| self.lines.error(column, message).show(text);
        if error.is_eof() {
            return found("the JSON value does not end on this line".to_owned())
                .help("write each value on one line; a list over several lines belongs in a `.json` file");
        }
        let reason = json_reason(error);
        if reason == "trailing characters" {
            return found("there is more on the line after its JSON value".to_owned()).help("write one value a line");
        }
        found(format!("not valid JSON: {reason}")).help(JSON_HELP)
    }
}

impl ReadRows for JsonLines {
    fn next_row(&mut self) -> Option<Result<Row, SourceError>> {
        loop {
            match self.lines.advance() {
                Ok(false) => return None,
                Ok(true) if self.lines.text().trim_ascii().is_empty() => {}
                Ok(true) => {
                    self.next += 1;
                    return Some(self.parse());
                }
                Err(error) => {
                    self.next += 1;
                    return Some(Err(error));
                }
            }
        }
    }

    fn bytes_read(&self) -> u64 {
        self.lines.bytes()
    }
}

/// The words of the JSON parser without the place, which we know better.
pub(super) fn json_reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.rsplit_once(" at line ").map_or(text.as_str(), |(reason, _)| reason).to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rows(text: &'static str, depth: Depth) -> Vec<Result<Row, SourceError>> {
        let mut reader = JsonLines::new(Lines::new(Box::new(text.as_bytes()), None), depth);
        std::iter::from_fn(|| reader.next_row()).collect()
    }

    fn error(text: &'static str) -> SourceError {
        rows(text, Depth::Whole).remove(0).unwrap_err()
    }

    #[test]
    fn blank_lines_bom_and_crlf_are_fine_and_a_row_may_be_any_value() {
        let rows = rows("\u{FEFF}{\"a\":1}\r\n\r\n  \n\"x\"\n[2]\nnull", Depth::Whole);
        let rows: Vec<_> =
            rows.into_iter().map(|row| row.unwrap()).map(|row| (row.index, row.line, row.value)).collect();
        assert_eq!(rows, [(0, 1, json!({"a": 1})), (1, 4, json!("x")), (2, 5, json!([2])), (3, 6, json!(null))]);
    }

    #[test]
    fn the_last_of_two_equal_keys_wins() {
        assert_eq!(rows(r#"{"a":1,"a":2}"#, Depth::Whole)[0].as_ref().unwrap().value, json!({"a": 2}));
    }

    #[test]
    fn errors_point_at_the_character() {
        assert_eq!(error("\n{\"ä\": x}").to_string(), "standard input:2:7: not valid JSON: expected value");
        assert_eq!(
            error("{\"a\": 1} {}").to_string(),
            "standard input:1:10: there is more on the line after its JSON value"
        );
        assert_eq!(error("{\"a\": ").message, "the JSON value does not end on this line");
        assert_eq!(error("{'a': 1}").snippet.unwrap(), "{'a': 1}");
        assert_eq!(
            error("{\"ä\": 18446744073709551616}").to_string(),
            "standard input:1:7: `18446744073709551616` has more digits than a number holds"
        );
    }

    #[test]
    fn rows_after_a_bad_one_keep_their_places() {
        for depth in [Depth::Whole, Depth::FormOnly] {
            let rows = rows("1\nx\n3", depth);
            assert!(rows[1].is_err());
            assert_eq!(rows[2].as_ref().unwrap().index, 2);
        }
    }
}
