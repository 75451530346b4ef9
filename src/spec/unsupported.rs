//! Words of the language that the program does not act on: each is told as such, with what to do instead.

use crate::diag::Diagnostic;
use crate::model::Place;

/// A word that means something, and not to this program.
pub fn not_supported_yet(name: &str, place: &Place) -> Diagnostic {
    Diagnostic::error("not-supported-yet", place, format!("`{name}` is not supported yet")).help(instead(name))
}

/// What does the same, or what comes near.
fn instead(name: &str) -> &'static str {
    match name {
        "use" | "with" => "copy the stages of the other pipeline into this file",
        _ => "take it out",
    }
}
