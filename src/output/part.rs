//! A file that appears whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::OutputError;
use super::path::cut;

/// A name has at most so many bytes.
const LONGEST_NAME: usize = 255;

/// A file under its working name `.NAME.RUN.part`, beside the place where it belongs. [`PartFile::publish`] syncs it
/// and gives it its name; without that it is removed when it is dropped.
#[derive(Debug)]
pub struct PartFile {
    /// None while it rests.
    file: Option<File>,
    part: PathBuf,
    place: PathBuf,
    published: bool,
}

impl PartFile {
    /// Begins the file that belongs at `place`, in a folder that is there. What an earlier try of the same run has left
    /// is replaced; a link is not followed.
    pub fn create(place: &Path, run: &str) -> Result<Self, OutputError> {
        let name = place.file_name().and_then(|name| name.to_str()).unwrap_or("output");
        let part = place.with_file_name(part_name(name, run));
        let open = || OpenOptions::new().write(true).create_new(true).open(&part);
        let file = match open() {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => fs::remove_file(&part).and_then(|()| open()),
            opened => opened,
        };
        let file = file.map_err(|error| OutputError::io(place, error))?;
        Ok(Self { file: Some(file), part, place: place.to_path_buf(), published: false })
    }

    /// Where the file belongs.
    pub fn place(&self) -> &Path {
        &self.place
    }

    /// Gives the handle back, of which a process has only so many. The next bytes are written behind these all the same.
    pub(super) fn rest(&mut self) {
        self.file = None;
    }

    fn file(&mut self) -> io::Result<&mut File> {
        let file = match self.file.take() {
            Some(file) => file,
            None => OpenOptions::new().append(true).open(&self.part)?,
        };
        Ok(self.file.insert(file))
    }

    /// Syncs the file and gives it its name; a link of that name is replaced, not followed. The folder is not synced.
    pub fn publish(mut self) -> Result<(), OutputError> {
        let synced = self.file().and_then(|file| file.sync_all());
        let moved = synced.and_then(|()| fs::rename(&self.part, &self.place));
        moved.map_err(|error| OutputError::io(&self.place, error))?;
        self.published = true;
        Ok(())
    }
}

impl Write for PartFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file()?.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file()?.flush()
    }
}

impl Drop for PartFile {
    fn drop(&mut self) {
        if !self.published {
            // What can't be removed now is removed when the next run begins.
            drop(fs::remove_file(&self.part));
        }
    }
}

/// A place for a file that a run needs for itself. It is removed with this, or when the next run begins.
#[derive(Debug)]
pub struct Scratch(PathBuf);

impl Scratch {
    /// In `folder`, unlike that of any other run and unlike the part of any output.
    pub(super) fn new(folder: &Path, name: &str, run: &str) -> Self {
        Self(folder.join(part_name(name, &format!("{run}-scratch"))))
    }

    /// Where the file may be made.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Mostly nobody has made it.
        drop(fs::remove_file(&self.0));
    }
}

/// `.NAME.RUN.part`. A name that gets too long so is cut and marked with its digest.
pub(super) fn part_name(name: &str, run: &str) -> String {
    let room = LONGEST_NAME.saturating_sub(run.len() + "...part".len());
    if name.len() <= room {
        return format!(".{name}.{run}.part");
    }
    let mark = &blake3::hash(name.as_bytes()).to_hex()[..16];
    format!(".{}-{mark}.{run}.part", cut(name, room.saturating_sub(17)))
}

/// Whether a name is that of a part file, of whichever run.
pub(super) fn is_part_name(name: &str) -> bool {
    let middle = name.strip_prefix('.').and_then(|name| name.strip_suffix(".part"));
    middle.and_then(|middle| middle.rsplit_once('.')).is_some_and(|(name, run)| {
        !name.is_empty()
            && !run.is_empty()
            && run.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn part_names_are_recognised_and_not_too_long() {
        assert_eq!(part_name("a.md", "r1"), ".a.md.r1.part");
        for name in ["a", "a.b.c", &"ä".repeat(127)] {
            let part = part_name(name, "20261122-1a2b");
            assert!(is_part_name(&part) && part.len() <= LONGEST_NAME, "{part}");
        }
        for name in ["a.md", ".a.part", "a.md.r1.part", ".part", "..r1.part", ".a.r 1.part", ".a.r1.parts"] {
            assert!(!is_part_name(name), "{name}");
        }
    }
}
