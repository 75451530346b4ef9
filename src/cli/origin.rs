//! Where a run comes from: the command line that it can be gone on with later.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use serde::Deserialize as _;

use crate::engine::{Request, changed_parts, outline};
use crate::model::Json;
use crate::plan::Plan;
use crate::sink::one_line;
use crate::store::{KeptRun, KeptStdin, RunId};

use super::args::{RequestArgs, RunArgs};
use super::fault::Fault;
use super::inputs::reads_stdin_as_list;
use super::limits::LimitArgs;
use super::stdout;

/// What began a run.
#[derive(Debug, Clone, Default)]
pub(super) struct Origin {
    /// The words of the command line, without the program's own name.
    pub(super) words: Vec<String>,
    /// All of standard input, where that was the value of an input.
    pub(super) stdin: Option<String>,
    /// The run that is gone on with.
    pub(super) goes_on: Option<GoesOn>,
}

/// The run that another one goes on with.
#[derive(Debug, Clone)]
pub(super) struct GoesOn {
    /// Its name.
    pub(super) name: String,
    /// The first run of the line.
    pub(super) root: RunId,
    /// Where it was begun.
    pub(super) folder: PathBuf,
    /// What its pipeline file said.
    pub(super) outline: Json,
    /// What it may take, as it was told last.
    pub(super) limits: LimitArgs,
    /// The store, if it was named to go on with the run.
    pub(super) store: Option<PathBuf>,
    /// Its standard input, should that be a list.
    pub(super) stdin: KeptStdin,
}

impl Origin {
    /// A command line that somebody typed.
    pub(super) fn typed(words: &[OsString]) -> Self {
        let words = words.iter().skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
        Self { words, stdin: None, goes_on: None }
    }

    /// That of a run which is remembered; nothing where it can't be read.
    pub(super) fn of(run: &KeptRun, kept: KeptStdin) -> Option<Self> {
        let about = &run.about;
        let words = about.get("words")?.as_array()?;
        Some(Self {
            words: words.iter().filter_map(|word| word.as_str().map(str::to_owned)).collect(),
            stdin: about.get("stdin").and_then(Json::as_str).map(str::to_owned),
            goes_on: Some(GoesOn {
                name: run.name.clone(),
                root: run.root,
                folder: about.get("folder")?.as_str()?.into(),
                outline: about.get("outline").cloned().unwrap_or_default(),
                limits: about.get("limits").and_then(|limits| LimitArgs::deserialize(limits).ok()).unwrap_or_default(),
                store: None,
                stdin: kept,
            }),
        })
    }

    /// With what was read from standard input, if that is the value of an input.
    pub(super) fn with_stdin(&self, args: &RequestArgs, request: &Request) -> Self {
        let read = args.reads_stdin().and_then(|name| request.inputs.iter().find(|(input, _)| input == name));
        let stdin = read.map(|(_, text)| text.clone()).or_else(|| self.stdin.clone());
        Self { stdin, ..self.clone() }
    }

    /// The first run of the line that is gone on with.
    pub(super) fn root(&self) -> Option<RunId> {
        self.goes_on.as_ref().map(|run| run.root)
    }

    /// The store as the user has named it: now, or when the run was begun.
    pub(super) fn named_store<'a>(&'a self, args: &'a RunArgs) -> Option<&'a Path> {
        match &self.goes_on {
            Some(run) => run.store.as_deref(),
            None => args.store.as_deref(),
        }
    }

    /// What is read in place of standard input, where that is a list and a run is gone on with.
    ///
    /// # Errors
    /// Not enough of it is kept.
    pub(super) fn kept_list(&self, plan: &Plan, limit: Option<u64>) -> Result<Option<PathBuf>, Fault> {
        let Some(GoesOn { name, stdin: KeptStdin { copy, mark }, .. }) = &self.goes_on else { return Ok(None) };
        if !reads_stdin_as_list(plan) {
            return Ok(None);
        }
        let rows =
            || std::fs::read_to_string(copy).map_or(0, |text| text.lines().filter(|row| !row.is_empty()).count());
        if mark.exists() || limit.is_some_and(|limit| rows() as u64 >= limit) {
            return Ok(Some(copy.clone()));
        }
        let kept = match rows() {
            0 => "none of it is kept".to_owned(),
            rows => format!(
                "`{}` has its first {}",
                copy.display(),
                if rows == 1 { "row".to_owned() } else { format!("{rows} rows") }
            ),
        };
        let message = format!("the run `{name}` had not read its standard input to the end: {kept}");
        // With `--fresh`, all that this run has been given would be asked for again.
        let words: Vec<&str> =
            self.words.iter().map(String::as_str).filter(|word| !word.starts_with("--fresh")).collect();
        let words = one_line(&words.join(" "));
        let help = format!("give all of it to `blossom-run {words}` again; what was answered is not asked again");
        Err(Fault::invalid(message, help))
    }

    /// Says which run is gone on with, and what has changed in its file since.
    pub(super) fn tell(&self, file: &Path) {
        let Some(run) = &self.goes_on else { return };
        let changed = changed_parts(&run.outline, &outline(file));
        let changed = match changed[..] {
            [] => String::new(),
            _ => format!("; changed since: {}", one_line(&changed.join(", "))),
        };
        stdout::error(&format!("going on with run {}{changed}\n", run.name));
    }

    /// As the store keeps it, with what the pipeline file says.
    pub(super) fn about(&self, file: &Path, limits: &LimitArgs) -> Json {
        let folder = std::env::current_dir().map(|folder| folder.display().to_string()).unwrap_or_default();
        let mut about =
            serde_json::json!({"words": self.words, "limits": limits, "folder": folder, "outline": outline(file)});
        if let (Some(fields), Some(stdin)) = (about.as_object_mut(), &self.stdin) {
            fields.insert("stdin".to_owned(), Json::from(stdin.as_str()));
        }
        about
    }
}
