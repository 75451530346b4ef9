//! Whitespace around tags, by the rules of Handlebars: `~` takes all of it, and a line that holds only a block's tag or
//! a comment disappears.

use super::scan::{Piece, Tag};

/// Shortens the texts of `pieces`.
pub(super) fn trim(pieces: &mut [Piece]) {
    // Every decision looks at the texts as they were written, so the cuts are made at the end.
    let cuts: Vec<(usize, usize)> = (0..pieces.len()).map(|at| cut(pieces, at)).collect();
    for (piece, (start, end)) in pieces.iter_mut().zip(cuts) {
        if let Piece::Text(text) = piece {
            // Both sides may take the same blanks.
            *text = text.get(start..end).unwrap_or_default().to_owned();
        }
    }
}

/// Which part of the text at `at` is left.
fn cut(pieces: &[Piece], at: usize) -> (usize, usize) {
    let Piece::Text(text) = &pieces[at] else { return (0, 0) };
    let start = match at.checked_sub(1).map(|before| &pieces[before]) {
        Some(Piece::Tag(tag)) if tag.trims_after => text.len() - text.trim_start().len(),
        Some(Piece::Tag(tag)) if owns_its_line(pieces, at - 1, tag) => {
            line_end(text, at + 1 == pieces.len()).unwrap_or(0)
        }
        _ => 0,
    };
    let end = match pieces.get(at + 1) {
        Some(Piece::Tag(tag)) if tag.trims_before => text.trim_end().len(),
        Some(Piece::Tag(tag)) if owns_its_line(pieces, at + 1, tag) => line_start(text, at == 0).unwrap_or(text.len()),
        _ => text.len(),
    };
    (start, end)
}

fn owns_its_line(pieces: &[Piece], at: usize, tag: &Tag) -> bool {
    let before = match at.checked_sub(1).map(|before| &pieces[before]) {
        None => true,
        Some(Piece::Text(text)) => line_start(text, at == 1).is_some(),
        Some(Piece::Tag(_)) => false,
    };
    let after = match pieces.get(at + 1) {
        None => true,
        Some(Piece::Text(text)) => line_end(text, at + 2 == pieces.len()).is_some(),
        Some(Piece::Tag(_)) => false,
    };
    tag.kind.takes_its_line() && before && after
}

/// Where the blanks before a tag begin, if nothing else is on its line.
fn line_start(text: &str, first: bool) -> Option<usize> {
    let kept = text.trim_end_matches([' ', '\t']);
    (kept.ends_with('\n') || (first && kept.is_empty())).then_some(kept.len())
}

/// Where the line after a tag ends, if nothing else is on it.
fn line_end(text: &str, last: bool) -> Option<usize> {
    let rest = text.trim_start_matches([' ', '\t']);
    let blanks = text.len() - rest.len();
    match rest {
        "" if last => Some(blanks),
        _ if rest.starts_with('\n') => Some(blanks + 1),
        _ if rest.starts_with("\r\n") => Some(blanks + 2),
        _ => None,
    }
}
