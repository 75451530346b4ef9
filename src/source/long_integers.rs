//! Whole numbers with more digits than 64 bits hold. The parsers round them, which for the number of an order or an
//! account is another one.

use std::ops::Range;

use super::SourceError;

/// So many digits always fit.
const ALWAYS_FIT: usize = 18;

/// Where such a number stands in a JSON text, if there is one.
pub(super) fn in_json(text: &str) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'"' => at = end_of_text(bytes, at + 1),
            b'-' | b'0'..=b'9' => {
                let end = bytes[at..].iter().position(|byte| !is_of_number(*byte)).map_or(bytes.len(), |len| at + len);
                if is_too_long(&text[at..end]) {
                    return Some(at..end);
                }
                at = end;
            }
            _ => at += 1,
        }
    }
    None
}

/// Where a YAML text may write `value`, which is such a number rounded; nothing if it is written in another way.
pub(super) fn in_yaml(text: &str, value: f64) -> Option<Range<usize>> {
    let mut at = 0;
    text.split(|c: char| c.is_whitespace() || matches!(c, ',' | '[' | ']' | '{' | '}' | ':')).find_map(|word| {
        let range = at..at + word.len();
        at = range.end + text[range.end..].chars().next().map_or(0, char::len_utf8);
        let is_it = is_too_long(word) && word.parse::<f64>().is_ok_and(|number| number.total_cmp(&value).is_eq());
        is_it.then_some(range)
    })
}

impl SourceError {
    /// With the message and the help for such a number.
    pub(super) fn with_long_integer(mut self, digits: &str) -> Self {
        self.message = format!("`{digits}` has more digits than a number holds");
        self.help("put it in quotes: as a text it keeps them all")
    }
}

fn is_of_number(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E')
}

fn is_too_long(word: &str) -> bool {
    let digits = word.strip_prefix('-').unwrap_or(word);
    digits.len() > ALWAYS_FIT
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && word.parse::<i64>().is_err()
        && word.parse::<u64>().is_err()
}

fn end_of_text(bytes: &[u8], mut at: usize) -> usize {
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_would_lose_digits_are_found() {
        let found = |text: &str| in_json(text).map(|range| text[range].to_owned());
        assert_eq!(found(r#"{"a": 18446744073709551616, "b": 1}"#).as_deref(), Some("18446744073709551616"));
        assert_eq!(found("[-9223372036854775809]").as_deref(), Some("-9223372036854775809"));
        for fine in [
            "18446744073709551615",
            "-9223372036854775808",
            "123456789012345678901.0",
            "1e400",
            r#""18446744073709551616""#,
            r#"{"a\"18446744073709551616": "x"}"#,
        ] {
            assert_eq!(found(fine), None, "{fine}");
        }
    }
}
