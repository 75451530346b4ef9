//! A text as sentences: cleaned of Markdown, code and what this provider itself has added, and ranked by what they say.

use std::collections::HashSet;

use super::ask;
use super::dice::Dice;
use super::frames;
use super::subject;
use super::words::{self, Frequencies};

/// What every text of this provider says of itself.
pub(super) const MARK: &str = "[offline]";
/// The last line of a whole document.
pub(super) const CLOSING: &str = "*[offline] Made from the words of the prompt; no model was asked.*";
/// How the line of key words begins.
pub(super) const KEY_WORDS: &str = "Key words:";
/// How an answer may begin; nothing of it comes from the prompt.
pub(super) const OPENERS: &[&str] =
    &["In short:", "What stands out:", "The heart of it:", "Put simply:", "At a glance:", "The main thing:"];

/// Words that nouns come after.
const LEADING: &[&str] = &[
    "a", "an", "at", "by", "every", "for", "from", "in", "into", "its", "of", "on", "our", "the", "their", "with",
    "your",
];
/// A sentence is cut where it gets longer than this, in bytes.
const LONGEST: usize = 360;
/// So much of a text is read, in bytes: half from its beginning, half from its end.
const READ: usize = 512 * 1024;

/// Sentences, and what of them matters.
#[derive(Debug)]
pub(super) struct Prose {
    /// In the order of the text, each once.
    pub(super) sentences: Vec<String>,
    /// The words that matter most, as the text writes them.
    pub(super) keywords: Vec<String>,
    frequencies: Frequencies,
}

impl Prose {
    /// Reads a text.
    pub(super) fn read(text: &str) -> Self {
        let mut sentences = Vec::new();
        if text.len() > READ {
            split(words::prefix(text, READ / 2), &mut sentences);
            split(words::suffix(text, READ / 2), &mut sentences);
        } else {
            split(text, &mut sentences);
        }
        let mut seen = HashSet::new();
        sentences.retain(|sentence| seen.insert(sentence.clone()));
        let frequencies = Frequencies::of(&sentences.join(" "));
        let keywords = frequencies.top(16);
        Self { sentences, keywords, frequencies }
    }

    /// The text without what orders the form of an answer, and without scraps, as far as anything is left.
    pub(super) fn without_orders(self) -> Self {
        let mut kept: Vec<&str> = self.sentences.iter().map(String::as_str).collect();
        let filters: [fn(&str) -> bool; 2] =
            [|sentence| !ask::starts_with_verb(sentence), |sentence| words::words(sentence).nth(2).is_some()];
        for says in filters {
            if kept.iter().any(|sentence| says(sentence)) {
                kept.retain(|sentence| says(sentence));
            }
        }
        if kept.len() == self.sentences.len() { self } else { Self::read(&kept.join("\n\n")) }
    }

    /// The sentences from the one that says most to the one that says least, as places in [`Prose::sentences`].
    ///
    /// A sentence is worth the frequency of its words; being first helps it, headings and orders are worth little, and
    /// the dice stir the order a bit.
    pub(super) fn ranked(&self, dice: &mut Dice) -> Vec<usize> {
        let mut ranked: Vec<(usize, usize)> = self
            .sentences
            .iter()
            .enumerate()
            .map(|(at, sentence)| {
                let (mut worth, mut count) = (0, 0);
                for word in words::words(sentence) {
                    worth += self.frequencies.times(&word.to_lowercase());
                    count += 1;
                }
                let weight = match sentence {
                    _ if count < 4 || sentence.ends_with(':') => 10,
                    // `Show the owner: ..` is a title, though it begins like an order.
                    _ if ask::starts_with_verb(sentence) && !sentence.contains(": ") => 10,
                    // A heading, or an item of a list.
                    _ if sentence.ends_with(char::is_alphanumeric) => 50,
                    _ if at == 0 => 140,
                    _ => 100,
                };
                (worth * 1000 / (count + 6) * weight * dice.between(85, 115), at)
            })
            .collect();
        ranked.sort_unstable_by(|(a, x), (b, y)| b.cmp(a).then(x.cmp(y)));
        ranked.into_iter().map(|(_, at)| at).collect()
    }

    /// Whether the text is no more than a few words that name a topic.
    pub(super) fn is_topic(&self) -> bool {
        let [topic] = &self.sentences[..] else { return false };
        let open = topic.ends_with(char::is_alphanumeric) || topic.starts_with(char::is_lowercase);
        open && words::words(topic).nth(7).is_none()
    }

    /// What a text can be said to be about: of a topic its nouns, `city roofs` and all; of sentences those key words that
    /// an article or the like has come before, since others may be verbs.
    pub(super) fn topics(&self) -> Vec<String> {
        if let [topic] = &self.sentences[..] {
            let phrases: Vec<String> = subject::phrases(topic)
                .iter()
                .map(|phrase| uncapitalised(&phrase.words.join(" ")))
                .filter(|words| words.len() < 40)
                .collect();
            if !phrases.is_empty() {
                return phrases;
            }
        }
        let mut nouns = HashSet::new();
        for sentence in &self.sentences {
            let mut before = String::new();
            for word in words::words(sentence) {
                let lower = word.to_lowercase();
                if LEADING.contains(&before.as_str()) {
                    nouns.insert(lower.clone());
                }
                before = lower;
            }
        }
        let named = |word: &&String| frames::is_subject(word) && nouns.contains(&word.to_lowercase());
        let named: Vec<String> = self.keywords.iter().filter(named).cloned().collect();
        if named.is_empty() { self.keywords.clone() } else { named }
    }

    /// The few words in a row that say most in a sentence, without small words at their ends; never empty if the
    /// sentence is not.
    pub(super) fn phrase(&self, sentence: &str, most: usize) -> String {
        let written: Vec<&str> =
            sentence.split_whitespace().filter(|token| token.contains(char::is_alphanumeric)).take(60).collect();
        let tokens: Vec<&str> =
            written.iter().map(|token| token.trim_matches(|c: char| !c.is_alphanumeric())).collect();
        if tokens.len() < 2 {
            return sentence.chars().filter(|c| c.is_alphanumeric() || *c == ' ').take(14).collect();
        }
        let worth = |token: &&str| {
            let lower = token.to_lowercase();
            if words::matters(&lower) { 2 + self.frequencies.times(&lower) } else { 0 }
        };
        let worths: Vec<usize> = tokens.iter().map(worth).collect();
        let window = |start: usize| {
            let end = (start + most).min(tokens.len());
            // What a comma parts is no phrase.
            let end = (start..end).find(|at| written[*at].ends_with([',', ';', ':'])).map_or(end, |at| at + 1);
            let last = (start..end).rev().find(|at| worths[*at] > 0).unwrap_or(start);
            (start, last + 1, worths[start..=last].iter().sum::<usize>())
        };
        let best = (0..tokens.len())
            .filter(|start| worths[*start] > 0)
            .map(window)
            // The earliest of the best: `max_by_key` alone would give the latest.
            .max_by_key(|(start, _, sum)| (*sum, usize::MAX - start));
        let (start, end) = best.map_or((0, tokens.len().min(most)), |(start, end, _)| (start, end));
        tokens[start..end].join(" ")
    }
}

/// `Keeping bees`, which only began a sentence, as it stands within one; other capitals may belong to a name.
fn uncapitalised(phrase: &str) -> String {
    let first = phrase.split(' ').next().unwrap_or(phrase);
    if first.ends_with("ing") {
        format!("{}{}", first.to_lowercase(), &phrase[first.len()..])
    } else {
        phrase.to_owned()
    }
}

/// Splits a text into clean sentences.
fn split(text: &str, sentences: &mut Vec<String>) {
    let mut paragraph = String::new();
    let mut in_code = false;
    for line in text.lines() {
        let line = line.trim();
        if line.starts_with("```") || line.starts_with("~~~") {
            in_code = !in_code;
            flush(&mut paragraph, sentences);
        } else if in_code {
            // Code is no prose.
        } else if line.is_empty() || line == CLOSING || is_noise(line) || is_definition(line) {
            flush(&mut paragraph, sentences);
        } else {
            let (content, alone, heading) = unmarked(line);
            if alone {
                flush(&mut paragraph, sentences);
            }
            clean(content, &mut paragraph);
            if heading {
                flush(&mut paragraph, sentences);
            }
        }
    }
    flush(&mut paragraph, sentences);
}

/// Whether a line is a rule, a table's border or the like: hardly a letter in it.
fn is_noise(line: &str) -> bool {
    let letters = line.chars().take(200).filter(|c| c.is_alphanumeric()).count();
    let pictures = line.chars().take(200).filter(|c| !c.is_ascii()).count();
    letters * 4 < line.chars().take(200).count() && pictures == 0
}

/// Whether a line says where a link goes: `[name]: https://..`.
fn is_definition(line: &str) -> bool {
    line.starts_with('[') && words::prefix(line, 80).contains("]: ")
}

/// A line without the marks of headings, quotes and lists; whether it begins something, and whether it is a heading.
fn unmarked(line: &str) -> (&str, bool, bool) {
    let heading = line.starts_with('#');
    let content = line.trim_start_matches(['#', '>', ' ', '|']);
    let number = content.find(|c: char| !c.is_ascii_digit()).unwrap_or(0);
    let listed = ["- ", "* ", "+ ", "• ", "– "].iter().find_map(|mark| content.strip_prefix(mark)).or_else(|| {
        let rest = &content[number..];
        if number == 0 || number > 3 { None } else { rest.strip_prefix(". ").or_else(|| rest.strip_prefix(") ")) }
    });
    (listed.unwrap_or(content), heading || listed.is_some() || content.len() != line.len(), heading)
}

/// Adds a line to a paragraph, without emphasis, links, tags, braces and the marks of this provider.
fn clean(line: &str, paragraph: &mut String) {
    let mut rest = line.strip_prefix(MARK).unwrap_or(line).trim_start();
    if !paragraph.is_empty() {
        paragraph.push(' ');
    }
    let data = ["{", "[{", "[\""].iter().any(|start| rest.starts_with(start));
    while let Some(letter) = rest.chars().next() {
        let next = &rest[letter.len_utf8()..];
        rest = match letter {
            '"' | '[' | ']' if data => next,
            '_' if paragraph.ends_with([' ', '(']) || paragraph.is_empty() || !starts_with_letter(next) => next,
            '[' if rest.starts_with(MARK) => rest[MARK.len()..].trim_start(),
            '*' | '`' | '|' | '{' | '}' | '[' => next,
            // The end of a link's text; its address follows.
            ']' => after_link(next),
            '<' => tag_end(rest).map_or(next, |end| &rest[end..]),
            'h' if rest.starts_with("https://") || rest.starts_with("http://") => {
                &rest[rest.find(char::is_whitespace).unwrap_or(rest.len())..]
            }
            letter => {
                if !(letter.is_whitespace() && paragraph.ends_with(' ')) {
                    paragraph.push(if letter.is_whitespace() || letter.is_control() { ' ' } else { letter });
                }
                next
            }
        };
    }
}

/// What follows the address, or the name, of a link.
fn after_link(text: &str) -> &str {
    let rest = |open: char, close: char| {
        let address = words::prefix(text.strip_prefix(open)?, 2000);
        address.find(close).map(|end| &text[end + 2..])
    };
    rest('(', ')').or_else(|| rest('[', ']')).unwrap_or(text)
}

fn starts_with_letter(text: &str) -> bool {
    text.chars().next().is_some_and(char::is_alphanumeric)
}

/// Where an HTML tag at the beginning of a text ends, if one stands there.
fn tag_end(text: &str) -> Option<usize> {
    let inside = text[1..].starts_with(|c: char| c.is_ascii_alphabetic() || c == '/' || c == '!');
    let end = words::prefix(text, 200).find('>')?;
    inside.then_some(end + 1)
}

/// Takes a paragraph apart.
fn flush(paragraph: &mut String, sentences: &mut Vec<String>) {
    let mut start = 0;
    let mut letters = paragraph.char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        let end = at + letter.len_utf8();
        let length = end - start;
        let ends = match letter {
            '。' | '！' | '？' | '।' | '؟' | '۔' => true,
            '.' | '!' | '?' | '…' => {
                let next = letters.peek().map(|(_, next)| *next);
                let closes = next.is_none_or(char::is_whitespace);
                closes && !(letter == '.' && is_abbreviation(&paragraph[start..at]))
            }
            // Too long already: any pause will do, then any gap, then any letter.
            ',' | ';' | ':' | '、' | '，' => {
                length > LONGEST * 3 / 5 && letters.peek().is_some_and(|(_, c)| *c == ' ' || !c.is_ascii())
            }
            _ => length > LONGEST * 5 / 4 || (length > LONGEST && letter.is_whitespace()),
        };
        if ends {
            keep(&paragraph[start..end], sentences);
            start = end;
        }
    }
    keep(&paragraph[start..], sentences);
    paragraph.clear();
}

/// Keeps a sentence, unless nothing is left of it or this provider has added it.
fn keep(sentence: &str, sentences: &mut Vec<String>) {
    let mut sentence = sentence.trim();
    if let Some(rest) = OPENERS.iter().find_map(|opener| sentence.strip_prefix(opener)) {
        sentence = rest.trim_start();
    }
    let says = sentence.chars().any(|c| c.is_alphanumeric() || !c.is_ascii());
    if says && !sentence.starts_with(KEY_WORDS) {
        sentences.push(sentence.to_owned());
    }
}

/// Whether the full stop after this text belongs to its last word.
fn is_abbreviation(text: &str) -> bool {
    let word = text.rsplit(|c: char| c.is_whitespace() || c == '(').next().unwrap_or("");
    let single = word.chars().count() == 1 && word.chars().all(char::is_alphabetic);
    let lower = word.to_lowercase();
    single
        || ["dr", "mr", "mrs", "ms", "st", "vs", "no", "e.g", "i.e", "cf", "z.b", "bzw", "ca", "approx"]
            .contains(&lower.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sentences(text: &str) -> Vec<String> {
        Prose::read(text).sentences
    }

    #[test]
    fn sentences_end_where_people_end_them() {
        assert_eq!(
            sentences("Dr. Who paid 3.50 for tea, e.g. green. \"Why?\" she asked! Nobody knew…"),
            ["Dr. Who paid 3.50 for tea, e.g. green.", "\"Why?\" she asked!", "Nobody knew…"]
        );
        assert_eq!(sentences("春が来た。花が咲く！"), ["春が来た。", "花が咲く！"]);
    }

    #[test]
    fn markdown_and_code_are_left_out() {
        let text = "# The *first* ferry\n\nIt **left** at [noon](https://example.org/x).\nThe quay was\nempty.\n\n\
                    ```rust\nfn main() {}\n```\n---\n- one `thing`\n- snake_case stays\n1. <b>bold</b> https://example.org";
        assert_eq!(
            sentences(text),
            ["The first ferry", "It left at noon.", "The quay was empty.", "one thing", "snake_case stays", "bold"]
        );
    }

    #[test]
    fn marks_of_earlier_answers_do_not_pile_up() {
        let text = format!("{MARK} In short: The ice held. Key words: ice, ferry.\n\n{CLOSING}");
        assert_eq!(sentences(&text), ["The ice held."]);
    }

    #[test]
    fn a_text_without_stops_is_cut() {
        let long = "ferry ".repeat(500);
        assert!(sentences(&long).iter().all(|sentence| sentence.len() <= LONGEST * 2));
        let wall = "x".repeat(5000);
        assert!(sentences(&wall).iter().all(|sentence| sentence.len() <= LONGEST * 2));
    }

    #[test]
    fn a_phrase_is_what_a_sentence_is_about() {
        let prose = Prose::read("The ferry to the island leaves at noon. A ferry is slow. The island sleeps.");
        assert_eq!(prose.phrase(&prose.sentences[0], 4), "island leaves at noon");
        let listed = Prose::read("Before sunrise, Ines unlocks the lighthouse, and the lamp is cold.");
        assert_eq!(listed.phrase(&listed.sentences[0], 5), "Ines unlocks the lighthouse");
    }

    #[test]
    fn topics_are_nouns() {
        assert_eq!(Prose::read("Keeping bees on city roofs").topics(), ["keeping bees", "city roofs"]);
        assert_eq!(Prose::read("a cosy cabin in the woods").topics(), ["cosy cabin", "woods"]);
        let stool = Prose::read("Halla stool, made of ash. It carries 130 kg. The seat is hollowed.").topics();
        assert!(stool.contains(&"seat".to_owned()) && !stool.contains(&"carries".to_owned()), "{stool:?}");
    }
}
