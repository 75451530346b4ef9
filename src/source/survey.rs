//! A list, read through once before anything is called.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::Path;

use super::SourceError;
use super::lines::Lines;
use super::list::ListSource;
use super::rows::{Depth, Row, Rows};
use super::wanted::Wanted;
use crate::model::Json;

/// So many errors are kept; the rest are counted.
const KEPT_ERRORS: usize = 20;
/// So many rows that lack the same are kept: a field that is misspelled in a template is missing in every row.
const KEPT_OF_A_LACK: usize = 3;
/// So many names are listed in a help.
const LISTED_NAMES: usize = 12;

/// What a list is like.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Survey {
    /// How many rows can be read, with those that lack a field.
    pub rows: u64,
    /// The first twenty mistakes, but three at most about one thing that rows lack. The last says how many more there are.
    pub errors: Vec<SourceError>,
    /// How many more there are.
    pub more_errors: u64,
    /// How many of these lack something, for each such thing.
    more_lacks: BTreeMap<usize, u64>,
}

impl Survey {
    fn add(&mut self, error: SourceError) {
        let alike = |other: &&SourceError| other.lacks.is_some() && other.lacks == error.lacks;
        if self.errors.len() < KEPT_ERRORS && self.errors.iter().filter(alike).count() < KEPT_OF_A_LACK {
            self.errors.push(error);
            return;
        }
        self.more_errors += 1;
        if let Some(lack) = error.lacks {
            *self.more_lacks.entry(lack).or_insert(0) += 1;
        }
    }

    /// The last row that lacks something says how many more lack it; what is left is said by the last mistake.
    fn tell_of_more(&mut self) {
        let mut others = self.more_errors;
        for (lack, more) in &self.more_lacks {
            if let Some(last) = self.errors.iter_mut().rev().find(|error| error.lacks == Some(*lack)) {
                let rows = if *more == 1 { "row is" } else { "rows are" };
                last.message = format!("{}; {more} more {rows} like this", last.message);
                others -= more;
            }
        }
        if let (Some(last), 1..) = (self.errors.last_mut(), others) {
            let mistakes = if others == 1 { "mistake" } else { "mistakes" };
            last.message = format!("{}; {others} more {mistakes} in this list", last.message);
        }
    }
}

/// Reads the first `limit` rows of a list through once and holds none. `wanted` is what each row must have; `on_row` sees
/// each row that has all of it. Where there is neither, rows are read strictly but not built, which is several times as
/// fast.
pub fn survey(
    source: &ListSource,
    limit: Option<u64>,
    wanted: &[Wanted<'_>],
    mut on_row: Option<&mut dyn FnMut(&Row)>,
) -> Survey {
    let depth = if wanted.is_empty() && on_row.is_none() { Depth::FormOnly } else { Depth::Whole };
    let mut survey = Survey::default();
    let mut rows = match source.open(depth) {
        Ok(rows) => rows,
        Err(error) => {
            survey.add(error);
            return survey;
        }
    };
    let mut check = Check::of(source, wanted, &mut rows);
    check.header(&mut survey);
    for row in rows.take(limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX)) {
        let row = match row {
            Ok(row) => row,
            Err(error) => {
                survey.add(error);
                continue;
            }
        };
        survey.rows += 1;
        if check.row(&row, &mut survey)
            && let Some(on_row) = on_row.as_mut()
        {
            on_row(&row);
        }
    }
    survey.tell_of_more();
    show_lines(source, &mut survey.errors);
    survey
}

/// Looks for what is wanted.
struct Check<'a> {
    source: &'a ListSource,
    wanted: &'a [Wanted<'a>],
    /// The line of a table's header, and for each wanted thing what is wrong with the header. It is told once, and not of
    /// each row.
    header: Option<(u64, Vec<Option<SourceError>>)>,
}

impl<'a> Check<'a> {
    fn of(source: &'a ListSource, wanted: &'a [Wanted<'a>], rows: &mut Rows) -> Self {
        let header = rows.header().map(|(line, names)| {
            (line, wanted.iter().map(|wanted| wanted.missing_in_header(names)).collect::<Vec<_>>())
        });
        Self { source, wanted, header }
    }

    /// Tells what is wrong with a header for all rows.
    fn header(&mut self, survey: &mut Survey) {
        for at in 0..self.wanted.len() {
            if self.wanted[at].in_header {
                self.tell_header(at, survey);
            }
        }
    }

    fn tell_header(&mut self, at: usize, survey: &mut Survey) {
        let Some((line, faults)) = &mut self.header else { return };
        if let Some(error) = faults[at].take() {
            let mut error = error.path(self.source.file()).at(*line, 1);
            error.lacks = Some(at);
            survey.add(error);
        }
    }

    /// Whether a row has all that is wanted of it.
    fn row(&mut self, row: &Row, survey: &mut Survey) -> bool {
        let mut whole = true;
        let mut told = BTreeSet::new();
        for (at, wanted) in self.wanted.iter().enumerate() {
            let Some(mut error) = wanted.missing_in(row, self.source) else { continue };
            whole = false;
            if self.header.is_some() {
                self.tell_header(at, survey);
                continue;
            }
            error.lacks = Some(at);
            if told.insert(error.message.clone()) {
                survey.add(error);
            }
            if !row.value.is_object() {
                // It has no other field either.
                break;
            }
        }
        whole
    }
}

/// Shows the lines of errors that were found when their lines had gone by: the file is read once more.
pub fn show_lines(source: &ListSource, errors: &mut [SourceError]) {
    let is_dark = |error: &SourceError| error.line.is_some() && error.snippet.as_ref().is_none_or(String::is_empty);
    let Some(last) = errors.iter().filter(|error| is_dark(error)).filter_map(|error| error.line).max() else { return };
    let Some((path, file)) = source.file().and_then(|path| Some((path, File::open(path).ok()?))) else { return };
    let mut lines = Lines::new(Box::new(file), Some(path));
    while lines.number() < last && lines.advance().is_ok_and(|more| more) {
        for error in errors.iter_mut().filter(|error| is_dark(error) && error.line == Some(lines.number())) {
            *error = error.clone().show(lines.text());
        }
    }
}

impl SourceError {
    /// What is wrong with a row, at its place.
    pub fn of_row(source: &ListSource, row: &Row, message: &str) -> Self {
        let number = if row.line == 0 && source.file_of(row).is_none() {
            format!("item {}: ", row.index + 1)
        } else {
            String::new()
        };
        Self::at_row(source, row, format!("{number}{message}"))
    }

    /// The same where the message says which row it is.
    pub(super) fn at_row(source: &ListSource, row: &Row, message: String) -> Self {
        let error = Self::new(message).path(source.file_of(row));
        if row.line > 0 { error.at(row.line, 1) } else { Self { item: Some(row.index), ..error } }
    }
}

impl ListSource {
    /// The file that a row stands in, or is.
    fn file_of<'a>(&'a self, row: &'a Row) -> Option<&'a Path> {
        match self {
            Self::Glob { .. } => row.value.get("path").and_then(Json::as_str).map(Path::new),
            _ => self.file(),
        }
    }
}

/// Names as people list them, the first twelve: `` `a`, `b` ``.
pub(super) fn listed<'a>(names: impl Iterator<Item = &'a str> + Clone) -> String {
    let more = names.clone().count().saturating_sub(LISTED_NAMES);
    let mut listed: Vec<String> = names.take(LISTED_NAMES).map(|name| format!("`{name}`")).collect();
    listed.extend((more > 0).then(|| format!("{more} more")));
    listed.join(", ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_field_that_all_rows_lack_is_told_three_times() {
        let items = vec![json!({}); 30];
        let wanted = [Wanted::field(&["a"]), Wanted::field(&["b"])];
        let survey = survey(&ListSource::Inline(items.into()), Some(25), &wanted, None);
        assert_eq!((survey.rows, survey.errors.len(), survey.more_errors), (25, 6, 44));
        assert_eq!(survey.errors[5].message, "item 3 has no field `b`; 22 more rows are like this");
    }

    #[test]
    fn after_twenty_errors_the_rest_are_counted() {
        let file = tempfile::Builder::new().suffix(".jsonl").tempfile().unwrap();
        std::io::Write::write_all(&mut file.as_file(), "x\n".repeat(25).as_bytes()).unwrap();
        let list = ListSource::from_text(&file.path().display().to_string(), "".as_ref()).unwrap();
        let survey = survey(&list, None, &[], None);
        assert_eq!((survey.errors.len(), survey.more_errors), (20, 5));
        assert!(survey.errors[19].message.ends_with("; 5 more mistakes in this list"));
    }

    #[test]
    fn rows_that_have_the_fields_are_seen() {
        let mut seen = Vec::new();
        let items = vec![json!({"a": 1}), json!({}), json!({"a": 3})];
        let mut on_row = |row: &Row| seen.push(row.index);
        survey(&ListSource::Inline(items.into()), None, &[Wanted::field(&["a"])], Some(&mut on_row));
        assert_eq!(seen, [0, 2]);
    }
}
