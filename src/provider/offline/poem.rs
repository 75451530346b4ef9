//! Poems, for prompts that ask for one: short lines with the key words in them, a haiku with its seventeen syllables.

use super::dice::Dice;
use super::frames::named;
use super::words::capitalised;

/// What a line may end with, by its syllables: from none to seven.
const ENDINGS: [&[&str]; 8] = [
    &[""],
    &["now", "still", "here"],
    &["again", "at dawn", "and rain"],
    &["in the rain", "in low light", "and some wind"],
    &["before morning", "at the window", "in the first frost"],
    &["under a thin moon", "where the road begins", "in the first cold light"],
    &["in the last of the light", "and a door left ajar", "by the edge of the town"],
    &["the kettle begins to sing", "the gate swings in a cold wind", "one leaf on the empty path"],
];
/// Lines of other poems; `{a}` is a key word.
const LINES: &[&str] = &[
    "I thought of {a} when the morning was new,",
    "of {a} and a sky that was nearly blue;",
    "the day went along and the shadows went too,",
    "and {a} was the word that I carried through.",
    "There is room for {a} on a page like this,",
    "for the sound of a word that is hard to miss;",
    "the evening comes in with a bit of a hiss,",
    "and {a}, like a letter, is sealed with a kiss.",
];

/// A poem asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Poem {
    /// Five, seven and five syllables.
    Haiku,
    /// So many lines.
    Lines(usize),
}

impl Poem {
    /// The poem that a task, in lower-case words, asks for.
    pub(super) fn read(terms: &[&str]) -> Option<Self> {
        let kinds = [
            ("haiku", Self::Haiku),
            ("limerick", Self::Lines(5)),
            ("couplet", Self::Lines(2)),
            ("poem", Self::Lines(4)),
            ("verse", Self::Lines(4)),
            ("gedicht", Self::Lines(4)),
        ];
        kinds.into_iter().find(|(name, _)| terms.contains(name)).map(|(_, poem)| poem)
    }

    /// The lines, about these words.
    pub(super) fn write(self, keywords: &[String], dice: &mut Dice) -> String {
        let word = |at: usize| keywords.get(at % keywords.len().max(1)).map_or("a word", String::as_str);
        let lines: Vec<String> = match self {
            Self::Haiku => [5, 7, 5].iter().enumerate().map(|(at, beats)| beaten(word(at), *beats, dice)).collect(),
            Self::Lines(count) => {
                let start = dice.below(2) * 4;
                let line = |at: usize| LINES[(start + at) % LINES.len()].replace("{a}", &named(word(at)));
                (0..count).map(|at| capitalised(&line(at))).collect()
            }
        };
        lines.join("\n")
    }
}

/// A line of so many syllables that begins with a word, if the word is not too long for it.
fn beaten(word: &str, beats: usize, dice: &mut Dice) -> String {
    let (word, left) = match beats.checked_sub(syllables(word)) {
        Some(left) => (word, left),
        None => ("", beats),
    };
    let ending = ENDINGS.get(left).map_or("", |endings| endings[dice.below(endings.len())]);
    capitalised(format!("{word} {ending}").trim())
}

/// How many syllables an English word has, by its groups of vowels.
fn syllables(word: &str) -> usize {
    let lower = word.to_lowercase();
    let is_vowel = |c: char| "aeiouyäöüáéíóúàèìòùâêîôû".contains(c);
    let mut count = 0;
    let mut before = false;
    for letter in lower.chars() {
        count += usize::from(is_vowel(letter) && !before);
        before = is_vowel(letter);
    }
    let silent = lower.ends_with('e') && !lower.ends_with("le") && count > 1;
    (count - usize::from(silent)).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_haiku_has_its_syllables() {
        for (at, keywords) in [&["spring", "river", "neighbourhood"][..], &["extraordinarily"], &[]].iter().enumerate()
        {
            let keywords: Vec<String> = keywords.iter().map(|word| (*word).to_owned()).collect();
            let haiku = Poem::Haiku.write(&keywords, &mut Dice::new(&[7; 32], at as u64, "poem"));
            let beats: Vec<usize> =
                haiku.lines().map(|line| line.split_whitespace().map(syllables).sum::<usize>()).collect();
            assert_eq!(beats, [5, 7, 5], "{haiku}");
        }
    }

    #[test]
    fn endings_have_the_syllables_of_their_place() {
        for (beats, ending) in ENDINGS.iter().enumerate().flat_map(|(at, all)| all.iter().map(move |one| (at, one))) {
            assert_eq!(ending.split_whitespace().map(syllables).sum::<usize>(), beats, "{ending}");
        }
    }
}
