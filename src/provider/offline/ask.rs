//! What a prompt asks for: which part of it is the task and which the material, and in what form the answer is wanted.

use super::counts::{LISTS, Thing, UNITS, count_after, count_before, counted, number, terms_of};
use super::length::Length;
use super::poem::Poem;
use super::words::{self, capitalised};

/// The form of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Form {
    /// Sentences.
    Prose,
    /// A few words.
    Title,
    /// One word: one of these, where the task names them.
    Word(Vec<String>),
    /// A line each.
    List(Items),
    /// Verses.
    Poem(Poem),
    /// A title, sections, Markdown.
    Document,
    /// The material again, in this language; which nobody can do without a model.
    Translation(Option<String>),
}

/// How the items of a list are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Items {
    /// `- one`
    Bullets,
    /// `1. one`
    Numbers,
    /// `one, two`
    Commas,
}

/// A prompt, understood as far as a few rules go.
#[derive(Debug)]
pub(super) struct Ask<'a> {
    /// What is to be worked on; never empty unless the prompt is.
    pub(super) material: &'a str,
    /// Whether the material has been told from its task; else it is a topic, or the prompt.
    pub(super) brings: bool,
    /// In what form.
    pub(super) form: Form,
    /// How many items of a list.
    pub(super) count: Option<usize>,
    /// How long.
    pub(super) length: Length,
    /// What each item of a list is.
    pub(super) thing: Thing,
    /// Whether it is about what has been said before.
    pub(super) recalls: bool,
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
/// How a prompt speaks of the conversation that it is part of.
const TALKS: &[&str] = &[
    "our talk",
    "our conversation",
    "our chat",
    "our discussion",
    "this conversation",
    "the conversation",
    "this chat",
    "this discussion",
    "we talked",
    "we discussed",
    "we said",
    "i said",
    "you said",
    "i told you",
    "so far",
];
/// Words for the forms of answers; a prompt that has one near its beginning is a task.
#[rustfmt::skip]
const FORMS: &[&str] = &[
    "bullet", "bullets", "haiku", "headline", "limerick", "paragraph", "paragraphs", "poem", "sentence", "sentences", "slogan",
    "word", "words",
];
/// Words that point at the material.
const POINTING: &[&str] = &["about", "below", "following", "it", "these", "this", "those"];
/// What material is called by those who announce it.
const LABELS: &[&str] =
    &["article", "comment", "document", "email", "input", "mail", "message", "notes", "review", "story", "text"];
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
        let (counted, recalls) = (counted(&terms), recalls(&task, material));
        let mut length = Length::read(&terms);
        // The form is the prompt's affair, how long an answer is may be the system's too.
        let form = form_of(&terms, [head, words::suffix(prompt, 200)], &length, counted.is_some());
        let thing = Thing::of(&terms, prompt, counted.map(|(_, noun)| noun));
        let count = count_before(&terms, LISTS).or_else(|| count_after(&terms)).or(counted.map(|(count, _)| count));
        terms.extend(terms_of(&frame));
        if length == Length::default() {
            length = Length::read(&terms);
        }
        Self {
            brings: !head.is_empty() && !material.is_empty(),
            material: if material.is_empty() { topic_of(prompt) } else { material },
            analysis: terms.iter().any(|term| term.starts_with("analy")),
            form,
            count,
            length,
            thing,
            recalls,
        }
    }
}

/// Whether a task is about the conversation and brings nothing along to work on.
fn recalls(task: &str, material: &str) -> bool {
    let task = if task.trim().is_empty() { material.to_lowercase() } else { task.to_owned() };
    material.len() < 200 && TALKS.iter().any(|talk| task.contains(talk))
}

/// Splits a prompt into its task and what follows: `Summarize this: ..`, `Cover for: ..`, a first paragraph that orders.
fn task_of(prompt: &str) -> (&str, &str) {
    let head = words::prefix(prompt, HEAD);
    let orders = starts_with_verb(head)
        || head.to_lowercase().starts_with("a list of")
        || words::words(words::prefix(head, 90)).any(is_form);
    // A colon in code, `term: word`, is none.
    let counts = |at: &usize| head[..*at].matches('`').count().is_multiple_of(2);
    let colon = [": ", ":\n"].iter().filter_map(|mark| head.match_indices(mark).map(|(at, _)| at).find(counts)).min();
    let label = colon.filter(|at| orders || words::words(&head[..*at]).count() <= 8);
    // `Say it in one sentence. The ferry: it is late.` ends its task at the full stop.
    let label = label.map(|at| label_of(head, at));
    let paragraph = head.find("\n\n").filter(|_| orders);
    // The earliest border wins, as long as something follows it.
    match label.into_iter().chain(paragraph).min() {
        Some(at) => (&prompt[..at], prompt[at + 1..].trim()),
        None if orders => (head, ""),
        None => ("", prompt),
    }
}

/// Where the task ends that a colon seems to end: before the last sentence, if that orders nothing.
fn label_of(head: &str, colon: usize) -> usize {
    let Some(stop) = [". ", "? ", "! "].iter().filter_map(|stop| head[..colon].rfind(stop)).max() else { return colon };
    let last = &head[stop + 1..colon];
    let count = words::words(last).count();
    let names = |list: &[&str]| words::words(last).any(|word| list.contains(&word.to_lowercase().as_str()));
    let labels = count <= 3 && names(LABELS);
    // `Keep deleted files for a month: ..` begins like an order and is a title.
    let speaks = count <= 3 || head[colon..].starts_with(":\n") || names(LABELS) || names(FORMS) || names(POINTING);
    if labels || (speaks && starts_with_verb(last)) { colon } else { stop }
}

/// Splits off a last paragraph that orders something: `Write no more than 80 words.`
fn foot_of(material: &str) -> (&str, &str) {
    match material.rfind("\n\n") {
        Some(at) if material.len() - at < HEAD && starts_with_verb(material[at..].trim_start()) => {
            (material[..at].trim_end(), material[at..].trim_start())
        }
        _ => last_order_of(material),
    }
}

/// Splits off a last sentence about the form: `Use at most 30 words.`
fn last_order_of(material: &str) -> (&str, &str) {
    let end = material.trim_end_matches(['.', '!', ' ']).len();
    match material[..end].rfind(['.', '!', '?', '\n']).map(|at| at + 1) {
        // `Use at most 30 words.`, `One word.`
        Some(at)
            if words::words(&material[at..]).any(is_form)
                && (starts_with_verb(material[at..].trim_start()) || words::words(&material[at..]).count() <= 4) =>
        {
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
    // A question is a topic as a whole.
    let after = after.filter(|topic| !topic.is_empty() && !task.ends_with('?'));
    without_length(without_person(after.unwrap_or_else(rest)))
}

fn without_person(topic: &str) -> &str {
    ["me ", "us ", "mir ", "uns "].iter().find_map(|word| topic.strip_prefix(word)).unwrap_or(topic)
}

/// A topic without the length that stands at its end: `a cabin in 50 words`.
fn without_length(topic: &str) -> &str {
    let measures = |tail: &str| {
        let terms: Vec<&str> = terms_of(tail);
        let unit = terms.last().is_some_and(|term| UNITS.contains(term) || is_form(term) || LISTS.contains(term));
        unit && terms.len() <= 6 && terms.iter().any(|term| number(term).is_some())
    };
    let lengths = [" in ", " with ", " using ", ", "];
    let end = lengths.iter().filter_map(|word| topic.rfind(word)).filter(|at| measures(&topic[*at..])).min();
    topic[..end.unwrap_or(topic.len())].trim()
}

fn is_form(word: &str) -> bool {
    FORMS.contains(&word.to_lowercase().as_str())
}

/// Whether a text begins with an order.
pub(super) fn starts_with_verb(text: &str) -> bool {
    words::words(words::prefix(text, 60)).next().is_some_and(|word| VERBS.contains(&word.to_lowercase().as_str()))
}

fn form_of(terms: &[&str], [head, end]: [&str; 2], length: &Length, counted: bool) -> Form {
    let names = |nouns: &[&str]| terms.iter().any(|term| nouns.contains(term));
    let head = head.to_lowercase();
    if terms.iter().any(|term| ["translate", "übersetze", "translation"].contains(term)) {
        return Form::Translation(language_of(&head));
    }
    if let Some(poem) = Poem::read(terms) {
        return Form::Poem(poem);
    }
    let mut options = options_of(&head);
    if options.is_empty() && length.one_word {
        options = options_of(&end.to_lowercase());
    }
    let sorts = ["classify", "decide", "choose", "pick"].iter().any(|verb| terms.contains(verb));
    if length.one_word || (!options.is_empty() && (sorts || options == ["yes", "no"])) {
        return Form::Word(options);
    }
    let summarises = names(&["summarize", "summarise", "fasse"]);
    let short = length.sentences.is_some() || length.words.is_some_and(|words| words < 60);
    let one_piece = summarises || short || names(&["section", "paragraph"]) || length.paragraphs.is_some();
    let makes = names(&["write", "create", "draft", "compose", "produce", "generate", "make", "schreibe"]);
    let bullets = names(&["bullet", "bullets", "bulleted", "points"]) || (names(LISTS) && !one_piece);
    if names(DOCUMENTS) && makes && !one_piece && !counted {
        Form::Document
    } else if names(TITLES) && !names(DOCUMENTS) && !one_piece && terms.len() < 40 {
        Form::Title
    } else if bullets || counted {
        Form::List(match () {
            () if names(&["numbered"]) => Items::Numbers,
            () if names(&["comma"]) && names(&["separated"]) => Items::Commas,
            () => Items::Bullets,
        })
    } else {
        Form::Prose
    }
}

/// The words that a task leaves the choice between: `positive, negative or neutral`.
fn options_of(task: &str) -> Vec<String> {
    let Some(or) = task.find(" or ") else { return Vec::new() };
    let word = |text: &str| {
        let text = text.trim_matches(|c: char| !c.is_alphanumeric());
        (!text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || c == '-')).then(|| text.to_owned())
    };
    let after = task[or + 4..].split_whitespace().next().and_then(word);
    let before = task[..or].trim_end_matches([',', ' ']);
    let mut options: Vec<String> = after.into_iter().collect();
    for part in before.rsplit(',') {
        // What stands before the first option belongs to the sentence.
        let last = part.split_whitespace().next_back().and_then(word);
        let alone = part.split_whitespace().count() == 1;
        options.extend(last);
        if !alone {
            break;
        }
    }
    options.reverse();
    if options.len() < 2 { Vec::new() } else { options }
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
        assert_eq!(read("Say it in a sentence. The ferry: it is late.").material, "The ferry: it is late.");
        assert_eq!(
            read("Say in a sentence what is new. Keep deleted files for a month: See trash.").material,
            "Keep deleted files for a month: See trash."
        );
        assert_eq!(read("Read this. Answer briefly: it is late.").material, "it is late.");
        assert_eq!(read("Describe: a red umbrella. Use at most 30 words.").material, "a red umbrella.");
        assert_eq!(read("Describe a cabin in the woods in 50 words").material, "a cabin in the woods");
        assert_eq!(read("Tell me a joke").material, "a joke");
        assert_eq!(read("Hello").material, "Hello");
        assert_eq!(read("").material, "");
    }

    #[test]
    fn forms_are_recognised() {
        assert_eq!(read("Write a title for: The ice").form, Form::Title);
        assert_eq!(read("List five ideas for a garden").form, Form::List(Items::Bullets));
        assert_eq!(read("Create a final report from:\n- one").form, Form::Document);
        assert_eq!(read("Summarize in five bullet points: x").form, Form::List(Items::Bullets));
        assert_eq!(read("Name three rivers of Norway").form, Form::List(Items::Bullets));
        assert_eq!(read("Make a numbered list of tips").form, Form::List(Items::Numbers));
        assert_eq!(read("Write three sentences about rain").form, Form::Prose);
        assert_eq!(read("Write a haiku about rain").form, Form::Poem(Poem::Haiku));
        let options = Form::Word(["positive", "negative", "neutral"].map(str::to_owned).to_vec());
        assert_eq!(read("Classify this review as positive, negative or neutral: x").form, options);
        assert_eq!(read("Which colour? Answer in one word: x").form, Form::Word(vec![]));
        assert_eq!(read("Write a 200-word blog post about bees").form, Form::Document);
        assert_eq!(read("Summarize the report in one sentence: x").form, Form::Prose);
        assert_eq!(read("Analyze this article: x").form, Form::Prose);
        assert_eq!(read("Describe it without a heading: x").form, Form::Prose);
        assert_eq!(read("Translate into French: Hello").form, Form::Translation(Some("French".into())));
    }

    #[test]
    fn counts_are_found() {
        assert_eq!(read("Summarize in two sentences, in a friendly voice: x").length.sentences, Some(2));
        assert_eq!(read("List 7 bold ideas for a garden").count, Some(7));
        assert_eq!(read("Give me a list of ten cities").count, Some(10));
        assert_eq!(read("Name three rivers of Norway").count, Some(3));
        assert_eq!(read("Describe this in at most 80 words: x").length.words, Some(80));
        let terms: Vec<&str> = "between 3 and 5 scenes".split(' ').collect();
        assert_eq!(count_before(&terms, &["scenes"]), Some(4));
    }
}
