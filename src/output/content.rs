//! What stands in a file.

use bytes::Bytes;

use crate::model::Json;

/// A text as it is saved: it ends with one line break.
pub fn text_bytes(text: &str) -> Bytes {
    let text = text.trim_end_matches(['\n', '\r']);
    let mut bytes = Vec::with_capacity(text.len() + 1);
    bytes.extend_from_slice(text.as_bytes());
    bytes.push(b'\n');
    bytes.into()
}

/// JSON as it is saved to a `.json` file: indented, its keys in their order, with a line break at the end.
pub fn json_bytes(value: &Json) -> Bytes {
    format!("{value:#}\n").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_ends_with_one_line_break() {
        for text in ["a", "a\n", "a\n\n", "a\r\n"] {
            assert_eq!(text_bytes(text), "a\n");
        }
        assert_eq!(text_bytes("  a \n b "), "  a \n b \n");
    }

    #[test]
    fn json_is_pretty_and_keeps_its_order() {
        let value = serde_json::json!({"b": 1, "a": ["ä"]});
        assert_eq!(json_bytes(&value), "{\n  \"b\": 1,\n  \"a\": [\n    \"ä\"\n  ]\n}\n");
    }
}
