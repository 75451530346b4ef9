//! What a server has said, as JSON that is read where it lies: texts without escapes are not copied, and the fields of an
//! object are not hashed. An answer has a dozen of them, and a stream as many in each event.

pub(super) use serde_json_borrow::{ObjectAsVec as Fields, Value as Said};

/// A field by its name. Of one that stands twice the last counts, as everywhere; the library's own `get` gives the first.
pub(super) fn get<'v, 'a>(fields: &'v Fields<'a>, name: &str) -> Option<&'v Said<'a>> {
    fields.iter().filter_map(|(known, value)| (known == name).then_some(value)).last()
}

/// The same of a value, where that is an object.
pub(super) fn field<'v, 'a>(value: &'v Said<'a>, name: &str) -> Option<&'v Said<'a>> {
    get(value.as_object()?, name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_of_two_fields_of_one_name_counts() {
        let said: Said<'_> = serde_json::from_str(r#"{"a": 1, "b": {"c": "x"}, "\u0061": 2}"#).unwrap();
        assert_eq!(field(&said, "a"), Some(&Said::from(2_u64)));
        assert_eq!(field(&said, "b").and_then(|b| field(b, "c")), Some(&Said::from("x")));
        assert_eq!((field(&said, "d"), field(&Said::Null, "a")), (None, None));
        let read: serde_json::Value = serde_json::from_str(r#"{"a": 1, "a": 2}"#).unwrap();
        assert_eq!(read["a"], 2, "as in JSON that is read whole");
    }
}
