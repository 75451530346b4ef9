//! A schema without detours: references followed, one of several forms chosen, what stands beside them added.

use crate::model::{Json, JsonMap, referred};

use super::dice::Dice;

/// So many references and forms are followed for one value.
const HOPS: usize = 48;

/// The schema of one value as one mapping of keywords.
///
/// # Errors
/// Why there is none, as the end of a sentence.
pub(super) fn flat(root: &Json, schema: &Json, dice: &mut Dice, is_deep: bool) -> Result<JsonMap, String> {
    let mut flat = match schema {
        Json::Bool(true) => JsonMap::new(),
        Json::Object(fields) => fields.clone(),
        _ => return Err("a part of the schema lets nothing pass".to_owned()),
    };
    for _ in 0..HOPS {
        let Some(next) = detour(root, &mut flat, dice, is_deep)? else { return Ok(flat) };
        for schema in next {
            flat = match schema {
                Json::Bool(true) => flat,
                Json::Object(fields) => merged(flat, &fields),
                _ => return Err("a part of the schema lets nothing pass".to_owned()),
            };
        }
    }
    Err("the schema leads into itself without an end".to_owned())
}

/// Takes one detour out of a schema, and gives what is behind it.
fn detour(root: &Json, flat: &mut JsonMap, dice: &mut Dice, is_deep: bool) -> Result<Option<Vec<Json>>, String> {
    if let Some(Json::String(target)) = flat.shift_remove("$ref") {
        let found = referred(root, &target).ok_or_else(|| format!("`$ref: {target}` is not followed"))?;
        return Ok(Some(vec![found.clone()]));
    }
    if let Some(Json::Array(all)) = flat.shift_remove("allOf") {
        return Ok(Some(all));
    }
    for name in ["anyOf", "oneOf"] {
        if let Some(Json::Array(forms)) = flat.shift_remove(name) {
            return Ok(Some(vec![chosen(&forms, dice, is_deep)?]));
        }
    }
    Ok(None)
}

/// One of several forms: rather one with something in it, and deep inside of a value rather one without.
fn chosen(forms: &[Json], dice: &mut Dice, is_deep: bool) -> Result<Json, String> {
    let is_null = |form: &&Json| form.get("type").is_some_and(|kind| kind == "null");
    let is_simple = |form: &&Json| form.get("$ref").is_none() && form.get("properties").is_none();
    let open: Vec<&Json> = forms.iter().filter(|form| **form != Json::Bool(false)).collect();
    let rather: Vec<&Json> = if is_deep {
        let simple: Vec<&Json> = open.iter().copied().filter(|form| is_null(form)).collect();
        if simple.is_empty() { open.iter().copied().filter(is_simple).collect() } else { simple }
    } else {
        open.iter().copied().filter(|form| !is_null(form)).collect()
    };
    let among = if rather.is_empty() { &open } else { &rather };
    if among.is_empty() {
        return Err("a part of the schema lets nothing pass".to_owned());
    }
    Ok((*dice.pick(among)).clone())
}

/// What fits both, as far as one mapping of keywords can say it.
fn merged(mut one: JsonMap, other: &JsonMap) -> JsonMap {
    for (name, value) in other {
        let Some(own) = one.get_mut(name) else {
            one.insert(name.clone(), value.clone());
            continue;
        };
        if own == value {
            continue;
        }
        match (name.as_str(), &mut *own, value) {
            ("properties" | "$defs" | "definitions", Json::Object(own), Json::Object(others)) => {
                for (name, schema) in others {
                    let both = own.get(name).map(|own| serde_json::json!({"allOf": [own, schema]}));
                    own.insert(name.clone(), both.unwrap_or_else(|| schema.clone()));
                }
            }
            ("required" | "allOf", Json::Array(own), Json::Array(others)) => {
                own.extend(others.iter().filter(|name| !own.contains(name)).cloned().collect::<Vec<_>>());
            }
            ("enum", Json::Array(own), Json::Array(others)) => own.retain(|option| others.contains(option)),
            ("type", own, other) => *own = shared_types(own, other),
            ("minimum" | "exclusiveMinimum" | "minLength" | "minItems" | "minProperties", own, other) => {
                if own.as_f64() < other.as_f64() {
                    *own = other.clone();
                }
            }
            ("maximum" | "exclusiveMaximum" | "maxLength" | "maxItems" | "maxProperties", own, other) => {
                if own.as_f64() > other.as_f64() {
                    *own = other.clone();
                }
            }
            ("additionalProperties", own, _) if *own == Json::Bool(false) => {}
            ("items", own, other) => *own = serde_json::json!({"allOf": [own.clone(), other]}),
            // Further forms wait beside those that are there.
            ("anyOf" | "oneOf", own, other) => {
                let own = own.clone();
                let (own, other) = (serde_json::json!({name: own}), serde_json::json!({name: other}));
                one.shift_remove(name);
                let all = one.entry("allOf").or_insert_with(|| Json::Array(Vec::new()));
                if let Json::Array(all) = all {
                    all.extend([own, other]);
                }
            }
            (_, own, other) => *own = other.clone(),
        }
    }
    one
}

fn shared_types(one: &Json, other: &Json) -> Json {
    let names = |types: &Json| match types {
        Json::Array(names) => names.clone(),
        name => vec![name.clone()],
    };
    let others = names(other);
    let has = |name: &str| others.iter().any(|other| other == name);
    let shared = names(one).into_iter().filter_map(|name| match name.as_str()? {
        "number" if !has("number") && has("integer") => Some(Json::from("integer")),
        "integer" if has("number") => Some(name),
        text => has(text).then(|| name.clone()),
    });
    Json::Array(shared.collect())
}
