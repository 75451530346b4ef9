//! What is known of a value before it is there: enough to say that a field can't exist.

use crate::model::{InputKind, Json, Value};

/// The shape of a value, as far as it is known.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Shape {
    /// Nothing is known.
    Any,
    /// A text; it has no fields.
    Text,
    /// A number, or true or false; no fields.
    Plain(&'static str),
    /// A list of such values.
    List(Box<Shape>),
    /// A mapping with just these fields.
    Fields(Vec<(String, Shape)>),
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

    /// What the elements of an inline list have in common.
    pub(super) fn of_items(items: &[Json]) -> Self {
        if items.is_empty() {
            return Self::Any;
        }
        let objects: Option<Vec<_>> = items.iter().map(Json::as_object).collect();
        match objects {
            Some(objects) => {
                let mut fields: Vec<(String, Self)> = Vec::new();
                for key in objects.iter().flat_map(|object| object.keys()) {
                    if !fields.iter().any(|(name, _)| name == key) {
                        fields.push((key.clone(), Self::Any));
                    }
                }
                Self::Fields(fields)
            }
            _ if items.iter().all(Json::is_string) => Self::Text,
            _ if items.iter().all(Json::is_number) => Self::Plain("a number"),
            _ => Self::Any,
        }
    }

    /// The shape behind a path of fields.
    ///
    /// # Errors
    /// How many fields of the path exist, and the shape that has no such field.
    pub(super) fn behind(&self, path: &[String]) -> Result<Self, (usize, Self)> {
        let mut shape = self.clone();
        for (at, field) in path.iter().enumerate() {
            shape = match &shape {
                Self::Any => return Ok(Self::Any),
                Self::List(of) if field.parse::<usize>().is_ok() => of.as_ref().clone(),
                Self::Fields(fields) => match fields.iter().find(|(name, _)| name == field) {
                    Some((_, found)) => found.clone(),
                    None => return Err((at, shape)),
                },
                _ => return Err((at, shape)),
            };
        }
        Ok(shape)
    }

    /// As people call it, with its article.
    pub(super) fn words(&self) -> &'static str {
        match self {
            Self::Any => "a value",
            Self::Text => "a text",
            Self::Plain(words) => words,
            Self::List(_) => "a list",
            Self::Fields(_) => "a mapping",
        }
    }

    /// The fields that are known.
    pub(super) fn fields(&self) -> impl Iterator<Item = &str> {
        let fields = if let Self::Fields(fields) = self { fields.as_slice() } else { &[] };
        fields.iter().map(|(name, _)| name.as_str())
    }
}
