//! Pictures in the format asked for.

use std::io::Cursor;

use bytes::Bytes;
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::codecs::webp::WebPEncoder;
use image::error::LimitErrorKind;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageEncoder, ImageError, ImageFormat, ImageReader, Limits, Rgb, RgbImage};

use crate::model::{ImageInfo, MediaType};

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

/// A picture as it is saved.
#[derive(Debug, Clone, PartialEq)]
pub struct Converted {
    /// The file's bytes.
    pub bytes: Bytes,
    /// What they are.
    pub media_type: MediaType,
    /// In lower case, without a dot.
    pub extension: &'static str,
    /// Width and height, in pixels; 0 where the format does not say.
    pub size: (u32, u32),
}

/// A picture in the format of `extension` (without a dot, in any case). Without an extension, or if it is of that format
/// already, the bytes stay as they are. WebP is written without loss; JPEG puts what is transparent on white. One that
/// says how it is to be turned is turned. Decoding takes long: call it on a blocking thread.
///
/// # Errors
/// No format of pictures, one that this one can't be converted to, or bytes that can't be decoded.
pub fn convert(bytes: Bytes, info: ImageInfo, extension: Option<&str>) -> Result<Converted, ConvertError> {
    let (from, size) = (info.media_type, (info.width, info.height));
    let as_it_is = |bytes, extension| Ok(Converted { bytes, media_type: from, extension, size });
    let Some(asked) = extension else { return as_it_is(bytes, from.extension()) };
    let Some((media_type, spelled, target)) = format(&asked.to_ascii_lowercase()) else {
        return Err(ConvertError::UnknownExtension { extension: asked.to_owned() });
    };
    if media_type == from {
        return as_it_is(bytes, spelled);
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
    let size = (picture.pixels.width(), picture.pixels.height());
    let encoded = picture
        .encode(target)
        .map_err(|error| ConvertError::Encode { extension: asked.to_owned(), reason: error.to_string() })?;
    Ok(Converted { bytes: encoded.into(), media_type, extension: spelled, size })
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

    fn info(media_type: MediaType) -> ImageInfo {
        ImageInfo { media_type, width: 8, height: 4 }
    }

    fn converted(bytes: Bytes, from: MediaType, extension: &str) -> Converted {
        convert(bytes, info(from), Some(extension)).unwrap()
    }

    #[test]
    fn the_same_format_keeps_its_bytes() {
        let bytes = png();
        for extension in [None, Some("png"), Some("PNG")] {
            let kept = Converted { bytes: bytes.clone(), media_type: MediaType::Png, extension: "png", size: (8, 4) };
            assert_eq!(convert(bytes.clone(), info(MediaType::Png), extension).unwrap(), kept);
        }
        let video = Bytes::from_static(b"video");
        assert_eq!(converted(video.clone(), MediaType::Mp4, "mp4").bytes, video);
        assert_eq!(convert(video.clone(), info(MediaType::Mp4), None).unwrap().extension, "mp4");
    }

    #[test]
    fn webp_loses_nothing() {
        let webp = converted(png(), MediaType::Png, "webp");
        assert_eq!((webp.media_type, webp.extension), (MediaType::Webp, "webp"));
        let back = converted(webp.bytes, MediaType::Webp, "png");
        assert_eq!(pixels(&back.bytes, ImageFormat::Png), pixels(&png(), ImageFormat::Png));
    }

    #[test]
    fn jpeg_puts_the_transparent_on_white() {
        let webp = converted(png(), MediaType::Png, "webp").bytes;
        for (bytes, from) in [(png(), MediaType::Png), (webp, MediaType::Webp)] {
            let jpeg = converted(bytes, from, "jpeg");
            assert_eq!((jpeg.media_type, jpeg.extension), (MediaType::Jpeg, "jpeg"));
            let corner = *pixels(&jpeg.bytes, ImageFormat::Jpeg).get_pixel(0, 0);
            assert!(corner.0[1] > 100, "not black: {corner:?}");
        }
    }

    #[test]
    fn every_depth_of_colour_becomes_every_format() {
        let (width, height) = (8, 4);
        let made: [DynamicImage; 6] = [
            DynamicImage::new_luma8(width, height),
            DynamicImage::new_luma_a8(width, height),
            DynamicImage::new_rgb8(width, height),
            DynamicImage::new_luma16(width, height),
            DynamicImage::new_luma_a16(width, height),
            DynamicImage::new_rgba16(width, height),
        ];
        for picture in made {
            let mut bytes = Vec::new();
            picture.write_with_encoder(PngEncoder::new(&mut bytes)).unwrap();
            for (extension, format) in [("jpg", ImageFormat::Jpeg), ("webp", ImageFormat::WebP)] {
                let there = converted(bytes.clone().into(), MediaType::Png, extension);
                let alpha = picture.color().has_alpha();
                let clear = pixels(&there.bytes, format).get_pixel(0, 0).0;
                assert_eq!(clear[3] == 0, alpha && extension == "webp", "{:?} as {extension}", picture.color());
                assert_eq!(clear[0] > 250, alpha && extension == "jpg", "{:?} as {extension}", picture.color());
                let back = converted(there.bytes, there.media_type, "PNG");
                assert_eq!((back.extension, back.size), ("png", (width, height)));
            }
        }
    }

    #[test]
    fn a_picture_that_is_to_be_turned_is_turned_and_measured() {
        let mut jpeg = Vec::new();
        let lying = RgbImage::from_fn(8, 4, |x, _| if x < 4 { Rgb([250, 0, 0]) } else { Rgb([0, 0, 250]) });
        JpegEncoder::new_with_quality(&mut jpeg, 100).encode_image(&lying).unwrap();
        // An EXIF block with one entry, orientation 6: to be shown turned to the right by a quarter.
        let tiff = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0";
        let block = [b"\xff\xe1", &34_u16.to_be_bytes()[..], b"Exif\0\0", tiff].concat();
        jpeg.splice(2..2, block);
        let turned = converted(jpeg.into(), MediaType::Jpeg, "png");
        assert_eq!(turned.size, (4, 8));
        let shown = pixels(&turned.bytes, ImageFormat::Png);
        assert!(shown.get_pixel(1, 0).0[0] > 200 && shown.get_pixel(1, 7).0[2] > 200, "red above, blue below");
    }

    #[test]
    fn what_can_not_be_converted_is_said() {
        let told =
            |from, extension| convert(Bytes::from_static(b"x"), info(from), Some(extension)).unwrap_err().to_string();
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
        let error = convert(bytes.into(), info(MediaType::Png), Some("jpg")).unwrap_err();
        assert!(matches!(error, ConvertError::TooLarge { .. }), "{error}");
    }

    fn crc32(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(u32::MAX, |crc, byte| {
            (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 })
        })
    }
}
