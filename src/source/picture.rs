//! A picture's file: what it is, by its bytes.

use std::fs::File;
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::SourceError;
use super::glob::names_in;
use crate::diag::did_you_mean;
use crate::model::{LARGEST_PICTURE, LARGEST_PICTURES, MediaType, PictureFile};

/// So many bytes tell what a file is.
const HEAD: usize = 64;
/// What makes a picture smaller.
const SMALLER: &str =
    "make it smaller: a stage says `width: 1024` or saves it as `.jpg`, a file is scaled down before the run";

/// Where a file of this name lies: in the first of `folders` in which there is one, in the last if there is none.
pub fn find_picture(name: &str, folders: &[PathBuf]) -> PathBuf {
    let in_folder = |folder: &PathBuf| if folder.as_os_str() == "." { PathBuf::from(name) } else { folder.join(name) };
    let mut places = folders.iter().map(in_folder).peekable();
    while let Some(place) = places.next() {
        if places.peek().is_none() || place.exists() {
            return place;
        }
    }
    PathBuf::from(name)
}

/// Reads a file through, and tells what it is. Its bytes are not held.
///
/// # Errors
/// It can't be read, is too large, or is no picture that models are shown.
pub fn look_at_picture(name: &str, place: &Path) -> Result<PictureFile, SourceError> {
    let fail = |error: &std::io::Error| match error.kind() {
        ErrorKind::NotFound => not_found(name, place),
        _ => SourceError::io(&format!("`{name}` can't be read"), None, error),
    };
    let mut file = File::open(place).map_err(|error| fail(&error))?;
    let about = file.metadata().map_err(|error| fail(&error))?;
    if !about.is_file() {
        let what = if about.is_dir() { "a folder" } else { "no file that can be read twice" };
        return Err(SourceError::new(format!("`{name}` is {what}, and `images` takes pictures")).help(
            "name its pictures, or loop over them: `for_each: {photo: photos}` with an input `photos: photos/*.jpg`",
        ));
    }
    let mut head = Vec::with_capacity(HEAD);
    (&mut file).take(HEAD as u64).read_to_end(&mut head).map_err(|error| fail(&error))?;
    let media_type = MediaType::of_still(&head).ok_or_else(|| no_picture(name, &head))?;
    check_size(name, about.len())?;
    file.seek(SeekFrom::Start(0)).map_err(|error| fail(&error))?;
    let mut hasher = blake3::Hasher::new();
    // One that grows meanwhile is not read without end.
    let bytes = std::io::copy(&mut file.take(LARGEST_PICTURE + 1), &mut hasher).map_err(|error| fail(&error))?;
    check_size(name, bytes)?;
    let (digest, name) = (*hasher.finalize().as_bytes(), Arc::from(name));
    Ok(PictureFile { digest, media_type, bytes, name, place: place.into(), content: None })
}

/// The same of bytes that lie in no file.
///
/// # Errors
/// They are too many, or no picture that models are shown.
pub fn look_at_bytes(name: &str, bytes: &[u8]) -> Result<PictureFile, SourceError> {
    let media_type = MediaType::of_still(bytes).ok_or_else(|| no_picture(name, bytes))?;
    check_size(name, bytes.len() as u64)?;
    let (digest, place) = (*blake3::hash(bytes).as_bytes(), Path::new(name).into());
    Ok(PictureFile { digest, media_type, bytes: bytes.len() as u64, name: name.into(), place, content: None })
}

/// Whether the files of one request are small enough together.
///
/// # Errors
/// They are not.
pub fn check_together<'a>(files: impl IntoIterator<Item = &'a PictureFile>) -> Result<(), SourceError> {
    let all = files.into_iter().fold(0_u64, |all, file| all.saturating_add(file.bytes));
    if all <= LARGEST_PICTURES {
        return Ok(());
    }
    let message = format!(
        "the pictures of one request have {} together, and {} are allowed",
        megabytes(all),
        megabytes(LARGEST_PICTURES)
    );
    Err(SourceError::new(message).help("send fewer at once, or smaller ones"))
}

fn check_size(name: &str, bytes: u64) -> Result<(), SourceError> {
    if bytes <= LARGEST_PICTURE {
        return Ok(());
    }
    let message = format!("`{name}` has {}, and a picture may have {}", megabytes(bytes), megabytes(LARGEST_PICTURE));
    Err(SourceError::new(message).help(SMALLER))
}

/// In millions of bytes, rounded up, so that what is too large never looks as if it were not.
fn megabytes(bytes: u64) -> String {
    let tenths = bytes.div_ceil(100_000);
    if tenths.is_multiple_of(10) {
        format!("{} MB", tenths / 10)
    } else {
        format!("{}.{} MB", tenths / 10, tenths % 10)
    }
}

/// Something else than a picture, or a picture that models are not shown.
fn no_picture(name: &str, head: &[u8]) -> SourceError {
    let at = |offset: usize, mark: &[u8]| head.get(offset..).is_some_and(|rest| rest.starts_with(mark));
    let begins = String::from_utf8_lossy(head);
    let what = if head.is_empty() {
        "is empty"
    } else if at(4, b"ftypavif") || at(4, b"ftypavis") {
        "is a picture in AVIF"
    } else if at(4, b"ftyphei") || at(4, b"ftypmif1") || at(4, b"ftypmsf1") {
        "is a picture in HEIC"
    } else if at(4, b"ftyp") {
        "is a video"
    } else if at(0, b"BM") {
        "is a picture in BMP"
    } else if at(0, b"II*\0") || at(0, b"MM\0*") {
        "is a picture in TIFF"
    } else if at(0, b"%PDF") {
        "is a PDF"
    } else if begins.contains("<svg") {
        "is a drawing in SVG"
    } else {
        "is no picture"
    };
    SourceError::new(format!("`{name}` {what}, and models are shown PNG, JPEG, WebP and GIF"))
        .help("convert it, or name another file")
}

/// There is no such file; perhaps one beside it was meant.
fn not_found(name: &str, place: &Path) -> SourceError {
    let error = SourceError::new(format!("there is no picture `{name}`"));
    let (folder, file) = (place.parent().unwrap_or(Path::new("")), place.file_name().and_then(|file| file.to_str()));
    let names = names_in(folder);
    match did_you_mean(file.unwrap_or_default(), names.iter().map(String::as_str)) {
        Some(near) => error.help(format!("did you mean `{}`?", Path::new(name).with_file_name(near).display())),
        None => error.help("paths in `images` are relative to the pipeline file; one of a list of files to where that list is relative to"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(name: &str, bytes: &[u8]) -> String {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join(name);
        std::io::Write::write_all(&mut File::create(&place).unwrap(), bytes).unwrap();
        match look_at_picture(name, &place) {
            Ok(file) => {
                assert_eq!(file.digest, *blake3::hash(bytes).as_bytes());
                file.to_string()
            }
            Err(error) => error.message,
        }
    }

    #[test]
    fn a_picture_is_known_by_its_bytes_and_not_by_its_name() {
        assert_eq!(told("a.txt", b"\x89PNG\r\n\x1a\nrest"), "a.txt: image/png, 12 bytes");
        assert_eq!(told("a.png", b"\xff\xd8\xff\xe0"), "a.png: image/jpeg, 4 bytes");
        assert_eq!(told("a", b"GIF89a"), "a: image/gif, 6 bytes");
        assert_eq!(told("a", b"RIFF\0\0\0\0WEBPVP8 "), "a: image/webp, 16 bytes");
    }

    #[test]
    fn what_models_are_not_shown_is_refused_with_what_it_is() {
        for (bytes, what) in [
            (&b""[..], "is empty"),
            (b"Hello", "is no picture"),
            (b"<?xml version='1.0'?><svg></svg>", "is a drawing in SVG"),
            (b"\0\0\0\x20ftypavif", "is a picture in AVIF"),
            (b"\0\0\0\x20ftypisom", "is a video"),
            (b"%PDF-1.7", "is a PDF"),
        ] {
            let message = told("a.png", bytes);
            assert_eq!(message, format!("`a.png` {what}, and models are shown PNG, JPEG, WebP and GIF"));
        }
    }

    #[test]
    fn large_ones_are_refused_with_what_to_do() {
        let mut large = b"\x89PNG\r\n\x1a\n".to_vec();
        large.resize(usize::try_from(LARGEST_PICTURE).unwrap(), 0);
        assert_eq!(told("a.png", &large), "a.png: image/png, 10000000 bytes");
        large.push(0);
        assert_eq!(told("a.png", &large), "`a.png` has 10.1 MB, and a picture may have 10 MB");
        let half = look_at_bytes("a.png", &large[..7_000_000]).unwrap();
        assert!(check_together([&half, &half]).is_ok());
        let more = look_at_bytes("a.png", &large[..100]).unwrap();
        let error = check_together([&half, &half, &more]).unwrap_err();
        assert_eq!(error.message, "the pictures of one request have 14.1 MB together, and 14 MB are allowed");
    }

    #[test]
    fn one_that_is_not_there_is_looked_for_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        File::create(folder.path().join("hero.png")).unwrap();
        let told = |name: &str| look_at_picture(name, &folder.path().join(name)).unwrap_err();
        assert_eq!(told("hero.jpg").message, "there is no picture `hero.jpg`");
        assert_eq!(told("hreo.png").help.as_deref(), Some("did you mean `hero.png`?"));
        assert!(told(".").message.starts_with("`.` is a folder"));
    }
}
