//! Shipped templates: those that there are, and a copy of one.

use std::fs;
use std::path::Path;

use anyhow::Result;
use include_dir::Dir;
use tempfile::TempDir;

use crate::engine;
use crate::sink::{Exit, Side, one_line, table};
use crate::spec::{FILE_NAME, copy_shipped, find_shipped as find, shipped_names as names};

use super::args::{NewArgs, RequestArgs};
use super::fault::Fault;
use super::inputs::{self, Purpose};
use super::stdout;

/// Copies a template into `folder`, which is made where it is not there.
///
/// # Errors
/// A file that is there already stays as it is, and is an error.
pub(super) fn copy(template: &Dir<'_>, folder: &Path) -> Result<(), Fault> {
    copy_shipped(template, folder)
        .map_err(|(path, error)| Fault::unwritable(format!("`{}` can't be written: {error}", path.display()), None))
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
