//! Files with a row for each instance, as they are written while the run goes on.

use std::collections::HashMap;

use crate::model::{EventKind, Failure, FailureKind};
use crate::output::{OutputFolder, RowFile, RowFormat, SafePath};
use crate::plan::{Plan, SaveForm, StageIx};

use super::job::SavedRow;

/// The row files of a run. Each appears at its place when the run ends, complete or not.
#[derive(Debug, Default)]
pub(super) struct RowFiles {
    files: HashMap<String, (StageIx, RowFile)>,
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
            let rows = stage.save.as_ref().is_some_and(|save| matches!(save.form, SaveForm::Rows { .. }));
            if let (true, Some(path)) = (rows && plan.runs(ix), names(ix)) {
                files.file(plan, folder, ix, &path)?;
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
        let file = self.file(plan, folder, stage, &row.path)?;
        file.append(row.row).map_err(|error| Failure::new(FailureKind::Output, error.to_string()))
    }

    fn file(
        &mut self,
        plan: &Plan,
        folder: &OutputFolder,
        stage: StageIx,
        path: &str,
    ) -> Result<&mut RowFile, Failure> {
        let name = &plan.stage(stage).name;
        if !self.files.contains_key(path) {
            let wrong = |message: String| Failure::new(FailureKind::Output, message);
            let safe = SafePath::parse(path).map_err(|problem| wrong(format!("`{path}` can't be saved: {problem}")))?;
            folder.claim(&safe, name).map_err(|clash| wrong(clash.to_string()))?;
            let rule = plan.stage(stage).save.as_ref();
            let csv = rule.is_some_and(|save| matches!(save.form, SaveForm::Rows { csv: true, .. }));
            let columns = rule.map(|save| save.columns(name)).unwrap_or_default();
            let format = if csv { RowFormat::Csv { columns } } else { RowFormat::JsonLines };
            let file = RowFile::create(folder, safe, format).map_err(|error| wrong(error.to_string()))?;
            self.files.insert(path.to_owned(), (stage, file));
        }
        match self.files.get_mut(path) {
            Some((owner, file)) if *owner == stage => Ok(file),
            _ => Err(Failure::new(FailureKind::Output, format!("`{path}` is written by two stages"))),
        }
    }

    /// Puts all files into their places. One without a row replaces nothing, unless that is what its stage came to:
    /// `is_empty` says so, if nothing of it was left or failed.
    pub(super) fn finish(self, plan: &Plan, is_empty: impl Fn(StageIx) -> bool) -> (Vec<EventKind>, Option<Failure>) {
        let (mut saved, mut failure) = (Vec::new(), None);
        let is_worth_it = |(_, (stage, file)): &(String, (StageIx, RowFile))| file.rows() > 0 || is_empty(*stage);
        let mut files: Vec<_> = self.files.into_iter().filter(is_worth_it).collect();
        files.sort_by(|a, b| a.0.cmp(&b.0));
        for (path, (stage, file)) in files {
            match file.finish() {
                Ok(_) => saved.push(EventKind::Saved { stage: plan.stage(stage).name.clone(), path: path.into() }),
                Err(error) => failure = Some(Failure::new(FailureKind::Output, error.to_string())),
            }
        }
        (saved, failure)
    }
}
