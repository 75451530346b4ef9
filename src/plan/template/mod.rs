//! Templates: Handlebars, strict, with names that mean the same everywhere.
//!
//! The way of a template: `scan` finds the `{{..}}`, `whitespace` trims around them, `tree` pairs blocks and reads each
//! content with `expression`, `lower` gives every name its meaning and makes the tree that the `handlebars` crate
//! renders (`engine`). The crate's own parser is not used: its tree says neither where a path stands nor which name a
//! helper hides, its messages speak of grammar rules, and its time grows with the square of the text (8000 values take
//! it 48 s unoptimised, and 0.1 s here). What every helper takes is written once, in `helper`, for the check, the
//! engine and the documentation.
//!
//! This module knows no stages, loops or inputs: names come in as a predicate, values as a [`Context`]. It reads no
//! clock, no environment and no file.

mod apart;
mod called;
mod comparison;
mod compiled;
mod engine;
mod expression;
mod guard;
mod helper;
mod items;
mod literal;
mod lower;
mod names;
mod origin;
mod problem;
mod renamed;
mod scan;
mod tree;
mod whitespace;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

pub use called::{CallFault, Called};
pub use comparison::Comparison;
pub use compiled::{ElementUse, Rejected, Template, Use};
pub use engine::{Context, RenderProblem};
pub use helper::{Gives, HELPERS, Helper, Subject, usage};
pub use names::{Step, described};
pub use origin::Origin;
pub use problem::Problem;
