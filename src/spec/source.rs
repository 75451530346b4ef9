//! Texts from disk.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::diag::{Diagnostic, SourceFiles};
use crate::model::Place;

/// The largest file that is read as a text, in bytes.
const MAX_FILE: u64 = 8 << 20;

/// A text file that can't be read.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// There is none.
    #[error("there is no file `{}`", .0.display())]
    NotFound(PathBuf),
    /// A folder has this name.
    #[error("`{}` is a folder, not a file", .0.display())]
    Folder(PathBuf),
    /// It is a pipe, a socket or a device.
    #[error("`{}` is not a regular file", .0.display())]
    Special(PathBuf),
    /// It is larger than 8 MiB.
    #[error("`{}` is larger than {} MiB", .0.display(), MAX_FILE >> 20)]
    TooLarge(PathBuf),
    /// It is not UTF-8.
    #[error("`{}` is not UTF-8 from line {line} on", .path.display())]
    NotUtf8 {
        /// The file.
        path: PathBuf,
        /// The line with the first byte that is wrong, from 1.
        line: usize,
        /// The character (from 0) of that line which is wrong.
        character: usize,
        /// The line, with `�` for what can't be read.
        shown: String,
        /// It begins as UTF-16 does.
        utf16: bool,
    },
    /// The system says no.
    #[error("`{}` can't be read: {error}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        error: io::Error,
    },
}

impl LoadError {
    /// What to try.
    pub fn help(&self) -> &'static str {
        match self {
            Self::NotFound(_) => "check the path: those in a pipeline file are relative to its folder",
            Self::Folder(_) => "name a file in it",
            Self::Special(_) => "copy what it holds into a file, and name that",
            Self::TooLarge(_) => {
                "make it shorter; long lists belong in a data file, which an input of `type: items` names"
            }
            Self::NotUtf8 { utf16: true, .. } => "it looks like UTF-16: save it as UTF-8",
            Self::NotUtf8 { .. } => "save it as UTF-8",
            Self::Unreadable { error, .. } if error.kind() == io::ErrorKind::PermissionDenied => {
                "give yourself the right to read it"
            }
            Self::Unreadable { .. } => "look whether the file can be opened by other programs",
        }
    }

    /// The mistake where it is: in the file if a byte of it is wrong, else where it is `named`.
    pub fn diagnostic(&self, named: Option<&Place>, files: &mut SourceFiles) -> Diagnostic {
        let shown = self.path().display().to_string();
        let diagnostic = match (self, named) {
            (Self::NotUtf8 { line, character, shown: text, .. }, _) => {
                let at = Some((*character, *character as u64 + 1));
                let place = files.add_line(shown, *line as u64, text, at);
                let diagnostic = Diagnostic::error("not-utf8", &place, "the file is not UTF-8 from here on");
                match named {
                    Some(named) => diagnostic.also(named, "it is named here"),
                    None => diagnostic,
                }
            }
            (_, Some(named)) => Diagnostic::error("unreadable-file", named, self.to_string()),
            (_, None) => Diagnostic::error("unreadable-file", &files.add_words(shown, ""), self.to_string()),
        };
        diagnostic.help(self.help())
    }

    fn path(&self) -> &Path {
        match self {
            Self::NotFound(path)
            | Self::Folder(path)
            | Self::Special(path)
            | Self::TooLarge(path)
            | Self::NotUtf8 { path, .. }
            | Self::Unreadable { path, .. } => path,
        }
    }
}

/// The text of a file that another one names, as [`read_text`].
pub(super) fn read_named(path: &Path) -> Result<String, LoadError> {
    // Opening a pipe would wait for a writer.
    if path.metadata().is_ok_and(|data| !data.is_file() && !data.is_dir()) {
        return Err(LoadError::Special(path.to_owned()));
    }
    read_text(path)
}

/// The text of a file, without a byte order mark, its line ends made `\n`.
pub(super) fn read_text(path: &Path) -> Result<String, LoadError> {
    let bytes = read_bytes(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => LoadError::NotFound(path.to_owned()),
        io::ErrorKind::IsADirectory => LoadError::Folder(path.to_owned()),
        io::ErrorKind::FileTooLarge => LoadError::TooLarge(path.to_owned()),
        _ => LoadError::Unreadable { path: path.to_owned(), error },
    })?;
    let text =
        String::from_utf8(bytes).map_err(|error| not_utf8(path, error.as_bytes(), error.utf8_error().valid_up_to()))?;
    Ok(plain_text(text))
}

fn read_bytes(path: &Path) -> io::Result<Vec<u8>> {
    let file = File::open(path)?;
    if file.metadata()?.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    let mut bytes = Vec::new();
    // A pipe or a device has no size that could be looked at first.
    file.take(MAX_FILE + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_FILE { Err(io::ErrorKind::FileTooLarge.into()) } else { Ok(bytes) }
}

/// Without a byte order mark, with `\n` alone at the ends of lines: offsets then speak of the text that people see.
pub(super) fn plain_text(text: String) -> String {
    let text = match text.strip_prefix('\u{feff}') {
        Some(rest) => rest.to_owned(),
        None => text,
    };
    if text.contains('\r') { text.replace("\r\n", "\n").replace('\r', "\n") } else { text }
}

/// How much of a line that can't be read is shown, in bytes.
const SHOWN: usize = 200;

fn not_utf8(path: &Path, bytes: &[u8], valid: usize) -> LoadError {
    let line = bytes[..valid].split(|byte| *byte == b'\n').count();
    let start = bytes[..valid].iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let rest = &bytes[valid..(valid + SHOWN).min(bytes.len())];
    let end = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r')).unwrap_or(rest.len());
    let before = String::from_utf8_lossy(&bytes[start..valid]);
    LoadError::NotUtf8 {
        path: path.to_owned(),
        line,
        character: before.chars().count(),
        shown: format!("{before}{}", String::from_utf8_lossy(&rest[..end])),
        utf16: bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn file(bytes: &[u8]) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(bytes).unwrap();
        file
    }

    #[test]
    fn line_ends_and_marks_are_made_plain() {
        assert_eq!(read_text(file("\u{feff}a\r\nb\rc\n".as_bytes()).path()).unwrap(), "a\nb\nc\n");
    }

    #[test]
    fn each_reason_has_its_words() {
        let words = |path: &Path| read_text(path).unwrap_err().to_string().replace(&path.display().to_string(), "F");
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(words(folder.path()), "`F` is a folder, not a file");
        assert_eq!(words(&folder.path().join("none.yaml")), "there is no file `F`");
        assert_eq!(words(file(b"\xff").path()), "`F` is not UTF-8 from line 1 on");
        let large = file(&vec![b'#'; usize::try_from(MAX_FILE).unwrap() + 1]);
        assert_eq!(words(large.path()), "`F` is larger than 8 MiB");
    }

    #[test]
    fn a_byte_that_is_no_text_is_shown_where_it_is() {
        let error = read_text(file(b"name: x\nd\xc3\xa9: \xffz\n").path()).unwrap_err();
        let mut files = SourceFiles::default();
        let diagnostic = error.diagnostic(None, &mut files);
        assert_eq!(files.line_column(&diagnostic.place), (2, 5));
        assert_eq!(&**files.get(diagnostic.place.file).text(), "d\u{e9}: \u{fffd}z");
        assert_eq!(diagnostic.help.as_deref(), Some("save it as UTF-8"));
        let wide = read_text(file(b"\xff\xfen\0a\0").path()).unwrap_err();
        assert_eq!(wide.help(), "it looks like UTF-16: save it as UTF-8");
    }
}
