//! Pictures in the format asked for.

use std::io::Cursor;

use bytes::Bytes;
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::codecs::webp::WebPEncoder;
use image::error::LimitErrorKind;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageEncoder, ImageError, ImageFormat, ImageReader, Limits, Rgb, RgbImage};

use crate::model::MediaType;

/// In pixels, a side.
const LONGEST_SIDE: u32 = 16_384;
/// What decoding may take, in bytes.
const MOST_MEMORY: u64 = 512 << 20;
/// Of 100; at this, people see no difference.
const JPEG_QUALITY: u8 = 90;

/// Why a picture can't be saved in the format asked for.
#[derive(Debug, thiserror::Error)]
pub enum ConvertError {
    /// No format that is written.
    #[error(
        "pictures are not saved as `.{extension}`; use `.png`, `.jpg`, `.jpeg` or `.webp`, or leave the extension out"
    )]
    UnknownExtension {
        /// As it was asked for.
        extension: String,
    },
    /// A format that is saved only as it comes.
    #[error("the picture came as {}, which can't be saved as `.{extension}`; use `.{}`, or leave the extension out", from.mime(), from.extension())]
    Unconvertible {
        /// What it is.
        from: MediaType,
        /// As it was asked for.
        extension: String,
    },
    /// Too large to be decoded.
    #[error(
        "the picture is too large to be saved as `.{extension}`: at most 16384 pixels a side; leave the extension out to save it as it came"
    )]
    TooLarge {
        /// As it was asked for.
        extension: String,
    },
    /// Its bytes are broken.
    #[error("the picture can't be decoded: {reason}")]
    Broken {
        /// What the decoder says.
        reason: String,
    },
    /// It can't be written so.
    #[error("the picture can't be written as `.{extension}`: {reason}")]
    Encode {
        /// As it was asked for.
        extension: String,
        /// What the encoder says.
        reason: String,
    },
}

/// What an extension means for a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PictureFormat {
    /// Any picture is converted to it.
    Written,
    /// Nothing is converted to it: a picture can be saved so if it comes so.
    AsItComes,
    /// It is none of a picture.
    None,
}

/// What an extension (without a dot, in any case) means for a picture.
pub fn picture_format(extension: &str) -> PictureFormat {
    match format(&extension.to_ascii_lowercase()) {
        Some((_, _, Some(_))) => PictureFormat::Written,
        Some((_, _, None)) => PictureFormat::AsItComes,
        None => PictureFormat::None,
    }
}

/// The format of an extension in lower case, how it is spelled, and how it is written, if it is.
fn format(lower: &str) -> Option<(MediaType, &'static str, Option<Target>)> {
    Some(match lower {
        "png" => (MediaType::Png, "png", Some(Target::Png)),
        "jpg" => (MediaType::Jpeg, "jpg", Some(Target::Jpeg)),
        "jpeg" => (MediaType::Jpeg, "jpeg", Some(Target::Jpeg)),
        "webp" => (MediaType::Webp, "webp", Some(Target::Webp)),
        "gif" => (MediaType::Gif, "gif", None),
        "svg" => (MediaType::Svg, "svg", None),
        "mp4" => (MediaType::Mp4, "mp4", None),
        _ => return None,
    })
}

/// The formats that are written.
#[derive(Clone, Copy)]
enum Target {
    Png,
    Jpeg,
    Webp,
}

/// A picture in the format of `extension` (without a dot, in any case): its bytes, what they are, and the extension in
/// lower case. Without an extension, or if it is of that format already, the bytes stay as they are. WebP is written
/// without loss; JPEG puts what is transparent on white. Decoding takes long: call it on a blocking thread.
pub fn convert(
    bytes: Bytes,
    from: MediaType,
    extension: Option<&str>,
) -> Result<(Bytes, MediaType, &'static str), ConvertError> {
    let Some(asked) = extension else { return Ok((bytes, from, from.extension())) };
    let Some((media_type, spelled, target)) = format(&asked.to_ascii_lowercase()) else {
        return Err(ConvertError::UnknownExtension { extension: asked.to_owned() });
    };
    if media_type == from {
        return Ok((bytes, from, spelled));
    }
    let source = match from {
        MediaType::Png => Some(ImageFormat::Png),
        MediaType::Jpeg => Some(ImageFormat::Jpeg),
        MediaType::Webp => Some(ImageFormat::WebP),
        MediaType::Gif | MediaType::Svg | MediaType::Mp4 => None,
    };
    let (Some(source), Some(target)) = (source, target) else {
        return Err(ConvertError::Unconvertible { from, extension: asked.to_owned() });
    };
    let picture = Picture::decode(&bytes, source).map_err(|error| explain(&error, asked))?;
    let encoded = picture
        .encode(target)
        .map_err(|error| ConvertError::Encode { extension: asked.to_owned(), reason: error.to_string() })?;
    Ok((encoded.into(), media_type, spelled))
}

fn explain(error: &ImageError, asked: &str) -> ConvertError {
    match error {
        ImageError::Limits(limit)
            if matches!(limit.kind(), LimitErrorKind::DimensionError | LimitErrorKind::InsufficientMemory) =>
        {
            ConvertError::TooLarge { extension: asked.to_owned() }
        }
        other => ConvertError::Broken { reason: other.to_string() },
    }
}

/// A decoded picture and how its colours are meant.
struct Picture {
    pixels: DynamicImage,
    profile: Option<Vec<u8>>,
}

impl Picture {
    fn decode(bytes: &[u8], format: ImageFormat) -> Result<Self, ImageError> {
        let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
        let mut limits = Limits::default();
        limits.max_image_width = Some(LONGEST_SIDE);
        limits.max_image_height = Some(LONGEST_SIDE);
        limits.max_alloc = Some(MOST_MEMORY);
        reader.limits(limits);
        let mut decoder = reader.into_decoder()?;
        let profile = decoder.icc_profile()?;
        // A format that says how to turn the picture may become one that can't say it.
        let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
        let mut pixels = DynamicImage::from_decoder(decoder)?;
        pixels.apply_orientation(orientation);
        Ok(Self { pixels, profile })
    }

    fn encode(self, target: Target) -> Result<Vec<u8>, ImageError> {
        let mut bytes = Vec::new();
        match target {
            Target::Png => write(&self.pixels, self.profile, PngEncoder::new(&mut bytes))?,
            Target::Jpeg => {
                let pixels = DynamicImage::ImageRgb8(on_white(&self.pixels));
                write(&pixels, self.profile, JpegEncoder::new_with_quality(&mut bytes, JPEG_QUALITY))?;
            }
            Target::Webp => {
                let pixels = if self.pixels.color().has_alpha() {
                    DynamicImage::ImageRgba8(self.pixels.into_rgba8())
                } else {
                    DynamicImage::ImageRgb8(self.pixels.into_rgb8())
                };
                write(&pixels, self.profile, WebPEncoder::new_lossless(&mut bytes))?;
            }
        }
        Ok(bytes)
    }
}

fn write(pixels: &DynamicImage, profile: Option<Vec<u8>>, mut encoder: impl ImageEncoder) -> Result<(), ImageError> {
    if let Some(profile) = profile {
        // An encoder that has no place for a profile leaves it out.
        drop(encoder.set_icc_profile(profile));
    }
    pixels.write_with_encoder(encoder)
}

/// The picture in front of white paper.
fn on_white(pixels: &DynamicImage) -> RgbImage {
    if !pixels.color().has_alpha() {
        return pixels.to_rgb8();
    }
    let layered = pixels.to_rgba8();
    RgbImage::from_fn(layered.width(), layered.height(), |x, y| {
        let [red, green, blue, alpha] = layered.get_pixel(x, y).0.map(u32::from);
        let blend = |colour: u32| u8::try_from((colour * alpha + 255 * (255 - alpha) + 127) / 255).unwrap_or(u8::MAX);
        Rgb([blend(red), blend(green), blend(blue)])
    })
}

#[cfg(test)]
mod tests {
    use image::{Rgba, RgbaImage};

    use super::*;

    fn png() -> Bytes {
        let mut picture = RgbaImage::from_pixel(8, 4, Rgba([200, 10, 10, 255]));
        picture.put_pixel(0, 0, Rgba([0, 0, 0, 0]));
        let mut bytes = Vec::new();
        DynamicImage::ImageRgba8(picture).write_with_encoder(PngEncoder::new(&mut bytes)).unwrap();
        bytes.into()
    }

    fn pixels(bytes: &[u8], format: ImageFormat) -> RgbaImage {
        image::load_from_memory_with_format(bytes, format).unwrap().into_rgba8()
    }

    #[test]
    fn the_same_format_keeps_its_bytes() {
        let bytes = png();
        for extension in [None, Some("png"), Some("PNG")] {
            assert_eq!(
                convert(bytes.clone(), MediaType::Png, extension).unwrap(),
                (bytes.clone(), MediaType::Png, "png")
            );
        }
        let video = Bytes::from_static(b"video");
        assert_eq!(convert(video.clone(), MediaType::Mp4, Some("mp4")).unwrap().0, video);
        assert_eq!(convert(video.clone(), MediaType::Mp4, None).unwrap().2, "mp4");
    }

    #[test]
    fn webp_loses_nothing() {
        let (webp, media_type, extension) = convert(png(), MediaType::Png, Some("webp")).unwrap();
        assert_eq!((media_type, extension), (MediaType::Webp, "webp"));
        let (back, ..) = convert(webp, MediaType::Webp, Some("png")).unwrap();
        assert_eq!(pixels(&back, ImageFormat::Png), pixels(&png(), ImageFormat::Png));
    }

    #[test]
    fn jpeg_puts_the_transparent_on_white() {
        let (jpeg, media_type, extension) = convert(png(), MediaType::Png, Some("jpeg")).unwrap();
        assert_eq!((media_type, extension), (MediaType::Jpeg, "jpeg"));
        let corner = *pixels(&jpeg, ImageFormat::Jpeg).get_pixel(0, 0);
        assert!(corner.0[1] > 100, "not black: {corner:?}");
    }

    #[test]
    fn what_can_not_be_converted_is_said() {
        let told = |from, extension| convert(Bytes::from_static(b"x"), from, Some(extension)).unwrap_err().to_string();
        assert_eq!(
            told(MediaType::Svg, "png"),
            "the picture came as image/svg+xml, which can't be saved as `.png`; use `.svg`, or leave the extension out"
        );
        assert!(told(MediaType::Png, "gif").contains("can't be saved as `.gif`"));
        assert!(told(MediaType::Png, "bmp").contains("use `.png`, `.jpg`"));
        assert!(told(MediaType::Png, "jpg").starts_with("the picture can't be decoded"));
    }

    #[test]
    fn a_huge_picture_is_refused_before_it_is_decoded() {
        let mut bytes = png().to_vec();
        // The width of a PNG stands after the signature and the head of the first chunk, whose checksum follows it.
        bytes[16..20].copy_from_slice(&100_000u32.to_be_bytes());
        let checksum = crc32(&bytes[12..29]);
        bytes[29..33].copy_from_slice(&checksum.to_be_bytes());
        let error = convert(bytes.into(), MediaType::Png, Some("jpg")).unwrap_err();
        assert!(matches!(error, ConvertError::TooLarge { .. }), "{error}");
    }

    fn crc32(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(u32::MAX, |crc, byte| {
            (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 })
        })
    }
}
