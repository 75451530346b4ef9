//! Helpers for lists and JSON.

use serde::Serialize;
use serde_json::ser::{PrettyFormatter, Serializer};

use crate::model::{Json, kind_of};

use super::super::engine::printed;
use super::kind::Kind;
use super::split::SPLIT;
use super::{Absent, Args, Body, Fault, Gives, Helper, Takes};

const LIST: Takes = Takes::these(&[Kind::List]);
const UNLIMITED: Kind = Kind::Count(u32::MAX);

pub(super) const HELPERS: &[Helper] = &[
    Helper {
        name: "len",
        usage: "len VALUE",
        about: "How many characters a text has, or items a list, or fields a mapping",
        takes: Takes::these(&[Kind::Any]),
        gives: Gives::Number,
        body: Body::Value(length),
    },
    Helper {
        name: "join",
        usage: "join LIST [SEPARATOR]",
        about: "The items of a list as one text, with the separator or else a line break between",
        takes: LIST.and_maybe(&[Kind::Text]),
        gives: Gives::Text,
        body: Body::Value(|args| Ok(join(args))),
    },
    Helper {
        name: "lines",
        usage: "lines TEXT",
        about: "The lines of a text as a list, without those that are blank",
        takes: Takes::these(&[Kind::Text]),
        gives: Gives::Texts,
        body: Body::Value(|args| Ok(lines(args))),
    },
    SPLIT,
    Helper {
        name: "first",
        usage: "first LIST [COUNT]",
        about: "The first item of a list; with a count, a list of so many",
        takes: LIST.and_maybe(&[UNLIMITED]),
        gives: Gives::Item,
        body: Body::Value(first),
    },
    Helper {
        name: "last",
        usage: "last LIST [COUNT]",
        about: "The last item of a list; with a count, a list of so many",
        takes: LIST.and_maybe(&[UNLIMITED]),
        gives: Gives::Item,
        body: Body::Value(last),
    },
    Helper {
        name: "slice",
        usage: "slice VALUE START [END]",
        about: "The items of a list or characters of a text from one index (from 0) up to another, counted from the end \
                if negative",
        takes: Takes::these(&[Kind::Sequence, Kind::Index]).and_maybe(&[Kind::Index]),
        gives: Gives::Alike,
        body: Body::Value(|args| Ok(slice(args))),
    },
    Helper {
        name: "json",
        usage: "json VALUE [indent=2]",
        about: "The value as JSON, a text in quotes too; with `indent` on several lines",
        takes: Takes::these(&[Kind::Any]).and_named(&[("indent", Kind::Count(16))]),
        gives: Gives::Text,
        body: Body::Value(json),
    },
];

fn length(args: &Args<'_>) -> Result<Json, Fault> {
    let length = match args.value(0) {
        Json::Null => 0,
        Json::String(text) => text.chars().count(),
        Json::Array(items) => items.len(),
        Json::Object(fields) => fields.len(),
        other => return Err(Fault::Wrong(format!("{} has no length", kind_of(other)))),
    };
    Ok(Json::from(length))
}

fn join(args: &Args<'_>) -> Json {
    let separator = args.get(1).map_or("\n".into(), printed);
    let items: Vec<_> = args.list(0).iter().map(printed).collect();
    Json::String(items.join(&separator))
}

fn lines(args: &Args<'_>) -> Json {
    let source = args.text(0);
    source.lines().filter(|line| !line.trim().is_empty()).map(Json::from).collect()
}

fn first(args: &Args<'_>) -> Result<Json, Fault> {
    let items = args.list(0);
    match args.count(1) {
        Some(count) => Ok(Json::Array(items[..count.min(items.len())].to_vec())),
        None => items.first().cloned().ok_or_else(empty),
    }
}

fn last(args: &Args<'_>) -> Result<Json, Fault> {
    let items = args.list(0);
    match args.count(1) {
        Some(count) => Ok(Json::Array(items[items.len().saturating_sub(count)..].to_vec())),
        None => items.last().cloned().ok_or_else(empty),
    }
}

fn empty() -> Fault {
    Fault::Absent(Absent::Part { key: None, message: "the list is empty".to_owned() })
}

fn slice(args: &Args<'_>) -> Json {
    let bounds = |length: usize| {
        let at = |index: i64| {
            let steps = usize::try_from(index.unsigned_abs()).unwrap_or(usize::MAX);
            if index < 0 { length.saturating_sub(steps) } else { steps.min(length) }
        };
        let start = at(args.whole(1).unwrap_or_default());
        (start, args.whole(2).map_or(length, at).max(start))
    };
    if let Json::Array(items) = args.value(0) {
        let (start, end) = bounds(items.len());
        Json::Array(items[start..end].to_vec())
    } else {
        let source = args.text(0);
        let (start, end) = bounds(source.chars().count());
        Json::String(source.chars().skip(start).take(end - start).collect())
    }
}

fn json(args: &Args<'_>) -> Result<Json, Fault> {
    let value = args.value(0);
    let Some(indent) = args.named_count("indent").filter(|indent| *indent > 0) else {
        return Ok(Json::String(value.to_string()));
    };
    let blanks = " ".repeat(indent);
    let mut bytes = Vec::new();
    let mut writer = Serializer::with_formatter(&mut bytes, PrettyFormatter::with_indent(blanks.as_bytes()));
    let written = value.serialize(&mut writer).map_err(|error| error.to_string());
    let text = written.and_then(|()| String::from_utf8(bytes).map_err(|error| error.to_string()));
    text.map(Json::String).map_err(Fault::Wrong)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn args<'a>(values: &[&'a Json]) -> Args<'a> {
        Args { positional: values.iter().map(|value| Some(*value)).collect(), named: Vec::new() }
    }

    #[test]
    fn lengths_count_characters() {
        for (value, expected) in [(json!("größe🌸"), 6), (json!([1, 2]), 2), (json!({"a": 1}), 1), (json!(null), 0)]
        {
            assert_eq!(length(&args(&[&value])), Ok(json!(expected)));
        }
        assert!(length(&args(&[&json!(12)])).is_err());
    }

    #[test]
    fn lists_join_as_they_print() {
        let list = json!(["a", 1, null, [2], {"b": 3}]);
        assert_eq!(join(&args(&[&list])), json!("a\n1\n\n[2]\n{\"b\":3}"));
        assert_eq!(join(&args(&[&json!(["a", "b"]), &json!(", ")])), json!("a, b"));
        assert_eq!(lines(&args(&[&json!("a\r\n\n  b \n \nc")])), json!(["a", "  b ", "c"]));
    }

    #[test]
    fn ends_of_lists() {
        let list = json!([1, 2, 3]);
        assert_eq!(first(&args(&[&list])), Ok(json!(1)));
        assert_eq!(first(&args(&[&list, &json!(2)])), Ok(json!([1, 2])));
        assert_eq!(last(&args(&[&list])), Ok(json!(3)));
        assert_eq!(last(&args(&[&list, &json!(9)])), Ok(list.clone()));
        assert_eq!(first(&args(&[&json!([])])), Err(empty()));
        assert_eq!(first(&args(&[&json!([]), &json!(1)])), Ok(json!([])));
    }

    #[test]
    fn slices_of_lists_and_texts() {
        let list = json!([0, 1, 2, 3]);
        for (start, end, expected) in
            [(1, 3, json!([1, 2])), (-2, 4, json!([2, 3])), (3, 1, json!([])), (0, 99, list.clone())]
        {
            assert_eq!(slice(&args(&[&list, &json!(start), &json!(end)])), expected);
        }
        assert_eq!(slice(&args(&[&json!("größe"), &json!(2), &json!(-1)])), json!("öß"));
        assert_eq!(slice(&args(&[&json!("größe"), &json!(-2)])), json!("ße"));
    }

    #[test]
    fn json_on_one_line_or_several() {
        let value = json!({"b": [1], "a": "x\"y"});
        assert_eq!(json(&args(&[&value])), Ok(json!(r#"{"b":[1],"a":"x\"y"}"#)));
        let four = json!(1);
        let indented = Args { positional: vec![Some(&value)], named: vec![("indent", &four)] };
        assert_eq!(json(&indented), Ok(json!("{\n \"b\": [\n  1\n ],\n \"a\": \"x\\\"y\"\n}")));
    }
}
