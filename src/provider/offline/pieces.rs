//! A description of JSON, taken apart: words, remarks in brackets, commas, colons.

use super::words;

/// So much of a prompt after the word `JSON` is read, in bytes.
const REACH: usize = 1200;

/// Words before a description that belong to it.
#[rustfmt::skip]
const BEFORE: &[&str] = &[
    "a", "an", "answer", "array", "as", "exactly", "following", "format", "give", "in", "json", "like", "list", "me",
    "object", "objects", "of", "only", "output", "produce", "reply", "respond", "return", "schema", "shape", "strict",
    "structure", "the", "this", "valid", "with", "write",
];
/// A piece of a description.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Token<'a> {
    Word(&'a str),
    /// What stands in brackets.
    Note(&'a str),
    Comma,
    Colon,
    /// The beginning of a line of a list.
    Bullet,
}

/// Where the words begin that lead up to a description: `Answer as JSON of this shape:`.
pub(super) fn led_up(prompt: &str, start: usize) -> usize {
    let mut begin = start;
    loop {
        let before = prompt[..begin].trim_end_matches([' ', ':', '`', '"', '\n', ',']);
        let word = before.rsplit(|c: char| !c.is_alphanumeric()).next().unwrap_or("");
        if word.is_empty() || !BEFORE.contains(&word.to_ascii_lowercase().as_str()) {
            return begin;
        }
        begin = before.len() - word.len();
    }
}

/// Takes a sentence apart, from a place in the prompt on.
pub(super) fn tokens(prompt: &str, from: usize) -> Vec<(Token<'_>, usize)> {
    let text = words::prefix(&prompt[from..], REACH);
    let mut tokens: Vec<(Token<'_>, usize)> = Vec::new();
    let mut at = 0;
    while let Some(letter) = text[at..].chars().next() {
        let rest = &text[at..];
        let after_colon = matches!(tokens.last(), Some((Token::Colon, _)));
        let (token, length) = match letter {
            '.' | '!' | '?' if rest[1..].chars().next().is_none_or(char::is_whitespace) => break,
            '\n' if rest[1..].starts_with('\n') && !after_colon => break,
            '\n' if ["- ", "* "].iter().any(|mark| rest[1..].trim_start().starts_with(mark)) => {
                (Some(Token::Bullet), rest.len() - rest[1..].trim_start().len() + 2)
            }
            ',' | ';' => (Some(Token::Comma), 1),
            ':' => (Some(Token::Colon), 1),
            '(' | '[' => match inside(rest, letter) {
                Some(note) if letter == '(' => (Some(Token::Note(note)), note.len() + 2),
                Some(note) => (Some(Token::Note("list")), note.len() + 2),
                None => (None, 1),
            },
            letter if letter.is_alphanumeric() || letter == '_' => {
                let ends = |c: char| !(c.is_alphanumeric() || "_-|/.".contains(c));
                let word = rest[..rest.find(ends).unwrap_or(rest.len())].trim_end_matches(['.', '-']);
                (Some(Token::Word(word)), word.len())
            }
            other => (None, other.len_utf8()),
        };
        at += length;
        if let Some(token) = token {
            tokens.push((token, from + at));
        }
    }
    tokens
}

/// What stands in the brackets that a text begins with.
fn inside(text: &str, open: char) -> Option<&str> {
    let close = if open == '(' { ')' } else { ']' };
    let mut depth = 0;
    for (at, letter) in text.char_indices() {
        depth += i32::from(letter == open) - i32::from(letter == close);
        if depth == 0 {
            return Some(&text[1..at]);
        }
    }
    None
}
