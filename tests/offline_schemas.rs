//! Answers of the built-in provider to calls with a schema: each fits, judged by what judges the answers of a service.

mod support;

use std::sync::Arc;

use blossom_run::check::{Verdict, judge, rules};
use blossom_run::model::{AnswerSchema, Call, Choice, Content, Failure, FailureKind, Json, JsonMap, Reply, Request};
use blossom_run::provider::Provider;
use futures::FutureExt as _;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::json;
use support::asking::{ask, text};

const STORY: &str = "Plan 3 scenes for this story:\n\nThe ferry to the island stopped at noon because of the ice. The harbour master had seen \
    nothing like it since 1987. Crews broke the ice near the quay twice a day. Nobody on the island ran out of bread.";

fn offline() -> Arc<dyn Provider> {
    support::asking::provider(blossom_run::model::ProviderKind::Offline, "")
}

fn schema(written: &Json) -> Choice {
    let rules = rules(written).unwrap_or_else(|faults| panic!("{faults:?}\n{written}"));
    Choice::Schema(Arc::new(AnswerSchema::new(written.clone(), written.clone(), false, rules)))
}

fn call(written: &Json, prompt: &str) -> Call {
    Call { answer: schema(written), ..text(&*offline(), prompt) }
}

/// The reply to a call; it comes at once.
fn reply(call: &Call) -> Result<Reply, Failure> {
    ask(&*offline(), call, false).now_or_never().expect("an answer at once")
}

fn answer(written: &Json, prompt: &str) -> Result<Json, Failure> {
    let call = call(written, prompt);
    let reply = reply(&call)?;
    match judge(&call.answer, &reply) {
        Verdict::Json(json) => Ok(json),
        other => panic!("{other:?}\n{written:#}\n{reply:?}"),
    }
}

#[test]
fn texts_are_about_the_prompt_and_named_after_their_fields() {
    let value = answer(
        &json!({
            "type": "object", "required": ["title", "kind", "scenes"],
            "properties": {
                "title": {"type": "string"},
                "kind": {"enum": ["bug", "feature"]},
                "day": {"type": "string", "format": "date"},
                "score": {"type": "integer", "minimum": 1, "maximum": 5},
                "note": {"type": ["string", "null"]},
                "scenes": {"type": "array", "items": {"type": "object", "properties": {"caption": {"type": "string"}}}},
            },
        }),
        STORY,
    )
    .unwrap();
    assert!(value["title"].as_str().unwrap().ends_with("(offline)"), "{value}");
    assert!(STORY.contains(value["scenes"][0]["caption"].as_str().unwrap()), "{value}");
    assert_eq!(value["scenes"].as_array().unwrap().len(), 3, "as many as the prompt asks for");
    assert!(value["day"].as_str().unwrap().starts_with("2026-") && value["note"].is_string(), "{value}");
}

#[test]
fn what_leads_into_itself_comes_to_an_end() {
    let tree = json!({
        "$ref": "#/$defs/node",
        "$defs": {"node": {"type": "object", "required": ["name", "children"], "properties": {
            "name": {"type": "string"}, "children": {"type": "array", "items": {"$ref": "#/$defs/node"}},
            "next": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]},
        }}},
    });
    let value = answer(&tree, STORY).unwrap();
    assert!(value["children"][0]["name"].is_string() && value["next"]["name"].is_string(), "{value}");
    let endless = json!({"type": "object", "required": ["a"], "properties": {"a": {"$ref": "#"}}});
    assert!(answer(&endless, STORY).unwrap_err().message.ends_with("the schema leads into itself without an end"));
}

#[test]
fn what_is_not_heeded_is_named() {
    let failure = answer(
        &json!({"type": "object", "required": ["code"], "properties": {
            "code": {"type": "string", "pattern": "^[A-Z]{3}-\\d{4}$"}, "not": {"type": "string"},
        }}),
        STORY,
    )
    .unwrap_err();
    assert_eq!(failure.kind, FailureKind::BadRequest);
    assert!(failure.message.contains("`code` is ") && failure.message.ends_with("must match `^[A-Z]{3}-\\d{4}$`"));
    let help = failure.suggestion.unwrap();
    assert_eq!(help, "it does not heed `pattern`: leave that out of the schema, or ask a model");
}

#[test]
fn an_answer_has_room_or_is_none() {
    let item = json!({"type": "object", "required": ["text"], "properties": {"text": {"type": "string"}}});
    let written = json!({"type": "array", "items": item});
    let at_most = |tokens| {
        let mut call = call(&written, STORY);
        if let Request::Text { params, .. } = &mut call.request {
            params.max_tokens = Some(tokens);
        }
        reply(&call).map(|reply| if let Content::Text(text) = reply.content { text.len() } else { 0 })
    };
    assert!((20..=100).contains(&at_most(25).unwrap()));
    assert_eq!(at_most(2).unwrap_err().kind, FailureKind::Length);
}

fn texts() -> impl Strategy<Value = Json> {
    let formats = [
        "date",
        "date-time",
        "time",
        "duration",
        "email",
        "hostname",
        "ipv4",
        "ipv6",
        "uri",
        "uri-reference",
        "uuid",
        "json-pointer",
        "regex",
        "uri-template",
        "relative-json-pointer",
        "iri",
        "one-of-its-own",
    ];
    prop_oneof![
        (0..40_u64, 0..400_u64)
            .prop_map(|(least, more)| json!({"type": "string", "minLength": least, "maxLength": least + more})),
        (0..900_u64).prop_map(|least| json!({"type": "string", "minLength": least})),
        (0..9_u64).prop_map(|most| json!({"maxLength": most, "type": ["string", "null"]})),
        select(formats.to_vec()).prop_map(|format| json!({"type": "string", "format": format})),
        Just(json!({"type": "string"})),
    ]
}

fn numbers() -> impl Strategy<Value = Json> {
    prop_oneof![
        (-99..99_i64, 0..99_i64)
            .prop_map(|(low, more)| json!({"type": "integer", "minimum": low, "maximum": low + more})),
        (-99..99_i64, 2..99_i64).prop_map(
            |(low, more)| json!({"type": "integer", "exclusiveMinimum": low, "exclusiveMaximum": low + more})
        ),
        (-9.0..9.0_f64, 0.01..9.0_f64)
            .prop_map(|(low, more)| json!({"type": "number", "exclusiveMinimum": low, "exclusiveMaximum": low + more})),
        (-99..99_i64).prop_map(|low| json!({"type": "number", "minimum": low})),
        (-99..99_i64).prop_map(|high| json!({"exclusiveMaximum": high})),
        (1..20_i64).prop_map(|step| json!({"type": "integer", "multipleOf": step, "minimum": step})),
        Just(json!({"type": ["integer", "boolean"]})),
    ]
}

fn leaves() -> impl Strategy<Value = Json> {
    prop_oneof![
        4 => texts(),
        4 => numbers(),
        1 => prop_oneof![Just(json!(true)), Just(json!({})), Just(json!({"type": "null"})), Just(json!({"type": "boolean"}))],
        1 => Just(json!({"const": {"a": [1, null]}})),
        1 => Just(json!({"enum": ["bug", "feature", null, 3]})),
        1 => Just(json!({"type": "integer", "enum": ["bug", 7.0, 8.5]})),
        1 => Just(json!({"$ref": "#/$defs/person"})),
    ]
}

const NAMES: [&str; 8] = ["title", "tags", "score", "is_new", "author", "slug", "publishedAt", "keywords"];

fn mappings(of: impl Strategy<Value = Json>) -> impl Strategy<Value = Json> {
    let fields = (prop::collection::vec(of, NAMES.len()), subsequence(NAMES.to_vec(), 0..6));
    (fields, any::<bool>(), 0..4_u64, subsequence(NAMES.to_vec(), 0..3)).prop_map(
        |((schemas, names), closed, more, odd)| {
            let properties: JsonMap = names.iter().zip(schemas).map(|(name, of)| ((*name).to_owned(), of)).collect();
            let mut required: Vec<&str> = names.iter().step_by(2).copied().collect();
            let mut schema = json!({"type": "object", "properties": properties});
            if closed {
                schema["additionalProperties"] = false.into();
            } else {
                required.extend(odd.into_iter().filter(|name| !names.contains(name)));
                schema["minProperties"] = more.into();
            }
            schema["required"] = required.into();
            schema
        },
    )
}

fn lists(of: impl Strategy<Value = Json> + Clone) -> impl Strategy<Value = Json> {
    let plain = (of.clone(), 0..5_u64, 0..4_u64).prop_map(
        |(of, least, more)| json!({"type": "array", "items": of, "minItems": least, "maxItems": least + more}),
    );
    let tuple = prop::collection::vec(of, 1..4).prop_map(|first| json!({"prefixItems": first, "items": false}));
    let set = (0..4_u64).prop_map(
        |least| json!({"items": {"type": "string"}, "uniqueItems": true, "minItems": least, "type": "array"}),
    );
    prop_oneof![3 => plain, 1 => tuple, 1 => set]
}

/// Forms that exclude one another by their kinds, so that one of them is enough.
fn choices(of: impl Strategy<Value = Json>) -> impl Strategy<Value = Json> {
    (select(vec!["anyOf", "oneOf"]), of, any::<bool>()).prop_map(|(keyword, of, null)| {
        let mut forms = vec![json!({"allOf": [{"type": "object"}, mapping_of(&of)]})];
        forms.push(if null { json!({"type": "null"}) } else { json!({"type": "string", "maxLength": 30}) });
        json!({keyword: forms})
    })
}

fn mapping_of(of: &Json) -> Json {
    json!({"type": "object", "properties": {"inner": of}, "required": ["inner"]})
}

fn schemas() -> impl Strategy<Value = Json> {
    let nested = leaves().prop_recursive(4, 40, 6, |inner| {
        let inner = inner.boxed();
        prop_oneof![3 => mappings(inner.clone()), 2 => lists(inner.clone()), 1 => choices(inner)]
    });
    nested.prop_map(|inner| {
        json!({
            "type": "object", "properties": {"value": inner}, "required": ["value"],
            "$defs": {"person": {
                "type": "object", "required": ["name"],
                "properties": {"name": {"type": "string", "minLength": 3}, "friends": {"type": "array", "items": {"$ref": "#/$defs/person"}}},
            }},
        })
    })
}

#[test]
fn a_wide_schema_that_leads_into_itself_has_an_end() {
    let fields: JsonMap = (0..12).map(|n| (format!("part_{n}"), json!({"$ref": "#/$defs/part"}))).collect();
    let part = json!({"type": "object", "properties": fields});
    let written = json!({"$defs": {"part": part}, "$ref": "#/$defs/part", "type": "object"});
    let length = answer(&written, STORY).unwrap().to_string().len();
    assert!((100..200_000).contains(&length), "{length}");
    let list = |items: &Json| json!({"type": "array", "minItems": 10_000, "items": items});
    let many =
        json!({"type": "object", "required": ["all"], "properties": {"all": list(&list(&json!({"type": "null"})))}});
    assert_eq!(answer(&many, STORY).unwrap_err().kind, FailureKind::BadRequest);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn every_answer_fits_its_schema(written in schemas(), prompt in "[a-z ,.]{1,60}") {
        let value = answer(&written, &prompt).unwrap_or_else(|failure| panic!("{failure}\n{written:#}"));
        prop_assert_eq!(answer(&written, &prompt).unwrap(), value, "the same call has the same answer");
    }
}
