//! Rust text as words and signs, without comments and literals.

use std::iter::Peekable;
use std::str::Chars;

/// A name, `::`, or a single sign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    /// From 1.
    pub(crate) line: usize,
    pub(crate) text: String,
}

impl Token {
    /// Whether this is a name or a keyword.
    pub(crate) fn is_word(&self) -> bool {
        self.text.starts_with(is_word_start)
    }
}

/// Attributes of `serde` that take a path as a text.
const PATH_KEYS: [&str; 9] = [
    "with",
    "serialize_with",
    "deserialize_with",
    "skip_serializing_if",
    "default",
    "getter",
    "remote",
    "from",
    "into",
];

/// The tokens of a file. Comments (so documentation and the code in it), texts, characters, lifetimes and numbers are
/// not among them; the bodies of macros are, and paths that an attribute takes as a text.
pub(crate) fn tokens(text: &str) -> Vec<Token> {
    let mut lexer = Lexer { rest: text.chars().peekable(), line: 1, tokens: Vec::new() };
    while let Some(sign) = lexer.next() {
        lexer.token(sign);
    }
    lexer.tokens
}

struct Lexer<'t> {
    rest: Peekable<Chars<'t>>,
    line: usize,
    tokens: Vec<Token>,
}

impl Lexer<'_> {
    fn next(&mut self) -> Option<char> {
        let sign = self.rest.next()?;
        self.line += usize::from(sign == '\n');
        Some(sign)
    }

    fn next_is(&mut self, sign: char) -> bool {
        self.rest.peek() == Some(&sign)
    }

    /// The sign after the next.
    fn second(&self) -> Option<char> {
        self.rest.clone().nth(1)
    }

    fn push(&mut self, text: impl Into<String>) {
        self.tokens.push(Token { line: self.line, text: text.into() });
    }

    fn token(&mut self, sign: char) {
        match sign {
            '/' if self.next_is('/') => while self.next().is_some_and(|sign| sign != '\n') {},
            '/' if self.next_is('*') => self.block_comment(),
            '"' => {
                let text = self.text();
                if self.is_after_path_key() {
                    self.inner(&text);
                }
            }
            '\'' => self.character_or_lifetime(),
            ':' if self.next_is(':') => {
                self.next();
                self.push("::");
            }
            _ if is_word_start(sign) => self.word(sign),
            _ if sign.is_ascii_digit() => {
                self.word_from(String::new());
            }
            _ if sign.is_whitespace() => {}
            _ => self.push(sign),
        }
    }

    fn block_comment(&mut self) {
        let mut depth = 0_u32;
        let mut sign = Some('/');
        while let Some(this) = sign {
            if this == '/' && self.next_is('*') {
                self.next();
                depth += 1;
            } else if this == '*' && self.next_is('/') {
                self.next();
                depth -= 1;
            }
            if depth == 0 {
                return;
            }
            sign = self.next();
        }
    }

    /// After the opening quote of a text with escapes.
    fn text(&mut self) -> String {
        let mut text = String::new();
        while let Some(sign) = self.next() {
            match sign {
                '\\' => drop(self.next()),
                '"' => break,
                _ => text.push(sign),
            }
        }
        text
    }

    /// Whether the last tokens are those of an attribute whose text is a path: `with = "crate::module"`.
    fn is_after_path_key(&self) -> bool {
        let mut back = self.tokens.iter().rev().map(|token| token.text.as_str());
        back.next() == Some("=") && back.next().is_some_and(|key| PATH_KEYS.contains(&key))
    }

    /// The tokens of a text that is a path.
    fn inner(&mut self, text: &str) {
        let line = self.line;
        self.tokens.extend(tokens(text).into_iter().map(|token| Token { line, ..token }));
    }

    /// After the `r` of a text without escapes. A raw name (`r#type`) is a word like any other.
    fn raw(&mut self) {
        let mut hashes = 0;
        while self.next_is('#') {
            self.next();
            hashes += 1;
        }
        if !self.next_is('"') {
            let word = self.word_from(String::new());
            return self.push(word);
        }
        self.next();
        while let Some(sign) = self.next() {
            let mut found = 0;
            while sign == '"' && found < hashes && self.next_is('#') {
                self.next();
                found += 1;
            }
            if sign == '"' && found == hashes {
                return;
            }
        }
    }

    fn character_or_lifetime(&mut self) {
        if self.next_is('\\') {
            self.next();
            self.next();
            while self.next().is_some_and(|sign| sign != '\'') {}
        } else if self.second() == Some('\'') {
            self.next();
            self.next();
        } else {
            self.word_from(String::new());
        }
    }

    fn word(&mut self, first: char) {
        let word = self.word_from(first.to_string());
        let before_text = self.next_is('"');
        let before_hash = self.next_is('#') && matches!(self.second(), Some('"' | '#' | '_' | 'a'..='z' | 'A'..='Z'));
        match word.as_str() {
            "r" | "br" | "cr" if before_text || before_hash => self.raw(),
            "b" | "c" if before_text => {
                self.next();
                drop(self.text());
            }
            _ => self.push(word),
        }
    }

    fn word_from(&mut self, mut word: String) -> String {
        while let Some(sign) = self.rest.next_if(|sign| sign.is_alphanumeric() || *sign == '_') {
            word.push(sign);
        }
        word
    }
}

fn is_word_start(sign: char) -> bool {
    sign.is_alphabetic() || sign == '_'
}

#[test]
fn comments_and_literals_are_left_out() {
    let text = r##"
        //! use crate::a;
        /* use crate::b; /* nested */ still */
        let s = "crate::c \" crate::c"; let r = r#"crate::d " crate::d"#; let b = b"crate::e"; let c = c"x";
        let quote = '"'; let other = '\''; let escaped = '\u{1F600}'; fn f<'a>(x: &'a str) {}
        r#type::x(1_000u64, 0xff)
    "##;
    let words: Vec<String> = tokens(text).into_iter().filter(Token::is_word).map(|token| token.text).collect();
    assert_eq!(words.join(" "), "let s let r let b let c let quote let other let escaped fn f x str type x");
    assert_eq!(tokens(text).last().expect("there are tokens").line, 6);
}
