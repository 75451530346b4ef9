//! Texts from disk.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

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
    /// It is larger than 8 MiB.
    #[error("`{}` is larger than {} MiB", .0.display(), MAX_FILE >> 20)]
    TooLarge(PathBuf),
    /// It is not UTF-8.
    #[error("{}:{line}:{column}: the file is not UTF-8 from here on", .path.display())]
    NotUtf8 {
        /// The file.
        path: PathBuf,
        /// The line with the first byte that is wrong, from 1.
        line: usize,
        /// Its column, from 1, in characters.
        column: usize,
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

/// The text of a file, without a byte order mark, its line ends made `\n`.
pub(super) fn read_text(path: &Path) -> Result<String, LoadError> {
    let bytes = read_bytes(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => LoadError::NotFound(path.to_owned()),
        io::ErrorKind::IsADirectory => LoadError::Folder(path.to_owned()),
        io::ErrorKind::FileTooLarge => LoadError::TooLarge(path.to_owned()),
        _ => LoadError::Unreadable { path: path.to_owned(), error },
    })?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let (line, column) = end_of(&error.as_bytes()[..error.utf8_error().valid_up_to()]);
        LoadError::NotUtf8 { path: path.to_owned(), line, column }
    })?;
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

/// Line and column behind `valid`, which is UTF-8.
fn end_of(valid: &[u8]) -> (usize, usize) {
    let text = String::from_utf8_lossy(valid);
    let line_start = text.rfind('\n').map_or(0, |at| at + 1);
    (text.matches('\n').count() + 1, text[line_start..].chars().count() + 1)
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
        assert_eq!(words(file(b"name: x\nd\xc3\xa9: \xff\n").path()), "F:2:5: the file is not UTF-8 from here on");
        let large = file(&vec![b'#'; usize::try_from(MAX_FILE).unwrap() + 1]);
        assert_eq!(words(large.path()), "`F` is larger than 8 MiB");
    }
}
