//! JSON Schema as a tree: which keywords hold schemas, and which there are.

use crate::model::{Json, JsonMap};

/// Keywords whose value is a schema, or a list of them.
const ONE: [&str; 14] = [
    "items",
    "additionalItems",
    "additionalProperties",
    "contains",
    "not",
    "if",
    "then",
    "else",
    "propertyNames",
    "unevaluatedItems",
    "unevaluatedProperties",
    "contentSchema",
    "extends",
    "disallow",
];
/// Keywords whose value is a list of schemas.
const LISTS: [&str; 4] = ["allOf", "anyOf", "oneOf", "prefixItems"];
/// Keywords whose value is a mapping of names and schemas.
const NAMED: [&str; 5] = ["properties", "patternProperties", "$defs", "definitions", "dependentSchemas"];
/// All others of the drafts that are understood.
#[rustfmt::skip]
const OTHERS: [&str; 43] = [
    "$schema", "$id", "$ref", "$anchor", "$dynamicRef", "$dynamicAnchor", "$recursiveRef", "$recursiveAnchor", "$vocabulary",
    "$comment", "type", "enum", "const", "required", "format", "pattern", "minLength", "maxLength", "minimum", "maximum",
    "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minItems", "maxItems", "uniqueItems", "minContains", "maxContains",
    "minProperties", "maxProperties", "dependentRequired", "dependencies", "contentEncoding", "contentMediaType", "title",
    "description", "default", "examples", "deprecated", "readOnly", "writeOnly", "id", "discriminator",
];

/// The names that `type` knows.
pub(super) const TYPES: [&str; 7] = ["array", "boolean", "integer", "null", "number", "object", "string"];

/// All keywords.
pub(super) fn keywords() -> impl Iterator<Item = &'static str> {
    ONE.into_iter().chain(LISTS).chain(NAMED).chain(OTHERS)
}

/// Shows every schema within a schema, itself first, with its JSON pointer. `enum`, `const`, `default` and `examples` hold
/// values, and are not gone into.
pub(super) fn visit<'s>(schema: &'s Json, pointer: &str, see: &mut impl FnMut(&str, &'s JsonMap)) {
    let Some(fields) = schema.as_object() else { return };
    see(pointer, fields);
    for (name, value) in fields {
        let below = format!("{pointer}/{}", escaped(name));
        match value {
            Json::Object(named) if NAMED.contains(&name.as_str()) => {
                for (name, schema) in named {
                    visit(schema, &format!("{below}/{}", escaped(name)), see);
                }
            }
            Json::Array(schemas) if LISTS.contains(&name.as_str()) || ONE.contains(&name.as_str()) => {
                for (at, schema) in schemas.iter().enumerate() {
                    visit(schema, &format!("{below}/{at}"), see);
                }
            }
            Json::Object(_) if ONE.contains(&name.as_str()) => visit(value, &below, see),
            _ => {}
        }
    }
}

/// A name as a step of a JSON pointer (RFC 6901).
pub(super) fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}
