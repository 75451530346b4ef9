//! A pipeline of the guide, run through the library on a clock that is paused, and all that came of it.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use blossom_run::engine::{self, Request, RunOptions};
use blossom_run::model::{EventKind, ItemRef, Json, RunOutcome, StageTally};
use futures::StreamExt;
use tempfile::TempDir;

use crate::page::pipeline;

/// By a paused clock this has no length: whoever waits for what never comes waits no longer than this.
const PATIENCE: Duration = Duration::from_secs(24 * 60 * 60);

/// A pipeline that is about to run.
pub(crate) struct Scene {
    yaml: String,
    provider: Option<String>,
    stream: bool,
}

/// What it came to.
pub(crate) struct Ran {
    folder: TempDir,
    pub(crate) outcome: RunOutcome,
    pub(crate) events: Vec<EventKind>,
}

impl Scene {
    /// As it stands in the guide. One that brings no provider asks the built-in one.
    pub(crate) fn of(name: &str) -> Self {
        let yaml = pipeline(name);
        let provider = (!yaml.contains("provider")).then(|| "offline".to_owned());
        Self { yaml, provider, stream: false }
    }

    /// The same, but for a part of it.
    pub(crate) fn but(mut self, part: &str, other: &str) -> Self {
        assert!(self.yaml.contains(part), "`{part}` is not in\n{}", self.yaml);
        self.yaml = self.yaml.replace(part, other);
        self
    }

    /// Answers take so long.
    pub(crate) fn slowly(mut self, latency: &str) -> Self {
        self.yaml = format!("{}providers: {{slow: {{kind: offline, latency: {latency}}}}}\n", self.yaml);
        self.provider = Some("slow".to_owned());
        self
    }

    /// `--stream`.
    pub(crate) fn streaming(mut self) -> Self {
        self.stream = true;
        self
    }

    /// Checks it and runs it to its end.
    pub(crate) async fn run(self) -> Ran {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pipeline.yaml");
        fs::write(&file, &self.yaml).unwrap();
        let checked = engine::check(&Request { file, provider: self.provider, to_run: true, ..Request::default() });
        let messages: Vec<String> = checked.diagnostics.iter().map(|one| one.message.clone()).collect();
        let plan = checked.plan.unwrap_or_else(|| panic!("{messages:#?}\n{}", self.yaml));
        let options = RunOptions { out: folder.path().join("out"), stream: self.stream, ..RunOptions::default() };
        let (running, events) = engine::run(plan, options).unwrap();
        let both = async { tokio::join!(running.finish(), events.map(|event| event.kind).collect::<Vec<_>>()) };
        let (finished, events) = tokio::time::timeout(PATIENCE, both).await.expect("it comes to its end");
        Ran { folder, outcome: finished.outcome, events }
    }
}

impl Ran {
    /// It came to its end, and everything came out, was replaced or was skipped.
    #[track_caller]
    pub(crate) fn is_done(self) -> Self {
        assert_eq!(self.outcome, RunOutcome::Done, "{:#?}", self.events);
        self
    }

    /// It ended since items failed.
    #[track_caller]
    pub(crate) fn has_failed(self) -> Self {
        assert_eq!(self.outcome, RunOutcome::Failed, "{:#?}", self.events);
        self
    }

    /// How long it took.
    pub(crate) fn took(&self) -> Duration {
        match self.events.last() {
            Some(EventKind::RunFinished { took, .. }) => *took,
            other => panic!("{other:?}"),
        }
    }

    /// What became of a stage.
    pub(crate) fn tally(&self, stage: &str) -> StageTally {
        match self.events.last() {
            Some(EventKind::RunFinished { stages, .. }) => stages.iter().find(|(name, _)| &**name == stage).unwrap().1,
            other => panic!("{other:?}"),
        }
    }

    /// Where among the events is the first of this kind?
    #[track_caller]
    pub(crate) fn place(&self, is: impl Fn(&EventKind) -> bool) -> usize {
        self.events.iter().position(is).unwrap_or_else(|| panic!("there is none: {:#?}", self.events))
    }

    /// Items in the order in which they were sent (`+`) and came to an end (`-`): `+answer/1`.
    pub(crate) fn course(&self) -> Vec<String> {
        let steps = self.events.iter().filter_map(|kind| match kind {
            EventKind::AttemptSent { item, .. } => Some(format!("+{}", name(item))),
            EventKind::Done { item, .. } | EventKind::Failed { item, .. } | EventKind::Replaced { item, .. } => {
                Some(format!("-{}", name(item)))
            }
            _ => None,
        });
        steps.collect()
    }

    /// The most items that were on the wire at once.
    pub(crate) fn peak(&self) -> usize {
        let (mut on_the_wire, mut peak) = (BTreeSet::new(), 0);
        for step in self.course() {
            match step.split_at(1) {
                ("+", item) => on_the_wire.insert(item.to_owned()),
                // One that asks nobody has never been there.
                (_, item) => on_the_wire.remove(item),
            };
            peak = peak.max(on_the_wire.len());
        }
        peak
    }

    /// The text of a stage that was streamed, piece by piece.
    pub(crate) fn pieces(&self, stage: &str) -> Vec<String> {
        let pieces = self.events.iter().filter_map(|kind| match kind {
            EventKind::Chunk { item, text, .. } if &*item.stage == stage => Some(text.to_string()),
            _ => None,
        });
        pieces.collect()
    }

    /// A file of the output folder.
    pub(crate) fn file(&self, path: &str) -> PathBuf {
        self.folder.path().join("out").join(path)
    }

    /// Its text.
    #[track_caller]
    pub(crate) fn text(&self, path: &str) -> String {
        fs::read_to_string(self.file(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// Its rows.
    #[track_caller]
    pub(crate) fn rows(&self, path: &str) -> Vec<Json> {
        self.text(path).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

/// An item as people call it.
pub(crate) fn name(item: &ItemRef) -> String {
    item.key.as_ref().map_or_else(|| item.stage.to_string(), |key| format!("{}/{key}", item.stage))
}
