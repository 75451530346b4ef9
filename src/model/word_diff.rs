//! How two texts differ, word by word, in a line.

use std::fmt::Write as _;

use similar::{Algorithm, DiffOp, capture_diff_slices};

/// Words and marks shown on either side of a change.
const AROUND: usize = 8;
/// Characters of one side of a change that are shown, about.
const LONGEST_CHANGE: usize = 80;
/// Changes that are shown; the rest is left out.
const MOST_CHANGES: usize = 4;
/// Pairs of words that are compared at most. Beyond, what lies between the first difference and the last is one change.
const MOST_PAIRS: usize = 4_000_000;

/// A stretch of both texts, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Stretch<'a> {
    old: &'a [&'a str],
    new: &'a [&'a str],
    is_equal: bool,
}

/// Both texts as one, in quotes: `"in [-two-]{+three+} .."`. What is equal is shortened, and so are long changes.
pub(super) fn word_diff(old: &str, new: &str) -> String {
    let (old, new) = (tokens(old), tokens(new));
    let stretches = joined(stretches(&old, &new), &old, &new);
    let last = stretches.len().saturating_sub(1);
    let mut shown = String::from("\"");
    let mut changes = 0;
    for (at, stretch) in stretches.iter().enumerate() {
        if stretch.is_equal {
            shown.push_str(&equal(stretch.new, at == 0, at == last));
            continue;
        }
        changes += 1;
        for (words, open, close) in [(stretch.old, "[-", "-]"), (stretch.new, "{+", "+}")] {
            if !words.is_empty() {
                shown.push_str(open);
                shown.push_str(&cut(&words.concat(), LONGEST_CHANGE));
                shown.push_str(close);
            }
        }
        if changes == MOST_CHANGES && at + 1 < last {
            shown.push_str(" ..");
            break;
        }
    }
    shown.push('"');
    shown
}

/// The first and the last of a text, on one line, if it is longer than so many characters.
pub(super) fn cut(text: &str, longest: usize) -> String {
    if text.chars().count() <= longest {
        return on_one_line(text);
    }
    let half = longest / 2;
    let head: String = text.chars().take(half).collect();
    let tail: String = text.chars().skip(text.chars().count() - half).collect();
    format!("{} .. {}", on_one_line(head.trim_end()), on_one_line(tail.trim_start()))
}

fn on_one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' => line.push_str("\\n"),
            '\t' => line.push_str("\\t"),
            // A text takes all that is written to it.
            other if other.is_control() => _ = write!(line, "{}", other.escape_default()),
            other => line.push(other),
        }
    }
    line
}

/// What is equal before, between and after changes.
fn equal(words: &[&str], is_first: bool, is_last: bool) -> String {
    let head = if is_first { 0 } else { AROUND };
    let tail = if is_last { 0 } else { AROUND };
    if words.len() <= head + tail + 2 {
        return on_one_line(&words.concat());
    }
    let (head, tail) = (words[..head].concat(), words[words.len() - tail..].concat());
    match (on_one_line(head.trim_end()), on_one_line(tail.trim_start())) {
        (head, tail) if head.is_empty() && tail.is_empty() => "..".to_owned(),
        (head, tail) if head.is_empty() => format!(".. {tail}"),
        (head, tail) if tail.is_empty() => format!("{head} .."),
        (head, tail) => format!("{head} .. {tail}"),
    }
}

/// Words, the white space between them, and each other mark alone.
fn tokens(text: &str) -> Vec<&str> {
    let class = |character: char| match character {
        _ if character.is_alphanumeric() => 1,
        _ if character.is_whitespace() => 2,
        _ => 0,
    };
    let mut tokens = Vec::new();
    let (mut start, mut last) = (0, 0);
    for (at, character) in text.char_indices() {
        let this = class(character);
        if at > start && (this != last || this == 0) {
            tokens.push(&text[start..at]);
            start = at;
        }
        last = this;
    }
    if start < text.len() {
        tokens.push(&text[start..]);
    }
    tokens
}

fn stretches<'a>(old: &'a [&'a str], new: &'a [&'a str]) -> Vec<Stretch<'a>> {
    let head = old.iter().zip(new).take_while(|(old, new)| old == new).count();
    let (old_rest, new_rest) = (&old[head..], &new[head..]);
    let tail = old_rest.iter().rev().zip(new_rest.iter().rev()).take_while(|(old, new)| old == new).count();
    let (old_middle, new_middle) = (&old_rest[..old_rest.len() - tail], &new_rest[..new_rest.len() - tail]);
    let mut stretches = Vec::new();
    let same = |words: &'a [&'a str]| Stretch { old: words, new: words, is_equal: true };
    if head > 0 {
        stretches.push(same(&old[..head]));
    }
    if old_middle.len().saturating_mul(new_middle.len()) > MOST_PAIRS {
        stretches.push(Stretch { old: old_middle, new: new_middle, is_equal: false });
    } else {
        let parts = capture_diff_slices(Algorithm::Myers, old_middle, new_middle);
        stretches.extend(parts.into_iter().map(|part| {
            let is_equal = matches!(part, DiffOp::Equal { .. });
            Stretch { old: &old_middle[part.old_range()], new: &new_middle[part.new_range()], is_equal }
        }));
    }
    if tail > 0 {
        stretches.push(same(&old_rest[old_rest.len() - tail..]));
    }
    stretches
}

/// Changes with hardly a word between them read better as one.
fn joined<'a>(stretches: Vec<Stretch<'a>>, old: &'a [&'a str], new: &'a [&'a str]) -> Vec<Stretch<'a>> {
    let mut joined: Vec<Stretch<'a>> = Vec::new();
    let (mut old_at, mut new_at) = (0, 0);
    let last = stretches.len().saturating_sub(1);
    for (at, stretch) in stretches.into_iter().enumerate() {
        let (old_end, new_end) = (old_at + stretch.old.len(), new_at + stretch.new.len());
        let is_between = stretch.is_equal && at > 0 && at < last;
        let is_little = is_between && stretch.new.iter().filter(|word| is_word(word)).count() <= 1;
        match joined.last_mut().filter(|before| !before.is_equal && (!stretch.is_equal || is_little)) {
            Some(before) => {
                before.old = &old[old_at - before.old.len()..old_end];
                before.new = &new[new_at - before.new.len()..new_end];
            }
            None => joined.push(stretch),
        }
        (old_at, new_at) = (old_end, new_end);
    }
    joined
}

fn is_word(token: &str) -> bool {
    token.starts_with(char::is_alphanumeric)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_change_is_shown_between_what_is_around_it() {
        for (old, new, shown) in [
            ("a b", "a b c", r#""a b{+ c+}""#),
            ("", "now", r#""{+now+}""#),
            (
                "Summarize in two sentences, please",
                "Summarize in one sentence, please",
                r#""Summarize in [-two sentences-]{+one sentence+}, please""#,
            ),
            ("one\ntwo", "one\nthree", r#""one\n[-two-]{+three+}""#),
            (
                "the quick brown fox jumps over the lazy dog",
                "the quick brown fox jumps over the lazy cat",
                r#"".. jumps over the lazy [-dog-]{+cat+}""#,
            ),
            (
                "first a b c d e f g h i j k l last",
                "1st a b c d e f g h i j k l final",
                r#""[-first-]{+1st+} a b c d .. i j k l [-last-]{+final+}""#,
            ),
            ("x, a b c d e f g h", "y, a b c d e f g h", r#""[-x-]{+y+}, a b c .."#),
        ] {
            assert!(word_diff(old, new).starts_with(shown), "{old} | {new} | {}", word_diff(old, new));
        }
    }

    #[test]
    fn what_is_long_is_shortened() {
        let (old, new) = ("old ".repeat(10_000), "new ".repeat(10_000));
        let shown = word_diff(&old, &new);
        assert!(shown.len() < 250, "{shown}");
        let text = |first: usize| {
            let stretches: Vec<String> = (first..first + 100).map(|n| format!("{n} a b c d e f g h ")).collect();
            stretches.concat()
        };
        let (many, other) = (text(0), text(1000));
        let shown = word_diff(&many, &other);
        assert!(shown.len() < 400 && shown.ends_with(" ..\""), "{shown}");
    }

    proptest! {
        #[test]
        fn nothing_is_lost_on_the_way(old in "[ab \n,é]{0,40}", new in "[ab \n,é]{0,40}") {
            let (old_words, new_words) = (tokens(&old), tokens(&new));
            let stretches = joined(stretches(&old_words, &new_words), &old_words, &new_words);
            let all = |side: fn(&Stretch<'_>) -> String| stretches.iter().map(side).collect::<String>();
            prop_assert_eq!(all(|stretch| stretch.old.concat()), old.clone());
            prop_assert_eq!(all(|stretch| stretch.new.concat()), new.clone());
            prop_assert!(stretches.iter().all(|stretch| !stretch.is_equal || stretch.old == stretch.new));
            word_diff(&old, &new);
        }
    }
}
