//! JSON as people sketch it in a prompt: `{title, tags: [..]}`, `{"kind": "bug | feature"}`, an example, a JSON schema.

use std::iter::Peekable;
use std::ops::Range;
use std::str::CharIndices;

/// A sketch, before it is known what it means.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Sketch {
    /// Keys in order; a key without a value stands for any.
    Object(Vec<(String, Sketch)>),
    /// What stands in a list, dots left out.
    List(Vec<Sketch>),
    /// A text in quotation marks.
    Text(String),
    /// Words without quotation marks: a type, a number, `true`, `a | b`, dots, nothing.
    Bare(String),
}

/// Sketches are read no deeper than this.
const DEEPEST: usize = 24;
/// Sketches are no longer than this, in bytes.
const LONGEST: usize = 16 * 1024;
/// So many brackets are tried as the beginning of a sketch.
const TRIES: usize = 64;

/// A sketch in a prompt.
#[derive(Debug)]
pub(super) struct Found {
    /// What is sketched.
    pub(super) sketch: Sketch,
    /// Where it stands.
    pub(super) place: Range<usize>,
}

/// Finds the sketch in a prompt: the first one, but rather one that `JSON`, `shape` or the like comes shortly before.
pub(super) fn find(prompt: &str) -> Option<Found> {
    let mut first = None;
    let mut from = 0;
    for _ in 0..TRIES {
        let Some(start) = prompt[from..].find(['{', '[']).map(|at| at + from) else { break };
        from = start + 1;
        let Some((sketch, length)) = Reader::new(&prompt[start..]).sketch() else { continue };
        if !is_shape(&sketch) || prompt[start + length..].starts_with('(') {
            continue;
        }
        let found = Found { sketch, place: start..start + length };
        if announces(&prompt[..start], &["json", "shape", "schema", "format", "exactly", "structure"]) {
            return Some(found);
        }
        from = start + length;
        first.get_or_insert(found);
    }
    first
}

/// Finds a sketch that the prompt itself, near its beginning or its end, says to be JSON.
pub(super) fn find_json(prompt: &str) -> Option<Found> {
    let near = |found: &Found| found.place.start < 600 || prompt.len() - found.place.end < 600;
    find(prompt).filter(|found| near(found) && announces(&prompt[..found.place.start], &["json"]))
}

/// Whether one of these words stands shortly before the end of a text.
fn announces(before: &str, words: &[&str]) -> bool {
    let end = super::words::suffix(before, 80).to_lowercase();
    words.iter().any(|word| end.contains(word))
}

/// Whether brackets hold data and not a remark: `[1]`, `[offline]` and `[x]` are no shapes.
fn is_shape(sketch: &Sketch) -> bool {
    match sketch {
        Sketch::Object(fields) => !fields.is_empty(),
        Sketch::List(items) => items.iter().any(|item| match item {
            Sketch::Object(fields) => !fields.is_empty(),
            Sketch::List(_) => is_shape(item),
            Sketch::Text(_) => true,
            Sketch::Bare(word) => ["string", "number", "integer", "boolean"].contains(&word.as_str()),
        }),
        Sketch::Text(_) | Sketch::Bare(_) => false,
    }
}

struct Reader<'a> {
    text: &'a str,
    letters: Peekable<CharIndices<'a>>,
}

impl<'a> Reader<'a> {
    fn new(text: &'a str) -> Self {
        let text = super::words::prefix(text, LONGEST);
        Self { text, letters: text.char_indices().peekable() }
    }

    /// The sketch at the beginning of the text, and its length in bytes.
    fn sketch(mut self) -> Option<(Sketch, usize)> {
        let sketch = self.value(0)?;
        let length = self.at();
        Some((sketch, length))
    }

    fn at(&mut self) -> usize {
        self.letters.peek().map_or(self.text.len(), |(at, _)| *at)
    }

    fn peek(&mut self) -> Option<char> {
        self.letters.peek().map(|(_, letter)| *letter)
    }

    fn skip_space(&mut self) {
        loop {
            while self.peek().is_some_and(char::is_whitespace) {
                self.letters.next();
            }
            let at = self.at();
            if !self.text[at..].starts_with("//") {
                return;
            }
            while self.peek().is_some_and(|letter| letter != '\n') {
                self.letters.next();
            }
        }
    }

    fn value(&mut self, depth: usize) -> Option<Sketch> {
        if depth > DEEPEST {
            return None;
        }
        self.skip_space();
        match self.peek()? {
            '{' => self.object(depth),
            '[' => self.list(depth),
            '"' | '“' | '\'' | '`' => self.choices(),
            _ => Some(Sketch::Bare(self.bare(false))),
        }
    }

    /// A text in quotation marks, or the choice between several: `"yes" | "no"`.
    fn choices(&mut self) -> Option<Sketch> {
        let mut choices = vec![self.quoted()?];
        self.skip_space();
        while self.peek() == Some('|') {
            self.letters.next();
            self.skip_space();
            let quoted = matches!(self.peek()?, '"' | '“' | '\'' | '`');
            choices.push(if quoted { self.quoted()? } else { self.bare(false) });
            self.skip_space();
        }
        if choices.len() == 1 { choices.pop().map(Sketch::Text) } else { Some(Sketch::Bare(choices.join(" | "))) }
    }

    fn object(&mut self, depth: usize) -> Option<Sketch> {
        self.letters.next();
        let mut fields = Vec::new();
        loop {
            self.skip_space();
            match self.peek()? {
                '}' => {
                    self.letters.next();
                    return Some(Sketch::Object(fields));
                }
                ',' | ';' => {
                    self.letters.next();
                }
                _ => {
                    let key = self.key()?;
                    let value = self.value_after_colon(depth)?;
                    if !key.is_empty() && !fields.iter().any(|(other, _)| *other == key) {
                        fields.push((key, value));
                    }
                }
            }
        }
    }

    /// A key, without dots and the question mark of what may be missing.
    fn key(&mut self) -> Option<String> {
        let key = match self.peek()? {
            '"' | '“' | '\'' | '`' => self.quoted()?,
            _ => self.bare(true),
        };
        if key.is_empty() && !matches!(self.peek()?, ':' | ',' | '}') {
            // Neither a key nor anything that could follow one: this is no object.
            return None;
        }
        let key = key.trim().trim_end_matches('?');
        let is_key = key.chars().all(|c| c.is_alphanumeric() || "_-.$ ".contains(c)) && key.len() <= 60;
        if key.chars().all(|c| c == '.' || c == '…') { Some(String::new()) } else { is_key.then(|| key.to_owned()) }
    }

    fn value_after_colon(&mut self, depth: usize) -> Option<Sketch> {
        self.skip_space();
        if self.peek() == Some('?') {
            self.letters.next();
            self.skip_space();
        }
        if let Some(note) = self.note() {
            return Some(Sketch::Bare(note));
        }
        if self.peek() != Some(':') {
            return Some(Sketch::Bare(String::new()));
        }
        self.letters.next();
        self.value(depth + 1)
    }

    /// A remark in brackets, `(0-10)`, if one comes next.
    fn note(&mut self) -> Option<String> {
        let at = self.at();
        let note = self.text[at..].strip_prefix('(')?;
        let note = &note[..note.find([')', '\n'])?];
        while self.at() < (at + note.len() + 2).min(self.text.len()) {
            self.letters.next();
        }
        Some(note.to_owned())
    }

    fn list(&mut self, depth: usize) -> Option<Sketch> {
        self.letters.next();
        let mut items = Vec::new();
        loop {
            self.skip_space();
            match self.peek()? {
                ']' => {
                    self.letters.next();
                    return Some(Sketch::List(items));
                }
                ',' | ';' => {
                    self.letters.next();
                }
                _ => match self.value(depth + 1)? {
                    Sketch::Bare(word) if word.chars().all(|c| c == '.' || c == '…') => {
                        // Dots say that more of the same follows. A stray bracket is skipped too.
                        if matches!(self.peek()?, '}' | ':') {
                            return None;
                        }
                    }
                    item => items.push(item),
                },
            }
        }
    }

    /// A text in quotation marks of any kind.
    fn quoted(&mut self) -> Option<String> {
        let (_, open) = self.letters.next()?;
        let close = if open == '“' { '”' } else { open };
        let mut text = String::new();
        loop {
            match self.letters.next()?.1 {
                '\\' => match self.letters.next()?.1 {
                    'n' => text.push('\n'),
                    't' => text.push(' '),
                    other => text.push(other),
                },
                letter if letter == close => return Some(text),
                letter => text.push(letter),
            }
        }
    }

    /// Words without quotation marks, up to what ends them. A key ends at a colon too.
    fn bare(&mut self, key: bool) -> String {
        let mut text = String::new();
        while let Some(letter) = self.peek() {
            let ends =
                matches!(letter, ',' | ';' | '{' | '}' | '[' | ']' | '\n') || (key && matches!(letter, ':' | '('));
            let at = self.at();
            if ends || self.text[at..].starts_with("//") {
                break;
            }
            text.push(letter);
            self.letters.next();
        }
        // `<text>` and `(text)` are ways to write a hole.
        text.trim().trim_matches(['<', '>', '(', ')']).to_owned()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sketch(prompt: &str) -> Option<Sketch> {
        find(prompt).map(|found| found.sketch)
    }

    fn bare(text: &str) -> Sketch {
        Sketch::Bare(text.to_owned())
    }

    fn object(fields: &[(&str, Sketch)]) -> Sketch {
        Sketch::Object(fields.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect())
    }

    #[test]
    fn all_ways_to_write_a_shape() {
        let wanted = object(&[("title", bare("")), ("tags", Sketch::List(vec![]))]);
        for prompt in [
            "Answer as {title, tags: [...]} please",
            "{\n  title, // short\n  tags: [..]\n}",
            "see [1] and [offline]: {\"title\": , \"tags\": []}",
            "{'title':..., tags?: [], ...}",
        ] {
            let found = sketch(prompt).unwrap();
            let Sketch::Object(fields) = &found else { panic!("{prompt}") };
            assert_eq!(fields.iter().map(|(key, _)| key.as_str()).collect::<Vec<_>>(), ["title", "tags"], "{prompt}");
            assert_eq!(fields[1].1, Sketch::List(vec![]), "{prompt}");
        }
        assert_eq!(sketch("Answer as {title, tags: [...]} please"), Some(wanted));
    }

    #[test]
    fn what_json_is_said_of_goes_before_data() {
        let prompt = "Data: {\"name\": \"Ada\"}. Answer as JSON of this shape: {\"sections\": [{\"title\": string}]}";
        let sections = Sketch::List(vec![object(&[("title", bare("string"))])]);
        assert_eq!(sketch(prompt), Some(object(&[("sections", sections)])));
    }

    #[test]
    fn choices_may_be_quoted_one_by_one() {
        assert_eq!(sketch("{\"verdict\": \"yes\" | \"no\"}"), Some(object(&[("verdict", bare("yes | no"))])));
    }

    #[test]
    fn remarks_in_brackets_are_no_shapes() {
        for prompt in
            ["", "[offline] Hello", "see [1]", "- [x] done", "[a](https://example.org)", "{", "{}", "[", "{{{", "a } b"]
        {
            assert_eq!(sketch(prompt), None, "{prompt}");
        }
    }

    proptest! {
        #[test]
        fn any_text_can_be_read(text in "[\\[\\]{}\":,a-z .?|\\\\/\n“”]{0,120}") {
            let found = find(&text);
            if let Some(found) = found {
                prop_assert!(text.get(found.place).is_some());
            }
        }
    }

    #[test]
    fn a_flood_of_brackets_is_read_in_no_time() {
        assert_eq!(sketch(&"[".repeat(100_000)), None);
        assert_eq!(sketch(&"{a:".repeat(100_000)), None);
    }
}
