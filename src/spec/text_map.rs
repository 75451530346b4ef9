//! From offsets in a text, as a template engine names them, to places in the file in which it was written.

use std::ops::Range;
use std::sync::Arc;

use super::node::Style;
use crate::model::{FileId, Place};

/// Where each part of a text stands. Exact for files, literal blocks, and plain and quoted texts (an escape is a unit);
/// where lines were folded, exact for words and rough for the blanks between them.
#[derive(Debug, Clone)]
pub struct TextMap {
    whole: Place,
    /// Ascending, without gaps in the text. Empty if all there is to say is `whole`.
    runs: Arc<[Run]>,
    /// Where the text that is asked about begins in the text that `runs` speak of.
    skipped: usize,
}

/// A part of a text and where it stands: byte for byte if both are of one length, else as a unit.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Run {
    text: Range<usize>,
    source: Range<usize>,
}

impl TextMap {
    /// All of it stands at `place`, and nothing more is known.
    pub fn fixed(place: Place) -> Self {
        Self { whole: place, runs: Arc::from([]), skipped: 0 }
    }

    /// A file of `length` bytes that is the text.
    pub fn file(file: FileId, length: usize) -> Self {
        let run = Run { text: 0..length, source: 0..length };
        Self { whole: Place::new(file, 0..length), runs: Arc::from([run]), skipped: 0 }
    }

    /// A scalar that is written at `place` of `source`, and reads `text`.
    pub(super) fn scalar(source: &str, place: &Place, style: Style, text: &str) -> Self {
        let runs = align(source, place.span.clone(), style, text).unwrap_or_default();
        Self { whole: place.clone(), runs: runs.into(), skipped: 0 }
    }

    /// The same for the text from byte `by` on.
    #[must_use]
    pub fn tail(&self, by: usize) -> Self {
        Self { whole: self.whole.clone(), runs: Arc::clone(&self.runs), skipped: self.skipped + by }
    }

    /// Where the bytes `range` of the text stand; the place of all of it where that is not known.
    pub fn place(&self, range: Range<usize>) -> Place {
        let start = range.start.saturating_add(self.skipped);
        let end = range.end.saturating_add(self.skipped);
        let span = match (self.start(start), self.end(start, end)) {
            (Some(start), Some(end)) if start <= end => start..end,
            _ => return self.whole.clone(),
        };
        Place::new(self.whole.file, span)
    }

    /// Where all of it stands.
    pub fn whole(&self) -> Place {
        self.whole.clone()
    }

    fn start(&self, offset: usize) -> Option<usize> {
        match self.run(offset) {
            Some(run) if run.is_exact() => Some(run.source.start + (offset - run.text.start)),
            Some(run) => Some(run.source.start),
            None => self.runs.last().filter(|last| last.text.end == offset).map(|last| last.source.end),
        }
    }

    fn run(&self, offset: usize) -> Option<&Run> {
        self.runs.get(self.runs.partition_point(|run| run.text.end <= offset))
    }

    fn end(&self, start: usize, end: usize) -> Option<usize> {
        if start >= end {
            return if start == end { self.start(start) } else { None };
        }
        let run = self.run(end - 1)?;
        Some(if run.is_exact() { run.source.start + (end - run.text.start) } else { run.source.end })
    }
}

impl Run {
    fn is_exact(&self) -> bool {
        self.text.len() == self.source.len()
    }
}

fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r')
}

/// Whatever the style, a scalar and its source have the same characters other than blanks, in the same order; blanks are
/// folded, chomped and indented. So both are walked side by side, a run of blanks against a run of blanks.
fn align(source: &str, span: Range<usize>, style: Style, text: &str) -> Option<Vec<Run>> {
    let mut written = Written::new(source, span, style)?;
    let mut runs: Vec<Run> = Vec::new();
    let mut offset = 0;
    loop {
        let rest = &text[offset..];
        let blanks = rest.len() - rest.trim_start_matches(is_blank).len();
        let at = written.skip_blanks();
        push(&mut runs, Run { text: offset..offset + blanks, source: at });
        offset += blanks;
        let Some(c) = text[offset..].chars().next() else {
            return written.next().is_none().then_some(runs);
        };
        let token = written.next()?;
        if token.literal.is_some_and(|literal| literal != c) {
            return None;
        }
        push(&mut runs, Run { text: offset..offset + c.len_utf8(), source: token.source });
        offset += c.len_utf8();
    }
}

/// Adds a run, to the one before it where both are byte for byte.
fn push(runs: &mut Vec<Run>, run: Run) {
    if run.text.is_empty() {
        return;
    }
    if let Some(last) = runs.last_mut()
        && last.is_exact()
        && run.is_exact()
        && last.source.end == run.source.start
    {
        last.text.end = run.text.end;
        last.source.end = run.source.end;
        return;
    }
    runs.push(run);
}

/// A scalar as it is written, character for character of what it means.
struct Written<'s> {
    source: &'s str,
    at: usize,
    end: usize,
    style: Style,
}

struct Token {
    source: Range<usize>,
    /// The character, unless it is an escape.
    literal: Option<char>,
    is_blank: bool,
}

impl<'s> Written<'s> {
    fn new(source: &'s str, span: Range<usize>, style: Style) -> Option<Self> {
        let inner = match style {
            Style::Plain | Style::Block => span,
            Style::SingleQuoted | Style::DoubleQuoted => {
                let quote = if style == Style::SingleQuoted { '\'' } else { '"' };
                source.get(span.clone())?.strip_prefix(quote)?.strip_suffix(quote)?;
                span.start + 1..span.end - 1
            }
        };
        source.get(inner.clone())?;
        Some(Self { source, at: inner.start, end: inner.end, style })
    }

    /// The source of the blanks that come next.
    fn skip_blanks(&mut self) -> Range<usize> {
        let start = self.at;
        while let Some(token) = self.peek().filter(|token| token.is_blank) {
            self.at = token.source.end;
        }
        start..self.at
    }

    fn next(&mut self) -> Option<Token> {
        let token = self.peek()?;
        self.at = token.source.end;
        Some(token)
    }

    fn peek(&self) -> Option<Token> {
        let rest = &self.source[self.at..self.end];
        let c = rest.chars().next()?;
        match (self.style, c) {
            (Style::SingleQuoted, '\'') => {
                Some(Token { source: self.at..self.at + 2.min(rest.len()), literal: Some(c), is_blank: false })
            }
            (Style::DoubleQuoted, '\\') => Some(self.escape(rest)),
            _ => Some(Token { source: self.at..self.at + c.len_utf8(), literal: Some(c), is_blank: is_blank(c) }),
        }
    }

    fn escape(&self, rest: &str) -> Token {
        let kind = rest[1..].chars().next().unwrap_or('\\');
        let digits = match kind {
            'x' => 2,
            'u' => 4,
            'U' => 8,
            _ => 0,
        };
        let number = |at: usize| rest.get(at..at + digits).and_then(|hex| u32::from_str_radix(hex, 16).ok());
        let mut length = (1 + kind.len_utf8() + digits).min(rest.len());
        // Two escapes of a surrogate pair are one character.
        if kind == 'u' && number(2).is_some_and(|unit| (0xd800..0xdc00).contains(&unit)) {
            length = 12.min(rest.len());
        }
        let is_blank = match kind {
            'x' | 'u' | 'U' => number(2).and_then(char::from_u32).is_some_and(is_blank),
            // A line end that is escaped is no line end, and takes the indentation with it.
            _ => matches!(kind, 'n' | 't' | 'r' | ' ' | '\t' | '\n' | '\r'),
        };
        Token { source: self.at..self.at + length, literal: None, is_blank }
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use proptest::prelude::*;

    use super::*;
    use crate::diag::Diagnostics;
    use crate::spec::node::{Node, Value};
    use crate::spec::yaml;

    /// The value of `a` in the mapping that `source` is, and its map.
    fn read(source: &str) -> (String, TextMap) {
        let mut found = Diagnostics::default();
        let root = yaml::parse(FileId(0), source, &mut found).expect(source);
        let node: Node = root.entries().expect("a mapping")[0].value.clone();
        let Value::Text(text, style) = node.value else { panic!("{source}") };
        (text.to_string(), TextMap::scalar(source, &node.place, style, &text))
    }

    /// What stands in `source` where `word` is in its value.
    fn found<'s>(source: &'s str, word: &str) -> &'s str {
        let (text, map) = read(source);
        let at = text.find(word).expect("the word");
        &source[map.place(at..at + word.len()).span]
    }

    #[test]
    fn each_style_leads_back_to_its_source() {
        for source in [
            "a: say {{ tone }} now",
            "a: 'it''s {{ tone }}'",
            "a: \"\\u00fc\\t\\\"x\\\" {{ tone }}\"",
            "a: |\n  first\n\n    {{ tone }} deep\n  last\n",
            "a: |\n\n  first {{ tone }}\n",
            "a: >-\n  folded\n  lines and {{ tone }}\n\n  more\n",
            "a: plain\n  over lines {{ tone }}\n",
            "a: \"quoted\n\n  over {{ tone }}\"",
            "a: \"cut \\\n   here {{ tone }}\"",
            "a: |2\n   x {{ tone }}\n",
        ] {
            assert_eq!(found(source, "{{ tone }}"), "{{ tone }}", "{source}");
        }
    }

    #[test]
    fn an_escape_is_a_unit() {
        assert_eq!(found("a: \"x \\u00fcy\"", "ü"), "\\u00fc");
        assert_eq!(found("a: \"x \\ud83d\\ude42 y\"", "🙂"), "\\ud83d\\ude42");
        assert_eq!(found("a: \"x\\ny z\"", "y z"), "y z");
        assert_eq!(found("a: \"x\\x20\\ny\"", "\n"), "\\x20\\n");
    }

    #[test]
    fn what_is_out_of_reach_is_the_whole() {
        let (_, map) = read("a: one\n");
        assert_eq!(map.place(0..3).span, 3..6);
        assert_eq!(map.place(3..3).span, 6..6, "the end");
        #[expect(clippy::reversed_empty_ranges, reason = "a range that makes no sense")]
        for range in [2..1, 2..9, 7..7, usize::MAX - 1..usize::MAX] {
            assert_eq!(map.place(range), map.whole());
        }
        let fixed = TextMap::fixed(Place::new(FileId(3), 1..2));
        assert_eq!(fixed.place(0..100), fixed.whole());
    }

    #[test]
    fn a_tail_and_a_file() {
        let (_, map) = read("a: \"{{ one }}\"\n");
        assert_eq!(map.tail(3).place(0..3).span, 7..10);
        let file = TextMap::file(FileId(1), 10);
        assert_eq!(file.place(2..5), Place::new(FileId(1), 2..5));
        assert_eq!(file.place(2..11), file.whole());
    }

    /// Words apart by blanks, with characters that need care in quotes.
    fn words() -> impl Strategy<Value = Vec<String>> {
        proptest::collection::vec("[a-zäß漢🙂{}'\"\\\\,.]{1,6}", 1..8)
    }

    proptest! {
        #[test]
        fn every_word_is_found_where_it_was_written(words in words(), gaps in proptest::collection::vec(0usize..4, 8)) {
            let mut literal = String::from("a: |\n");
            let mut plain = String::from("a: b");
            let mut single = String::from("a: '");
            let mut double = String::from("a: \"");
            let mut lines = String::from("a: |\n");
            for (word, gap) in words.iter().zip(&gaps) {
                write!(literal, "  {}{word}\n{}", "x ".repeat(*gap), "\n".repeat(*gap)).expect("memory");
                writeln!(lines, "  {word} {word}").expect("memory");
                write!(plain, "{} {}", " ".repeat(*gap), word.replace(['{', '}', ','], "b")).expect("memory");
                write!(single, "{} {}", " ".repeat(*gap), word.replace('\'', "''")).expect("memory");
                write!(double, "{} {}", "\n".repeat(*gap), word.replace('\\', "\\\\").replace('"', "\\\"")).expect("memory");
            }
            single.push('\'');
            double.push('"');
            for source in [&literal, &plain, &single, &double, &lines] {
                let (text, map) = read(source);
                let mut at = 0;
                for word in text.split([' ', '\n']) {
                    let written = &source[map.place(at..at + word.len()).span];
                    let plain = written.replace("''", "'").replace("\\\\", "\\").replace("\\\"", "\"");
                    if !word.is_empty() && !word.contains("''") && !word.contains('\\') {
                        prop_assert_eq!(&plain, word, "{}", source);
                    }
                    at += word.len() + 1;
                }
            }
        }

        #[test]
        fn no_range_breaks_it(source in "a: (\\|\n  [a-z \n]{0,20}|\"[a-zü \\\\n]{0,20}\"|'[a-z '\n]{0,20}')", a in 0usize..40, b in 0usize..40) {
            let mut diagnostics = Diagnostics::default();
            if let Some(root) = yaml::parse(FileId(0), &source, &mut diagnostics)
                && let Some(entries) = root.entries()
                && let Value::Text(text, style) = &entries[0].value.value
            {
                let map = TextMap::scalar(&source, &entries[0].value.place, *style, text);
                let place = map.place(a..b);
                prop_assert!(place.span.start <= place.span.end && place.span.end <= source.len());
            }
        }
    }
}
