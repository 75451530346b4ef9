//! The file as a whole.

use std::collections::HashMap;

use super::defaults::defaults;
use super::fields::{Fields, Keys};
use super::inputs::inputs;
use super::node::{Node, Value};
use super::outputs::outputs;
use super::pipeline::{InputSpec, PipelineSpec, StageSpec};
use super::providers::providers;
use super::quantities::time;
use super::reader::Reader;
use super::stage::stages;
use super::templates::text;
use crate::diag::Diagnostic;
use crate::model::{At, Place};

pub(super) const PIPELINE: Keys = Keys {
    owner: "a pipeline",
    own: &["name", "description", "inputs", "providers", "defaults", "stages", "outputs", "deadline"],
    settings: &[],
    later: &["budget"],
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
        if !fields.has(key) {
            reader.push(Diagnostic::error("missing-key", &start, format!("the pipeline has no `{key}`")).help(example));
        }
    }
    let name = fields.read_at("name", reader, text);
    let description = fields.read("description", reader, text);
    // A section that could not be read leaves names unknown: there is no pipeline then.
    let inputs = fields.take("inputs").map_or(Some(Vec::new()), |entry| inputs(&entry.value, reader));
    let providers = fields.take("providers").map_or(Some(Vec::new()), |entry| providers(&entry.value, reader));
    let defaults = fields.read("defaults", reader, defaults).unwrap_or_default();
    let stages = fields.read("stages", reader, stages);
    let outputs = match fields.take("outputs") {
        Some(entry) => outputs(&entry.value, reader).map(Some),
        None => Some(None),
    };
    let deadline = fields.read_at("deadline", reader, time);
    fields.finish(reader);
    if let (Some(inputs), Some(stages)) = (&inputs, &stages) {
        refuse_clashes(inputs, stages, reader);
    }
    Some(PipelineSpec {
        name: name?,
        description,
        folder: reader.folder().to_owned(),
        inputs: inputs?,
        providers: providers?,
        defaults,
        stages: stages?,
        outputs: outputs?,
        deadline,
    })
}

/// Inputs and stages share one namespace.
fn refuse_clashes(inputs: &[InputSpec], stages: &[StageSpec], reader: &mut Reader<'_>) {
    let inputs: HashMap<&str, &Place> =
        inputs.iter().map(|input| (input.name.value.as_str(), &input.name.place)).collect();
    for stage in stages {
        let At { value: name, place } = &stage.name;
        if let Some(input) = inputs.get(name.as_str()) {
            reader.push(
                Diagnostic::error("name-clash", place, format!("`{name}` is the name of an input already"))
                    .also(input, "the input")
                    .help("give one of them another name: inputs, stages and loop variables share their names"),
            );
        }
    }
}
