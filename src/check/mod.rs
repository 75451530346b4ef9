//! Whether an answer is what was asked for.
//!
//! [`judge`] takes a whole reply and gives a [`Verdict`]; [`json_from_answer`] finds the JSON in what a model wrote;
//! [`objections`] are what single checks have against it. This room never mends an answer, never asks again and knows
//! neither provider nor store.

mod blank;
mod expect;
mod json;
mod verdict;

pub use expect::{objections, sentence};
pub use json::{WrongAnswer, json_from_answer};
pub use verdict::{Verdict, judge};
