//! Words in a picture: an 8 by 8 alphabet, drawn with round strokes at any size.

use font8x8::{BASIC_FONTS, GREEK_FONTS, LATIN_FONTS, UnicodeFonts};

use super::canvas::{Area, Canvas, Point};
use super::palette::{Colour, Palette};

/// The side of a letter's bitmap.
const CELL: f32 = 8.0;

/// The bitmap of a letter, a byte a row, its leftmost pixel in the lowest bit.
fn bitmap(letter: char) -> Option<[u8; 8]> {
    BASIC_FONTS.get(letter).or_else(|| LATIN_FONTS.get(letter)).or_else(|| GREEK_FONTS.get(letter))
}

/// Whether the alphabet has every letter of a word.
pub(super) fn can_spell(word: &str) -> bool {
    !word.is_empty() && word.chars().all(|letter| bitmap(letter).is_some_and(|rows| rows != [0; 8]))
}

/// A line of letters, without the empty columns around each of them.
#[derive(Debug)]
struct Line {
    /// Columns of eight pixels, the topmost in the lowest bit.
    columns: Vec<u8>,
}

impl Line {
    fn set(text: &str) -> Self {
        let mut columns = Vec::new();
        for letter in text.chars() {
            let rows = bitmap(letter).unwrap_or([0; 8]);
            let letter: Vec<u8> =
                (0..8).map(|x| (0..8).fold(0, |column, y| column | (rows[y] >> x & 1) << y)).collect();
            let first = letter.iter().position(|column| *column != 0).unwrap_or(0);
            let last = letter.iter().rposition(|column| *column != 0).unwrap_or(2);
            if !columns.is_empty() {
                columns.push(0);
            }
            columns.extend_from_slice(&letter[first..=last]);
        }
        Self { columns }
    }

    /// In pixels of the bitmap.
    fn width(&self) -> f32 {
        self.columns.len() as f32
    }

    fn is_set(&self, column: i32, row: i32) -> bool {
        let column = usize::try_from(column).ok().and_then(|at| self.columns.get(at));
        (0..8).contains(&row) && column.is_some_and(|column| column >> row & 1 == 1)
    }

    /// How far a place (in pixels of the bitmap) lies outside of the strokes, negative inside: set pixels are joined to
    /// their neighbours by bars with round ends, so that stairs become slopes.
    #[expect(clippy::cast_possible_truncation, reason = "a line is a few hundred pixels long")]
    fn distance(&self, x: f32, y: f32) -> f32 {
        const HALF: f32 = 0.52;
        let (column, row) = (x.floor() as i32, y.floor() as i32);
        let mut nearest = f32::MAX;
        for down in -1..=1 {
            for across in -1..=1 {
                let (at, line) = (column + across, row + down);
                if !self.is_set(at, line) {
                    continue;
                }
                let from = Point::new(at as f32 + 0.5, line as f32 + 0.5);
                nearest = nearest.min(from.distance(Point::new(x, y)));
                let (right, below) = (self.is_set(at + 1, line), self.is_set(at, line + 1));
                if right && below && self.is_set(at + 1, line + 1) {
                    // Four in a square leave no hole between them.
                    let inside = Area { left: from.x, top: from.y, right: from.x + 1.0, bottom: from.y + 1.0 };
                    nearest = nearest.min(inside.distance(Point::new(x, y), 0.0).max(0.0));
                }
                for (dx, dy, joined) in [
                    (1, 0, right),
                    (0, 1, below),
                    // A slope only where no straight way leads there.
                    (1, 1, self.is_set(at + 1, line + 1) && !right && !below),
                    (-1, 1, self.is_set(at - 1, line + 1) && !self.is_set(at - 1, line) && !below),
                ] {
                    if joined {
                        nearest = nearest.min(to_bar(Point::new(x, y), from, (dx as f32, dy as f32)));
                    }
                }
            }
        }
        nearest - HALF
    }
}

/// The distance to the straight line from a point along a vector.
fn to_bar(point: Point, from: Point, (dx, dy): (f32, f32)) -> f32 {
    let (px, py) = (point.x - from.x, point.y - from.y);
    let along = ((px * dx + py * dy) / (dx * dx + dy * dy)).clamp(0.0, 1.0);
    point.distance(Point::new(from.x + dx * along, from.y + dy * along))
}

/// Draws a line of text; `corner` is the upper left of its bitmap, `size` the side of a bitmap pixel.
fn draw(canvas: &mut Canvas, line: &Line, corner: Point, size: f32, colour: Colour) {
    let area = Area {
        left: corner.x - size,
        top: corner.y - size,
        right: corner.x + (line.width() + 1.0) * size,
        bottom: corner.y + (CELL + 1.0) * size,
    };
    let letters = |p: Point| line.distance((p.x - corner.x) / size, (p.y - corner.y) / size) * size;
    canvas.fill(area, letters, |_| colour, 1.0);
}

/// Sets words on a card in the lower left corner, one below the other, as large as fits. Nothing is drawn where letters
/// would be too small to be read.
pub(super) fn card(canvas: &mut Canvas, palette: &Palette, words: &[String]) {
    let area = canvas.area();
    let lines: Vec<Line> = words.iter().map(|word| Line::set(word)).collect();
    let widest = lines.iter().map(Line::width).fold(0.0, f32::max);
    if widest == 0.0 {
        return;
    }
    let (margin, leading) = (0.055, 10.5);
    let rows = lines.len() as f32;
    let size = (area.right * 0.52 / widest).min(area.bottom * 0.30 / (leading * rows)).min(0.0086);
    if size * canvas.unit() < 1.0 {
        return;
    }
    let padding = size * 5.0;
    let card = Area {
        left: margin,
        top: area.bottom - margin - padding * 2.0 - size * (leading * rows - (leading - CELL) - 1.0),
        right: margin + padding * 2.0 + widest * size,
        bottom: area.bottom - margin,
    };
    let (back, front) = if palette.dark { (palette.ink, palette.paper) } else { (palette.paper, palette.ink) };
    canvas.fill(card, |p| card.distance(p, size * 2.0), |_| back, 0.93);
    let bar = Area { right: card.left + size * 1.6, ..card };
    canvas.fill(bar, |p| card.distance(p, size * 2.0).max(p.x - bar.right), |_| palette.accent, 1.0);
    let mut top = card.top + padding;
    for line in &lines {
        draw(canvas, line, Point::new(card.left + padding, top), size, front);
        top += size * leading;
    }
}

/// Sets a small mark in the lower right corner, as large as letters must be to be read, if there is room for it at all.
pub(super) fn mark(canvas: &mut Canvas, palette: &Palette, text: &str) {
    let area = canvas.area();
    let line = Line::set(text);
    let size = 0.0026_f32.max(1.0 / canvas.unit());
    let (width, padding) = (line.width() * size, size * 4.0);
    let margin = (0.055_f32).min((area.right - width - padding * 2.0) * 0.5);
    if margin < 0.0 || area.bottom < size * 16.0 {
        return;
    }
    let pill = Area {
        left: area.right - margin - width - padding * 2.0,
        top: area.bottom - margin.min(0.055) - size * 14.0,
        right: area.right - margin,
        bottom: area.bottom - margin.min(0.055),
    };
    let (back, front) = if palette.dark { (palette.paper, palette.ink) } else { (palette.ink, palette.paper) };
    canvas.fill(pill, |p| pill.distance(p, size * 7.0), |_| back, 0.62);
    draw(canvas, &line, Point::new(pill.left + padding, pill.top + size * 3.5), size, front);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_spelled_only_if_every_letter_is_known() {
        assert!(can_spell("Harbour"));
        assert!(can_spell("Über"));
        assert!(!can_spell("花"));
        assert!(!can_spell(""));
    }

    #[test]
    fn strokes_are_inside_and_gaps_outside() {
        let line = Line::set("H");
        assert!(line.distance(0.5, 3.0) < 0.0);
        assert!(line.distance(-3.0, 3.0) > 0.0);
        assert!(line.distance(line.width() * 0.5, 0.5) > 0.0);
    }
}
