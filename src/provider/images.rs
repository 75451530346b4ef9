//! Pictures: recognised by their bytes, never by what a header says of them.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use bytes::Bytes;
use url::Url;

use super::errors::{self, Speaker};
use super::formats::{Soundness, recognise, size_of, soundness};
use super::message::HttpHead;
use super::said::{Said, field};
use super::usage;
use crate::model::{Content, Failure, FailureKind, ImageInfo, Json, MediaType, Reply};

/// With padding or without: not every server knows that there is any.
const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);

/// An answer to a request for a picture.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Picture {
    /// It is here.
    Here(Reply),
    /// It lies at an address.
    At(Url, Reply),
}

/// What a reply of success gives: a picture, or JSON with one in it, or an error. Addresses are relative to `base`.
pub(super) fn decode(head: &HttpHead, body: Bytes, base: &Url, speaker: Speaker<'_>) -> Result<Picture, Failure> {
    let mut picture = decoded(head, body, base, speaker);
    if let Err(failure) = &mut picture {
        failure.status = failure.status.or(Some(head.status));
        failure.usage = failure.usage.or_else(|| usage::of_headers(head));
        failure.request_id = failure.request_id.take().or_else(|| head.request_id());
    }
    picture
}

fn decoded(head: &HttpHead, body: Bytes, base: &Url, speaker: Speaker<'_>) -> Result<Picture, Failure> {
    if let Some(media_type) = recognise(&body) {
        return Ok(Picture::Here(Reply {
            content: checked(body, media_type, speaker)?,
            usage: usage::of_headers(head),
            model: head.header("x-model-used").map(str::to_owned),
            finish_reason: None,
            request_id: head.request_id(),
        }));
    }
    let Ok(json) = serde_json::from_slice::<Said<'_>>(&body) else {
        let mut failure = errors::not_json(head, &body, speaker);
        if failure.kind == FailureKind::Garbled {
            failure.message.push_str(", and no picture");
        }
        return Err(failure);
    };
    if errors::is_error(&json) {
        return Err(errors::in_band(head, &Json::from(&json), speaker));
    }
    let counted = field(&json, "usage").and_then(usage::of_json);
    of_json(head, &json, base, speaker).map_err(|failure| Failure { usage: counted, ..failure })
}

fn of_json(head: &HttpHead, json: &Said<'_>, base: &Url, speaker: Speaker<'_>) -> Result<Picture, Failure> {
    let entry = field(json, "data").and_then(|data| data.as_array()?.first());
    let text =
        |name: &str| entry.and_then(|entry| field(entry, name)).and_then(Said::as_str).filter(|text| !text.is_empty());
    let mut reply = Reply {
        content: Content::Text(String::new()),
        usage: field(json, "usage").and_then(usage::of_json).or_else(|| usage::of_headers(head)),
        model: field(json, "model").and_then(Said::as_str).or_else(|| head.header("x-model-used")).map(str::to_owned),
        finish_reason: None,
        request_id: head.request_id(),
    };
    let encoded = text("b64_json").or_else(|| text("url").filter(|url| url.starts_with("data:")));
    if let Some(encoded) = encoded {
        reply.content = of_base64(encoded, speaker)?;
        return Ok(Picture::Here(reply));
    }
    match text("url").and_then(|url| base.join(url).ok()) {
        Some(url) if matches!(url.scheme(), "http" | "https") => Ok(Picture::At(url, reply)),
        _ => Err(Failure::new(FailureKind::Garbled, format!("The answer of `{}` has no picture in it", speaker.name))
            .suggest("check that the model makes pictures")),
    }
}

/// Base64 in either alphabet, also as a `data:` address and with line breaks.
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
    let engine = if compact.contains(['-', '_']) { URL_SAFE } else { STANDARD };
    let bytes = engine.decode(compact).map_err(|_| garbled("is not base64"))?;
    let media_type = recognise(&bytes).ok_or_else(|| garbled("is of no known format"))?;
    checked(bytes.into(), media_type, speaker)
}

/// A picture that is whole, with its size.
pub(super) fn checked(bytes: Bytes, media_type: MediaType, speaker: Speaker<'_>) -> Result<Content, Failure> {
    let kind = media_type.mime();
    let broken = |what: &str| {
        let message = format!("The picture of `{}` is broken: its {kind} {what}", speaker.name);
        Failure::new(FailureKind::Garbled, message).suggest("try again later")
    };
    match soundness(&bytes, media_type) {
        Soundness::Whole => {}
        Soundness::Broken => return Err(broken("does not match its own checksums")),
        Soundness::Cut => {
            let message = format!("The picture of `{}` breaks off: its {kind} has no end", speaker.name);
            return Err(Failure::new(FailureKind::Cut, message).suggest("check the network, and any proxy on the way"));
        }
    }
    let (width, height) = size_of(&bytes, media_type).ok_or_else(|| broken("has no size"))?;
    Ok(Content::Image { bytes, info: ImageInfo { media_type, width, height } })
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use image::ImageFormat;
    use proptest::prelude::*;

    use super::*;

    const SPEAKER: Speaker<'_> = Speaker { name: "p", model: None, secret: None, headers: &[], form: None };

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
        for (tag, width, height) in [
            ("width='70' height=\"50px\" viewBox='0 0 7 5'", 70, 50),
            ("viewBox='0 0 7.4 5'", 7, 5),
            ("stroke-width='9' width='100%' height='50%' viewBox=\"-1, -1, 7, 5\"", 7, 5),
            ("width='2em'", 0, 0),
        ] {
            assert_eq!(info(format!("<svg {tag}></svg>").as_bytes()), sized(MediaType::Svg, width, height), "{tag}");
        }
        assert_eq!(info(&[made(ImageFormat::Png), b"more".to_vec()].concat()), sized(MediaType::Png, 7, 5));
        assert_eq!(info(b"GIF89a\x07\x00\x05\x00\x00\x00\x00;\0\0"), sized(MediaType::Gif, 7, 5));
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
        assert_eq!(info(b"GIF89a\x07\x00\x05\x00\x00\x00\x00;\x01"), Err(FailureKind::Cut), "a semicolon in its data");
    }

    #[test]
    fn a_png_that_has_changed_on_its_way_is_broken() {
        let whole = made(ImageFormat::Png);
        for at in (16..whole.len()).step_by(5) {
            let mut bytes = whole.clone();
            bytes[at] ^= 0x20;
            assert!(info(&bytes).is_err(), "{at}");
        }
        let mut bytes = whole;
        bytes[20] ^= 1;
        assert_eq!(info(&bytes), Err(FailureKind::Garbled), "its width");
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
