//! Shipped templates: folders inside the program, each with a pipeline, its prompts and its data.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use include_dir::{Dir, DirEntry, include_dir};
use tempfile::TempDir;

/// What the pipeline of a folder is called.
pub const FILE_NAME: &str = "pipeline.yaml";

static SHIPPED: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/pipelines");

/// The names of all shipped templates, sorted.
pub fn shipped_names() -> impl Iterator<Item = &'static str> {
    let mut names: Vec<&str> = SHIPPED.dirs().filter_map(|folder| folder.path().to_str()).collect();
    names.sort_unstable();
    names.into_iter()
}

/// A shipped template by its name.
pub fn find_shipped(name: &str) -> Option<&'static Dir<'static>> {
    shipped_names().find(|known| *known == name).and_then(|name| SHIPPED.get_dir(name))
}

/// Copies a template into `folder`, which is made where it is not there. A file that is there already stays as it is.
///
/// # Errors
/// What can't be written, with its path; a file that is there already is such an error.
pub fn copy_shipped(template: &Dir<'_>, folder: &Path) -> Result<(), (PathBuf, io::Error)> {
    copy_entries(template, template.path(), folder)
}

fn copy_entries(from: &Dir<'_>, root: &Path, folder: &Path) -> Result<(), (PathBuf, io::Error)> {
    fs::create_dir_all(folder).map_err(|error| (folder.to_owned(), error))?;
    for entry in from.entries() {
        let target = folder.join(entry.path().strip_prefix(root).unwrap_or(entry.path()));
        match entry {
            DirEntry::Dir(inner) => {
                fs::create_dir_all(&target).map_err(|error| (target.clone(), error))?;
                copy_entries(inner, root, folder)?;
            }
            DirEntry::File(file) => File::create_new(&target)
                .and_then(|mut out| out.write_all(file.contents()))
                .map_err(|error| (target, error))?,
        }
    }
    Ok(())
}

/// A shipped template that another pipeline uses: its files lie in a folder of their own, since lists are read from there
/// while a run goes on. The folder goes with the last who holds this.
#[derive(Debug, Clone)]
pub struct Unpacked {
    /// The template's name: what its folder is called where people see it.
    pub name: Arc<str>,
    folder: Arc<TempDir>,
}

impl Unpacked {
    /// Unpacks a template.
    ///
    /// # Errors
    /// There is no room for it, or no temporary folder.
    pub(super) fn new(name: &str, template: &Dir<'_>) -> io::Result<Self> {
        let folder = TempDir::with_prefix("blossom-run-")?;
        copy_shipped(template, folder.path()).map_err(|(_, error)| error)?;
        Ok(Self { name: name.into(), folder: Arc::new(folder) })
    }

    /// Where it lies.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_is_a_folder_with_a_pipeline() {
        assert!(shipped_names().count() > 0);
        for name in shipped_names() {
            let template = find_shipped(name).unwrap();
            assert!(template.get_file(Path::new(name).join(FILE_NAME)).is_some(), "{name}");
        }
        assert!(find_shipped("no-such-template").is_none());
        assert!(find_shipped("").is_none());
    }

    #[test]
    fn a_copy_has_every_file_and_overwrites_none() {
        let folder = tempfile::tempdir().unwrap();
        let name = shipped_names().next().unwrap();
        let template = find_shipped(name).unwrap();
        let target = folder.path().join("mine");
        copy_shipped(template, &target).unwrap();
        let shipped = template.get_file(Path::new(name).join(FILE_NAME)).unwrap();
        assert_eq!(fs::read(target.join(FILE_NAME)).unwrap(), shipped.contents());
        let (path, error) = copy_shipped(template, &target).unwrap_err();
        assert!(path.starts_with(&target) && error.kind() == io::ErrorKind::AlreadyExists);
    }

    #[test]
    fn an_unpacked_template_goes_with_who_holds_it() {
        let name = shipped_names().next().unwrap();
        let unpacked = Unpacked::new(name, find_shipped(name).unwrap()).unwrap();
        let folder = unpacked.folder().to_owned();
        let other = unpacked.clone();
        drop(unpacked);
        assert!(folder.join(FILE_NAME).is_file());
        drop(other);
        assert!(!folder.exists());
    }
}
