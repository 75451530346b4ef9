//! What is known of a value before it is there: enough to say that a field can't exist.

use indexmap::IndexMap;

use crate::model::{InputKind, Json, Value};

/// No more values than these are held against what a file compares them with.
const MOST_VALUES: usize = 100;

/// The shape of a value, as far as it is known.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Shape {
    /// Nothing is known.
    Any,
    /// A text; it has no fields.
    Text,
    /// A number, or true or false; no fields.
    Plain(&'static str),
    /// One of these values: texts or numbers, and null where it may be that.
    OneOf(Vec<Json>),
    /// A list of such values.
    List(Box<Shape>),
    /// A mapping with just these fields.
    Fields(Vec<(String, Shape)>),
    /// A mapping with these fields, and others that nothing is known of.
    Open(Vec<(String, Shape)>),
    /// Mappings that were looked at: one of them at least has each of these fields, and none has another.
    Seen(Vec<(String, Shape)>),
}

impl Shape {
    /// What an input of this type holds.
    pub(super) fn of_input(kind: InputKind) -> Self {
        match kind {
            InputKind::String | InputKind::Choice => Self::Text,
            InputKind::Integer | InputKind::Number => Self::Plain("a number"),
            InputKind::Boolean => Self::Plain("true or false"),
            InputKind::Json => Self::Any,
            InputKind::Items => Self::List(Box::new(Self::Any)),
        }
    }

    /// One of these values, or nothing if these are not all texts or all numbers, beside null. More than anyone compares
    /// with are not kept.
    pub(super) fn one_of(values: &[Json]) -> Option<Self> {
        let mut others = values.iter().filter(|value| !value.is_null()).peekable();
        let are_alike = match others.peek() {
            Some(Json::String(_)) => others.all(Json::is_string),
            Some(Json::Number(_)) => others.all(Json::is_number),
            _ => false,
        };
        (are_alike && values.len() <= MOST_VALUES).then(|| Self::OneOf(values.to_vec()))
    }

    /// The same where it may have any value of its kind.
    pub(super) fn of_any_value(&self) -> Self {
        let inside = |fields: &[(String, Self)]| {
            fields.iter().map(|(name, shape)| (name.clone(), shape.of_any_value())).collect::<Vec<_>>()
        };
        match self {
            Self::Any | Self::Text | Self::Plain(_) => self.clone(),
            Self::OneOf(values) if values.iter().any(Json::is_number) => Self::Plain("a number"),
            Self::OneOf(_) => Self::Text,
            Self::List(of) => Self::List(Box::new(of.of_any_value())),
            Self::Fields(fields) => Self::Fields(inside(fields)),
            Self::Open(fields) => Self::Open(inside(fields)),
            Self::Seen(fields) => Self::Seen(inside(fields)),
        }
    }

    /// A picture in the output folder.
    pub(super) fn image() -> Self {
        let fields = Value::IMAGE_FIELDS.iter().map(|field| {
            let shape = if matches!(*field, "path" | "media_type") { Self::Text } else { Self::Plain("a number") };
            ((*field).to_owned(), shape)
        });
        Self::Fields(fields.collect())
    }

    /// A file that a glob has found; `text` is missing where the file is no text.
    pub(super) fn found_file() -> Self {
        Self::Fields(["path", "name", "stem", "text"].map(|field| (field.to_owned(), Self::Text)).into())
    }

    /// What the elements of a list that is written out have in common.
    pub(super) fn of_items(items: &[Json]) -> Self {
        Self::shared(&items.iter().collect::<Vec<_>>())
    }

    /// The shape of a value that is there.
    pub(super) fn of_value(value: &Json) -> Self {
        Self::shared(&[value])
    }

    /// The shape of a value that is written into the file: its fields are all there are.
    pub(super) fn of_literal(value: &Json) -> Self {
        match value {
            Json::Null => Self::Any,
            Json::Bool(_) => Self::Plain("true or false"),
            Json::Number(_) => Self::Plain("a number"),
            Json::String(_) => Self::Text,
            Json::Array(items) => Self::List(Box::new(Self::common(items.iter().map(Self::of_literal)))),
            Json::Object(fields) => {
                Self::Fields(fields.iter().map(|(name, value)| (name.clone(), Self::of_literal(value))).collect())
            }
        }
    }

    /// What values of these shapes have in common; nothing is known of none.
    pub(super) fn common(shapes: impl IntoIterator<Item = Self>) -> Self {
        shapes.into_iter().reduce(Self::or).unwrap_or(Self::Any)
    }

    /// The shape of what is one or the other.
    fn or(self, other: Self) -> Self {
        match (self, other) {
            (one, other) if one == other => one,
            (Self::OneOf(one), Self::OneOf(other)) => {
                let all: Vec<Json> = one.iter().chain(&other).cloned().collect();
                Self::one_of(&all)
                    .unwrap_or_else(|| Self::OneOf(one).of_any_value().or(Self::OneOf(other).of_any_value()))
            }
            (one @ Self::OneOf(_), other) => one.of_any_value().or(other),
            (one, other @ Self::OneOf(_)) => one.or(other.of_any_value()),
            (Self::List(one), Self::List(other)) => Self::List(Box::new(one.or(*other))),
            (one, other) if one.has_fields() && other.has_fields() => {
                let is_open = [&one, &other].iter().any(|shape| matches!(shape, Self::Open(_)));
                let (one, other) = (one.into_fields(), other.into_fields());
                let mut fields: IndexMap<String, Self> = one.into_iter().collect();
                for (name, shape) in other {
                    match fields.get_mut(&name) {
                        Some(known) => *known = std::mem::replace(known, Self::Any).or(shape),
                        None => _ = fields.insert(name, shape),
                    }
                }
                let fields = fields.into_iter().collect();
                if is_open { Self::Open(fields) } else { Self::Seen(fields) }
            }
            _ => Self::Any,
        }
    }

    fn has_fields(&self) -> bool {
        matches!(self, Self::Fields(_) | Self::Open(_) | Self::Seen(_))
    }

    fn into_fields(self) -> Vec<(String, Self)> {
        match self {
            Self::Fields(fields) | Self::Open(fields) | Self::Seen(fields) => fields,
            Self::Any | Self::Text | Self::Plain(_) | Self::OneOf(_) | Self::List(_) => Vec::new(),
        }
    }

    /// How many shapes it is made of.
    pub(super) fn size(&self) -> usize {
        match self {
            Self::Any | Self::Text | Self::Plain(_) => 1,
            Self::OneOf(values) => values.len(),
            Self::List(of) => 1 + of.size(),
            Self::Fields(fields) | Self::Open(fields) | Self::Seen(fields) => {
                fields.iter().map(|(_, shape)| shape.size()).sum::<usize>() + 1
            }
        }
    }

    fn shared(values: &[&Json]) -> Self {
        let all = |is: fn(&Json) -> bool| values.iter().all(|value| is(value));
        if values.is_empty() {
            Self::Any
        } else if all(Json::is_object) {
            let mut seen: IndexMap<&str, Vec<&Json>> = IndexMap::new();
            for (name, value) in values.iter().filter_map(|value| value.as_object()).flatten() {
                seen.entry(name).or_default().push(value);
            }
            Self::Seen(seen.into_iter().map(|(name, values)| (name.to_owned(), Self::shared(&values))).collect())
        } else if all(Json::is_array) {
            let items: Vec<&Json> = values.iter().filter_map(|value| value.as_array()).flatten().collect();
            Self::List(Box::new(Self::shared(&items)))
        } else if all(Json::is_string) {
            Self::Text
        } else if all(Json::is_number) {
            Self::Plain("a number")
        } else {
            Self::Any
        }
    }

    /// The shape of the field `name`; nothing if there is no such field.
    pub(super) fn field(&self, name: &str) -> Option<Self> {
        match self {
            Self::Any => Some(Self::Any),
            Self::List(of) if name.parse::<usize>().is_ok() => Some(of.as_ref().clone()),
            Self::Fields(fields) | Self::Seen(fields) => {
                fields.iter().find(|(other, _)| other == name).map(|(_, found)| found.clone())
            }
            Self::Open(fields) => {
                Some(fields.iter().find(|(other, _)| other == name).map_or(Self::Any, |(_, found)| found.clone()))
            }
            Self::List(_) | Self::Text | Self::Plain(_) | Self::OneOf(_) => None,
        }
    }

    /// The shape of what `#each` goes through; nothing if it can't.
    pub(super) fn element(&self) -> Option<Self> {
        match self {
            Self::List(of) => Some(of.as_ref().clone()),
            Self::Any | Self::Fields(_) | Self::Open(_) | Self::Seen(_) => Some(Self::Any),
            Self::Text | Self::Plain(_) | Self::OneOf(_) => None,
        }
    }

    /// The shape behind a path of fields; nothing if there can't be one.
    pub(super) fn behind(&self, path: &[String]) -> Option<Self> {
        path.iter().try_fold(self.clone(), |shape, field| shape.field(field))
    }

    /// As people call it, with its article.
    pub(super) fn words(&self) -> &'static str {
        match self {
            Self::Any => "a value",
            Self::Plain(words) => words,
            Self::OneOf(values) if values.iter().any(Json::is_number) => "a number",
            Self::Text | Self::OneOf(_) => "a text",
            Self::List(_) => "a list",
            Self::Fields(_) | Self::Open(_) | Self::Seen(_) => "a mapping",
        }
    }

    /// The fields that are known.
    pub(super) fn fields(&self) -> impl Iterator<Item = &str> {
        let fields = match self {
            Self::Fields(fields) | Self::Open(fields) | Self::Seen(fields) => fields.as_slice(),
            _ => &[],
        };
        fields.iter().map(|(name, _)| name.as_str())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_items_have_in_common_is_known() {
        let items = json!([{"title": "a", "tags": ["x"], "n": 1}, {"title": "b", "note": null, "n": "two"}]);
        let shape = Shape::of_value(&items);
        let item = shape.element().unwrap();
        assert_eq!(item.fields().collect::<Vec<_>>(), ["title", "tags", "n", "note"]);
        assert_eq!(item.field("title"), Some(Shape::Text));
        assert_eq!(item.field("tags").and_then(|tags| tags.element()), Some(Shape::Text));
        assert_eq!(item.field("n"), Some(Shape::Any), "a number here, a text there");
        assert_eq!(item.field("titel"), None);
        let path = |path: &[&str]| path.iter().map(|part| (*part).to_owned()).collect::<Vec<_>>();
        assert_eq!(shape.behind(&path(&["0", "tags", "1"])), Some(Shape::Text));
        assert_eq!(shape.behind(&path(&["0", "title", "x"])), None);
    }

    #[test]
    fn nothing_is_known_of_an_empty_list() {
        assert_eq!(Shape::of_items(&[]), Shape::Any);
        assert_eq!(Shape::Text.element(), None);
    }
}
