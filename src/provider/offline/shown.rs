//! What a call shows: of each picture what it is and how large, which is all that can be said without a model.
//!
//! It comes from the bytes alone, since a kept answer stays good when a file gets another name.

use crate::model::{Call, Picture, PictureFile, Request, Role};
use crate::provider::formats;

/// Digits of a digest that tell pictures apart.
const DIGITS: usize = 8;

/// The pictures of a call, each in a few words; empty if there are none. Of a conversation those of the last turn that
/// shows any.
pub(super) fn described(call: &Call) -> Vec<String> {
    let last = match &call.request {
        Request::Text { messages, .. } => {
            let shows = messages.iter().rfind(|turn| turn.role == Role::User && !turn.images.is_empty());
            shows.map(|turn| &turn.images)
        }
        Request::Image { params, .. } => Some(&params.images),
    };
    last.map_or_else(Vec::new, |pictures| pictures.iter().map(in_words).collect())
}

/// All of them in one sentence: `Shown a PNG of 640 x 360 pixels (12345 bytes, 1f3a5c7e).`
pub(super) fn sentence(call: &Call) -> String {
    let pictures = described(call);
    match pictures.as_slice() {
        [] => String::new(),
        [one] => format!("Shown {one}."),
        many => format!("Shown {} pictures: {}.", many.len(), many.join(", ")),
    }
}

/// The lines of a card about the first of a picture's references.
pub(super) fn card(picture: &Picture) -> Vec<String> {
    match picture {
        Picture::Url(_) => vec!["after a link".to_owned()],
        Picture::File(file) => {
            let size = size(file).map(|(width, height)| format!("{width} x {height}"));
            std::iter::once(format!("after {}", name(file))).chain(size).collect()
        }
    }
}

fn in_words(picture: &Picture) -> String {
    match picture {
        Picture::Url(url) => format!("the picture at {url}"),
        Picture::File(file) => {
            let size = size(file).map(|(width, height)| format!(" of {width} x {height} pixels"));
            let digits = &file.hex()[..DIGITS];
            format!("a {}{} ({} bytes, {digits})", name(file), size.unwrap_or_default(), file.bytes)
        }
    }
}

fn name(file: &PictureFile) -> String {
    file.media_type.extension().replace("jpg", "jpeg").to_uppercase()
}

fn size(file: &PictureFile) -> Option<(u32, u32)> {
    formats::size_of(file.content.as_ref()?, file.media_type).filter(|(width, height)| *width > 0 && *height > 0)
}
