//! Progress as plain lines, for pipes, logs and CI: few of them, however many items there are.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::model::EventKind;

use super::clock::between;
use super::columns::one_line;
use super::line::{plain_end, plain_line};
use super::stage_view::StageView;
use super::tally::Tally;

/// When a stage was last told of, and what was told.
#[derive(Debug)]
pub(super) struct Lines {
    told: HashMap<Arc<str>, Told>,
}

#[derive(Debug)]
struct Told {
    at: Timestamp,
    ended: u64,
    is_over: bool,
}

impl Lines {
    pub(super) fn new() -> Self {
        Self { told: HashMap::new() }
    }

    /// The lines for an event that `tally` has already taken in.
    pub(super) fn event(&mut self, kind: &EventKind, tally: &Tally) -> Vec<String> {
        let stage = match kind {
            started @ EventKind::RunStarted { .. } => return first_line(started).into_iter().collect(),
            EventKind::RunFinished { .. } => {
                return tally.stages().filter(|stage| stage.ended() > 0).filter_map(|stage| self.end(stage)).collect();
            }
            EventKind::Done { item, .. }
            | EventKind::Replaced { item, .. }
            | EventKind::Failed { item, .. }
            | EventKind::Skipped { item, .. } => tally.stage(&item.stage),
            _ => None,
        };
        stage.filter(|stage| stage.is_complete()).and_then(|stage| self.end(stage)).into_iter().collect()
    }

    /// The lines of stages that have been silent for long enough.
    pub(super) fn tick(&mut self, tally: &Tally, now: Timestamp) -> Vec<String> {
        let pace = pace(tally.elapsed(now));
        let mut lines = Vec::new();
        for stage in tally.stages().filter(|stage| stage.has_begun()) {
            let ended = stage.ended();
            let told = self.told.entry(stage.name.clone()).or_insert(Told { at: now, ended: 0, is_over: false });
            if told.is_over || told.ended == ended || between(told.at, now) < pace {
                continue;
            }
            *told = Told { at: now, ended, is_over: false };
            lines.push(plain_line(stage, now));
        }
        lines
    }

    fn end(&mut self, stage: &StageView) -> Option<String> {
        let told =
            self.told.entry(stage.name.clone()).or_insert(Told { at: Timestamp::UNIX_EPOCH, ended: 0, is_over: false });
        if std::mem::replace(&mut told.is_over, true) { None } else { Some(plain_end(stage)) }
    }
}

/// `digest: run amber-fox, answers are kept in .blossom`; of the first event alone.
pub(super) fn first_line(kind: &EventKind) -> Option<String> {
    let EventKind::RunStarted { run, pipeline, store, record, replay } = kind else { return None };
    let mut line = format!("{}: run {run}", one_line(pipeline));
    let places = [("answers are kept in", store), ("recorded on", record), ("answers come from the tape", replay)];
    for (what, place) in places {
        line.extend(place.iter().map(|place| format!(", {what} {}", one_line(place))));
    }
    Some(line)
}

/// The time between two lines of a stage: a log of hours should not be longer than one of minutes by as much.
fn pace(elapsed: Duration) -> Duration {
    let seconds = match elapsed.as_secs() {
        0..30 => 2,
        30..300 => 10,
        _ => 60,
    };
    Duration::from_secs(seconds)
}

#[cfg(test)]
mod tests {
    use super::super::sample::Sample;
    use super::*;
    use crate::model::RunOutcome;

    /// What is printed for `items` instances that take half a second each, one after another.
    fn printed(items: u64, planned: Option<u64>) -> Vec<String> {
        let mut sample = Sample::new();
        let mut lines = Lines::new();
        let mut printed = Vec::new();
        let mut seen = 0;
        let mut watch = |sample: &Sample, printed: &mut Vec<String>| {
            for event in &sample.events()[seen..] {
                printed.extend(lines.event(&event.kind, sample.tally()));
            }
            seen = sample.events().len();
            printed.extend(lines.tick(sample.tally(), sample.now()));
        };
        sample.plan("analyze", planned);
        for item in 0..items {
            sample.start("analyze", item);
            watch(&sample, &mut printed);
            sample.seconds(0.5).done("analyze", item);
            watch(&sample, &mut printed);
        }
        sample.finish(RunOutcome::Done);
        watch(&sample, &mut printed);
        printed
    }

    #[test]
    fn a_quick_stage_has_one_line() {
        assert_eq!(printed(2, Some(2)), ["sample: run amber-fox", "analyze: 2 of 2, in 1.0s"]);
        assert_eq!(printed(2, None), ["sample: run amber-fox", "analyze: 2 of 2, in 1.0s"]);
        assert_eq!(printed(0, None), ["sample: run amber-fox"]);
    }

    #[test]
    fn a_slow_stage_has_a_line_now_and_then() {
        assert_eq!(
            printed(10, Some(10)),
            [
                "sample: run amber-fox",
                "analyze: 4 of 10, 2.0/s, 3s left",
                "analyze: 8 of 10, 2.0/s, 1s left",
                "analyze: 10 of 10, in 5.0s",
            ]
        );
    }

    #[test]
    fn an_hour_does_not_fill_the_log() {
        assert!(printed(7_200, Some(7_200)).len() < 110);
    }
}
