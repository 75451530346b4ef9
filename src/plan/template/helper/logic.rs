//! Blocks, conditions, and what stands in for what is missing.

use std::cmp::Ordering;

use crate::model::{Json, kind_of, truthy};

use super::super::engine::step;
use super::kind::{Kind, as_number};
use super::{Absent, Args, Body, Fault, Gives, Helper, Takes};

const TWO: Takes = Takes::these(&[Kind::Any, Kind::Any]);

pub(super) const HELPERS: &[Helper] = &[
    Helper {
        name: "if",
        usage: "{{#if VALUE}}..{{else}}..{{/if}}",
        about: "Prints its block where the value is there and neither false, null, 0 nor empty",
        takes: Takes::these(&[Kind::Any]),
        gives: Gives::Anything,
        body: Body::Block,
    },
    Helper {
        name: "unless",
        usage: "{{#unless VALUE}}..{{else}}..{{/unless}}",
        about: "Prints its block where `if` would not",
        takes: Takes::these(&[Kind::Any]),
        gives: Gives::Anything,
        body: Body::Block,
    },
    Helper {
        name: "each",
        usage: "{{#each LIST as |ITEM INDEX|}}..{{else}}..{{/each}}",
        about: "Prints its block for every item of a list or field of a mapping, and `else` where there is none",
        takes: Takes::these(&[Kind::Any]),
        gives: Gives::Anything,
        body: Body::Block,
    },
    Helper {
        name: "with",
        usage: "{{#with VALUE as |NAME|}}..{{else}}..{{/with}}",
        about: "Prints its block with the fields of a value as names, and `else` where `if` would",
        takes: Takes::these(&[Kind::Any]),
        gives: Gives::Anything,
        body: Body::Block,
    },
    Helper {
        name: "lookup",
        usage: "lookup VALUE KEY",
        about: "The field of a mapping or the item of a list, where the key is a value itself",
        takes: Takes::these(&[Kind::Any, Kind::Text]),
        gives: Gives::Anything,
        body: Body::Value(lookup),
    },
    Helper {
        name: "default",
        usage: "default VALUE [VALUE ..]",
        about: "The first of its values that is there and neither null nor an empty text, list or mapping",
        takes: Takes::these(&[Kind::Any]).and_more(Kind::Any),
        gives: Gives::OneOf,
        body: Body::Tolerant(default),
    },
    Helper {
        name: "eq",
        usage: "eq A B",
        about: "Whether both are the same; a number is the same as a text that is that number",
        takes: TWO,
        gives: Gives::Truth,
        body: Body::Tolerant(|args| Ok(Json::Bool(same(args.value(0), args.value(1))))),
    },
    Helper {
        name: "ne",
        usage: "ne A B",
        about: "Whether the two differ",
        takes: TWO,
        gives: Gives::Truth,
        body: Body::Tolerant(|args| Ok(Json::Bool(!same(args.value(0), args.value(1))))),
    },
    Helper {
        name: "gt",
        usage: "gt A B",
        about: "Whether the first is greater, as numbers if both can be read as such",
        takes: TWO,
        gives: Gives::Truth,
        body: Body::Tolerant(|args| order(args, Ordering::is_gt)),
    },
    Helper {
        name: "gte",
        usage: "gte A B",
        about: "Whether the first is greater or the same",
        takes: TWO,
        gives: Gives::Truth,
        body: Body::Tolerant(|args| order(args, Ordering::is_ge)),
    },
    Helper {
        name: "lt",
        usage: "lt A B",
        about: "Whether the first is less",
        takes: TWO,
        gives: Gives::Truth,
        body: Body::Tolerant(|args| order(args, Ordering::is_lt)),
    },
    Helper {
        name: "lte",
        usage: "lte A B",
        about: "Whether the first is less or the same",
        takes: TWO,
        gives: Gives::Truth,
        body: Body::Tolerant(|args| order(args, Ordering::is_le)),
    },
    Helper {
        name: "and",
        usage: "and A B [C ..]",
        about: "Whether `if` would take every one of them",
        takes: TWO.and_more(Kind::Any),
        gives: Gives::Truth,
        body: Body::Tolerant(|args| Ok(Json::Bool(args.positional.iter().all(|value| value.is_some_and(truthy))))),
    },
    Helper {
        name: "or",
        usage: "or A B [C ..]",
        about: "Whether `if` would take one of them",
        takes: TWO.and_more(Kind::Any),
        gives: Gives::Truth,
        body: Body::Tolerant(|args| Ok(Json::Bool(args.positional.iter().any(|value| value.is_some_and(truthy))))),
    },
    Helper {
        name: "not",
        usage: "not VALUE",
        about: "Whether `if` would not take it",
        takes: Takes::these(&[Kind::Any]),
        gives: Gives::Truth,
        body: Body::Tolerant(|args| Ok(Json::Bool(!args.get(0).is_some_and(truthy)))),
    },
];

fn lookup(args: &Args<'_>) -> Result<Json, Fault> {
    let (value, key) = (args.value(0), args.text(1));
    step(value, &key).cloned().ok_or_else(|| {
        let message = match value {
            Json::Array(items) => format!("a list of {} has no `{key}`", items.len()),
            Json::Object(_) => format!("there is no field `{key}`"),
            other => format!("{} has no `{key}`", kind_of(other)),
        };
        Fault::Absent(Absent::Part { key: Some(key.into_owned()), message })
    })
}

fn default(args: &Args<'_>) -> Result<Json, Fault> {
    let filled = |value: &&Json| match value {
        Json::Null => false,
        Json::String(text) => !text.is_empty(),
        Json::Array(items) => !items.is_empty(),
        Json::Object(fields) => !fields.is_empty(),
        Json::Bool(_) | Json::Number(_) => true,
    };
    args.positional.iter().copied().flatten().find(filled).cloned().ok_or(Fault::Absent(Absent::Nothing))
}

/// What is absent is null.
pub(in super::super) fn same(a: &Json, b: &Json) -> bool {
    // Two texts are compared as texts: `03` is not `3` unless one of them is a number.
    match (a, b) {
        (Json::Number(_), _) | (_, Json::Number(_)) => match (as_number(a), as_number(b)) {
            (Some(a), Some(b)) => a.compare(b).is_eq(),
            _ => false,
        },
        _ => a == b,
    }
}

/// What is absent or null has no order, so nothing holds of it.
fn order(args: &Args<'_>, holds: fn(Ordering) -> bool) -> Result<Json, Fault> {
    let (a, b) = (args.value(0), args.value(1));
    if a.is_null() || b.is_null() {
        return Ok(Json::Bool(false));
    }
    let ordering = match (as_number(a), as_number(b), a, b) {
        (Some(a), Some(b), ..) => a.compare(b),
        (_, _, Json::String(a), Json::String(b)) => a.cmp(b),
        _ => return Err(Fault::Wrong(format!("{} and {} have no order", show(a), show(b)))),
    };
    Ok(Json::Bool(holds(ordering)))
}

fn show(value: &Json) -> String {
    match value {
        Json::String(text) if text.chars().count() <= 40 => format!("`{text}`"),
        Json::Number(number) => format!("`{number}`"),
        other => kind_of(other).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn equality_reads_a_text_as_a_number_only_beside_a_number() {
        for (a, b, equal) in [
            (json!("3"), json!(3), true),
            (json!(3.0), json!(3), true),
            (json!("03"), json!(3), true),
            (json!("03"), json!("3"), false),
            (json!("a"), json!("a"), true),
            (json!("three"), json!(3), false),
            (json!("true"), json!(true), false),
            (json!(null), json!(0), false),
            (json!([1, "a"]), json!([1, "a"]), true),
        ] {
            assert_eq!(same(&a, &b), equal, "{a} {b}");
            assert_eq!(same(&b, &a), equal, "{b} {a}");
        }
    }

    #[test]
    fn order_reads_texts_as_numbers_where_it_can() {
        let less =
            |a: &Json, b: &Json| order(&Args { positional: vec![Some(a), Some(b)], named: vec![] }, Ordering::is_lt);
        assert_eq!(less(&json!("9"), &json!("10")), Ok(json!(true)));
        assert_eq!(less(&json!("9"), &json!(10)), Ok(json!(true)));
        assert_eq!(less(&json!("b"), &json!("a")), Ok(json!(false)));
        assert_eq!(less(&json!("2026-01-02"), &json!("2026-11-01")), Ok(json!(true)));
        assert_eq!(less(&json!(null), &json!(1)), Ok(json!(false)));
        assert_eq!(less(&json!("many"), &json!(3)), Err(Fault::Wrong("`many` and `3` have no order".to_owned())));
    }
}
