//! The short form of a schema: `{title: string, tags: [string], score?: number, kind: "bug | feature"}`.

use super::answer::{FieldSpec, TypeSpec};
use super::node::{Node, Value};
use super::reader::Reader;
use crate::diag::{Diagnostic, did_you_mean, listed, meant, shortened};
use crate::model::Place;

const TYPES: [&str; 5] = ["string", "integer", "number", "boolean", "any"];

/// What other languages call these types.
const OTHER_NAMES: [(&str, &str); 12] = [
    ("str", "string"),
    ("text", "string"),
    ("char", "string"),
    ("int", "integer"),
    ("long", "integer"),
    ("float", "number"),
    ("double", "number"),
    ("decimal", "number"),
    ("bool", "boolean"),
    ("json", "any"),
    ("mixed", "any"),
    ("unknown", "any"),
];

/// The type that a mapping or a list at the top stands for. What is wrong inside of it is told, and `any` in its place.
pub(super) fn short_schema(node: &Node, reader: &mut Reader<'_>) -> Option<TypeSpec> {
    let before = reader.errors();
    let read = read(node, reader);
    if reader.errors() > before { None } else { read }
}

fn read(node: &Node, reader: &mut Reader<'_>) -> Option<TypeSpec> {
    match &node.value {
        Value::Mapping(_) => fields(node, reader),
        Value::List(elements) => {
            let [of] = &elements[..] else {
                let message = match elements.len() {
                    0 => "this list does not say what is in it".to_owned(),
                    count => format!("a list has one type, and these are {count}"),
                };
                reader.push(
                    Diagnostic::error("wrong-list-type", &node.place, message)
                        .help("write `[string]`, `[{name: string}]`, or `[any]` for whatever comes"),
                );
                return None;
            };
            read(of, reader).map(|of| TypeSpec::List(Box::new(of)))
        }
        Value::Text(text, _) => {
            if reader.refuse_template(node) {
                return None;
            }
            word(text, &node.place, reader)
        }
        _ => {
            let help = format!("write {}, `[T]`, fields, or `\"a | b\"`", listed(TYPES));
            reader.expected_with("a type", node, Some(&help));
            None
        }
    }
}

fn fields(node: &Node, reader: &mut Reader<'_>) -> Option<TypeSpec> {
    let entries = node.entries()?;
    if entries.is_empty() {
        reader.push(
            Diagnostic::error("no-fields", &node.place, "this mapping has no fields")
                .help("write its fields (`{title: string}`), or `any` for whatever comes"),
        );
        return None;
    }
    let mut fields: Vec<FieldSpec> = Vec::with_capacity(entries.len());
    let mut places: Vec<&Place> = Vec::with_capacity(entries.len());
    for entry in entries {
        let of = read(&entry.value, reader).unwrap_or(TypeSpec::Any);
        let written = entry.key.value.trim();
        let (name, is_optional) = match written.strip_suffix('?') {
            Some(name) => (name.trim_end(), true),
            None => (written, false),
        };
        if name.is_empty() {
            reader.push(
                Diagnostic::error("no-name", &entry.key.place, "this field has no name").help("write `name: string`"),
            );
        } else if let Some(at) = fields.iter().position(|field| field.name == name) {
            reader.push(
                Diagnostic::error("duplicate-key", &entry.key.place, format!("`{name}` is written twice"))
                    .also(places[at], "first written here")
                    .help("take one of them out"),
            );
        } else {
            fields.push(FieldSpec { name: name.to_owned(), is_optional, of });
            places.push(&entry.key.place);
        }
    }
    Some(TypeSpec::Fields(fields))
}

/// The name of a type, or texts that there is the choice between.
fn word(text: &str, place: &Place, reader: &mut Reader<'_>) -> Option<TypeSpec> {
    let text = text.trim();
    if text.contains('|') {
        return options(text, place, reader);
    }
    Some(match text {
        "string" => TypeSpec::Text,
        "integer" => TypeSpec::Integer,
        "number" => TypeSpec::Number,
        "boolean" => TypeSpec::Boolean,
        "any" => TypeSpec::Any,
        _ => {
            let message = format!("`{}` is not a type", shortened(text));
            reader.push(Diagnostic::error("unknown-type", place, message).help(meant_type(text)));
            return None;
        }
    })
}

fn meant_type(text: &str) -> String {
    let lower = text.to_lowercase();
    if let Some(bare) = text.strip_suffix('?') {
        return format!("the question mark stands behind the name: `name?: {bare}`");
    }
    if let Some(of) = text.strip_suffix("[]") {
        return format!("a list is written `[{of}]`");
    }
    match lower.as_str() {
        "array" | "list" => return "a list is written with what is in it: `[string]`".to_owned(),
        "object" | "mapping" | "map" | "dict" => {
            return "a mapping is written with its fields: `{name: string}`; `any` is whatever comes".to_owned();
        }
        "null" | "none" | "nil" => return "what may be null has a question mark: `name?: string`".to_owned(),
        "date" | "datetime" | "time" | "email" | "url" | "uri" | "uuid" => {
            return format!("write `string`, or a `schema` with `{{type: string, format: {lower}}}`");
        }
        _ => {}
    }
    let other = |word: &str| OTHER_NAMES.iter().find(|(other, _)| *other == word).map(|(_, name)| *name);
    if let Some(name) = other(&lower) {
        return format!("write `{name}`");
    }
    let near = || did_you_mean(&lower, OTHER_NAMES.map(|(name, _)| name)).and_then(|word| other(&word));
    meant(text, TYPES)
        .or_else(|| near().map(|name| format!("did you mean `{name}`?")))
        .unwrap_or_else(|| format!("there are {}, `[T]`, fields, and `\"a | b\"` for a choice of texts", listed(TYPES)))
}

fn options(text: &str, place: &Place, reader: &mut Reader<'_>) -> Option<TypeSpec> {
    let mut options: Vec<String> = Vec::new();
    let may_be_null = text.split('|').any(|part| part.trim() == "null");
    for part in text.split('|').map(str::trim).filter(|part| !part.is_empty()) {
        let bare = ['"', '\''].iter().find_map(|mark| part.strip_prefix(*mark)?.strip_suffix(*mark));
        if bare.is_none() && (part == "null" || TYPES.contains(&part)) {
            let message = format!("`{part}` is a type, and this is a choice of texts");
            let help = if may_be_null {
                "what may be null has a question mark: `name?: string`".to_owned()
            } else {
                format!("write one type alone, or `'{part}'` for the text")
            };
            reader.push(Diagnostic::error("type-among-texts", place, message).help(help));
            return None;
        }
        let option = bare.unwrap_or(part).to_owned();
        if options.contains(&option) {
            let message = format!("`{}` stands in this choice twice", shortened(&option));
            reader.push(Diagnostic::error("duplicate-option", place, message).help("take one of them out"));
            return None;
        }
        options.push(option);
    }
    if options.is_empty() {
        let message = "there is nothing to choose from";
        reader.push(Diagnostic::error("no-options", place, message).help("write the texts: `\"bug | feature\"`"));
        return None;
    }
    Some(TypeSpec::OneOf(options))
}
