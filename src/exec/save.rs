//! Where a value goes under the output folder: a file of its own, or a row.

use std::cell::LazyCell;
use std::sync::Arc;

use bytes::Bytes;

use crate::model::{Failure, FailureKind, ImageInfo, Json, JsonMap, Value, plain_text};
use crate::output::{self, Converted, OutputError, OutputFolder, SafePath};
use crate::plan::template::Template;
use crate::plan::{JsonTemplate, Save, SaveForm, Stage, Work, item_number};

use super::context::{Renderer, Unrendered};
use super::instance::Unmade;
use super::job::{Job, SavedRow};
use super::pictures::Gallery;

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
    /// None where nothing is written, and paths are only looked at.
    pub(super) folder: Option<&'a OutputFolder>,
    /// Where pictures are noted that others are shown.
    pub(super) gallery: Option<&'a Gallery>,
}

impl Target<'_> {
    /// Looks at the path before anything is asked, as far as it is known by then: an answer that has no place to go is
    /// not paid for. Gives the path of a file that is this instance's from now on, or of the one that its row goes to; none
    /// where only the answer tells it.
    pub(super) fn reserve(&self, renderer: &Renderer<'_>) -> Result<Option<SafePath>, Unmade> {
        let is_picture = matches!(self.stage.work, Work::Image(_));
        let (named, is_file) = match &self.stage.save {
            Some(save) if save.needs_answer(&self.stage.name) => return Ok(None),
            Some(save) => (renderer.path(&save.path)?, matches!(save.form, SaveForm::File)),
            None if is_picture => (self.default_name(), false),
            None => return Ok(None),
        };
        let path = safe(&named)?;
        match (is_file, is_picture) {
            // One without an extension gets that of its bytes.
            (true, true) if path.extension().is_none() => Ok(None),
            (true, _) => self.claim(path).map(Some),
            (false, false) => Ok(Some(path)),
            // The row of a picture is written beside its file.
            (false, true) => Ok(None),
        }
    }

    /// Saves a value that is no picture fresh from a provider. `own` sees the value itself, too.
    pub(super) async fn save<'r>(
        &self,
        save: &Save,
        reserved: Option<SafePath>,
        value: &Value,
        own: impl FnOnce() -> Renderer<'r>,
    ) -> Result<Saved, Unmade> {
        if let SaveForm::Rows { row, .. } = &save.form {
            return Ok(Saved::Row(self.row((&save.path, row.as_deref()), reserved, value, own)?));
        }
        let path = match reserved {
            Some(path) => path,
            None => self.claim(safe(&own().path(&save.path)?)?)?,
        };
        let json = value.to_json();
        let bytes = if path.extension().as_deref() == Some("json") {
            output::json_bytes(&json)
        } else {
            output::text_bytes(&plain_text(&json))
        };
        self.write(&path, bytes).await?;
        Ok(Saved::File(path.as_str().into()))
    }

    fn row<'r>(
        &self,
        (path, row): (&Template, Option<&[(String, JsonTemplate)]>),
        reserved: Option<SafePath>,
        value: &Value,
        own: impl FnOnce() -> Renderer<'r>,
    ) -> Result<SavedRow, Unmade> {
        // Mostly its path is known and its fields are named by nobody: then there is nothing to render.
        let own = LazyCell::new(own);
        let path = reserved.map_or_else(|| safe(&own.path(path)?), Ok)?;
        let row: JsonMap = if let Some(row) = row {
            let fields = row.iter().map(|(name, field)| Ok((name.clone(), own.json(field)?)));
            fields.collect::<Result<_, Unrendered>>()?
        } else {
            let key = self.job.item.key.as_deref().map_or(Json::Null, Json::from);
            [("key".to_owned(), key), (self.stage.name.to_string(), value.to_json())].into_iter().collect()
        };
        Ok(SavedRow { path, row })
    }

    /// Writes a picture: where `save` says, else as `STAGE.EXT`, in loops `STAGE/KEY.EXT`. A row names the picture, and
    /// leaves it where it would be without `save`.
    pub(super) async fn save_picture<'r>(
        &self,
        picture: Picture,
        reserved: Option<SafePath>,
        renderer: &Renderer<'r>,
        own: impl FnOnce(&Value) -> Renderer<'r>,
    ) -> Result<(Value, Option<SavedRow>, Arc<str>), Unmade> {
        let save = self.stage.save.as_ref();
        let own_file = save.filter(|save| matches!(save.form, SaveForm::File));
        let named = match (&reserved, own_file) {
            (Some(path), _) => path.clone(),
            (None, Some(save)) => safe(&renderer.path(&save.path)?)?,
            (None, None) => safe(&self.default_name())?,
        };
        // Only an extension that the author wrote is one: a key may have a dot in it.
        let asked = if own_file.is_some() { named.extension() } else { None };
        let Converted { bytes, media_type, extension, size: (width, height) } =
            converted(&picture, asked.clone()).await?;
        let path = match (reserved, asked) {
            (Some(path), _) => path,
            (None, Some(_)) => self.claim(named)?,
            (None, None) => {
                let whole = named.with_appended_extension(extension);
                self.claim(whole.map_err(|problem| outside(named.as_str(), &problem.to_string()))?)?
            }
        };
        if let Some(gallery) = self.gallery {
            gallery.note(path.as_str(), &bytes);
        }
        let size = self.write(&path, bytes).await?;
        let path: Arc<str> = path.as_str().into();
        let value = Value::Image { path: path.clone(), width, height, media_type, bytes: size };
        let row = match save {
            Some(Save { path: template, form: SaveForm::Rows { row, .. } }) => {
                Some(self.row((template, row.as_deref()), None, &value, || own(&value))?)
            }
            _ => None,
        };
        Ok((value, row, path))
    }

    /// Where a picture goes without `save`, but for the extension.
    fn default_name(&self) -> String {
        if self.job.file_key.is_empty() {
            self.stage.name.to_string()
        } else {
            format!("{}/{}", self.stage.name, self.job.file_key)
        }
    }

    /// What gives a value a path that nobody has.
    fn other_path(&self) -> String {
        let loops = self.job.around.iter().map(|around| &*around.name);
        match self.stage.has_own_file() {
            false => format!("give `{}` a `save` of its own", self.stage.name),
            true if loops.len() == 0 => format!("give `{}` another path in `save`", self.stage.name),
            true => format!("put what differs for each item into `save`, as `{}`", item_number(loops)),
        }
    }

    /// Gives the size of the file, in bytes.
    async fn write(&self, path: &SafePath, bytes: Bytes) -> Result<u64, OutputError> {
        match self.folder {
            Some(folder) => folder.write(path, bytes).await,
            None => Ok(bytes.len() as u64),
        }
    }

    fn claim(&self, path: SafePath) -> Result<SafePath, Unmade> {
        let owner = match &self.job.item.key {
            Some(key) => format!("{}/{key}", self.stage.name),
            None => self.stage.name.to_string(),
        };
        let Some(folder) = self.folder else { return Ok(path) };
        folder
            .claim(&path, &owner)
            .map_err(|clash| Failure::new(FailureKind::Output, clash.to_string()).suggest(self.other_path()))?;
        Ok(path)
    }
}

/// The picture as the extension asks for it.
async fn converted(picture: &Picture, wanted: Option<String>) -> Result<Converted, Unmade> {
    let (bytes, info) = (picture.bytes.clone(), picture.info);
    let converted = tokio::task::spawn_blocking(move || output::convert(bytes, info, wanted.as_deref())).await;
    let converted = converted.map_err(|_| Failure::new(FailureKind::Internal, "converting the picture failed"))?;
    Ok(converted.map_err(|error| {
        Failure::new(FailureKind::Output, error.to_string()).suggest("save it with another extension")
    })?)
}

fn safe(path: &str) -> Result<SafePath, Unmade> {
    SafePath::parse(path).map_err(|problem| outside(path, &problem.to_string()))
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
