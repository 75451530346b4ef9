//! Answers in text: what the material itself says best, in the form that is asked for.

use std::collections::HashSet;

use crate::model::TextParams;

use super::ask::{Ask, Form, Items};
use super::counts::Thing;
use super::dice::Dice;
use super::frames::{self, Frames};
use super::prose::{CLOSING, KEY_WORDS, MARK, OPENERS, Prose};
use super::words::{self, Frequencies, title_case};

/// How many bytes one token stands for. Models differ; four is what English comes to with most of them.
pub(super) const BYTES_PER_TOKEN: usize = 4;
/// The longest answer in words, unless the prompt asks for another length.
const USUAL_WORDS: usize = 120;
/// The longest document in words.
const DOCUMENT_WORDS: usize = 240;
/// How the quotation of a short prompt begins.
const QUOTING: &str = "On “";

/// What is asked, in a conversation.
#[derive(Debug)]
pub(super) struct Question<'a> {
    /// What the system has said.
    pub(super) system: String,
    /// What the user has said last.
    pub(super) prompt: &'a str,
    /// What the user has said before.
    pub(super) earlier: Vec<&'a str>,
    /// All that has been said before but for what the system and this provider said.
    pub(super) talk: Vec<&'a str>,
    /// What pictures are shown with it, in a sentence; empty if there are none.
    pub(super) shown: String,
    /// How the answer is asked for.
    pub(super) params: &'a TextParams,
}

impl Question<'_> {
    /// The longest answer, in bytes.
    pub(super) fn room(&self) -> usize {
        let tokens = self.params.max_tokens.unwrap_or(u64::MAX).max(1);
        usize::try_from(tokens).unwrap_or(usize::MAX).saturating_mul(BYTES_PER_TOKEN)
    }
}

/// Answers. The text is never empty, has at most [`Question::room`] bytes, and says that it was made offline.
pub(super) fn write(question: &Question<'_>, dice: &mut Dice) -> String {
    let room = question.room();
    if room <= MARK.len() + 2 {
        // Too little for anything but a name.
        return ["offline", "off"].iter().find(|name| name.len() <= room).map_or_else(String::new, |n| (*n).to_owned());
    }
    let ask = Ask::read(&question.system, question.prompt);
    let stops = &question.params.stop;
    let whole = with_shown(&question.shown, &ask, || body_of(question, &ask, dice));
    let body = stopped(&whole, stops);
    let ended = body.len() < whole.len();
    let body = body.trim();
    if ask.form == Form::Document && !ended && body.len() + CLOSING.len() + 2 <= room && body.starts_with('#') {
        return format!("{body}\n\n{CLOSING}");
    }
    let room = ask.length.letters.map_or(room, |letters| room.min(letters.max(MARK.len() + 2)));
    let body = closed_quotation(fit(body, room - MARK.len() - 1), stops);
    // Lines that belong together keep to themselves, unless a line's end is where the answer is to stop.
    let lined = matches!(ask.form, Form::List(_) | Form::Poem(_)) && body.contains('\n');
    let gap = if lined && stops.iter().all(|stop| !stop.contains('\n')) { '\n' } else { ' ' };
    if body.is_empty() { MARK.to_owned() } else { format!("{MARK}{gap}{body}") }
}

/// An answer that says what was shown, where it is long enough for more than that.
fn with_shown(shown: &str, ask: &Ask<'_>, body: impl FnOnce() -> String) -> String {
    let length = &ask.length;
    let is_short = length.one_line
        || length.sentences.is_some_and(|count| count < 2)
        || length.letters.is_some()
        || (length.words.is_some() && !length.is_goal);
    match &ask.form {
        _ if shown.is_empty() => body(),
        Form::Word(_) | Form::Poem(_) => body(),
        Form::Title => shown.trim_end_matches('.').to_owned(),
        Form::List(Items::Commas) => format!("{} {}", shown, body()),
        Form::List(_) => format!("{shown}\n{}", body()),
        Form::Document => format!("{}\n\n{shown}", body()),
        Form::Prose | Form::Translation(_) if is_short => shown.to_owned(),
        Form::Prose | Form::Translation(_) => format!("{shown} {}", body()),
    }
}

/// A text up to the first of these.
fn stopped<'a>(text: &'a str, stops: &[String]) -> &'a str {
    let end = stops.iter().filter(|stop| !stop.is_empty()).filter_map(|stop| text.find(stop)).min();
    &text[..end.unwrap_or(text.len())]
}

/// A text without the mark of a quotation that it breaks off in.
fn closed_quotation(text: String, stops: &[String]) -> String {
    let Some(open) = text.rfind('“').filter(|open| !text[*open..].contains('”')) else { return text };
    let bare = format!("{}{}", &text[..open], &text[open + '“'.len_utf8()..]);
    stopped(&bare, stops).trim().to_owned()
}

fn body_of(question: &Question<'_>, ask: &Ask<'_>, dice: &mut Dice) -> String {
    if let Form::Translation(language) = &ask.form {
        let into = language.as_ref().map_or_else(String::new, |language| format!(" into {language}"));
        return format!("Not translated{into}:\n\n{}", ask.material);
    }
    let recalled = ask.recalls && !question.talk.is_empty();
    let prose = if recalled { Prose::read(&question.talk.join("\n\n")) } else { Prose::read(ask.material) };
    match &ask.form {
        Form::Word(options) => word_of(&prose, options, dice),
        Form::Poem(poem) => poem.write(&prose.keywords, dice),
        Form::Title => title_of(&prose, question.prompt, dice),
        Form::List(items) => list_of(&prose, ask, *items, dice),
        Form::Document => document_of(&prose, ask, dice),
        _ if recalled => format!("So far: {}", prose_of(&prose, ask, dice)),
        _ if ask.length.one_line => prose_of(&prose, ask, dice),
        _ => format!("{}{}", turn_of(question), prose_of(&prose, ask, dice)),
    }
}

/// One of the words that there is the choice between, else the one that the material says most.
fn word_of(prose: &Prose, options: &[String], dice: &mut Dice) -> String {
    if !options.is_empty() {
        return dice.pick(options).clone();
    }
    let word = prose.keywords.iter().find(|word| is_topic(word)).or(prose.keywords.first());
    word.map_or_else(|| "Unknown".to_owned(), |word| words::capitalised(word))
}

/// In a conversation that goes on: which turn this is, and what it began with.
fn turn_of(question: &Question<'_>) -> String {
    let Some(first) = question.earlier.first() else { return String::new() };
    let began = Prose::read(first).keywords.into_iter().take(2).collect::<Vec<_>>().join(", ");
    let after = if began.is_empty() { String::new() } else { format!(", after “{began}”") };
    format!("Turn {}{after}: ", question.earlier.len() + 1)
}

fn title_of(prose: &Prose, prompt: &str, dice: &mut Dice) -> String {
    let best = prose.ranked(dice).first().map_or(prompt, |at| prose.sentences[*at].as_str());
    title_case(&prose.phrase(best, dice.between(4, 6)))
}

fn list_of(prose: &Prose, ask: &Ask<'_>, items: Items, dice: &mut Dice) -> String {
    let named = enumeration(ask.material);
    let usual = if named.is_empty() { dice.between(4, 6) } else { named.len() };
    let count = ask.count.unwrap_or(usual).min(200);
    // The topic itself is no item of a list about it.
    let quotable = prose.sentences.len() > 1;
    let mut lines = match () {
        () if !named.is_empty() => named.into_iter().map(str::to_owned).take(count).collect(),
        () if ask.thing == Thing::Keyword => prose.keywords.iter().take(count).cloned().collect(),
        () if quotable => picks(prose, count, usize::MAX, dice),
        () => Vec::new(),
    };
    let mut frames = Frames::new(&prose.topics(), dice).in_order();
    while lines.len() < count {
        let (title, brief) = (frames.title(), frames.brief());
        lines.push(match &ask.thing {
            Thing::Named { one, tail } if !quotable => {
                format!("{one} {} {tail}", lines.len() + 1).trim_end().to_owned()
            }
            Thing::Title | Thing::Keyword if !quotable => title,
            _ => brief,
        });
    }
    match items {
        Items::Commas => lines.join(", "),
        Items::Bullets => lines.iter().map(|line| format!("- {line}")).collect::<Vec<_>>().join("\n"),
        Items::Numbers => (1..).zip(&lines).map(|(at, line)| format!("{at}. {line}")).collect::<Vec<_>>().join("\n"),
    }
}

/// The parts of material that is a list itself, `space, sync, device`; none if it is anything else.
fn enumeration(material: &str) -> Vec<&str> {
    let parts: Vec<&str> = material.split([',', '\n', ';']).map(|part| part.trim().trim_matches(['-', ' '])).collect();
    let short = |part: &&str| !part.is_empty() && part.split_whitespace().count() <= 3 && !part.ends_with('.');
    if parts.len() >= 3 && parts.iter().all(short) { parts } else { Vec::new() }
}

fn prose_of(prose: &Prose, ask: &Ask<'_>, dice: &mut Dice) -> String {
    let length = &ask.length;
    let words = length.words.unwrap_or_else(|| dice.between(USUAL_WORDS / 2, USUAL_WORDS));
    let counted = length.sentences.or(length.paragraphs.map(|paragraphs| paragraphs * 3));
    let usual = if length.is_goal { usize::MAX } else { dice.between(3, 5) };
    let words = if length.paragraphs.is_some() && length.words.is_none() { usize::MAX } else { words };
    let long = counted.is_some_and(|count| count > 1) || length.is_goal;
    let topic = prose.sentences.first().map_or(ask.material, String::as_str);
    let mut sentences = match prose.sentences.len() {
        0 | 1 if !long => return on_little(topic, prose, length.one_line || counted == Some(1), dice),
        0 | 1 if !topic.ends_with(['.', '!']) => vec![begun(topic)],
        _ => picks(prose, counted.unwrap_or(usual), words, dice),
    };
    let mut frames = Frames::new(&prose.topics(), dice);
    let least = counted.unwrap_or(2).min(words / 6).max(1);
    while sentences.len() < least || (length.is_goal && counted.is_none() && count_words(&sentences) + 8 < words) {
        sentences.push(frames.sentence());
    }
    let free = !length.is_goal && !length.one_line && length.letters.is_none() && length.paragraphs.is_none();
    if free && dice.happens(0.6) && sentences.len() > 1 && prose.sentences.len() > 1 {
        sentences.insert(0, (*dice.pick(OPENERS)).to_owned());
    }
    if ask.analysis && prose.keywords.len() >= 3 && length.sentences.is_none() {
        sentences.push(format!("{KEY_WORDS} {}.", prose.keywords[..prose.keywords.len().min(5)].join(", ")));
    }
    let paragraphs =
        length.paragraphs.unwrap_or_else(|| if length.is_goal { count_words(&sentences).div_ceil(70) } else { 1 });
    in_paragraphs(&sentences, paragraphs)
}

/// An answer to a prompt of a few words: it is quoted, so that the answer shows what it answers.
fn on_little(said: &str, prose: &Prose, shortly: bool, dice: &mut Dice) -> String {
    // An answer that quotes is not quoted in its turn.
    let asked = said.strip_prefix(QUOTING).and_then(|rest| rest.split_once("”:")).map_or(said, |(asked, _)| asked);
    let asked = words::prefix(asked, 120).trim();
    if asked.ends_with(['?', '？', '؟']) {
        return format!("{QUOTING}{asked}”: {}", frames::answer(dice));
    }
    let reply = frames::reply(dice);
    if shortly || prose.keywords.is_empty() || asked.contains(words::is_unspaced) {
        return format!("{QUOTING}{asked}”: {reply}");
    }
    format!("{QUOTING}{asked}”: {reply} {}", Frames::new(&prose.topics(), dice).sentence())
}

/// The first sentence about a topic.
fn begun(topic: &str) -> String {
    format!("Here a model would write about {}.", words::prefix(topic, 120).trim_end_matches(['.', '?', '!', ' ']))
}

fn count_words(sentences: &[String]) -> usize {
    sentences.iter().map(|sentence| sentence.split_whitespace().count()).sum()
}

/// Sentences in so many paragraphs of about the same length.
fn in_paragraphs(sentences: &[String], count: usize) -> String {
    let count = count.clamp(1, sentences.len().max(1));
    let bound = |at: usize| at * sentences.len() / count;
    let paragraphs: Vec<String> = (0..count).map(|at| sentences[bound(at)..bound(at + 1)].join(" ")).collect();
    paragraphs.join("\n\n")
}

/// A document about a topic that brings nothing to quote: a title, and paragraphs.
fn essay_of(prose: &Prose, ask: &Ask<'_>, dice: &mut Dice) -> String {
    let words = ask.length.words.unwrap_or(USUAL_WORDS);
    let mut frames = Frames::new(&prose.topics(), dice);
    let topic = prose.sentences.first().map_or(ask.material, String::as_str);
    let mut sentences = vec![begun(topic)];
    while count_words(&sentences) + 8 < words {
        sentences.push(frames.sentence());
    }
    let title = title_case(&prose.phrase(topic, 6));
    format!("# {title}\n\n{}", in_paragraphs(&sentences, words.div_ceil(60)))
}

fn document_of(prose: &Prose, ask: &Ask<'_>, dice: &mut Dice) -> String {
    if prose.sentences.len() < 3 {
        return essay_of(prose, ask, dice);
    }
    let words = ask.length.words.unwrap_or(DOCUMENT_WORDS);
    let count = dice.between(7, 11).min(prose.sentences.len());
    let chosen = picks(prose, count, words, dice);
    let lead = chosen.len().div_ceil(3).min(2);
    let topics: Vec<String> = prose.keywords.iter().filter(|word| is_topic(word)).cloned().collect();
    let mut document = format!("# {}\n\n{}", enumerated(&topics, 3), chosen[..lead].join(" "));
    let rest = &chosen[lead..];
    let mut used = HashSet::new();
    for (number, part) in (1..).zip(rest.chunks(rest.len().div_ceil(3).max(2))) {
        let part = part.join(" ");
        // A word stands in one heading only, so that no two are alike.
        let mut words = Frequencies::of(&part).top(8);
        words.retain(|word| is_topic(word) && !used.contains(&word.to_lowercase()));
        words.truncate(2);
        used.extend(words.iter().map(|word| word.to_lowercase()));
        let heading = if words.is_empty() { format!("Part {number}") } else { enumerated(&words, 2) };
        document = format!("{document}\n\n## {heading}\n\n{part}");
    }
    document
}

/// Whether a word may stand in a heading by itself; one that looks like a form of a verb may not.
fn is_topic(word: &str) -> bool {
    word.len() < 5 || !["ed", "ing"].iter().any(|end| word.ends_with(end))
}

/// The first of some words as a title: `Ferry, Bats and Letters`.
fn enumerated(words: &[String], most: usize) -> String {
    let (last, others) = match words.get(..words.len().min(most)).and_then(<[String]>::split_last) {
        Some((last, others)) => (last, others.join(", ")),
        None => return "Report".to_owned(),
    };
    title_case(&if others.is_empty() { last.clone() } else { format!("{others} and {last}") })
}

/// The sentences that say most, in the order of the text; at least one, if there is any.
fn picks(prose: &Prose, count: usize, most_words: usize, dice: &mut Dice) -> Vec<String> {
    let mut chosen: Vec<usize> = Vec::new();
    let mut left = most_words;
    for at in prose.ranked(dice) {
        let length = prose.sentences[at].split_whitespace().count();
        if chosen.len() < count && (length <= left || chosen.is_empty()) {
            left = left.saturating_sub(length);
            chosen.push(at);
        }
    }
    chosen.sort_unstable();
    chosen.into_iter().map(|at| shortened(&closed(&prose.sentences[at]), most_words)).collect()
}

/// A sentence with a full stop, if it ends in a letter: headings and list items have none.
fn closed(sentence: &str) -> String {
    let open = sentence.ends_with(|c: char| c.is_alphanumeric() || c == ')');
    if open { format!("{sentence}.") } else { sentence.to_owned() }
}

/// A sentence of at most so many words.
fn shortened(sentence: &str, most: usize) -> String {
    match sentence.split_whitespace().nth(most) {
        Some(_) => {
            let kept: Vec<&str> = sentence.split_whitespace().take(most.max(1)).collect();
            format!("{}…", kept.join(" ").trim_end_matches([',', ';', ':']))
        }
        None => sentence.to_owned(),
    }
}

/// As much of a text as has room, cut after a sentence where that keeps most of it, else after a word.
fn fit(text: &str, bytes: usize) -> String {
    const CUT: &str = "…";
    if text.len() <= bytes {
        return text.to_owned();
    }
    let start = words::prefix(text, bytes);
    let after_sentence = start
        .rfind(['.', '!', '?', '。', '！', '？'])
        .map(|at| at + start[at..].chars().next().map_or(1, char::len_utf8));
    if let Some(end) = after_sentence.filter(|end| *end * 2 > start.len()) {
        return start[..end].to_owned();
    }
    if bytes < CUT.len() + 3 {
        return String::new();
    }
    let start = words::prefix(text, bytes - CUT.len());
    let after_word = start.rfind(char::is_whitespace).filter(|end| *end * 2 > start.len()).unwrap_or(start.len());
    format!("{}{CUT}", start[..after_word].trim_end())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn answer(prompt: &str, params: &TextParams) -> String {
        let question =
            Question { system: String::new(), prompt, earlier: vec![], talk: vec![], shown: String::new(), params };
        write(&question, &mut Dice::new(blake3::hash(prompt.as_bytes()).as_bytes(), 0, "text"))
    }

    fn plain(prompt: &str) -> String {
        answer(prompt, &TextParams::default())
    }

    const STORY: &str = "The ferry to the island stopped at noon because of the ice. The harbour master had seen nothing \
        like it since 1987. Crews broke the ice near the quay twice a day. Nobody on the island ran out of bread. \
        The school closed for a week. The ferry company hopes to sail again on Monday.";

    #[test]
    fn an_answer_is_made_of_the_material() {
        let summary = plain(&format!("Summarize in two sentences, in a friendly voice: {STORY}"));
        assert!(summary.starts_with("[offline] "), "{summary}");
        let quoted = Prose::read(STORY).sentences.iter().filter(|sentence| summary.contains(sentence.as_str())).count();
        assert_eq!(quoted, 2, "{summary}");
        assert!(!summary.contains("friendly"));
    }

    #[test]
    fn forms_are_kept() {
        let list = plain(&format!("List 4 points from this text: {STORY}"));
        assert_eq!(list.matches("- ").count(), 4, "{list}");
        let title = plain(&format!("Write a title for this: {STORY}"));
        assert!(title.split_whitespace().count() <= 7, "{title}");
        let report = plain(&format!("Create a final report from:\n{STORY}"));
        assert!(report.starts_with("# ") && report.contains("\n## ") && report.ends_with(CLOSING), "{report}");
        let translated = plain("Translate into German: # The ice\n\nIt is thick.");
        assert_eq!(translated, "[offline] Not translated into German:\n\n# The ice\n\nIt is thick.");
    }

    #[test]
    fn no_two_headings_of_a_document_are_alike() {
        let report = plain(&format!("Create a final report from:\n{STORY} {}", STORY.replace("ferry", "boat")));
        let headings: Vec<&str> = report.lines().filter(|line| line.starts_with('#')).collect();
        assert!(headings.len() >= 3, "{report}");
        assert_eq!(headings.iter().collect::<HashSet<_>>().len(), headings.len(), "{report}");
    }

    #[test]
    fn a_quotation_is_not_quoted_again() {
        let first = plain("Name a reason to walk to work");
        let second = plain(&format!("Say it with other words: {first}"));
        assert_eq!(second.matches('“').count(), 1, "{first} / {second}");
    }

    #[test]
    fn short_prompts_differ() {
        assert_ne!(plain("a"), plain("b"));
        assert_ne!(plain("🎉"), plain("🎂"));
        assert!(plain("Write a haiku about spring").to_lowercase().contains("spring"));
    }

    #[test]
    fn lengths_are_honoured() {
        let body = |prompt: &str| plain(prompt).trim_start_matches(MARK).trim().to_owned();
        assert_eq!(body("In one word, what is the capital of France?").split_whitespace().count(), 1);
        assert_eq!(body(&format!("Name the subject in one word: {STORY}")), "Island");
        let sentiment = body("Classify this as positive, negative or neutral: I love it");
        assert!(["positive", "negative", "neutral"].contains(&sentiment.as_str()), "{sentiment}");
        let verdict = body("Review: The soup was cold. Is the review positive or negative? One word.");
        assert!(["positive", "negative"].contains(&verdict.as_str()), "{verdict}");
        let line = body(&format!("Summarize in one line: {STORY}"));
        assert!(line.lines().count() == 1 && line.matches(". ").count() == 0, "{line}");
        for (prompt, low, high) in [
            ("Write a 200-word blog post about bees in cities", 150, 250),
            ("Describe a harbour in about 80 words", 60, 100),
            ("Explain tides in 150 words", 112, 188),
        ] {
            let text = body(prompt);
            assert!((low..=high).contains(&text.split_whitespace().count()), "{text}");
        }
        assert!(body(&format!("Summarize in at most 8 words: {STORY}")).split_whitespace().count() <= 8);
        let two = body(&format!("Write section 1 of an article, in two paragraphs of plain text.\n\n{STORY}"));
        assert_eq!(two.split("\n\n").count(), 2, "{two}");
        assert!(plain(&format!("Summarize in under 100 characters: {STORY}")).len() <= 100);
    }

    #[test]
    fn lists_have_as_many_items_as_are_asked_for() {
        let items = |prompt: &str| plain(prompt).lines().filter(|line| line.starts_with("- ")).count();
        let keywords = plain("Make a comma-separated list of 3 keywords for: The ferry stopped at the island.");
        assert_eq!(keywords, "[offline] stopped, island, ferry");
        assert_eq!(items("Give me five bullet points about bees"), 5);
        assert_eq!(items(&format!("Summarize in four bullet points: {STORY}")), 4);
        assert_eq!(items("Write a list of ten cities in Norway"), 10);
        assert_eq!(plain("Name two rivers of Peru"), "[offline]\n- River 1 of Peru\n- River 2 of Peru");
        let numbered = plain("Make a numbered list of 4 tips for a garden");
        assert!(numbered.contains("\n4. ") && !numbered.contains("\n5. "), "{numbered}");
        assert_eq!(plain("List these terms, one a line: space, sync, trash"), "[offline]\n- space\n- sync\n- trash");
    }

    #[test]
    fn a_haiku_has_three_lines() {
        let haiku = plain("Write a haiku about the harbour in spring");
        assert_eq!(haiku.lines().count(), 4, "{haiku}");
        assert!(haiku.to_lowercase().contains("harbour"), "{haiku}");
        assert_eq!(plain("a haiku about rain").lines().count(), 4);
    }

    #[test]
    fn a_short_question_is_given_back() {
        let text = plain("What is 2 + 2?");
        assert!(text.starts_with("[offline] On “What is 2 + 2?”: ") && !text.contains("the question should"), "{text}");
    }

    #[test]
    fn a_recap_is_made_of_the_talk() {
        let params = TextParams::default();
        let talk = vec!["Which harbours freeze in winter?", "Does the ferry to Sellan stop then?"];
        let question = Question {
            shown: String::new(),
            system: String::new(),
            prompt: "Summarize our talk",
            earlier: talk.clone(),
            talk,
            params: &params,
        };
        let text = write(&question, &mut Dice::new(&[0; 32], 0, "text"));
        assert!(text.contains("Which harbours freeze in winter?") && text.contains("ferry to Sellan"), "{text}");
    }

    #[test]
    fn no_quotation_is_left_open() {
        for stop in ["?", " ", "t", "”"] {
            let params = TextParams { stop: vec![stop.into()], ..TextParams::default() };
            let text = answer("Hello to all of you?", &params);
            assert_eq!(text.matches('“').count(), text.matches('”').count(), "{text}");
        }
        let params = TextParams { max_tokens: Some(9), ..TextParams::default() };
        let text = answer("Hello to all of you who read these pages here", &params);
        assert_eq!(text.matches('“').count(), text.matches('”').count(), "{text}");
        let lines = TextParams { stop: vec!["\n".into()], ..TextParams::default() };
        assert!(!answer(&format!("List 4 points from this text: {STORY}"), &lines).contains('\n'));
    }

    #[test]
    fn a_conversation_knows_its_turn() {
        let params = TextParams::default();
        let question = Question {
            shown: String::new(),
            system: "Be kind".into(),
            prompt: STORY,
            earlier: vec!["Which harbours freeze?"],
            talk: vec!["Which harbours freeze?"],
            params: &params,
        };
        let text = write(&question, &mut Dice::new(&[0; 32], 0, "text"));
        assert!(text.starts_with("[offline] Turn 2, after “harbours, freeze”: "), "{text}");
    }

    #[test]
    fn stop_texts_end_the_answer() {
        let params = TextParams { stop: vec!["ferry".into(), "e".into()], ..TextParams::default() };
        let text = answer(&format!("Summarize: {STORY}"), &params);
        assert!(!text[MARK.len()..].contains('e'), "{text}");
        let all = TextParams { stop: ('!'..='z').map(String::from).collect(), ..TextParams::default() };
        assert_eq!(answer("abc", &all), MARK);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(96))]

        #[test]
        fn any_prompt_has_an_answer_that_fits(prompt in ".{0,400}", max_tokens in 0_u64..200) {
            let params = TextParams { max_tokens: Some(max_tokens), ..TextParams::default() };
            let text = answer(&prompt, &params);
            prop_assert!(!text.trim().is_empty());
            prop_assert!(text.len() <= usize::try_from(max_tokens.max(1)).unwrap() * BYTES_PER_TOKEN);
            prop_assert!(text.starts_with("off") || text.contains(MARK));
        }

        #[test]
        fn any_task_on_any_material_has_an_answer(task in "(Summarize|List 3 items|Write a title for|Create a report from|Analyze)", material in "(\\PC{0,40}[.!?\n#*_`\\[\\]{}]){0,30}") {
            let text = plain(&format!("{task}: {material}"));
            prop_assert!(text.contains(MARK));
        }
    }
}
