//! Pictures that go along with a request, as they are written into it.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;

use super::message::{HttpRequest, Part};
use crate::model::{
    Call, Failure, FailureKind, ImageParams, Json, Message, Picture, PictureFile, ProviderKind, Request, plain_text,
};

/// A picture as an address: its own, or a `data:` address with its bytes. Where these are not read it stands for itself as
/// people are shown it: `<photos/hero.png: image/png, 12345 bytes>`.
pub(super) fn address(picture: &Picture) -> Cow<'_, str> {
    match picture {
        Picture::Url(url) => Cow::Borrowed(url),
        Picture::File(PictureFile { media_type, content: Some(bytes), .. }) => {
            Cow::Owned(format!("data:{};base64,{}", media_type.mime(), STANDARD.encode(bytes)))
        }
        Picture::File(file) => Cow::Owned(format!("<{file}>")),
    }
}

/// What a message says: its text, or a list of parts where pictures are shown with it.
pub(super) fn content(message: &Message, text: &str) -> Json {
    if message.images.is_empty() {
        return text.into();
    }
    let said = serde_json::json!({"type": "text", "text": text});
    let shown =
        message.images.iter().map(|one| serde_json::json!({"type": "image_url", "image_url": {"url": address(one)}}));
    std::iter::once(said).chain(shown).collect()
}

/// Whether a service takes the references of a picture, and whether all of them are read.
///
/// # Errors
/// A [`Failure`] that says what it does not take, and what to do.
pub(super) fn check_references(name: &str, kind: ProviderKind, params: &ImageParams) -> Result<(), Failure> {
    if !params.images.is_empty() && params.extra.contains_key("image") {
        return Err(Failure::new(FailureKind::BadRequest, "`images` and `extra.image` both name references")
            .suggest("name all of them in `images`"));
    }
    for picture in params.images.iter() {
        if let Some((what, help)) = kind.refuses_reference(picture.file().is_none()) {
            return Err(Failure::new(FailureKind::BadRequest, format!("`{name}` {what}")).suggest(help));
        }
    }
    Ok(())
}

/// Whether the bytes of all pictures are here: without them no request goes out.
///
/// # Errors
/// Whoever sends has not read them.
pub(super) fn check_read(call: &Call) -> Result<(), Failure> {
    let is_read = |picture: &Picture| picture.file().is_none_or(|file| file.content.is_some());
    if call.request.pictures().all(is_read) {
        return Ok(());
    }
    Err(Failure::new(FailureKind::Internal, "a picture was to be sent without its bytes").suggest("please report it"))
}

/// What tells a request for a picture from others: its prompt, and its references.
pub(super) fn subject(request: &Request) -> Vec<u8> {
    let mut subject = request.prompt().as_bytes().to_vec();
    for picture in request.pictures() {
        match picture {
            Picture::Url(url) => subject.extend(url.as_bytes()),
            Picture::File(file) => subject.extend(file.digest),
        }
    }
    subject
}

/// A form with a picture's references as files, and everything else of its body as texts.
pub(super) fn form(url: String, body: &crate::model::JsonMap, references: &[Picture]) -> HttpRequest {
    let mut parts: Vec<Part> = body
        .iter()
        .map(|(name, value)| Part { name: name.clone(), file: None, content: plain_text(value).into() })
        .collect();
    // The service itself takes a list; many others know one picture alone.
    let name = if references.len() > 1 { "image[]" } else { "image" };
    for (number, picture) in (1..).zip(references) {
        let (file, content) = match picture {
            Picture::File(file) => {
                let read = file.content.clone().unwrap_or_else(|| Bytes::from(format!("<{file}>")));
                // What it is called here is nobody's business there.
                (Some((format!("image-{number}.{}", file.media_type.extension()), file.media_type.mime())), read)
            }
            Picture::Url(url) => (None, Bytes::copy_from_slice(url.as_bytes())),
        };
        parts.push(Part { name: name.to_owned(), file, content });
    }
    HttpRequest::form(url, &parts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{MediaType, Role};

    fn file(content: Option<&'static [u8]>) -> Picture {
        Picture::File(PictureFile {
            digest: *blake3::hash(b"png").as_bytes(),
            media_type: MediaType::Png,
            bytes: 3,
            name: "photos/hero.png".into(),
            place: std::path::Path::new("photos/hero.png").into(),
            content: content.map(Bytes::from_static),
        })
    }

    #[test]
    fn a_file_is_sent_with_its_bytes_and_shown_with_its_name() {
        assert_eq!(address(&file(Some(b"png"))), "data:image/png;base64,cG5n");
        assert_eq!(address(&file(None)), "<photos/hero.png: image/png, 3 bytes>");
        assert_eq!(address(&Picture::Url("https://a.example/b.png".into())), "https://a.example/b.png");
    }

    #[test]
    fn a_message_with_pictures_is_a_list_of_parts() {
        let mut message = Message::new(Role::User, "What is it?");
        assert_eq!(content(&message, "What is it?"), "What is it?");
        message.images = [file(Some(b"png")), Picture::Url("https://a.example/b.png".into())].into();
        assert_eq!(
            content(&message, "What is it?").to_string(),
            r#"[{"type":"text","text":"What is it?"},{"type":"image_url","image_url":{"url":"data:image/png;base64,cG5n"}},{"type":"image_url","image_url":{"url":"https://a.example/b.png"}}]"#
        );
    }

    #[test]
    fn a_form_has_fields_and_files() {
        let mut body = crate::model::JsonMap::new();
        body.insert("prompt".into(), "a cat".into());
        body.insert("n".into(), 1.into());
        let form = form("http://h/images/edits".into(), &body, &[file(Some(b"png"))]);
        let text = String::from_utf8(form.body.unwrap().to_vec()).unwrap();
        let boundary = form.content_type.strip_prefix("multipart/form-data; boundary=").unwrap();
        let parts: Vec<&str> = text.split(&format!("--{boundary}")).collect();
        assert_eq!(
            parts,
            [
                "",
                "\r\nContent-Disposition: form-data; name=\"prompt\"\r\n\r\na cat\r\n",
                "\r\nContent-Disposition: form-data; name=\"n\"\r\n\r\n1\r\n",
                "\r\nContent-Disposition: form-data; name=\"image\"; filename=\"image-1.png\"\r\nContent-Type: image/png\r\n\r\npng\r\n",
                "--\r\n",
            ]
        );
    }
}
