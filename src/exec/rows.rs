//! Files with a row for each instance, as they are written while the run goes on.

use std::collections::{BTreeMap, VecDeque};

use crate::model::{EventKind, Failure, FailureKind};
use crate::output::{Clash, OutputError, OutputFolder, RowFile, RowFormat, SafePath};
use crate::plan::{Plan, SaveForm, StageIx};

use super::job::SavedRow;

/// So many files have a handle at once. One whose path differs from item to item must not use up all that there are.
const MOST_AWAKE: usize = 64;

/// The row files of a run, by their path. Each appears at its place when the run ends, complete or not.
#[derive(Debug, Default)]
pub(super) struct RowFiles {
    files: BTreeMap<String, (StageIx, RowFile)>,
    /// Those that hold a handle, the one that was written last at the end.
    awake: VecDeque<String>,
}

impl RowFiles {
    /// Row files of stages whose path is known beforehand: one without a row is written too, as an empty list is a list.
    pub(super) fn open(
        plan: &Plan,
        folder: &OutputFolder,
        names: &dyn Fn(StageIx) -> Option<String>,
    ) -> Result<Self, Failure> {
        let mut files = Self::default();
        for (ix, stage) in plan.stage_ixs() {
            let rows = stage.has_rows();
            if let (true, Some(path)) = (rows && plan.runs(ix), names(ix)) {
                let outside = |problem| failure(format!("`{path}` can't be saved: {problem}"));
                let safe = SafePath::parse(&path).map_err(outside)?;
                files.file(plan, folder, ix, safe)?;
            }
        }
        Ok(files)
    }

    /// Writes a row at the end of its file.
    ///
    /// # Errors
    /// The file can't be written, or is that of another stage.
    pub(super) fn write(
        &mut self,
        plan: &Plan,
        folder: &OutputFolder,
        stage: StageIx,
        row: SavedRow,
    ) -> Result<(), Failure> {
        self.wake(row.path.as_str())?;
        self.file(plan, folder, stage, row.path)?.append(row.row).map_err(|error| unwritable(&error))
    }

    /// Notes that a file is about to be written, and lets the one rest that was so longest ago.
    fn wake(&mut self, path: &str) -> Result<(), Failure> {
        if self.awake.back().is_some_and(|last| last == path) {
            return Ok(());
        }
        self.awake.retain(|one| one != path);
        self.awake.push_back(path.to_owned());
        if self.awake.len() > MOST_AWAKE
            && let Some((_, file)) = self.awake.pop_front().and_then(|oldest| self.files.get_mut(&oldest))
        {
            file.rest().map_err(|error| unwritable(&error))?;
        }
        Ok(())
    }

    fn file(
        &mut self,
        plan: &Plan,
        folder: &OutputFolder,
        stage: StageIx,
        path: SafePath,
    ) -> Result<&mut RowFile, Failure> {
        let key = path.as_str().to_owned();
        if !self.files.contains_key(&key) {
            let name = &plan.stage(stage).name;
            let theirs = |clash: Clash| failure(clash.to_string()).suggest("give each stage a file of its own");
            folder.claim(&path, name).map_err(theirs)?;
            let rule = plan.stage(stage).save.as_ref();
            let csv = rule.is_some_and(|save| matches!(save.form, SaveForm::Rows { csv: true, .. }));
            let columns = rule.map(|save| save.columns(name)).unwrap_or_default();
            let format = if csv { RowFormat::Csv { columns } } else { RowFormat::JsonLines };
            let file = RowFile::create(folder, path, format).map_err(|error| unwritable(&error))?;
            self.files.insert(key.clone(), (stage, file));
        }
        match self.files.get_mut(&key) {
            Some((owner, file)) if *owner == stage => Ok(file),
            _ => Err(failure(format!("`{key}` is written by two stages"))),
        }
    }

    /// Puts all files into their places. One without a row replaces nothing, unless that is what its stage came to:
    /// `is_empty` says so, if nothing of it was left or failed. It waits for the disk, on a thread for that.
    pub(super) async fn finish(
        self,
        plan: &Plan,
        is_empty: impl Fn(StageIx) -> bool,
    ) -> (Vec<EventKind>, Option<Failure>) {
        let is_worth_it = |(_, (stage, file)): &(String, (StageIx, RowFile))| file.rows() > 0 || is_empty(*stage);
        let files: Vec<_> = self.files.into_iter().filter(is_worth_it).collect();
        let finish = move || files.into_iter().map(|(path, (stage, file))| (path, stage, file.finish())).collect();
        let finished: Result<Vec<(String, StageIx, _)>, _> = tokio::task::spawn_blocking(finish).await;
        let (mut saved, mut problem) = (Vec::new(), None);
        let finished = finished.unwrap_or_else(|_| {
            problem = Some(failure("the files of rows could not be finished".to_owned()));
            Vec::new()
        });
        for (path, stage, result) in finished {
            match result {
                Ok(_) => saved.push(EventKind::Saved { stage: plan.stage(stage).name.clone(), path: path.into() }),
                Err(error) => problem = Some(unwritable(&error)),
            }
        }
        (saved, problem)
    }
}

fn unwritable(error: &OutputError) -> Failure {
    failure(error.to_string())
}

fn failure(message: String) -> Failure {
    Failure::new(FailureKind::Output, message)
}
