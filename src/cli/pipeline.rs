//! Which file PIPELINE is: a file, a folder, or a shipped template.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Result;
use tempfile::TempDir;

use crate::diag::{Severity, did_you_mean, draw};
use crate::engine::{self, Checked, Request};
use crate::plan::Plan;

use super::fault::Fault;
use super::settings::Settings;
use super::stdout;
use super::templates;

/// What a folder's pipeline is called.
pub(super) const FILE_NAME: &str = "pipeline.yaml";

/// So many mistakes are shown: whoever sees them has the others scroll away.
const MOST_TOLD: usize = 50;

/// A pipeline file that is there.
#[derive(Debug)]
pub(super) struct Located {
    /// The file.
    pub(super) file: PathBuf,
    /// Where a template was unpacked; it goes when this does.
    _unpacked: Option<TempDir>,
}

/// Finds what PIPELINE names. A file or a folder goes before a template of the same name.
pub(super) fn locate(name: &str) -> Result<Located> {
    let path = Path::new(name);
    if path.is_dir() {
        let file = path.join(FILE_NAME);
        if file.is_file() {
            return Ok(Located { file, _unpacked: None });
        }
        if templates::find(name).is_none() {
            let help = "name the pipeline file itself, or make one there: `blossom-run new digest FOLDER`";
            return Err(Fault::invalid(format!("the folder `{name}` has no `{FILE_NAME}`"), help).into());
        }
    } else if path.exists() {
        return Ok(Located { file: path.to_owned(), _unpacked: None });
    }
    let Some(template) = templates::find(name) else { return Err(unknown(name).into()) };
    let folder = templates::temporary_folder()?;
    templates::copy(template, folder.path())?;
    Ok(Located { file: folder.path().join(FILE_NAME), _unpacked: Some(folder) })
}

fn unknown(name: &str) -> Fault {
    let files = pipelines_beside();
    let names: Vec<&str> = templates::names().collect();
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
pub(super) fn tell(checked: &Checked, settings: &Settings, least: Severity) {
    let mut told = checked.diagnostics.iter().filter(|diagnostic| weight(diagnostic.severity) >= weight(least));
    for diagnostic in told.by_ref().take(MOST_TOLD) {
        stdout::error(&format!("{}\n\n", draw(diagnostic, &checked.files, settings.draw_style())));
    }
    match told.count() {
        0 => {}
        1 => stdout::error("1 more is not shown: mend these first\n\n"),
        more => stdout::error(&format!("{more} more are not shown: mend these first\n\n")),
    }
}

fn weight(severity: Severity) -> u8 {
    match severity {
        Severity::Note => 0,
        Severity::Warning => 1,
        Severity::Error => 2,
    }
}

/// The plan of a pipeline, or nothing where it has mistakes; these have been told by then.
pub(super) fn planned(request: &Request, settings: &Settings) -> Option<Arc<Plan>> {
    let checked = engine::check(request);
    let plan = checked.plan.clone().filter(|_| !checked.diagnostics.has_errors());
    let least = match (&plan, settings.quiet) {
        (Some(_), true) => Severity::Error,
        (Some(_), false) => Severity::Warning,
        // A note may be all there is to say why nothing can be run.
        (None, _) => Severity::Note,
    };
    tell(&checked, settings, least);
    plan
}
