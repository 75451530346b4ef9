//! The lines of a file around a few places, made fit to be shown.

use std::ops::Range;

use annotate_snippets::{Annotation, AnnotationKind, Snippet};

use super::files::SourceFile;
use super::visible::{push_visible, visible};

/// A line longer than this is cut to a window, in characters; what is left is cut to the terminal when it is drawn.
const LONG_LINE: usize = 1000;
const WINDOW_BEFORE: usize = 200;

/// A stretch of the file that is pointed at.
pub(super) struct Mark<'a> {
    pub(super) span: Range<usize>,
    pub(super) label: Option<&'a str>,
    pub(super) kind: AnnotationKind,
}

/// Lines as they are shown, and the marks in them. Lines that nobody points at are empty: the drawing folds them away.
pub(super) struct Excerpt {
    first_line: usize,
    text: String,
    marks: Vec<(Range<usize>, AnnotationKind, Option<String>)>,
}

impl Excerpt {
    /// The lines of `marks`, which lie near each other. Of a mark over several lines the first line is shown.
    pub(super) fn new(file: &SourceFile, marks: &[Mark<'_>]) -> Self {
        let lines: Vec<usize> = marks.iter().map(|mark| file.line_of(mark.span.start)).collect();
        let first = lines.iter().copied().min().unwrap_or(0);
        let last = lines.iter().copied().max().unwrap_or(0);
        let mut excerpt = Self { first_line: first + file.first_line(), text: String::new(), marks: Vec::new() };
        for line in first..=last {
            let here: Vec<&Mark<'_>> =
                marks.iter().zip(&lines).filter(|(_, at)| **at == line).map(|(m, _)| m).collect();
            // A single line between two that are shown is shown as well.
            if here.is_empty() && !(lines.contains(&(line - 1)) && lines.contains(&(line + 1))) {
                excerpt.text.push('\n');
            } else {
                excerpt.add_line(file, line, &here);
            }
        }
        excerpt
    }

    fn add_line(&mut self, file: &SourceFile, line: usize, marks: &[&Mark<'_>]) {
        let span = file.line_span(line);
        let from = marks.iter().map(|mark| mark.span.start).min().unwrap_or(span.start);
        let shown = Shown::new(file, span, from, self.text.len());
        for mark in marks {
            let start = shown.offset(mark.span.start);
            let end = shown.offset(mark.span.end).max(start);
            self.marks.push((start..end, mark.kind, mark.label.map(visible)));
        }
        self.text.push_str(&shown.text);
        self.text.push('\n');
    }

    pub(super) fn snippet(&self) -> Snippet<'_, Annotation<'_>> {
        let annotations = self.marks.iter().map(|(span, kind, label)| kind.span(span.clone()).label(label.as_deref()));
        Snippet::source(self.text.as_str()).line_start(self.first_line).annotations(annotations)
    }
}

/// One line as it is shown, and where each of its characters went.
struct Shown {
    text: String,
    /// (byte in the file, byte in the excerpt), ascending; the last is the end of the line.
    offsets: Vec<(usize, usize)>,
}

impl Shown {
    fn new(file: &SourceFile, span: Range<usize>, from: usize, base: usize) -> Self {
        let mut shown = Self { text: String::new(), offsets: Vec::new() };
        let line = &file.text()[span.clone()];
        let length = line.chars().count();
        let skipped = if length > LONG_LINE {
            let before = line.char_indices().take_while(|(at, _)| span.start + at < from).count();
            before.saturating_sub(WINDOW_BEFORE)
        } else {
            0
        };
        if skipped > 0 {
            shown.text.push('…');
        }
        let mut end = span.end;
        for (n, (at, c)) in line.char_indices().enumerate().skip(skipped) {
            let at = span.start + at;
            if n - skipped == LONG_LINE {
                end = at;
                break;
            }
            shown.offsets.push((at, base + shown.text.len()));
            if file.is_concealed(at) { shown.text.push('*') } else { push_visible(&mut shown.text, c) }
        }
        shown.offsets.push((end, base + shown.text.len()));
        if end < span.end {
            shown.text.push('…');
        }
        shown
    }

    /// Where a byte of the file is in the excerpt; what lies outside of it is at its edge.
    fn offset(&self, at: usize) -> usize {
        let next = self.offsets.partition_point(|(from, _)| *from < at);
        self.offsets.get(next).or(self.offsets.last()).map_or(0, |(_, to)| *to)
    }
}
