//! What it costs to use answers again.

use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::child::Server;
use crate::latency::Latency;
use crate::program::Workspace;
use crate::table::{Goal, Row, median, time};

use super::{RUNS, SHORT_RUNS};

/// Many calls that are kept: the run that makes them, one that makes none, and how long it takes to begin.
pub(crate) fn reuse() -> Result<Vec<Row>> {
    const COUNT: u32 = 100_000;
    const CONCURRENCY: u32 = 256;
    let server = Server::start(Latency::Fixed(Duration::ZERO))?;
    let workspace = Workspace::new(&pipeline(&server, "reuse", COUNT, CONCURRENCY))?;
    server.take_stats()?;
    let first = workspace.run()?.wall;
    ensure!(server.take_stats()?.requests == COUNT, "not all calls were made");
    let size = size_of(&workspace)?;
    let said = workspace.outputs()?;
    let mut walls = Vec::new();
    for _ in 0..RUNS {
        walls.push(workspace.run_again()?.wall);
        ensure!(server.take_stats()?.requests == 0, "a kept call was made again");
        ensure!(workspace.outputs()? == said, "another answer was used");
    }
    let again = median(walls).context("a run")?;
    Ok(vec![
        Row {
            measure: format!("`reuse`: {COUNT} kept calls, none made again"),
            figure: format!("{}, {:.1} µs a call", time(again), again.as_secs_f64() * 1e6 / f64::from(COUNT)),
            beside: format!("{}, the run that made them", time(first)),
            ratio: Some(again.as_secs_f64() / first.as_secs_f64()),
            goal: Goal::None,
        },
        Row {
            measure: "`reuse`: what the store takes".to_owned(),
            figure: format!("{} bytes a call", size / u64::from(COUNT)),
            beside: String::new(),
            ratio: None,
            goal: Goal::None,
        },
        begin(&server, &workspace)?,
    ])
}

/// From starting the program to its first request, with a store that is full of others.
fn begin(server: &Server, full: &Workspace) -> Result<Row> {
    const MOST: Duration = Duration::from_millis(50);
    let mut times = Vec::new();
    for number in 0..SHORT_RUNS {
        let pipeline = pipeline(server, &format!("another{number}"), 1, 1);
        let workspace = Workspace::new(&pipeline)?.with_store_at(full.store().to_owned());
        server.take_stats()?;
        let began = workspace.run_again()?.began;
        let first = server.take_stats()?.first_at.context("no request was sent")?;
        times.push(Duration::try_from(first.duration_since(began))?);
    }
    let median = median(times).context("a run")?;
    Ok(Row {
        measure: "`reuse`: from starting the program to its first request, with that store".to_owned(),
        figure: time(median),
        beside: String::new(),
        ratio: None,
        goal: Goal::Words("under 50 ms".to_owned(), median < MOST),
    })
}

fn pipeline(server: &Server, stage: &str, count: u32, concurrency: u32) -> String {
    format!(
        r#"name: reuse
providers: {{stub: {{kind: openai, base_url: "{}", concurrency: {concurrency}}}}}
defaults: {{provider: stub, model: stub, concurrency: {concurrency}}}
stages:
  {stage}:
    for_each: {{n: {count}}}
    text: "Say {{{{n}}}}"
    save: said.jsonl"#,
        server.base_url()
    )
}

/// All files of the store, in bytes.
fn size_of(workspace: &Workspace) -> Result<u64> {
    let mut size = 0;
    for entry in std::fs::read_dir(workspace.store())? {
        size += entry?.metadata()?.len();
    }
    Ok(size)
}
