//! The value of an instance, as templates see it, and how an instance ended.

use std::sync::Arc;

use super::{Json, MediaType, SkipReason};

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
    /// Without one.
    Absent(SkipReason),
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
