//! Inputs of a used pipeline that get their values in a run: the same types and limits hold for them.

use crate::diag::{Diagnostic, shortened};
use crate::model::{InputKind, Json, Place, plain_text};
use crate::spec::InputSpec;

use super::inputs::{from_text, options, typed, without_fraction};
use super::shape::Shape;

/// The type of an input and its limits, for a value that is made when it runs.
#[derive(Debug, Clone)]
pub struct TypedInput {
    input: InputSpec,
    place: Place,
}

impl TypedInput {
    /// For a value that is written at `place`.
    pub(super) fn new(input: &InputSpec, place: &Place) -> Self {
        Self { input: input.clone(), place: place.clone() }
    }

    /// The value as the input has it. A text that is a number counts as one, and what is no text prints as one where a
    /// text is wanted.
    ///
    /// # Errors
    /// It is nothing that the input may be: why, and what to try.
    pub fn read(&self, value: Json) -> Result<Json, (String, Option<String>)> {
        if self.input.is_unsure {
            return Ok(value);
        }
        let refused = |told: Diagnostic| (told.message, told.help);
        let kind = self.input.kind();
        let value = match (kind, value) {
            (InputKind::Integer | InputKind::Number | InputKind::Boolean, Json::String(text)) => {
                from_text(&self.input, &text, &self.place).map_err(refused)?
            }
            (InputKind::String | InputKind::Choice, value @ (Json::Number(_) | Json::Bool(_))) => {
                Json::String(plain_text(&value))
            }
            (InputKind::Items, Json::String(text)) => {
                let message = format!("`{}` is the text `{}`, not a list", self.input.name.value, shortened(&text));
                return Err((message, Some("give it a list; a file is named in `with` as it is".to_owned())));
            }
            (_, value) => value,
        };
        // Where it is a list, nothing is read for it.
        if let (InputKind::Items, Json::Array(_)) = (kind, &value) {
            return Ok(value);
        }
        typed(&self.input, value.clone(), &self.place, std::path::Path::new("")).map_err(refused)?;
        Ok(if kind == InputKind::Integer { without_fraction(value) } else { value })
    }

    /// What is known of the input, where it is made of something of this shape.
    pub(super) fn shape(&self, made: &Shape) -> Shape {
        match self.input.kind() {
            _ if self.input.is_unsure => Shape::Any,
            // Whoever wrote that pipeline could not know that it would be used with these values alone.
            InputKind::Json => made.of_any_value(),
            InputKind::Items => Shape::List(Box::new(made.element().unwrap_or(Shape::Any).of_any_value())),
            InputKind::Choice => options(&self.input),
            kind => Shape::of_input(kind),
        }
    }

    /// What is wrong with a value, in one line.
    pub(super) fn misfit(&self, value: &Json) -> Option<String> {
        self.read(value.clone()).err().map(|(message, _)| message)
    }
}
