//! What is known of one stage at a moment of the run.

use std::cmp::Ordering;
use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::model::{Cost, StageKindName, StageTally, Usage};

use super::clock::between;

/// How many ends the rate is measured over.
const RATE_WINDOW: usize = 64;
/// A rate of fewer ends than this, or of a shorter time, is chance.
const FEWEST_ENDS: usize = 3;
const SHORTEST_TIME: Duration = Duration::from_secs(1);
/// At most so many files of a stage are named.
const MOST_FILES: usize = 5;

/// A stage as watchers see it. Its size does not depend on the number of items.
#[derive(Debug, Clone)]
pub struct StageView {
    /// Its name.
    pub name: Arc<str>,
    /// What it does.
    pub kind: StageKindName,
    /// How many instances it has, if that was known beforehand.
    pub planned: Option<u64>,
    /// What became of its instances so far.
    pub tally: StageTally,
    /// Requests sent.
    pub calls: u64,
    /// Requests sent again to the same provider and model after a failed one.
    pub retries: u64,
    /// Tokens, as far as the provider says.
    pub usage: Usage,
    /// What it has cost, as far as prices are known.
    pub cost: Cost,
    /// Instances that asked for a text, and whose provider did not say how many tokens it took.
    pub unmetered: u64,
    /// Instances that failed, or were replaced, since the answer hit `max_tokens`.
    pub cut: u64,
    /// Instances that came out of the answer of a fallback.
    pub fallbacks: u64,
    /// Files written.
    pub saved: SavedFiles,
    began: Option<Timestamp>,
    ended_at: Option<Timestamp>,
    in_flight: HashSet<Arc<[u64]>>,
    /// Instances in flight whose answer was kept.
    reusing: HashSet<Arc<[u64]>>,
    /// Instances in flight that a fallback is asked for.
    fell_back: HashSet<Arc<[u64]>>,
    /// Instances in flight of which the one who is asked now has had no request.
    unasked: HashSet<Arc<[u64]>>,
    /// When the first request went out, for instances in flight.
    sent: HashMap<Arc<[u64]>, Timestamp>,
    recent: VecDeque<Timestamp>,
    took: Duration,
    took_by: u32,
}

/// The files of a stage.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SavedFiles {
    /// The first few by their names, under the output folder: which came first is chance.
    pub first: Vec<Arc<str>>,
    /// How many there are.
    pub count: u64,
}

impl SavedFiles {
    pub(super) fn add(&mut self, path: &Arc<str>) {
        self.count += 1;
        let at = self.first.partition_point(|other| by_name(other, path) == Ordering::Less);
        if at < MOST_FILES {
            self.first.insert(at, path.clone());
            self.first.truncate(MOST_FILES);
        }
    }
}

/// As people sort names: `2.png` before `10.png`.
fn by_name(one: &str, other: &str) -> Ordering {
    pieces(one).cmp(pieces(other))
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Piece<'a> {
    /// How many digits it has without leading zeros, and these: so the larger number is the larger piece.
    Number(usize, &'a str),
    Letter(char),
}

fn pieces(mut text: &str) -> impl Iterator<Item = Piece<'_>> {
    std::iter::from_fn(move || {
        let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let first = text.chars().next()?;
        let (taken, rest) = text.split_at(if digits > 0 { digits } else { first.len_utf8() });
        text = rest;
        let number = taken.trim_start_matches('0');
        Some(if digits > 0 { Piece::Number(number.len(), number) } else { Piece::Letter(first) })
    })
}

impl StageView {
    pub(super) fn new(name: Arc<str>, kind: StageKindName, planned: Option<u64>) -> Self {
        let instances = planned.unwrap_or_default();
        Self {
            name,
            kind,
            planned,
            tally: StageTally { instances, not_started: instances, ..StageTally::default() },
            calls: 0,
            retries: 0,
            usage: Usage::default(),
            cost: Cost::NOTHING,
            unmetered: 0,
            cut: 0,
            fallbacks: 0,
            saved: SavedFiles::default(),
            began: None,
            ended_at: None,
            in_flight: HashSet::new(),
            reusing: HashSet::new(),
            fell_back: HashSet::new(),
            unasked: HashSet::new(),
            sent: HashMap::new(),
            recent: VecDeque::new(),
            took: Duration::ZERO,
            took_by: 0,
        }
    }

    /// Whether it asks for text.
    pub fn speaks(&self) -> bool {
        self.kind.speaks()
    }

    /// Instances that have come to an end, whichever.
    pub fn ended(&self) -> u64 {
        let tally = &self.tally;
        tally.done + tally.reused + tally.replaced + tally.skipped + tally.skipped_after_failure + tally.failed
    }

    /// Instances in flight for which a request has gone out.
    pub fn asking(&self) -> u64 {
        self.sent.len() as u64
    }

    /// Instances that have a place among those in flight.
    pub fn in_flight(&self) -> u64 {
        self.in_flight.len() as u64
    }

    /// Whether any instance has been started or has ended.
    pub fn has_begun(&self) -> bool {
        self.began.is_some()
    }

    /// Whether all instances have ended; not known before the end where their number is not.
    pub fn is_complete(&self) -> bool {
        self.planned.is_some() && self.ended() >= self.tally.instances
    }

    /// Instances that end in a second, lately; absent before that can be told.
    pub fn rate(&self, now: Timestamp) -> Option<f64> {
        // The first ends took as long as it is since the first start; later ones since the end before them.
        let (since, ends) = if self.recent.len() < RATE_WINDOW {
            (self.began?, self.recent.len())
        } else {
            (*self.recent.front()?, self.recent.len() - 1)
        };
        let passed = between(since, now);
        let is_telling = ends >= FEWEST_ENDS && passed >= SHORTEST_TIME;
        is_telling.then(|| f64::from(u32::try_from(ends).unwrap_or(u32::MAX)) / passed.as_secs_f64())
    }

    /// How long it takes to the end at the rate of late; absent where the number of instances is not known.
    pub fn time_left(&self, now: Timestamp) -> Option<Duration> {
        self.planned?;
        let open = self.tally.instances.saturating_sub(self.ended());
        if open == 0 {
            return None;
        }
        #[expect(clippy::cast_precision_loss, reason = "an estimate needs no more than 52 bits")]
        let seconds = open as f64 / self.rate(now)?;
        Duration::try_from_secs_f64(seconds).ok()
    }

    /// From the first start to the last end so far.
    pub fn span(&self) -> Option<Duration> {
        Some(between(self.began?, self.ended_at?))
    }

    /// How long an instance that came out took on average, from its first request or else from its start.
    pub fn mean(&self) -> Option<Duration> {
        self.took.checked_div(self.took_by)
    }

    pub(super) fn find(&mut self, count: u64) {
        if self.planned.is_none() {
            self.tally.instances += count;
            self.count_open();
        }
    }

    pub(super) fn start(&mut self, path: &Arc<[u64]>, at: Timestamp) {
        self.began.get_or_insert(at);
        self.in_flight.insert(path.clone());
    }

    pub(super) fn reuse(&mut self, path: &Arc<[u64]>) {
        self.reusing.insert(path.clone());
    }

    pub(super) fn fall_back(&mut self, path: &Arc<[u64]>) {
        self.fell_back.insert(path.clone());
        self.unasked.insert(path.clone());
    }

    /// An instance came out, of an answer that was kept or of a new one.
    pub(super) fn come_out(&mut self, path: &Arc<[u64]>) {
        self.fallbacks += u64::from(self.fell_back.contains(path));
        if self.reusing.remove(path) {
            self.tally.reused += 1;
        } else {
            self.tally.done += 1;
        }
    }

    /// A request for an instance is sent. Until the first one it has waited for its turn.
    pub(super) fn send(&mut self, path: &Arc<[u64]>, attempt: u32, at: Timestamp) {
        self.calls += 1;
        let is_first_there = self.unasked.remove(path) || attempt == 1;
        self.retries += u64::from(!is_first_there);
        self.sent.entry(path.clone()).or_insert(at);
    }

    pub(super) fn take(&mut self, path: &Arc<[u64]>, at: Timestamp, took: Duration) {
        self.took += self.sent.get(path).map_or(took, |sent| between(*sent, at));
        self.took_by = self.took_by.saturating_add(1);
    }

    /// An instance ends; the caller has counted how.
    pub(super) fn end(&mut self, path: &Arc<[u64]>, at: Timestamp) {
        self.began.get_or_insert(at);
        self.ended_at = Some(at);
        self.in_flight.remove(path);
        self.reusing.remove(path);
        self.fell_back.remove(path);
        self.unasked.remove(path);
        self.sent.remove(path);
        if self.recent.len() == RATE_WINDOW {
            self.recent.pop_front();
        }
        self.recent.push_back(at);
        self.count_open();
    }

    /// The run's own figures replace what was counted along the way.
    pub(super) fn settle(&mut self, tally: StageTally) {
        self.tally = tally;
        self.in_flight.clear();
        self.unasked.clear();
        self.sent.clear();
    }

    fn count_open(&mut self) {
        // More may end than were announced, where items are still being read.
        self.tally.instances = self.tally.instances.max(self.ended());
        self.tally.not_started = self.tally.instances - self.ended();
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::Sample;
    use super::*;

    #[test]
    fn the_clock_of_a_stage_starts_at_its_first_start() {
        let mut sample = Sample::new();
        sample.plan("a", Some(16));
        (0..8).for_each(|number| {
            sample.start("a", number);
        });
        let rate = |sample: &Sample| sample.tally().stage("a").unwrap().rate(sample.now());
        sample.seconds(4.0).done("a", 0).done("a", 1);
        assert_eq!(rate(&sample), None, "two are chance");
        sample.done("a", 2).done("a", 3);
        assert_eq!(rate(&sample), Some(1.0), "four in four seconds");
        assert_eq!(sample.tally().stage("a").unwrap().time_left(sample.now()), Some(Duration::from_secs(12)));
    }

    #[test]
    fn waiting_for_a_turn_is_no_part_of_each() {
        let mut sample = Sample::new();
        sample.plan("a", Some(1)).start("a", 0).seconds(9.0).send("a", 0, 1).seconds(1.0).send("a", 0, 2);
        sample.seconds(1.0).done("a", 0);
        assert_eq!(sample.tally().stage("a").unwrap().mean(), Some(Duration::from_secs(2)));
    }

    #[test]
    fn files_are_named_in_their_order_whichever_came_first() {
        let mut files = SavedFiles::default();
        for path in ["p/10.png", "p/2.png", "p/1.png", "q.png", "p/a.png", "p/3.png", "p/02.png"] {
            files.add(&path.into());
        }
        let first: Vec<&str> = files.first.iter().map(|path| &**path).collect();
        assert_eq!(first, ["p/1.png", "p/02.png", "p/2.png", "p/3.png", "p/10.png"]);
        assert_eq!(files.count, 7);
    }
}
