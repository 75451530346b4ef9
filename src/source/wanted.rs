//! What is wanted of each row of a list, and what is told of a row that lacks it.

use std::fmt;

use super::list::ListSource;
use super::rows::Row;
use super::{SourceError, listed};
use crate::diag::did_you_mean;
use crate::model::{Json, kind_of, truthy};

/// A step into a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A field of a mapping, or an index.
    Field(String),
    /// Each element of a list, or each value of a mapping.
    Each,
}

/// What must stand at the end of the steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Anything.
    Any,
    /// A list or a mapping: a template goes through it.
    Through,
    /// A list: a loop is made of it.
    List,
}

/// Whether something is wanted of a row.
pub type Condition<'a> = &'a dyn Fn(&Row) -> bool;

/// What each row must have.
#[derive(Clone)]
pub struct Wanted<'a> {
    /// The way to it.
    pub steps: Vec<Step>,
    /// What it must be.
    pub form: Form,
    /// Whether all on the way must be there. Otherwise only what is there, and neither false nor empty, must go on.
    pub strict: bool,
    /// Of which rows it is wanted; of all without one.
    pub when: Option<Condition<'a>>,
    /// Whether the header of a table must name it, whichever rows it is wanted of: no row has what that has not.
    pub in_header: bool,
}

impl fmt::Debug for Wanted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wanted").field("steps", &self.steps).field("form", &self.form).finish_non_exhaustive()
    }
}

impl Wanted<'_> {
    /// A field that every row must have.
    pub fn field(path: &[&str]) -> Self {
        let steps = path.iter().map(|name| Step::Field((*name).to_owned())).collect();
        Self { steps, form: Form::Any, strict: true, when: None, in_header: true }
    }

    /// What is wrong with a row, if it lacks this.
    pub(super) fn missing_in(&self, row: &Row, source: &ListSource) -> Option<SourceError> {
        if self.when.is_some_and(|when| !when(row)) {
            return None;
        }
        let error = self.lack(&row.value, 0)?.tell(&self.steps, row, source);
        Some(match self.form {
            // A loop has no `default`.
            Form::List => error.help("give every row a list there; an empty one is a list too"),
            Form::Any | Form::Through => error,
        })
    }

    /// What is wrong with a table whose header has these names: its values are texts.
    pub(super) fn missing_in_header(&self, header: &[String]) -> Option<SourceError> {
        let (Step::Field(name), rest) = self.steps.split_first()? else { return None };
        if !header.contains(name) {
            let names = listed(header.iter().map(String::as_str));
            let help = match did_you_mean(name, header.iter().map(String::as_str)) {
                Some(near) => format!("did you mean `{near}`? The header names {names}"),
                None => format!("the header names {names}; `default` allows a missing field"),
            };
            return Some(SourceError::new(format!("there is no column `{name}`")).help(help));
        }
        let what = match (rest.first(), self.form) {
            (Some(Step::Field(field)), _) if self.strict => format!("and a text has no field `{field}`"),
            (None, Form::Through | Form::List) => "and a text is no list".to_owned(),
            _ => return None,
        };
        let message = format!("values of the column `{name}` are texts, {what}");
        Some(SourceError::new(message).help("write the rows as `.jsonl`, where a value can be a list or a mapping"))
    }

    /// The first value on the way that does not lead on, after so many steps.
    fn lack<'v>(&self, value: &'v Json, at: usize) -> Option<Lack<'v>> {
        let Some(step) = self.steps.get(at) else {
            let fits = match self.form {
                Form::Any => true,
                Form::Through => value.is_array() || value.is_object(),
                Form::List => value.is_array(),
            };
            return (!fits).then_some(Lack { value, at });
        };
        match (step, value) {
            (Step::Each, Json::Array(items)) => items.iter().find_map(|item| self.lack(item, at + 1)),
            (Step::Each, Json::Object(fields)) => fields.values().find_map(|item| self.lack(item, at + 1)),
            // That it is no list is told by whoever wants it to be one.
            (Step::Each, _) => None,
            (Step::Field(name), _) => match field(value, name) {
                Some(inner) => self.lack(inner, at + 1),
                None => (self.strict || truthy(value)).then_some(Lack { value, at }),
            },
        }
    }
}

/// What a row lacks: `value`, so many steps in, has no next one, or is itself not what is wanted.
struct Lack<'v> {
    value: &'v Json,
    at: usize,
}

impl Lack<'_> {
    fn tell(&self, steps: &[Step], row: &Row, source: &ListSource) -> SourceError {
        let value = self.value;
        let Some(Step::Field(name)) = steps.get(self.at) else {
            let subject = subject(steps, row);
            let message = format!("{subject} is {}, not a list", kind_of(value));
            return SourceError::at_row(source, row, message);
        };
        let subject = subject(&steps[..self.at], row);
        let message = match value {
            Json::Object(_) => format!("{subject} has no field `{name}`"),
            other => format!("{subject} is {} and has no field `{name}`", kind_of(other)),
        };
        let error = SourceError::at_row(source, row, message);
        if matches!(source, ListSource::Glob { .. }) && name == "text" {
            return error.help("only text files have `text`: UTF-8, at most 16 MiB; match fewer files");
        }
        match value {
            Json::Object(fields) => error.help(fields_help(name, fields.keys().map(String::as_str))),
            _ => error,
        }
    }
}

/// What lies behind the steps, as people call it: `this row`, `` `author` ``, `` an item of `tags` ``; with the number of
/// the row where there are no lines.
fn subject(steps: &[Step], row: &Row) -> String {
    let whole = if row.line > 0 { "this row".to_owned() } else { format!("item {}", row.index + 1) };
    let mut told = String::new();
    for group in steps.split(|step| *step == Step::Each).enumerate() {
        let (at, fields) = group;
        let fields: Vec<&str> = fields
            .iter()
            .filter_map(|step| if let Step::Field(name) = step { Some(name.as_str()) } else { None })
            .collect();
        let path = format!("`{}`", fields.join("."));
        told = match (at, fields.is_empty()) {
            (0, true) => whole.clone(),
            (0, false) if row.line > 0 => path,
            (0, false) => format!("{path} of {whole}"),
            (_, true) => format!("an item of {told}"),
            (_, false) => format!("{path} of an item of {told}"),
        };
    }
    told
}

fn field<'a>(value: &'a Json, name: &str) -> Option<&'a Json> {
    match value {
        Json::Object(fields) => fields.get(name),
        Json::Array(items) => items.get(name.parse::<usize>().ok()?),
        _ => None,
    }
}

fn fields_help<'a>(name: &str, fields: impl Iterator<Item = &'a str> + Clone) -> String {
    let names = listed(fields.clone());
    let has = if names.is_empty() { "it has no fields".to_owned() } else { format!("it has {names}") };
    match did_you_mean(name, fields) {
        Some(near) => format!("did you mean `{near}`? {has}; `default` allows a missing field"),
        None => format!("{has}; `default` allows a missing field"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(value: Json, wanted: &Wanted<'_>) -> Option<String> {
        let list = ListSource::Inline([value.clone()].into());
        wanted.missing_in(&Row { index: 1, value, line: 0 }, &list).map(|error| error.to_string())
    }

    #[test]
    fn a_missing_field_is_named_with_those_that_are_there() {
        let body = Wanted::field(&["body"]);
        assert_eq!(told(json!({"body": null}), &body), None);
        assert_eq!(told(json!({"boyd": 1}), &body).unwrap(), "item 2 has no field `body`");
        assert_eq!(told(json!("text"), &body).unwrap(), "item 2 is a text and has no field `body`");
        let help = fields_help("body", ["boyd", "id"].into_iter());
        assert_eq!(help, "did you mean `boyd`? it has `boyd`, `id`; `default` allows a missing field");
        assert_eq!(fields_help("body", [].into_iter()), "it has no fields; `default` allows a missing field");
    }

    #[test]
    fn fields_of_fields_and_places_in_lists_are_looked_for() {
        let item = json!({"author": {"mail": 1}, "tags": []});
        let name = Wanted::field(&["author", "name"]);
        assert_eq!(told(item.clone(), &name).unwrap(), "`author` of item 2 has no field `name`");
        let tag = Wanted::field(&["tags", "0"]);
        assert_eq!(told(item, &tag).unwrap(), "`tags` of item 2 is a list and has no field `0`");
    }

    #[test]
    fn lists_are_gone_through() {
        let field = |name: &str| Step::Field(name.to_owned());
        let steps = vec![field("tags"), Step::Each, field("name")];
        let wanted = Wanted { steps, strict: false, ..Wanted::field(&[]) };
        assert_eq!(told(json!({"tags": [{"name": 1}, null]}), &wanted), None, "what is false is passed over");
        let lacks = told(json!({"tags": [{"name": 1}, {"nmae": 2}]}), &wanted).unwrap();
        assert_eq!(lacks, "an item of `tags` of item 2 has no field `name`");
        let list = Wanted { form: Form::List, ..Wanted::field(&["tags"]) };
        assert_eq!(told(json!({"tags": "a"}), &list).unwrap(), "`tags` of item 2 is a text, not a list");
        assert_eq!(told(json!({"tags": null}), &list).unwrap(), "`tags` of item 2 is null, not a list");
        assert_eq!(told(json!({}), &list).unwrap(), "item 2 has no field `tags`");
    }
}
