//! What is wrong in a file, where it stands, and what to try; and how that is drawn.
//!
//! A [`Diagnostic`] is made from a [`Place`](crate::model::Place), so it cannot lack one. This room prints nothing.

mod diagnostic;
mod draw;
mod excerpt;
mod files;
mod suggest;
mod visible;
mod words;

pub use diagnostic::{Diagnostic, Diagnostics, Severity};
pub use draw::{DrawStyle, draw};
pub use files::{SourceFile, SourceFiles};
pub use suggest::did_you_mean;
pub use words::{listed, meant, meant_or_all, shortened};
