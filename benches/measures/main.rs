//! What the program costs, measured beside what it could cost at least: `cargo bench --bench measures`, or some of it:
//! `cargo bench --bench measures -- calls memory`.
//!
//! A server stands in for a service, in a process of its own; it answers after a time that it draws from the
//! request, so that the same work always takes the same time. What is printed are ratios to that, and to a bare
//! loop over the HTTP client, since figures by themselves say more of the machine than of the program.
#![expect(clippy::print_stdout, reason = "a table on standard output is what a benchmark is for")]

mod bare;
mod child;
mod latency;
mod machine;
mod measure;
mod program;
mod stub;
mod table;

use anyhow::{Context, Result, bail};

use table::Row;

/// Measures the program and gives rows of the table.
type Measure = fn() -> Result<Vec<Row>>;

/// By name, in the order of the table.
const MEASURES: [(&str, Measure); 8] = [
    ("calls", measure::calls),
    ("barriers", measure::barriers),
    ("memory", measure::memory),
    ("check", measure::check),
    ("start", measure::start),
    ("reuse", measure::kept::reuse),
    ("kills", measure::kills::kills),
    ("full", measure::kills::full),
];

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [flag, task] = arguments.as_slice()
        && flag == child::FLAG
    {
        return child::perform(task);
    }
    // `cargo bench` says so; `cargo test --all-targets` doesn't, and is to stay short.
    if !arguments.iter().any(|argument| argument == "--bench") {
        println!("nothing is measured without optimisation: `cargo bench --bench measures`");
        return Ok(());
    }
    let wanted: Vec<&str> = arguments.iter().map(String::as_str).filter(|name| !name.starts_with("--")).collect();
    for name in &wanted {
        if !MEASURES.iter().any(|(known, _)| known == name) {
            let known = MEASURES.map(|(known, _)| known).join(", ");
            bail!("no measure is called `{name}`; there are {known}");
        }
    }
    program::build()?;
    println!("{}\n\n{}", machine::facts(), table::HEAD);
    for (name, measure) in MEASURES {
        if wanted.is_empty() || wanted.contains(&name) {
            for row in measure().with_context(|| format!("measuring `{name}`"))? {
                println!("{row}");
            }
        }
    }
    Ok(())
}
