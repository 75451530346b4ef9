//! How many things a prompt asks for, and what they are.

use super::words::capitalised;

/// What each item of a list is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Thing {
    /// A sentence: a tip, a reason, a fact.
    Sentence,
    /// A few words.
    Title,
    /// A word of the material.
    Keyword,
    /// A thing with a name of its own: `City` and `in Norway` of `ten cities in Norway`.
    Named {
        /// One of them.
        one: String,
        /// What is said of them in the same breath.
        tail: String,
    },
}

/// Words for lists and what stands in them.
pub(super) const LISTS: &[&str] =
    &["list", "bullet", "bullets", "ideas", "points", "items", "names", "questions", "keywords", "tags", "titles"];
/// Lists of these hold sentences.
const SENTENCES: &[&str] =
    &["advice", "arguments", "bullet", "bullets", "facts", "ideas", "points", "questions", "reasons", "steps", "tips"];
/// Verbs that several things are asked for with.
#[rustfmt::skip]
const LISTING: &[&str] = &[
    "brainstorm", "collect", "create", "find", "generate", "give", "invent", "list", "make", "mention", "name", "nenne",
    "propose", "suggest", "tell", "top", "write",
];
/// Plurals that measure and are not listed.
#[rustfmt::skip]
pub(super) const UNITS: &[&str] = &[
    "absätze", "characters", "days", "dollars", "euros", "hours", "letters", "lines", "minutes", "months", "pages",
    "paragraphs", "parts", "seconds", "sections", "sentences", "times", "weeks", "words", "years",
];
const NUMBERS: &[&str] =
    &["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"];

/// The words of a text, with nothing in between.
pub(super) fn terms_of(text: &str) -> Vec<&str> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|term| !term.is_empty()).collect()
}

/// A number of these things, if the terms name one: `5 short scenes`, `three scenes`, `3 to 5 scenes` (then 4).
pub(super) fn count_before(terms: &[&str], nouns: &[&str]) -> Option<usize> {
    let at = |place: usize| terms.get(place).and_then(|term| number(term));
    terms.iter().enumerate().filter(|(_, term)| nouns.contains(term)).find_map(|(noun, _)| {
        let last = (noun.saturating_sub(3)..noun).rev().find(|place| at(*place).is_some())?;
        let high = at(last)?;
        let joined = last >= 2 && ["to", "or", "and"].contains(&terms[last - 1]);
        let low = if joined { at(last - 2) } else { last.checked_sub(1).and_then(at) };
        Some(low.filter(|low| *low < high).map_or(high, |low| low.midpoint(high)))
    })
}

/// A number that counts things: digits that are no year, or a word up to twelve.
pub(super) fn number(term: &str) -> Option<usize> {
    let digits = term.parse::<usize>().ok().filter(|n| (1..=20_000).contains(n) && !(1900..=2100).contains(n));
    digits.or_else(|| NUMBERS.iter().position(|word| *word == term).filter(|n| *n > 0))
}

/// A number that stands behind its noun: `a list of ten`.
pub(super) fn count_after(terms: &[&str]) -> Option<usize> {
    terms.windows(3).find(|three| three[0] == "list" && three[1] == "of").and_then(|three| number(three[2]))
}

/// How many things a task asks for: `Name three rivers`; not `Write three sentences`.
pub(super) fn counted<'t>(terms: &[&'t str]) -> Option<(usize, &'t str)> {
    let listed = terms.iter().position(|term| *term == "list");
    let verb = terms.iter().take(4).position(|term| LISTING.contains(term)).or(listed)?;
    let at = (verb..terms.len().min(verb + 6)).find(|at| number(terms[*at]).is_some_and(|count| count > 1))?;
    let noun =
        terms[at + 1..].iter().take(3).find(|term| term.len() > 3 && term.ends_with('s') && !term.ends_with("ss"))?;
    number(terms[at]).filter(|_| !UNITS.contains(noun)).map(|count| (count, *noun))
}

impl Thing {
    /// What a prompt asks several of; `noun` is what it names after the number.
    pub(super) fn of(terms: &[&str], prompt: &str, noun: Option<&str>) -> Self {
        if terms.iter().any(|term| ["keywords", "tags", "hashtags"].contains(term)) {
            return Self::Keyword;
        }
        if terms.iter().any(|term| SENTENCES.contains(term)) {
            return Self::Sentence;
        }
        noun.filter(|noun| !LISTS.contains(noun)).and_then(|noun| Self::named(prompt, noun)).unwrap_or(Self::Title)
    }

    fn named(prompt: &str, noun: &str) -> Option<Self> {
        let at = prompt.to_ascii_lowercase().find(noun)? + noun.len();
        let after = prompt.get(at..)?;
        let after = after[..after.find(['.', ',', ':', ';', '?', '!', '\n', '(']).unwrap_or(after.len())].trim();
        let says = ["in ", "of ", "for ", "from ", "about ", "to "].iter().any(|word| after.starts_with(word));
        let tail = if says && after.split_whitespace().count() <= 5 { after } else { "" };
        let stem = noun.strip_suffix("ies").map(|stem| format!("{stem}y"));
        let one = capitalised(&stem.unwrap_or_else(|| noun.trim_end_matches('s').to_owned()));
        Some(Self::Named { one, tail: tail.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn things_are_named_once() {
        let of = |prompt: &str| {
            let lower = prompt.to_lowercase();
            let terms = terms_of(&lower);
            Thing::of(&terms, prompt, counted(&terms).map(|(_, noun)| noun))
        };
        let named = |one: &str, tail: &str| Thing::Named { one: one.to_owned(), tail: tail.to_owned() };
        assert_eq!(of("List ten cities in Norway"), named("City", "in Norway"));
        assert_eq!(of("Name three rivers that I should see before I die"), named("River", ""));
        assert_eq!(of("Give me five tips for a garden"), Thing::Sentence);
        assert_eq!(of("Suggest 4 names for a cat"), Thing::Title);
    }

    #[test]
    fn numbers_are_digits_or_words() {
        assert_eq!(["7", "seven", "1500", "2026", "many"].map(number), [Some(7), Some(7), Some(1500), None, None]);
    }
}
