//! Formats of pictures: recognised by their first bytes, never by what a header says of them.

use std::io::Cursor;

use image::{ImageFormat, ImageReader};

use crate::model::MediaType;

/// So far from the end of a file is its last mark looked for, in bytes: some writers add a few after it.
const TAIL: usize = 4096;
/// How every PNG begins.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

/// What a file is, by its first bytes.
pub(super) fn recognise(bytes: &[u8]) -> Option<MediaType> {
    let at = |offset: usize, mark: &[u8]| bytes.get(offset..).is_some_and(|rest| rest.starts_with(mark));
    if let Some(still) = MediaType::of_still(bytes) {
        Some(still)
    } else if at(4, b"ftyp") {
        // The same box begins still pictures that no one here can measure.
        let still = [b"avif", b"avis", b"heic", b"heix", b"mif1", b"msf1"].iter().any(|brand| at(8, *brand));
        (!still).then_some(MediaType::Mp4)
    } else {
        is_svg(bytes).then_some(MediaType::Svg)
    }
}

fn is_svg(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_ok_and(|text| root_of_svg(text).is_some())
}

/// What stands in the first tag, and all that follows. Before it there may be a declaration, a document type, comments.
fn root_of_svg(text: &str) -> Option<&str> {
    let mut rest = text.trim_start_matches('\u{feff}').trim_start();
    while let Some(end) = [("<?", "?>"), ("<!--", "-->"), ("<!DOCTYPE svg", ">")]
        .iter()
        .find_map(|(open, close)| rest.starts_with(open).then(|| rest.find(close).map(|at| at + close.len()))?)
    {
        rest = rest[end..].trim_start();
    }
    rest.strip_prefix("<svg").filter(|rest| rest.starts_with(|c: char| c.is_whitespace() || matches!(c, '>' | '/')))
}

/// In pixels, 0 where the format does not say; `None` if it should say and does not.
pub(super) fn size_of(bytes: &[u8], media_type: MediaType) -> Option<(u32, u32)> {
    match media_type {
        MediaType::Png => measured(bytes, ImageFormat::Png),
        MediaType::Jpeg => measured(bytes, ImageFormat::Jpeg),
        MediaType::Webp => measured(bytes, ImageFormat::WebP),
        MediaType::Gif => size_of_gif(bytes),
        MediaType::Svg => Some(std::str::from_utf8(bytes).ok().and_then(size_of_svg).unwrap_or_default()),
        MediaType::Mp4 => Some((0, 0)),
    }
}

/// By `width` and `height`, else by the size of the `viewBox`.
fn size_of_svg(text: &str) -> Option<(u32, u32)> {
    let tag = root_of_svg(text)?.split('>').next()?;
    let pixels = |name: &str| {
        let value = attribute(tag, name)?.trim();
        side(value.strip_suffix("px").unwrap_or(value))
    };
    if let (Some(width), Some(height)) = (pixels("width"), pixels("height")) {
        return Some((width, height));
    }
    let sides = attribute(tag, "viewBox")?.split([' ', ',', '\t', '\n']).filter(|part| !part.is_empty()).map(side);
    match sides.skip(2).collect::<Vec<_>>().as_slice() {
        [Some(width), Some(height)] => Some((*width, *height)),
        _ => None,
    }
}

fn side(text: &str) -> Option<u32> {
    let pixels: f64 = text.parse().ok()?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked")]
    (1.0..1e9).contains(&pixels).then_some(pixels.round() as u32)
}

fn attribute<'t>(tag: &'t str, name: &str) -> Option<&'t str> {
    tag.match_indices(name).find_map(|(at, _)| {
        tag[..at].ends_with(char::is_whitespace).then_some(())?;
        let value = tag[at + name.len()..].trim_start().strip_prefix('=')?.trim_start();
        let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        value[1..].split(quote).next()
    })
}

fn measured(bytes: &[u8], format: ImageFormat) -> Option<(u32, u32)> {
    ImageReader::with_format(Cursor::new(bytes), format).into_dimensions().ok()
}

fn size_of_gif(bytes: &[u8]) -> Option<(u32, u32)> {
    let side = |at: usize| Some(u32::from(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?)));
    Some((side(6)?, side(8)?))
}

/// Whether a picture is all there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Soundness {
    Whole,
    /// Its end is missing: a broken connection is not always told as one.
    Cut,
    /// Something within it has changed.
    Broken,
}

/// By the last mark of the format, and by checksums where it has them.
pub(super) fn soundness(bytes: &[u8], media_type: MediaType) -> Soundness {
    let tail = &bytes[bytes.len().saturating_sub(TAIL)..];
    let ends = |mark: &[u8]| tail.windows(mark.len()).any(|window| window == mark);
    let is_whole = match media_type {
        MediaType::Png => return soundness_of_png(bytes),
        // Within the data of a JPEG, 0xFF is never followed by this byte.
        MediaType::Jpeg => ends(b"\xff\xd9"),
        MediaType::Webp => {
            let size = bytes.get(4..8).and_then(|size| size.try_into().ok()).map(u32::from_le_bytes);
            size.and_then(|size| usize::try_from(size).ok()).is_some_and(|size| bytes.len() >= size.saturating_add(8))
        }
        // The mark is a semicolon, which data may have anywhere; after it there are zeros at most.
        MediaType::Gif => bytes.iter().rev().find(|byte| **byte != 0) == Some(&b';'),
        MediaType::Svg => ends(b"</svg") || tail.trim_ascii_end().ends_with(b"/>"),
        MediaType::Mp4 => true,
    };
    if is_whole { Soundness::Whole } else { Soundness::Cut }
}

/// Chunk by chunk: length, name, data, checksum of name and data.
fn soundness_of_png(bytes: &[u8]) -> Soundness {
    let number = |bytes: &[u8]| bytes.try_into().map(u32::from_be_bytes).ok();
    let mut rest = &bytes[PNG.len()..];
    loop {
        let length = rest.get(..4).and_then(number).and_then(|length| usize::try_from(length).ok());
        let Some(end) = length.and_then(|length| length.checked_add(8)) else { return Soundness::Cut };
        let (Some(chunk), Some(sum)) = (rest.get(4..end), rest.get(end..).and_then(|rest| rest.get(..4))) else {
            return Soundness::Cut;
        };
        if number(sum) != Some(crc32fast::hash(chunk)) {
            return Soundness::Broken;
        }
        if chunk.starts_with(b"IEND") {
            return Soundness::Whole;
        }
        rest = &rest[end + 4..];
    }
}
