//! What a prompt asks for: which part of it is the task and which the material, and in what form the answer is wanted.

use super::words::{self, capitalised};

/// The form of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Form {
    /// Sentences.
    Prose,
    /// A few words.
    Title,
    /// A line each.
    List,
    /// A title, sections, Markdown.
    Document,
    /// The material again, in this language; which nobody can do without a model.
    Translation(Option<String>),
}

/// A prompt, understood as far as a few rules go.
#[derive(Debug)]
pub(super) struct Ask<'a> {
    /// What is to be worked on; never empty unless the prompt is.
    pub(super) material: &'a str,
    /// In what form.
    pub(super) form: Form,
    /// How many sentences, list items or the like.
    pub(super) count: Option<usize>,
    /// The most words.
    pub(super) words: Option<usize>,
    /// Whether it asks for the key words too.
    pub(super) analysis: bool,
}

/// Words that begin a task, in lower case.
#[rustfmt::skip]
const VERBS: &[&str] = &[
"act", "add", "analyse", "analyze", "answer", "begin", "brainstorm", "choose", "classify", "collect", "combine",
    "comment", "compare", "complete", "compose", "continue", "convert", "create", "describe", "design", "do", "don",
    "draft", "draw", "edit", "erkläre", "explain", "extract", "fasse", "find", "format", "generate", "give", "group",
    "illustrate", "imagine", "improve", "invent", "keep", "list", "make", "mention", "merge", "name", "nenne",
    "outline", "paint", "pick", "plan", "please", "produce", "propose", "reply", "respond", "return", "review",
    "rewrite", "say", "schreibe", "shorten", "show", "sketch", "split", "state", "suggest", "summarise", "summarize",
    "tell", "translate", "turn", "use", "write", "you", "übersetze",
];
const DOCUMENTS: &[&str] = &[
    "report",
    "newsletter",
    "markdown",
    "headings",
    "article",
    "essay",
    "blog",
    "guide",
    "readme",
    "changelog",
    "notes",
];
const TITLES: &[&str] = &["title", "headline", "tagline", "slogan"];
const LISTS: &[&str] =
    &["list", "bullet", "bullets", "ideas", "points", "items", "names", "questions", "keywords", "tags", "titles"];
const NUMBERS: &[&str] =
    &["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"];

/// The longest beginning of a prompt that is looked at for a task.
const HEAD: usize = 600;

impl<'a> Ask<'a> {
    /// Reads a prompt and what the system has said before it.
    pub(super) fn read(system: &str, prompt: &'a str) -> Self {
        let prompt = prompt.trim();
        let (head, material) = task_of(prompt);
        let (material, foot) = foot_of(material);
        let (task, frame) = (format!("{head} {foot}").to_lowercase(), words::prefix(system, HEAD).to_lowercase());
        let mut terms = terms_of(&task);
        // The form is the prompt's affair, how long an answer is may be the system's too.
        let form = form_of(&terms, &head.to_lowercase());
        terms.extend(terms_of(&frame));
        let nouns: &[&str] = match form {
            Form::List => LISTS,
            _ => &["sentence", "sentences", "satz", "sätzen"],
        };
        Self {
            material: if material.is_empty() { topic_of(prompt) } else { material },
            count: count_before(&terms, nouns),
            words: count_before(&terms, &["word", "words", "wörter"]),
            analysis: terms.iter().any(|term| term.starts_with("analy")),
            form,
        }
    }
}

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

/// A number that counts things: digits, or a word up to twelve.
pub(super) fn number(term: &str) -> Option<usize> {
    let digits = term.parse::<usize>().ok().filter(|n| (1..=1000).contains(n));
    digits.or_else(|| NUMBERS.iter().position(|word| *word == term).filter(|n| *n > 0))
}

/// Splits a prompt into its task and what follows: `Summarize this: ..`, `Cover for: ..`, a first paragraph that orders.
fn task_of(prompt: &str) -> (&str, &str) {
    let head = words::prefix(prompt, HEAD);
    let orders = starts_with_verb(head);
    // A colon in code, `term: word`, is none.
    let counts = |at: &usize| head[..*at].matches('`').count().is_multiple_of(2);
    let colon = [": ", ":\n"].iter().filter_map(|mark| head.match_indices(mark).map(|(at, _)| at).find(counts)).min();
    let label = colon.filter(|at| orders || words::words(&head[..*at]).count() <= 8);
    let paragraph = head.find("\n\n").filter(|_| orders);
    // The earliest border wins, as long as something follows it.
    match label.into_iter().chain(paragraph).min() {
        Some(at) => (&prompt[..at], prompt[at + 1..].trim()),
        None if orders => (head, ""),
        None => ("", prompt),
    }
}

/// Splits off a last paragraph that orders something: `Write no more than 80 words.`
fn foot_of(material: &str) -> (&str, &str) {
    match material.rfind("\n\n") {
        Some(at) if material.len() - at < HEAD && starts_with_verb(material[at..].trim_start()) => {
            (material[..at].trim_end(), material[at..].trim_start())
        }
        _ => (material, ""),
    }
}

/// What a task without material is about: what follows `about`, `for`, `of` or `on`; else all but its verb.
fn topic_of(task: &str) -> &str {
    let first = words::prefix(task, HEAD);
    let after = [" about ", " on ", " for ", " of ", " über "]
        .iter()
        .find_map(|word| first.find(word).map(|at| task[at + word.len()..].trim()));
    let rest = || task.find(' ').filter(|_| starts_with_verb(first)).map_or(task, |at| task[at..].trim());
    after.filter(|topic| !topic.is_empty()).unwrap_or_else(rest)
}

/// Whether a text begins with an order.
pub(super) fn starts_with_verb(text: &str) -> bool {
    words::words(words::prefix(text, 60)).next().is_some_and(|word| VERBS.contains(&word.to_lowercase().as_str()))
}

fn form_of(terms: &[&str], head: &str) -> Form {
    let names = |nouns: &[&str]| terms.iter().any(|term| nouns.contains(term));
    if terms.iter().any(|term| ["translate", "übersetze", "translation"].contains(term)) {
        return Form::Translation(language_of(head));
    }
    let one_piece = names(&["section", "paragraph", "sentence", "sentences", "line", "summarize", "summarise", "word"]);
    let makes = names(&["write", "create", "draft", "compose", "produce", "generate", "make", "schreibe"]);
    if names(DOCUMENTS) && makes && !one_piece {
        Form::Document
    } else if names(TITLES) && !names(DOCUMENTS) && !one_piece && terms.len() < 40 {
        Form::Title
    } else if names(LISTS) && !one_piece {
        Form::List
    } else {
        Form::Prose
    }
}

/// The language that a translation goes into: the word after `into` or `to`.
fn language_of(head: &str) -> Option<String> {
    let after =
        [" into ", " to ", " ins "].iter().find_map(|word| head.find(word).map(|at| &head[at + word.len()..]))?;
    words::words(after).find(|word| !["the", "language", "plain", "simple"].contains(word)).map(capitalised)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(prompt: &str) -> Ask<'_> {
        Ask::read("", prompt)
    }

    #[test]
    fn task_and_material_are_told_apart() {
        assert_eq!(read("Analyze: The ice is late.").material, "The ice is late.");
        assert_eq!(read("Editorial cover for: A winter").material, "A winter");
        assert_eq!(read("The ice is late.\n\nSummarize the text above.").material, "The ice is late.");
        assert_eq!(read("Write a haiku about spring").material, "spring");
        assert_eq!(read("The ice is late: it always is.").material, "it always is.");
        assert_eq!(read("List words as `term: word`: space, sync").material, "space, sync");
        assert_eq!(read("Hello").material, "Hello");
        assert_eq!(read("").material, "");
    }

    #[test]
    fn forms_are_recognised() {
        assert_eq!(read("Write a title for: The ice").form, Form::Title);
        assert_eq!(read("List five ideas for a garden").form, Form::List);
        assert_eq!(read("Create a final report from:\n- one").form, Form::Document);
        assert_eq!(read("Summarize the report in one sentence: x").form, Form::Prose);
        assert_eq!(read("Analyze this article: x").form, Form::Prose);
        assert_eq!(read("Describe it without a heading: x").form, Form::Prose);
        assert_eq!(read("Translate into French: Hello").form, Form::Translation(Some("French".into())));
    }

    #[test]
    fn counts_are_found() {
        assert_eq!(read("Summarize in two sentences, in a friendly voice: x").count, Some(2));
        assert_eq!(read("List 7 bold ideas for a garden").count, Some(7));
        assert_eq!(read("Describe this in at most 80 words: x").words, Some(80));
        let terms: Vec<&str> = "between 3 and 5 scenes".split(' ').collect();
        assert_eq!(count_before(&terms, &["scenes"]), Some(4));
    }
}
