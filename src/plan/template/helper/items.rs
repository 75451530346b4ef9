//! Helpers that look into the items of a list: to sort them, to choose among them, to put them together.

use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};

use crate::model::{Json, kind_of};

use super::super::engine::step;
use super::kind::{Kind, Number, as_number};
use super::logic::same;
use super::{Args, Body, Fault, Gives, Helper, Takes};

const LIST: Takes = Takes::these(&[Kind::List]).and_told();

pub(super) const HELPERS: &[Helper] = &[
    Helper {
        name: "chunks",
        usage: "chunks LIST SIZE",
        about: "The items of a list in lists of so many; the last may be shorter",
        takes: Takes::these(&[Kind::List, Kind::Size(u32::MAX)]).and_told(),
        gives: Gives::Lists,
        body: Body::Value(|args| Ok(chunks(args))),
    },
    Helper {
        name: "group",
        usage: "group LIST by='field'",
        about: "The items of a list that have the same in a field (or behind a path of fields), as `{key, items}`, in the \
                order in which the keys come first",
        takes: LIST
            .and_named(&[("by", Kind::Path)])
            .and_agreed(|named| named.is_empty().then(|| "it needs `by=`".to_owned())),
        gives: Gives::Groups,
        body: Body::Value(group),
    },
    Helper {
        name: "unique",
        usage: "unique LIST [by='field']",
        about: "The items of a list without those that were there before, or with `by` the first of those that have the \
                same there",
        takes: LIST.and_named(&[("by", Kind::Path)]),
        gives: Gives::Alike,
        body: Body::Value(unique),
    },
    Helper {
        name: "where",
        usage: "where LIST 'field' VALUE",
        about: "The items of a list that have this value in a field, as `eq` compares; an item without the field is left \
                out",
        takes: Takes::these(&[Kind::List, Kind::Path, Kind::Any]).and_told(),
        gives: Gives::Alike,
        body: Body::Value(|args| Ok(filtered(args))),
    },
    Helper {
        name: "sort",
        usage: "sort LIST [by='field'] [desc=true]",
        about: "The items of a list in order, by themselves or by a field: numbers (also texts that are numbers), then \
                texts, then false and true; null comes last; what is the same stays in its order",
        takes: LIST.and_named(&[("by", Kind::Path), ("desc", Kind::Truth)]),
        gives: Gives::Alike,
        body: Body::Value(sort),
    },
];

/// What lies behind a path of fields in an item.
fn behind<'a>(item: &'a Json, path: &str) -> Option<&'a Json> {
    path.split('.').try_fold(item, step)
}

/// Each item with what it is compared by: what lies behind `by=`, else the item itself.
fn by<'a>(args: &Args<'a>) -> Result<Vec<(&'a Json, &'a Json)>, Fault> {
    let path = args.named_text("by");
    let key = |(at, item): (usize, &'a Json)| match &path {
        None => Ok((item, item)),
        Some(path) => behind(item, path).map(|key| (key, item)).ok_or_else(|| {
            let what = if item.is_object() { String::new() } else { format!("is {} and ", kind_of(item)) };
            Fault::Wrong(format!("item {} {what}has no field `{path}`", at + 1))
        }),
    };
    args.list(0).iter().enumerate().map(key).collect()
}

fn chunks(args: &Args<'_>) -> Json {
    let size = args.count(1).unwrap_or(1).max(1);
    args.list(0).chunks(size).map(|chunk| Json::Array(chunk.to_vec())).collect()
}

fn group(args: &Args<'_>) -> Result<Json, Fault> {
    let mut groups: Vec<(&Json, Vec<Json>)> = Vec::new();
    let mut known: HashMap<String, usize> = HashMap::new();
    for (key, item) in by(args)? {
        let at = *known.entry(canonical(key)).or_insert(groups.len());
        if at == groups.len() {
            groups.push((key, Vec::new()));
        }
        groups[at].1.push(item.clone());
    }
    Ok(groups.into_iter().map(|(key, items)| serde_json::json!({"key": key, "items": items})).collect())
}

fn unique(args: &Args<'_>) -> Result<Json, Fault> {
    let mut known = HashSet::new();
    let items = by(args)?.into_iter().filter(|(key, _)| known.insert(canonical(key)));
    Ok(items.map(|(_, item)| item.clone()).collect())
}

fn filtered(args: &Args<'_>) -> Json {
    let (path, value) = (args.text(1), args.value(2));
    let holds = |item: &&Json| behind(item, &path).is_some_and(|found| same(found, value));
    args.list(0).iter().filter(holds).cloned().collect()
}

fn sort(args: &Args<'_>) -> Result<Json, Fault> {
    let is_descending = args.named("desc") == Some(&Json::Bool(true));
    let mut keyed = Vec::new();
    for (at, (key, item)) in by(args)?.into_iter().enumerate() {
        keyed.push((Order::of(key).map_err(|fault| Fault::Wrong(format!("item {} {fault}", at + 1)))?, item));
    }
    keyed.sort_by(|(a, _), (b, _)| match (a, b) {
        (Order::Nothing, _) | (_, Order::Nothing) => a.compare(b),
        _ if is_descending => b.compare(a),
        _ => a.compare(b),
    });
    Ok(keyed.into_iter().map(|(_, item)| item.clone()).collect())
}

/// What a value is sorted by.
enum Order<'a> {
    Number(Number),
    Text(&'a str),
    Truth(bool),
    Nothing,
}

impl<'a> Order<'a> {
    fn of(value: &'a Json) -> Result<Self, String> {
        Ok(match (as_number(value), value) {
            (Some(number), _) => Self::Number(number),
            (None, Json::String(text)) => Self::Text(text),
            (None, Json::Bool(truth)) => Self::Truth(*truth),
            (None, Json::Null) => Self::Nothing,
            (None, other) => return Err(format!("is sorted by {}, which has no order", kind_of(other))),
        })
    }

    fn compare(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Number(a), Self::Number(b)) => a.compare(*b),
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            (Self::Truth(a), Self::Truth(b)) => a.cmp(b),
            (a, b) => a.rank().cmp(&b.rank()),
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Number(_) => 0,
            Self::Text(_) => 1,
            Self::Truth(_) => 2,
            Self::Nothing => 3,
        }
    }
}

/// The same text for values that are the same: numbers by what they are, mappings in whatever order their fields stand.
fn canonical(value: &Json) -> String {
    match value {
        Json::Number(_) => match as_number(value) {
            Some(Number::Broken(broken)) if broken.fract() == 0.0 && broken.abs() < 9e15 => format!("{broken:.0}"),
            _ => value.to_string(),
        },
        Json::Array(items) => format!("[{}]", items.iter().map(canonical).collect::<Vec<_>>().join(",")),
        Json::Object(fields) => {
            let mut fields: Vec<String> = fields
                .iter()
                .map(|(name, value)| format!("{}:{}", Json::from(name.as_str()), canonical(value)))
                .collect();
            fields.sort_unstable();
            format!("{{{}}}", fields.join(","))
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn args<'a>(values: &[&'a Json], named: &[(&'a str, &'a Json)]) -> Args<'a> {
        Args { positional: values.iter().map(|value| Some(*value)).collect(), named: named.to_vec() }
    }

    #[test]
    fn lists_are_cut_into_lists() {
        let list = json!([1, 2, 3, 4, 5]);
        assert_eq!(chunks(&args(&[&list, &json!(2)], &[])), json!([[1, 2], [3, 4], [5]]));
        assert_eq!(chunks(&args(&[&json!([]), &json!(2)], &[])), json!([]));
    }

    #[test]
    fn groups_come_in_the_order_of_their_first_items() {
        let list = json!([{"q": {"n": "b"}, "i": 1}, {"q": {"n": "a"}, "i": 2}, {"q": {"n": "b"}, "i": 3}]);
        let path = json!("q.n");
        let groups = group(&args(&[&list], &[("by", &path)])).unwrap();
        let keys: Vec<_> = groups
            .as_array()
            .unwrap()
            .iter()
            .map(|group| (&group["key"], group["items"].as_array().unwrap().len()))
            .collect();
        assert_eq!(keys, [(&json!("b"), 2), (&json!("a"), 1)]);
        let wrong = group(&args(&[&json!([{"q": {"n": 1}}, {"q": 1}])], &[("by", &path)]));
        assert_eq!(wrong, Err(Fault::Wrong("item 2 has no field `q.n`".to_owned())));
        let wrong = group(&args(&[&json!(["x"])], &[("by", &path)]));
        assert_eq!(wrong, Err(Fault::Wrong("item 1 is a text and has no field `q.n`".to_owned())));
    }

    #[test]
    fn what_is_there_twice_is_there_once() {
        let list = json!([1, "1", 1.0, "a", {"x": 1, "y": 2}, {"y": 2, "x": 1}, null, null, "a"]);
        assert_eq!(unique(&args(&[&list], &[])), Ok(json!([1, "1", "a", {"x": 1, "y": 2}, null])));
        let list = json!([{"id": 1, "n": "a"}, {"id": 2, "n": "b"}, {"id": 1, "n": "c"}]);
        assert_eq!(
            unique(&args(&[&list], &[("by", &json!("id"))])),
            Ok(json!([{"id": 1, "n": "a"}, {"id": 2, "n": "b"}]))
        );
    }

    #[test]
    fn items_are_chosen_by_what_they_have() {
        let list = json!([{"n": 1}, {"n": "1"}, {"m": 1}, {"n": 2}, "n"]);
        assert_eq!(filtered(&args(&[&list, &json!("n"), &json!(1)], &[])), json!([{"n": 1}, {"n": "1"}]));
    }

    #[test]
    fn numbers_are_sorted_as_numbers_and_what_is_the_same_stays() {
        let list = json!(["10", 9, "b", null, "a", "9.5", true, false, -1]);
        assert_eq!(sort(&args(&[&list], &[])), Ok(json!([-1, 9, "9.5", "10", "a", "b", false, true, null])));
        let desc = json!(true);
        assert_eq!(
            sort(&args(&[&list], &[("desc", &desc)])),
            Ok(json!([true, false, "b", "a", "10", "9.5", 9, -1, null]))
        );
        let list = json!([{"n": 2, "i": 1}, {"n": 1, "i": 2}, {"n": "2", "i": 3}, {"n": 1, "i": 4}]);
        let order = |desc: &Json| -> Vec<u64> {
            let sorted = sort(&args(&[&list], &[("by", &json!("n")), ("desc", desc)])).unwrap();
            sorted.as_array().unwrap().iter().filter_map(|item| item["i"].as_u64()).collect()
        };
        assert_eq!(order(&json!(false)), [2, 4, 1, 3]);
        assert_eq!(order(&desc), [1, 3, 2, 4]);
        let wrong = sort(&args(&[&json!([1, [2]])], &[]));
        assert_eq!(wrong, Err(Fault::Wrong("item 2 is sorted by a list, which has no order".to_owned())));
    }
}
