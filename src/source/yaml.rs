//! `.yaml`, `.yml`: a list, held. The only file of this room that names the YAML crate.

use std::io::Read;
use std::path::Path;
use std::vec;

use serde_yaml::Spanned;

use super::SourceError;
use super::rows::{ReadRows, Row};
use crate::model::Json;

/// A YAML list is held whole, so it is no longer than this, in bytes.
const LONGEST: usize = 16 << 20;
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

/// Scalars are those of YAML 1.2: `no`, `on` and `012` are text. The budgets fit the longest file.
fn options() -> serde_yaml::Options {
    serde_yaml::options! {
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
        underscored_numbers_as_strings: true,
        budget: serde_yaml::budget! {
            max_nodes: LONGEST,
            max_events: 2 * LONGEST,
            max_total_scalar_bytes: 2 * LONGEST,
        },
    }
}

fn explain(error: &serde_yaml::Error, text: &str, path: &Path) -> SourceError {
    let words = error.without_snippet().to_string();
    let found = SourceError::new(format!("not a YAML list: {words}")).path(Some(path)).help(LIST_FORM);
    let Some(location) = error.location().filter(|location| location.line() > 0) else { return found };
    let number = usize::try_from(location.line()).unwrap_or(usize::MAX);
    let line = text.split('\n').nth(number - 1).unwrap_or_default();
    found.at(location.line(), usize::try_from(location.column()).unwrap_or(1).max(1)).show(line)
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
        assert!(error.to_string().starts_with("a.yaml:2:1: not a YAML list"), "{error}");
        let error = read("- [1\n- 2\n").unwrap_err();
        assert!(error.line.is_some(), "{error}");
    }
}
