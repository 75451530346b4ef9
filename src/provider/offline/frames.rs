//! Sentences and titles with holes for key words, for prompts that give too little to quote.

use super::dice::Dice;
use super::words::{capitalised, title_case};

const SENTENCES: &[&str] = &[
    "Everything turns on {a}, with {b} never far.",
    "First {a}, then {b}: in that order.",
    "Between {a} and {b} lies most of what was asked.",
    "Take {a} first; {b} can wait.",
    "The shape comes from {a}, the colour from {b}.",
    "There is more to {a} than meets the eye.",
    "Without {a} there would be little to say.",
    "Whoever asks about {a} should ask about {b} too.",
];
const TITLES: &[&str] = &[
    "{a} and {b}",
    "From {a} to {b}",
    "a word on {a}",
    "{a} up close",
    "{a} before {b}",
    "a case for {a}",
    "{b} besides",
];

/// Key words on their way into sentences; each frame comes once before any comes again.
#[derive(Debug, Clone)]
pub(super) struct Frames<'a> {
    keywords: &'a [String],
    at: usize,
}

impl<'a> Frames<'a> {
    /// Frames for these key words, beginning anywhere.
    pub(super) fn new(keywords: &'a [String], dice: &mut Dice) -> Self {
        Self { keywords, at: dice.below(SENTENCES.len() * TITLES.len()) }
    }

    /// The frames without the first `count` of them.
    pub(super) fn skip(mut self, count: usize) -> Self {
        self.at += count;
        self
    }

    /// The next sentence.
    pub(super) fn sentence(&mut self) -> String {
        let sentence = self.filled(SENTENCES);
        self.at += 1;
        capitalised(&sentence)
    }

    /// A title for the sentence that comes next.
    pub(super) fn title(&self) -> String {
        title_case(&self.filled(TITLES))
    }

    fn filled(&self, frames: &[&str]) -> String {
        let (a, b) = match self.keywords {
            [] => ("the question", "the answer"),
            [one] => (one.as_str(), "the rest"),
            many => (many[self.at % many.len()].as_str(), many[(self.at + 1) % many.len()].as_str()),
        };
        frames[self.at % frames.len()].replace("{a}", a).replace("{b}", b)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_take_what_words_there_are() {
        let dice = || Dice::new(&[0; 32], 0, "frames");
        for keywords in [vec![], vec!["bees".to_owned()], vec!["bees".to_owned(), "roofs".to_owned()]] {
            let mut frames = Frames::new(&keywords, &mut dice());
            let first = frames.sentence();
            assert!(!first.contains('{') && first != frames.sentence(), "{first}");
            assert!(!frames.title().contains('{'));
        }
    }
}
