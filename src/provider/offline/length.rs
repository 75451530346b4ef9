//! How long an answer is to be, as far as a prompt says so.

use super::counts::count_before;

/// What a prompt says of the length of its answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Length {
    /// One word and no more.
    pub(super) one_word: bool,
    /// One line and no more.
    pub(super) one_line: bool,
    /// The most words.
    pub(super) words: Option<usize>,
    /// Whether the words are a goal, `200 words`, and not only a limit, `at most 200 words`.
    pub(super) is_goal: bool,
    /// How many sentences.
    pub(super) sentences: Option<usize>,
    /// How many paragraphs.
    pub(super) paragraphs: Option<usize>,
    /// The most letters.
    pub(super) letters: Option<usize>,
}

/// Words before a number that make it a limit.
const LIMITS: &[&str] = &["most", "under", "than", "maximum", "max", "below", "within", "exceed", "up", "höchstens"];
/// An answer is no longer than this, in words, whatever a prompt says.
const MOST_WORDS: usize = 20_000;

impl Length {
    /// Reads the length from the words of a task, in lower case.
    pub(super) fn read(terms: &[&str]) -> Self {
        let words = count_before(terms, &["word", "words", "wörter", "wörtern"]).filter(|count| *count > 1);
        let limited = terms.iter().position(|term| term.starts_with("word") || term.starts_with("wört"));
        let limited =
            limited.is_some_and(|at| terms[at.saturating_sub(5)..at].iter().any(|term| LIMITS.contains(term)));
        let one_line = single(terms, "line");
        Self {
            one_word: single(terms, "word"),
            one_line,
            words: words.map(|count| count.min(MOST_WORDS)),
            is_goal: words.is_some() && !limited,
            sentences: count_before(terms, &["sentence", "sentences", "satz", "sätzen"])
                .or(one_line.then_some(1))
                .map(|count| count.min(200)),
            paragraphs: count_before(terms, &["paragraph", "paragraphs", "absätze", "absätzen"])
                .map(|count| count.min(50)),
            letters: count_before(terms, &["characters", "character", "letters", "zeichen"]).filter(|count| *count > 9),
        }
    }
}

/// Whether one of these is asked for, and not `one word per line`.
fn single(terms: &[&str], noun: &str) -> bool {
    terms.iter().enumerate().skip(1).any(|(at, term)| {
        *term == noun
            && ["one", "single", "1"].contains(&terms[at - 1])
            && !terms.get(at + 1).is_some_and(|next| ["per", "each", "a", "for"].contains(next))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(task: &str) -> Length {
        Length::read(&super::super::counts::terms_of(task))
    }

    #[test]
    fn lengths_are_read() {
        assert!(read("answer in one word").one_word && read("a one-word answer").one_word);
        assert!(read("as a single line").one_line && !read("one line each").one_line && !read("one a line").one_line);
        assert_eq!(read("write a 200-word blog post").words, Some(200));
        assert!(read("about 80 words").is_goal && !read("in at most 80 words").is_goal);
        assert!(!read("no more than 80 words").is_goal);
        assert_eq!(read("in two paragraphs").paragraphs, Some(2));
        assert_eq!(read("summarize it in one sentence").sentences, Some(1));
        assert_eq!(read("under 140 characters").letters, Some(140));
        assert_eq!(read("hello there"), Length::default());
    }
}
