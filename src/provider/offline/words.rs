//! Words of any language: how a text falls into them, which of them matter, how they are written as titles.

use std::collections::HashMap;

/// Words that say little by themselves, in the languages that prompts are mostly written in; sorted.
#[rustfmt::skip]
const STOP_WORDS: &[&str] = &[
    "about", "above", "after", "again", "against", "all", "also", "always", "among", "and", "answer", "any", "are",
    "around", "article", "articles", "ask", "asks", "auf", "aus", "avec", "because", "been", "before", "behind", "being", "below",
    "besides", "best", "between", "both", "brief", "but", "came", "can", "come", "comes", "con", "could", "cover", "dans", "das",
    "dass", "del", "dem", "den", "der", "des", "did", "die", "does", "doing", "done", "down", "during", "each",
    "editorial", "een", "eight", "ein", "eine", "einem", "einen", "einer", "est", "even", "ever", "every", "everything", "few",
    "final", "first", "five", "following", "for", "four", "from", "full", "für", "gave", "get", "gets", "give",
    "given", "goes", "going", "good", "got", "had", "has", "have", "having", "her", "here", "hers", "him", "his",
    "how", "however", "ihr", "ihre", "illustration", "image", "instead", "into", "ist", "its", "itself", "json",
    "just", "keep", "kept", "know", "las", "last", "les", "less", "let", "like", "los", "made", "make", "makes",
    "many", "markdown", "may", "mehr", "mit", "more", "most", "much", "must", "near", "never", "new", "next", "nicht",
    "nine", "none", "nor", "not", "nothing", "now", "off", "often", "once", "one", "only", "onto", "other", "others",
    "our", "out", "over", "own", "para", "part", "pas", "per", "please", "plus", "por", "pour", "prompt", "put",
    "que", "qui", "quite", "rather", "really", "report", "said", "same", "say", "says", "see", "seen", "sein",
    "sentence", "sentences", "seven", "she", "short", "should", "since", "six", "small", "some", "something", "sont",
    "still", "style", "such", "summary", "sur", "take", "taken", "ten", "text", "than", "that", "the", "their",
    "theirs", "them", "then", "there", "these", "they", "thing", "things", "this", "those", "though", "three",
    "through", "title", "together", "too", "took", "toward", "towards", "two", "una", "und", "under", "une", "until",
    "upon", "use", "used", "uses", "using", "van", "very", "voice", "von", "want", "was", "way", "well", "went",
    "were", "what", "when", "where", "whether", "which", "while", "who", "whoever", "whom", "whose", "why", "will", "wir",
    "wird", "with", "within", "without", "word", "words", "would", "write", "written", "yes", "yet", "you", "your",
    "yours", "zum", "zur", "über",
];

/// Whether a letter belongs to a script that is written without spaces: Thai to Khmer, kana, Han.
pub(super) fn is_unspaced(letter: char) -> bool {
    matches!(letter, '\u{0e00}'..='\u{0eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}'
        | '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{20000}'..='\u{3ffff}')
}

/// The words of a text, in order. What is written without spaces falls into pairs of letters.
pub(super) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && !is_mark(c)).filter(|run| !run.is_empty()).flat_map(|run| {
        let paired = run.chars().next().is_some_and(is_unspaced) && run.chars().nth(2).is_some();
        let ends = run.char_indices().map(|(at, _)| at).skip(2).chain([run.len()]);
        let pairs = run.char_indices().zip(ends).take(if paired { usize::MAX } else { 0 });
        (!paired).then_some(run).into_iter().chain(pairs.map(move |((start, _), end)| &run[start..end]))
    })
}

/// Marks that stand on letters (combining vowels and accents) and are parts of words.
fn is_mark(letter: char) -> bool {
    matches!(letter, '\u{0300}'..='\u{036f}' | '\u{0591}'..='\u{05c7}' | '\u{064b}'..='\u{065f}' | '\u{0900}'..='\u{0dff}'
        | '\u{0e31}'..='\u{0e4e}' | '\u{200c}'..='\u{200d}')
}

/// Whether a word, in lower case, says something by itself.
pub(super) fn matters(lower: &str) -> bool {
    let mut letters = lower.chars();
    let long_enough = letters.nth(2).is_some() || lower.chars().next().is_some_and(is_unspaced);
    long_enough && !lower.chars().all(|c| c.is_ascii_digit()) && STOP_WORDS.binary_search(&lower).is_err()
}

/// The words of a text that matter, and how often each occurs, in lower case.
#[derive(Debug, Default)]
pub(super) struct Frequencies {
    counts: HashMap<String, Count>,
}

#[derive(Debug, Clone)]
struct Count {
    times: usize,
    /// How it is written: in lower case if it ever is, since a capital letter may only begin a sentence.
    written: String,
    /// The number of words before its first occurrence.
    first: usize,
}

impl Frequencies {
    /// Counts the words of a text.
    pub(super) fn of(text: &str) -> Self {
        let mut counts: HashMap<String, Count> = HashMap::new();
        for (at, word) in words(text).enumerate() {
            let lower = word.to_lowercase();
            if matters(&lower) {
                let is_lower = lower == word;
                let count =
                    counts.entry(lower).or_insert_with(|| Count { times: 0, written: word.to_owned(), first: at });
                count.times += 1;
                if is_lower && count.written != word {
                    word.clone_into(&mut count.written);
                }
            }
        }
        Self { counts }
    }

    /// How often a word, in lower case, occurs, if it matters.
    pub(super) fn times(&self, lower: &str) -> usize {
        self.counts.get(lower).map_or(0, |count| count.times)
    }

    /// The words that matter most: the most frequent, and of these the longest and earliest.
    pub(super) fn top(&self, most: usize) -> Vec<String> {
        let mut ranked: Vec<(&String, &Count)> = self.counts.iter().collect();
        // A word of seven letters says about as much once as one of four does twice.
        let weight = |word: &str, count: &Count| count.times * (4 + word.chars().count().min(8));
        ranked.sort_unstable_by(|(a, x), (b, y)| {
            weight(b, y).cmp(&weight(a, x)).then(x.first.cmp(&y.first)).then(a.cmp(b))
        });
        ranked.truncate(most);
        ranked.into_iter().map(|(_, count)| count.written.clone()).collect()
    }
}

/// A word with its first letter in upper case.
pub(super) fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// A phrase as a title: capital letters, but for small words within.
pub(super) fn title_case(phrase: &str) -> String {
    let count = phrase.split_whitespace().count();
    let cased = phrase.split_whitespace().enumerate().map(|(at, word)| {
        let lower = word.to_lowercase();
        let small =
            (word.len() <= 3 && !matters(&lower)) || ["about", "from", "into", "over", "with"].contains(&&*lower);
        let keeps = word.chars().any(char::is_uppercase) || (small && at > 0 && at + 1 < count);
        if keeps { word.to_owned() } else { capitalised(word) }
    });
    cased.collect::<Vec<_>>().join(" ")
}

/// A phrase as part of an address: `a-z`, digits and `-`; other letters stay, in lower case.
pub(super) fn slug(phrase: &str) -> String {
    let parts: Vec<String> =
        phrase.split(|c: char| !c.is_alphanumeric()).filter(|part| !part.is_empty()).map(str::to_lowercase).collect();
    parts.join("-")
}

/// The longest beginning of a text that has at most so many bytes and ends between letters.
pub(super) fn prefix(text: &str, bytes: usize) -> &str {
    let mut end = bytes.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// The longest end of a text that has at most so many bytes and begins between letters.
pub(super) fn suffix(text: &str, bytes: usize) -> &str {
    let mut start = text.len().saturating_sub(bytes);
    while !text.is_char_boundary(start) {
        start += 1;
    }
    &text[start..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stop_words_are_sorted_for_the_search() {
        assert!(STOP_WORDS.is_sorted());
    }

    #[test]
    fn texts_fall_into_words() {
        let split = |text| words(text).collect::<Vec<_>>();
        assert_eq!(split("Don't panic: 42 ferries!"), ["Don", "t", "panic", "42", "ferries"]);
        assert_eq!(split("Блины, сметана"), ["Блины", "сметана"]);
        assert_eq!(split("春の花園"), ["春の", "の花", "花園"]);
        assert_eq!(split("🎉 😀"), Vec::<&str>::new());
    }

    #[test]
    fn the_most_frequent_words_come_first() {
        let counted = Frequencies::of("The ferry waits. The ferry and the harbour wait for the ice; the ferry leaves.");
        assert_eq!(counted.top(2), ["ferry", "harbour"]);
        assert_eq!(counted.times("ferry"), 3);
        assert_eq!(counted.times("the"), 0);
    }

    #[test]
    fn titles_and_slugs() {
        assert_eq!(title_case("a ferry in the ice"), "A Ferry in the Ice");
        assert_eq!(title_case("tea with milk"), "Tea with Milk");
        assert_eq!(title_case("the OECD of old"), "The OECD of Old");
        assert_eq!(slug("A Ferry, in the Ice!"), "a-ferry-in-the-ice");
    }

    #[test]
    fn texts_are_cut_between_letters() {
        assert_eq!(prefix("héllo", 2), "h");
        assert_eq!(suffix("hellé", 1), "");
    }
}
