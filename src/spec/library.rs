//! Pipelines that a pipeline uses, however deep: each file is read once.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::load::read_one;
use super::pipeline::{KindSpec, PipelineSpec};
use super::shipped::{FILE_NAME, Unpacked, find_shipped, shipped_names};
use super::source::read_text;
use super::used::{UseSpec, UsedSpec};
use crate::diag::{Diagnostic, Diagnostics, SourceFiles, did_you_mean, listed};
use crate::model::{At, Place};

/// So many files deep are pipelines used at most: each is read while the one that uses it is open.
const MOST_DEEP: usize = 16;

/// Which pipeline it is, by whatever path it is named.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Identity {
    File(PathBuf),
    Shipped(&'static str),
}

impl Identity {
    pub(super) fn of_file(path: &Path) -> Self {
        Self::File(path.canonicalize().unwrap_or_else(|_| path.to_owned()))
    }
}

/// What is being read: which pipeline, how people call it, and where it is used.
struct Open {
    identity: Identity,
    shown: String,
    used: Option<Place>,
}

/// Reads what is used.
pub(super) struct Library<'f> {
    files: &'f mut SourceFiles,
    found: &'f mut Diagnostics,
    known: HashMap<Identity, Option<Arc<UsedSpec>>>,
    /// From the pipeline file to the one that is being read.
    open: Vec<Open>,
}

/// Where a pipeline lies.
struct Located {
    file: PathBuf,
    shown: String,
    identity: Identity,
    unpacked: Option<Unpacked>,
}

impl<'f> Library<'f> {
    /// For the pipeline file, which is called `shown`.
    pub(super) fn new(identity: Identity, shown: &str, files: &'f mut SourceFiles, found: &'f mut Diagnostics) -> Self {
        let open = vec![Open { identity, shown: shown.to_owned(), used: None }];
        Self { files, found, known: HashMap::new(), open }
    }

    /// Reads whatever the stages of a pipeline use.
    pub(super) fn fill(&mut self, pipeline: &mut PipelineSpec) {
        let folder = pipeline.folder.clone();
        for stage in &mut pipeline.stages {
            if let Some(KindSpec::Use(used)) = &mut stage.kind {
                used.pipeline = self.read(used, &folder);
            }
        }
    }

    fn read(&mut self, used: &UseSpec, folder: &Path) -> Option<Arc<UsedSpec>> {
        if used.path.value.is_empty() {
            return None;
        }
        let located = self.locate(&used.path, folder)?;
        if let Some(at) = self.open.iter().position(|open| open.identity == located.identity) {
            self.tell_cycle(at, &located.shown, &used.path.place);
            return None;
        }
        if let Some(known) = self.known.get(&located.identity) {
            return known.clone();
        }
        if self.open.len() > MOST_DEEP {
            let message = format!("pipelines use each other more than {MOST_DEEP} files deep");
            let told = Diagnostic::error("too-many-uses", &used.path.place, message)
                .help("use fewer of them, or name one of them from further up");
            let told = self.with_uses(told);
            self.found.push(told);
            return None;
        }
        let identity = located.identity.clone();
        let read = self.read_located(located, &used.path.place);
        self.known.insert(identity, read.clone());
        read
    }

    fn read_located(&mut self, located: Located, place: &Place) -> Option<Arc<UsedSpec>> {
        let Located { file, shown, identity, unpacked } = located;
        let text = match read_text(&file) {
            Ok(text) => text,
            Err(error) => {
                let told = error.diagnostic(Some(place), self.files);
                self.found.push(told);
                return None;
            }
        };
        let folder = file.parent().unwrap_or(Path::new("."));
        let start = self.files.count();
        let called = unpacked.as_ref().map(|one| &*one.name);
        let (pipeline, found) = read_one(&shown, (folder, called), &text, self.files);
        let files = start..self.files.count();
        self.open.push(Open { identity, shown, used: Some(place.clone()) });
        let told: Vec<Diagnostic> = found.into_iter().map(|one| self.with_uses(one)).collect();
        self.found.extend(told);
        let pipeline = pipeline.map(|mut spec| {
            self.fill(&mut spec);
            Arc::new(UsedSpec { spec, files, unpacked })
        });
        self.open.pop();
        pipeline
    }

    /// A mistake in what is being read, with where that is used.
    fn with_uses(&self, one: Diagnostic) -> Diagnostic {
        self.open.iter().rev().filter_map(|open| open.used.as_ref()).fold(one, |one, place| one.also(place, IS_USED))
    }

    /// A file or a folder goes before a template of the same name.
    fn locate(&mut self, path: &At<String>, folder: &Path) -> Option<Located> {
        let named = folder.join(&path.value);
        let named = named.strip_prefix(".").map_or_else(|_| named.clone(), Path::to_owned);
        let is_folder = named.is_dir();
        let file = if is_folder { named.join(FILE_NAME) } else { named };
        let template = if file.exists() { None } else { find_shipped(&path.value) };
        if let Some(template) = template {
            return self.unpack(&path.value, template, &path.place);
        }
        if !file.exists() {
            let told = if is_folder { no_pipeline_in(path) } else { missing(path, &file) };
            self.found.push(told);
            return None;
        }
        let shown = file.display().to_string();
        Some(Located { identity: Identity::of_file(&file), file, shown, unpacked: None })
    }

    fn unpack(&mut self, name: &str, template: &include_dir::Dir<'_>, place: &Place) -> Option<Located> {
        let name = shipped_names().find(|known| *known == name)?;
        let identity = Identity::Shipped(name);
        // One that is known, or being read, need not be unpacked again.
        let is_read = self.known.contains_key(&identity) || self.open.iter().any(|open| open.identity == identity);
        let unpacked = if is_read { None } else { Some(Unpacked::new(name, template)) };
        let unpacked = match unpacked.transpose() {
            Ok(unpacked) => unpacked,
            Err(error) => {
                let message = format!("the shipped template `{name}` can't be unpacked: {error}");
                let help = "set `TMPDIR` to an existing folder that can be written to";
                self.found.push(Diagnostic::error("unreadable-file", place, message).help(help));
                return None;
            }
        };
        let file = unpacked.as_ref().map(|one| one.folder().join(FILE_NAME)).unwrap_or_default();
        Some(Located { file, shown: format!("{name}/{FILE_NAME}"), identity, unpacked })
    }

    fn tell_cycle(&mut self, at: usize, last: &str, place: &Place) {
        let cycle = &self.open[at..];
        let way: Vec<&str> = cycle.iter().map(|open| open.shown.as_str()).chain([last]).collect();
        let message = format!("pipelines use each other: {}", way.join(" -> "));
        let told = Diagnostic::error("cycle", place, message)
            .label(format!("uses `{last}` again"))
            .help("a pipeline can't be a part of itself: take one of these uses out");
        let told = self.open.iter().rev().fold(told, |told, open| match &open.used {
            Some(used) => told.also(used, format!("uses `{}`", open.shown)),
            None => told,
        });
        self.found.push(told);
    }
}

/// What stands beside the place where a pipeline is used, under a mistake in it.
pub const IS_USED: &str = "it is used here";

fn no_pipeline_in(path: &At<String>) -> Diagnostic {
    let message = format!("the folder `{}` has no `{FILE_NAME}`", path.value);
    Diagnostic::error("unreadable-file", &path.place, message).help("name the pipeline file itself")
}

fn missing(path: &At<String>, file: &Path) -> Diagnostic {
    let name = path.value.as_str();
    // What looks like a name was hardly meant as a path.
    let is_path = name.contains(['/', '.']) || name.contains('\\');
    let message = if is_path {
        format!("there is no file `{}`", file.display())
    } else {
        format!("there is no pipeline `{name}`, neither a file nor a shipped template")
    };
    let beside = pipelines_beside(file);
    let near = beside.iter().map(String::as_str).chain(shipped_names().map(|name| name as &str));
    let help = match did_you_mean(name, near) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None if is_path => "check the path: those in a pipeline file are relative to its folder".to_owned(),
        None => format!("name a file, or a shipped template: {}", listed(shipped_names())),
    };
    Diagnostic::error("unreadable-file", &path.place, message).help(help)
}

/// Pipeline files in the folder in which one was looked for, sorted.
fn pipelines_beside(file: &Path) -> Vec<String> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| Path::new(name).extension().is_some_and(|extension| extension == "yaml" || extension == "yml"))
        .collect();
    names.sort();
    names
}
