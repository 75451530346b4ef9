//! Which paths a run writes: each once.

use std::collections::{HashMap, HashSet};
use std::fmt;

use super::SafePath;

/// So many owners are remembered by name, for the message. Of later paths only digests are kept, 16 bytes each.
const REMEMBERED: usize = 4096;

type Digest = [u8; 16];

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
            Some(theirs) if theirs.as_str().len() != path.as_str().len() => {
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
        }?;
        f.write_str("; put a value that differs, as `{{loop.number}}`, into `save`")
    }
}

impl std::error::Error for Clash {}

/// The paths of a run's files and of the folders that these need, without regard to capital letters.
#[derive(Debug, Default)]
pub(super) struct Claims {
    files: HashSet<Digest>,
    folders: HashSet<Digest>,
    remembered: HashMap<Digest, (SafePath, String)>,
}

impl Claims {
    /// Gives `path` to `owner` if nobody has it.
    pub(super) fn claim(&mut self, path: &SafePath, owner: &str) -> Result<(), Clash> {
        let folded = fold(path.as_str());
        let file = digest(&folded);
        let folders: Vec<Digest> = folded.match_indices('/').map(|(at, _)| digest(&folded[..at])).collect();
        let taken = [file].into_iter().filter(|file| self.files.contains(file) || self.folders.contains(file));
        let blocked = folders.iter().copied().filter(|folder| self.files.contains(folder));
        if let Some(found) = taken.chain(blocked).next() {
            let (other_path, other) = self.remembered.get(&found).cloned().unzip();
            return Err(Clash { path: path.clone(), owner: owner.to_owned(), other, other_path });
        }
        self.files.insert(file);
        if self.remembered.len() < REMEMBERED {
            for place in folders.iter().chain([&file]) {
                self.remembered.entry(*place).or_insert_with(|| (path.clone(), owner.to_owned()));
            }
        }
        self.folders.extend(folders);
        Ok(())
    }
}

/// Texts that differ in case only fold to one: upper case first, since some letters meet only there (`ſ` and `s`).
fn fold(text: &str) -> String {
    text.to_uppercase().to_lowercase()
}

fn digest(folded: &str) -> Digest {
    let hash = blake3::hash(folded.as_bytes());
    let mut digest = Digest::default();
    digest.copy_from_slice(&hash.as_bytes()[..16]);
    digest
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
        claims.claim(&path("a/b.md"), "`one`").unwrap();
        claims.claim(&path("a/c.md"), "`two`").unwrap();
        let clash = claims.claim(&path("a/b.md"), "`three`").unwrap_err();
        assert!(clash.to_string().starts_with("`three` writes `a/b.md`, which `one` writes too;"), "{clash}");
    }

    #[test]
    fn case_alone_does_not_tell_two_paths_apart() {
        let mut claims = Claims::default();
        claims.claim(&path("Straße.md"), "`one`").unwrap();
        let clash = claims.claim(&path("STRASSE.md"), "`two`").unwrap_err();
        assert_eq!(clash.other_path, Some(path("Straße.md")));
        claims.claim(&path("A.md"), "`one`").unwrap();
        let clash = claims.claim(&path("a.md"), "`two`").unwrap_err();
        assert!(clash.to_string().contains("capital letters"), "{clash}");
    }

    #[test]
    fn a_file_is_no_folder() {
        let mut claims = Claims::default();
        claims.claim(&path("a"), "`one`").unwrap();
        assert!(claims.claim(&path("A/b"), "`two`").unwrap_err().to_string().contains("needs a folder"));
        claims.claim(&path("x/y/z"), "`three`").unwrap();
        assert_eq!(claims.claim(&path("x/y"), "`four`").unwrap_err().other.as_deref(), Some("`three`"));
    }

    #[test]
    fn beyond_what_is_remembered_a_clash_is_still_found() {
        let mut claims = Claims::default();
        for n in 0..REMEMBERED + 10 {
            claims.claim(&path(&format!("{n}.md")), "`one`").unwrap();
        }
        let clash = claims.claim(&path(&format!("{}.md", REMEMBERED + 5)), "`two`").unwrap_err();
        assert_eq!(clash.other, None);
        assert!(clash.to_string().contains("an earlier item"));
    }
}
