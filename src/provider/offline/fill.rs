//! Answers in JSON: a shape, filled with what the material says.

use std::collections::HashSet;

use crate::model::{Json, JsonMap};

use super::dice::Dice;
use super::frames::Frames;
use super::keys;
use super::prose::Prose;
use super::shape::{Format, Shape};
use super::words::{self, slug, title_case};

/// What is added to the first free text of an answer, so that it says where it comes from.
pub(super) const SUFFIX: &str = " (offline)";

/// Keys, or their ends, that hold a title.
const TITLES: [&str; 7] = ["title", "name", "heading", "headline", "section", "chapter", "subject"];

/// Keys that hold a few words.
const PHRASES: [&str; 10] =
    ["place", "location", "setting", "mood", "style", "theme", "role", "term", "category", "audience"];

/// Keys that hold a place.
const PLACES: [&str; 4] = ["place", "location", "setting", "where"];

/// How generous an answer is; it gets thinner until it has room.
#[derive(Debug, Clone, Copy)]
pub(super) struct Measure {
    /// The longest list whose length the prompt leaves open.
    pub(super) list: usize,
    /// The longest text, in bytes.
    text: usize,
}

pub(super) const MEASURES: [Measure; 4] = [
    Measure { list: 3, text: 240 },
    Measure { list: 3, text: 120 },
    Measure { list: 2, text: 60 },
    Measure { list: 1, text: 16 },
];

/// Fills a shape from the material; `None` if even the thinnest answer takes more than `room` bytes.
pub(super) fn fill(shape: &Shape, prose: &Prose, room: usize, dice: &Dice) -> Option<String> {
    MEASURES.iter().find_map(|measure| {
        let mut filler = Filler::new(prose, *measure, dice.clone());
        let json = filler.value(shape, "", 0).to_string();
        (json.len() <= room).then_some(json)
    })
}

pub(super) struct Filler<'a> {
    prose: &'a Prose,
    /// Sentences, the best first.
    order: Vec<usize>,
    /// What is said once the sentences are used up.
    frames: Frames,
    pub(super) dice: Dice,
    pub(super) measure: Measure,
    /// The place in `order` of the sentence that comes next.
    pub(super) next: usize,
    /// What has been said already; titles and addresses must differ, since pipelines name files after them.
    said: HashSet<String>,
    /// Whether the answer has said yet that it was made offline.
    marked: bool,
}

impl<'a> Filler<'a> {
    pub(super) fn new(prose: &'a Prose, measure: Measure, mut dice: Dice) -> Self {
        // A topic gives a title and no sentences.
        let order = if prose.is_topic() { Vec::new() } else { prose.ranked(&mut dice) };
        let frames = Frames::new(&prose.topics(), &mut dice).in_order();
        Self { prose, order, frames, dice, measure, next: 0, said: HashSet::new(), marked: false }
    }

    /// A value of a shape; `at` is its place in the innermost list.
    fn value(&mut self, shape: &Shape, key: &str, at: usize) -> Json {
        match shape {
            Shape::Object(fields) => {
                // One sentence for all texts of an object, so that title and brief speak of the same thing.
                let start = self.next;
                let mut object = JsonMap::new();
                for (key, field) in fields {
                    if *field == Shape::Text {
                        self.next = start;
                    }
                    object.insert(key.clone(), self.value(field, key, at));
                }
                self.next = self.next.max(start + 1);
                Json::Object(object)
            }
            Shape::List(one, count) => {
                let count = count.unwrap_or(self.measure.list);
                self.in_a_row(count);
                Json::Array((0..count).map(|at| self.value(one, key, at)).collect())
            }
            Shape::Text => Json::String(self.marked_text(key)),
            Shape::Integer(near) => self.number(*near, key, at).into(),
            Shape::Range(low, high) => {
                let steps = usize::try_from(high - low).unwrap_or(0);
                (low + i64::try_from(self.dice.between(steps / 4, steps)).unwrap_or(0)).into()
            }
            Shape::Fraction => {
                let hundredths = u8::try_from(self.dice.between(5, 95)).unwrap_or(50);
                Json::from(f64::from(hundredths) / 100.0)
            }
            Shape::Boolean => self.dice.happens(0.5).into(),
            Shape::OneOf(options) => self.dice.pick(options).clone().into(),
            Shape::Format(format) => self.formatted(*format).into(),
        }
    }

    /// So many of the next sentences keep the order of the text: scenes, steps, sections.
    pub(super) fn in_a_row(&mut self, count: usize) {
        let start = self.next.min(self.order.len());
        let end = (start + count).min(self.order.len());
        self.order[start..end].sort_unstable();
    }

    fn marked_text(&mut self, key: &str) -> String {
        let text = self.text(key);
        self.marked(text, key, usize::MAX)
    }

    /// The text with what says where it comes from, if nothing has said it yet and it has room, in letters.
    pub(super) fn marked(&mut self, text: String, key: &str, room: usize) -> String {
        // An address is read by machines; the next text says it.
        if self.marked || is_name(key) || text.chars().count() + SUFFIX.len() > room {
            return text;
        }
        self.marked = true;
        format!("{text}{SUFFIX}")
    }

    pub(super) fn text(&mut self, key: &str) -> String {
        let at = self.next;
        self.next += 1;
        let lower = key.to_lowercase();
        if is_name(&lower) {
            let name = slug(&self.title(at));
            return self.once(name, "-");
        }
        if ["tag", "tags", "keyword", "keywords", "topic", "topics", "word", "label"].contains(&lower.as_str()) {
            let keywords = &self.prose.keywords;
            let word = keywords.get(at % keywords.len().max(1)).map_or("word".to_owned(), |word| word.to_lowercase());
            return self.once(word, " ");
        }
        if TITLES.iter().any(|word| lower.ends_with(word)) {
            let title = self.title(at);
            let short = words::prefix(&title, self.measure.text.min(70)).trim_end().to_owned();
            return self.once(short, " ");
        }
        if PHRASES.contains(&lower.as_str()) {
            let phrase = |sentence: &str| match place_in(sentence) {
                Some(place) if PLACES.contains(&lower.as_str()) => place,
                _ => self.prose.phrase(sentence, 3),
            };
            return self.sentence(at).map_or_else(|| self.frame(at).title(), phrase);
        }
        let sentence = self.sentence(at).map_or_else(|| self.frame(at).brief(), str::to_owned);
        cut(&sentence, self.measure.text)
    }

    /// The sentence at a place, unless they are used up.
    fn sentence(&self, at: usize) -> Option<&str> {
        self.order.get(at).map(|place| self.prose.sentences[*place].as_str())
    }

    fn title(&self, at: usize) -> String {
        let phrase = |sentence: &str| title_case(&self.prose.phrase(sentence, 5));
        if at == 0 && self.prose.is_topic() {
            return self.prose.sentences.first().map_or_else(String::new, |topic| phrase(topic));
        }
        self.sentence(at).map_or_else(|| self.frame(at).title(), phrase)
    }

    /// The frame for a place beyond the sentences: the same for title and text.
    fn frame(&self, at: usize) -> Frames {
        self.frames.clone().skip(at - self.order.len().min(at))
    }

    /// The same text never comes twice: a number tells it from the one before.
    fn once(&mut self, text: String, gap: &str) -> String {
        let text = if text.is_empty() { "item".to_owned() } else { text };
        let mut unique = text.clone();
        let mut number = 2;
        while !self.said.insert(unique.clone()) {
            unique = format!("{text}{gap}{number}");
            number += 1;
        }
        unique
    }

    pub(super) fn number(&mut self, near: Option<i64>, key: &str, at: usize) -> i64 {
        let lower = keys::snake(key);
        let place = i64::try_from(at).unwrap_or(0) + 1;
        if ["id", "number", "index", "position", "order", "n", "no", "scene", "chapter", "step"]
            .contains(&lower.as_str())
        {
            return place;
        }
        if lower.ends_with("year") {
            return 2026;
        }
        let near = near.filter(|near| (2..1_000_000_000).contains(near)).unwrap_or_else(|| usual_number(&lower));
        let throw = i64::try_from(self.dice.below(1000)).unwrap_or(0);
        // Between half of the example and one and a half of it.
        near / 2 + (near + 1) * throw / 1000
    }

    fn formatted(&mut self, format: Format) -> String {
        match format {
            Format::Date => format!("2026-{:02}-{:02}", self.dice.between(1, 12), self.dice.between(1, 28)),
            Format::Url => format!("https://example.org/{}", self.text("slug")),
            Format::Email => format!("{}@example.org", self.text("slug").replace('-', ".")),
            Format::Colour => format!("#{:06x}", self.dice.below(0x0100_0000)),
            Format::Language => "en".to_owned(),
        }
    }
}

/// A number that nobody is surprised by.
fn usual_number(key: &str) -> i64 {
    let last = key.rsplit('_').next().unwrap_or(key);
    match last {
        "price" | "cost" | "amount" | "minutes" | "total" | "duration" => 24,
        "age" | "percent" | "percentage" | "weight" => 40,
        "pages" | "height" | "width" | "length" | "distance" | "calories" => 180,
        "population" | "views" | "likes" => 9000,
        "year" => 2026,
        _ => 6,
    }
}

/// The place that a sentence speaks of: `the boat` of `on the boat`, else the last thing in it.
fn place_in(sentence: &str) -> Option<String> {
    const WHERE: &[&str] = &["at", "across", "in", "inside", "into", "near", "on", "over", "through", "to", "under"];
    let words: Vec<&str> = words::words(sentence).collect();
    let is_where = |word: &str| WHERE.contains(&word.to_lowercase().as_str());
    let noun = |at: usize| words.get(at).filter(|word| words::matters(&word.to_lowercase()));
    let after_where =
        || (1..words.len()).find(|at| words[*at] == "the" && is_where(words[at - 1]) && noun(at + 1).is_some());
    let any = || (0..words.len()).rev().find(|at| words[*at] == "the" && noun(at + 1).is_some());
    let at = after_where().or_else(any)?;
    Some(format!("the {}", noun(at + 1)?))
}

/// Whether a key holds a name for machines.
fn is_name(key: &str) -> bool {
    ["slug", "id", "key", "file", "filename", "path"].contains(&key)
}

/// A sentence, cut after a word if it is longer than this many bytes.
fn cut(sentence: &str, bytes: usize) -> String {
    if sentence.len() <= bytes {
        return sentence.to_owned();
    }
    let start = words::prefix(sentence, bytes.saturating_sub(3));
    let end = start.rfind(char::is_whitespace).filter(|end| *end * 2 > start.len()).unwrap_or(start.len());
    format!("{}…", start[..end].trim_end_matches([' ', ',', ';', ':']))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::sketch;
    use super::*;

    const STORY: &str = "The ferry to the island stopped at noon because of the ice. The harbour master had seen nothing \
        like it since 1987. Crews broke the ice near the quay twice a day. Nobody on the island ran out of bread.";

    fn answer(shape: &str, story: &str) -> Json {
        let shape = Shape::of(&sketch::find(shape).unwrap().sketch, shape);
        let filled = fill(&shape, &Prose::read(story), usize::MAX, &Dice::new(&[1; 32], 0, "json")).unwrap();
        serde_json::from_str(&filled).unwrap()
    }

    #[test]
    fn a_shape_is_mirrored() {
        let json = answer(
            "4 sections: {\"sections\": [{\"title\": \"..\", \"brief\": \"..\", \"number\": 1}], \"kind\": \"a | b\"}",
            STORY,
        );
        let sections = json["sections"].as_array().unwrap();
        assert_eq!(sections.len(), 4);
        assert!(sections[0]["title"].as_str().unwrap().ends_with(SUFFIX), "{json}");
        assert_eq!(sections[2]["number"], 3);
        let titles: HashSet<&str> = sections.iter().map(|section| section["title"].as_str().unwrap()).collect();
        assert_eq!(titles.len(), 4, "{json}");
        assert!(STORY.contains(sections[1]["brief"].as_str().unwrap()), "{json}");
        assert!(["a", "b"].contains(&json["kind"].as_str().unwrap()));
    }

    #[test]
    fn places_are_taken_from_the_sentence() {
        assert_eq!(place_in("She climbs down to the cellar with a torch."), Some("the cellar".to_owned()));
        assert_eq!(place_in("On the boat old Tomas laughs."), Some("the boat".to_owned()));
        assert_eq!(place_in("No light leaves the tower."), Some("the tower".to_owned()));
        assert_eq!(place_in("It rains."), None);
    }

    #[test]
    fn a_topic_is_a_title_and_no_sentence() {
        let json = answer("{title, brief}", "the history of tea");
        assert_eq!(json["title"], "History of Tea (offline)");
        assert_ne!(json["brief"], "the history of tea");
    }

    #[test]
    fn names_for_machines_are_unique_and_clean() {
        let json = answer("9 pages: {pages: [{slug, title}]}", STORY);
        let slugs: HashSet<&str> =
            json["pages"].as_array().unwrap().iter().map(|p| p["slug"].as_str().unwrap()).collect();
        assert_eq!(slugs.len(), 9, "{json}");
        assert!(slugs.iter().all(|slug| slug.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')), "{json}");
    }

    #[test]
    fn an_answer_without_room_is_none() {
        let shape = Shape::of(&sketch::find("{title, text}").unwrap().sketch, "{title, text}");
        let dice = Dice::new(&[1; 32], 0, "json");
        assert_eq!(fill(&shape, &Prose::read(STORY), 10, &dice), None);
        assert!(fill(&shape, &Prose::read(STORY), 100, &dice).unwrap().len() <= 100);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(96))]

        #[test]
        fn whatever_is_sketched_the_answer_is_json(
            sketched in "\\{[a-z]{1,5}(, [a-z]{1,6}(: (\\[\\]|\\[\\{[a-z]{1,4}\\}\\]|number|true|\"a \\| b\"|\\{[a-z]{1,3}\\}))?){0,5}\\}",
            story in "(\\PC{0,60}[.!?\n]){0,8}",
        ) {
            let json = answer(&sketched, &story);
            prop_assert!(json.is_object());
        }
    }
}
