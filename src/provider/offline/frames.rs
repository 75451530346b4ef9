//! Sentences and titles with holes for key words, for prompts that give too little to quote.
//!
//! They hold a place and say so; nothing in them pretends to know what a model would know. No verb follows a hole, since a
//! key word may be one thing or several.

use super::dice::Dice;
use super::words::{self, capitalised, title_case};

/// Sentences of a text.
const SENTENCES: &[&str] = &[
    "Here a model would write about {a}.",
    "A few lines on {a} belong here, and a few on {b}.",
    "There is room here for an example with {a}.",
    "The next sentence would lead from {a} to {b}.",
    "Two or three facts about {a} would fit in here.",
    "This sentence holds the place of one about {a}.",
    "Then the text would turn to {b}.",
    "Someone who knows {a} well would add a detail.",
    "Details about {a} wait for a real model.",
    "Beside {a}, a model would have something to say of {b}.",
    "An aside on {b} could follow.",
    "Here the text would come back to {a}.",
    "A comparison of {a} and {b} would stand here.",
    "What else there is to know about {a} would stand here.",
    "A name, a date and a place would bring {a} closer.",
    "A question about {b} would come up at this point.",
    "Of {a}, a model would tell more.",
    "In the end the text would come back to {a}.",
];
/// What stands in a plan, and a title for each.
const BRIEFS: &[(&str, &str)] = &[
    ("A first look at {a}, with a word on {b}.", "a first look at {a}"),
    ("What to know about {a} in daily life.", "{a} in daily life"),
    ("How to think of {a} and {b} together.", "{a} and {b}"),
    ("An example with {a}, step by step.", "an example with {a}"),
    ("Common questions about {a}, with short answers.", "questions about {a}"),
    ("The way from {a} to {b}.", "from {a} to {b}"),
    ("A closer look at {b}, with {a} in mind.", "a closer look at {b}"),
    ("Where to begin with {a}.", "where to begin with {a}"),
    ("What others say about {a}.", "what others say about {a}"),
    ("Mistakes to avoid with {a}.", "mistakes to avoid with {a}"),
    ("What to remember about {a}.", "what to remember about {a}"),
];
/// What is said to a question.
const ANSWERS: &[&str] = &[
    "a model would answer this; offline, only the question comes back.",
    "this one takes a model. Offline, the answer stays open.",
    "the answer would stand here, had a model been asked.",
    "good question; a model would know more than its words.",
];
/// What is said to a few words that ask nothing.
const REPLIES: &[&str] =
    &["a model would go on from here.", "here a model would begin to write.", "the rest would come from a model."];
/// Words of the frames themselves, which are no subject when an answer is worked on in its turn, and words that only say
/// how something is.
#[rustfmt::skip]
const OWN: &[&str] = &[
    "beautiful", "belong", "better", "called", "closer", "common", "daily", "detail", "details", "different", "early",
    "example", "examples", "facts", "famous", "important", "interesting", "know", "late", "life", "lines", "little", "look", "love",
    "model", "offline", "old", "questions", "quiet", "readers", "remember", "room", "section", "simple", "step", "think", "together",
];

/// Key words on their way into sentences; each frame comes once before any comes again.
#[derive(Debug, Clone)]
pub(super) struct Frames {
    names: Vec<String>,
    /// The frame that comes next.
    at: usize,
    /// By how much the key words are turned.
    turn: usize,
}

impl Frames {
    /// Frames for these key words, the first sentence drawn.
    pub(super) fn new(keywords: &[String], dice: &mut Dice) -> Self {
        let subjects: Vec<String> =
            keywords.iter().filter(|word| is_subject(word)).take(6).map(|word| named(word)).collect();
        let names =
            if subjects.is_empty() { keywords.iter().take(2).map(|word| named(word)).collect() } else { subjects };
        Self { turn: dice.below(names.len().max(1)), at: dice.below(SENTENCES.len()), names }
    }

    /// The frames from the beginning: a plan starts with a first look.
    pub(super) fn in_order(mut self) -> Self {
        self.at = 0;
        self
    }

    /// The frames without the first `count` of them.
    pub(super) fn skip(mut self, count: usize) -> Self {
        self.at += count;
        self
    }

    /// The next sentence of a text.
    pub(super) fn sentence(&mut self) -> String {
        // With one key word only, what joins two of them says nothing.
        let alone = self.names.len() < 2;
        let fitting: Vec<&str> = SENTENCES.iter().filter(|frame| !(alone && frame.contains("{b}"))).copied().collect();
        let sentence = self.filled(fitting[self.at % fitting.len()], fitting.len());
        self.at += 1;
        capitalised(&sentence)
    }

    /// The next line of a plan.
    pub(super) fn brief(&mut self) -> String {
        let brief = self.filled(self.plan().0, BRIEFS.len());
        self.at += 1;
        capitalised(&brief)
    }

    /// A title for the line that comes next.
    pub(super) fn title(&self) -> String {
        title_case(&self.filled(self.plan().1, BRIEFS.len()))
    }

    fn plan(&self) -> (&'static str, &'static str) {
        let alone = self.names.len() < 2;
        let fitting: Vec<_> = BRIEFS.iter().filter(|(brief, _)| !(alone && brief.contains("{b}"))).collect();
        *fitting[self.at % fitting.len()]
    }

    fn filled(&self, frame: &str, frames: usize) -> String {
        // After a round each frame meets other words.
        let first = self.at % frames + self.turn + self.at / frames;
        let (a, b) = match &self.names[..] {
            [] => ("the subject", "the rest"),
            [one] => (one.as_str(), "the rest"),
            many => (many[first % many.len()].as_str(), many[(first + 1) % many.len()].as_str()),
        };
        frame.replace("{a}", a).replace("{b}", b)
    }
}

/// What is said to a question.
pub(super) fn answer(dice: &mut Dice) -> &'static str {
    ANSWERS[dice.below(ANSWERS.len())]
}

/// What is said to a few words that ask nothing.
pub(super) fn reply(dice: &mut Dice) -> &'static str {
    REPLIES[dice.below(REPLIES.len())]
}

/// Whether a sentence can be about a word: it is none of the frames' own and looks like no form of a verb.
pub(super) fn is_subject(word: &str) -> bool {
    let lower = word.to_lowercase();
    let verb = !lower.contains(' ') && lower.len() >= 5 && ["ed", "ing", "ly"].iter().any(|end| lower.ends_with(end));
    !verb && !OWN.contains(&lower.as_str())
}

/// A word as it stands in a sentence: `the harbour`, `bees`, `Norway`, `recursion`.
pub(super) fn named(word: &str) -> String {
    let idea = ["ion", "ism", "ity", "ness"].iter().any(|end| word.ends_with(end)) && word.len() > 6;
    let bare = idea || word.ends_with('s') || !word.starts_with(|c: char| c.is_ascii_lowercase());
    if bare || !words::matters(word) { word.to_owned() } else { format!("the {word}") }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn frames(keywords: &[&str]) -> Frames {
        let keywords: Vec<String> = keywords.iter().map(|word| (*word).to_owned()).collect();
        Frames::new(&keywords, &mut Dice::new(&[0; 32], 0, "frames"))
    }

    #[test]
    fn frames_take_what_words_there_are() {
        for keywords in [&[][..], &["bees"], &["bees", "roofs"]] {
            let mut frames = frames(keywords);
            let first = frames.sentence();
            assert!(!first.contains('{') && first != frames.sentence(), "{first}");
            assert!(!frames.title().contains('{') && !frames.brief().contains('{'));
        }
    }

    #[test]
    fn no_sentence_comes_twice_in_a_long_text() {
        let mut frames = frames(&["bees", "roofs", "harbour", "Norway", "recursion"]);
        let sentences: HashSet<String> = (0..40).map(|_| frames.sentence()).collect();
        assert!(sentences.len() > 36, "{}", sentences.len());
        assert!(sentences.iter().any(|sentence| sentence.contains("the harbour")));
        assert!(!sentences.iter().any(|sentence| sentence.contains("the recursion")));
        assert!(!sentences.iter().any(|sentence| sentence.contains("the Norway") || sentence.contains("the bees")));
    }
}
