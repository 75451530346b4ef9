//! The PNG file of a picture, with a note of where it comes from.

use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder as _, ImageError};

use super::Commission;

/// Where the second chunk of every PNG begins: after the signature and the header (PNG specification, 5.2 and 11.2.1).
const AFTER_HEADER: usize = 8 + 25;

/// A `tEXt` chunk (11.3.3.2): it names the provider in pictures that are too small to be written on.
fn note() -> Vec<u8> {
    let content = b"tEXtSoftware\0blossom-run offline provider";
    let length = u32::try_from(content.len() - 4).unwrap_or(0);
    [&length.to_be_bytes()[..], content, &checksum(content).to_be_bytes()].concat()
}

/// The CRC-32 of a chunk (annex D), bit by bit: the note is short.
fn checksum(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0_u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { 0xedb8_8320 ^ (crc >> 1) } else { crc >> 1 })
    })
}

/// Encodes pixels, row by row in three bytes each (four where the picture is transparent).
pub(super) fn encode(pixels: &[u8], commission: &Commission) -> Result<Vec<u8>, ImageError> {
    let mut file = Vec::with_capacity(pixels.len() / 8 + 1024);
    let colours = if commission.transparent { ExtendedColorType::Rgba8 } else { ExtendedColorType::Rgb8 };
    PngEncoder::new_with_quality(&mut file, CompressionType::Fast, FilterType::Paeth).write_image(
        pixels,
        commission.width,
        commission.height,
        colours,
    )?;
    file.splice(AFTER_HEADER..AFTER_HEADER, note());
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_that_of_png() {
        // The last chunk of every PNG file: no content, and this checksum.
        assert_eq!(checksum(b"IEND"), 0xae42_6082);
    }
}
