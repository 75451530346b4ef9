//! `json` and `schema`: what the answer of a stage must be.

use std::collections::HashMap;

use super::fields::{Fields, Keys};
use super::node::{Node, Value};
use super::quantities::truth;
use super::reader::Reader;
use super::short_schema::short_schema;
use super::templates::text;
use super::yaml;
use crate::diag::{Diagnostic, Diagnostics};
use crate::model::{At, Json, Place};

/// What `json` and `schema` say together.
#[derive(Debug, Clone)]
pub enum AnswerSpec {
    /// `json: false`: a text.
    Text,
    /// `json: true`, or something in its place that could not be read.
    Json,
    /// `json: {title: string}`, `json: [string]`.
    Short(TypeSpec),
    /// `schema`.
    Schema(SchemaSpec),
}

impl AnswerSpec {
    /// Whether it must be JSON.
    pub fn is_json(&self) -> bool {
        !matches!(self, Self::Text)
    }
}

/// A type of the short form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TypeSpec {
    /// `string`
    Text,
    /// `integer`
    Integer,
    /// `number`
    Number,
    /// `boolean`
    Boolean,
    /// `any`
    Any,
    /// `[T]`
    List(Box<TypeSpec>),
    /// A mapping of at least one field.
    Fields(Vec<FieldSpec>),
    /// `"a | b"`: at least one text, each once.
    OneOf(Vec<String>),
}

/// A field of the short form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldSpec {
    /// Its name, without the question mark.
    pub name: String,
    /// `name?`: it may be missing, or null.
    pub is_optional: bool,
    /// What it holds.
    pub of: TypeSpec,
}

/// A JSON Schema as it is written, not yet looked at.
#[derive(Debug, Clone)]
pub struct SchemaSpec {
    /// The schema: a mapping.
    pub schema: Json,
    places: HashMap<String, At<Place>>,
    whole: Place,
}

impl SchemaSpec {
    /// Where the value at a JSON pointer stands; if that is not known, the nearest around it.
    pub fn place(&self, pointer: &str) -> &Place {
        self.find(pointer).map_or(&self.whole, |at| &at.place)
    }

    /// Where the key of the value at a JSON pointer stands; of an element of a list, the element.
    pub fn key_place(&self, pointer: &str) -> &Place {
        self.find(pointer).map_or(&self.whole, |at| &at.value)
    }

    fn find(&self, pointer: &str) -> Option<&At<Place>> {
        let mut pointer = pointer;
        loop {
            if let Some(found) = self.places.get(pointer) {
                return Some(found);
            }
            pointer = &pointer[..pointer.rfind('/')?];
        }
    }
}

const FILE: Keys = Keys { owner: "a schema from a file", own: &["file"], settings: &[] };

const EXAMPLE: &str = "write `true` for any JSON, or its fields: `json: {title: string, tags: [string]}`";

/// What `json` and `schema` say, and where; nothing if neither is there.
pub(super) fn answer(fields: &mut Fields<'_>, reader: &mut Reader<'_>) -> Option<At<AnswerSpec>> {
    let (json, schema) = (fields.take("json"), fields.take("schema"));
    let unread = |place: &Place| At::new(AnswerSpec::Json, place.clone());
    let json_says = json.map(|entry| match self::json(&entry.value, reader) {
        Some(says) => At::new(says, entry.value.place.clone()),
        None => unread(&entry.value.place),
    });
    let Some(schema) = schema else { return json_says };
    let conflict = match (json, json_says.as_ref().map(|at| &at.value)) {
        (Some(json), Some(AnswerSpec::Short(_))) => {
            Some((json, "`json` with fields and `schema` say the same twice", "keep one of them"))
        }
        (Some(json), Some(AnswerSpec::Text)) => {
            Some((json, "`schema` asks for JSON, and `json: false` for a text", "take one of them out"))
        }
        _ => None,
    };
    if let Some((json, message, help)) = conflict {
        let told =
            Diagnostic::error("two-schemas", &schema.key.place, message).also(&json.key.place, "`json` stands here");
        reader.push(told.help(help));
    }
    let place = &schema.value.place;
    Some(
        self::schema(&schema.value, reader)
            .map_or_else(|| unread(place), |read| At::new(AnswerSpec::Schema(read), place.clone())),
    )
}

fn json(node: &Node, reader: &mut Reader<'_>) -> Option<AnswerSpec> {
    match node.value {
        Value::Mapping(_) | Value::List(_) => short_schema(node, reader).map(AnswerSpec::Short),
        Value::Text(ref text, _) if ["true", "false"].contains(&&**text) => {
            truth(node, reader);
            None
        }
        Value::Bool(_) => truth(node, reader).map(|truth| if truth { AnswerSpec::Json } else { AnswerSpec::Text }),
        _ => {
            reader.expected_with("`true`, fields or a list", node, Some(EXAMPLE));
            None
        }
    }
}

/// A JSON Schema, or `{file: PATH}`.
fn schema(node: &Node, reader: &mut Reader<'_>) -> Option<SchemaSpec> {
    if node.entries().is_none() {
        let help = "write a JSON Schema (`schema: {type: object, ..}`), or `{file: schema.json}`";
        reader.expected_with("a mapping", node, Some(help));
        return None;
    }
    if node.names_file() {
        let mut fields = Fields::open(node, FILE, reader)?;
        let path = fields.read_at("file", reader, text);
        fields.finish(reader);
        return schema_file(&path?, reader);
    }
    if reader.refuse_template(node) {
        return None;
    }
    Some(placed(node, node.to_json()))
}

fn schema_file(path: &At<String>, reader: &mut Reader<'_>) -> Option<SchemaSpec> {
    let (file, text) = reader.read_file(&path.value, &path.place)?;
    let is_json = path.value.to_lowercase().ends_with(".json");
    let parsed = is_json.then(|| serde_json::from_str::<Json>(&text));
    if let Some(Err(error)) = &parsed {
        let place = Place::new(file, super::load::offset(&text, error.line(), error.column()));
        let message = error.to_string();
        let (what, _) = message.split_once(" at line ").unwrap_or((&message, ""));
        let told = Diagnostic::error("broken-json", &place, format!("this is not JSON: {what}"));
        let told = told.also(&path.place, "the file is named here");
        reader.push(told.help("write a JSON Schema into it: `{\"type\": \"object\", \"properties\": {..}}`"));
        return None;
    }
    // JSON is YAML, but for odd corners; what it says is what JSON says, and where it stands is known if YAML agrees.
    let mut problems = Diagnostics::default();
    let root = yaml::parse(file, &text, &mut problems).filter(|_| !problems.has_errors());
    let schema = match (parsed, &root) {
        (Some(Ok(json)), _) => json,
        (_, Some(root)) => root.to_json(),
        _ => {
            reader.found().extend(problems);
            return None;
        }
    };
    let whole = root.as_ref().map_or_else(|| Place::new(file, 0..text.len()), |root| root.place.clone());
    if !schema.is_object() {
        let message = format!("a JSON Schema is a mapping, and this is {}", crate::model::kind_of(&schema));
        let told = Diagnostic::error("wrong-type", &whole, message).also(&path.place, "the file is named here");
        reader.push(told.help("write `{\"type\": \"object\", \"properties\": {..}}`"));
        return None;
    }
    Some(root.map_or_else(
        || SchemaSpec { schema: schema.clone(), places: HashMap::new(), whole },
        |root| placed(&root, schema.clone()),
    ))
}

fn placed(root: &Node, schema: Json) -> SchemaSpec {
    let mut places = HashMap::new();
    note(root, &root.place, String::new(), &mut places);
    SchemaSpec { schema, places, whole: root.place.clone() }
}

fn note(node: &Node, key: &Place, pointer: String, places: &mut HashMap<String, At<Place>>) {
    match &node.value {
        Value::List(elements) => {
            for (at, element) in elements.iter().enumerate() {
                note(element, &element.place, format!("{pointer}/{at}"), places);
            }
        }
        Value::Mapping(entries) => {
            for entry in entries.iter() {
                let name = entry.key.value.replace('~', "~0").replace('/', "~1");
                note(&entry.value, &entry.key.place, format!("{pointer}/{name}"), places);
            }
        }
        _ => {}
    }
    places.insert(pointer, At::new(key.clone(), node.place.clone()));
}
