//! Helpers for text. Lengths count characters.

use crate::model::Json;

use super::kind::Kind;
use super::{Args, Body, Fault, Gives, Helper, Takes};

const TEXT: Takes = Takes::these(&[Kind::Text]);

/// The widest that something is padded or indented; wider is a mistake.
const WIDEST: u32 = 1000;

pub(super) const HELPERS: &[Helper] = &[
    Helper {
        name: "trim",
        usage: "trim TEXT",
        about: "The text without blanks and line breaks at both ends",
        takes: TEXT,
        gives: Gives::Text,
        body: Body::Value(|args| text(args.text(0).trim())),
    },
    Helper {
        name: "upper",
        usage: "upper TEXT",
        about: "The text in capitals",
        takes: TEXT,
        gives: Gives::Text,
        body: Body::Value(|args| text(args.text(0).to_uppercase())),
    },
    Helper {
        name: "lower",
        usage: "lower TEXT",
        about: "The text in small letters",
        takes: TEXT,
        gives: Gives::Text,
        body: Body::Value(|args| text(args.text(0).to_lowercase())),
    },
    Helper {
        name: "title",
        usage: "title TEXT",
        about: "The text with the first letter of every word in capitals, and the others as they are",
        takes: TEXT,
        gives: Gives::Text,
        body: Body::Value(|args| text(title(&args.text(0)))),
    },
    Helper {
        name: "slug",
        usage: "slug TEXT",
        about: "The letters and digits of the text in small letters, with `-` for everything between, for names of files",
        takes: TEXT,
        gives: Gives::Text,
        body: Body::Value(|args| text(slug(&args.text(0)))),
    },
    Helper {
        name: "truncate",
        usage: "truncate TEXT LENGTH",
        about: "At most so many characters, cut between words where that loses little, with `…` at the cut",
        takes: Takes::these(&[Kind::Text, Kind::Count(u32::MAX)]),
        gives: Gives::Text,
        body: Body::Value(|args| text(truncate(&args.text(0), args.count(1).unwrap_or_default()))),
    },
    Helper {
        name: "words",
        usage: "words TEXT [COUNT]",
        about: "How many words the text has; with a count, the text up to that word",
        takes: TEXT.and_maybe(&[Kind::Count(u32::MAX)]),
        gives: Gives::NumberOrText,
        body: Body::Value(words),
    },
    Helper {
        name: "replace",
        usage: "replace TEXT FROM TO",
        about: "The text with every occurrence of one text replaced by another",
        takes: Takes::these(&[Kind::Text, Kind::Filled, Kind::Text]),
        gives: Gives::Text,
        body: Body::Value(|args| text(args.text(0).replace(&*args.text(1), &args.text(2)))),
    },
    Helper {
        name: "indent",
        usage: "indent TEXT BY",
        about: "Every line behind so many blanks (empty lines stay empty), or behind a text: `indent quote '> '`",
        takes: Takes::these(&[Kind::Text, Kind::Text]),
        gives: Gives::Text,
        body: Body::Value(indent),
    },
    Helper {
        name: "pad",
        usage: "pad VALUE LENGTH [with=' ']",
        about: "At least so many characters, filled up in front with zeros or the character in `with`",
        takes: Takes::these(&[Kind::Text, Kind::Count(WIDEST)]).and_named(&[("with", Kind::Character)]),
        gives: Gives::Text,
        body: Body::Value(pad),
    },
    Helper {
        name: "basename",
        usage: "basename PATH [SUFFIX]",
        about: "The last part of a path, without the suffix if it ends in it",
        takes: TEXT.and_maybe(&[Kind::Text]),
        gives: Gives::Text,
        body: Body::Value(basename),
    },
    Helper {
        name: "escape",
        usage: "escape TEXT",
        about: "The text with `&`, `<`, `>` and quotes written as HTML wants them",
        takes: TEXT,
        gives: Gives::Text,
        body: Body::Value(|args| text(escape_html(&args.text(0)))),
    },
    Helper {
        name: "markdown",
        usage: "markdown TEXT",
        about: "The text with a backslash before whatever Markdown would take as markup, so that it shows as it is",
        takes: TEXT,
        gives: Gives::Text,
        body: Body::Value(|args| text(escape_markdown(&args.text(0)))),
    },
];

#[expect(clippy::unnecessary_wraps, reason = "the end of every function in the table above")]
fn text(value: impl Into<String>) -> Result<Json, Fault> {
    Ok(Json::String(value.into()))
}

fn title(text: &str) -> String {
    let mut inside = false;
    let mut titled = String::with_capacity(text.len());
    for c in text.chars() {
        // An apostrophe belongs to its word: `don't` is one.
        let letter = c.is_alphanumeric() || (inside && matches!(c, '\'' | '’'));
        if letter && !inside {
            titled.extend(c.to_uppercase());
        } else {
            titled.push(c);
        }
        inside = letter;
    }
    titled
}

fn slug(text: &str) -> String {
    let text = text.to_lowercase().replace(['\'', '’'], "");
    let words: Vec<&str> = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    words.join("-")
}

fn truncate(text: &str, length: usize) -> String {
    let Some((cut, _)) = text.char_indices().nth(length) else { return text.to_owned() };
    // One character is for the ellipsis.
    let Some((end, _)) = text[..cut].char_indices().next_back() else { return String::new() };
    let kept = &text[..end];
    let between_words = text[end..].starts_with(char::is_whitespace);
    let word = kept.rfind(char::is_whitespace).filter(|at| !between_words && *at >= kept.len() / 2);
    format!("{}…", kept[..word.unwrap_or(kept.len())].trim_end())
}

fn words(args: &Args<'_>) -> Result<Json, Fault> {
    let source = args.text(0);
    let Some(count) = args.count(1) else { return Ok(Json::from(source.split_whitespace().count())) };
    let mut end = 0;
    for word in source.split_whitespace().take(count) {
        end += source[end..].find(word).unwrap_or_default() + word.len();
    }
    text(source[..end].trim_start())
}

fn indent(args: &Args<'_>) -> Result<Json, Fault> {
    let source = args.text(0);
    let blanks = match (args.count(1), args.value(1)) {
        (Some(count), Json::Number(_)) if count <= WIDEST as usize => Some(" ".repeat(count)),
        (_, Json::Number(number)) => return Err(Fault::Wrong(format!("can't indent by {number} blanks"))),
        _ => None,
    };
    let prefix = args.text(1);
    let mut indented = String::with_capacity(source.len());
    for line in source.split_inclusive('\n') {
        match &blanks {
            Some(blanks) if !line.trim().is_empty() => indented.push_str(blanks),
            Some(_) => {}
            None => indented.push_str(&prefix),
        }
        indented.push_str(line);
    }
    text(indented)
}

fn pad(args: &Args<'_>) -> Result<Json, Fault> {
    let value = args.text(0);
    let with = args.named_text("with").unwrap_or("0".into());
    let fill = with.repeat(args.count(1).unwrap_or_default().saturating_sub(value.chars().count()));
    // Zeros stand between a sign and its digits.
    match value.strip_prefix('-') {
        Some(digits) if with == "0" && !fill.is_empty() => text(format!("-{fill}{digits}")),
        _ => text(format!("{fill}{value}")),
    }
}

fn basename(args: &Args<'_>) -> Result<Json, Fault> {
    let path = args.text(0);
    let trimmed = path.trim_end_matches(['/', '\\']);
    let name = trimmed.rsplit(['/', '\\']).next().unwrap_or_default();
    let suffix = args.text(1);
    text(name.strip_suffix(&*suffix).filter(|stem| !stem.is_empty()).unwrap_or(name))
}

fn escape_html(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            _ => escaped.push(c),
        }
    }
    escaped
}

/// Source: `CommonMark` 0.31, 2.4 (backslash escapes), 5 (block starts); tables, `~` and `|` are of GitHub's dialect.
fn escape_markdown(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        // Blanks at the start never show, and four of them would make code of the line.
        let line = line.trim_start_matches([' ', '\t']);
        let digits = line.len() - line.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        for (at, c) in line.char_indices() {
            let starts_block = match c {
                '-' | '+' | '=' => at == 0,
                '.' | ')' => digits > 0 && at == digits,
                _ => false,
            };
            if starts_block || matches!(c, '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '#' | '~' | '|' | '&') {
                escaped.push('\\');
            }
            escaped.push(c);
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn args<'a>(values: &[&'a Json]) -> Args<'a> {
        Args { positional: values.iter().map(|value| Some(*value)).collect(), named: Vec::new() }
    }

    #[test]
    fn truncated_text_is_never_longer_than_asked() {
        for (text, length, cut) in [
            ("short", 5, "short"),
            ("the quick brown fox", 15, "the quick…"),
            ("the quick brown fox", 16, "the quick brown…"),
            ("the quick brown fox", 10, "the quick…"),
            ("abcdefghij", 5, "abcd…"),
            ("a bcdefghij", 6, "a bcd…"),
            ("grüße aus Köln", 6, "grüße…"),
            ("ab", 1, "…"),
            ("ab", 0, ""),
            ("🌸🌸🌸", 2, "🌸…"),
        ] {
            assert_eq!(truncate(text, length), cut, "{text} {length}");
        }
    }

    #[test]
    fn letters() {
        assert_eq!(title("the rock's ÉTUDE for ärzte"), "The Rock's ÉTUDE For Ärzte");
        assert_eq!(slug("  Don't panic: 42 & Größe! "), "dont-panic-42-größe");
        assert_eq!(slug("../../etc"), "etc");
        assert_eq!(
            escape_html("<a href=\"x\">it's & more</a>"),
            "&lt;a href=&quot;x&quot;&gt;it&#39;s &amp; more&lt;/a&gt;"
        );
    }

    #[test]
    fn markdown_shows_as_it_is() {
        assert_eq!(escape_markdown("1. a *b* [c](d) `e` <f>"), r"1\. a \*b\* \[c\](d) \`e\` \<f\>");
        assert_eq!(escape_markdown("# a\n    - b\n12) c 3.5 a-b"), "\\# a\n\\- b\n12\\) c 3.5 a-b");
        assert_eq!(escape_markdown("a_b \\ ---"), "a\\_b \\\\ ---");
    }

    #[test]
    fn words_are_counted_or_kept() {
        let source = json!(" one  two\nthree ");
        assert_eq!(words(&args(&[&source])), Ok(json!(3)));
        assert_eq!(words(&args(&[&source, &json!(2)])), Ok(json!("one  two")));
        assert_eq!(words(&args(&[&source, &json!(9)])), Ok(json!("one  two\nthree")));
        assert_eq!(words(&args(&[&json!("a ba b a"), &json!(3)])), Ok(json!("a ba b")));
    }

    #[test]
    fn lines_are_indented() {
        let source = json!("a\n\nb\n");
        assert_eq!(indent(&args(&[&source, &json!(2)])), Ok(json!("  a\n\n  b\n")));
        assert_eq!(indent(&args(&[&source, &json!("> ")])), Ok(json!("> a\n> \n> b\n")));
        assert!(indent(&args(&[&source, &json!(1e12)])).is_err());
        assert!(indent(&args(&[&source, &json!(-1)])).is_err());
    }

    #[test]
    fn padding_and_paths() {
        let pad_to = |value: Json, length: u64| pad(&args(&[&value, &json!(length)])).unwrap();
        assert_eq!(pad_to(json!(7), 3), "007");
        assert_eq!(pad_to(json!(-7), 4), "-007");
        assert_eq!(pad_to(json!(1234), 3), "1234");
        assert_eq!(basename(&args(&[&json!("a/b/photo.png")])), Ok(json!("photo.png")));
        assert_eq!(basename(&args(&[&json!("a\\photo.png"), &json!(".png")])), Ok(json!("photo")));
        assert_eq!(basename(&args(&[&json!("a/b/")])), Ok(json!("b")));
    }
}
