//! Whether an answer is what was asked for.
//!
//! [`judge`] takes a whole reply and gives a [`Verdict`]; [`json_from_answer`] finds the JSON in what a model wrote;
//! [`look`] decodes a picture. This
//! room never mends an answer, never asks again and knows neither provider nor store.

mod json;
mod picture;
mod verdict;

pub use json::{WrongAnswer, json_from_answer};
pub use picture::{Sight, is_blank, look, why_undecodable};
pub use verdict::{Verdict, judge};
