//! Whether there is anything to be seen in a picture.

use std::io::Cursor;

use image::{ImageFormat, ImageReader, Limits};

use crate::model::MediaType;

/// By so much at most (of 255) a colour varies in a picture that shows nothing: what compression leaves of one colour.
const NOISE: u8 = 6;
/// In pixels, a side.
const LONGEST_SIDE: u32 = 16_384;
/// What decoding may take, in bytes.
const MOST_MEMORY: u64 = 512 << 20;

/// That a picture shows something: more than one colour.
///
/// # Errors
/// Why not, as the rest of a sentence about the picture.
pub(super) fn seen(bytes: &[u8], media_type: MediaType) -> Result<(), String> {
    let format = match media_type {
        MediaType::Png => ImageFormat::Png,
        MediaType::Jpeg => ImageFormat::Jpeg,
        MediaType::Webp => ImageFormat::WebP,
        MediaType::Gif | MediaType::Svg | MediaType::Mp4 => {
            return Err(format!("comes as {}, of which nobody here can say whether it is blank", media_type.mime()));
        }
    };
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut limits = Limits::default();
    limits.max_image_width = Some(LONGEST_SIDE);
    limits.max_image_height = Some(LONGEST_SIDE);
    limits.max_alloc = Some(MOST_MEMORY);
    reader.limits(limits);
    let pixels = reader.decode().map_err(|error| format!("can't be decoded: {error}"))?.into_rgba8();
    let (mut low, mut high) = ([u8::MAX; 4], [0; 4]);
    for pixel in pixels.pixels() {
        // What is wholly transparent has no colour, whatever is written there.
        let [red, green, blue, opacity] = pixel.0;
        let shown = if opacity == 0 { [0; 4] } else { [red, green, blue, opacity] };
        for (channel, value) in shown.into_iter().enumerate() {
            low[channel] = low[channel].min(value);
            high[channel] = high[channel].max(value);
        }
    }
    let varies = low.iter().zip(&high).any(|(low, high)| high.saturating_sub(*low) > NOISE);
    if varies { Ok(()) } else { Err("is blank: it has one colour alone".to_owned()) }
}

#[cfg(test)]
mod tests {
    use image::{Rgba, RgbaImage};

    use super::*;

    fn png(colour: impl Fn(u32) -> [u8; 4]) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        let made = RgbaImage::from_fn(8, 8, |x, _| Rgba(colour(x)));
        made.write_to(&mut bytes, ImageFormat::Png).unwrap();
        bytes.into_inner()
    }

    #[test]
    fn one_colour_shows_nothing_and_two_show_something() {
        let blank = Err("is blank: it has one colour alone".to_owned());
        assert_eq!(seen(&png(|_| [9, 9, 9, 255]), MediaType::Png), blank);
        assert_eq!(seen(&png(|x| [9 + u8::try_from(x % 4).unwrap(), 9, 9, 255]), MediaType::Png), blank);
        assert_eq!(seen(&png(|x| [u8::try_from(x * 30).unwrap(), 0, 0, 0]), MediaType::Png), blank);
        assert_eq!(seen(&png(|x| [if x == 3 { 200 } else { 9 }, 9, 9, 255]), MediaType::Png), Ok(()));
    }

    #[test]
    fn what_cant_be_looked_into_is_told() {
        assert!(seen(b"nothing", MediaType::Png).unwrap_err().starts_with("can't be decoded: "));
        assert!(seen(b"<svg/>", MediaType::Svg).unwrap_err().starts_with("comes as image/svg+xml"));
    }
}
