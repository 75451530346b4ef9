//! Answers in text: what the material itself says best, in the form that is asked for.

use std::collections::HashSet;

use crate::model::TextParams;

use super::ask::{Ask, Form};
use super::dice::Dice;
use super::frames::Frames;
use super::prose::{CLOSING, KEY_WORDS, MARK, OPENERS, Prose};
use super::words::{self, Frequencies, title_case};

/// How many bytes one token stands for. Models differ; four is what English comes to with most of them.
pub(super) const BYTES_PER_TOKEN: usize = 4;
/// The longest answer in words, unless the prompt asks for another length.
const USUAL_WORDS: usize = 120;
/// The longest document in words.
const DOCUMENT_WORDS: usize = 240;

/// What is asked, in a conversation.
#[derive(Debug)]
pub(super) struct Question<'a> {
    /// What the system has said.
    pub(super) system: String,
    /// What the user has said last.
    pub(super) prompt: &'a str,
    /// What the user has said before.
    pub(super) earlier: Vec<&'a str>,
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
    let mut body = body_of(question, &ask, dice);
    if let Some(end) =
        question.params.stop.iter().filter(|stop| !stop.is_empty()).filter_map(|stop| body.find(stop)).min()
    {
        body.truncate(end);
    }
    let body = body.trim();
    if ask.form == Form::Document && body.len() + CLOSING.len() + 2 <= room && body.starts_with('#') {
        return format!("{body}\n\n{CLOSING}");
    }
    let body = fit(body, room - MARK.len() - 1);
    // A list keeps its lines to itself.
    let gap = if body.starts_with("- ") { '\n' } else { ' ' };
    if body.is_empty() { MARK.to_owned() } else { format!("{MARK}{gap}{body}") }
}

fn body_of(question: &Question<'_>, ask: &Ask<'_>, dice: &mut Dice) -> String {
    if let Form::Translation(language) = &ask.form {
        let into = language.as_ref().map_or_else(String::new, |language| format!(" into {language}"));
        return format!("Not translated{into}:\n\n{}", ask.material);
    }
    let prose = Prose::read(ask.material);
    match ask.form {
        Form::Title => title_of(&prose, question.prompt, dice),
        Form::List => list_of(&prose, ask, dice),
        Form::Document if prose.sentences.len() >= 3 => document_of(&prose, ask, dice),
        _ => format!("{}{}", turn_of(question), prose_of(&prose, ask, dice)),
    }
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

fn list_of(prose: &Prose, ask: &Ask<'_>, dice: &mut Dice) -> String {
    let count = ask.count.unwrap_or_else(|| dice.between(4, 6)).min(100);
    // The topic itself is no item of a list about it.
    let quotable = prose.sentences.len() > 1;
    let mut lines = if quotable { picks(prose, count, usize::MAX, dice) } else { Vec::new() };
    let mut frames = Frames::new(&prose.keywords, dice);
    while lines.len() < count {
        lines.push(frames.sentence());
    }
    lines.iter().map(|line| format!("- {line}")).collect::<Vec<_>>().join("\n")
}

fn prose_of(prose: &Prose, ask: &Ask<'_>, dice: &mut Dice) -> String {
    let words = ask.words.unwrap_or_else(|| dice.between(USUAL_WORDS / 2, USUAL_WORDS));
    let count = ask.count.unwrap_or_else(|| dice.between(3, 5)).min(100);
    let mut sentences = picks(prose, count, words, dice);
    let enough = ask.count.unwrap_or(2);
    if prose.sentences.len() <= 1 && ask.count.is_none() {
        // A prompt of a few words is quoted, so that the answer shows what it answers; an answer that quotes is not
        // quoted in its turn.
        let said = prose.sentences.first().map_or(ask.material, String::as_str);
        let asked = said.strip_prefix("On “").and_then(|rest| rest.split_once("”:")).map_or(said, |(asked, _)| asked);
        sentences = vec![format!("On “{}”:", words::prefix(asked, 120).trim())];
    }
    let mut frames = Frames::new(&prose.keywords, dice);
    while sentences.len() < enough.min(words / 6).max(1) {
        sentences.push(frames.sentence());
    }
    if dice.happens(0.6) && sentences.len() > 1 && !sentences[0].starts_with("On “") {
        sentences.insert(0, (*dice.pick(OPENERS)).to_owned());
    }
    if ask.analysis && prose.keywords.len() >= 3 {
        sentences.push(format!("{KEY_WORDS} {}.", prose.keywords[..prose.keywords.len().min(5)].join(", ")));
    }
    sentences.join(" ")
}

fn document_of(prose: &Prose, ask: &Ask<'_>, dice: &mut Dice) -> String {
    let words = ask.words.unwrap_or(DOCUMENT_WORDS);
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
    chosen.into_iter().map(|at| closed(&prose.sentences[at])).collect()
}

/// A sentence with a full stop, if it ends in a letter: headings and list items have none.
fn closed(sentence: &str) -> String {
    let open = sentence.ends_with(|c: char| c.is_alphanumeric() || c == ')');
    if open { format!("{sentence}.") } else { sentence.to_owned() }
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
        let question = Question { system: String::new(), prompt, earlier: vec![], params };
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
        assert!(plain("Write a haiku about spring").contains("spring"));
    }

    #[test]
    fn a_conversation_knows_its_turn() {
        let params = TextParams::default();
        let question = Question {
            system: "Be kind".into(),
            prompt: STORY,
            earlier: vec!["Which harbours freeze?"],
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
