//! The file as a whole.

use super::defaults::defaults;
use super::fields::{Fields, Keys};
use super::inputs::inputs;
use super::money::budget;
use super::node::{Node, Value};
use super::outputs::outputs;
use super::pipeline::{PipelineSpec, Unread};
use super::providers::providers;
use super::quantities::time;
use super::reader::Reader;
use super::stage::stages;
use super::templates::text;
use crate::diag::Diagnostic;
use crate::model::{At, Place};

pub(super) const PIPELINE: Keys = Keys {
    owner: "a pipeline",
    own: &["name", "description", "inputs", "providers", "defaults", "stages", "outputs", "budget", "deadline"],
    settings: &[],
};

/// The pipeline that the root of a file describes.
pub(super) fn pipeline(root: &Node, reader: &mut Reader<'_>) -> Option<PipelineSpec> {
    let start = Place::new(root.place.file, root.place.span.start..root.place.span.start);
    if matches!(root.value, Value::Null) {
        reader.push(
            Diagnostic::error("empty-file", &start, "there is nothing in this file")
                .help("a pipeline has a `name` and `stages`; `blossom-run new` copies one to begin with"),
        );
        return None;
    }
    let mut fields = Fields::open(root, PIPELINE, reader)?;
    for (key, example) in [("name", "write `name: digest`"), ("stages", "write `stages: {summarize: {text: ..}}`")] {
        if fields.lacks(key) {
            reader.push(Diagnostic::error("missing-key", &start, format!("the pipeline has no `{key}`")).help(example));
        }
    }
    let name = fields.read_at("name", reader, text).unwrap_or_else(|| At::new(String::new(), start));
    let description = fields.read("description", reader, text);
    let (inputs, inputs_unread) = section("inputs", &mut fields, reader, inputs);
    let (providers, providers_unread) = section("providers", &mut fields, reader, providers);
    let defaults = fields.read("defaults", reader, defaults).unwrap_or_default();
    let (stages, stages_unread) = section("stages", &mut fields, reader, stages);
    let outputs = fields.take("outputs").map(|entry| outputs(&entry.value, &stages, reader));
    let budget = fields.read_at("budget", reader, budget);
    let deadline = fields.read_at("deadline", reader, time);
    fields.finish(reader);
    Some(PipelineSpec {
        name,
        description,
        folder: reader.folder().to_owned(),
        inputs,
        providers,
        defaults,
        stages,
        outputs,
        budget,
        deadline,
        unread: Unread { names: inputs_unread || stages_unread, providers: providers_unread },
    })
}

/// The nouns of a section, and whether it could not be read. One with another name than it should have is not read
/// either.
fn section<T>(
    key: &str,
    fields: &mut Fields<'_>,
    reader: &mut Reader<'_>,
    read: impl FnOnce(&Node, &mut Reader<'_>) -> Option<Vec<T>>,
) -> (Vec<T>, bool) {
    let Some(entry) = fields.take(key) else { return (Vec::new(), fields.has_misspelled(key)) };
    let found = read(&entry.value, reader);
    let is_unread = found.is_none();
    (found.unwrap_or_default(), is_unread)
}
