//! A list, read through once before anything is called.

use std::fs::File;
use std::path::Path;

use super::SourceError;
use super::lines::Lines;
use super::list::ListSource;
use super::rows::{Depth, Row};
use crate::diag::did_you_mean;
use crate::model::{Json, kind_of};

/// So many errors are kept; the rest are counted.
const KEPT_ERRORS: usize = 20;
/// So many rows that lack the same field are kept: a field that is misspelled in a template is missing in every row.
const KEPT_OF_A_FIELD: usize = 3;
/// So many fields are listed in a help.
const LISTED_FIELDS: usize = 12;

/// What a list is like.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Survey {
    /// How many rows can be read, with those that lack a field.
    pub rows: u64,
    /// The first twenty mistakes, but three at most about one field.
    pub errors: Vec<SourceError>,
    /// How many more there are.
    pub more_errors: u64,
}

impl Survey {
    fn add(&mut self, error: SourceError) {
        let alike = |other: &&SourceError| other.lacks.is_some() && other.lacks == error.lacks;
        if self.errors.len() < KEPT_ERRORS && self.errors.iter().filter(alike).count() < KEPT_OF_A_FIELD {
            self.errors.push(error);
        } else {
            self.more_errors += 1;
        }
    }
}

/// Reads the first `limit` rows of a list through once and holds none. `required` are paths of fields that each row must
/// have; `on_row` sees each row that has them. Where there is neither, rows are read strictly but not built, which is
/// several times as fast.
pub fn survey(
    source: &ListSource,
    limit: Option<u64>,
    required: &[Vec<String>],
    mut on_row: Option<&mut dyn FnMut(&Row)>,
) -> Survey {
    let depth = if required.is_empty() && on_row.is_none() { Depth::FormOnly } else { Depth::Whole };
    let mut survey = Survey::default();
    let rows = match source.open(depth) {
        Ok(rows) => rows,
        Err(error) => {
            survey.add(error);
            return survey;
        }
    };
    for row in rows.take(limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX)) {
        let row = match row {
            Ok(row) => row,
            Err(error) => {
                survey.add(error);
                continue;
            }
        };
        survey.rows += 1;
        let mut whole = true;
        for path in required {
            if let Some(error) = missing(source, &row, path) {
                whole = false;
                survey.add(error);
                if !row.value.is_object() {
                    // It has no other field either.
                    break;
                }
            }
        }
        if whole && let Some(on_row) = on_row.as_mut() {
            on_row(&row);
        }
    }
    show_lines(source, &mut survey.errors);
    survey
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
        let file = match source {
            ListSource::Glob { .. } => row.value.get("path").and_then(Json::as_str).map(Path::new),
            _ => source.file(),
        };
        match (row.line, file) {
            (0, Some(_)) => Self::new(message).path(file),
            (0, None) => Self::new(format!("item {}: {message}", row.index + 1)),
            (line, _) => Self::new(message).path(file).at(line, 1),
        }
    }
}

/// The error if `row` has no field at `path`.
fn missing(source: &ListSource, row: &Row, path: &[String]) -> Option<SourceError> {
    let mut value = &row.value;
    for (depth, name) in path.iter().enumerate() {
        match field(value, name) {
            Some(inner) => value = inner,
            None => return Some(lacks(value, &path[..=depth], row, source)),
        }
    }
    None
}

fn field<'a>(value: &'a Json, name: &str) -> Option<&'a Json> {
    match value {
        Json::Object(fields) => fields.get(name),
        Json::Array(items) => items.get(name.parse::<usize>().ok()?),
        _ => None,
    }
}

/// `value` lacks the last name of `path`.
fn lacks(value: &Json, path: &[String], row: &Row, source: &ListSource) -> SourceError {
    let name = path.last().map(String::as_str).unwrap_or_default();
    let owner = match &path[..path.len().saturating_sub(1)] {
        [] => None,
        outer => Some(format!("`{}`", outer.join("."))),
    };
    let subject = match (&owner, row.line) {
        (Some(owner), 0) => format!("{owner} of item {} ", row.index + 1),
        (Some(owner), _) => format!("{owner} "),
        (None, 0) => format!("item {} ", row.index + 1),
        (None, _) => "this row ".to_owned(),
    };
    let message = match value {
        Json::Object(_) => format!("{subject}has no field `{name}`"),
        other => format!("{subject}is {} and has no field `{name}`", kind_of(other)),
    };
    let mut error = SourceError::new(message).path(source.file());
    error.lacks = Some(path.to_vec());
    if row.line > 0 {
        error = error.at(row.line, 1);
    }
    if let (ListSource::Glob { .. }, Some(path)) = (source, row.value.get("path").and_then(Json::as_str)) {
        error = error.path(Some(path.as_ref()));
        if name == "text" {
            return error.help("only text files have `text`: UTF-8, at most 16 MiB; match fewer files");
        }
    }
    match value {
        Json::Object(fields) => error.help(fields_help(name, fields.keys().map(String::as_str))),
        _ => error,
    }
}

fn fields_help<'a>(name: &str, fields: impl Iterator<Item = &'a str> + Clone) -> String {
    let mut listed: Vec<String> = fields.clone().take(LISTED_FIELDS).map(|field| format!("`{field}`")).collect();
    let more = fields.clone().count().saturating_sub(LISTED_FIELDS);
    if more > 0 {
        listed.push(format!("{more} more"));
    }
    let has = match listed.as_slice() {
        [] => "it has no fields".to_owned(),
        listed => format!("it has {}", listed.join(", ")),
    };
    match did_you_mean(name, fields) {
        Some(near) => format!("did you mean `{near}`? {has}; `default` allows a missing field"),
        None => format!("{has}; `default` allows a missing field"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn errors(items: Json, path: &[&str]) -> Vec<(String, Option<String>)> {
        let Json::Array(items) = items else { panic!("not a list") };
        let path = path.iter().map(|name| (*name).to_owned()).collect();
        let survey = survey(&ListSource::Inline(items.into()), None, &[path], None);
        survey.errors.into_iter().map(|error| (error.to_string(), error.help)).collect()
    }

    #[test]
    fn a_missing_field_is_named_with_those_that_are_there() {
        let found = errors(json!([{"body": 1}, {"boyd": 1, "id": 2}, "text", {}]), &["body"]);
        assert_eq!(found[0].0, "item 2 has no field `body`");
        let help = found[0].1.as_deref().unwrap();
        assert_eq!(help, "did you mean `boyd`? it has `boyd`, `id`; `default` allows a missing field");
        assert_eq!(found[1].0, "item 3 is a text and has no field `body`");
        assert_eq!(found[2].1.as_deref(), Some("it has no fields; `default` allows a missing field"));
    }

    #[test]
    fn fields_of_fields_and_places_in_lists_are_looked_for() {
        let items = json!([{"author": {"name": null}, "tags": ["a"]}, {"author": {"mail": 1}, "tags": []}]);
        assert_eq!(errors(items.clone(), &["author", "name"])[0].0, "`author` of item 2 has no field `name`");
        assert_eq!(errors(items, &["tags", "0"])[0].0, "`tags` of item 2 is a list and has no field `0`");
    }

    #[test]
    fn a_field_that_all_rows_lack_is_told_three_times() {
        let items = vec![json!({}); 30];
        let paths = [vec!["a".to_owned()], vec!["b".to_owned()]];
        let survey = survey(&ListSource::Inline(items.into()), Some(25), &paths, None);
        assert_eq!((survey.rows, survey.errors.len(), survey.more_errors), (25, 6, 44));
    }

    #[test]
    fn after_twenty_errors_the_rest_are_counted() {
        let file = tempfile::Builder::new().suffix(".jsonl").tempfile().unwrap();
        std::io::Write::write_all(&mut file.as_file(), "x\n".repeat(25).as_bytes()).unwrap();
        let list = ListSource::from_text(&file.path().display().to_string(), "".as_ref()).unwrap();
        let survey = survey(&list, None, &[], None);
        assert_eq!((survey.errors.len(), survey.more_errors), (20, 5));
    }

    #[test]
    fn rows_that_have_the_fields_are_seen() {
        let mut seen = Vec::new();
        let items = vec![json!({"a": 1}), json!({}), json!({"a": 3})];
        let mut on_row = |row: &Row| seen.push(row.index);
        survey(&ListSource::Inline(items.into()), None, &[vec!["a".to_owned()]], Some(&mut on_row));
        assert_eq!(seen, [0, 2]);
    }
}
