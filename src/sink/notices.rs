//! What a person should know at once: failures, warnings, lanes that are held back, the end coming.

use crate::model::{EventKind, Failure, ItemRef, Units};

use super::columns::one_line;
use super::paint::Paint;
use super::tally::Tally;
use super::wording::{count_of, item_name, lane_name};

/// So many failures for one reason, and pauses of one lane, are told one by one.
const TOLD_SINGLY: u64 = 3;

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
            EventKind::Warning { message } if tally.more_warnings() == 0 || self.verbose => {
                Some(format!("{} {}", self.paint.warn("warning:"), one_line(message)))
            }
            EventKind::Stopping { reason } => Some(match tally.in_flight() {
                0 => format!("stopping: {}", one_line(reason)),
                flying => format!("stopping: {} (finishing {} in flight)", one_line(reason), count_of(flying, "item")),
            }),
            EventKind::LanePaused { lane, pause, asked } => {
                let told = tally.lanes().find(|(other, _)| *other == lane).map_or(0, |(_, view)| view.pauses);
                let who = if *asked { " (as the server asks)" } else { "" };
                (self.verbose || told <= TOLD_SINGLY).then(|| {
                    format!("{} is busy: nothing is sent for {}{who}", lane_name(lane), Units::show_duration(*pause))
                })
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
            EventKind::Saved { path, .. } if self.verbose => Some(format!("saved: {}", one_line(path))),
            _ => None,
        }
    }

    fn failed(&self, what: &str, item: &ItemRef, failure: &Failure, tally: &Tally) -> Option<String> {
        let seen = tally.failures().seen(&item.stage, failure, what == "replaced");
        let tag = format!("{what}:");
        let tag = if what == "failed" { self.paint.bad(&tag) } else { self.paint.warn(&tag) };
        if (1..=TOLD_SINGLY).contains(&seen) || self.verbose {
            return Some(format!("{tag} {}: {}", item_name(item), one_line(&failure.message)));
        }
        (seen == TOLD_SINGLY + 1).then(|| {
            format!("{tag} {}: {}, and from here on it is only counted", item_name(item), one_line(&failure.message))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::{Sample, lane};
    use super::*;
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
    fn a_busy_lane_and_the_end_are_told() {
        let mut sample = Sample::new();
        sample.plan("a", Some(5)).start("a", 0).start("a", 1);
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
                "stopping: interrupted, Ctrl-C again stops at once (finishing 2 items in flight)",
            ]
        );
        assert_eq!(told(&mut sample, true, events())[0], "pollinations/openai now gets at most 3 requests at once");
    }
}
