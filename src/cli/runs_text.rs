//! Runs as people read them.

use std::fmt::Write as _;
use std::time::Duration;

use indexmap::IndexMap;
use jiff::Timestamp;

use crate::model::{Cost, Failure, Json, RunOutcome, SkipReason, StageTally, Units};
use crate::sink::{Paint, Side, lane_name, one_line, table};
use crate::store::{InstanceState, KeptAttempt, KeptInstance, KeptRun, Pruned, Requests, Store, StoreError};

use super::resume::is_of_a_program;
use super::runs::{is_done, outcome};
use super::runs_item::ItemHistory;

/// Of a raw answer, so many characters are shown in a list.
const EXCERPT: usize = 200;
/// Failures of so many reasons are listed for a run.
const MOST_REASONS: usize = 20;

/// What became of a stage, and what it took.
pub(super) type StageLine = (String, Option<StageTally>, Requests);

/// The stages of a run, in file order where it has ended.
pub(super) fn stages(store: &Store, run: &KeptRun) -> Result<Vec<StageLine>, StoreError> {
    let mut requests: IndexMap<String, Requests> = store.requests(run.id)?.into_iter().collect();
    let tallies: Vec<(String, StageTally)> =
        run.stages.clone().and_then(|stages| serde_json::from_value(stages).ok()).unwrap_or_default();
    let mut lines: Vec<StageLine> = tallies
        .into_iter()
        .map(|(name, tally)| {
            let taken = requests.shift_remove(&name).unwrap_or_default();
            (name, Some(tally), taken)
        })
        .collect();
    lines.extend(requests.into_iter().map(|(name, taken)| (name, None, taken)));
    Ok(lines)
}

/// What all stages took together.
pub(super) fn total(lines: &[StageLine]) -> Requests {
    lines.iter().fold(Requests::default(), |sum, (_, _, taken)| Requests {
        sent: sum.sent + taken.sent,
        answered: sum.answered + taken.answered,
        fallbacks: sum.fallbacks + taken.fallbacks,
        usage: sum.usage.plus(taken.usage),
        cost: sum.cost.plus(taken.cost),
    })
}

/// `done`, `failed`, `died`: how a run ended, in a word.
pub(super) fn end_in_a_word(run: &KeptRun) -> &'static str {
    match outcome(run) {
        Some(RunOutcome::Done) => "done",
        Some(RunOutcome::Failed) => "failed",
        Some(RunOutcome::Blocked { .. }) => "blocked",
        Some(RunOutcome::Unwritable { .. }) => "unwritable",
        Some(RunOutcome::Interrupted { .. }) => "interrupted",
        Some(RunOutcome::Internal { .. }) => "bug",
        None if run.is_going_on => "going on",
        None => "died",
    }
}

pub(super) fn list(store: &Store, runs: &[KeptRun], paint: Paint) -> Result<String, StoreError> {
    use Side::{Left, Right};

    if runs.is_empty() {
        return Ok("no run is remembered in this store\n".to_owned());
    }
    let head = ["run", "pipeline", "began", "took", "end", "items", "failed", "requests", "cost"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    for run in runs {
        let lines = stages(store, run)?;
        let (taken, tallies) = (total(&lines), lines.iter().filter_map(|(_, tally, _)| *tally));
        let (items, failed) =
            tallies.fold((0, 0), |(items, failed), tally| (items + tally.instances, failed + tally.failed));
        rows.push(vec![
            run.name.clone(),
            run.pipeline.clone(),
            minute(run.began),
            run.ended.map(|ended| Units::show_duration(span(run.began, ended))).unwrap_or_default(),
            end_in_a_word(run).to_owned(),
            items.to_string(),
            failed.to_string(),
            taken.sent.to_string(),
            money(taken.cost),
        ]);
    }
    let sides = [Left, Left, Left, Right, Left, Right, Right, Right, Right];
    Ok(lines_of(&sides, &rows, paint))
}

pub(super) fn run(store: &Store, run: &KeptRun, paint: Paint) -> Result<String, StoreError> {
    let lines = stages(store, run)?;
    let mut text =
        format!("{}: {} (run {}, began {})\n", one_line(&run.pipeline), end(run), run.name, minute(run.began));
    if !lines.is_empty() {
        let mut rows = vec![head(&lines)];
        rows.extend(lines.iter().map(|(name, tally, taken)| row(name, *tally, taken)));
        if lines.len() > 1 {
            let tallies = lines.iter().filter_map(|(_, tally, _)| *tally);
            rows.push(row("in all", tallies.reduce(StageTally::plus), &total(&lines)));
        }
        _ = write!(text, "\n{}", stage_lines(rows, paint));
    }
    let mut reasons: IndexMap<(String, &'static str, String), (u64, KeptInstance)> = IndexMap::new();
    store.instances(run.id, None, |one| {
        let key = (one.stage.clone(), one.state.name(), reason(&one).0);
        if reasons.len() < MOST_REASONS || reasons.contains_key(&key) {
            reasons.entry(key).or_insert((0, one)).0 += 1;
        }
    })?;
    for ((stage, state, why), (count, first)) in &reasons {
        let who = named(stage, first.item.as_deref());
        let more = if *count > 1 { format!(" and {} more", count - 1) } else { String::new() };
        _ = write!(text, "\n{} {}{more}: {}", paint.bad(state), one_line(&who), one_line(why));
        if let (_, Some(partial)) = reason(first) {
            _ = write!(text, "\n  answer: {}", excerpt(&partial));
        }
    }
    if !reasons.is_empty() {
        text.push('\n');
    }
    if !is_done(run) && !run.is_going_on && !is_of_a_program(run) {
        _ = write!(text, "\ngo on with `blossom-run resume {}`\n", run.name);
    }
    Ok(text)
}

/// The items of a stage that did not come out, with their reasons and the beginning of their last answers.
pub(super) fn stage(store: &Store, run: &KeptRun, stage: &str, paint: Paint) -> Result<String, StoreError> {
    let mut text = String::new();
    let line = stages(store, run)?.into_iter().find(|(name, _, _)| name == stage);
    if let Some((_, tally, taken)) = line {
        let single = [(stage.to_owned(), tally, taken)];
        text.push_str(&stage_lines(vec![head(&single), row(stage, tally, &taken)], paint));
        text.push('\n');
    }
    store.instances(run.id, Some(stage), |one| {
        let (why, partial) = reason(&one);
        let who = one.item.clone().unwrap_or_else(|| stage.to_owned());
        let tries = if one.attempts > 0 { format!(", after {}", requests(one.attempts)) } else { String::new() };
        _ = writeln!(text, "{} {}: {}{tries}", one.state.name(), one_line(&who), one_line(&why));
        if let Some(partial) = partial {
            _ = writeln!(text, "  answer: {}", excerpt(&partial));
        }
    })?;
    if text.is_empty() {
        text.push_str("nothing is written down of this stage\n");
    }
    Ok(text)
}

/// Each request for an item, with its whole answer.
pub(super) fn item(store: &Store, run: &KeptRun, stage: &str, item: &str) -> Result<String, StoreError> {
    let ItemHistory { instance, attempts, kept } = ItemHistory::of(store, run, stage, item)?;
    let mut blocks = Vec::new();
    if let Some(one) = &instance {
        blocks.push(format!("{}: {}\n", one.state.name(), one_line(&reason(one).0)));
    }
    if attempts.is_empty() {
        blocks.push(match &kept {
            None if instance.is_some() => "no request was sent for this item in this run\n".to_owned(),
            None => {
                "no request was sent for this item in this run: it asks nobody, or there is no such item\n".to_owned()
            }
            Some(KeptAttempt { run, .. }) if run.is_empty() => {
                "no request was sent for this item in this run; an earlier one, which was pruned, had this answer\n"
                    .to_owned()
            }
            Some(KeptAttempt { run, .. }) => {
                format!("no request was sent for this item in this run; the earlier run {run} had this answer\n")
            }
        });
    }
    let mut request = "";
    for attempt in attempts.iter().chain(&kept) {
        if attempt.request != request {
            request = &attempt.request;
            blocks.push(format!("request\n{}\n", indented(&pretty(request))));
        }
        blocks.push(format!("{}\n{}", heading(attempt), outcome_of(attempt)));
    }
    Ok(blocks.join("\n"))
}

fn outcome_of(attempt: &KeptAttempt) -> String {
    match (&attempt.failure, &attempt.text, &attempt.picture) {
        (Some(failure), Some(answer), _) => {
            format!("{}\n  answer:\n{}\n", indented(&failure.message), indented(answer))
        }
        (Some(failure), None, Some(picture)) => format!("{}\n  {}\n", indented(&failure.message), picture.display()),
        (Some(failure), None, None) => {
            let partial = failure.partial.as_ref().map(|partial| format!("  answer:\n{}\n", indented(partial)));
            format!("{}\n{}", indented(&failure.message), partial.unwrap_or_default())
        }
        (None, Some(answer), _) => format!("{}\n", indented(answer)),
        (None, None, Some(picture)) => format!("  {}\n", picture.display()),
        (None, None, None) => String::new(),
    }
}

/// `attempt 2, 2026-11-26 10:35:15 UTC, took 1.2s, openai/gpt-5: answered by gpt-5-2026 (stop), 21 tokens in, 9 out, $0.0001`
fn heading(attempt: &KeptAttempt) -> String {
    let take = if attempt.take > 0 { format!(" of take {}", attempt.take + 1) } else { String::new() };
    let began = attempt.began.strftime("%Y-%m-%d %H:%M:%S UTC");
    let took = Units::show_duration(attempt.took);
    // What was answered and was not taken is an answer all the same.
    let is_answered = attempt.text.is_some() || attempt.picture.is_some();
    let end = if let Some(failure) = attempt.failure.as_ref().filter(|_| !is_answered) {
        format!("failed ({})", failure.kind.name())
    } else {
        let by = attempt.model.as_ref().map(|model| format!(" by {}", one_line(model))).unwrap_or_default();
        let why = attempt.finish_reason.as_ref().map(|why| format!(" ({})", one_line(why))).unwrap_or_default();
        let wrong = attempt.failure.as_ref().map(|failure| format!(", not taken ({})", failure.kind.name()));
        format!("answered{by}{why}{}", wrong.unwrap_or_default())
    };
    let usage = attempt
        .usage
        .map(|usage| format!(", {} tokens in, {} out", usage.input_tokens, usage.output_tokens))
        .unwrap_or_default();
    let cost = money(attempt.cost);
    let cost = if cost.is_empty() { cost } else { format!(", {cost}") };
    format!("attempt {}{take}, {began}, took {took}, {}: {end}{usage}{cost}", attempt.number, lane_name(&attempt.lane))
}

pub(super) fn pruned(pruned: &Pruned, age: &str) -> String {
    if *pruned == (Pruned { bytes: pruned.bytes, ..Pruned::default() }) {
        return format!("nothing is older than {age}\n");
    }
    let Pruned { runs, attempts, files, bytes } = pruned;
    format!(
        "removed: {runs} runs older than {age}, {attempts} of their requests that brought no answer, {files} files; \
         the store is {} KB smaller\nanswers stay\n",
        bytes / 1024
    )
}

fn head(lines: &[StageLine]) -> Vec<String> {
    let has_tally = lines.iter().any(|(_, tally, _)| tally.is_some());
    let fates = ["items", "done", "reused", "replaced", "skipped", "failed", "not started"];
    let mut head = vec!["stage".to_owned()];
    head.extend(fates.iter().filter(|_| has_tally).map(|name| (*name).to_owned()));
    head.extend(["requests", "from a fallback", "tokens in", "tokens out", "cost"].map(str::to_owned));
    head
}

fn row(name: &str, tally: Option<StageTally>, taken: &Requests) -> Vec<String> {
    let mut row = vec![name.to_owned()];
    if let Some(tally) = tally {
        let skipped = tally.skipped + tally.skipped_after_failure;
        let counts =
            [tally.instances, tally.done, tally.reused, tally.replaced, skipped, tally.failed, tally.not_started];
        row.extend(counts.map(|count| count.to_string()));
    }
    let usage = taken.usage;
    row.extend([taken.sent, taken.fallbacks, usage.input_tokens, usage.output_tokens].map(|count| count.to_string()));
    row.push(money(taken.cost));
    row
}

/// The lines of a table of stages, without the columns in which nothing stands. `items` and `done` always do.
fn stage_lines(mut rows: Vec<Vec<String>>, paint: Paint) -> String {
    let always = ["stage", "items", "done", "requests"];
    let is_nothing = |cell: &String| matches!(cell.as_str(), "" | "0");
    let columns = rows.first().map_or(0, Vec::len);
    for column in (0..columns).rev() {
        if !always.contains(&rows[0][column].as_str())
            && rows[1..].iter().all(|row| row.get(column).is_none_or(is_nothing))
        {
            rows.iter_mut().filter(|row| row.len() > column).for_each(|row| drop(row.remove(column)));
        }
    }
    let sides: Vec<Side> = (0..rows[0].len()).map(|at| if at == 0 { Side::Left } else { Side::Right }).collect();
    lines_of(&sides, &rows, paint)
}

fn lines_of(sides: &[Side], rows: &[Vec<String>], paint: Paint) -> String {
    let lines = table(sides, rows);
    let first = lines.first().map(|line| paint.dim(line) + "\n").unwrap_or_default();
    lines.iter().skip(1).fold(first, |text, line| text + line + "\n")
}

/// Nothing is no amount that anybody wants to read.
fn money(cost: Cost) -> String {
    if cost.is_nothing() { String::new() } else { cost.to_string() }
}

fn end(run: &KeptRun) -> String {
    let took = run.ended.map(|ended| format!(", after {}", Units::show_duration(span(run.began, ended))));
    let why = match outcome(run) {
        Some(
            RunOutcome::Blocked { failure } | RunOutcome::Unwritable { failure } | RunOutcome::Internal { failure },
        ) => {
            format!(": {}", one_line(&failure.message))
        }
        _ => String::new(),
    };
    format!("{}{}{why}", end_in_a_word(run), took.unwrap_or_default())
}

/// Why an instance did not come out, and what had arrived of its answer.
fn reason(one: &KeptInstance) -> (String, Option<String>) {
    let failure: Option<Failure> = serde_json::from_value(one.why.clone()).ok();
    match (one.state, failure) {
        (InstanceState::Failed | InstanceState::Replaced, Some(failure)) => (failure.message, failure.partial),
        _ => (skip(&one.why), None),
    }
}

fn skip(why: &Json) -> String {
    match serde_json::from_value(why.clone()) {
        Ok(SkipReason::When) => "its `when` is false".to_owned(),
        Ok(SkipReason::Absent { stage }) => format!("`{stage}` is not there"),
        Ok(SkipReason::Failed { stage }) => format!("`{stage}` has failed"),
        Ok(SkipReason::Unknown { .. }) | Err(_) => why.to_string(),
    }
}

fn named(stage: &str, item: Option<&str>) -> String {
    item.map_or_else(|| stage.to_owned(), |item| format!("{stage}/{item}"))
}

fn requests(count: u64) -> String {
    if count == 1 { "1 request".to_owned() } else { format!("{count} requests") }
}

fn excerpt(text: &str) -> String {
    let line = one_line(text);
    match line.char_indices().nth(EXCERPT) {
        Some((end, _)) => format!("{} [.. and more]", &line[..end]),
        None => line,
    }
}

fn pretty(canonical: &str) -> String {
    let call: Json = serde_json::from_str(canonical).unwrap_or_default();
    serde_json::to_string_pretty(&call).unwrap_or_default()
}

fn indented(text: &str) -> String {
    text.trim_end().lines().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
}

pub(super) fn minute(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M").to_string()
}

fn span(from: Timestamp, to: Timestamp) -> Duration {
    Duration::try_from(to.duration_since(from)).unwrap_or_default()
}
