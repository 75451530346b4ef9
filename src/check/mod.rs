//! Whether an answer is what was asked for.
//!
//! [`judge`] takes a whole reply and gives a [`Verdict`]; [`json_from_answer`] finds the JSON in what a model wrote;
//! [`rules`] makes what judges by a schema, and [`objections`] are what single checks have against it. [`look`] decodes a picture. This room never
//! mends an answer, never asks again, never fetches a schema, and knows neither provider nor store.

mod expect;
mod json;
mod keywords;
mod picture;
mod schema;
mod verdict;
mod words;

pub use expect::{objections, sentence};
pub use json::{WrongAnswer, json_from_answer};
pub use picture::{Sight, look, why_undecodable};
pub use schema::{SchemaFault, SchemaFaultKind, misspelled_keywords, rules, schema_keywords, schema_types};
pub use verdict::{Verdict, judge};
