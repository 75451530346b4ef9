//! Shipped templates: folders inside the program.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use anyhow::Result;
use include_dir::{Dir, DirEntry, include_dir};
use tempfile::TempDir;

use crate::engine;
use crate::sink::{Exit, Side, one_line, table};

use super::args::{NewArgs, RequestArgs};
use super::fault::Fault;
use super::inputs::{self, Purpose};
use super::pipeline::FILE_NAME;
use super::stdout;

static SHIPPED: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/pipelines");

/// The names of all templates, sorted.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    let mut names: Vec<&str> = SHIPPED.dirs().filter_map(|folder| folder.path().to_str()).collect();
    names.sort_unstable();
    names.into_iter()
}

/// A template by its name.
pub(super) fn find(name: &str) -> Option<&'static Dir<'static>> {
    names().find(|known| *known == name).and_then(|name| SHIPPED.get_dir(name))
}

/// Copies a template into `folder`, which is made where it is not there.
///
/// # Errors
/// A file that is there already stays as it is, and is an error.
pub(super) fn copy(template: &Dir<'_>, folder: &Path) -> Result<(), Fault> {
    copy_entries(template, template.path(), folder)
        .map_err(|(path, error)| Fault::unwritable(format!("`{}` can't be written: {error}", path.display()), None))
}

type CopyError = (std::path::PathBuf, io::Error);

fn copy_entries(from: &Dir<'_>, root: &Path, folder: &Path) -> Result<(), CopyError> {
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

/// A folder that goes when it is dropped.
pub(super) fn temporary_folder() -> Result<TempDir, Fault> {
    TempDir::with_prefix("blossom-run-").map_err(|error| {
        let help = "set `TMPDIR` to an existing folder that can be written to".to_owned();
        Fault::unwritable(format!("no temporary folder can be made: {error}"), Some(help))
    })
}

/// `templates`: what each is called and what it does.
pub(super) fn list() -> Result<Exit> {
    let folder = temporary_folder()?;
    let mut rows = Vec::new();
    for name in names() {
        let Some(template) = find(name) else { continue };
        copy(template, &folder.path().join(name))?;
        let file = folder.path().join(name).join(FILE_NAME);
        let checked = engine::check(&inputs::request(&file, &RequestArgs::default(), Purpose::Look)?);
        let description = checked.plan.and_then(|plan| plan.description.clone());
        rows.push(vec![name.to_owned(), description.unwrap_or_default()]);
    }
    let lines = table(&[Side::Left, Side::Left], &rows);
    stdout::print(&format!("{}\n", lines.join("\n")))?;
    Ok(Exit::Done)
}

/// `new`: a template's folder, for its new owner to change.
pub(super) fn new(args: &NewArgs) -> Result<Exit> {
    let name = args.template.as_str();
    let Some(template) = find(name) else {
        let known: Vec<&str> = names().collect();
        let help = Fault::nearest(name, &known, "take one of these");
        return Err(Fault::usage(format!("there is no template `{name}`"), help).into());
    };
    let folder = args.folder.clone().unwrap_or_else(|| name.into());
    let occupied = folder.exists() && !fs::read_dir(&folder).is_ok_and(|mut entries| entries.next().is_none());
    if occupied {
        let help = format!("name another folder: `blossom-run new {name} FOLDER`");
        let message = format!("`{}` already exists, and nothing in it is overwritten", folder.display());
        return Err(Fault::unwritable(message, Some(help)).into());
    }
    copy(template, &folder)?;
    let folder = one_line(&folder.to_string_lossy());
    stdout::error(&format!(
        "Made `{folder}`. Try it without a service: `blossom-run {folder} --offline`, then change \
         `{folder}/{FILE_NAME}`.\n"
    ));
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_is_a_folder_with_a_pipeline() {
        assert!(names().count() > 0);
        for name in names() {
            let template = find(name).unwrap();
            assert!(template.get_file(Path::new(name).join(FILE_NAME)).is_some(), "{name}");
        }
        assert!(find("no-such-template").is_none());
        assert!(find("").is_none());
    }

    #[test]
    fn a_copy_has_every_file_and_overwrites_none() {
        let folder = tempfile::tempdir().unwrap();
        let name = names().next().unwrap();
        let template = find(name).unwrap();
        let target = folder.path().join("mine");
        copy(template, &target).unwrap();
        let shipped = template.get_file(Path::new(name).join(FILE_NAME)).unwrap();
        assert_eq!(fs::read(target.join(FILE_NAME)).unwrap(), shipped.contents());
        assert_eq!(copy(template, &target).unwrap_err().exit, Exit::Unwritable);
    }
}
