//! Opens a pipeline file, runs it and listens to what happens.
//!
//! ```sh
//! BLOSSOM_PROVIDER=offline cargo run --example run_pipeline -- pipelines/digest/pipeline.yaml
//! ```
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "an example shows something")]

use std::error::Error;
use std::path::Path;
use std::sync::Arc;

use blossom_run::diag::{DrawStyle, draw};
use blossom_run::engine::{self, Finished, Request, RunOptions};
use blossom_run::model::EventKind;
use blossom_run::plan::Plan;
use futures::StreamExt;

#[tokio::main]
pub(crate) async fn main() -> Result<(), Box<dyn Error>> {
    let file = std::env::args().nth(1).ok_or("name a pipeline file: `run_pipeline pipelines/digest/pipeline.yaml`")?;
    let finished = run(open(Path::new(&file))?).await?;
    for output in &finished.outputs {
        match &output.stage_saved {
            Some(path) => println!("{} is in out/{path}", output.name),
            None => println!("{}: {}", output.name, output.value),
        }
    }
    println!("{:?}", finished.outcome);
    Ok(())
}

/// Reads and checks a file, and says all that is wrong with it.
fn open(file: &Path) -> Result<Arc<Plan>, Box<dyn Error>> {
    let request = Request {
        file: file.to_owned(),
        // As `--provider` does: it takes the place of the one in `defaults`.
        provider: std::env::var("BLOSSOM_PROVIDER").ok(),
        working_dir: std::env::current_dir()?,
        to_run: true,
        ..Request::default()
    };
    let checked = engine::check(&request);
    for diagnostic in checked.diagnostics.iter() {
        eprintln!("{}", draw(diagnostic, &checked.files, DrawStyle::PLAIN));
    }
    checked.plan.ok_or_else(|| format!("`{}` can't be run", file.display()).into())
}

/// Runs a plan and tells each answer as it comes.
async fn run(plan: Arc<Plan>) -> Result<Finished, Box<dyn Error>> {
    let (running, mut events) = engine::run(plan, RunOptions::default())?;
    // The run goes on while it is awaited, and waits where nobody listens: both at the same time.
    let listening = async {
        while let Some(event) = events.next().await {
            match event.kind {
                EventKind::Done { item, took, .. } => {
                    println!("{} {} took {took:.0?}", item.stage, item.key.as_deref().unwrap_or(""));
                }
                EventKind::Failed { item, failure, .. } => println!("{} failed: {failure}", item.stage),
                _ => {}
            }
        }
    };
    let (finished, ()) = tokio::join!(running.finish(), listening);
    Ok(finished)
}
