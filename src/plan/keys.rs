//! What an item is called: in progress, rows, reports and on the command line.

use serde_json::json;

use crate::model::{Json, JsonMap};

/// The longest text that is its own name, in characters.
const LONGEST: usize = 60;
const FIELDS: [&str; 5] = ["id", "key", "slug", "name", "path"];

/// The item itself if it is a number or a short text on one line; else its `id`, `key`, `slug`, `name` or `path`; else
/// its number, from 1.
pub fn item_key(item: &Json, index: u64) -> String {
    own_key(item)
        .or_else(|| FIELDS.iter().find_map(|field| item.get(field).and_then(own_key)))
        .unwrap_or_else(|| (index + 1).to_string())
}

/// What a template sees as `loop`: the loops around an instance, outermost first, each with the index of its item and what
/// that is called; the innermost goes by what the item is called in all of them.
pub fn loop_info(around: &[(&str, u64, &str)], key: &str) -> Json {
    let one = |index: u64, key: &str| json!({"index": index, "number": index + 1, "first": index == 0, "key": key});
    let mut info = JsonMap::new();
    if let Some((_, index, _)) = around.last()
        && let Json::Object(innermost) = one(*index, key)
    {
        info = innermost;
    }
    info.extend(around.iter().map(|(name, index, key)| ((*name).to_owned(), one(*index, key))));
    Json::Object(info)
}

/// What differs for each item of these loops, outermost first, as a part of a path.
pub fn item_number<'a>(loops: impl ExactSizeIterator<Item = &'a str>) -> String {
    if loops.len() < 2 {
        return "{{loop.number}}".to_owned();
    }
    loops.map(|name| format!("{{{{loop.{name}.number}}}}")).collect::<Vec<_>>().join("-")
}

fn own_key(value: &Json) -> Option<String> {
    match value {
        Json::Number(number) => Some(number.to_string()),
        Json::String(text) => {
            let text = text.trim();
            let short = !text.is_empty() && text.chars().count() <= LONGEST && !text.contains(['\n', '\r']);
            short.then(|| text.to_owned())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_called_by_what_people_know_them_by() {
        for (item, key) in [
            (json!("de"), "de"),
            (json!(7), "7"),
            (json!({"slug": "a-b", "title": "x"}), "a-b"),
            (json!({"name": "N", "id": 4}), "4"),
            (json!({"title": "x"}), "3"),
            (json!({"id": null, "path": "docs/a.md"}), "docs/a.md"),
            (json!("x".repeat(61)), "3"),
            (json!(""), "3"),
        ] {
            assert_eq!(item_key(&item, 2), key);
        }
    }
}
