//! Pictures that go along with a request: found where they lie, and known by their bytes.
//!
//! No bytes are held here: a file is read through for its digest, and read again when its request goes out.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use crate::model::{Failure, FailureKind, Json, Picture, PictureFile, picture_path};
use crate::output::{OutputFolder, SafePath};
use crate::plan::{Plan, Shown, is_address, no_picture};
use crate::source::{SourceError, check_together, find_picture, look_at_bytes, look_at_picture};

use super::context::{Renderer, Unrendered};
use super::request::Asked;

/// Where pictures of this run lie.
#[derive(Debug)]
pub(super) enum Gallery {
    /// In the output folder.
    Folder(OutputFolder),
    /// Nowhere, since nothing is written: what is known of those that would be, by their paths.
    Known(Mutex<HashMap<Arc<str>, PictureFile>>),
    /// Nowhere, and the values of stages are stand-ins.
    StandIns,
}

/// A picture that a request names.
#[derive(Debug)]
enum Named {
    Url(Arc<str>),
    File { name: String, place: PathBuf },
    Known(PictureFile),
}

impl Gallery {
    /// For a run that writes nothing. It remembers pictures only where any is shown to somebody.
    pub(super) fn unwritten(plan: &Plan) -> Option<Self> {
        let shows = plan.stages.iter().any(|stage| !stage.work.images().is_empty());
        shows.then(|| Self::Known(Mutex::default()))
    }

    /// A picture would be written at this path.
    pub(super) fn note(&self, path: &str, bytes: &[u8]) {
        let Self::Known(known) = self else { return };
        // One that can't be shown is told of where it is.
        if let Ok(file) = look_at_bytes(path, bytes) {
            known.lock().unwrap_or_else(PoisonError::into_inner).insert(path.into(), file);
        }
    }

    /// A picture of this run.
    fn find(&self, path: &str) -> Option<Named> {
        match self {
            Self::Folder(folder) => {
                let place = folder.place(&SafePath::parse(path).ok()?);
                place.is_file().then(|| Named::File { name: path.to_owned(), place })
            }
            Self::Known(known) => {
                known.lock().unwrap_or_else(PoisonError::into_inner).get(path).cloned().map(Named::Known)
            }
            Self::StandIns => None,
        }
    }
}

impl Asked {
    /// The same with the pictures that it is to show.
    pub(super) async fn showing(
        self,
        images: &[Shown],
        renderer: &Renderer<'_>,
        gallery: Option<&Gallery>,
    ) -> Result<Self, Unrendered> {
        Ok(self.with(pictures(images, renderer, gallery).await?))
    }

    /// The same at once, for whoever may wait for a disk.
    pub(super) fn showing_now(self, images: &[Shown], renderer: &Renderer<'_>) -> Result<Self, Unrendered> {
        Ok(self.with(pictures_now(images, renderer)?))
    }

    fn with(mut self, pictures: Vec<Picture>) -> Self {
        if !pictures.is_empty() {
            self.call.request.show(pictures);
        }
        self
    }
}

/// The pictures that a stage shows.
pub(super) async fn pictures(
    images: &[Shown],
    renderer: &Renderer<'_>,
    gallery: Option<&Gallery>,
) -> Result<Vec<Picture>, Unrendered> {
    if images.is_empty() {
        return Ok(Vec::new());
    }
    let named = named(images, renderer, gallery)?;
    let looked = tokio::task::spawn_blocking(move || look_at(named)).await;
    let lost = |_| Failure::new(FailureKind::Internal, "a task of this program panicked").suggest("please report it");
    looked.map_err(lost).and_then(|looked| looked).map_err(Unrendered::Fail)
}

/// The same at once and for nobody's run, for whoever may wait for a disk.
pub(super) fn pictures_now(images: &[Shown], renderer: &Renderer<'_>) -> Result<Vec<Picture>, Unrendered> {
    look_at(named(images, renderer, Some(&Gallery::StandIns))?).map_err(Unrendered::Fail)
}

fn named(images: &[Shown], renderer: &Renderer<'_>, gallery: Option<&Gallery>) -> Result<Vec<Named>, Unrendered> {
    let mut found = Vec::new();
    for image in images {
        let value = renderer.value(&image.template)?;
        Naming { image, gallery, found: &mut found }.take(&value).map_err(|error| Unrendered::Fail(failure(error)))?;
    }
    Ok(found)
}

/// Goes through what one of `images` comes to.
struct Naming<'a> {
    image: &'a Shown,
    gallery: Option<&'a Gallery>,
    found: &'a mut Vec<Named>,
}

impl Naming<'_> {
    fn take(&mut self, value: &Json) -> Result<(), SourceError> {
        match value {
            Json::Array(all) => return all.iter().try_for_each(|one| self.take(one)),
            Json::String(text) => self.take_text(text)?,
            Json::Object(fields) => match (picture_path(fields), fields.get("path").and_then(Json::as_str)) {
                // What has all fields of a picture is one of this run, unless somebody has made it up.
                (Some(path), _) => match self.gallery.and_then(|gallery| gallery.find(path)) {
                    Some(found) => self.found.push(found),
                    None => self.take_path(path)?,
                },
                (None, Some(path)) => self.take_text(path)?,
                (None, None) => {
                    return Err(SourceError::new("a mapping without a `path` is no picture")
                        .help("name the field that has the path of the picture, or its address"));
                }
            },
            Json::Null => return no_picture("").map_or(Ok(()), Err),
            Json::Bool(_) | Json::Number(_) => {
                return Err(SourceError::new(format!("`{value}` is no picture"))
                    .help("`images` takes pictures of stages, paths and addresses"));
            }
        }
        Ok(())
    }

    fn take_text(&mut self, text: &str) -> Result<(), SourceError> {
        if matches!(self.gallery, Some(Gallery::StandIns)) && text.contains('<') {
            self.found.push(Named::Url(text.into()));
            return Ok(());
        }
        if let Some(error) = no_picture(text) {
            return Err(error);
        }
        if is_address(text) {
            self.found.push(Named::Url(text.trim().into()));
            return Ok(());
        }
        let found = self.gallery.filter(|_| self.image.names_picture).and_then(|gallery| gallery.find(text));
        match found {
            Some(found) => self.found.push(found),
            None => self.take_path(text)?,
        }
        Ok(())
    }

    fn take_path(&mut self, path: &str) -> Result<(), SourceError> {
        // A model must not choose among all files of a machine which are sent away.
        if self.image.names_answer && SafePath::parse(path).is_err() {
            return Err(SourceError::new(format!(
                "`{path}` leads out of the pipeline's folder, and an answer names it"
            ))
            .help("let answers choose among pictures beside the pipeline's file"));
        }
        let place = find_picture(path, &self.image.folders);
        self.found.push(Named::File { name: path.to_owned(), place });
        Ok(())
    }
}

/// Reads the files through. Takes as long as that: call it on a blocking thread.
fn look_at(named: Vec<Named>) -> Result<Vec<Picture>, Failure> {
    let looked = named.into_iter().map(|one| match one {
        Named::Url(url) => Ok(Picture::Url(url)),
        Named::Known(file) => Ok(Picture::File(file)),
        Named::File { name, place } => look_at_picture(&name, &place).map(Picture::File),
    });
    let pictures = looked.collect::<Result<Vec<_>, _>>().map_err(failure)?;
    check_together(pictures.iter().filter_map(Picture::file)).map_err(failure)?;
    Ok(pictures)
}

fn failure(error: SourceError) -> Failure {
    let failure = Failure::new(FailureKind::Template, error.to_string());
    match error.help {
        Some(help) => failure.suggest(help),
        None => failure,
    }
}
