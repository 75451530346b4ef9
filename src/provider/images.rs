//! Pictures: recognised by their bytes, never by what a header says of them.

use std::io::Cursor;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use image::{ImageFormat, ImageReader};

use super::errors::{self, Speaker};
use super::message::HttpHead;
use super::usage;
use crate::model::{Content, Failure, FailureKind, ImageInfo, Json, MediaType, Reply};

/// So far from the end of a file is its last mark looked for, in bytes: some writers add a few after it.
const TAIL: usize = 4096;

/// An answer to a request for a picture.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Picture {
    /// It is here.
    Here(Reply),
    /// It lies at an address.
    At(String, Reply),
}

/// What a reply of success gives: a picture, or JSON with one in it, or an error.
pub(super) fn decode(head: &HttpHead, body: Bytes, speaker: Speaker<'_>) -> Result<Picture, Failure> {
    let mut picture = decoded(head, body, speaker);
    if let Err(failure) = &mut picture {
        failure.status = failure.status.or(Some(head.status));
        failure.usage = failure.usage.or_else(|| usage::of_headers(head));
        failure.request_id = failure.request_id.take().or_else(|| head.request_id());
    }
    picture
}

fn decoded(head: &HttpHead, body: Bytes, speaker: Speaker<'_>) -> Result<Picture, Failure> {
    if let Some(media_type) = recognise(&body) {
        return Ok(Picture::Here(Reply {
            content: checked(body, media_type, speaker)?,
            usage: usage::of_headers(head),
            model: head.header("x-model-used").map(str::to_owned),
            finish_reason: None,
            request_id: head.request_id(),
        }));
    }
    let Ok(json) = serde_json::from_slice::<Json>(&body) else {
        let mut failure = errors::not_json(head, &body, speaker);
        if failure.kind == FailureKind::Garbled {
            failure.message.push_str(", and no picture");
        }
        return Err(failure);
    };
    if errors::is_error(&json) {
        return Err(errors::in_band(head, &json, speaker));
    }
    let counted = json.get("usage").and_then(usage::of_json);
    of_json(head, &json, speaker).map_err(|failure| Failure { usage: counted, ..failure })
}

fn of_json(head: &HttpHead, json: &Json, speaker: Speaker<'_>) -> Result<Picture, Failure> {
    let entry = json.get("data").and_then(|data| data.get(0));
    let field =
        |name: &str| entry.and_then(|entry| entry.get(name)).and_then(Json::as_str).filter(|text| !text.is_empty());
    let mut reply = Reply {
        content: Content::Text(String::new()),
        usage: json.get("usage").and_then(usage::of_json).or_else(|| usage::of_headers(head)),
        model: json.get("model").and_then(Json::as_str).or_else(|| head.header("x-model-used")).map(str::to_owned),
        finish_reason: None,
        request_id: head.request_id(),
    };
    let encoded = field("b64_json").or_else(|| field("url").filter(|url| url.starts_with("data:")));
    if let Some(encoded) = encoded {
        reply.content = of_base64(encoded, speaker)?;
        return Ok(Picture::Here(reply));
    }
    match field("url") {
        Some(url) if url.starts_with("https://") || url.starts_with("http://") => {
            Ok(Picture::At(url.to_owned(), reply))
        }
        _ => Err(Failure::new(FailureKind::Garbled, format!("The answer of `{}` has no picture in it", speaker.name))
            .suggest("check that the model makes pictures")),
    }
}

/// Base64, also as a `data:` address and with line breaks.
fn of_base64(encoded: &str, speaker: Speaker<'_>) -> Result<Content, Failure> {
    let garbled = |what: &str| {
        Failure::new(FailureKind::Garbled, format!("The picture of `{}` {what}", speaker.name))
            .suggest("try again later")
    };
    let encoded = match encoded.strip_prefix("data:") {
        Some(rest) => rest.split_once(";base64,").ok_or_else(|| garbled("is not base64"))?.1,
        None => encoded,
    };
    let compact: String = encoded.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    let bytes = STANDARD.decode(compact).map_err(|_| garbled("is not base64"))?;
    let media_type = recognise(&bytes).ok_or_else(|| garbled("is of no known format"))?;
    checked(bytes.into(), media_type, speaker)
}

/// What a file is, by its first bytes.
pub(super) fn recognise(bytes: &[u8]) -> Option<MediaType> {
    let at = |offset: usize, mark: &[u8]| bytes.get(offset..).is_some_and(|rest| rest.starts_with(mark));
    if at(0, b"\x89PNG\r\n\x1a\n") {
        Some(MediaType::Png)
    } else if at(0, b"\xff\xd8\xff") {
        Some(MediaType::Jpeg)
    } else if at(0, b"RIFF") && at(8, b"WEBP") {
        Some(MediaType::Webp)
    } else if at(0, b"GIF87a") || at(0, b"GIF89a") {
        Some(MediaType::Gif)
    } else if at(4, b"ftyp") {
        // The same box begins still pictures that no one here can measure.
        let still = [b"avif", b"avis", b"heic", b"heix", b"mif1", b"msf1"].iter().any(|brand| at(8, *brand));
        (!still).then_some(MediaType::Mp4)
    } else {
        is_svg(bytes).then_some(MediaType::Svg)
    }
}

fn is_svg(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let mut rest = text.trim_start_matches('\u{feff}').trim_start();
    // Before the root there may be a declaration, a document type, comments.
    while let Some(end) = [("<?", "?>"), ("<!--", "-->"), ("<!DOCTYPE svg", ">")]
        .iter()
        .find_map(|(open, close)| rest.starts_with(open).then(|| rest.find(close).map(|at| at + close.len()))?)
    {
        rest = rest[end..].trim_start();
    }
    rest.strip_prefix("<svg")
        .is_some_and(|rest| rest.starts_with(|c: char| c.is_whitespace() || matches!(c, '>' | '/')))
}

fn checked(bytes: Bytes, media_type: MediaType, speaker: Speaker<'_>) -> Result<Content, Failure> {
    let kind = media_type.mime();
    if !is_complete(&bytes, media_type) {
        let message = format!("The picture of `{}` breaks off: its {kind} has no end", speaker.name);
        return Err(Failure::new(FailureKind::Cut, message).suggest("check the network, and any proxy on the way"));
    }
    let size = match media_type {
        MediaType::Png => measured(&bytes, ImageFormat::Png),
        MediaType::Jpeg => measured(&bytes, ImageFormat::Jpeg),
        MediaType::Webp => measured(&bytes, ImageFormat::WebP),
        MediaType::Gif => size_of_gif(&bytes),
        MediaType::Svg | MediaType::Mp4 => Some((0, 0)),
    };
    let (width, height) = size.ok_or_else(|| {
        Failure::new(
            FailureKind::Garbled,
            format!("The picture of `{}` is broken: its {kind} has no size", speaker.name),
        )
        .suggest("try again later")
    })?;
    Ok(Content::Image { bytes, info: ImageInfo { media_type, width, height } })
}

fn measured(bytes: &[u8], format: ImageFormat) -> Option<(u32, u32)> {
    ImageReader::with_format(Cursor::new(bytes), format).into_dimensions().ok()
}

fn size_of_gif(bytes: &[u8]) -> Option<(u32, u32)> {
    let side = |at: usize| Some(u32::from(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?)));
    Some((side(6)?, side(8)?))
}

/// Whether the last mark of the format is there: a broken connection is not always told as one.
fn is_complete(bytes: &[u8], media_type: MediaType) -> bool {
    let tail = &bytes[bytes.len().saturating_sub(TAIL)..];
    let ends = |mark: &[u8]| tail.windows(mark.len()).any(|window| window == mark);
    match media_type {
        MediaType::Png => ends(b"IEND\xae\x42\x60\x82"),
        // Within the data of a JPEG, 0xFF is never followed by this byte.
        MediaType::Jpeg => ends(b"\xff\xd9"),
        MediaType::Webp => {
            let size = bytes.get(4..8).and_then(|size| size.try_into().ok()).map(u32::from_le_bytes);
            size.and_then(|size| usize::try_from(size).ok()).is_some_and(|size| bytes.len() >= size.saturating_add(8))
        }
        MediaType::Gif => ends(b"\x3b"),
        MediaType::Svg => ends(b"</svg") || tail.trim_ascii_end().ends_with(b"/>"),
        MediaType::Mp4 => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SPEAKER: Speaker<'_> = Speaker { name: "p", model: None, secret: None, headers: &[] };

    fn made(format: ImageFormat) -> Vec<u8> {
        let mut bytes = Cursor::new(vec![]);
        image::RgbImage::new(7, 5).write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    }

    fn info(bytes: &[u8]) -> Result<ImageInfo, FailureKind> {
        let media_type = recognise(bytes).ok_or(FailureKind::Garbled)?;
        match checked(bytes.to_vec().into(), media_type, SPEAKER) {
            Ok(Content::Image { info, .. }) => Ok(info),
            Ok(Content::Text(_)) => unreachable!("a picture is no text"),
            Err(failure) => Err(failure.kind),
        }
    }

    #[test]
    fn every_format_is_recognised_and_measured() {
        let sized = |media_type, width, height| Ok(ImageInfo { media_type, width, height });
        assert_eq!(info(&made(ImageFormat::Png)), sized(MediaType::Png, 7, 5));
        assert_eq!(info(&made(ImageFormat::Jpeg)), sized(MediaType::Jpeg, 7, 5));
        assert_eq!(info(&made(ImageFormat::WebP)), sized(MediaType::Webp, 7, 5));
        assert_eq!(info(b"GIF89a\x07\x00\x05\x00\x00\x00\x00;"), sized(MediaType::Gif, 7, 5));
        assert_eq!(info(b"\x00\x00\x00\x18ftypisom"), sized(MediaType::Mp4, 0, 0));
        let svg = "\u{feff}<?xml version='1.0'?>\n<!-- made -->\n<!DOCTYPE svg PUBLIC ''>\n<svg\nwidth='1'></svg>\n";
        assert_eq!(info(svg.as_bytes()), sized(MediaType::Svg, 0, 0));
    }

    #[test]
    fn what_is_no_picture_is_not_taken_for_one() {
        for bytes in
            [b"".as_slice(), b"<html><svg></svg>", b"<svgx></svgx>", b"\x00\x00\x00\x18ftypavif", b"RIFF", b"{}"]
        {
            assert_eq!(recognise(bytes), None);
        }
    }

    #[test]
    fn a_picture_without_its_end_is_cut() {
        for format in [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::WebP] {
            let bytes = made(format);
            assert_eq!(info(&bytes[..bytes.len() - 3]), Err(FailureKind::Cut), "{format:?}");
        }
        assert_eq!(info(b"<svg><path"), Err(FailureKind::Cut));
        assert_eq!(info(b"GIF89a\x07\x00\x05\x00\x00\x00\x00"), Err(FailureKind::Cut));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(
            mark in prop::sample::select(vec![&b"\x89PNG\r\n\x1a\n"[..], b"\xff\xd8\xff", b"RIFF", b"GIF89a", b"<svg ", b"<!--", b""]),
            bytes in prop::collection::vec(any::<u8>(), 0..64),
        ) {
            let _seen = info(&[mark, &bytes].concat());
            let _ended = info(&[mark, &bytes, b"IEND\xae\x42\x60\x82\xff\xd9;</svg"].concat());
        }
    }
}
