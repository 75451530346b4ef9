//! What the answer of each stage must be: schemas are looked at once, and what judges by them is made once.

use std::sync::Arc;

use crate::check::{SchemaFault, SchemaFaultKind, misspelled_keywords, rules, schema_keywords, schema_types};
use crate::diag::{Diagnostic, Diagnostics, did_you_mean, listed, meant, meant_or_all, shortened};
use crate::model::{AnswerSchema, At, Check, Choice, Json, Place};
use crate::spec::{AnswerSpec, CheckValue, JsonSpec, KindSpec, OnErrorSpec, PipelineSpec, SchemaSpec, StageSpec};

use super::schema_shape::shape_of;
use super::schemas::{self, Form};
use super::settings::Settings;
use super::shape::Shape;

/// What the stages answer, by their places in the file.
#[derive(Debug)]
pub(super) struct Answers {
    /// What each must answer.
    pub(super) choices: Vec<Choice>,
    /// What is known of the value of each.
    pub(super) shapes: Vec<Shape>,
}

/// What is made of one `json` or `schema`, wherever in the file it speaks from.
#[derive(Debug, Clone)]
struct Made {
    choice: Choice,
    shape: Shape,
}

/// Looks at all of them, each once, however many stages it speaks to.
pub(super) fn build(spec: &PipelineSpec, diagnostics: &mut Diagnostics) -> Answers {
    let mut known: Vec<(&Place, Made)> = Vec::new();
    let mut answers = Answers { choices: Vec::new(), shapes: Vec::new() };
    for stage in &spec.stages {
        let settings = Settings::of(stage, &spec.defaults);
        let written = settings.get(|s| s.answer.as_ref());
        let made = match written {
            Some(written) => {
                let before = known.iter().find(|(place, _)| *place == &written.place).map(|(_, made)| made.clone());
                before.unwrap_or_else(|| {
                    let made = make(written, diagnostics);
                    known.push((&written.place, made.clone()));
                    made
                })
            }
            None => Made { choice: Choice::Text, shape: Shape::Text },
        };
        let speaks = matches!(stage.kind, Some(KindSpec::Text(_) | KindSpec::Chat(_)));
        answers.shapes.push(match &stage.kind {
            // What a value is made of tells, see `value_shapes`; what is used and still stands as that could not be read.
            None | Some(KindSpec::Value(_) | KindSpec::Use(_)) => Shape::Any,
            Some(KindSpec::Image(_)) => Shape::image(),
            Some(KindSpec::Render(_)) => Shape::Text,
            Some(KindSpec::Text(_) | KindSpec::Chat(_)) => known_values(made.shape, stage, &settings),
        });
        answers.choices.push(if speaks { made.choice } else { Choice::Text });
    }
    answers
}

/// Which values an answer may have: `one_of` tells as well, and what stands in for an answer may be another.
fn known_values(shape: Shape, stage: &StageSpec, settings: &Settings<'_>) -> Shape {
    let stand_in = settings.get(|s| s.on_error.as_ref()).and_then(|written| match &written.value {
        OnErrorSpec::Value(value) => Some(value),
        OnErrorSpec::Stop | OnErrorSpec::Continue => None,
    });
    if shape == Shape::Text {
        let one_of = stage.expect.iter().find_map(|check| match &check.value {
            CheckValue::Plain(At { value: Some(Check::OneOf(values)), .. }) => Some(values),
            _ => None,
        });
        let Some(values) = one_of else { return shape };
        let mut values: Vec<Json> = values.iter().map(|value| Json::from(value.as_str())).collect();
        match stand_in {
            Some(JsonSpec::Plain(other)) => values.push(other.value.clone()),
            Some(_) => return shape,
            None => {}
        }
        return Shape::one_of(&values).unwrap_or(shape);
    }
    match stand_in {
        // One without a template has to fit the schema.
        None | Some(JsonSpec::Plain(_)) => shape,
        Some(_) => shape.of_any_value(),
    }
}

fn make(written: &At<AnswerSpec>, diagnostics: &mut Diagnostics) -> Made {
    let any = Made { choice: Choice::Json, shape: Shape::Any };
    match &written.value {
        AnswerSpec::Text => Made { choice: Choice::Text, shape: Shape::Text },
        AnswerSpec::Json => any,
        AnswerSpec::Short(of) => {
            let schema = schemas::schema(of, Form::Judged);
            match made(schema, schemas::schema(of, Form::Sent), !schemas::has_any(of)) {
                Ok(made) => made,
                Err(faults) => {
                    // What is made here is a schema; if it is not, that is no mistake of the file's author alone.
                    let what = faults.first().map_or_else(String::new, |fault| words(fault, &Json::Null).0);
                    diagnostics.push(Diagnostic::error("wrong-schema", &written.place, what));
                    any
                }
            }
        }
        AnswerSpec::Schema(spec) => {
            let near = |word: &str| did_you_mean(word, schema_keywords()).is_some();
            for fault in misspelled_keywords(&spec.schema, near) {
                let (message, help) = words(&fault, &spec.schema);
                let place = spec.key_place(&fault.pointer);
                diagnostics.push(Diagnostic::warning("unknown-keyword", place, message).help_if(help));
            }
            let is_strict = schemas::is_strict(&spec.schema);
            match made(spec.schema.clone(), spec.schema.clone(), is_strict) {
                Ok(made) => made,
                Err(faults) => {
                    tell(spec, &faults, diagnostics);
                    any
                }
            }
        }
    }
}

fn made(schema: Json, sent: Json, is_strict: bool) -> Result<Made, Vec<SchemaFault>> {
    let rules = rules(&schema)?;
    let shape = shape_of(&schema);
    let schema = if schemas::is_mapping(&schema) {
        AnswerSchema::new(schema, sent, is_strict, rules)
    } else {
        AnswerSchema::new(schema, schemas::wrapped(sent), is_strict, rules).wrapped()
    };
    Ok(Made { choice: Choice::Schema(Arc::new(schema)), shape })
}

fn tell(spec: &SchemaSpec, faults: &[SchemaFault], diagnostics: &mut Diagnostics) {
    for fault in faults {
        let (message, help) = words(fault, &spec.schema);
        let place = spec.place(&fault.pointer);
        diagnostics.push(Diagnostic::error("wrong-schema", place, message).help_if(help));
    }
}

/// What is wrong in a schema, and what to do.
fn words(fault: &SchemaFault, schema: &Json) -> (String, Option<String>) {
    match &fault.what {
        SchemaFaultKind::UnknownType(name) => {
            let message = format!("`{}` is not a type of JSON Schema", shortened(name));
            let help = meant(name, schema_types()).unwrap_or_else(|| format!("there are {}", listed(schema_types())));
            (message, Some(help))
        }
        SchemaFaultKind::Elsewhere(target) => {
            let message = format!("`{}` is another file or address, and none is ever fetched", shortened(target));
            let help = "put what it describes into this schema, under `$defs`, and point there: `#/$defs/NAME`";
            (message, Some(help.to_owned()))
        }
        SchemaFaultKind::Nowhere(target) => {
            let defs: Vec<String> = ["$defs", "definitions"]
                .iter()
                .filter_map(|under| Some((under, schema.get(*under)?.as_object()?)))
                .flat_map(|(under, names)| names.keys().map(move |name| format!("#/{under}/{name}")))
                .collect();
            let defs: Vec<&str> = defs.iter().map(String::as_str).collect();
            let help = meant_or_all(target, defs, "there are");
            let help = help.unwrap_or_else(|| "describe it under `$defs`, and point there: `#/$defs/NAME`".to_owned());
            let help = Some(help);
            (format!("`{}` leads nowhere in this schema", shortened(target)), help)
        }
        SchemaFaultKind::UnknownDraft(draft) => (
            format!("`{}` is no draft of JSON Schema that is known", shortened(draft)),
            Some("leave `$schema` out, or write `https://json-schema.org/draft/2020-12/schema`".to_owned()),
        ),
        SchemaFaultKind::UnknownKeyword(name) => (
            format!("`{}` is no keyword of JSON Schema, and without effect", shortened(name)),
            meant(name, schema_keywords()),
        ),
        SchemaFaultKind::Unfillable(name) => {
            let around = fault.pointer.rsplit_once("/required").map_or("", |(around, _)| around);
            let fields = schema.pointer(&format!("{around}/properties")).and_then(Json::as_object);
            let fields: Vec<&str> = fields.into_iter().flatten().map(|(name, _)| name.as_str()).collect();
            let help = meant(name, fields).unwrap_or_else(|| format!("describe `{name}` under `properties`"));
            let message = format!("`{}` is required, and no field that an answer may have", shortened(name));
            (message, Some(help))
        }
        SchemaFaultKind::Other(what) => (format!("this is not a valid JSON Schema: {what}"), None),
    }
}
