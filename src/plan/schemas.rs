//! JSON Schemas: those that the short form stands for, and what of a schema services can hold a model to.

use serde_json::json;

use crate::model::{AnswerSchema, Json, JsonMap};
use crate::spec::TypeSpec;

/// What a schema is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// To judge by: an optional field may be missing.
    Judged,
    /// To be sent: services that hold a model to a schema want every field, and null where there is nothing to say.
    Sent,
}

/// The schema that a type of the short form stands for. Other fields than those that are named are wrong.
pub(super) fn schema(of: &TypeSpec, form: Form) -> Json {
    typed(of, form, false)
}

fn typed(of: &TypeSpec, form: Form, may_be_null: bool) -> Json {
    let named = |name: &str| if may_be_null { json!([name, "null"]) } else { json!(name) };
    match of {
        TypeSpec::Text => json!({"type": named("string")}),
        TypeSpec::Integer => json!({"type": named("integer")}),
        TypeSpec::Number => json!({"type": named("number")}),
        TypeSpec::Boolean => json!({"type": named("boolean")}),
        TypeSpec::Any => json!({}),
        TypeSpec::List(of) => json!({"type": named("array"), "items": typed(of, form, false)}),
        TypeSpec::OneOf(options) => {
            let options = options.iter().map(|option| json!(option));
            let options: Vec<Json> = options.chain(may_be_null.then_some(Json::Null)).collect();
            json!({"type": named("string"), "enum": options})
        }
        TypeSpec::Fields(fields) => {
            let properties: JsonMap =
                fields.iter().map(|field| (field.name.clone(), typed(&field.of, form, field.is_optional))).collect();
            let required = fields.iter().filter(|field| form == Form::Sent || !field.is_optional);
            let required: Vec<&str> = required.map(|field| field.name.as_str()).collect();
            json!({
                "type": named("object"), "properties": properties, "required": required, "additionalProperties": false,
            })
        }
    }
}

/// Whether `any` is somewhere in it, to which no service can hold a model.
pub(super) fn has_any(of: &TypeSpec) -> bool {
    match of {
        TypeSpec::Any => true,
        TypeSpec::List(of) => has_any(of),
        TypeSpec::Fields(fields) => fields.iter().any(|field| has_any(&field.of)),
        _ => false,
    }
}

/// Whether a schema may be one of a mapping: services want a mapping at the top.
pub(super) fn is_mapping(schema: &Json) -> bool {
    let Some(fields) = schema.as_object() else { return false };
    match fields.get("type") {
        Some(Json::String(name)) => name == "object",
        Some(Json::Array(names)) => names.iter().any(|name| name == "object"),
        _ => {
            let options = fields.get("enum").and_then(Json::as_array);
            let is_list =
                ["items", "prefixItems", "minItems", "contains"].iter().any(|name| fields.contains_key(*name));
            !is_list
                && options.is_none_or(|options| options.iter().any(Json::is_object))
                && fields.get("const").is_none_or(Json::is_object)
        }
    }
}

/// A schema of a mapping with the value in it.
pub(super) fn wrapped(mut schema: Json) -> Json {
    let mut outer = JsonMap::new();
    let wrap = AnswerSchema::wrap();
    if let Some(fields) = schema.as_object_mut() {
        if let Some(draft) = fields.shift_remove("$schema") {
            outer.insert("$schema".to_owned(), draft);
        }
        // What has a name of its own is pointed into from there.
        if !fields.contains_key("$id") && !fields.contains_key("id") {
            redirect(&mut schema, &format!("#/properties/{wrap}"));
        }
    }
    outer.insert("type".to_owned(), json!("object"));
    outer.insert("properties".to_owned(), json!({wrap: schema}));
    outer.insert("required".to_owned(), json!([wrap]));
    outer.insert("additionalProperties".to_owned(), json!(false));
    Json::Object(outer)
}

/// Lets every `$ref` to a place in a schema lead to where that has moved.
fn redirect(schema: &mut Json, to: &str) {
    match schema {
        Json::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Json::String(target) if name == "$ref" => {
                        if let Some(path) =
                            target.strip_prefix('#').filter(|path| path.is_empty() || path.starts_with('/'))
                        {
                            *target = format!("{to}{path}");
                        }
                    }
                    Json::Object(_) | Json::Array(_)
                        if !["enum", "const", "default", "examples"].contains(&name.as_str()) =>
                    {
                        redirect(value, to);
                    }
                    _ => {}
                }
            }
        }
        Json::Array(items) => items.iter_mut().for_each(|item| redirect(item, to)),
        _ => {}
    }
}

/// Whether services can hold a model to a schema: every mapping names all its fields, all of them required, and nothing
/// else is said than what they all understand.
pub(super) fn is_strict(schema: &Json) -> bool {
    let top = schema.as_object().is_some_and(|fields| !fields.contains_key("anyOf") && !fields.contains_key("$ref"));
    top && strict(schema)
}

fn strict(schema: &Json) -> bool {
    const KNOWN: [&str; 12] = [
        "type",
        "properties",
        "required",
        "additionalProperties",
        "items",
        "enum",
        "const",
        "anyOf",
        "$ref",
        "$defs",
        "title",
        "description",
    ];
    let Some(fields) = schema.as_object() else { return false };
    let says_something = ["type", "enum", "const", "anyOf", "$ref"].iter().any(|name| fields.contains_key(*name));
    let all = |name: &str| match fields.get(name) {
        None => true,
        Some(Json::Object(named)) => named.values().all(strict),
        Some(Json::Array(schemas)) => schemas.iter().all(strict),
        Some(_) => false,
    };
    let may_be = |kind: &str| match fields.get("type") {
        Some(Json::String(name)) => name == kind,
        Some(Json::Array(names)) => names.iter().any(|name| name == kind),
        _ => false,
    };
    let names_all = || {
        let properties = fields.get("properties").and_then(Json::as_object);
        let required = fields.get("required").and_then(Json::as_array);
        let is_required = |name: &String| required.is_some_and(|required| required.iter().any(|other| other == name));
        fields.get("additionalProperties") == Some(&Json::Bool(false))
            && properties.is_some_and(|properties| properties.keys().all(is_required))
    };
    says_something
        && fields.keys().all(|name| KNOWN.contains(&name.as_str()))
        && (!may_be("object") || names_all())
        && (!may_be("array") || fields.get("items").is_some_and(strict))
        && ["properties", "$defs", "anyOf"].iter().all(|name| all(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::FieldSpec;

    fn field(name: &str, is_optional: bool, of: TypeSpec) -> FieldSpec {
        FieldSpec { name: name.to_owned(), is_optional, of }
    }

    fn triage() -> TypeSpec {
        TypeSpec::Fields(vec![
            field("kind", false, TypeSpec::OneOf(vec!["bug".into(), "feature".into()])),
            field("score", true, TypeSpec::Number),
            field("author", true, TypeSpec::Fields(vec![field("name", false, TypeSpec::Text)])),
        ])
    }

    #[test]
    fn an_optional_field_may_be_missing_and_is_asked_for_as_null() {
        let (judged, sent) = (schema(&triage(), Form::Judged), schema(&triage(), Form::Sent));
        assert_eq!((&judged["required"], &sent["required"]), (&json!(["kind"]), &json!(["kind", "score", "author"])));
        assert_eq!(judged["properties"], sent["properties"]);
        assert_eq!(judged["properties"]["score"], json!({"type": ["number", "null"]}));
        let rules = crate::check::rules(&judged).unwrap();
        for fits in [json!({"kind": "bug"}), json!({"kind": "bug", "score": null, "author": {"name": "Ada"}})] {
            assert_eq!(rules.misfits(&fits), [], "{fits}");
        }
        for wrong in [json!({"kind": "bug", "more": 1}), json!({"kind": null}), json!({"kind": "bug", "author": {}})] {
            assert_eq!(rules.misfits(&wrong).len(), 1, "{wrong}");
        }
    }

    #[test]
    fn only_what_services_can_keep_to_is_strict() {
        assert!(is_strict(&schema(&triage(), Form::Sent)) && !is_strict(&schema(&triage(), Form::Judged)));
        let closed = |of: Json| json!({"type": "object", "properties": {"a": of}, "required": ["a"], "additionalProperties": false});
        assert!(is_strict(&closed(json!({"anyOf": [{"type": "string"}, {"type": "null"}]}))));
        for loose in
            [json!({}), json!({"type": "string", "minLength": 1}), json!({"type": "array"}), json!({"type": "object"})]
        {
            assert!(!is_strict(&closed(loose.clone())), "{loose}");
        }
        assert!(!is_strict(&json!({"$ref": "#/$defs/a", "$defs": {"a": closed(json!({"type": "null"}))}})));
    }

    #[test]
    fn what_is_no_mapping_is_wrapped_and_points_to_where_it_was() {
        let tree = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema", "type": "array", "items": {"$ref": "#/$defs/node"},
            "$defs": {"node": {"type": "object", "properties": {"children": {"$ref": "#"}, "$ref": {"const": {"$ref": "#"}}}}},
        });
        assert!(
            !is_mapping(&tree) && is_mapping(&json!({"properties": {}})) && is_mapping(&json!({"$ref": "#/$defs/a"}))
        );
        assert!(!is_mapping(&json!({"enum": ["a"]})) && !is_mapping(&json!({"items": {}})));
        let wrapped = wrapped(tree);
        assert!(crate::check::rules(&wrapped).unwrap().misfits(&json!({"items": [{"children": [{}]}]})).is_empty());
        assert!(!crate::check::rules(&wrapped).unwrap().misfits(&json!({"items": [{"children": [1]}]})).is_empty());
        assert_eq!(
            wrapped["properties"]["items"]["$defs"]["node"]["properties"]["$ref"]["const"],
            json!({"$ref": "#"})
        );
        assert!(wrapped["$schema"].is_string());
    }
}
