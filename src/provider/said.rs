//! What a server has said, as JSON that is read where it lies: texts without escapes are not copied, and the fields of an
//! object are not hashed. An answer has a dozen of them, and a stream as many in each event. Of a field that stands twice the
//! first counts.

use crate::model::Json;

pub(super) use serde_json_borrow::{ObjectAsVec as Fields, Value as Said};

/// A field of an object.
pub(super) fn field<'v, 'a>(value: &'v Said<'a>, name: &str) -> Option<&'v Said<'a>> {
    value.as_object()?.get(name)
}

/// As [`truthy`](crate::model::truthy) of other JSON.
pub(super) fn truthy(value: &Said<'_>) -> bool {
    match value {
        Said::Null => false,
        Said::Bool(truth) => *truth,
        Said::Number(number) => number.as_f64().is_some_and(|number| number != 0.0),
        Said::Str(text) => !text.is_empty(),
        Said::Array(items) => !items.is_empty(),
        Said::Object(_) => true,
    }
}

/// The same as JSON that stands for itself, where it is looked at more closely.
pub(super) fn owned(value: &Said<'_>) -> Json {
    value.into()
}
