//! Which file PIPELINE is: a file, a folder, or a shipped template.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Result;
use tempfile::TempDir;

use crate::diag::{Diagnostic, Severity, did_you_mean, draw};
use crate::engine::{self, COMMAND_LINE, Checked, Request};
use crate::plan::Plan;
use crate::sink::Exit;
use crate::spec::{FILE_NAME, find_shipped, shipped_names};

use super::fault::Fault;
use super::settings::Settings;
use super::stdout;
use super::templates;

/// So many mistakes are shown: whoever sees them has the others scroll away.
const MOST_TOLD: usize = 50;

/// A pipeline file that is there.
#[derive(Debug)]
pub(super) struct Located {
    /// The file.
    pub(super) file: PathBuf,
    /// The template and where it was unpacked; that goes when this does.
    template: Option<(String, TempDir)>,
}

impl Located {
    /// A message as its reader knows the files: where a template was unpacked is gone when it is read.
    fn shown(&self, message: String) -> String {
        match &self.template {
            Some((name, folder)) => message.replace(&*folder.path().to_string_lossy(), name),
            None => message,
        }
    }
}

/// Finds what PIPELINE names. A file or a folder goes before a template of the same name.
pub(super) fn locate(name: &str) -> Result<Located> {
    let path = Path::new(name);
    if path.is_dir() {
        let file = path.join(FILE_NAME);
        if file.is_file() {
            return Ok(Located { file, template: None });
        }
        if find_shipped(name).is_none() {
            let help = "name the pipeline file itself, or make one there: `blossom-run new digest FOLDER`";
            return Err(Fault::invalid(format!("the folder `{name}` has no `{FILE_NAME}`"), help).into());
        }
    } else if path.exists() {
        return Ok(Located { file: path.to_owned(), template: None });
    }
    let Some(template) = find_shipped(name) else { return Err(unknown(name).into()) };
    let folder = templates::temporary_folder()?;
    templates::copy(template, folder.path())?;
    Ok(Located { file: folder.path().join(FILE_NAME), template: Some((name.to_owned(), folder)) })
}

fn unknown(name: &str) -> Fault {
    let files = pipelines_beside();
    let names: Vec<&str> = shipped_names().collect();
    let near: Vec<&str> = files.iter().map(String::as_str).chain(names.iter().copied()).collect();
    let help = match did_you_mean(name, near) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("name a pipeline file, or a shipped template: {}", names.join(", ")),
    };
    Fault::invalid(format!("there is no pipeline `{name}`"), help)
}

/// Pipeline files of the working directory.
fn pipelines_beside() -> Vec<String> {
    let entries = std::fs::read_dir(".").into_iter().flatten().flatten();
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| Path::new(name).extension().is_some_and(|extension| extension == "yaml" || extension == "yml"))
        .collect();
    names.sort();
    names
}

/// What is wrong with a pipeline and its inputs, drawn on standard error: the first fifty. Notes are for those who asked
/// for a check.
pub(super) fn tell(located: &Located, checked: &Checked, settings: &Settings, least: Severity) {
    let mut told = checked.diagnostics.iter().filter(|diagnostic| weight(diagnostic.severity) >= weight(least));
    for diagnostic in told.by_ref().take(MOST_TOLD) {
        let drawn = draw(diagnostic, &checked.files, settings.draw_style());
        stdout::error(&format!("{}\n\n", located.shown(with_templates_named(drawn, checked))));
    }
    match told.count() {
        0 => {}
        1 => stdout::error("1 more is not shown: fix these first\n\n"),
        more => stdout::error(&format!("{more} more are not shown: fix these first\n\n")),
    }
    let Some((name, folder)) = &located.template else { return };
    let is_inside = |one: &Diagnostic| Path::new(checked.files.get(one.place.file).name()).starts_with(folder.path());
    if checked.diagnostics.iter().any(|one| one.severity == Severity::Error && is_inside(one)) {
        stdout::error(&format!(
            "`{name}` is a shipped template: `blossom-run new {name}` copies it, for you to change\n\n"
        ));
    }
}

/// A message in which templates that are used are called by their names.
fn with_templates_named(message: String, checked: &Checked) -> String {
    checked.unpacked.iter().fold(message, |message, one| message.replace(&*one.folder().to_string_lossy(), &one.name))
}

fn weight(severity: Severity) -> u8 {
    match severity {
        Severity::Note => 0,
        Severity::Warning => 1,
        Severity::Error => 2,
    }
}

/// A flag that names a stage or a provider which the pipeline does not have, if nothing else is wrong: that is wrong usage,
/// and no mistake of the file.
pub(super) fn wrong_flag(checked: &Checked) -> Option<Fault> {
    let mut errors = checked.diagnostics.iter().filter(|one| one.severity == Severity::Error);
    let of_flag = |one: &Diagnostic| {
        let said = checked.files.get(one.place.file);
        let is_flag = said.name() == COMMAND_LINE && matches!(one.code, "unknown-stage" | "unknown-provider");
        is_flag.then(|| said.text().split(' ').next().unwrap_or_default().to_owned())
    };
    let first = errors.next()?;
    let flag = of_flag(first)?;
    errors.all(|one| of_flag(one).is_some()).then(|| Fault {
        exit: Exit::Usage,
        message: format!("`{flag}`: {}", first.message),
        help: first.help.clone(),
    })
}

/// The plan of a pipeline, or nothing where it has mistakes; these have been told by then.
///
/// # Errors
/// A flag names what is not there.
pub(super) fn planned(located: &Located, request: &Request, settings: &Settings) -> Result<Option<Arc<Plan>>, Fault> {
    let checked = engine::check(request);
    if let Some(fault) = wrong_flag(&checked) {
        return Err(fault);
    }
    let plan = checked.plan.clone().filter(|_| !checked.diagnostics.has_errors());
    let least = match (&plan, settings.quiet) {
        (Some(_), true) => Severity::Error,
        (Some(_), false) => Severity::Warning,
        // A note may be all there is to say why nothing can be run.
        (None, _) => Severity::Note,
    };
    tell(located, &checked, settings, least);
    Ok(plan)
}
