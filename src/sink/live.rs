//! Text as it comes. One stream alone is shown raw, letter by letter; as soon as there are several, each line says whose
//! it is.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use indexmap::IndexMap;

use crate::model::{EventKind, Failure, ItemRef};

use super::columns::{harmless, one_line};
use super::tally::Tally;
use super::wording::item_name;

/// At most so many texts are remembered as shown.
const MOST_SHOWN: usize = 1_000;

/// Which texts were shown whole, so that nobody prints them again on the same terminal.
#[derive(Debug, Clone, Default)]
pub struct Shown(Arc<Mutex<HashSet<[u8; 32]>>>);

impl Shown {
    /// Whether `text` was shown; space around it does not matter.
    pub fn contains(&self, text: &str) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(&Self::digest(text))
    }

    pub(super) fn add(&self, text: &str) {
        let mut shown = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if shown.len() < MOST_SHOWN {
            shown.insert(Self::digest(text));
        }
    }

    fn digest(text: &str) -> [u8; 32] {
        blake3::hash(text.trim().as_bytes()).into()
    }
}

/// Where a line was ended that is not at its end, and where it goes on.
const CUT: char = '…';

/// The streams that are open, and how the last line stands.
#[derive(Debug)]
pub(super) struct Live {
    /// Whether only whole lines can be written, since something stands below them.
    whole_lines: bool,
    streams: IndexMap<ItemRef, Open>,
    mid_line: bool,
    /// Whether the line of the only stream was ended before its end.
    is_cut: bool,
    shown: Shown,
}

#[derive(Debug)]
struct Open {
    /// Everything it said.
    said: String,
    /// One of several: the line that is not complete yet. Nothing for a stream that is alone.
    line: Option<String>,
}

impl Live {
    pub(super) fn new(whole_lines: bool, shown: Shown) -> Self {
        Self { whole_lines, streams: IndexMap::new(), mid_line: false, is_cut: false, shown }
    }

    /// What is to be written for this event.
    pub(super) fn event(&mut self, kind: &EventKind, tally: &Tally) -> String {
        match kind {
            EventKind::Chunk { item, text, .. } => self.chunk(item, text, tally),
            EventKind::AttemptFailed { item, attempt, failure, .. } => self.drop_attempt(item, *attempt, failure),
            EventKind::Done { item, .. } => self.close(item, true),
            EventKind::Failed { item, .. } | EventKind::Replaced { item, .. } => self.close(item, false),
            _ => String::new(),
        }
    }

    /// What has to be written before a line of somebody else: a line that is open ends, and is seen to go on.
    pub(super) fn make_way(&mut self) -> &'static str {
        let is_open = std::mem::take(&mut self.mid_line);
        self.is_cut |= is_open;
        if is_open { "…\n" } else { "" }
    }

    fn chunk(&mut self, item: &ItemRef, text: &str, tally: &Tally) -> String {
        let mut out = String::new();
        if !self.streams.contains_key(item) {
            self.open(item, tally, &mut out);
        }
        let visible = harmless(text);
        let Some(Open { said, line }) = self.streams.get_mut(item) else { return out };
        said.push_str(text);
        match line {
            None if visible.is_empty() => {}
            None => {
                out.extend(std::mem::take(&mut self.is_cut).then_some(CUT));
                out.push_str(&visible);
                self.mid_line = !visible.ends_with('\n');
            }
            Some(line) => {
                line.push_str(&visible);
                let label = item_name(item);
                while let Some(end) = line.find('\n') {
                    out.push_str(&labelled(&label, &line[..end]));
                    line.drain(..=end);
                }
            }
        }
        out
    }

    fn open(&mut self, item: &ItemRef, tally: &Tally, out: &mut String) {
        let is_alone = self.streams.is_empty() && !self.whole_lines;
        if is_alone && is_one_of_many(item, tally) {
            out.push_str(&item_name(item));
            out.push_str(" │\n");
        }
        if !is_alone {
            out.push_str(self.make_way());
        }
        for stream in self.streams.values_mut().filter(|stream| stream.line.is_none()) {
            stream.line = Some(std::mem::take(&mut self.is_cut).then_some(CUT).into_iter().collect());
        }
        let line = (!is_alone).then(String::new);
        self.streams.insert(item.clone(), Open { said: String::new(), line });
    }

    fn close(&mut self, item: &ItemRef, came_out: bool) -> String {
        let Some(Open { said, line }) = self.streams.shift_remove(item) else { return String::new() };
        if came_out {
            self.shown.add(&said);
        }
        match line {
            None => {
                self.is_cut = false;
                if std::mem::take(&mut self.mid_line) { "\n".to_owned() } else { String::new() }
            }
            Some(line) if !line.is_empty() => labelled(&item_name(item), &line),
            Some(_) => String::new(),
        }
    }

    fn drop_attempt(&mut self, item: &ItemRef, attempt: u32, failure: &Failure) -> String {
        if !self.streams.contains_key(item) {
            return String::new();
        }
        let mut out = self.close(item, false);
        let note = format!("(attempt {attempt} is dropped: {})", one_line(&failure.message));
        out.push_str(&labelled(&item_name(item), &note));
        out
    }
}

fn labelled(label: &str, line: &str) -> String {
    format!("{label} │ {line}\n")
}

fn is_one_of_many(item: &ItemRef, tally: &Tally) -> bool {
    item.key.is_some() || tally.stages().filter(|stage| stage.speaks()).count() > 1
}

#[cfg(test)]
mod tests {
    use super::super::sample::{Sample, item, single};
    use super::*;
    use crate::model::{Cost, FailureKind};
    use std::time::Duration;

    fn chunk(item: ItemRef, text: &str) -> EventKind {
        EventKind::Chunk { item, attempt: 1, text: text.into() }
    }

    fn done(item: ItemRef) -> EventKind {
        EventKind::Done {
            item,
            lane: None,
            attempts: 1,
            usage: None,
            cost: Cost::NOTHING,
            took: Duration::ZERO,
            saved: None,
        }
    }

    fn dropped(item: ItemRef) -> EventKind {
        let failure = Failure::new(FailureKind::Cut, "the answer broke off");
        EventKind::AttemptFailed { item, attempt: 1, failure, retry_in: Some(Duration::from_secs(1)) }
    }

    fn watch(live: &mut Live, stages: &[&str], events: impl IntoIterator<Item = EventKind>) -> String {
        let mut sample = Sample::new();
        for stage in stages {
            sample.plan(stage, Some(1));
        }
        events.into_iter().map(|kind| live.event(&kind, sample.tally())).collect()
    }

    #[test]
    fn the_only_stream_is_shown_raw_and_not_again() {
        let shown = Shown::default();
        let mut live = Live::new(false, shown.clone());
        let story = || single("story");
        let text = watch(
            &mut live,
            &["story"],
            [chunk(story(), "Once "), chunk(story(), "upon\u{1b}[2J\na time"), done(story())],
        );
        assert_eq!(text, "Once upon[2J\na time\n");
        assert!(shown.contains("Once upon\u{1b}[2J\na time\n"));
        assert!(!shown.contains("Once"));
    }

    #[test]
    fn streams_one_after_another_have_headings() {
        let mut live = Live::new(false, Shown::default());
        let text = watch(
            &mut live,
            &["outline", "draft"],
            [
                chunk(single("outline"), "1. a"),
                done(single("outline")),
                chunk(single("draft"), "A\n"),
                done(single("draft")),
            ],
        );
        assert_eq!(text, "outline │\n1. a\ndraft │\nA\n");
    }

    #[test]
    fn several_streams_are_labelled_line_by_line() {
        let shown = Shown::default();
        let mut live = Live::new(false, shown.clone());
        let (one, two) = (|| item("a", 0), || item("a", 1));
        let text = watch(
            &mut live,
            &["a"],
            [chunk(one(), "Hel"), chunk(two(), "Good\nday"), chunk(one(), "lo\nyou"), done(two()), done(one())],
        );
        assert_eq!(text, "a/1 │\nHel…\na/2 │ Good\na/1 │ …lo\na/2 │ day\na/1 │ you\n");
        assert!(shown.contains("Hello\nyou") && shown.contains("Good\nday"));
    }

    #[test]
    fn a_dropped_attempt_is_marked() {
        let shown = Shown::default();
        let mut live = Live::new(false, shown.clone());
        let story = || single("story");
        let text = watch(
            &mut live,
            &["story"],
            [dropped(story()), chunk(story(), "Onc"), dropped(story()), chunk(story(), "Once"), done(story())],
        );
        assert_eq!(text, "Onc\nstory │ (attempt 1 is dropped: the answer broke off)\nOnce\n");
        assert!(shown.contains("Once") && !shown.contains("Onc"));
    }

    #[test]
    fn a_notice_in_between_begins_on_its_own_line() {
        let shown = Shown::default();
        let mut live = Live::new(false, shown.clone());
        let before = watch(&mut live, &["story"], [chunk(single("story"), "Onc")]);
        assert_eq!((before.as_str(), live.make_way(), live.make_way()), ("Onc", "…\n", ""));
        let after = watch(&mut live, &["story"], [chunk(single("story"), "e"), done(single("story"))]);
        assert_eq!(after, "…e\n");
        assert!(shown.contains("Once"));
    }

    #[test]
    fn above_bars_only_whole_lines_are_written() {
        let mut live = Live::new(true, Shown::default());
        let story = || single("story");
        let text = watch(&mut live, &["story"], [chunk(story(), "On"), chunk(story(), "ce\nupon"), done(story())]);
        assert_eq!(text, "story │ Once\nstory │ upon\n");
    }
}
