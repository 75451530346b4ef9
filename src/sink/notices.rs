//! What a person should know at once: failures, warnings, lanes that are held back, the end coming.

use crate::model::{EventKind, Failure, ItemRef, Units};

use super::columns::one_line;
use super::paint::Paint;
use super::tally::Tally;
use super::wording::{count_of, item_name, lane_name};

/// So many failures for one reason, and pauses of one lane, are told one by one.
const TOLD_SINGLY: u64 = 3;
const ONLY_COUNTED: &str = "and from here on it is only counted";

/// Turns events into lines, few of them however large the run.
#[derive(Debug)]
pub(super) struct Notices {
    verbose: bool,
    paint: Paint,
}

impl Notices {
    pub(super) fn new(verbose: bool, paint: Paint) -> Self {
        Self { verbose, paint }
    }

    /// The line for an event that `tally` has already taken in.
    pub(super) fn event(&self, kind: &EventKind, tally: &Tally) -> Option<String> {
        match kind {
            EventKind::Failed { item, failure, .. } => self.failed("failed", item, failure, tally),
            EventKind::Replaced { item, failure, .. } => self.failed("replaced", item, failure, tally),
            EventKind::Warning { message } => self.warning(message, tally.more_warnings()),
            EventKind::Stopping { reason } => Some(match tally.asking() {
                0 => format!("stopping: {}", one_line(reason)),
                flying => format!("stopping: {} (finishing {} in flight)", one_line(reason), count_of(flying, "item")),
            }),
            EventKind::LanePaused { lane, pause, asked } => {
                let told = tally.lanes().find(|(other, _)| *other == lane).map_or(0, |(_, view)| view.pauses);
                let who = if *asked { " (as the server asks)" } else { "" };
                let line =
                    format!("{} is busy: nothing is sent for {}{who}", lane_name(lane), Units::show_duration(*pause));
                match told {
                    last if last == TOLD_SINGLY + 1 && !self.verbose => Some(format!("{line}, {ONLY_COUNTED}")),
                    more if more > TOLD_SINGLY && !self.verbose => None,
                    _ => Some(line),
                }
            }
            EventKind::LaneSlowed { lane, limit } if self.verbose => {
                Some(format!("{} now gets at most {} at once", lane_name(lane), count_of(u64::from(*limit), "request")))
            }
            EventKind::AttemptFailed { item, attempt, failure, retry_in: Some(pause) } if self.verbose => {
                Some(format!(
                    "retry: {}: attempt {attempt}: {}; again in {}",
                    item_name(item),
                    one_line(&failure.message),
                    Units::show_duration(*pause),
                ))
            }
            EventKind::FellBack { item, from, lane } if self.verbose => Some(format!(
                "fallback: {}: {} has no good answer, {} is asked",
                item_name(item),
                lane_name(from),
                lane_name(lane),
            )),
            EventKind::Saved { path, .. } if self.verbose => Some(format!("saved: {}", one_line(path))),
            _ => None,
        }
    }

    fn warning(&self, message: &str, more: u64) -> Option<String> {
        let line = || format!("{} {}", self.paint.warn("warning:"), one_line(message));
        match more {
            1 if !self.verbose => Some(format!("{}, and from here on warnings are only counted", line())),
            2.. if !self.verbose => None,
            _ => Some(line()),
        }
    }

    fn failed(&self, what: &str, item: &ItemRef, failure: &Failure, tally: &Tally) -> Option<String> {
        let seen = tally.failures().seen(&item.stage, failure, what == "replaced");
        let tag = format!("{what}:");
        let tag = if what == "failed" { self.paint.bad(&tag) } else { self.paint.warn(&tag) };
        if (1..=TOLD_SINGLY).contains(&seen) || self.verbose {
            return Some(format!("{tag} {}: {}", item_name(item), one_line(&failure.message)));
        }
        let told = format!("{tag} {}: {}", item_name(item), one_line(&failure.message));
        match seen {
            // More reasons than are told apart: this is the first of the others.
            0 if tally.failures().others() == 1 => {
                Some(format!("{told}, and from here on other reasons are only counted"))
            }
            last if last == TOLD_SINGLY + 1 => Some(format!("{told}, {ONLY_COUNTED}")),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::{Sample, lane};
    use super::*;
    use crate::model::Cost;
    use std::time::Duration;

    fn told(sample: &mut Sample, verbose: bool, kinds: impl IntoIterator<Item = EventKind>) -> Vec<String> {
        let notices = Notices::new(verbose, Paint::new(false));
        kinds
            .into_iter()
            .filter_map(|kind| {
                sample.push(kind.clone());
                notices.event(&kind, sample.tally())
            })
            .collect()
    }

    fn failures(count: u64) -> Vec<EventKind> {
        let mut sample = Sample::new();
        sample.plan("a", Some(count));
        (0..count).for_each(|number| {
            sample.fail("a", number, "no\nluck");
        });
        sample.events()[2..].iter().map(|event| event.kind.clone()).collect()
    }

    #[test]
    fn a_reason_is_told_a_few_times_then_counted() {
        let lines = told(Sample::new().plan("a", Some(50)), false, failures(50));
        assert_eq!(
            lines,
            [
                "failed: a/1: no luck",
                "failed: a/2: no luck",
                "failed: a/3: no luck",
                "failed: a/4: no luck, and from here on it is only counted",
            ]
        );
        assert_eq!(told(Sample::new().plan("a", Some(50)), true, failures(50)).len(), 50);
    }

    #[test]
    fn where_lines_stop_it_is_said() {
        let pauses =
            (0..9).map(|_| EventKind::LanePaused { lane: lane(), pause: Duration::from_secs(1), asked: false });
        let warnings = (0..30).map(|number| EventKind::Warning { message: format!("no {number}") });
        let reasons = (0..30).map(|number| {
            let failure = Failure::new(crate::model::FailureKind::BadRequest, "no").suggest(format!("try {number}"));
            EventKind::Failed {
                item: super::super::sample::item("a", number),
                attempts: 1,
                usage: None,
                cost: Cost::NOTHING,
                failure,
            }
        });
        let last = |kinds: Vec<EventKind>| {
            let lines = told(Sample::new().plan("a", Some(50)), false, kinds);
            (lines.len(), lines.last().unwrap().clone())
        };
        let busy = "pollinations/openai is busy: nothing is sent for 1.0s, and from here on it is only counted";
        assert_eq!(last(pauses.collect()), (4, busy.to_owned()));
        assert_eq!(last(warnings.collect()), (21, "warning: no 20, and from here on warnings are only counted".into()));
        let others = "failed: a/21: no, and from here on other reasons are only counted";
        assert_eq!(last(reasons.collect()), (21, others.to_owned()));
    }

    #[test]
    fn a_busy_lane_and_the_end_are_told() {
        let mut sample = Sample::new();
        sample.plan("a", Some(5)).start("a", 0).start("a", 1).send("a", 0, 1);
        let events = || {
            [
                EventKind::LaneSlowed { lane: lane(), limit: 3 },
                EventKind::LanePaused { lane: lane(), pause: Duration::from_secs(2), asked: true },
                EventKind::Stopping { reason: "interrupted, Ctrl-C again stops at once".into() },
            ]
        };
        assert_eq!(
            told(&mut sample, false, events()),
            [
                "pollinations/openai is busy: nothing is sent for 2.0s (as the server asks)",
                "stopping: interrupted, Ctrl-C again stops at once (finishing 1 item in flight)",
            ]
        );
        assert_eq!(told(&mut sample, true, events())[0], "pollinations/openai now gets at most 3 requests at once");
    }
}
