//! The lines of the display: one for each stage and one of totals, as text.

use std::time::Duration;

use jiff::Timestamp;

use crate::model::Units;

use super::columns::{fit, one_line, pad, width_of};
use super::paint::Paint;
use super::stage_view::StageView;
use super::tally::Tally;
use super::wording::{about, count_of, lane_name, rate, short_number};

const WIDEST_BAR: usize = 24;
const NARROWEST_BAR: usize = 6;
const WIDEST_NAME: usize = 20;
const NARROWEST_NAME: usize = 3;

/// What the lines of one moment have in common.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame {
    /// The time.
    pub(super) now: Timestamp,
    /// Columns of the terminal.
    pub(super) width: usize,
    /// Rows of the terminal.
    pub(super) rows: usize,
    /// Columns of the longest name.
    pub(super) name_width: usize,
    /// Columns of the longest count, once it has come to its end.
    pub(super) count_width: usize,
    pub(super) paint: Paint,
}

impl Frame {
    pub(super) fn new(tally: &Tally, now: Timestamp, (rows, width): (usize, usize), paint: Paint) -> Self {
        let longest = tally.stages().map(|stage| width_of(&stage.name)).max().unwrap_or_default();
        // As wide as it gets, so that nothing moves sideways while numbers grow.
        let count = |stage: &StageView| 1 + stage.tally.instances.to_string().len() + instances(stage).len();
        let count_width = tally.stages().map(count).max().unwrap_or_default();
        // A name that is cut is better than a count that is.
        let name_width = longest.min(WIDEST_NAME).min(width.saturating_sub(count_width + 2).max(NARROWEST_NAME));
        Self { now, width, rows, name_width, count_width, paint }
    }
}

/// All lines of a moment, at most so many as the terminal has room for: stages at work go before those that have begun,
/// those before the ones that wait, and these before the ones that are through.
pub(super) fn screen(tally: &Tally, frame: &Frame) -> Vec<String> {
    // The last row belongs to the cursor, the one before it to the totals.
    let room = frame.rows.saturating_sub(2).max(1);
    let urgency = |stage: &StageView| match (stage.is_complete(), stage.in_flight() > 0, stage.has_begun()) {
        (false, true, _) => 0,
        (false, false, true) => 1,
        (false, false, false) => 2,
        (true, ..) => 3,
    };
    let mut stages: Vec<(usize, &StageView)> = tally.stages().enumerate().collect();
    stages.sort_by_key(|(_, stage)| urgency(stage));
    stages.truncate(room);
    stages.sort_by_key(|(position, _)| *position);
    let hidden = tally.stages().len() - stages.len();
    let rows: Vec<Row> = stages.into_iter().map(|(_, stage)| Row::new(stage, frame)).collect();
    // Bars of one length can be compared.
    let bar = rows.iter().map(|row| row.room).min().filter(|room| *room >= NARROWEST_BAR + 2);
    let bar = bar.map(|room| (room - 2).min(WIDEST_BAR));
    let mut lines: Vec<String> = rows.into_iter().map(|row| row.line(bar, frame)).collect();
    lines.push(totals_line(tally, frame, hidden));
    lines
}

/// `analyze    ━━━━━━━╌╌╌╌╌╌╌  12/40  8 in flight  1 failed  3.2/s  9s left`, with less of it where the terminal is
/// narrow: the bar goes first, then the rate, what is in flight, the time left, what failed, and letters of the name.
struct Row<'a> {
    stage: &'a StageView,
    count: String,
    /// What is said behind the count.
    parts: Vec<String>,
    /// Columns that are left.
    room: usize,
}

impl<'a> Row<'a> {
    fn new(stage: &'a StageView, frame: &Frame) -> Self {
        let count = format!("{:>width$}", count(stage), width = frame.count_width);
        let failed = stage.tally.failed + stage.tally.replaced;
        let rate_now = if stage.in_flight() > 0 { stage.rate(frame.now) } else { None };
        let parts = [
            (stage.in_flight() > 0).then(|| format!("{} in flight", stage.in_flight())),
            (failed > 0).then(|| format!("{failed} failed")),
            rate_now.map(rate),
            stage.time_left(frame.now).filter(|_| rate_now.is_some()).map(|left| format!("{} left", about(left))),
        ];
        let mut room = frame.width.saturating_sub(frame.name_width + 2 + width_of(&count));
        let mut chosen = [false; 4];
        for part in [1, 3, 0, 2] {
            let Some(text) = &parts[part] else { continue };
            let needed = width_of(text) + 2;
            if needed > room {
                break;
            }
            room -= needed;
            chosen[part] = true;
        }
        let parts = parts.into_iter().zip(chosen).filter(|(_, chosen)| *chosen).filter_map(|(text, _)| text).collect();
        Self { stage, count, parts, room }
    }

    fn line(&self, bar_width: Option<usize>, frame: &Frame) -> String {
        let mut line = pad(&self.stage.name, frame.name_width);
        if let Some(width) = bar_width {
            line.push_str("  ");
            line.push_str(&bar(self.stage, width, frame.paint));
        }
        line.push_str("  ");
        line.push_str(&self.count);
        for text in &self.parts {
            line.push_str("  ");
            line.push_str(&if text.ends_with("failed") { frame.paint.bad(text) } else { text.clone() });
        }
        fit(&line, frame.width).into_owned()
    }
}

/// `digest  52/121  2 stages hidden  16 in flight  58 calls  3 retries  21k tokens  12.3s`
fn totals_line(tally: &Tally, frame: &Frame, hidden: usize) -> String {
    let total = tally.total();
    let ended: u64 = tally.stages().map(StageView::ended).sum();
    let calls: u64 = tally.stages().map(|stage| stage.calls).sum();
    let retries: u64 = tally.stages().map(|stage| stage.retries).sum();
    let tokens: u64 = tally.stages().map(|stage| stage.usage.total_tokens).sum();
    let open_end = if tally.stages().all(|stage| stage.planned.is_some()) { "" } else { "+" };
    let mut parts = vec![one_line(tally.pipeline()), format!("{ended}/{}{open_end}", total.instances)];
    if hidden > 0 {
        parts.push(format!("{} hidden", count_of(hidden as u64, "stage")));
    }
    if tally.in_flight() > 0 {
        parts.push(format!("{} in flight", tally.in_flight()));
    }
    // Else nobody knows why nothing moves.
    let busy = tally.lanes().filter(|(_, view)| view.is_paused);
    parts.extend(busy.map(|(lane, _)| format!("{} is busy", lane_name(lane))));
    parts.push(count_of(calls, "call"));
    match retries {
        0 => {}
        1 => parts.push("1 retry".to_owned()),
        _ => parts.push(format!("{retries} retries")),
    }
    if tokens > 0 {
        parts.push(format!("{} tokens", short_number(tokens)));
    }
    let cost = tally.cost();
    if cost.has_amount() {
        parts.push(cost.to_string());
    }
    // Not to tenths: a figure that flickers draws the eye away from those that matter.
    parts.push(whole_seconds(tally.elapsed(frame.now)));
    if tally.stopping().is_some() {
        parts.push("stopping".to_owned());
    }
    frame.paint.dim(&fit(&parts.join("  "), frame.width))
}

/// `analyze: 12 of 40, 8 in flight, 1 failed, 3.2/s, 9s left`: for logs and pipes.
pub(super) fn plain_line(stage: &StageView, now: Timestamp) -> String {
    let mut parts = vec![format!("{} of {}", stage.ended(), instances(stage))];
    if stage.in_flight() > 0 {
        parts.push(format!("{} in flight", stage.in_flight()));
    }
    parts.extend(troubles(stage));
    if let Some(per_second) = stage.rate(now) {
        parts.push(rate(per_second));
        parts.extend(stage.time_left(now).map(|left| format!("{} left", about(left))));
    }
    format!("{}: {}", stage.name, parts.join(", "))
}

/// `analyze: 40 of 40, 1 failed, in 12.3s`: a stage that is through.
pub(super) fn plain_end(stage: &StageView) -> String {
    let mut parts = vec![format!("{} of {}", stage.ended(), stage.tally.instances)];
    parts.extend(troubles(stage));
    if let Some(span) = stage.span() {
        parts.push(format!("in {}", Units::show_duration(span)));
    }
    format!("{}: {}", stage.name, parts.join(", "))
}

fn troubles(stage: &StageView) -> Vec<String> {
    let tally = &stage.tally;
    [(tally.failed, "failed"), (tally.replaced, "replaced"), (tally.skipped + tally.skipped_after_failure, "skipped")]
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect()
}

fn instances(stage: &StageView) -> String {
    let open_end = if stage.planned.is_some() { "" } else { "+" };
    format!("{}{open_end}", stage.tally.instances)
}

fn count(stage: &StageView) -> String {
    format!("{}/{}", stage.ended(), instances(stage))
}

fn bar(stage: &StageView, width: usize, paint: Paint) -> String {
    let all = stage.tally.instances;
    let share = |count: u64| -> usize {
        if all == 0 {
            return 0;
        }
        // In u128, so that no number of items overflows.
        usize::try_from(u128::from(count.min(all)) * width as u128 / u128::from(all)).unwrap_or(width)
    };
    // Where more may come, the bar is not full before the end.
    let most = if stage.planned.is_some() { width } else { width - 1 };
    let ended = share(stage.ended()).min(most);
    format!("{}{}", paint.good(&"━".repeat(ended)), paint.dim(&"╌".repeat(width - ended)))
}

fn whole_seconds(duration: Duration) -> String {
    let seconds = duration.as_secs();
    if seconds < 60 { format!("{seconds}s") } else { Units::show_duration(duration) }
}

#[cfg(test)]
mod tests {
    use super::super::sample::{Sample, lane};
    use super::*;
    use crate::model::EventKind;

    fn half_way() -> Sample {
        let mut sample = Sample::new();
        sample.plan("analyze", Some(40)).plan("日本語の記事", None).plan("report", Some(1));
        for item in 0..12 {
            sample.start("analyze", item).seconds(0.5).done("analyze", item);
        }
        sample.start("analyze", 12).fail("analyze", 12, "the answer hit `max_tokens`");
        sample.start("analyze", 13).start("analyze", 14).found("日本語の記事", 3);
        sample
    }

    fn lines(sample: &Sample, rows: usize, width: usize) -> Vec<String> {
        let frame = Frame::new(sample.tally(), sample.now(), (rows, width), Paint::new(false));
        screen(sample.tally(), &frame)
    }

    #[test]
    fn a_stage_and_the_totals_have_a_line_each() {
        assert_eq!(
            lines(&half_way(), 24, 90),
            [
                "analyze       ━━━━━━━╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌  13/40  2 in flight  1 failed  2.2/s  13s left",
                "日本語の記事  ╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌   0/3+",
                "report        ╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌    0/1",
                "sample  13/44+  2 in flight  0 calls  120 tokens  6s",
            ]
        );
    }

    #[test]
    fn a_narrow_terminal_keeps_what_matters() {
        let sample = half_way();
        let first = |width| lines(&sample, 24, width).remove(0);
        assert_eq!(first(70), "analyze       ━━╌╌╌╌╌╌╌  13/40  2 in flight  1 failed  2.2/s  13s left");
        assert_eq!(first(60), "analyze       13/40  2 in flight  1 failed  2.2/s  13s left");
        assert_eq!(first(40), "analyze       13/40  1 failed  13s left");
        assert_eq!(first(31), "analyze       13/40  1 failed");
        assert_eq!(first(14), "analyze  13/40");
        assert_eq!(first(11), "ana…  13/40");
        assert_eq!(first(9), "an…  13/…");
        for width in 0..120 {
            for line in lines(&sample, 24, width) {
                assert!(width_of(&line) <= width, "{width}: {line}");
            }
        }
    }

    #[test]
    fn a_busy_lane_is_named_for_as_long_as_it_is_busy() {
        let mut sample = half_way();
        let totals = |sample: &Sample| lines(sample, 24, 90).pop().unwrap();
        sample.push(EventKind::LanePaused { lane: lane(), pause: Duration::from_secs(8), asked: false });
        assert_eq!(
            totals(&sample),
            "sample  13/44+  2 in flight  pollinations/openai is busy  0 calls  120 tokens  6s"
        );
        sample.push(EventKind::LaneOpened { lane: lane(), limit: 1 });
        assert_eq!(totals(&sample), "sample  13/44+  2 in flight  0 calls  120 tokens  6s");
    }

    #[test]
    fn a_low_terminal_shows_the_stages_at_work() {
        let shown = lines(&half_way(), 3, 60);
        assert_eq!(shown.len(), 2);
        assert!(shown[0].starts_with("analyze"), "{shown:?}");
        assert!(shown[1].starts_with("sample  13/44+  2 stages hidden  2 in flight"), "{shown:?}");
    }

    #[test]
    fn bars_of_a_moment_have_one_length() {
        for width in [70, 90] {
            let shown = lines(&half_way(), 24, width);
            let bars: Vec<usize> = shown[..3].iter().map(|line| line.matches(['━', '╌']).count()).collect();
            assert!(bars.iter().all(|bar| *bar == bars[0] && *bar > 0), "{shown:?}");
        }
    }

    #[test]
    fn what_is_through_goes_first_out_of_view() {
        let mut sample = Sample::new();
        sample.plan("through", Some(1)).plan("idle", Some(2)).plan("waits", Some(1)).plan("works", Some(1));
        sample.start("through", 0).done("through", 0).start("idle", 0).done("idle", 0).start("works", 0);
        let names = |rows| lines(&sample, rows, 60).iter().map(|line| line[..5].to_owned()).collect::<Vec<_>>();
        assert_eq!(names(5), ["idle ", "waits", "works", "sampl"]);
        assert_eq!(names(4), ["idle ", "works", "sampl"]);
        assert_eq!(names(3), ["works", "sampl"]);
    }

    #[test]
    fn plain_lines_say_the_same() {
        let sample = half_way();
        let stage = sample.tally().stage("analyze").unwrap();
        assert_eq!(plain_line(stage, sample.now()), "analyze: 13 of 40, 2 in flight, 1 failed, 2.2/s, 13s left");
        assert_eq!(plain_end(stage), "analyze: 13 of 40, 1 failed, in 6.0s");
    }
}
