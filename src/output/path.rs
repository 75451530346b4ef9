//! Paths under the output folder.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The longest segment and the longest path, in bytes. 255 is what file systems allow for a name.
const LONGEST_SEGMENT: usize = 255;
const LONGEST_PATH: usize = 1024;
/// What a value may become as part of a segment, in bytes: it leaves room for what stands around it.
const LONGEST_VALUE: usize = 160;
/// The name of the lock.
pub(super) const LOCK: &str = ".blossom-run.lock";

/// A relative path with `/` that stays in the folder it is joined to, on every system: no `..`, nothing absolute, no
/// device. A `.` is left out (`./a` is `a`). Cloning is cheap.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SafePath(Arc<str>);

/// Why a path can't be one of the output folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PathProblem {
    /// Nothing, or only dots and slashes.
    #[error("the path is empty")]
    Empty,
    /// It begins with `/`, `\` or a drive letter.
    #[error("the path is absolute, but it must lie under the output folder")]
    Absolute,
    /// It begins with `~`.
    #[error("the path begins with `~`, which stands for the home folder in a shell and for nothing here")]
    Home,
    /// It goes up.
    #[error("the path has a `..`, but it must lie under the output folder")]
    Parent,
    /// It has a `\`.
    #[error("the path has a `\\`; folders are separated by `/`")]
    Backslash,
    /// Two slashes, or one at the end.
    #[error("the path has an empty name: two `/` in a row, or one at the end; perhaps a value in it is empty")]
    EmptySegment,
    /// A control character.
    #[error("the path has a control character, as a line break")]
    Control,
    /// A name that Windows cuts.
    #[error("a name in the path ends with a dot or a space, which Windows leaves out")]
    TrailingDotOrSpace,
    /// `CON`, `NUL`, `COM1` and the like.
    #[error("a name in the path is that of a device on Windows")]
    Device,
    /// A name of an unfinished file.
    #[error("a name in the path ends with `.part`, as those of unfinished files do")]
    Part,
    /// The lock's name.
    #[error("a name in the path is that of the output folder's lock")]
    Lock,
    /// Too long.
    #[error(
        "a name in the path is longer than 255 bytes, or the path longer than 1024; `truncate` or `slug` shorten a value"
    )]
    TooLong,
}

impl SafePath {
    /// The path that `text` writes.
    pub fn parse(text: &str) -> Result<Self, PathProblem> {
        if text.trim().is_empty() {
            return Err(PathProblem::Empty);
        }
        if text.starts_with(['/', '\\']) || has_drive(text) {
            return Err(PathProblem::Absolute);
        }
        if text.starts_with('~') {
            return Err(PathProblem::Home);
        }
        if text.chars().any(char::is_control) {
            return Err(PathProblem::Control);
        }
        if text.contains('\\') {
            return Err(PathProblem::Backslash);
        }
        if text.len() > LONGEST_PATH {
            return Err(PathProblem::TooLong);
        }
        let mut segments = Vec::new();
        for segment in text.split('/') {
            check_segment(segment)?;
            if segment != "." {
                segments.push(segment);
            }
        }
        // A drive letter may also stand behind what is left out.
        match segments.first() {
            None => Err(PathProblem::Empty),
            Some(first) if has_drive(first) => Err(PathProblem::Absolute),
            Some(_) => Ok(Self(segments.join("/").into())),
        }
    }

    /// With `/`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The names of the folders, then that of the file.
    pub fn segments(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.0.split('/')
    }

    /// The extension in lower case, without its dot; none if there is none.
    pub fn extension(&self) -> Option<String> {
        Path::new(self.file_name()).extension()?.to_str().map(str::to_ascii_lowercase)
    }

    /// The same path with `.extension` behind it.
    pub fn with_appended_extension(&self, extension: &str) -> Result<Self, PathProblem> {
        Self::parse(&format!("{}.{extension}", self.0))
    }

    /// The last name.
    pub(super) fn file_name(&self) -> &str {
        self.segments().next_back().unwrap_or_default()
    }

    /// Where it lies in `folder`.
    pub(super) fn under(&self, folder: &Path) -> PathBuf {
        let mut path = folder.to_path_buf();
        path.extend(self.segments());
        path
    }
}

impl fmt::Display for SafePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// `C:`, alone or before more.
fn has_drive(text: &str) -> bool {
    matches!(text.as_bytes(), [letter, b':', ..] if letter.is_ascii_alphabetic())
}

fn check_segment(segment: &str) -> Result<(), PathProblem> {
    match segment {
        "" => return Err(PathProblem::EmptySegment),
        "." => return Ok(()),
        ".." => return Err(PathProblem::Parent),
        _ => {}
    }
    let lower = segment.to_lowercase();
    if segment.len() > LONGEST_SEGMENT {
        Err(PathProblem::TooLong)
    } else if segment.ends_with(['.', ' ']) {
        Err(PathProblem::TrailingDotOrSpace)
    } else if is_device(&lower) {
        Err(PathProblem::Device)
    } else if Path::new(&lower).extension().is_some_and(|extension| extension == "part") || lower == ".part" {
        Err(PathProblem::Part)
    } else if lower == LOCK {
        Err(PathProblem::Lock)
    } else {
        Ok(())
    }
}

/// The reserved names of Windows, with any extension
/// (<https://learn.microsoft.com/en-us/windows/win32/fileio/naming-a-file>).
fn is_device(lower: &str) -> bool {
    let stem = lower.split('.').next().unwrap_or_default().trim_end();
    if matches!(stem, "con" | "prn" | "aux" | "nul" | "conin$" | "conout$") {
        return true;
    }
    let number = stem.strip_prefix("com").or_else(|| stem.strip_prefix("lpt"));
    number.is_some_and(|number| {
        let mut chars = number.chars();
        matches!(chars.next(), Some('0'..='9' | '¹' | '²' | '³')) && chars.next().is_none()
    })
}

/// A value as part of one name in a path: `/` and `\` become `-`, control characters are dropped. A long one is cut, and
/// gets a few characters that tell it from others with the same beginning.
pub fn safe_segment(value: &str) -> String {
    let clean: String = value
        .chars()
        .filter(|character| !character.is_control())
        .map(|character| if matches!(character, '/' | '\\') { '-' } else { character })
        .collect();
    if clean.len() <= LONGEST_VALUE {
        return clean;
    }
    let mark = &blake3::hash(value.as_bytes()).to_hex()[..8];
    format!("{}-{mark}", cut(&clean, LONGEST_VALUE - 9))
}

/// A value as a whole name of a file or a folder, also with an extension behind it: as [`safe_segment`], without dots and
/// spaces at its end, and with a `_` at what is no name.
pub fn file_name(value: &str) -> String {
    let segment = safe_segment(value);
    let mut name = segment.trim_end_matches(['.', ' ']).to_owned();
    while let Err(problem) = check_segment(&name) {
        // With another problem nothing is left of it, or it is the name of a device or of the lock.
        name = if problem == PathProblem::Part { format!("{name}_") } else { format!("_{name}") };
    }
    name
}

/// The longest beginning of `text` with at most `most` bytes.
pub(super) fn cut(text: &str, most: usize) -> &str {
    let end = (0..=most.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    &text[..end]
}

#[cfg(test)]
mod tests {
    use std::path::Component;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ordinary_paths_are_fine() {
        for (text, path) in [
            ("report.md", "report.md"),
            ("./a/./b c/ü.md", "a/b c/ü.md"),
            (".hidden/a", ".hidden/a"),
            ("console.md", "console.md"),
            ("a~b/com10/...x", "a~b/com10/...x"),
            ("12:30.md", "12:30.md"),
            ("counterpart", "counterpart"),
        ] {
            assert_eq!(SafePath::parse(text).unwrap().as_str(), path);
        }
    }

    #[test]
    fn paths_that_leave_or_confuse_are_refused() {
        use PathProblem as P;
        let long = "x".repeat(256);
        for (text, problem) in [
            ("", P::Empty),
            (" ", P::Empty),
            ("././.", P::Empty),
            ("/etc/passwd", P::Absolute),
            ("\\\\server\\share", P::Absolute),
            ("C:\\a", P::Absolute),
            ("c:a", P::Absolute),
            ("./c:a", P::Absolute),
            ("~/a", P::Home),
            ("..", P::Parent),
            ("a/../../b", P::Parent),
            ("a\\..\\b", P::Backslash),
            ("a//b", P::EmptySegment),
            ("a/", P::EmptySegment),
            ("a\nb", P::Control),
            ("a\u{0}", P::Control),
            ("a/b. /c", P::TrailingDotOrSpace),
            ("a./b", P::TrailingDotOrSpace),
            ("...", P::TrailingDotOrSpace),
            ("nul", P::Device),
            ("a/Con.txt", P::Device),
            ("con .txt", P::Device),
            ("LPT¹.md", P::Device),
            ("com0", P::Device),
            ("x.PART", P::Part),
            ("a/.part/x", P::Part),
            (".Blossom-run.lock", P::Lock),
            (&long, P::TooLong),
            (&"a/".repeat(600), P::TooLong),
        ] {
            assert_eq!(SafePath::parse(text), Err(problem), "{text:?}");
        }
    }

    #[test]
    fn extensions() {
        let path = SafePath::parse("a.b/photo").unwrap();
        assert_eq!(path.extension(), None);
        assert_eq!(path.with_appended_extension("png").unwrap().as_str(), "a.b/photo.png");
        assert_eq!(SafePath::parse("a.JPG").unwrap().extension().as_deref(), Some("jpg"));
    }

    #[test]
    fn a_value_is_part_of_one_name() {
        assert_eq!(safe_segment("de/checkout\\a\n"), "de-checkout-a");
        assert_eq!(safe_segment(".."), "..");
        let (one, other) = (safe_segment(&"ä".repeat(200)), safe_segment(&format!("{}b", "ä".repeat(200))));
        assert!(one.len() <= LONGEST_VALUE && one != other);
        assert_eq!(one, safe_segment(&"ä".repeat(200)));
    }

    #[test]
    fn a_value_is_a_whole_name() {
        for (value, name) in [
            ("a/b", "a-b"),
            ("..", "_"),
            (".", "_"),
            ("", "_"),
            ("\u{1}", "_"),
            ("a b. ", "a b"),
            ("con.", "_con"),
            ("COM1.x", "_COM1.x"),
            ("x.part", "x.part_"),
            ("con.part", "_con.part_"),
            (".blossom-run.lock", "_.blossom-run.lock"),
            (".hidden", ".hidden"),
        ] {
            assert_eq!(file_name(value), name, "{value:?}");
        }
    }

    proptest! {
        #[test]
        fn a_file_name_is_the_name_of_a_file(value in r"\PC{0,20}|(con|aux|COM1|\.part|[./ a]){0,4}") {
            let name = file_name(&value);
            for path in [format!("s/{name}"), format!("s/{name}.png"), format!("s/{name}/x.png")] {
                prop_assert_eq!(SafePath::parse(&path).map(|safe| safe.to_string()), Ok(path));
            }
        }

        #[test]
        fn a_safe_path_never_leaves_its_folder(text in r"([a-z~C:]{0,2}[./\\]{0,3}){0,6}|\PC*") {
            let Ok(path) = SafePath::parse(&text) else { return Ok(()) };
            let folder = Path::new("/out");
            let joined = path.under(folder);
            prop_assert!(joined.starts_with(folder) && joined != folder);
            prop_assert!(joined.strip_prefix(folder).unwrap().components().all(|part| matches!(part, Component::Normal(_))));
            prop_assert!(!path.as_str().contains('\\'));
            prop_assert_eq!(SafePath::parse(path.as_str()), Ok(path.clone()));
        }

        #[test]
        fn a_safe_segment_is_one_segment(value in any::<String>()) {
            let segment = safe_segment(&value);
            prop_assert!(!segment.contains(['/', '\\']) && segment.len() <= LONGEST_VALUE);
            if let Ok(path) = SafePath::parse(&format!("x{segment}.md")) {
                prop_assert_eq!(path.segments().count(), 1);
            }
        }
    }
}
