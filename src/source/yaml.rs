//! `.yaml`, `.yml`: a list, held. The only file of this room that names the YAML crate.

use std::io::Read;
use std::ops::Range;
use std::path::Path;
use std::vec;

use serde_yaml::Spanned;

use super::SourceError;
use super::lines::column_of;
use super::long_integers;
use super::rows::{ReadRows, Row};
use crate::model::Json;

/// A YAML list is held whole, so it is no longer than this, in bytes.
const LONGEST: usize = 16 << 20;
/// So many values may come from aliases, as in a pipeline file.
const MOST_BY_ALIAS: usize = 250_000;
/// Below this, whole numbers fit into 64 bits.
const FIRST_ROUNDED: f64 = 9.2e18;
const LIST_FORM: &str = "write a list: each item behind `- `";

/// The elements of a YAML list.
pub(super) struct YamlList {
    items: vec::IntoIter<Spanned<Json>>,
    next: u64,
}

impl YamlList {
    pub(super) fn read(input: &mut dyn Read, path: &Path) -> Result<Self, SourceError> {
        let mut bytes = Vec::new();
        let most = LONGEST as u64 + 1;
        input
            .take(most)
            .read_to_end(&mut bytes)
            .map_err(|error| SourceError::io("can't be read", Some(path), &error))?;
        if bytes.len() > LONGEST {
            return Err(SourceError::new(format!("the file is longer than {} MiB", LONGEST >> 20))
                .path(Some(path))
                .help("YAML is held whole; write a long list as `.jsonl`, which is streamed"));
        }
        let text = String::from_utf8(bytes)
            .map_err(|_| SourceError::new("the file is not UTF-8").path(Some(path)).help("save the file as UTF-8"))?;
        let text = text.strip_prefix('\u{FEFF}').unwrap_or(&text);
        if text.trim().is_empty() {
            return Err(SourceError::new("the file is empty").path(Some(path)).help(LIST_FORM));
        }
        let items: Vec<Spanned<Json>> =
            serde_yaml::from_str_with_options(text, options()).map_err(|error| explain(&error, text, path))?;
        if let Some(range) = items.iter().find_map(|item| long_integer(&item.value, text)) {
            let before = &text[..range.start];
            let start = before.rfind('\n').map_or(0, |at| at + 1);
            let line = text[start..].lines().next().unwrap_or_default();
            let number = before.matches('\n').count() as u64 + 1;
            let error = SourceError::new("").path(Some(path)).at(number, column_of(line, range.start - start));
            return Err(error.show(line).with_long_integer(&text[range]));
        }
        Ok(Self { items: items.into_iter(), next: 0 })
    }
}

impl ReadRows for YamlList {
    fn next_row(&mut self) -> Option<Result<Row, SourceError>> {
        let item = self.items.next()?;
        self.next += 1;
        Some(Ok(Row { index: self.next - 1, line: item.referenced.line(), value: item.value }))
    }

    fn bytes_read(&self) -> u64 {
        0
    }
}

/// Where a value has a whole number that was rounded.
fn long_integer(value: &Json, text: &str) -> Option<Range<usize>> {
    match value {
        Json::Number(number) if number.is_f64() => {
            let number = number.as_f64().filter(|number| number.abs() >= FIRST_ROUNDED)?;
            long_integers::in_yaml(text, number)
        }
        Json::Array(items) => items.iter().find_map(|item| long_integer(item, text)),
        Json::Object(fields) => fields.values().find_map(|item| long_integer(item, text)),
        _ => None,
    }
}

/// Scalars are those of YAML 1.2: `no`, `on` and `012` are text. The budgets fit the longest file; what aliases add to it
/// is held to what a pipeline file may have.
fn options() -> serde_yaml::Options {
    serde_yaml::options! {
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
        underscored_numbers_as_strings: true,
        alias_limits: serde_yaml::alias_limits! {
            max_total_replayed_events: MOST_BY_ALIAS,
        },
        budget: serde_yaml::budget! {
            max_nodes: LONGEST,
            max_events: 2 * LONGEST,
            max_total_scalar_bytes: 2 * LONGEST,
            max_recorded_anchor_events: MOST_BY_ALIAS,
            max_recorded_anchor_bytes: LONGEST,
        },
    }
}

fn explain(error: &serde_yaml::Error, text: &str, path: &Path) -> SourceError {
    let (message, help) = in_our_words(error);
    let found = SourceError::new(message).path(Some(path)).help(help);
    let Some(location) = error.location().filter(|location| location.line() > 0) else { return found };
    let number = usize::try_from(location.line()).unwrap_or(usize::MAX);
    let line = text.split('\n').nth(number - 1).unwrap_or_default();
    found.at(location.line(), usize::try_from(location.column()).unwrap_or(1).max(1)).show(line)
}

/// What is wrong, and what to try. The parser's own words name kinds of its events and its budgets, and repeat the place.
fn in_our_words(error: &serde_yaml::Error) -> (String, &'static str) {
    use serde_yaml::Error;
    let cause = error.without_snippet();
    let words = cause.to_string();
    let words = words.split(" at line ").next().unwrap_or_default();
    let words = words.split(" (defined at").next().unwrap_or_default();
    let is_depth = words.contains("Depth") || words.contains("recursion") || words.contains("nesting");
    let (message, help) = match cause {
        _ if is_depth => ("too many lists and mappings stand within each other", "write the items flatter"),
        Error::Unexpected { .. } | Error::SerdeInvalidType { .. } => ("this is not a list", LIST_FORM),
        Error::UnknownAnchor { .. } => (
            "this alias names nothing that stands above it",
            "quote a text that begins with `*`, or write `&name` before the value that it means",
        ),
        Error::DuplicateMappingKey { .. } => ("this key stands twice in its mapping", "take one of the two out"),
        Error::MultipleDocuments { .. } => ("there is a second document after `---`", "write one list a file"),
        Error::NonFiniteFloat { .. } => ("this is no number that JSON knows", "quote it, or write a number"),
        _ if words.contains("budget") || words.contains("alias") => {
            ("aliases make this list too large", "write a long list as `.jsonl`, which is streamed")
        }
        _ => {
            return (
                format!("this is not YAML: {words}"),
                "see what stands before it: an open quote, bracket or brace",
            );
        }
    };
    (message.to_owned(), help)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(text: &str) -> Result<Vec<(u64, Json)>, SourceError> {
        let mut list = YamlList::read(&mut text.as_bytes(), Path::new("a.yaml"))?;
        Ok(std::iter::from_fn(|| list.next_row()).map(|row| row.unwrap()).map(|row| (row.line, row.value)).collect())
    }

    #[test]
    fn items_have_their_lines_and_scalars_are_those_of_yaml_1_2() {
        let rows = read("# all\n- no\n- {a: 012, b: 1}\n\n- |\n  two\n  lines\n").unwrap();
        assert_eq!(rows[0], (2, json!("no")));
        assert_eq!(rows[1], (3, json!({"a": "012", "b": 1})));
        assert_eq!(rows[2].1, json!("two\nlines\n"));
    }

    #[test]
    fn what_is_no_list_is_an_error_at_its_place() {
        assert_eq!(read("").unwrap_err().message, "the file is empty");
        let error = read("\na: 1\n").unwrap_err();
        assert_eq!(error.to_string(), "a.yaml:2:1: this is not a list");
        let error = read("- [1\n- 2\n").unwrap_err();
        assert!(error.line.is_some(), "{error}");
    }

    #[test]
    fn what_is_wrong_is_said_in_our_words() {
        for (text, told) in [
            ("- 1\n- [a, [b\n", "this is not YAML"),
            ("- *a\n", "this alias names nothing"),
            ("- {a: 1, a: 2}\n", "this key stands twice"),
            ("- 1\n---\n- 2\n", "there is a second document"),
            ("- .inf\n", "this is no number"),
            ("just a text\n", "this is not a list"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.message.starts_with(told) && !error.message.contains("line"), "{error}");
            assert!(error.help.is_some(), "{error}");
        }
        let deep = format!("- {}1{}\n", "[".repeat(100), "]".repeat(100));
        assert!(read(&deep).unwrap_err().message.starts_with("too many lists"), "{}", read(&deep).unwrap_err());
    }

    #[test]
    fn aliases_can_not_make_a_small_file_large() {
        let aliases = |of: usize| format!("[{}]", vec![format!("*a{of}"); 10].join(", "));
        let lines = (1..8).map(|at| format!("- &a{at} {}\n", aliases(at - 1)));
        let text: String = std::iter::once("- &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned()).chain(lines).collect();
        let error = read(&text).unwrap_err();
        assert_eq!(error.message, "aliases make this list too large");
        assert_eq!(read("- &a {b: 1}\n- *a\n").unwrap()[1].1, json!({"b": 1}));
    }

    #[test]
    fn a_whole_number_keeps_its_digits_or_is_an_error() {
        let error = read("- 1\n- {a: 18446744073709551616}\n").unwrap_err();
        assert_eq!(error.to_string(), "a.yaml:2:7: `18446744073709551616` has more digits than a number holds");
        let rows = read("- '18446744073709551616'\n- 18446744073709551615\n- 1.5e300\n").unwrap();
        assert_eq!(rows[0].1, json!("18446744073709551616"));
        assert_eq!(rows[1].1, json!(u64::MAX));
    }
}
