//! JSON as people describe it in words: `with the keys title and tags`, `chapters (title, summary)`, `a list of 5
//! objects with name and price`.

use std::ops::Range;

use super::counts;
use super::keys;
use super::pieces::{Token, led_up, tokens};
use super::remark::{LISTS, is_key, noted, of_key};
use super::shape::{self, Shape};

/// A description in a prompt.
#[derive(Debug)]
pub(super) struct Spoken {
    /// What is described.
    pub(super) shape: Shape,
    /// Where it stands.
    pub(super) place: Range<usize>,
}

/// Words that may stand between `JSON` and what is said of it.
#[rustfmt::skip]
const FILLING: &[&str] = &[
    "a", "an", "answer", "document", "exactly", "following", "format", "has", "object", "of", "only", "please",
    "that", "the", "these", "this",
];
/// Words after which keys come.
const LEADING: &[&str] =
    &["with", "containing", "contains", "having", "keys", "key", "fields", "properties", "attributes", "including"];
/// Words that stand before the name of a key and are none of it.
const ADJECTIVES: &[&str] = &[
    "a", "an", "the", "its", "their", "and", "one", "short", "brief", "long", "detailed", "catchy", "main", "overall",
    "full", "single", "string", "numeric", "boolean", "each", "also", "plus",
];
/// Words that end the name of a key; what follows describes it.
#[rustfmt::skip]
const ENDING: &[&str] = &[
    "as", "about", "based", "between", "containing", "each", "every", "for", "from", "having", "in", "is", "of", "on",
    "or", "out", "per", "that", "to", "using", "where", "which", "with",
];
/// Words for elements that say nothing of what they are.
const THINGS: &[&str] = &["object", "item", "element", "entry", "record", "dictionary", "string", "text"];

/// Finds a description of JSON in a prompt: after the word `JSON`, or after `keys`, `fields` or the like.
pub(super) fn find(prompt: &str) -> Option<Spoken> {
    let lower = prompt.to_ascii_lowercase();
    let read = |at: usize, from: usize| {
        let mut reader = Reader::new(prompt, &lower, from);
        let shape = reader.whole()?;
        Some(Spoken { shape, place: led_up(prompt, at)..reader.end() })
    };
    let after_json = lower.match_indices("json").find_map(|(at, word)| read(at, at + word.len()));
    after_json.or_else(|| {
        let marks =
            ["keys", "fields", "properties", "list called", "array called", "list named", "array named", "each "];
        marks.iter().find_map(|mark| lower.find(mark).and_then(|at| read(at, at)))
    })
}

struct Reader<'a> {
    /// Each with the place where it ends in the prompt.
    tokens: Vec<(Token<'a>, usize)>,
    at: usize,
    from: usize,
    /// The words around the description, in lower case.
    terms: Vec<&'a str>,
}

impl<'a> Reader<'a> {
    fn new(prompt: &'a str, lower: &'a str, from: usize) -> Self {
        let tokens = tokens(prompt, from);
        // Numbers inside of the description belong to what they stand next to.
        let end = tokens.last().map_or(from, |(_, end)| *end);
        let terms = [&lower[..from], &lower[end..]].into_iter().flat_map(counts::terms_of).collect();
        Self { tokens, at: 0, from, terms }
    }

    fn end(&self) -> usize {
        self.at.checked_sub(1).and_then(|last| self.tokens.get(last)).map_or(self.from, |(_, end)| *end)
    }

    fn peek(&self) -> Option<Token<'a>> {
        self.tokens.get(self.at).map(|(token, _)| *token)
    }

    /// The next word, in lower case, if a word comes next.
    fn word(&self) -> Option<String> {
        if let Some(Token::Word(word)) = self.peek() { Some(word.to_lowercase()) } else { None }
    }

    fn next_is(&self, words: &[&str]) -> bool {
        self.word().is_some_and(|word| words.contains(&word.as_str()))
    }

    /// Takes words of these as long as there are any; whether there was one.
    fn skip(&mut self, words: &[&str]) -> bool {
        let start = self.at;
        while self.next_is(words) {
            self.at += 1;
        }
        self.at > start
    }

    /// Takes what stands before a name; an `a` before a comma is a name.
    fn skip_adjectives(&mut self) {
        let word = |at: usize| matches!(self.tokens.get(at), Some((Token::Word(word), _)) if *word != "and");
        let mut at = self.at;
        while matches!(self.tokens.get(at), Some((Token::Word(word), _)) if ADJECTIVES.contains(&word.to_lowercase().as_str()))
            && word(at + 1)
        {
            at += 1;
        }
        self.at = at;
    }

    /// The whole description, if it is one.
    fn whole(&mut self) -> Option<Shape> {
        while matches!(self.peek(), Some(Token::Comma)) {
            self.at += 1;
        }
        self.skip(FILLING);
        if self.skip(LISTS) {
            return self.list();
        }
        if self.skip(&["each", "every"]) {
            return self.each();
        }
        let mut led = false;
        loop {
            let start = self.at;
            led |= self.skip(LEADING);
            self.skip(FILLING);
            // `two fields` says how many keys come; `two tags` is a key.
            if self.number().is_some() && !self.next_is(LEADING) {
                self.at -= 1;
            }
            if self.at == start {
                break;
            }
        }
        match self.peek()? {
            Token::Colon => self.at += 1,
            Token::Note(note) if !led => {
                let Shape::List(one, _) = noted("parts", note, &[]) else { return None };
                self.at += 1;
                return matches!(*one, Shape::Object(_)).then_some(*one);
            }
            _ if !led => return None,
            _ => {}
        }
        let object = self.object()?;
        if self.skip(&["for", "per"]) && self.skip(&["each", "every"]) {
            self.at += usize::from(self.word().is_some());
            return Some(Shape::List(Box::new(object), self.asked()));
        }
        Some(object)
    }

    /// `Each product has a name and a price`.
    fn each(&mut self) -> Option<Shape> {
        self.at += usize::from(self.word().is_some());
        self.skip(&["should", "must"]);
        if !(self.skip(&["has", "have", "contains", "contain", "includes"]) | self.skip(LEADING)) {
            return None;
        }
        let object = self.object()?;
        Some(Shape::List(Box::new(object), self.asked()))
    }

    /// How many things the prompt asks for outside of the description: `Suggest 7 ideas`.
    fn asked(&self) -> Option<usize> {
        counts::counted(&self.terms).map(|(count, _)| count.min(shape::LONGEST_LIST))
    }

    /// What follows `list` or `array`: what it is called, of what it is, how many.
    fn list(&mut self) -> Option<Shape> {
        if self.skip(&["called", "named"]) || self.next_is(&["under"]) {
            self.skip(&["under", "the", "key"]);
            let Some(Token::Word(name)) = self.peek() else { return None };
            self.at += 1;
            let count = shape::count_of(name, &self.terms);
            let one = self.element(name)?;
            return Some(Shape::Object(vec![(name.to_owned(), Shape::List(Box::new(one), count))]));
        }
        self.skip(&["of", "the", "exactly", "about"]);
        let count = self.number();
        let mut noun = None;
        while let Some(Token::Word(word)) = self.peek() {
            if self.next_is(ENDING) || self.next_is(LEADING) || self.next_is(&["and"]) {
                break;
            }
            noun = Some(word);
            self.at += 1;
        }
        let one = self.element(noun?)?;
        Some(Shape::List(Box::new(one), count.or_else(|| self.asked())))
    }

    fn number(&mut self) -> Option<usize> {
        let number = counts::number(&self.word()?)?;
        self.at += 1;
        Some(number.min(shape::LONGEST_LIST))
    }

    /// What an element of a list of these things is.
    fn element(&mut self, noun: &str) -> Option<Shape> {
        let start = self.at;
        while matches!(self.peek(), Some(Token::Comma | Token::Colon | Token::Bullet))
            || self.next_is(&["each", "every", "where", "is"])
        {
            self.at += 1;
        }
        if let Some(Token::Note(note)) = self.peek() {
            self.at += 1;
            let Shape::List(one, _) = noted("parts", note, &self.terms) else { return None };
            return Some(*one);
        }
        if self.skip(&["a", "an", "object", "objects", "has", "of"]) | self.skip(LEADING) {
            self.skip(FILLING);
            self.skip(LEADING);
            if let Some(object) = self.object() {
                return Some(object);
            }
        }
        self.at = start;
        let one = keys::singular(noun);
        Some(if THINGS.contains(&one) && !["string", "text"].contains(&one) { usual() } else { keys::shape_of(one) })
    }

    /// Keys, with commas and `and` between them.
    fn object(&mut self) -> Option<Shape> {
        let mut fields: Vec<(String, Shape)> = Vec::new();
        loop {
            let start = self.at;
            while matches!(self.peek(), Some(Token::Comma | Token::Colon | Token::Bullet))
                || self.next_is(&["and", "plus", "&", "-", "*"])
            {
                self.at += 1;
            }
            if self.next_is(&["one", "either"]) && self.options_of_last(&mut fields) {
                continue;
            }
            if self.next_is(&["each"]) && self.elements_of_last(&mut fields) {
                continue;
            }
            let Some(field) = self.field() else {
                self.at = start;
                break;
            };
            if !fields.iter().any(|(key, _)| *key == field.0) {
                fields.push(field);
            }
        }
        (!fields.is_empty() && fields.len() <= 24).then_some(Shape::Object(fields))
    }

    /// A key, and what is said of it.
    fn field(&mut self) -> Option<(String, Shape)> {
        let start = self.at;
        self.skip_adjectives();
        let mut list = self.skip(LISTS);
        list |= list && self.skip(&["of", "called", "named"]);
        let count = self.number();
        self.skip_adjectives();
        let mut name: Vec<&str> = Vec::new();
        while let Some(Token::Word(word)) = self.peek() {
            if word == "and" || self.next_is(ENDING) {
                break;
            }
            name.push(word);
            self.at += 1;
        }
        if name.is_empty() || name.len() > 3 || !name.iter().all(|word| is_key(word)) {
            self.at = start;
            return None;
        }
        let key = name.join("_");
        let shape = self.said_of(&key);
        let shape = match shape {
            Shape::List(one, named) => Shape::List(one, count.or(named)),
            one if list => Shape::List(Box::new(one), count),
            one => one,
        };
        Some((key, shape))
    }

    /// What follows a key and says what it holds.
    fn said_of(&mut self, key: &str) -> Shape {
        match self.peek() {
            Some(Token::Note(note)) => {
                self.at += 1;
                noted(key, note, &self.terms)
            }
            Some(Token::Colon) => {
                let (note, end) = self.words_after(self.at + 1);
                let is_type = |word: &str| LISTS.contains(&word) || ["string", "text"].contains(&word);
                // A colon after keys may also begin the material, unless each key has a line of its own.
                let line = self.line_end();
                if line.is_some() || shape::leaf(&note, true).is_some() || note.split(' ').any(is_type) {
                    self.at = line.unwrap_or(end);
                    return noted(key, &note, &self.terms);
                }
                of_key(key, &self.terms)
            }
            Some(Token::Word(_)) if self.next_is(&["each", "with", "containing", "having"]) && keys::is_plural(key) => {
                let one = self.element(key).unwrap_or(Shape::Text);
                Shape::List(Box::new(one), shape::count_of(key, &self.terms))
            }
            Some(Token::Word(_)) if !self.next_is(&["and"]) && !self.goes_on_for_each() => {
                let (note, end) = self.words_after(self.at);
                self.at = end;
                noted(key, note.trim_start_matches("as ").trim_start_matches("is "), &self.terms)
            }
            _ => of_key(key, &self.terms),
        }
    }

    /// Whether `for each ..` comes next, which speaks of all keys.
    fn goes_on_for_each(&self) -> bool {
        let after = self.tokens.get(self.at + 1).map(|(token, _)| *token);
        self.next_is(&["for", "per"]) && matches!(after, Some(Token::Word("each" | "every")))
    }

    /// The words from a place up to the next comma or `and`, and where they end; `between 0 and 1` is no end.
    fn words_after(&self, from: usize) -> (String, usize) {
        let mut said: Vec<&str> = Vec::new();
        let mut at = from;
        while let Some((token, _)) = self.tokens.get(at) {
            let bounds = said.len() >= 2 && said[said.len() - 2] == "between";
            match token {
                Token::Word("and" | "plus") if !bounds => break,
                Token::Word(word) | Token::Note(word) => said.push(word),
                Token::Comma if said.contains(&"one") && self.is_option(at + 1) => said.push(","),
                Token::Comma | Token::Colon | Token::Bullet => break,
            }
            at += 1;
        }
        (said.join(" "), at)
    }

    /// Where the line of a list ends that the reader stands in, if it stands in one.
    fn line_end(&self) -> Option<usize> {
        let is_bullet = |(token, _): &(Token<'_>, usize)| *token == Token::Bullet;
        self.tokens[..self.at].iter().any(is_bullet).then(|| {
            let rest = &self.tokens[self.at..];
            self.at + rest.iter().position(is_bullet).unwrap_or(rest.len())
        })
    }

    /// Whether an option comes at this place, and another or the end after it.
    fn is_option(&self, at: usize) -> bool {
        let word = |at: usize| self.tokens.get(at).map(|(token, _)| *token);
        matches!(word(at), Some(Token::Word(option)) if option != "and")
            && matches!(word(at + 1), None | Some(Token::Comma | Token::Bullet | Token::Word("or")))
    }

    /// `sentiment, one of positive, negative or neutral`.
    fn options_of_last(&mut self, fields: &mut [(String, Shape)]) -> bool {
        let (note, end) = self.words_after(self.at);
        let options = shape::leaf(note.trim_start_matches("either "), true);
        let Some((last, options)) = fields.last_mut().zip(options) else { return false };
        last.1 = options;
        self.at = end;
        true
    }

    /// `chapters, each with title and summary`.
    fn elements_of_last(&mut self, fields: &mut [(String, Shape)]) -> bool {
        let Some((key, Shape::List(one, _))) = fields.last_mut() else { return false };
        let start = self.at;
        if let Some(element) = self.element(&key.clone()) {
            **one = element;
        }
        self.at > start
    }
}

/// An element of which nothing is known.
fn usual() -> Shape {
    Shape::Object(vec![("title".into(), Shape::Text), ("text".into(), Shape::Text)])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A shape as a short line: `{a, n: #, list: [{b}]x3, c: x|y}`.
    fn told(shape: &Shape) -> String {
        match shape {
            Shape::Object(fields) => {
                let field = |(key, shape): &(String, Shape)| match shape {
                    Shape::Text => key.clone(),
                    shape => format!("{key}: {}", told(shape)),
                };
                format!("{{{}}}", fields.iter().map(field).collect::<Vec<_>>().join(", "))
            }
            Shape::List(one, count) => {
                format!("[{}]{}", told(one), count.map_or_else(String::new, |count| format!("x{count}")))
            }
            Shape::Text => "text".to_owned(),
            Shape::Integer(_) => "#".to_owned(),
            Shape::Range(low, high) => format!("{low}-{high}"),
            Shape::Fraction => "0-1".to_owned(),
            Shape::Boolean => "?".to_owned(),
            Shape::OneOf(options) => options.join("|"),
            Shape::Format(format) => format!("{format:?}"),
        }
    }

    fn found(prompt: &str) -> String {
        find(prompt).map_or_else(|| "-".to_owned(), |spoken| told(&spoken.shape))
    }

    #[test]
    fn keys_are_found_in_sentences() {
        for (prompt, shape) in [
            ("Answer as JSON with chapters (title, summary)", "{chapters: [{title, summary}]}"),
            (
                "JSON with keys sentiment (positive|negative|neutral) and confidence",
                "{sentiment: positive|negative|neutral, confidence: 0-1}",
            ),
            ("Give me a JSON list of 5 objects with name and price", "[{name, price: #}]x5"),
            ("Return JSON (title, tags, score)", "{title, tags: [text], score: #}"),
            ("Answer in JSON. Use the keys: a, b and c.", "{a, b, c}"),
            ("JSON with an array called chapters, each with title and summary", "{chapters: [{title, summary}]}"),
            ("Return a JSON array called chapters, each with title and summary", "{chapters: [{title, summary}]}"),
            (
                "JSON with mood, one of calm, tense or merry, and a score from 0 to 10",
                "{mood: calm|tense|merry, score: 0-10}",
            ),
            (
                "JSON with a confidence between 0 and 1, is_spam and hasLinks",
                "{confidence: 0-1, is_spam: ?, hasLinks: ?}",
            ),
            ("JSON with a title, a short summary and a list of 4 tags", "{title, summary, tags: [text]x4}"),
            (
                "Return JSON with the fields `title` and `steps`, each with name and minutes.",
                "{title, steps: [{name, minutes: #}]}",
            ),
            ("In JSON, list 5 planets with name and distance.", "[{name, distance: #}]x5"),
            (
                "Return JSON with these keys:\n- title: a short, catchy title\n- tags: list of strings\n- year: number\n\nBees.",
                "{title, tags: [text], year: #}",
            ),
            ("JSON with title and tags for this article: Ice is late, and thick.", "{title, tags: [text]}"),
            ("Plan 6 chapters as JSON with title and chapters", "{title, chapters: [text]x6}"),
            (
                "JSON with author (name, email) and size (small, large)",
                "{author: {name, email: Email}, size: small|large}",
            ),
            ("JSON with tags (3-5) and publication year", "{tags: [text]x4, publication_year: #}"),
            ("Suggest 7 blog post ideas as a JSON array of strings", "[text]x7"),
            ("List three products in JSON. Each product has a name and a price.", "[{name, price: #}]x3"),
            ("Extract people as JSON with name and age for each person: Ada is 36.", "[{name, age: #}]"),
            ("A JSON object with two fields: `slug` and `keywords` (array of strings).", "{slug, keywords: [text]}"),
            ("JSON with verdict (yes/no) and kind: bug or feature", "{verdict: yes|no, kind: bug|feature}"),
        ] {
            assert_eq!(found(prompt), shape, "{prompt}");
        }
    }

    #[test]
    fn other_sentences_describe_nothing() {
        for prompt in ["Tell me all, in JSON", "", "What is JSON?", "JSON is a format. It is old.", "Bees (and wasps)"]
        {
            assert_eq!(found(prompt), "-", "{prompt}");
        }
    }

    #[test]
    fn what_is_left_of_a_prompt_is_its_subject() {
        let prompt = "Plan a book about bees. Answer as JSON with chapters (title, summary). Be brief.";
        let place = find(prompt).unwrap().place;
        assert_eq!(&prompt[place], "Answer as JSON with chapters (title, summary)");
    }

    proptest! {
        #[test]
        fn any_text_can_be_read(text in "(json|keys|list|with|each|one of|and|,|:|\\(|\\)|[a-zä]{1,4}|\\.| |\n){0,40}") {
            if let Some(spoken) = find(&text) {
                prop_assert!(text.get(spoken.place).is_some());
            }
        }
    }
}
