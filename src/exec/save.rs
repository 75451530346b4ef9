//! Where a value goes under the output folder: a file of its own, or a row.

use std::sync::Arc;

use bytes::Bytes;

use crate::model::{Failure, FailureKind, ImageInfo, Json, JsonMap, Value, plain_text};
use crate::output::{self, OutputError, OutputFolder, SafePath};
use crate::plan::{Save, SaveForm, Stage};

use super::context::Renderer;
use super::instance::Unmade;
use super::job::{Job, SavedRow};

/// A value was saved.
pub(super) enum Saved {
    /// A row is to be written when its turn comes.
    Row(SavedRow),
    /// The file under the output folder.
    File(Arc<str>),
}

/// A picture as it came.
pub(super) struct Picture {
    pub(super) bytes: Bytes,
    pub(super) info: ImageInfo,
}

/// Saves the value of one instance.
pub(super) struct Target<'a> {
    pub(super) stage: &'a Stage,
    pub(super) job: &'a Job,
    pub(super) folder: &'a OutputFolder,
}

impl Target<'_> {
    /// Saves a value that is no picture fresh from a provider.
    pub(super) async fn save(&self, save: &Save, value: &Value, renderer: &Renderer<'_>) -> Result<Saved, Unmade> {
        let path = renderer.path(&save.path)?;
        if let SaveForm::Rows { row, .. } = &save.form {
            return Ok(Saved::Row(self.row(&path, row.as_deref(), value, renderer)?));
        }
        let path = self.claim(&path)?;
        let json = value.to_json();
        let bytes = if path.extension().as_deref() == Some("json") {
            output::json_bytes(&json)
        } else {
            output::text_bytes(&plain_text(&json))
        };
        self.folder.write(&path, bytes).await?;
        Ok(Saved::File(path.as_str().into()))
    }

    fn row(
        &self,
        path: &str,
        row: Option<&[(String, crate::plan::JsonTemplate)]>,
        value: &Value,
        renderer: &Renderer<'_>,
    ) -> Result<SavedRow, Unmade> {
        let mut fields = JsonMap::new();
        if let Some(row) = row {
            for (name, template) in row {
                fields.insert(name.clone(), renderer.json(template)?);
            }
        } else {
            let key = self.job.item.key.as_deref().map_or(Json::Null, Json::from);
            fields.insert("key".to_owned(), key);
            fields.insert(self.stage.name.to_string(), value.to_json());
        }
        let path = SafePath::parse(path).map_err(|problem| outside(path, &problem.to_string()))?;
        Ok(SavedRow { path: path.as_str().to_owned(), row: fields })
    }

    /// Writes a picture: where `save` says, else as `STAGE.EXT`, in loops `STAGE/KEY.EXT`. A row names the picture, and
    /// leaves it where it would be without `save`.
    pub(super) async fn save_picture<'r>(
        &self,
        picture: Picture,
        save: Option<&Save>,
        renderer: &Renderer<'r>,
        own: impl FnOnce(&Value) -> Renderer<'r>,
    ) -> Result<(Value, Option<SavedRow>, Arc<str>), Unmade> {
        let own_file = save.filter(|save| matches!(save.form, SaveForm::File));
        let named = match own_file {
            Some(save) => renderer.path(&save.path)?,
            None if self.job.file_key.is_empty() => self.stage.name.to_string(),
            None => format!("{}/{}", self.stage.name, self.job.file_key),
        };
        let path = SafePath::parse(&named).map_err(|problem| outside(&named, &problem.to_string()))?;
        // Only an extension that the author wrote is one: a key may have a dot in it.
        let asked = if own_file.is_some() { path.extension() } else { None };
        let (from, wanted) = (picture.info.media_type, asked.clone());
        let bytes = picture.bytes;
        let converted = tokio::task::spawn_blocking(move || output::convert(bytes, from, wanted.as_deref())).await;
        let (bytes, media_type, extension) =
            converted.map_err(|_| Failure::new(FailureKind::Internal, "converting the picture failed"))?.map_err(
                |error| Failure::new(FailureKind::Output, error.to_string()).suggest("save it with another extension"),
            )?;
        let path = match asked {
            Some(_) => path,
            None => path.with_appended_extension(extension).map_err(|problem| outside(&named, &problem.to_string()))?,
        };
        let path = self.claim(path.as_str())?;
        let size = self.folder.write(&path, bytes).await?;
        let path: Arc<str> = path.as_str().into();
        let ImageInfo { width, height, .. } = picture.info;
        let value = Value::Image { path: path.clone(), width, height, media_type, bytes: size };
        let row = match save {
            Some(Save { path: template, form: SaveForm::Rows { row, .. } }) => {
                let renderer = own(&value);
                Some(self.row(&renderer.path(template)?, row.as_deref(), &value, &renderer)?)
            }
            _ => None,
        };
        Ok((value, row, path))
    }

    fn claim(&self, path: &str) -> Result<SafePath, Unmade> {
        let path = SafePath::parse(path).map_err(|problem| outside(path, &problem.to_string()))?;
        let owner = match &self.job.item.key {
            Some(key) => format!("{}/{key}", self.stage.name),
            None => self.stage.name.to_string(),
        };
        self.folder.claim(&path, &owner).map_err(|clash| {
            Failure::new(FailureKind::Output, clash.to_string())
                .suggest("name something in `save` that differs from item to item, as `{{loop.key}}`")
        })?;
        Ok(path)
    }
}

fn outside(path: &str, problem: &str) -> Unmade {
    Failure::new(FailureKind::Output, format!("`{path}` can't be saved: {problem}"))
        .suggest("a path in `save` is relative to the output folder")
        .into()
}

impl From<OutputError> for Unmade {
    /// Trouble with one path is a failure of its item; trouble with the disk ends the run.
    fn from(error: OutputError) -> Self {
        let failure = Failure::new(FailureKind::Output, error.to_string());
        if error.is_about_path() { failure.into() } else { Self::Unwritable(failure) }
    }
}
