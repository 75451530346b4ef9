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

/// Text of others on one line: no line breaks, no control characters that a terminal would obey.
pub(super) fn one_line(text: &str) -> String {
    let printable: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    printable.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Text of others without the control characters that a terminal would obey; line breaks and tabs stay.
pub(super) fn harmless(text: &str) -> Cow<'_, str> {
    let obeyed = |c: char| c.is_control() && c != '\n' && c != '\t';
    if text.contains(obeyed) { Cow::Owned(text.chars().filter(|c| !obeyed(*c)).collect()) } else { Cow::Borrowed(text) }
}

/// How a column of a [`table`] is laid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Words.
    Left,
    /// Figures.
    Right,
}

/// Lays rows out in lines, two spaces between columns and none at the end of a line.
pub fn table(sides: &[Side], rows: &[Vec<String>]) -> Vec<String> {
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
        assert_eq!(harmless("a\n\tb\u{1b}[2J\u{7}"), "a\n\tb[2J");
    }

    #[test]
    fn columns_line_up() {
        let rows = [["stage", "done"], ["日本", "12"], ["b", "1"]].map(|row| row.map(str::to_owned).to_vec());
        assert_eq!(table(&[Side::Left, Side::Right], &rows), ["stage  done", "日本     12", "b         1"]);
    }
}
