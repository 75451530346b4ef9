//! Pictures, each in a file that is called by the digest of its bytes.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use jiff::Timestamp;
use tempfile::NamedTempFile;

use super::error::StoreError;

/// The digest of a picture's bytes.
pub(super) type Digest = [u8; 32];

/// A folder of pictures.
#[derive(Debug, Clone)]
pub(super) struct Blobs {
    folder: PathBuf,
}

impl Blobs {
    pub(super) fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Writes a picture, unless it is there, and gives its digest. It is on the disk when this returns, but for its name:
    /// see [`Blobs::sync`].
    pub(super) fn put(&self, bytes: &[u8]) -> Result<Digest, StoreError> {
        self.write(bytes).map_err(|error| StoreError::file(&self.folder, &error))
    }

    /// The same for those who have other words for what goes wrong.
    pub(super) fn write(&self, bytes: &[u8]) -> io::Result<Digest> {
        let digest = blake3::hash(bytes);
        let path = self.path(digest.as_bytes());
        // One that is no longer what it was is written again; a look at its length would not tell.
        if self.get(digest.as_bytes()).is_some() {
            // Whoever tidies takes what is old and not named yet for rubbish. Where this can't be done nobody tidies either.
            File::options().append(true).open(&path).and_then(|file| file.set_modified(Timestamp::now().into())).ok();
            return Ok(*digest.as_bytes());
        }
        fs::create_dir_all(&self.folder)?;
        let mut part = part_in(&self.folder)?;
        part.write_all(bytes)?;
        part.as_file().sync_data()?;
        part.persist(&path).map_err(|error| error.error)?;
        Ok(*digest.as_bytes())
    }

    /// Has the names of what was put written to the disk.
    pub(super) fn sync(&self) -> Result<(), StoreError> {
        self.sync_names().map_err(|error| StoreError::file(&self.folder, &error))
    }

    /// The same for those who have other words for what goes wrong.
    pub(super) fn sync_names(&self) -> io::Result<()> {
        // Folders can't be opened as files everywhere; where they can't, names are safe without this.
        if cfg!(unix) { File::open(&self.folder)?.sync_all() } else { Ok(()) }
    }

    /// The picture with this digest; nothing if it is not there, or no longer what it was.
    pub(super) fn get(&self, digest: &[u8]) -> Option<Bytes> {
        let bytes = fs::read(self.path(digest)).ok()?;
        (blake3::hash(&bytes).as_bytes() == digest).then(|| bytes.into())
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(super) fn path(&self, digest: &[u8]) -> PathBuf {
        let name = digest.iter().fold(String::new(), |mut name, byte| {
            // A text takes all that is written to it.
            _ = write!(name, "{byte:02x}");
            name
        });
        self.folder.join(name)
    }
}

/// A file that is about to get its name, with the rights that any other file would have. It is removed when it is dropped
/// without one.
///
/// # Errors
/// The folder is not there, or can't be written.
pub fn part_in(folder: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.prefix(".part-").tempfile_in(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_that_is_no_longer_what_it_was_is_not_there() {
        let folder = tempfile::tempdir().unwrap();
        let blobs = Blobs::new(folder.path().join("blobs"));
        let digest = blobs.put(b"png").unwrap();
        blobs.sync().unwrap();
        assert_eq!(blobs.get(&digest).as_deref(), Some(&b"png"[..]));
        File::options().append(true).open(blobs.path(&digest)).unwrap().write_all(b"!").unwrap();
        assert_eq!(blobs.get(&digest), None);
        assert_eq!(blobs.put(b"png").unwrap(), digest, "it is written again");
        File::options().write(true).open(blobs.path(&digest)).unwrap().write_all(b"gif").unwrap();
        assert_eq!(blobs.put(b"png").unwrap(), digest, "also where its length is what it was");
        assert_eq!(blobs.get(&digest).as_deref(), Some(&b"png"[..]));
        assert_eq!(fs::read_dir(folder.path().join("blobs")).unwrap().count(), 1, "nothing else is left");
    }
}
