//! From text to pieces: what is printed as it stands, and the `{{..}}` between.

use std::ops::Range;

use super::problem::Problem;

/// A stretch of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    /// Printed as it stands; escaped braces are braces already.
    Text(String),
    /// `{{..}}`.
    Tag(Tag),
}

/// One `{{..}}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tag {
    /// From the first brace to the last.
    pub(super) range: Range<usize>,
    /// What is to be read, without braces, `~` and the mark of the kind.
    pub(super) inner: Range<usize>,
    /// `{{~`.
    pub(super) trims_before: bool,
    /// `~}}`.
    pub(super) trims_after: bool,
    /// What it is.
    pub(super) kind: TagKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TagKind {
    /// `{{x}}`, `{{{x}}}`.
    Value,
    /// `{{#..}}`.
    Open,
    /// `{{else}}`, `{{else if x}}`, `{{^}}`.
    Else,
    /// `{{/..}}`.
    Close,
    /// `{{! .. }}`.
    Comment,
    /// Not usable; its problem is reported.
    Broken,
}

impl TagKind {
    /// Whether a line that holds nothing else disappears with it.
    pub(super) fn takes_its_line(self) -> bool {
        matches!(self, Self::Open | Self::Else | Self::Close | Self::Comment)
    }
}

/// Cuts `text` into pieces; two texts never follow each other.
pub(super) fn scan(text: &str, problems: &mut Vec<Problem>) -> Vec<Piece> {
    let mut scanner = Scanner { text, pieces: Vec::new(), literal: String::new(), problems };
    let mut at = 0;
    while let Some(found) = text[at..].find("{{") {
        let start = at + found;
        let before = &text[at..start];
        let backslashes = before.len() - before.trim_end_matches('\\').len();
        // As in Handlebars: one backslash takes the meaning from the braces, of several one is dropped.
        scanner.literal.push_str(&before[..before.len() - backslashes.min(1)]);
        if backslashes == 1 {
            let braces = if text[start..].starts_with("{{{{") { 4 } else { 2 };
            scanner.literal.push_str(&text[start..start + braces]);
            at = start + braces;
        } else {
            at = scanner.tag(start);
        }
    }
    scanner.literal.push_str(&text[at..]);
    scanner.end_literal();
    scanner.pieces
}

struct Scanner<'a> {
    text: &'a str,
    pieces: Vec<Piece>,
    literal: String,
    problems: &'a mut Vec<Problem>,
}

/// Where a tag ends.
struct End {
    inner: usize,
    trims: bool,
    after: usize,
}

impl Scanner<'_> {
    fn end_literal(&mut self) {
        if !self.literal.is_empty() {
            self.pieces.push(Piece::Text(std::mem::take(&mut self.literal)));
        }
    }

    /// Reads the tag at `start` and returns where to go on.
    fn tag(&mut self, start: usize) -> usize {
        self.end_literal();
        let text = self.text;
        if text[start..].starts_with("{{{{") {
            return self.raw_block(start);
        }
        let mut at = start + 2;
        let trims_before = text[at..].starts_with('~');
        at += usize::from(trims_before);
        if text[at..].starts_with('!') {
            return self.comment(start, at + 1, trims_before);
        }
        let triple = text[at..].starts_with('{');
        at += usize::from(triple);
        match self.find_end(at, triple) {
            Ok(end) => {
                let range = start..end.after;
                let (kind, inner) =
                    if triple { (TagKind::Value, at..end.inner) } else { self.classify(at..end.inner, range.clone()) };
                let tag = Tag { range, inner, trims_before, trims_after: end.trims, kind };
                self.pieces.push(Piece::Tag(tag));
                end.after
            }
            Err(resume) => {
                self.unclosed(start..at);
                resume
            }
        }
    }

    fn unclosed(&mut self, range: Range<usize>) {
        let opening = &self.text[range.clone()];
        let closing: String = opening.chars().rev().map(|c| if c == '{' { '}' } else { c }).collect();
        self.problems.push(
            Problem::syntax(range, format!("`{opening}` is not closed"))
                .help(format!("close it with `{closing}`, or write `\\{{{{` for braces that are text")),
        );
    }

    /// The end of a tag whose content starts at `from`; if there is none, where the next one may start.
    fn find_end(&self, from: usize, triple: bool) -> Result<End, usize> {
        let bytes = self.text.as_bytes();
        let mut at = from;
        while at < bytes.len() {
            let rest = &bytes[at..];
            match bytes[at] {
                quote @ (b'"' | b'\'') if starts_operand(bytes, from, at) => {
                    at = after_string(bytes, at, quote).unwrap_or(at + 1);
                }
                b'[' => at = after_bracket(bytes, at).unwrap_or(at + 1),
                b'{' if rest.starts_with(b"{{") => return Err(at),
                b'}' if triple && rest.starts_with(b"}}}") => {
                    return Ok(End { inner: at, trims: false, after: at + 3 });
                }
                b'}' if triple && rest.starts_with(b"}~}}") => {
                    return Ok(End { inner: at, trims: true, after: at + 4 });
                }
                b'}' if rest.starts_with(b"}}") => {
                    if triple {
                        return Err(at + 2);
                    }
                    let trims = at > from && bytes[at - 1] == b'~';
                    return Ok(End { inner: at - usize::from(trims), trims, after: at + 2 });
                }
                _ => at += 1,
            }
        }
        Err(bytes.len())
    }

    fn comment(&mut self, start: usize, from: usize, trims_before: bool) -> usize {
        let rest = &self.text[from..];
        // `{{!--` may hold braces up to `--}}`; without that end it is the short form.
        let long = rest.strip_prefix("--").and_then(|body| {
            let plain = body.find("--}}").map(|at| (at, false));
            let trimming = body.find("--~}}").map(|at| (at, true));
            [plain, trimming].into_iter().flatten().min()
        });
        let (after, trims_after) = match (long, rest.find("}}")) {
            (Some((at, trims)), _) => (from + 2 + at + if trims { 5 } else { 4 }, trims),
            (None, Some(at)) => (from + at + 2, rest[..at].ends_with('~')),
            (None, None) => {
                self.problems
                    .push(Problem::syntax(start..from, "this comment is not closed").help("close it with `}}`"));
                return self.text.len();
            }
        };
        let kind = TagKind::Comment;
        self.pieces.push(Piece::Tag(Tag { range: start..after, inner: from..from, trims_before, trims_after, kind }));
        after
    }

    fn raw_block(&mut self, start: usize) -> usize {
        self.problems.push(
            Problem::new(start..start + 4, Problem::UNSUPPORTED, "raw blocks can't be used here")
                .help("write `\\{{` for braces that are text"),
        );
        let rest = &self.text[start..];
        let close = rest.find("{{{{/").or_else(|| rest.find("}}}}"));
        let end = close.and_then(|at| rest[at..].find("}}}}").map(|end| at + end + 4));
        end.map_or(self.text.len(), |end| start + end)
    }

    /// What a tag is, by the mark at its start, and what is left to read.
    fn classify(&mut self, inner: Range<usize>, range: Range<usize>) -> (TagKind, Range<usize>) {
        let content = &self.text[inner.clone()];
        let blank = content.len() - content.trim_start().len();
        let content = content.trim_start();
        let after = |mark: usize| inner.start + blank + mark..inner.end;
        let refused = match content.bytes().next() {
            None => Problem::syntax(range, "`{{}}` is empty").help("name a value: `{{title}}`"),
            Some(b'#') => return (TagKind::Open, after(1)),
            Some(b'/') => return (TagKind::Close, after(1)),
            Some(b'^') if content[1..].trim().is_empty() => return (TagKind::Else, after(1)),
            Some(b'^') => Problem::new(range, Problem::UNSUPPORTED, "inverted sections can't be used here")
                .help("write `{{#unless x}}..{{/unless}}`, or `{{else}}` inside a block"),
            Some(b'>') => Problem::new(range, Problem::UNSUPPORTED, "partials can't be used here")
                .help("write the text here, or make it a stage of kind `render` and name that"),
            Some(b'*') => Problem::new(range, Problem::UNSUPPORTED, "decorators can't be used here"),
            Some(b'&') => Problem::new(range, Problem::UNSUPPORTED, "`&` can't be used here")
                .help("write `{{x}}`: nothing is escaped anyway"),
            Some(_) => {
                let word = content.strip_prefix("else").filter(|rest| !rest.starts_with(|c: char| !c.is_whitespace()));
                return if word.is_some() { (TagKind::Else, after(4)) } else { (TagKind::Value, inner) };
            }
        };
        self.problems.push(refused);
        (TagKind::Broken, inner)
    }
}

/// Whether a quote at `at` can open a text: an apostrophe inside a word can't.
fn starts_operand(bytes: &[u8], from: usize, at: usize) -> bool {
    at == from || matches!(bytes[at - 1], b' ' | b'\t' | b'\n' | b'\r' | b'(' | b'=' | b'~' | b'#')
}

fn after_string(bytes: &[u8], start: usize, quote: u8) -> Option<usize> {
    let mut at = start + 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            byte if byte == quote => return Some(at + 1),
            _ => at += 1,
        }
    }
    None
}

fn after_bracket(bytes: &[u8], start: usize) -> Option<usize> {
    let length = bytes[start..].iter().position(|&byte| byte == b']' || byte == b'\n')?;
    (bytes[start + length] == b']').then_some(start + length + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(text: &str) -> (Vec<String>, Vec<Problem>) {
        let mut problems = Vec::new();
        let pieces = scan(text, &mut problems);
        let shown = pieces.iter().map(|piece| match piece {
            Piece::Text(text) => format!("text {text}"),
            Piece::Tag(tag) => format!("{:?} {}", tag.kind, &text[tag.inner.clone()]),
        });
        (shown.collect(), problems)
    }

    fn fine(text: &str) -> Vec<String> {
        let (pieces, problems) = pieces(text);
        assert_eq!(problems, [], "{text}");
        pieces
    }

    #[test]
    fn text_and_tags_alternate() {
        assert_eq!(fine("a {{x}} b"), ["text a ", "Value x", "text  b"]);
        assert_eq!(fine("{{#if x}}1{{else}}2{{/if}}"), ["Open if x", "text 1", "Else ", "text 2", "Close if"]);
        assert_eq!(fine("{{else if y}}{{^}}{{elsewhere}}"), ["Else  if y", "Else ", "Value elsewhere"]);
    }

    #[test]
    fn three_braces_are_two() {
        assert_eq!(fine("{\"a\":{{{x}}}}"), ["text {\"a\":", "Value x", "text }"]);
        assert_eq!(fine("{{~{x}~}}"), ["Value x"]);
        assert_eq!(fine("{{x}}}"), ["Value x", "text }"]);
    }

    #[test]
    fn a_backslash_makes_braces_text() {
        assert_eq!(fine(r"\{{x}} {{y}}"), ["text {{x}} ", "Value y"]);
        assert_eq!(fine(r"\\{{x}}"), [r"text \", "Value x"]);
        assert_eq!(fine(r"\{{{{raw}}}}"), ["text {{{{raw}}}}"]);
        assert_eq!(fine(r"a\b"), [r"text a\b"]);
    }

    #[test]
    fn quotes_and_brackets_hide_braces() {
        assert_eq!(fine("{{replace x '}}' '{{'}}"), ["Value replace x '}}' '{{'"]);
        assert_eq!(fine("{{row.[a}}b]}}"), ["Value row.[a}}b]"]);
        assert_eq!(fine(r#"{{default x "\"}}"}}"#), [r#"Value default x "\"}}""#]);
        assert_eq!(fine("{{don't}} {{won't}}"), ["Value don't", "text  ", "Value won't"]);
    }

    #[test]
    fn comments_hold_anything() {
        assert_eq!(fine("a{{! b }}c"), ["text a", "Comment ", "text c"]);
        assert_eq!(fine("{{!-- {{x}} --}}c{{~!-- --~}}"), ["Comment ", "text c", "Comment "]);
    }

    #[test]
    fn what_is_open_is_reported_where_it_opens() {
        for (text, range) in
            [("a {{x", 2..4), ("{{x {{y}}", 0..2), ("{{{x}} y", 0..3), ("{{~x", 0..3), ("é{{! x", 2..5)]
        {
            let (_, problems) = pieces(text);
            assert_eq!(problems.len(), 1, "{text}");
            assert_eq!(problems[0].range, range, "{text}");
            assert!(problems[0].message.ends_with("not closed"), "{text}");
        }
    }

    #[test]
    fn what_pipelines_do_not_have_is_refused() {
        for text in ["{{> x}}", "{{*x}}", "{{&x}}", "{{^x}}", "{{{{raw}}}} {{x}} {{{{/raw}}}}", "{{{{x}}}}"] {
            let (_, problems) = pieces(text);
            assert_eq!(problems.len(), 1, "{text}");
            assert_eq!(problems[0].code, Problem::UNSUPPORTED, "{text}");
        }
        assert_eq!(pieces("{{ }}").1[0].message, "`{{}}` is empty");
    }
}
