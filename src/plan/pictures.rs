//! Pictures that a request names: what can be known of them before a run is checked here.

use std::path::PathBuf;
use std::sync::Arc;

use crate::diag::Diagnostic;
use crate::model::{Json, Place, ProviderKind};
use crate::source::{SourceError, check_together, find_picture, look_at_picture};
use crate::spec::{KindSpec, StageSpec, TextSpec};

use super::binder::{Binder, Site};
use super::names::Named;
use super::settings::Settings;
use super::shape::Shape;
use super::stages::Around;
use super::talk::PREVIOUS;
use super::template::Template;
use super::work::Dial;

/// One of `images`: what it comes to is a picture, or a list of them.
#[derive(Debug, Clone)]
pub struct Shown {
    /// A path, an address, a picture of a stage, or a template of these.
    pub template: Template,
    /// What a path is relative to: the first of these in which there is such a file. Lists of files that it names come
    /// first; then the folder of whoever has written it, and that of the file which shows it.
    pub folders: Arc<[PathBuf]>,
    /// Whether it names a stage that makes pictures: a path may be one in the output folder.
    pub names_picture: bool,
    /// Whether it names a stage that answers with words: no path of such a one leaves the folder.
    pub names_answer: bool,
}

/// Whether a text is the address of a picture.
pub fn is_address(text: &str) -> bool {
    let text = text.trim_start().to_ascii_lowercase();
    text.starts_with("http://") || text.starts_with("https://")
}

/// Why a text can't be one of `images`, wherever it leads; nothing if it can.
pub fn no_picture(text: &str) -> Option<SourceError> {
    let start = text.trim_start().to_ascii_lowercase();
    if start.is_empty() {
        return Some(SourceError::new("this picture has no path").help(
            "leave such items out with `when`, or name another picture for them: `\"{{default photo.path 'none.png'}}\"`",
        ));
    }
    if start.starts_with("data:") {
        return Some(
            SourceError::new("a picture is named by its path or its address, and this is its content")
                .help("write it to a file, and name that"),
        );
    }
    (start.contains("://") && !is_address(text)).then(|| {
        let shown: String = text.chars().take(60).collect();
        SourceError::new(format!("`{shown}` is no address that pictures are fetched from"))
            .help("write one with `https://`, or the path of a file")
    })
}

/// The pictures of a stage.
pub(super) fn shown(
    around: Around<'_>,
    stage: &StageSpec,
    settings: &Settings<'_>,
    binder: &mut Binder<'_>,
) -> Vec<Shown> {
    let Some(written) = settings.get(|s| s.images.as_ref()) else { return Vec::new() };
    let is_conditional = stage.when.is_some() || binder.has_outer_condition();
    let mut literal = Vec::new();
    let shown = written.value.iter().map(|text| {
        let template = binder.text(text, Site::Request);
        let place = text.map.whole();
        let one = Shown {
            folders: binder.folders(&template, around.given).into(),
            names_picture: names(&template, binder, |kind, _| matches!(kind, KindSpec::Image(_))),
            names_answer: names(&template, binder, |kind, _| matches!(kind, KindSpec::Text(_) | KindSpec::Chat(_))),
            template,
        };
        if one.template.is_constant() {
            literal.extend(check_literal(text, &one, &place, binder));
        } else if !refuse_shape(&one.template, &place, binder) && !is_conditional {
            binder.refuse_known(&one.template, &place, |value| why_not(value, &one).map(|error| error.message));
        }
        one
    });
    let shown: Vec<Shown> = shown.collect();
    if let Err(error) = check_together(&literal) {
        binder.diagnostics().push(wrong(error, &written.place));
    }
    shown
}

/// A path that is written out must lead to a picture.
fn check_literal(
    text: &TextSpec,
    shown: &Shown,
    place: &Place,
    binder: &mut Binder<'_>,
) -> Option<crate::model::PictureFile> {
    let looked = match no_picture(&text.text) {
        Some(error) => Err(error),
        None if is_address(&text.text) => return None,
        None => look_at_picture(&text.text, &find_picture(&text.text, &shown.folders)),
    };
    looked.map_err(|error| binder.diagnostics().push(wrong(error, place))).ok()
}

/// What stands in for a picture, at a path that is written out, is mostly a file beside that which says so: whoever is shown
/// it needs one. Where it is only printed it may be anything.
pub(super) fn check_stand_in(path: &str, place: &Place, binder: &mut Binder<'_>) {
    if path.is_empty() || is_address(path) {
        return;
    }
    let folder = binder.ground.units.written_in(binder.speaks, place.file);
    if let Err(error) = look_at_picture(path, &find_picture(path, &[folder])) {
        let help =
            "it is looked for beside this file where it is shown with `images`, and printed as it stands elsewhere";
        let warning = Diagnostic::warning("missing-picture", place, error.to_string()).help(help);
        binder.diagnostics().push(warning);
    }
}

/// Why a value that is known before the run can't be shown; nothing if it can.
fn why_not(value: &Json, shown: &Shown) -> Option<SourceError> {
    match value {
        Json::Array(all) => all.iter().find_map(|one| why_not(one, shown)),
        Json::String(text) if is_address(text) => None,
        Json::String(text) => {
            no_picture(text).or_else(|| look_at_picture(text, &find_picture(text, &shown.folders)).err())
        }
        Json::Object(fields) => fields.get("path").and_then(|path| why_not(path, shown)),
        other => Some(SourceError::new(format!("`{other}` is no picture"))),
    }
}

fn wrong(error: SourceError, place: &Place) -> Diagnostic {
    Diagnostic::error("no-picture", place, error.message).help_if(error.help)
}

/// Refuses a value that can be no picture whatever it comes to; tells whether it has.
fn refuse_shape(template: &Template, place: &Place, binder: &mut Binder<'_>) -> bool {
    let Some(path) = template.only_path().filter(|_| template.is_whole()) else { return false };
    let mut written = path.split('.').map(str::to_owned);
    let (name, fields) = (written.next().unwrap_or_default(), written.collect::<Vec<String>>());
    let Some(shape) = binder.shape_here(&name).and_then(|shape| shape.behind(&fields)) else { return false };
    let stage = match binder.named(&name) {
        Some(Named::Stage(stage)) => Some(stage),
        None if name == PREVIOUS => binder.stage,
        _ => None,
    };
    let is_text = |kind: &KindSpec, json: bool| !json && matches!(kind, KindSpec::Text(_) | KindSpec::Chat(_));
    let speaks = stage.is_some_and(|stage| is_so(stage, binder, &is_text));
    let shape = shape.of_any_value();
    let of_each = if let Shape::List(of) = &shape { of } else { &shape };
    let (message, help) = match of_each {
        Shape::Text if speaks && fields.is_empty() => (
            format!("`{name}` is a text, and `images` takes pictures"),
            "name a stage that makes pictures, a path or an address; what a text says belongs into the prompt",
        ),
        Shape::Plain(what) => (
            format!("`{path}` is {what}, and `images` takes pictures"),
            "name a stage that makes pictures, a path or an address",
        ),
        _ => return false,
    };
    binder.diagnostics().push(Diagnostic::error("wrong-type", place, message).help(help));
    true
}

/// Whether a value comes out of a stage that is so, given whether it answers JSON.
fn names(template: &Template, binder: &Binder<'_>, is: impl Fn(&KindSpec, bool) -> bool) -> bool {
    binder.sources(template).iter().any(|source| match source.named {
        Named::Stage(stage) => is_so(stage, binder, &is),
        Named::Input(_) | Named::Variable => false,
    })
}

fn is_so(stage: usize, binder: &Binder<'_>, is: &dyn Fn(&KindSpec, bool) -> bool) -> bool {
    let spec = binder.ground.spec;
    let stage = &spec.stages[stage];
    let json = Settings::of(stage, &spec.defaults).get(|s| s.answer.as_ref()).is_some_and(|at| at.value.is_json());
    stage.kind.as_ref().is_some_and(|kind| is(kind, json))
}

/// Tells of references that the provider of a stage does not take, where it is known who that is.
pub(super) fn check_references(
    around: Around<'_>,
    settings: &Settings<'_>,
    (provider, shown): (&Dial<String>, &[Shown]),
    binder: &mut Binder<'_>,
) {
    let Some(written) = settings.get(|s| s.images.as_ref()) else { return };
    let Dial::Fixed(name) = provider else { return };
    let Some(kind) = around.providers.find(name).map(|one| one.kind) else { return };
    for (text, one) in written.value.iter().zip(shown) {
        let is_url = match one.template.is_constant() {
            true if no_picture(&text.text).is_some() => continue,
            true => is_address(&text.text),
            false if one.names_picture => false,
            false => continue,
        };
        if let Some((what, help)) = ProviderKind::refuses_reference(kind, is_url) {
            let message = format!("`{name}` {what}");
            let place = text.map.whole();
            binder.diagnostics().push(Diagnostic::error("unsupported-images", &place, message).help(help));
        }
    }
}
