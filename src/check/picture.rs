//! What can be said of a picture by decoding it: whether it is one, and whether there is anything on it.
//!
//! Decoding takes long: call these on a blocking thread. PNG, JPEG and WebP are decoded; of anything else nothing is said.

use std::io::Cursor;

use image::error::LimitErrorKind;
use image::{DynamicImage, ImageError, ImageFormat, ImageReader, Limits};

use crate::model::MediaType;

/// In pixels, a side. Larger pictures are not looked at.
const LONGEST_SIDE: u32 = 16_384;
/// What decoding may take, in bytes.
const MOST_MEMORY: u64 = 512 << 20;
/// So far may a part of a colour lie from the middle one, of 255, for both to be the same to people: compressing a plain
/// picture leaves no larger traces.
const SAME: u8 = 8;
/// Of so many pixels one may be of another colour, and the picture is blank all the same.
const STRAYS: usize = 2_000;

/// What came of decoding a picture.
enum Decoded {
    Pixels(DynamicImage),
    /// It can't be decoded, as the decoder says.
    Broken(String),
    /// It is not looked at: of another format, or too large.
    Unseen,
}

/// What a picture comes to when it is decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sight {
    /// Something is on it.
    Scene,
    /// It shows nothing: it is of one colour, or nearly, or transparent all over.
    Blank,
    /// It can't be decoded, as the decoder says.
    Broken(String),
    /// It is not looked at: of another format, or too large.
    Unseen,
}

/// Decodes a picture and looks at it.
pub fn look(bytes: &[u8], media_type: MediaType) -> Sight {
    match decode(bytes, media_type) {
        Decoded::Pixels(pixels) if is_plain(&pixels) => Sight::Blank,
        Decoded::Pixels(_) => Sight::Scene,
        Decoded::Broken(reason) => Sight::Broken(reason),
        Decoded::Unseen => Sight::Unseen,
    }
}

/// Why a picture can't be decoded; nothing if it can, or if it is of a format or a size that is not looked at.
pub fn why_undecodable(bytes: &[u8], media_type: MediaType) -> Option<String> {
    match decode(bytes, media_type) {
        Decoded::Broken(reason) => Some(reason),
        Decoded::Pixels(_) | Decoded::Unseen => None,
    }
}

fn decode(bytes: &[u8], media_type: MediaType) -> Decoded {
    let format = match media_type {
        MediaType::Png => ImageFormat::Png,
        MediaType::Jpeg => ImageFormat::Jpeg,
        MediaType::Webp => ImageFormat::WebP,
        MediaType::Gif | MediaType::Svg | MediaType::Mp4 => return Decoded::Unseen,
    };
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut limits = Limits::default();
    limits.max_image_width = Some(LONGEST_SIDE);
    limits.max_image_height = Some(LONGEST_SIDE);
    limits.max_alloc = Some(MOST_MEMORY);
    reader.limits(limits);
    match reader.decode() {
        Ok(pixels) => Decoded::Pixels(pixels),
        Err(ImageError::Limits(limit))
            if matches!(limit.kind(), LimitErrorKind::DimensionError | LimitErrorKind::InsufficientMemory) =>
        {
            Decoded::Unseen
        }
        // What this program can't read may be a picture for others.
        Err(ImageError::Unsupported(_)) => Decoded::Unseen,
        Err(error) => Decoded::Broken(error.to_string()),
    }
}

/// Whether all pixels, but for a few strays, are of one colour to people. What is transparent has no colour.
fn is_plain(pixels: &DynamicImage) -> bool {
    let pixels = pixels.to_rgba8();
    let seen = || {
        pixels.pixels().map(|pixel| {
            let [red, green, blue, alpha] = pixel.0;
            let shown = |part: u8| u8::try_from(u16::from(part) * u16::from(alpha) / 255).unwrap_or(u8::MAX);
            [shown(red), shown(green), shown(blue), alpha]
        })
    };
    let count = seen().len();
    let mut counts = [[0_usize; 256]; 4];
    for pixel in seen() {
        for (counts, part) in counts.iter_mut().zip(pixel) {
            counts[usize::from(part)] += 1;
        }
    }
    let middle = counts.map(|counts| middle_of(&counts, count));
    let strays = seen().filter(|pixel| pixel.iter().zip(middle).any(|(part, middle)| part.abs_diff(middle) > SAME));
    strays.count() <= count / STRAYS
}

/// The value that half of all lie below.
fn middle_of(counts: &[usize; 256], count: usize) -> u8 {
    let mut passed = 0;
    let middle = (0..=u8::MAX).find(|value| {
        passed += counts[usize::from(*value)];
        passed * 2 >= count
    });
    middle.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use image::{Rgb, RgbImage, Rgba, RgbaImage};

    use super::*;

    fn made(pixels: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
        let mut bytes = Cursor::new(vec![]);
        pixels.into().write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    }

    fn is_blank(bytes: &[u8], media_type: MediaType) -> bool {
        look(bytes, media_type) == Sight::Blank
    }

    fn scene() -> RgbImage {
        RgbImage::from_fn(64, 48, |x, y| Rgb([u8::try_from(x * 4).unwrap(), u8::try_from(y * 5).unwrap(), 90]))
    }

    const FORMATS: [(ImageFormat, MediaType); 3] = [
        (ImageFormat::Png, MediaType::Png),
        (ImageFormat::Jpeg, MediaType::Jpeg),
        (ImageFormat::WebP, MediaType::Webp),
    ];

    #[test]
    fn a_picture_is_told_from_what_only_begins_like_one() {
        for (format, media_type) in FORMATS {
            let whole = made(scene(), format);
            assert_eq!(why_undecodable(&whole, media_type), None, "{format:?}");
            let half = &whole[..whole.len() / 4];
            assert!(why_undecodable(half, media_type).is_some(), "{format:?} cut");
            let mut mixed = whole.clone();
            let at = mixed.len() / 8;
            mixed[at..].fill(0);
            assert!(why_undecodable(&mixed, media_type).is_some(), "{format:?} overwritten");
        }
        assert_eq!(why_undecodable(b"<svg></svg>", MediaType::Svg), None, "nothing is said of what is not decoded");
    }

    #[test]
    fn one_colour_is_blank_and_a_faint_scene_is_not() {
        for (format, media_type) in FORMATS {
            for colour in [[0, 0, 0], [255, 255, 255], [200, 30, 90]] {
                let mut plain = RgbImage::from_pixel(100, 80, Rgb(colour));
                plain.put_pixel(50, 40, Rgb([128, 128, 128]));
                let plain =
                    if format == ImageFormat::Jpeg { RgbImage::from_pixel(100, 80, Rgb(colour)) } else { plain };
                assert!(is_blank(&made(plain, format), media_type), "{format:?} {colour:?}");
            }
            assert!(!is_blank(&made(scene(), format), media_type), "{format:?}");
        }
        let faint = RgbImage::from_fn(100, 80, |x, _| if x < 3 { Rgb([40, 40, 40]) } else { Rgb([0, 0, 0]) });
        assert!(!is_blank(&made(faint, ImageFormat::Png), MediaType::Png), "a star in the night");
        assert!(!is_blank(b"\x89PNG", MediaType::Png), "what can't be decoded");
    }

    #[test]
    fn what_is_transparent_has_no_colour() {
        let noise = |alpha: u8| {
            RgbaImage::from_fn(40, 40, move |x, y| {
                Rgba([u8::try_from((x * 37 + y * 11) % 256).unwrap(), 9, 200, alpha])
            })
        };
        assert!(is_blank(&made(noise(0), ImageFormat::Png), MediaType::Png));
        assert!(!is_blank(&made(noise(255), ImageFormat::Png), MediaType::Png));
        let mark = RgbaImage::from_fn(40, 40, |x, _| Rgba([0, 0, 0, if x < 20 { 255 } else { 0 }]));
        assert!(!is_blank(&made(mark, ImageFormat::Png), MediaType::Png), "a black mark on nothing");
    }
}
