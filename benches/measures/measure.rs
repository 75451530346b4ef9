//! What is measured, one function a measure.

pub(crate) mod digest;
pub(crate) mod kept;
pub(crate) mod kills;

use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::bare;
use crate::child::{Server, Task, timed};
use crate::latency::Latency;
use crate::program::{Ran, Workspace};
use crate::table::{Goal, Row, median, time};

/// How often that is done which takes seconds.
const RUNS: usize = 5;
/// How often that is done which takes milliseconds.
const SHORT_RUNS: usize = 21;
/// How many draws of latencies are measured: how late the last call of a run happens to be is a good part of what one
/// of them takes beyond its bound.
const DRAWS: u64 = 9;

/// Many calls at once, beside a loop that does nothing else.
pub(crate) fn calls() -> Result<Vec<Row>> {
    const COUNT: u32 = 20_000;
    const CONCURRENCY: u32 = 256;
    const LATENCY: Duration = Duration::from_millis(5);
    let server = Server::start(Latency::Fixed(LATENCY))?;
    let base_url = server.base_url();
    let pipeline = format!(
        r#"name: calls
providers: {{stub: {{kind: openai, base_url: "{base_url}", concurrency: {CONCURRENCY}}}}}
defaults: {{provider: stub, model: stub, concurrency: {CONCURRENCY}}}
stages:
  say:
    for_each: {{n: {COUNT}}}
    text: "Say {{{{n}}}}"
    save: said.jsonl"#
    );
    let workspaces = (Workspace::new(&pipeline)?, Workspace::new(&pipeline)?.with_store_in_memory()?);
    let bare = |one_thread| {
        Task::Calls(bare::Calls { base_url: base_url.clone(), count: COUNT, concurrency: CONCURRENCY, one_thread })
    };
    let run = |workspace: &Workspace| {
        server.take_stats()?;
        let ran = workspace.run()?;
        let stats = server.take_stats()?;
        ensure!(stats.requests == COUNT, "{} requests were sent, {COUNT} are wanted", stats.requests);
        ensure!(workspace.lines_out("said.jsonl")? == COUNT as usize, "rows are missing");
        Ok(ran.wall)
    };
    let (mut ours, mut in_memory, mut loops, mut single) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..RUNS {
        loops.push(timed(&bare(false))?);
        single.push(timed(&bare(true))?);
        ours.push(run(&workspaces.0)?);
        in_memory.extend(workspaces.1.as_ref().map(run).transpose()?);
    }
    let rate = |walls: &[Duration]| {
        let wall = median(walls.to_vec()).context("a run")?;
        anyhow::Ok(f64::from(COUNT) / wall.as_secs_f64())
    };
    let row = |what: &str, ours: &[Duration], (theirs, who): (&[Duration], &str), goal: Goal| {
        let (ours, theirs) = (rate(ours)?, rate(theirs)?);
        anyhow::Ok(Row {
            measure: format!("`calls`: {COUNT} calls, {CONCURRENCY} at once, 5 ms each{what}"),
            figure: format!("{ours:.0} calls/s"),
            beside: format!("{theirs:.0} calls/s, {who}"),
            ratio: Some(ours / theirs),
            goal,
        })
    };
    let (all, one) = ((&*loops, "a bare loop on all cores"), (&*single, "a bare loop on one thread"));
    let mut rows = vec![row("", &ours, all, Goal::AtLeast(0.8))?, row("", &ours, one, Goal::None)?];
    if !in_memory.is_empty() {
        rows.push(row("; the store in memory", &in_memory, all, Goal::None)?);
    }
    Ok(rows)
}

/// Two loops over a list and one stage after them, beside the least that it can take, and beside the same with a
/// barrier after each stage.
pub(crate) fn barriers() -> Result<Vec<Row>> {
    const ITEMS: u32 = 500;
    const CONCURRENCY: u32 = 32;
    const MEAN: Duration = Duration::from_millis(50);
    let (mut ours, mut loops) = (Vec::new(), Vec::new());
    for seed in 0..DRAWS {
        let server = Server::start(Latency::LogNormal { mean: MEAN, sigma: 0.5, seed })?;
        let base_url = server.base_url();
        let workspace = Workspace::new(&digest::pipeline(&base_url, CONCURRENCY))?;
        workspace.file("articles.jsonl", (1..=ITEMS).map(digest::row))?;
        let bare = Task::Barriers(bare::Barriers { base_url, items: ITEMS, concurrency: CONCURRENCY });
        let wall = timed(&bare)?;
        let theirs = server.take_stats()?;
        loops.push(OverBound::new(wall, theirs.drawn, CONCURRENCY, MEAN));
        let ran = workspace.run()?;
        let stats = server.take_stats()?;
        ensure!(stats.requests == 2 * ITEMS + 1, "{} requests were sent", stats.requests);
        ensure!(stats.drawn == theirs.drawn, "the loop beside it did not ask the same");
        ensure!(stats.max_in_flight <= CONCURRENCY, "{} calls were in flight at once", stats.max_in_flight);
        ours.push(OverBound::new(ran.wall, stats.drawn, CONCURRENCY, MEAN));
    }
    let work = format!("`barriers`: {ITEMS} items through two stages, {CONCURRENCY} at once, 50 ms each on average");
    let row = |measure: String, draws: Vec<OverBound>, goal: Goal| {
        let OverBound { ratio, wall, bound } = median(draws).context("a run")?;
        let (figure, beside) = (time(wall), format!("{}, all slots busy and one call", time(bound)));
        anyhow::Ok(Row { measure, figure, beside, ratio: Some(ratio), goal })
    };
    Ok(vec![
        row(work.clone(), ours, Goal::AtMost(1.10))?,
        row(format!("{work}; a bare loop with a barrier after each stage"), loops, Goal::None)?,
    ])
}

/// What a run took beside the least that it can take: every slot busy until the last stage, and that one call.
#[derive(Clone, Copy, PartialEq, PartialOrd)]
struct OverBound {
    ratio: f64,
    wall: Duration,
    bound: Duration,
}

impl OverBound {
    fn new(wall: Duration, drawn: Duration, concurrency: u32, mean: Duration) -> Self {
        let bound = drawn / concurrency + mean;
        Self { ratio: wall.as_secs_f64() / bound.as_secs_f64(), wall, bound }
    }
}

/// The most memory that lists of two lengths take.
pub(crate) fn memory() -> Result<Vec<Row>> {
    const FEW: u32 = 10_000;
    const MANY: u32 = 1_000_000;
    const MOST: u64 = 150 * 1024 * 1024;
    let few = over_rows(FEW)?;
    let many = over_rows(MANY)?;
    ensure!(few.peak > 0, "this system does not say how much memory a process takes");
    let (few_held, many_held) = (held_rows(FEW)?, held_rows(MANY)?);
    let row = |rows: u32, ran: Ran| format!("{:.1} MiB in {}, {rows} rows", mebibytes(ran.peak), time(ran.wall));
    Ok(vec![
        Row {
            measure: "`memory`: two stages over a file of rows, the offline provider".to_owned(),
            figure: row(MANY, many),
            beside: row(FEW, few),
            ratio: Some(mebibytes(many.peak) / mebibytes(few.peak)),
            goal: Goal::AtMost(1.5),
        },
        Row {
            measure: format!("`memory`: the longer of these, {MANY} rows"),
            figure: format!("{:.1} MiB", mebibytes(many.peak)),
            beside: String::new(),
            ratio: None,
            goal: Goal::Words("under 150 MiB".to_owned(), many.peak < MOST),
        },
        Row {
            measure: "`memory`: values of every row held for a later pass over them".to_owned(),
            figure: row(MANY, many_held),
            beside: row(FEW, few_held),
            ratio: None,
            goal: Goal::Words("under 150 MiB".to_owned(), many_held.peak < MOST),
        },
    ])
}

fn over_rows(rows: u32) -> Result<Ran> {
    let workspace = Workspace::new(
        r#"name: memory
inputs:
  rows: {type: items, default: rows.jsonl}
defaults: {provider: offline, model: offline, concurrency: 64}
stages:
  describe:
    for_each: {row: rows}
    text: "Describe in one sentence: {{row.body}}"
  line:
    for_each: {row: rows}
    render: "{{row.id}}: {{describe}}"
    save: lines.jsonl"#,
    )?
    .watched();
    workspace.file("rows.jsonl", (1..=rows).map(digest::row))?;
    let ran = workspace.run()?;
    ensure!(workspace.lines_out("lines.jsonl")? == rows as usize, "rows are missing");
    Ok(ran)
}

/// The description of every row is held until all notes are collected, of which there are a few.
fn held_rows(rows: u32) -> Result<Ran> {
    const NOTED: u32 = 10;
    let workspace = Workspace::new(&format!(
        r#"name: held
inputs:
  rows: {{type: items, default: rows.jsonl}}
defaults: {{provider: offline, model: offline, concurrency: 64}}
stages:
  describe:
    for_each: {{row: rows}}
    render: "What is said of {{{{row.id}}}}: {{{{row.body}}}}"
  note:
    for_each: {{row: rows}}
    when: lt row.id {NOTED}
    render: "{{{{row.id}}}}: {{{{describe}}}}"
  overview:
    text: "Sum these up: {{{{#each note}}}}- {{{{this}}}} {{{{/each}}}}"
  line:
    for_each: {{row: rows}}
    render: "{{{{row.id}}}}: {{{{describe}}}} ({{{{len overview}}}})"
    save: lines.jsonl"#
    ))?
    .watched();
    workspace.file("rows.jsonl", (1..=rows).map(digest::row))?;
    let ran = workspace.run()?;
    ensure!(workspace.lines_out("lines.jsonl")? == rows as usize, "rows are missing");
    Ok(ran)
}

#[expect(clippy::cast_precision_loss, reason = "a figure of three digits is printed")]
fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / (1024.0 * 1024.0)
}

/// Checking a long file.
pub(crate) fn check() -> Result<Vec<Row>> {
    const STAGES: usize = 100;
    const MOST: Duration = Duration::from_millis(50);
    let workspace = Workspace::new(&long_file(STAGES))?;
    let walls = (0..SHORT_RUNS).map(|_| Ok(workspace.check()?.wall)).collect::<Result<_>>()?;
    let wall = median(walls).context("a run")?;
    Ok(vec![Row {
        measure: format!("`check`: a file of {STAGES} stages"),
        figure: time(wall),
        beside: String::new(),
        ratio: None,
        goal: Goal::Words("under 50 ms".to_owned(), wall < MOST),
    }])
}

fn long_file(stages: usize) -> String {
    const HEAD: &str = "name: long\n\
         inputs:\n  topic: {default: lighthouses}\n  places: {type: items, default: [{name: north}, {name: south}]}\n\
         defaults: {provider: offline, model: offline}\nstages:\n";
    HEAD.to_owned() + &(0..stages).map(link).collect::<String>()
}

/// Chains of four: one call, a call per item that names it, a rendering beside that, one call that collects these.
fn link(number: usize) -> String {
    let before = number.saturating_sub(1);
    match number % 4 {
        0 => format!("  s{number}:\n    text: \"Write about {{{{topic}}}}, for the {number}th time\"\n"),
        1 => format!(
            "  s{number}:\n    for_each: {{place: places}}\n    \
             text: \"Move this to {{{{place.name}}}}: {{{{truncate s{before} 300}}}}\"\n    max_tokens: 200\n"
        ),
        2 => format!(
            "  s{number}:\n    for_each: place\n    render: \"# {{{{place.name}}}}\\n{{{{s{before}}}}}\"\n    \
             save: \"{number}/{{{{slug place.name}}}}.md\"\n"
        ),
        _ => format!(
            "  s{number}:\n    text: |\n      Put these together:\n      {{{{#each s{before}}}}}- {{{{this}}}}\n      \
             {{{{/each}}}}\n    save: {number}.md\n"
        ),
    }
}

/// From starting the program until a server has its first request.
pub(crate) fn start() -> Result<Vec<Row>> {
    const MOST: Duration = Duration::from_millis(20);
    let server = Server::start(Latency::Fixed(Duration::ZERO))?;
    let workspace = Workspace::new(&format!(
        r#"name: start
providers: {{stub: {{kind: openai, base_url: "{}"}}}}
defaults: {{provider: stub, model: stub}}
stages:
  greet:
    text: Say hello
    save: greeting.txt"#,
        server.base_url()
    ))?;
    let first_request = || {
        let began = workspace.run()?.began;
        let first = server.take_stats()?.first_at.context("no request was sent")?;
        Ok(Duration::try_from(first.duration_since(began))?)
    };
    let times = (0..SHORT_RUNS).map(|_| first_request()).collect::<Result<_>>()?;
    let median = median(times).context("a run")?;
    Ok(vec![Row {
        measure: "`start`: from starting the program to its first request".to_owned(),
        figure: time(median),
        beside: String::new(),
        ratio: None,
        goal: Goal::Words("under 20 ms".to_owned(), median < MOST),
    }])
}
