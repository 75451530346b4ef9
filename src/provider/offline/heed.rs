//! Heeds what a stage checks of its answers, so that a rehearsal comes to its end where a model would be asked for the
//! same. What can't be made up, such as a text for a regular expression, is left as it is.

use super::dice::Dice;
use crate::model::Check;

/// Where a text has to be longer.
const MORE: &str = "More about this waits for a real model.";

/// A text as these checks want it, as far as that goes. It grows to `room` bytes at most, where it has to be longer.
pub(super) fn heed(text: String, checks: &[Check], room: usize, dice: &mut Dice) -> String {
    if let Some(Check::OneOf(choices)) = checks.iter().find(|check| matches!(check, Check::OneOf(_))) {
        return dice.pick(choices).clone();
    }
    let mut text = text;
    for check in checks {
        if let Check::NotContains(part) = check {
            text = without(&text, part);
        }
    }
    let missing: Vec<&str> = checks.iter().filter_map(|check| lacking(check, &text)).collect();
    let tail = missing.iter().fold(String::new(), |tail, part| tail + " " + part);
    let least = |of: fn(&Check) -> Option<u64>| checks.iter().filter_map(of).max().unwrap_or(0);
    let most = |of: fn(&Check) -> Option<u64>| checks.iter().filter_map(of).min().unwrap_or(u64::MAX);
    let min_words = least(|check| if let Check::MinWords(count) = check { Some(*count) } else { None });
    let min_chars = least(|check| if let Check::MinChars(count) = check { Some(*count) } else { None });
    let max_words = most(|check| if let Check::MaxWords(count) = check { Some(*count) } else { None });
    let max_chars = most(|check| if let Check::MaxChars(count) = check { Some(*count) } else { None });
    let is_short = |text: &str| count_words(text) < min_words || count_chars(text) < min_chars;
    while is_short(&text) && text.len() + MORE.len() < room {
        text = format!("{text} {MORE}");
    }
    let text = first_words(&text, max_words.saturating_sub(count_words(&tail)));
    let left = max_chars.saturating_sub(count_chars(&tail));
    let text: String = text.chars().take(usize::try_from(left).unwrap_or(usize::MAX)).collect();
    format!("{}{tail}", text.trim_end()).trim_start().to_owned()
}

fn lacking<'c>(check: &'c Check, text: &str) -> Option<&'c str> {
    match check {
        Check::Contains(part) if !text.contains(part.as_str()) => Some(part),
        _ => None,
    }
}

/// A text in which this does not occur, not even where what stood around it meets.
fn without(text: &str, part: &str) -> String {
    let mut text = text.to_owned();
    while text.contains(part) {
        text = text.replace(part, "");
    }
    text
}

fn count_words(text: &str) -> u64 {
    text.split_whitespace().count() as u64
}

fn count_chars(text: &str) -> u64 {
    text.chars().count() as u64
}

/// The beginning of a text, up to the end of so many words.
fn first_words(text: &str, count: u64) -> &str {
    let mut rest = text;
    for _ in 0..count {
        let word = rest.trim_start();
        if word.is_empty() {
            return text;
        }
        rest = &word[word.find(char::is_whitespace).unwrap_or(word.len())..];
    }
    &text[..text.len() - rest.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heeded(text: &str, checks: &[Check]) -> String {
        heed(text.to_owned(), checks, 1_000, &mut Dice::new(&[7; 32], 0, "text"))
    }

    #[test]
    fn a_text_is_bent_to_what_is_checked() {
        assert_eq!(heeded("[offline] One  two three", &[Check::MaxWords(3)]), "[offline] One  two");
        assert_eq!(heeded("[offline] One two", &[Check::MaxChars(12)]), "[offline] On");
        let checks = [Check::Contains("Ines".into()), Check::NotContains("two".into()), Check::MaxWords(3)];
        assert_eq!(heeded("[offline] One two three", &checks), "[offline] One Ines");
        let long = heeded("[offline] One", &[Check::MinWords(12), Check::MinChars(60)]);
        assert_eq!(long, format!("[offline] One {MORE} {MORE}"));
        let one = heeded("[offline] One", &[Check::OneOf(vec!["bug".into(), "praise".into()])]);
        assert!(["bug", "praise"].contains(&one.as_str()));
        assert_eq!(heeded("[offline] One", &[Check::MinWords(u64::MAX)]).len() / 1_000, 0, "it ends");
    }
}
