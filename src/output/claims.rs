//! Which paths a run writes: each once.

use std::collections::{HashMap, HashSet};
use std::fmt;

use super::SafePath;

/// So many owners are remembered by name, for the message. Of later paths only digests are kept, 16 bytes each.
const REMEMBERED: usize = 4096;

/// Two owners want one path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clash {
    /// The path that is asked for.
    pub path: SafePath,
    /// Who asks for it.
    pub owner: String,
    /// Who has it, as far as that is remembered.
    pub other: Option<String>,
    /// How the other's path is written, as far as that is remembered.
    pub other_path: Option<SafePath>,
}

impl fmt::Display for Clash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let other = self.other.as_deref().unwrap_or("an earlier item");
        let Self { path, owner, .. } = self;
        match &self.other_path {
            Some(theirs) if Fold::of(theirs.as_str()) != Fold::of(path.as_str()) => {
                write!(
                    f,
                    "{owner} writes `{path}` and {other} writes `{theirs}`, but one of them is a file where the other needs a folder"
                )
            }
            Some(theirs) if theirs != path => {
                write!(
                    f,
                    "{owner} writes `{path}` and {other} writes `{theirs}`, which is one file where capital letters do not count"
                )
            }
            _ => write!(f, "{owner} writes `{path}`, which {other} writes too"),
        }
    }
}

impl std::error::Error for Clash {}

/// Who has what was asked for, and under which path, as far as that is remembered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken<O> {
    /// The path and its owner.
    pub by: Option<(SafePath, O)>,
}

/// The paths of a run's files and of the folders that these need, without regard to capital letters. Of each file and
/// each folder 16 bytes are kept, and the first 4096 by name.
#[derive(Debug)]
pub struct Claims<O> {
    files: HashSet<Fold>,
    folders: HashSet<Fold>,
    remembered: HashMap<Fold, (SafePath, O)>,
}

impl<O> Default for Claims<O> {
    fn default() -> Self {
        Self { files: HashSet::new(), folders: HashSet::new(), remembered: HashMap::new() }
    }
}

impl<O: Clone> Claims<O> {
    /// Gives `path` to `owner` if nobody has it.
    ///
    /// # Errors
    /// Somebody has it, or it would be a file where another needs a folder.
    pub fn claim(&mut self, path: &SafePath, owner: impl FnOnce() -> O) -> Result<(), Taken<O>> {
        let text = path.as_str();
        let file = Fold::of(text);
        let folders: Vec<Fold> = text.match_indices('/').map(|(at, _)| Fold::of(&text[..at])).collect();
        let taken = [file].into_iter().filter(|file| self.files.contains(file) || self.folders.contains(file));
        let blocked = folders.iter().copied().filter(|folder| self.files.contains(folder));
        if let Some(found) = taken.chain(blocked).next() {
            return Err(Taken { by: self.remembered.get(&found).cloned() });
        }
        self.files.insert(file);
        if self.remembered.len() < REMEMBERED {
            let owner = owner();
            for place in folders.iter().chain([&file]) {
                self.remembered.entry(*place).or_insert_with(|| (path.clone(), owner.clone()));
            }
        }
        self.folders.extend(folders);
        Ok(())
    }
}

/// Stands for a name without regard to capital letters: names with one fold are one file on many disks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fold([u8; 16]);

impl Fold {
    /// Upper case first, since some letters meet only there (`ſ` and `s`).
    pub fn of(name: &str) -> Self {
        let hash = blake3::hash(name.to_uppercase().to_lowercase().as_bytes());
        let mut fold = [0; 16];
        fold.copy_from_slice(&hash.as_bytes()[..16]);
        Self(fold)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> SafePath {
        SafePath::parse(text).unwrap()
    }

    #[test]
    fn each_path_once() {
        let mut claims = Claims::default();
        claims.claim(&path("a/b.md"), || "`one`").unwrap();
        claims.claim(&path("a/c.md"), || "`two`").unwrap();
        let taken = claims.claim(&path("a/b.md"), || "`three`").unwrap_err();
        assert_eq!(taken.by, Some((path("a/b.md"), "`one`")));
    }

    #[test]
    fn case_alone_does_not_tell_two_paths_apart() {
        let mut claims = Claims::default();
        claims.claim(&path("Straße.md"), || "`one`").unwrap();
        let taken = claims.claim(&path("STRASSE.md"), || "`two`").unwrap_err();
        assert_eq!(taken.by, Some((path("Straße.md"), "`one`")));
    }

    #[test]
    fn a_file_is_no_folder() {
        let mut claims = Claims::default();
        claims.claim(&path("a"), || "`one`").unwrap();
        assert_eq!(claims.claim(&path("A/b"), || "`two`").unwrap_err().by, Some((path("a"), "`one`")));
        claims.claim(&path("x/y/z"), || "`three`").unwrap();
        assert_eq!(claims.claim(&path("x/y"), || "`four`").unwrap_err().by, Some((path("x/y/z"), "`three`")));
    }

    #[test]
    fn beyond_what_is_remembered_a_clash_is_still_found() {
        let mut claims = Claims::default();
        for n in 0..REMEMBERED + 10 {
            claims.claim(&path(&format!("{n}.md")), || "`one`").unwrap();
        }
        assert_eq!(claims.claim(&path(&format!("{}.md", REMEMBERED + 5)), || "`two`").unwrap_err().by, None);
    }

    #[test]
    fn a_clash_says_what_is_one_file() {
        let told = |path: &str, other: Option<&str>| {
            let other_path = other.map(self::path);
            Clash { path: self::path(path), owner: "`b`".to_owned(), other: Some("`a`".to_owned()), other_path }
                .to_string()
        };
        assert_eq!(told("x.md", Some("x.md")), "`b` writes `x.md`, which `a` writes too");
        assert!(told("x.md", Some("X.md")).contains("capital letters"));
        assert!(told("x.md/y", Some("x.md")).contains("needs a folder"));
    }
}
