//! Texts of others, made safe to show: no terminal obeys a character that is written out.

/// The character as it is shown: itself, or its escape if it would do something to the terminal or to the reading order.
/// A tab stays one.
pub(super) fn push_visible(out: &mut String, c: char) {
    let acts = c.is_control() && c != '\t'
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}');
    if acts { out.extend(c.escape_default()) } else { out.push(c) }
}

/// A line as it is shown.
pub(super) fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        push_visible(&mut out, c);
    }
    out
}
