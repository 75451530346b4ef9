//! `use`: another pipeline as a stage, and `with`: what its inputs are.

use std::ops::Range;
use std::sync::Arc;

use super::node::{Entry, Node};
use super::pipeline::{JsonSpec, OnErrorSpec, PipelineSpec, SettingsSpec};
use super::reader::Reader;
use super::shipped::Unpacked;
use super::templates::{json, text};
use crate::diag::Diagnostic;
use crate::model::{At, FileId, Place};

/// `use: FILE`, with what stands beside it.
#[derive(Debug, Clone)]
pub struct UseSpec {
    /// The file or the shipped template, as it is named. Empty if it could not be read.
    pub path: At<String>,
    /// `with`, in the order in which it is written.
    pub with: Vec<WithSpec>,
    /// Whether all of `with` could be read.
    pub is_whole: bool,
    /// What is used, if it could be read.
    pub pipeline: Option<Arc<UsedSpec>>,
}

/// One of `with`: an input of the used pipeline, and what it is.
#[derive(Debug, Clone)]
pub struct WithSpec {
    /// The input.
    pub name: At<String>,
    /// Its value. Templates in it speak of the file in which they stand.
    pub value: JsonSpec,
    /// Where the value stands.
    pub place: Place,
    /// Where each element of it stands, if it is a list.
    pub items: Vec<Place>,
}

/// A pipeline that another one uses.
#[derive(Debug, Clone)]
pub struct UsedSpec {
    /// What it says.
    pub spec: PipelineSpec,
    /// The files that it was read from, without those of pipelines that it uses itself.
    pub files: Range<u32>,
    /// Where it lies, if it is a shipped template.
    pub unpacked: Option<Unpacked>,
}

impl UsedSpec {
    /// Whether it was read from this file.
    pub fn has(&self, file: FileId) -> bool {
        self.files.contains(&file.0)
    }
}

/// `use` as a kind of stage.
pub(super) fn used(node: &Node, with: Option<&Entry>, reader: &mut Reader<'_>) -> UseSpec {
    let path = text(node, reader).unwrap_or_default();
    let errors = reader.errors();
    let with = with.map(|entry| self::with(&entry.value, reader)).unwrap_or_default();
    let is_whole = reader.errors() == errors;
    UseSpec { path: At::new(path, node.place.clone()), with, is_whole, pipeline: None }
}

fn with(node: &Node, reader: &mut Reader<'_>) -> Vec<WithSpec> {
    let Some(entries) = node.entries() else {
        let help = "write each input of the used pipeline with its value: `with: {topic: \"{{article.title}}\"}`";
        reader.expected_with("a mapping", node, Some(help));
        return Vec::new();
    };
    let one = |entry: &Entry, reader: &mut Reader<'_>| {
        let value = json(&entry.value, reader)?;
        let (place, items) = (entry.value.place.clone(), entry.value.places());
        Some(WithSpec { name: entry.key.clone(), value, place, items })
    };
    entries.iter().filter_map(|entry| one(entry, reader)).collect()
}

/// `with` stands beside `use` alone.
pub(super) fn refuse_with(entry: &Entry, reader: &mut Reader<'_>) {
    reader.push(
        Diagnostic::error("key-does-not-fit", &entry.key.place, "`with` means something beside `use` alone")
            .help("a stage names what it needs in its templates; `with` gives the inputs of a used pipeline"),
    );
}

/// One value can't stand in for those of all stages.
pub(super) fn refuse_stand_in(settings: &mut SettingsSpec, reader: &mut Reader<'_>) {
    if let Some(At { value: OnErrorSpec::Value(_), place }) = &settings.on_error {
        let message = "one value can't stand in for the answers of all stages of a used pipeline";
        let help =
            "write it at the stage of the used file that may fail; here, `on_error: continue` lets other items go on";
        reader.push(Diagnostic::error("key-does-not-fit", place, message).help(help));
        settings.on_error = None;
    }
}
