//! Pictures that go along with a request.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Json, MediaType};

/// The largest file that goes along with a request, in bytes.
pub const LARGEST_PICTURE: u64 = 10_000_000;
/// What all files of one request may have together, in bytes: as base64 they stay below the 20 MB that services take.
pub const LARGEST_PICTURES: u64 = 14_000_000;

/// The most tokens that a model counts for a picture: `gpt-4o-mini`, which is the hungriest, at eight tiles (2833 + 8 x
/// 5667, as `OpenAI` documents it).
pub(super) const MOST_TOKENS: u64 = 48_169;
/// What most models count for a picture, about.
pub const USUAL_TOKENS: u64 = 1_000;

/// A picture that goes along with a request. Cloning is cheap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Picture {
    /// One that lies at an address, which is sent as it is.
    Url(Arc<str>),
    /// A file, which is sent with its bytes.
    File(PictureFile),
}

/// A file with a picture. What it is called and where it lies is no part of a call's key: its bytes are, by their digest.
#[derive(Clone)]
pub struct PictureFile {
    /// BLAKE3 of its bytes.
    pub digest: [u8; 32],
    /// What it is, by its first bytes.
    pub media_type: MediaType,
    /// How large it is.
    pub bytes: u64,
    /// As people know it.
    pub name: Arc<str>,
    /// Where it is opened.
    pub place: Arc<Path>,
    /// Its bytes, while its request is on the wire; nobody who waits holds them.
    pub content: Option<Bytes>,
}

impl Picture {
    /// The file, if it is one.
    pub fn file(&self) -> Option<&PictureFile> {
        match self {
            Self::Url(_) => None,
            Self::File(file) => Some(file),
        }
    }
}

impl PictureFile {
    /// The digest as people read it: 64 digits.
    pub fn hex(&self) -> String {
        blake3::Hash::from_bytes(self.digest).to_hex().to_string()
    }
}

/// `photos/hero.png: image/png, 12345 bytes`
impl fmt::Display for PictureFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}, {} bytes", self.name, self.media_type.mime(), self.bytes)
    }
}

impl fmt::Debug for PictureFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PictureFile({self}, {})", self.hex())
    }
}

/// Two are the same where their bytes are.
impl PartialEq for PictureFile {
    fn eq(&self, other: &Self) -> bool {
        self.digest == other.digest
    }
}

impl Eq for PictureFile {}

/// As it stands in a call's key: an address is a text, a file is what is known of it.
#[derive(Serialize, Deserialize)]
struct KeyedFile {
    blake3: String,
    media_type: MediaType,
    bytes: u64,
}

impl Serialize for Picture {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Url(url) => serializer.serialize_str(url),
            Self::File(file) => {
                KeyedFile { blake3: file.hex(), media_type: file.media_type, bytes: file.bytes }.serialize(serializer)
            }
        }
    }
}

/// A file that is read back is known by its digest alone: nobody knows where it lies.
impl<'de> Deserialize<'de> for Picture {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = match Json::deserialize(deserializer)? {
            Json::String(url) => return Ok(Self::Url(url.into())),
            other => other,
        };
        let KeyedFile { blake3, media_type, bytes } = KeyedFile::deserialize(value).map_err(D::Error::custom)?;
        let digest = *blake3::Hash::from_hex(&blake3).map_err(D::Error::custom)?.as_bytes();
        let (name, place) = (blake3.into(), Path::new("").into());
        Ok(Self::File(PictureFile { digest, media_type, bytes, name, place, content: None }))
    }
}

impl MediaType {
    /// What a file is that models can be shown, by its first bytes: PNG, JPEG, WebP or GIF.
    pub fn of_still(bytes: &[u8]) -> Option<Self> {
        let at = |offset: usize, mark: &[u8]| bytes.get(offset..).is_some_and(|rest| rest.starts_with(mark));
        if at(0, b"\x89PNG\r\n\x1a\n") {
            Some(Self::Png)
        } else if at(0, b"\xff\xd8\xff") {
            Some(Self::Jpeg)
        } else if at(0, b"RIFF") && at(8, b"WEBP") {
            Some(Self::Webp)
        } else if at(0, b"GIF87a") || at(0, b"GIF89a") {
            Some(Self::Gif)
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_written_by_what_it_is_and_not_by_its_name() {
        let file = |name: &str| {
            let (name, place) = (name.into(), Path::new(name).into());
            let digest = *blake3::hash(b"png").as_bytes();
            let content = Some(Bytes::from_static(b"png"));
            Picture::File(PictureFile { digest, media_type: MediaType::Png, bytes: 3, name, place, content })
        };
        let written = serde_json::to_string(&[file("a.png"), Picture::Url("https://a.example/b".into())]).unwrap();
        let digest = blake3::hash(b"png").to_hex();
        assert_eq!(
            written,
            format!(r#"[{{"blake3":"{digest}","media_type":"image/png","bytes":3}},"https://a.example/b"]"#)
        );
        let read: Vec<Picture> = serde_json::from_str(&written).unwrap();
        assert_eq!(read, [file("b.png"), Picture::Url("https://a.example/b".into())]);
        assert!(serde_json::from_str::<Picture>(r#"{"blake3":"1","media_type":"image/png","bytes":3}"#).is_err());
    }
}
