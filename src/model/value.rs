//! The value of an instance, as templates see it, and how an instance ended.

use std::sync::Arc;

use super::{Conversation, Json, MediaType, SkipReason};

/// What an instance came to. Cloning is cheap.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A text.
    Text(Arc<str>),
    /// JSON: of a stage with `json`, or what stands in for an answer.
    Json(Arc<Json>),
    /// A picture that lies in the output folder.
    Image {
        /// Under the output folder, with `/`.
        path: Arc<str>,
        /// In pixels; 0 where the format does not say.
        width: u32,
        /// In pixels; 0 where the format does not say.
        height: u32,
        /// What it is.
        media_type: MediaType,
        /// The size of the file, in bytes.
        bytes: u64,
    },
}

/// How an instance ended, as far as others care.
#[derive(Debug, Clone, PartialEq)]
pub enum End {
    /// With a value.
    Value(Value),
    /// With a value, and all that was said up to it: somebody goes on with that.
    Said(Value, Conversation),
    /// Without one.
    Absent(SkipReason),
}

impl End {
    /// With a value, and with what was said if somebody goes on with that.
    pub fn with(value: Value, said: Option<Conversation>) -> Self {
        match said {
            Some(said) => Self::Said(value, said),
            None => Self::Value(value),
        }
    }

    /// The value, or why there is none; and what was said.
    pub fn parts(self) -> (Result<Value, SkipReason>, Option<Conversation>) {
        match self {
            Self::Value(value) => (Ok(value), None),
            Self::Said(value, said) => (Ok(value), Some(said)),
            Self::Absent(reason) => (Err(reason), None),
        }
    }

    /// The value, or why there is none.
    ///
    /// # Errors
    /// Why there is none.
    pub fn value(self) -> Result<Value, SkipReason> {
        self.parts().0
    }
}

impl Value {
    /// The fields of a picture.
    pub const IMAGE_FIELDS: [&'static str; 5] = ["path", "width", "height", "media_type", "bytes"];

    /// As JSON: a picture is an object of its fields.
    pub fn to_json(&self) -> Json {
        match self {
            Self::Text(text) => Json::String(text.to_string()),
            Self::Json(json) => json.as_ref().clone(),
            Self::Image { path, width, height, media_type, bytes } => serde_json::json!({
                "path": &**path, "width": width, "height": height, "media_type": media_type.mime(), "bytes": bytes,
            }),
        }
    }

    /// The same, of a value that nobody needs any more.
    pub fn into_json(self) -> Json {
        match self {
            Self::Json(json) => Arc::unwrap_or_clone(json),
            other => other.to_json(),
        }
    }
}
