//! What is told about a file that YAML reads otherwise than its author meant, or not at all.

use std::ops::Range;

use super::yaml::too_deep;
use crate::diag::Diagnostic;
use crate::model::{FileId, Place};

/// The ways in which a file is no YAML.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fault {
    Depth,
    Tab,
    Colon,
    Key,
    Alias,
    Character(char),
    OpenQuote,
    AfterQuote,
    Escape,
    OpenBracket,
    BlockIndent,
    /// In the words of the parser.
    Other(String),
}

/// The file is no YAML from the byte `offset` on.
pub(super) fn syntax_error(file: FileId, text: &str, fault: &Fault, offset: usize) -> Diagnostic {
    let offset = offset.min(text.len());
    // In `{text: hi: there}` the parser misses a comma or a brace.
    let line = &text[text[..offset].rfind('\n').map_or(0, |at| at + 1)..offset];
    let is_colon = *fault == Fault::OpenBracket && text[offset..].starts_with(':') && line.contains(['{', '[']);
    let fault = if is_colon { &Fault::Colon } else { fault };
    if let Some(span) = template_before(text, offset) {
        return unquoted_template(text, &Place::new(file, span));
    }
    let length = text.get(offset..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
    let place = Place::new(file, offset..offset + length);
    let (message, help) = match fault {
        Fault::Depth => return too_deep(&place),
        Fault::Tab => ("a tab can't indent a line".to_owned(), "indent with spaces"),
        Fault::Colon => (
            "`:` can't stand here".to_owned(),
            "quote a text that has `: ` in it (`text: \"Note: this\"`), and check the indentation of this line",
        ),
        Fault::Key => (
            "expected a key or an element of the list that is open".to_owned(),
            "check the indentation of this line, and quote a text that begins with a special character",
        ),
        Fault::Alias => (
            "this alias names nothing that stands above it".to_owned(),
            "quote a text that begins with `*`, or write `&name` before the value that it means",
        ),
        Fault::Character(c) if c.is_control() => (
            format!("the character U+{:04X} can't stand in a file", u32::from(*c)),
            "take it out; in double quotes it can be written as an escape",
        ),
        Fault::Character(c) => (format!("no value begins with `{c}`"), "quote the text"),
        Fault::OpenQuote => return open_quote(text, &place),
        Fault::AfterQuote => (
            "something follows the closing quote".to_owned(),
            "write `''` for a quote within single quotes, and `\\\"` within double quotes",
        ),
        Fault::Escape => return bad_escape(text, &place),
        Fault::OpenBracket => (
            "a `[` or `{` is not closed before this".to_owned(),
            "close it, and quote texts that have brackets, braces or commas in them",
        ),
        Fault::BlockIndent => (
            "this line of the text is indented otherwise than the first".to_owned(),
            "indent all lines of the text alike, or give its indentation: `|2`",
        ),
        Fault::Other(words) => (words.clone(), "see what stands before it: an open quote, bracket or brace"),
    };
    Diagnostic::error("yaml-syntax", &place, message).help(help)
}

/// A quoted text has no end. The parser complains where it begins, or at the line that can't belong to it.
fn open_quote(text: &str, place: &Place) -> Diagnostic {
    let help = "close it with the quote it began with";
    let opened = if text[place.span.start..].starts_with(['"', '\'']) {
        Some(place.span.start)
    } else {
        opening_quote(&text[..place.span.start])
    };
    let Some(at) = opened else {
        return Diagnostic::error("yaml-syntax", place, "a quoted text is not closed before this").help(help);
    };
    let opening = Place::new(place.file, at..at + 1);
    let diagnostic = Diagnostic::error("yaml-syntax", &opening, "this quote is not closed").help(help);
    if at == place.span.start { diagnostic } else { diagnostic.also(place, "here the text can't go on") }
}

/// The first quote that begins a value and is not followed by another of its kind.
fn opening_quote(text: &str) -> Option<usize> {
    let begins = |at: &usize| text[..*at].chars().next_back().is_none_or(|c| c.is_whitespace() || "[{,:-".contains(c));
    ['"', '\''].into_iter().filter_map(|quote| text.rfind(quote).filter(begins)).min()
}

/// The escape that means nothing in the text in double quotes that begins at `place`.
fn bad_escape(text: &str, place: &Place) -> Diagnostic {
    let span = escape_after(text, place.span.start).unwrap_or(place.span.clone());
    let message = format!("`{}` is not an escape of YAML", &text[span.clone()]);
    Diagnostic::error("yaml-syntax", &Place::new(place.file, span), message)
        .help("write `\\\\` for a backslash in double quotes, or use single quotes")
}

/// The first bad escape behind the byte `start`. Source: YAML 1.2, 5.7.
fn escape_after(text: &str, start: usize) -> Option<Range<usize>> {
    let mut at = start;
    loop {
        at += text[at..].find('\\')?;
        let kind = text[at + 1..].chars().next()?;
        let digits = match kind {
            'x' => 2,
            'u' => 4,
            'U' => 8,
            _ if "0abt\tnvfre \"/\\N_LP\n\r".contains(kind) => 0,
            _ => return Some(at..at + 1 + kind.len_utf8()),
        };
        let behind = at + 1 + kind.len_utf8();
        let hex: String = text[behind..].chars().take(digits).take_while(char::is_ascii_hexdigit).collect();
        let code = u32::from_str_radix(&hex, 16).unwrap_or_default();
        if hex.len() < digits || (digits == 8 && char::from_u32(code).is_none()) {
            return Some(at..behind + hex.len());
        }
        at = behind + digits;
    }
}

/// A list or a mapping in brackets that is not closed. It begins at `flow.start`, and the parser gave up at `flow.end`,
/// which says nothing if that is on another line.
pub(super) fn open_flow(file: FileId, text: &str, fault: &Fault, flow: Range<usize>) -> Option<Diagnostic> {
    if let Some(cut) = cut_flow(file, text, flow.clone()) {
        return Some(cut);
    }
    let is_about_ends = matches!(fault, Fault::OpenBracket | Fault::Colon | Fault::Key);
    if !is_about_ends || !text[flow.clone()].contains('\n') {
        return None;
    }
    let opening = Place::new(file, flow.start..flow.start + 1);
    let message = format!("this `{}` is not closed", &text[opening.span.clone()]);
    let diagnostic = Diagnostic::error("yaml-syntax", &opening, message)
        .help("close it, and quote texts that have brackets, braces, commas or `: ` in them");
    let end = Place::new(file, flow.end..flow.end);
    Some(if flow.end < text.len() { diagnostic.also(&end, "here it can't go on") } else { diagnostic })
}

/// One of which a comment takes the end: `[red #1, blue]`.
fn cut_flow(file: FileId, text: &str, flow: Range<usize>) -> Option<Diagnostic> {
    let line_end = text[flow.end..].find('\n').map_or(text.len(), |at| flow.end + at);
    let mut start = flow.start;
    for line in text[flow.start..line_end].split('\n') {
        if let Some(at) = comment_in(line) {
            let place = Place::new(file, start + at..start + line.trim_end().len());
            let word = line[at..].split_whitespace().next().unwrap_or_default();
            let bracket = &text[flow.start..=flow.start];
            let message =
                format!("YAML reads a comment from `{word}` on, so that the `{bracket}` before it stays open");
            return Some(
                Diagnostic::error("cut-by-comment", &place, message).help("quote the text that has ` #` in it"),
            );
        }
        start += line.len() + 1;
    }
    None
}

/// Where a comment begins in a line that was hardly meant as one.
fn comment_in(line: &str) -> Option<usize> {
    line.match_indices(" #").map(|(at, _)| at + 1).find(|at| {
        let is_quoted = ['"', '\''].iter().any(|quote| !line[..*at].matches(*quote).count().is_multiple_of(2));
        !is_quoted && line[at + 1..].starts_with(|c: char| c.is_alphanumeric() || c == '{')
    })
}

/// `{{x}}` without quotes, which YAML reads as a mapping in a mapping.
pub(super) fn unquoted_template(text: &str, place: &Place) -> Diagnostic {
    let line_end = text[place.span.start..].find('\n').map_or(text.len(), |at| place.span.start + at);
    let whole = text[place.span.start..line_end].trim_end();
    let written = if place.span.end >= line_end { whole } else { &text[place.span.clone()] };
    Diagnostic::error(
        "unquoted-template",
        place,
        "a text that begins with `{{` needs quotes: YAML reads a mapping here",
    )
    .help(format!("write {}", quoted(written)))
}

/// The value on the line of `offset`, or on the one before it, that begins with `{{` and has no quotes.
fn template_before(text: &str, offset: usize) -> Option<Range<usize>> {
    let line_start = |at: usize| text[..at].rfind('\n').map_or(0, |found| found + 1);
    let here = line_start(offset);
    let before = line_start(here.saturating_sub(1));
    [here, before].into_iter().find_map(|start| {
        let line = text[start..].lines().next().unwrap_or_default();
        let at = line.find("{{")?;
        let lead = line[..at].trim_end();
        let begins_value = lead.is_empty() || lead.ends_with([':', '-']);
        (begins_value && start + at < offset).then(|| start + at..start + line.trim_end().len())
    })
}

/// A plain text that a comment cuts, though it was hardly meant as one: `Issue #12`.
pub(super) fn cut_by_comment(text: &str, place: &Place) -> Option<Diagnostic> {
    let rest = text[place.span.end..].lines().next().unwrap_or_default();
    let comment = rest.trim_start_matches([' ', '\t']);
    let is_cut = comment.len() < rest.len()
        && comment.starts_with('#')
        && comment[1..].starts_with(|c: char| c.is_alphanumeric() || c == '{');
    if !is_cut {
        return None;
    }
    let start = place.span.end + rest.len() - comment.len();
    let end = place.span.end + rest.trim_end().len();
    let whole = text[place.span.start..end].trim_start();
    let word = comment.split_whitespace().next().unwrap_or_default();
    let message = if place.span.is_empty() {
        format!("there is no value before `{word}`: YAML reads this as a comment")
    } else {
        format!("the text ends before `{word}`: YAML reads this as a comment")
    };
    let help = if whole.contains('\n') {
        "quote the text, or put a space after `#`".to_owned()
    } else {
        format!("write {}, or put a space after `#` of a comment", quoted(whole))
    };
    Some(Diagnostic::warning("cut-by-comment", &Place::new(place.file, start..end), message).help(help))
}

/// A text in the quotes that need the fewest escapes, in backticks.
pub(super) fn quoted(text: &str) -> String {
    let text = text.trim();
    if text.contains(['"', '\\']) { format!("`'{}'`", text.replace('\'', "''")) } else { format!("`\"{text}\"`") }
}
