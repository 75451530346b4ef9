//! Text in columns: widths as a terminal counts them, cutting, filling up, tables.

use std::borrow::Cow;

use console::{measure_text_width, truncate_str};

/// Cuts `text` to `width` columns, with `…` where something is missing.
pub(super) fn fit(text: &str, width: usize) -> Cow<'_, str> {
    // The mark itself takes a column.
    if width == 0 { Cow::Borrowed("") } else { truncate_str(text, width, "…") }
}

/// The columns that `text` takes; colours take none.
pub(super) fn width_of(text: &str) -> usize {
    measure_text_width(text)
}

/// `text` cut or filled up to exactly `width` columns.
pub(super) fn pad(text: &str, width: usize) -> String {
    let text = fit(text, width);
    let missing = width.saturating_sub(width_of(&text));
    format!("{text}{}", " ".repeat(missing))
}

/// Text of others on one line: no line breaks, nothing that a terminal would obey, and nothing that can't be seen.
pub fn one_line(text: &str) -> String {
    let invisible = |c: &char| turns(*c) || matches!(c, '\u{200b}'..='\u{200f}' | '\u{feff}');
    let printable: String =
        text.chars().filter(|c| !invisible(c)).map(|c| if c.is_control() { ' ' } else { c }).collect();
    printable.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Text of others without what a terminal would obey; line breaks and tabs stay. So do joiners and marks of direction
/// that have no width: Persian and Hindi are not written without them, nor are some emoji.
pub fn harmless(text: &str) -> Cow<'_, str> {
    let obeyed = |c: char| c.is_control() && c != '\n' && c != '\t' || turns(c);
    if text.contains(obeyed) { Cow::Owned(text.chars().filter(|c| !obeyed(*c)).collect()) } else { Cow::Borrowed(text) }
}

/// Whether it turns the order around in which what follows is shown.
fn turns(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// How a column of a [`table`] is laid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Words.
    Left,
    /// Figures.
    Right,
}

/// Lays rows out in lines, two spaces between columns and none at the end of a line. Cells may hold texts of others.
pub fn table(sides: &[Side], rows: &[Vec<String>]) -> Vec<String> {
    let rows: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(|cell| one_line(cell)).collect()).collect();
    let widths: Vec<usize> = (0..sides.len())
        .map(|column| rows.iter().filter_map(|row| row.get(column)).map(|cell| width_of(cell)).max().unwrap_or(0))
        .collect();
    rows.iter()
        .map(|row| {
            let cells: Vec<String> = row
                .iter()
                .zip(sides.iter().zip(&widths))
                .map(|(cell, (side, width))| {
                    let space = " ".repeat(width.saturating_sub(width_of(cell)));
                    match side {
                        Side::Left => format!("{cell}{space}"),
                        Side::Right => format!("{space}{cell}"),
                    }
                })
                .collect();
            cells.join("  ").trim_end().to_owned()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths_are_those_of_a_terminal() {
        assert_eq!(width_of("日本"), 4);
        assert_eq!(pad("日本", 5), "日本 ");
        assert_eq!(pad("summarize", 5), "summ…");
        assert_eq!(width_of(&pad("日本語の記事", 5)), 5);
        assert_eq!(width_of("\u{1b}[31mred\u{1b}[0m"), 3);
    }

    #[test]
    fn what_a_terminal_would_obey_is_taken_out() {
        assert_eq!(one_line("a\r\nb\u{1b}[2J\tc"), "a b [2J c");
        assert_eq!(harmless("a\n\tb\u{1b}[2J\u{7}\u{9b}2J"), "a\n\tb[2J2J");
    }

    #[test]
    fn what_turns_or_hides_text_is_taken_out() {
        assert_eq!(one_line("in\u{202e}voice\u{2066}\u{200b}\u{200f}\u{feff}.txt"), "invoice.txt");
        assert_eq!(harmless("in\u{202e}voice\u{2069} می\u{200c}خواهم"), "invoice می\u{200c}خواهم");
    }

    #[test]
    fn a_cell_can_not_break_its_row() {
        assert_eq!(table(&[Side::Left; 2], &[vec!["a\nb".into(), "\u{1b}[2Jc".into()]]), ["a b  [2Jc"]);
    }

    #[test]
    fn columns_line_up() {
        let rows = [["stage", "done"], ["日本", "12"], ["b", "1"]].map(|row| row.map(str::to_owned).to_vec());
        assert_eq!(table(&[Side::Left, Side::Right], &rows), ["stage  done", "日本     12", "b         1"]);
    }
}
