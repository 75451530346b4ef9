//! What a schema says of the fields of a value: enough to know which can't exist.

use crate::model::{Json, JsonMap, referred};

use super::shape::Shape;

/// A schema that leads into itself is gone into so often on one way.
const TIMES: usize = 3;
/// No more than so many schemas are looked at: those that lead into each other have more ways than anyone names.
const MOST: usize = 20_000;

/// The shape of the values that fit a schema.
pub(super) fn shape_of(schema: &Json) -> Shape {
    Way { root: schema, targets: Vec::new(), left: MOST }.shape(schema)
}

/// On the way through a schema.
struct Way<'s> {
    root: &'s Json,
    /// The references that lead to here.
    targets: Vec<&'s str>,
    left: usize,
}

impl<'s> Way<'s> {
    fn shape(&mut self, schema: &'s Json) -> Shape {
        let (Some(fields), Some(left)) = (schema.as_object(), self.left.checked_sub(1)) else { return Shape::Any };
        self.left = left;
        if let Some(target) = fields.get("$ref").and_then(Json::as_str) {
            // What stands beside it can say more.
            let is_alone = !["properties", "anyOf", "oneOf", "allOf"].iter().any(|name| fields.contains_key(*name));
            return if is_alone { self.behind(target) } else { Shape::Any };
        }
        let is_combined = ["allOf", "if", "dependentSchemas", "not"].iter().any(|name| fields.contains_key(*name));
        if let Some(one) = ["anyOf", "oneOf"].iter().find_map(|name| fields.get(*name)?.as_array()) {
            let beside = fields.contains_key("properties") || is_combined;
            let forms: Vec<Shape> = one.iter().map(|one| self.shape(one)).collect();
            return if beside { Shape::Any } else { shared(forms) };
        }
        let kinds = kinds(fields);
        match &kinds[..] {
            ["null"] => Shape::Plain("null"),
            ["string"] => values(fields).unwrap_or(Shape::Text),
            ["integer" | "number"] => values(fields).unwrap_or(Shape::Plain("a number")),
            ["boolean"] => Shape::Plain("true or false"),
            ["array"] => self.list(fields),
            ["object"] => self.mapping(fields, is_combined),
            _ => Shape::Any,
        }
    }

    fn behind(&mut self, target: &'s str) -> Shape {
        if self.targets.iter().filter(|other| **other == target).count() >= TIMES {
            return Shape::Any;
        }
        self.targets.push(target);
        let found = referred(self.root, target).map_or(Shape::Any, |found| self.shape(found));
        self.targets.pop();
        found
    }

    fn list(&mut self, fields: &'s JsonMap) -> Shape {
        let of = match fields.get("items") {
            Some(one @ Json::Object(_)) if !fields.contains_key("prefixItems") => self.shape(one),
            _ => Shape::Any,
        };
        Shape::List(Box::new(of))
    }

    fn mapping(&mut self, fields: &'s JsonMap, is_combined: bool) -> Shape {
        let properties = fields.get("properties").and_then(Json::as_object);
        let known = properties.into_iter().flatten().map(|(name, of)| (name.clone(), self.shape(of))).collect();
        let is_closed = fields.get("additionalProperties") == Some(&Json::Bool(false))
            && !fields.contains_key("patternProperties")
            && !fields.contains_key("enum");
        match () {
            // Others say something of these fields too; what they allow is not known here.
            () if is_combined && !is_closed => Shape::Any,
            () if is_closed => Shape::Fields(known),
            () => Shape::Open(known),
        }
    }
}

/// The kinds that a value may have, null left out where there are others: what may be null has no other fields then.
fn kinds(fields: &JsonMap) -> Vec<&str> {
    let mut kinds: Vec<&str> = match fields.get("type") {
        Some(Json::String(name)) => vec![name],
        Some(Json::Array(names)) => names.iter().filter_map(Json::as_str).collect(),
        _ => {
            let values = fields.get("enum").and_then(Json::as_array).map(Vec::as_slice);
            let values = values.or_else(|| fields.get("const").map(std::slice::from_ref)).unwrap_or_default();
            let mut kinds: Vec<&str> = values.iter().map(kind).collect();
            kinds.dedup();
            kinds
        }
    };
    if kinds.len() > 1 {
        kinds.retain(|kind| *kind != "null");
    }
    kinds
}

/// The values that are written out, where these are all there can be.
fn values(fields: &JsonMap) -> Option<Shape> {
    let values = fields.get("const").map(std::slice::from_ref);
    Shape::one_of(values.or_else(|| fields.get("enum")?.as_array().map(Vec::as_slice))?)
}

fn kind(value: &Json) -> &'static str {
    match value {
        Json::Null => "null",
        Json::Bool(_) => "boolean",
        Json::Number(_) => "number",
        Json::String(_) => "string",
        Json::Array(_) => "array",
        Json::Object(_) => "object",
    }
}

/// What several forms have in common; null says nothing of what a value is when it is one.
fn shared(forms: Vec<Shape>) -> Shape {
    let mut forms = forms.into_iter().filter(|form| *form != Shape::Plain("null"));
    let Some(first) = forms.next() else { return Shape::Any };
    let is_value = |shape: &Shape| matches!(shape, Shape::OneOf(_));
    forms
        .try_fold(first, |shared, other| match (is_value(&shared), is_value(&other)) {
            _ if shared == other => Some(shared),
            (true, true) => Some(Shape::common([shared, other])).filter(|both| *both != Shape::Any),
            (true, false) => (shared.of_any_value() == other).then_some(other),
            (false, true) => (other.of_any_value() == shared).then_some(shared),
            (false, false) => None,
        })
        .unwrap_or(Shape::Any)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn path(path: &str) -> Vec<String> {
        path.split('.').map(str::to_owned).collect()
    }

    #[test]
    fn a_closed_schema_knows_its_fields_and_an_open_one_allows_others() {
        let schema = json!({
            "type": "object", "additionalProperties": false,
            "properties": {
                "tags": {"type": "array", "items": {"type": "string"}},
                "author": {"type": ["object", "null"], "properties": {"name": {"type": "string"}}},
                "size": {"enum": [1, 2]}, "free": {},
            },
        });
        let shape = shape_of(&schema);
        assert_eq!(shape.behind(&path("tags.0")), Some(Shape::Text));
        assert_eq!(shape.behind(&path("knd")), None);
        assert_eq!(shape.behind(&path("author.anything")), Some(Shape::Any));
        assert_eq!(shape.behind(&path("author.name.x")), None);
        assert_eq!(shape.behind(&path("size")), Some(Shape::OneOf(vec![json!(1), json!(2)])));
        assert_eq!(shape.behind(&path("free.x.y")), Some(Shape::Any));
    }

    #[test]
    fn references_are_followed_and_circles_end() {
        let tree = json!({
            "$ref": "#/$defs/node",
            "$defs": {"node": {
                "type": "object", "additionalProperties": false,
                "properties": {"name": {"type": "string"}, "children": {"type": "array", "items": {"$ref": "#/$defs/node"}}},
            }},
        });
        let shape = shape_of(&tree);
        assert_eq!(shape.behind(&path("children.0.children.1.name")), Some(Shape::Text));
        assert_eq!(shape.behind(&path("children.0.nam")), None);
        assert_eq!(shape_of(&json!({"$ref": "#"})), Shape::Any);
        let names: Vec<String> = (0..30).map(|ix| format!("n{ix}")).collect();
        let all: JsonMap =
            names.iter().map(|name| (name.clone(), json!({"$ref": format!("#/$defs/{name}")}))).collect();
        let node = json!({"type": "object", "properties": all});
        let defs: JsonMap = names.iter().map(|name| (name.clone(), node.clone())).collect();
        let dense = json!({"$ref": "#/$defs/n0", "$defs": defs});
        assert!(shape_of(&dense).field("n7").is_some(), "it comes to an end");
    }

    #[test]
    fn of_several_forms_only_what_they_share_is_known() {
        let of = |forms: Json| shape_of(&json!({"anyOf": forms}));
        assert_eq!(of(json!([{"type": "string"}, {"type": "null"}])), Shape::Text);
        let both = Shape::OneOf(vec![json!("a"), json!("b")]);
        assert_eq!(of(json!([{"const": "a"}, {"enum": ["b"]}, {"type": "null"}])), both);
        assert_eq!(of(json!([{"const": "a"}, {"type": "string"}])), Shape::Text, "any text");
        assert_eq!(of(json!([{"const": "a"}, {"const": 1}])), Shape::Any);
        assert_eq!(of(json!([{"type": "string"}, {"type": "number"}])), Shape::Any);
        let combined = json!({"type": "object", "properties": {"a": {}}, "allOf": [{"properties": {"b": {}}}]});
        assert_eq!(shape_of(&combined).field("b"), Some(Shape::Any));
    }
}
