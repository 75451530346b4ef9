//! Values that are written out: texts between quotes, numbers, `true`, `false` and `null`.

use crate::model::Json;

use super::expression::{Reader, is_symbol};
use super::problem::Problem;

impl Reader<'_> {
    /// `true`, `false`, `null` or a number, if that is the whole word.
    pub(super) fn scalar(&mut self) -> Option<Json> {
        let rest = self.rest();
        let length = rest.find(|c| !(is_symbol(c) || matches!(c, '.' | '/' | '+' | '['))).unwrap_or(rest.len());
        let word = &rest[..length];
        let number = || word.trim_start_matches('-').starts_with(|c: char| c.is_ascii_digit());
        let value = match word {
            "true" => Json::Bool(true),
            "false" => Json::Bool(false),
            "null" => Json::Null,
            _ if number() => Json::Number(word.parse().ok()?),
            _ => return None,
        };
        self.at += length;
        Some(value)
    }

    pub(super) fn string(&mut self, quote: char) -> Result<String, Problem> {
        let start = self.at;
        let mut value = String::new();
        self.at += 1;
        while let Some(c) = self.peek() {
            self.at += c.len_utf8();
            match c {
                _ if c == quote => return Ok(value),
                '\\' => value.push(self.escape()?),
                _ => value.push(c),
            }
        }
        Err(Problem::syntax(start..start + 1, "this text is not closed")
            .help(format!("close it with `{quote}`; a backslash in a text is written `\\\\`")))
    }

    fn escape(&mut self) -> Result<char, Problem> {
        let start = self.at - 1;
        let mark = self.peek();
        self.at += mark.map_or(0, char::len_utf8);
        let plain = match mark {
            Some('n') => Some('\n'),
            Some('t') => Some('\t'),
            Some('r') => Some('\r'),
            Some(c @ ('\\' | '\'' | '"' | '/')) => Some(c),
            Some('u') => {
                let digits = self.rest().get(..4).filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
                let code = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
                let c = code.and_then(char::from_u32);
                self.at += c.map_or(0, |_| 4);
                c
            }
            _ => None,
        };
        plain.ok_or_else(|| {
            let written = &self.text[start..self.at];
            Problem::syntax(start..self.at, format!("`{written}` means nothing in a text"))
                .help("write `\\\\` for a backslash, `\\n` for a line break, `\\'` for a quote")
        })
    }
}
