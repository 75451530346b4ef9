//! Schemas: whether one is a schema at all, and what judges by it.
//!
//! Nothing is ever fetched: what a schema points to must stand in it.

use jsonschema::Validator;
use jsonschema::error::ValidationErrorKind;

use super::keywords::{TYPES, keywords, visit};
use super::words::words;
use crate::model::{Json, Misfit, Rules, referred};

/// So many mistakes of a schema are told.
const FAULTS: usize = 8;

/// What is wrong in a schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaFault {
    /// Where, as a JSON pointer.
    pub pointer: String,
    /// What.
    pub what: SchemaFaultKind,
}

/// What is wrong in a schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SchemaFaultKind {
    /// A `type` that there is not.
    UnknownType(String),
    /// A `$ref` to another file or address.
    Elsewhere(String),
    /// A `$ref` to a place in the schema that is not there.
    Nowhere(String),
    /// A `$schema` that is none of the drafts.
    UnknownDraft(String),
    /// A keyword that there is not, and that is close to one: it would be without effect.
    UnknownKeyword(String),
    /// A name in `required` that no field has, where no other fields are allowed: nothing could ever fit.
    Unfillable(String),
    /// Anything else, in words.
    Other(String),
}

/// Judges by a schema.
#[derive(Debug)]
struct Compiled(Validator);

impl Rules for Compiled {
    fn misfits(&self, value: &Json) -> Vec<Misfit> {
        let mut misfits: Vec<Misfit> = Vec::new();
        if self.0.is_valid(value) {
            return misfits;
        }
        let errors: Vec<_> = self.0.iter_errors(value).collect();
        let is_choice = |kind: &ValidationErrorKind| {
            matches!(kind, ValidationErrorKind::Enum { .. } | ValidationErrorKind::Constant { .. })
        };
        for error in &errors {
            // What there is to choose from says of which type it is.
            if matches!(error.kind(), ValidationErrorKind::Type { .. })
                && errors.iter().any(|other| is_choice(other.kind()) && other.instance_path() == error.instance_path())
            {
                continue;
            }
            for misfit in words(error) {
                if !misfits.contains(&misfit) {
                    misfits.push(misfit);
                }
            }
        }
        misfits
    }
}

/// The names that `type` knows.
pub fn schema_types() -> impl Iterator<Item = &'static str> {
    TYPES.into_iter()
}

/// The keywords of JSON Schema.
pub fn schema_keywords() -> impl Iterator<Item = &'static str> {
    keywords()
}

/// Looks for keywords that are written wrongly: JSON Schema itself lets every unknown word pass. `is_near` says which
/// unknown words are close to a keyword.
pub fn misspelled_keywords(schema: &Json, is_near: impl Fn(&str) -> bool) -> Vec<SchemaFault> {
    let mut faults = Vec::new();
    visit(schema, "", &mut |pointer, fields| {
        for name in fields.keys().filter(|name| !keywords().any(|keyword| keyword == *name) && is_near(name)) {
            let pointer = format!("{pointer}/{}", super::keywords::escaped(name));
            faults.push(SchemaFault { pointer, what: SchemaFaultKind::UnknownKeyword(name.clone()) });
        }
    });
    faults
}

/// What judges by a schema; made once, and used for each answer.
///
/// # Errors
/// It is no JSON Schema, or it points out of itself: all that is wrong.
pub fn rules(schema: &Json) -> Result<Box<dyn Rules>, Vec<SchemaFault>> {
    let mut wrong = own_faults(schema);
    let fault = |pointer: &str, what| vec![SchemaFault { pointer: pointer.to_owned(), what }];
    let meta = jsonschema::meta::validator_for(schema).map_err(|error| {
        let draft = schema.get("$schema").and_then(Json::as_str).unwrap_or_default();
        match error.kind() {
            ValidationErrorKind::Referencing(_) => fault("/$schema", SchemaFaultKind::UnknownDraft(draft.to_owned())),
            _ => fault("", SchemaFaultKind::Other(error.to_string())),
        }
    })?;
    for error in meta.iter_errors(schema).take(FAULTS) {
        for misfit in words(&error) {
            let told = SchemaFault { pointer: misfit.pointer, what: SchemaFaultKind::Other(misfit.words) };
            // Of several that say something of one place, the first will do.
            if !wrong.iter().any(|other| other.pointer == told.pointer) {
                wrong.push(told);
            }
        }
    }
    if !wrong.is_empty() {
        return Err(wrong);
    }
    let built = jsonschema::options().offline().should_validate_formats(true).build(schema);
    match built {
        Ok(validator) => Ok(Box::new(Compiled(validator))),
        Err(error) => {
            let said = error.to_string();
            let (said, _) = said.split_once('\n').unwrap_or((&said, ""));
            Err(fault(error.instance_path().as_str(), SchemaFaultKind::Other(said.trim_end_matches('.').to_owned())))
        }
    }
}

/// What is looked for here, since it can be told better than by the rules of JSON Schema.
fn own_faults(schema: &Json) -> Vec<SchemaFault> {
    let mut faults = Vec::new();
    // Names within a schema may be given by itself; then only the crate knows what they lead to.
    let mut names_itself = false;
    visit(schema, "", &mut |_, fields| {
        names_itself |= ["$id", "id", "$anchor", "$dynamicAnchor"]
            .iter()
            .any(|name| fields.get(*name).is_some_and(Json::is_string));
    });
    visit(schema, "", &mut |pointer, fields| {
        let mut tell = |place: String, what| faults.push(SchemaFault { pointer: format!("{pointer}/{place}"), what });
        match fields.get("type") {
            Some(Json::String(name)) if !TYPES.contains(&name.as_str()) => {
                tell("type".to_owned(), SchemaFaultKind::UnknownType(name.clone()));
            }
            Some(Json::Array(names)) => {
                for (at, name) in names.iter().enumerate() {
                    if let Some(name) = name.as_str().filter(|name| !TYPES.contains(name)) {
                        tell(format!("type/{at}"), SchemaFaultKind::UnknownType(name.to_owned()));
                    }
                }
            }
            _ => {}
        }
        for keyword in ["$ref", "$dynamicRef", "$recursiveRef"] {
            let Some(target) = fields.get(keyword).and_then(Json::as_str) else { continue };
            if names_itself {
                continue;
            }
            if !target.starts_with('#') {
                tell(keyword.to_owned(), SchemaFaultKind::Elsewhere(target.to_owned()));
            } else if !leads_somewhere(schema, target) {
                tell(keyword.to_owned(), SchemaFaultKind::Nowhere(target.to_owned()));
            }
        }
        let closed = fields.get("additionalProperties") == Some(&Json::Bool(false))
            && !fields.contains_key("patternProperties")
            && fields.get("properties").is_some_and(Json::is_object);
        if let (true, Some(required)) = (closed, fields.get("required").and_then(Json::as_array)) {
            for (at, name) in required.iter().enumerate() {
                if let Some(name) = name.as_str().filter(|name| fields["properties"].get(name).is_none()) {
                    tell(format!("required/{at}"), SchemaFaultKind::Unfillable(name.to_owned()));
                }
            }
        }
    });
    faults
}

fn leads_somewhere(schema: &Json, target: &str) -> bool {
    referred(schema, target).is_some_and(|found| found.is_object() || found.is_boolean())
}
