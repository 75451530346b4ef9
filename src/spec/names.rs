//! What may be a name.

use super::reader::Reader;
use crate::diag::{Diagnostic, shortened};
use crate::model::At;

/// Words that mean something in every template.
const RESERVED: [(&str, &str); 7] = [
    ("this", "the current element of a block"),
    ("loop", "the loop that a stage runs in"),
    ("run", "the run"),
    ("previous", "a stage's own value for the item before"),
    ("null", "the value null"),
    ("true", "a truth value"),
    ("false", "a truth value"),
];

/// What a name names, and so what may stand in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Named {
    /// An input, a stage or a loop variable: they share one namespace, with the words that are taken.
    Value,
    /// An output.
    Output,
    /// A provider; it may have dashes.
    Provider,
}

/// Whether `name` can be one; says so if not.
pub(super) fn check(name: &At<String>, named: Named, reader: &mut Reader<'_>) -> bool {
    let text = name.value.as_str();
    if !is_name(text, named) {
        let may = match named {
            Named::Provider => "lower-case letters, digits, `_` and `-`",
            Named::Value | Named::Output => "lower-case letters, digits and `_`",
        };
        let rule = format!("a name has {may}, and begins with a letter");
        let help = match mended(text, named) {
            Some(better) => format!("{rule}: `{better}`"),
            None => rule,
        };
        let message = format!("`{}` can't be a name", shortened(text));
        reader.push(Diagnostic::error("invalid-name", &name.place, message).help(help));
        return false;
    }
    if named == Named::Value
        && let Some((_, meaning)) = RESERVED.iter().find(|(word, _)| *word == text)
    {
        reader.push(
            Diagnostic::error(
                "reserved-name",
                &name.place,
                format!("the name `{text}` is taken: in templates it is {meaning}"),
            )
            .help("choose another name"),
        );
        return false;
    }
    true
}

/// Whether `[a-z][a-z0-9_]*` fits, with `-` too for providers.
pub(super) fn is_name(text: &str, named: Named) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || (c == '-' && named == Named::Provider))
}

/// Whether a word is taken in templates.
pub(super) fn is_reserved(text: &str) -> bool {
    RESERVED.iter().any(|(word, _)| *word == text)
}

/// The nearest that can be a name, if that is not far.
fn mended(text: &str, named: Named) -> Option<String> {
    if text.chars().count() > 40 {
        return None;
    }
    let mut better = String::new();
    for (at, c) in text.char_indices() {
        match c {
            'A'..='Z' => {
                if at > 0 && !better.ends_with('_') && text[..at].ends_with(|before: char| before.is_lowercase()) {
                    better.push('_');
                }
                better.push(c.to_ascii_lowercase());
            }
            'a'..='z' | '0'..='9' | '_' => better.push(c),
            '-' | ' ' | '.' | '/' => better.push('_'),
            _ => return None,
        }
    }
    (is_name(&better, named) && !is_reserved(&better)).then_some(better)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_mended_where_that_is_plain() {
        assert_eq!(mended("My-Stage", Named::Value).as_deref(), Some("my_stage"));
        assert_eq!(mended("finalReport", Named::Value).as_deref(), Some("final_report"));
        assert_eq!(mended("2nd", Named::Value), None);
        assert_eq!(mended("Übersicht", Named::Value), None);
        assert_eq!(mended("Loop", Named::Value), None, "that one is taken");
        assert!(is_name("a-b", Named::Provider) && !is_name("a-b", Named::Value));
    }
}
