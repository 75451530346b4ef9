//! What goes along with a question: pictures, and the schema of its answer.

use std::sync::Arc;

use bytes::Bytes;

use crate::check::{self, SchemaFaultKind};
use crate::model::{AnswerSchema, Choice, Json, LARGEST_PICTURE, LARGEST_PICTURES, MediaType, Picture, PictureFile};

use super::Error;

/// A picture in memory.
pub(super) fn picture(bytes: Bytes) -> Result<Picture, Error> {
    let size = bytes.len() as u64;
    if size > LARGEST_PICTURE {
        let message = format!("A picture of {size} bytes is too large, and {LARGEST_PICTURE} go along with a question");
        return Err(Error::wrong(message, "scale it down"));
    }
    let Some(media_type) = MediaType::of_still(&bytes) else {
        let message = "What is to be shown is no picture by its bytes";
        return Err(Error::wrong(message, "show a PNG, JPEG, WebP or GIF"));
    };
    let digest = *blake3::hash(&bytes).as_bytes();
    let (name, place) = ("a picture".into(), std::path::Path::new("").into());
    Ok(Picture::File(PictureFile { digest, media_type, bytes: size, name, place, content: Some(bytes) }))
}

/// A picture at an address.
pub(super) fn picture_at(url: &str) -> Result<Picture, Error> {
    if url.starts_with("https://") || url.starts_with("http://") {
        return Ok(Picture::Url(url.into()));
    }
    let message = format!("`{url}` is no address of a picture");
    Err(Error::wrong(message, "an address begins with `https://`; the bytes of a file are shown with `.picture(..)`"))
}

/// All of them, if they may go together.
pub(super) fn together(pictures: &[Result<Picture, Error>]) -> Result<Vec<Picture>, Error> {
    let pictures: Vec<Picture> = pictures.iter().cloned().collect::<Result<_, _>>()?;
    let size: u64 = pictures.iter().filter_map(Picture::file).map(|file| file.bytes).sum();
    if size > LARGEST_PICTURES {
        let message = format!("Pictures of {size} bytes together are too large, and {LARGEST_PICTURES} go along");
        return Err(Error::wrong(message, "show fewer, or scale them down"));
    }
    Ok(pictures)
}

/// What an answer by a schema must be.
pub(super) fn by_schema(schema: &Json) -> Result<Choice, Error> {
    let is_mapping = schema.get("type").and_then(Json::as_str) == Some("object");
    if !is_mapping {
        let help = r#"put it into one: `{"type": "object", "properties": {"items": ..}, "required": ["items"]}`"#;
        return Err(Error::wrong("A schema that is no mapping at its top is refused by services", help));
    }
    let rules = check::rules(schema).map_err(|faults| {
        let fault = faults.first().map(|fault| match &fault.what {
            SchemaFaultKind::Other(words) => format!("{words} (at `{}`)", fault.pointer),
            other => format!("{other:?} at `{}`", fault.pointer),
        });
        let message = format!("The schema can't be used: {}", fault.unwrap_or_default());
        Error::wrong(message, "see json-schema.org; nothing outside of the schema is fetched")
    })?;
    Ok(Choice::Schema(Arc::new(AnswerSchema::new(schema.clone(), schema.clone(), false, rules))))
}
