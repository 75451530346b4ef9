//! What became of a run, for people, when it is over.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::model::{Cost, Failure, FailureKind, RunOutcome, Units};

use super::columns::{Side, one_line, table, width_of};
use super::failures::FailureGroup;
use super::paint::Paint;
use super::stage_view::StageView;
use super::tally::Tally;
use super::wording::{count_of, item_name, lane_name, short_number};

/// How a summary is laid out.
#[derive(Debug, Clone, Copy)]
pub struct SummaryView<'a> {
    /// Colours.
    pub paint: Paint,
    /// The output folder, as the user named it.
    pub out: &'a Path,
    /// Stages that end the run when an item of theirs fails.
    pub stops: &'a [Arc<str>],
    /// The store, if the user named it.
    pub store: Option<&'a Path>,
    /// What is left to do and what it would cost, where a limit has ended the run.
    pub left: Option<&'a str>,
    /// Columns of the terminal; without one, lines are as long as they are.
    pub width: Option<usize>,
}

/// The whole summary: what became of each stage, what failed and why, what held the run back, where the files are, and
/// how to go on. It ends with a line break.
pub fn summary(tally: &Tally, view: &SummaryView<'_>) -> String {
    let headline = headline(tally, view.paint);
    let mut text = format!("\n{}\n", wrapped(&headline, view.width.unwrap_or(usize::MAX)));
    if tally.stages().len() > 0 {
        text.push('\n');
        for (number, line) in stage_table(tally, view.width).iter().enumerate() {
            let line = if number == 0 && line.starts_with("stage ") { view.paint.dim(line) } else { line.clone() };
            _ = writeln!(text, "{line}");
        }
    }
    let told: Vec<String> = [reused(tally), fell_back(tally)].into_iter().flatten().collect();
    for (number, line) in told.iter().enumerate() {
        let gap = if number == 0 { "\n" } else { "" };
        _ = writeln!(text, "{gap}{}", wrapped(line, view.width.unwrap_or(usize::MAX)));
    }
    text.push_str(&problems(tally, view));
    section(&mut text, view, "Held back by", &lanes(tally));
    section(&mut text, view, &format!("Files in {}", one_line(&view.out.to_string_lossy())), &files(tally));
    section(&mut text, view, "What to do", &next_steps(tally, view));
    text
}

/// What went wrong, and nothing else: failures by reason, and warnings. Empty if nothing did.
pub fn problems(tally: &Tally, view: &SummaryView<'_>) -> String {
    let mut text = String::new();
    section(&mut text, view, "Failed", &failures(tally, false));
    section(&mut text, view, "Replaced by `on_error`", &failures(tally, true));
    let mut warnings: Vec<String> = tally.warnings().iter().map(|warning| one_line(warning)).collect();
    if tally.more_warnings() > 0 {
        warnings.push(format!("and {}", count_of(tally.more_warnings(), "more warning")));
    }
    section(&mut text, view, "Warnings", &warnings);
    text
}

fn section(text: &mut String, view: &SummaryView<'_>, heading: &str, lines: &[String]) {
    if lines.is_empty() {
        return;
    }
    _ = writeln!(text, "\n{}", view.paint.bold(heading));
    for line in lines {
        _ = writeln!(text, "{}", wrapped(&format!("  {line}"), view.width.unwrap_or(usize::MAX)));
    }
}

/// A line broken between words, so that no part is wider than `width` where that is possible; what follows is indented.
fn wrapped(line: &str, width: usize) -> String {
    const INDENT: &str = "    ";
    let mut text = String::new();
    let mut used = 0;
    for word in line.split_inclusive(' ') {
        let needed = width_of(word.trim_end());
        if !text.trim().is_empty() && used + needed > width {
            text.truncate(text.trim_end().len());
            text.push('\n');
            text.push_str(INDENT);
            used = INDENT.len();
        }
        text.push_str(word);
        used += width_of(word);
    }
    text
}

/// `digest: done in 12.3s (run amber-fox)`
fn headline(tally: &Tally, paint: Paint) -> String {
    let took = Units::show_duration(tally.took());
    let total = tally.total();
    let what = match tally.outcome() {
        Some(RunOutcome::Done) => paint.good(&format!("done in {took}")),
        Some(RunOutcome::Failed) => {
            let failed = count_of(total.failed, "item");
            paint.bad(&format!("{failed} of {} failed, after {took}", total.instances))
        }
        Some(RunOutcome::Blocked { failure }) => {
            paint.bad(&format!("blocked after {took}: {}", one_line(&failure.message)))
        }
        Some(RunOutcome::Unwritable { failure }) => {
            paint.bad(&format!("stopped after {took}: {}", one_line(&failure.message)))
        }
        Some(RunOutcome::Interrupted { .. }) => paint.warn(&format!("interrupted after {took}")),
        Some(RunOutcome::Internal { failure }) => {
            paint.bad(&format!("a bug in blossom-run ended it after {took}: {}", one_line(&failure.message)))
        }
        None => paint.bad(&format!("ended after {took} without saying how, which is a bug in blossom-run")),
    };
    format!("{}: {what} (run {})", one_line(tally.pipeline()), tally.run())
}

type Figure = fn(&StageView) -> u64;

/// Each column adds to `items`; those that are nought in every row are left out, but for the first two.
const FATES: [(&str, Figure); 8] = [
    ("items", |stage| stage.tally.instances),
    ("done", |stage| stage.tally.done),
    ("reused", |stage| stage.tally.reused),
    ("replaced", |stage| stage.tally.replaced),
    ("skipped", |stage| stage.tally.skipped),
    ("skipped after failure", |stage| stage.tally.skipped_after_failure),
    ("failed", |stage| stage.tally.failed),
    ("not started", |stage| stage.tally.not_started),
];

/// Left out where they are nought in every row.
const COSTS: [(&str, Figure); 2] = [("calls", |stage| stage.calls), ("retries", |stage| stage.retries)];

const TOKENS: [(&str, Figure); 2] =
    [("tokens in", |stage| stage.usage.input_tokens), ("tokens out", |stage| stage.usage.output_tokens)];

fn stage_table(tally: &Tally, width: Option<usize>) -> Vec<String> {
    let stages: Vec<&StageView> = tally.stages().collect();
    let seen = |(_, figure): &(&str, Figure)| stages.iter().any(|stage| figure(stage) > 0);
    let (always, fates) = FATES.split_at(2);
    let counts: Vec<(&str, Figure)> =
        always.iter().chain(fates.iter().chain(&COSTS).filter(|column| seen(column))).copied().collect();
    let tokens: &[(&str, Figure)] = if TOKENS.iter().any(seen) { &TOKENS } else { &[] };

    // Where no price is known there is nothing to add up, and what is free is not worth a word.
    let has_cost = tally.cost().has_amount();

    let mut head = vec!["stage".to_owned()];
    head.extend(counts.iter().chain(tokens).map(|(name, _)| (*name).to_owned()));
    head.extend(has_cost.then(|| "cost".to_owned()));
    head.extend(["each".to_owned(), "time".to_owned()]);
    let row = |name: &str, of: &[&StageView], times: [Option<Duration>; 2]| {
        let sum = |figure: Figure| of.iter().map(|stage| figure(stage)).sum::<u64>();
        let mut row = vec![name.to_owned()];
        row.extend(counts.iter().map(|(_, figure)| sum(*figure).to_string()));
        row.extend(tokens.iter().map(|(_, figure)| token_count(sum(*figure), sum(|stage| stage.unmetered))));
        row.extend(has_cost.then(|| cost_of(of)));
        row.extend(times.map(|time| time.map_or_else(String::new, Units::show_duration)));
        row
    };
    let mut rows = vec![head];
    rows.extend(stages.iter().map(|stage| row(&stage.name, &[stage], [stage.mean(), stage.span()])));
    if stages.len() > 1 {
        rows.push(row("in all", &stages, [None, Some(tally.took())]));
    }
    narrowed(rows, width.unwrap_or(usize::MAX))
}

/// The lines of a table with as many of its columns as there is room for.
fn narrowed(mut rows: Vec<Vec<String>>, width: usize) -> Vec<String> {
    let mut dispensable = ["each", "tokens in", "tokens out", "retries", "calls", "time", "cost"].into_iter();
    loop {
        let mut sides = vec![Side::Right; rows[0].len()];
        sides[0] = Side::Left;
        let lines = table(&sides, &rows);
        if lines.iter().all(|line| width_of(line) <= width) {
            return lines;
        }
        let Some(name) = dispensable.next() else { return stacked(&rows, width) };
        if let Some(column) = rows[0].iter().position(|head| head == name) {
            for row in &mut rows {
                row.remove(column);
            }
        }
    }
}

/// The rows of a table that is too wide in any case, in words: `analyze: items 10, done 1, failed 7`.
fn stacked(rows: &[Vec<String>], width: usize) -> Vec<String> {
    let Some((head, rows)) = rows.split_first() else { return Vec::new() };
    let line = |row: &Vec<String>| {
        let figures = head.iter().zip(row).skip(1).filter(|(_, figure)| !matches!(figure.as_str(), "" | "0"));
        let told: Vec<String> = figures.map(|(head, figure)| format!("{head} {figure}")).collect();
        wrapped(&format!("{}: {}", row[0], if told.is_empty() { "-".to_owned() } else { told.join(", ") }), width)
    };
    rows.iter().map(line).collect()
}

/// Nothing for what made no call, or free ones alone.
fn cost_of(stages: &[&StageView]) -> String {
    let cost = stages.iter().fold(Cost::NOTHING, |sum, stage| sum.plus(stage.cost));
    if cost.is_nothing() { String::new() } else { cost.to_string() }
}

/// What was not counted is never shown as nought: `?`, or `1.2k+` where only some was.
fn token_count(count: u64, unmetered: u64) -> String {
    match (count, unmetered) {
        (0, 1..) => "?".to_owned(),
        (_, 1..) => format!("{}+", short_number(count)),
        _ => short_number(count),
    }
}

/// `7 answers were there already; `--fresh` asks anew`
fn reused(tally: &Tally) -> Option<String> {
    let count = tally.total().reused;
    let were = if count == 1 { "was" } else { "were" };
    (count > 0 && tally.is_kept())
        .then(|| format!("{} {were} there already; `--fresh` asks anew", count_of(count, "answer")))
}

/// `3 answers came from a fallback: 2 of motto, 1 of best`, the names in backticks
fn fell_back(tally: &Tally) -> Option<String> {
    let of: Vec<&StageView> = tally.stages().filter(|stage| stage.fallbacks > 0).collect();
    let count = of.iter().map(|stage| stage.fallbacks).sum();
    let each: Vec<String> = of.iter().map(|stage| format!("{} of `{}`", stage.fallbacks, stage.name)).collect();
    (count > 0).then(|| format!("{} came from a fallback: {}", count_of(count, "answer"), each.join(", ")))
}

fn failures(tally: &Tally, replaced: bool) -> Vec<String> {
    let mut lines = Vec::new();
    for group in tally.failures().groups().iter().filter(|group| group.replaced == replaced) {
        let varies = if group.varies { " (messages of other items differ)" } else { "" };
        lines.push(format!("{}: {}{varies}", who(group), one_line(&group.failure.message)));
        let share = cut_share(tally, group);
        let help: Vec<String> = group.failure.suggestion.as_deref().map(one_line).into_iter().chain(share).collect();
        if !help.is_empty() {
            lines.push(format!("  {}", help.join("; ")));
        }
    }
    let others = tally.failures().others();
    if others > 0 && !replaced {
        lines.push(format!("and {}, for other reasons", count_of(others, "more item")));
    }
    lines
}

/// `analyze/7, analyze/12 and 38 more`
fn who(group: &FailureGroup) -> String {
    let named: Vec<String> = group.items.iter().map(item_name).collect();
    match group.count - named.len() as u64 {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}

/// How many answers of the stage hit `max_tokens`, where that is what this group is about.
fn cut_share(tally: &Tally, group: &FailureGroup) -> Option<String> {
    if group.failure.kind != FailureKind::Length {
        return None;
    }
    let stage = tally.stage(&group.stage)?;
    let answered = stage.tally.done + stage.tally.replaced + stage.tally.failed;
    let percent = (stage.cut * 100).div_ceil(answered.max(1));
    Some(format!("{} of {answered} answers of `{}` hit it ({percent}%)", stage.cut, stage.name))
}

fn lanes(tally: &Tally) -> Vec<String> {
    tally
        .lanes()
        .map(|(lane, view)| {
            let who = match view.asked {
                Duration::ZERO => String::new(),
                asked if asked == view.paused => ", as the server asked".to_owned(),
                asked => format!(", {} of it as the server asked", Units::show_duration(asked)),
            };
            let limit =
                view.limit.map(|limit| format!(", at most {} at once in the end", count_of(limit.into(), "request")));
            format!(
                "{}: refused {}, nothing sent for {} in all{who}{}",
                lane_name(lane),
                match view.slowed.max(view.pauses) {
                    1 => "once".to_owned(),
                    2 => "twice".to_owned(),
                    times => format!("{times} times"),
                },
                Units::show_duration(view.paused),
                limit.unwrap_or_default(),
            )
        })
        .collect()
}

fn files(tally: &Tally) -> Vec<String> {
    tally
        .stages()
        .filter(|stage| stage.saved.count > 0)
        .map(|stage| {
            let named: Vec<String> = stage.saved.first.iter().map(|path| one_line(path)).collect();
            match stage.saved.count - named.len() as u64 {
                0 => named.join(", "),
                more => format!("{} and {more} more", named.join(", ")),
            }
        })
        .collect()
}

fn next_steps(tally: &Tally, view: &SummaryView<'_>) -> Vec<String> {
    let suggested = |failure: &Failure| failure.suggestion.as_deref().map(one_line);
    let again = again(tally, view.store);
    let corrected = format!("fix what failed, then {again}");
    let steps = match tally.outcome() {
        None | Some(RunOutcome::Done) => vec![],
        Some(RunOutcome::Failed) => std::iter::once(corrected).chain(unstopped(tally, view.stops)).collect(),
        // What it suggests is to run it again, with more: that is a budget of its own.
        Some(RunOutcome::Blocked { failure }) if failure.kind == FailureKind::BudgetUsedUp => {
            let counted = tally.is_kept().then(|| format!("or {again} and a limit that counts what was taken already"));
            suggested(failure).into_iter().chain(counted).collect()
        }
        Some(RunOutcome::Blocked { failure } | RunOutcome::Unwritable { failure }) => {
            let first = suggested(failure);
            let then = if first.is_some() { format!("then {again}") } else { format!("fix that, then {again}") };
            first.into_iter().chain([then]).collect()
        }
        Some(RunOutcome::Interrupted { .. }) => vec![again],
        Some(RunOutcome::Internal { failure }) => {
            let report = "please report it, with the command and this message".to_owned();
            suggested(failure).into_iter().chain([report]).collect()
        }
    };
    view.left.map(str::to_owned).into_iter().chain(steps).collect()
}

/// The command that goes on with this run. Where nothing is kept there is none, and everything is asked for again.
fn again(tally: &Tally, store: Option<&Path>) -> String {
    if !tally.is_kept() {
        return "run the same command again".to_owned();
    }
    let store = store.map(|store| format!(" --store {}", one_line(&store.to_string_lossy()))).unwrap_or_default();
    format!("go on with `blossom-run resume {}{store}`", tally.run())
}

/// What lets items go on that were not started since others failed.
fn unstopped(tally: &Tally, stops: &[Arc<str>]) -> Option<String> {
    let is_to_blame = |stage: &&StageView| stage.tally.failed > 0 && stops.contains(&stage.name);
    let stage = tally.stages().filter(|_| tally.total().not_started > 0).find(is_to_blame)?;
    Some(format!("`on_error: continue` in `{}` lets its other items go on", stage.name))
}

#[cfg(test)]
mod tests {
    use super::super::sample::{Sample, lane};
    use super::*;
    use crate::model::{EventKind, SkipReason};

    fn shown(sample: &Sample) -> String {
        summary(sample.tally(), &view(None, &["analyze".into()]))
    }

    fn view(width: Option<usize>, stops: &[Arc<str>]) -> SummaryView<'_> {
        SummaryView { paint: Paint::new(false), out: Path::new("out"), stops, store: None, left: None, width }
    }

    #[test]
    fn a_run_that_is_done() {
        let mut sample = Sample::new();
        sample.plan("analyze", Some(2)).plan("report", Some(1));
        for number in 0..2 {
            sample.start("analyze", number).send("analyze", number, 1).seconds(1.0).done("analyze", number);
        }
        sample.start("report", 0).send("report", 0, 1).seconds(2.0).done("report", 0).saved("report", "report.md");
        sample.finish(RunOutcome::Done);
        assert_eq!(
            shown(&sample),
            "
sample: done in 4.0s (run amber-fox)

stage    items  done  calls  tokens in  tokens out  each  time
analyze      2     2      2         16           4  1.0s  2.0s
report       1     1      1          8           2  2.0s  2.0s
in all       3     3      3         24           6        4.0s

Files in out
  report.md
"
        );
    }

    #[test]
    fn a_run_that_failed_says_why_and_how_to_go_on() {
        let mut sample = Sample::new();
        sample.plan("analyze", Some(10)).plan("report", Some(1));
        sample.start("analyze", 0).send("analyze", 0, 1).send("analyze", 0, 2).done("analyze", 0);
        for number in 1..8 {
            sample.start("analyze", number).send("analyze", number, 1).fail("analyze", number, "the answer was cut");
        }
        sample.skip("analyze", 8, SkipReason::When);
        sample.skip("report", 0, SkipReason::Failed { stage: "analyze".into() });
        sample.push(EventKind::LaneSlowed { lane: lane(), limit: 3 });
        sample.push(EventKind::LanePaused { lane: lane(), pause: Duration::from_secs(2), asked: true });
        sample.push(EventKind::LaneOpened { lane: lane(), limit: 3 });
        sample.push(EventKind::Warning { message: "`report` collects an empty list".into() });
        for number in 0..7 {
            sample.saved("analyze", &format!("analyze/{number}.md"));
        }
        sample.seconds(3.0).finish(RunOutcome::Failed);
        assert_eq!(
            shown(&sample),
            "
sample: 7 items of 11 failed, after 3.0s (run amber-fox)

stage    items  done  skipped  skipped after failure  failed  not started  calls  retries  tokens in  tokens out  each  time
analyze     10     1        1                      0       7            1      9        1          8           2   0ms   0ms
report       1     0        0                      1       0            0      0        0          0           0         0ms
in all      11     1        1                      1       7            1      9        1          8           2        3.0s

Failed
  analyze/2, analyze/3, analyze/4 and 4 more: the answer was cut
    raise `max_tokens`; 7 of 8 answers of `analyze` hit it (88%)

Warnings
  `report` collects an empty list

Held back by
  pollinations/openai: refused once, nothing sent for 2.0s in all, as the server asked, at most 3 requests at once in the end

Files in out
  analyze/0.md, analyze/1.md, analyze/2.md, analyze/3.md, analyze/4.md and 2 more

What to do
  fix what failed, then run the same command again
  `on_error: continue` in `analyze` lets its other items go on
"
        );
    }

    #[test]
    fn a_narrow_terminal_has_fewer_columns_and_broken_lines() {
        let mut sample = Sample::new();
        sample.plan("analyze", Some(10));
        sample.start("analyze", 0).send("analyze", 0, 1).send("analyze", 0, 2);
        sample.push(EventKind::LanePaused { lane: lane(), pause: Duration::from_secs(2), asked: true });
        sample.seconds(1.0).done("analyze", 0).finish(RunOutcome::Interrupted { terminated: false });
        let view = view(Some(54), &[]);
        assert_eq!(
            summary(sample.tally(), &view),
            "
sample: interrupted after 1.0s (run amber-fox)

stage    items  done  not started  calls  time
analyze     10     1            9      2  1.0s

Held back by
  pollinations/openai: refused once, nothing sent for
    1.0s in all, as the server asked

What to do
  run the same command again
"
        );
    }

    #[test]
    fn a_very_narrow_terminal_has_words_in_place_of_a_table() {
        let mut sample = Sample::new();
        sample.plan("analyze", Some(10)).plan("report", None).start("analyze", 0).seconds(1.0).done("analyze", 0);
        sample.finish(RunOutcome::Interrupted { terminated: false });
        assert_eq!(
            summary(sample.tally(), &view(Some(20), &[])),
            "
sample: interrupted
    after 1.0s (run
    amber-fox)

analyze: items 10,
    done 1, not
    started 9
report: -
in all: items 10,
    done 1, not
    started 9

What to do
  run the same
    command again
"
        );
    }

    #[test]
    fn what_was_not_counted_is_not_nought() {
        assert_eq!([token_count(0, 0), token_count(0, 2), token_count(1_250, 2)], ["0", "?", "1.2k+"]);
    }

    #[test]
    fn a_blocked_run_says_what_to_do_first() {
        let mut sample = Sample::new();
        let failure =
            Failure::new(FailureKind::KeyMissing, "`pollinations` needs a key").suggest("set `POLLINATIONS_API_KEY`");
        sample.finish(RunOutcome::Blocked { failure });
        assert_eq!(
            shown(&sample),
            "
sample: blocked after 0ms: `pollinations` needs a key (run amber-fox)

What to do
  set `POLLINATIONS_API_KEY`
  then run the same command again
"
        );
    }

    #[test]
    fn nothing_is_said_of_problems_where_there_are_none() {
        let sample = Sample::new();
        assert_eq!(problems(sample.tally(), &view(None, &[])), "");
    }

    #[test]
    fn what_a_stage_does_already_is_not_suggested() {
        let mut sample = Sample::new();
        sample.plan("analyze", Some(3)).start("analyze", 0).fail("analyze", 0, "no").finish(RunOutcome::Failed);
        let steps = |stops: &[Arc<str>]| next_steps(sample.tally(), &view(None, stops));
        assert_eq!(steps(&["analyze".into()]).len(), 2);
        assert_eq!(steps(&[]), ["fix what failed, then run the same command again"]);
    }

    #[test]
    fn a_run_that_is_kept_is_gone_on_with_by_its_name() {
        let mut sample = Sample::kept();
        sample
            .plan("analyze", Some(3))
            .start("analyze", 0)
            .reuse("analyze", 0)
            .done("analyze", 0)
            .finish(RunOutcome::Interrupted { terminated: false });
        let view = SummaryView { store: Some(Path::new("kept")), ..view(None, &[]) };
        assert_eq!(
            summary(sample.tally(), &view),
            "
sample: interrupted after 0ms (run amber-fox)

stage    items  done  reused  not started  tokens in  tokens out   each  time
analyze      3     0       1            2          8           2  500ms   0ms

1 answer was there already; `--fresh` asks anew

What to do
  go on with `blossom-run resume amber-fox --store kept`
"
        );
    }

    #[test]
    fn every_advice_has_a_first_sentence() {
        let mut sample = Sample::new();
        sample.finish(RunOutcome::Unwritable { failure: Failure::new(FailureKind::Output, "`out` is full") });
        assert_eq!(next_steps(sample.tally(), &view(None, &[])), ["fix that, then run the same command again"]);
    }
}
