//! What an item is called: in progress, rows, reports and on the command line.

use crate::model::Json;

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
    use serde_json::json;

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
