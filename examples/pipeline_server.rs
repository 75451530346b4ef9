//! A web server that runs a pipeline for each request: the body has its inputs, the answer its outputs.
//!
//! ```sh
//! BLOSSOM_PROVIDER=offline cargo run --example pipeline_server -- generate.yaml
//! curl http://127.0.0.1:8080/ --json '{"prompt": "Name a river"}'
//! ```
#![expect(clippy::print_stdout, reason = "an example shows something")]

use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use blossom_run::engine::{self, Request, RunOptions};
use blossom_run::model::{Failure, FailureKind, JsonMap, RunOutcome};
use blossom_run::plan::Plan;
use futures::StreamExt;
use serde_json::{Value, json};
use tokio::net::TcpListener;

type Answer = (StatusCode, Json<Value>);

#[tokio::main]
pub(crate) async fn main() -> Result<(), Box<dyn Error>> {
    let file = std::env::args().nth(1).ok_or("name a pipeline file: `pipeline_server generate.yaml`")?;
    let app = Router::new().route("/", post(respond)).with_state(PathBuf::from(file));
    let port = std::env::var("PORT").unwrap_or("8080".to_owned());
    let listener = TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    println!("http://{}", listener.local_addr()?);
    axum::serve(listener, app).await?;
    Ok(())
}

async fn respond(State(file): State<PathBuf>, Json(inputs): Json<JsonMap>) -> Answer {
    match open(file, inputs) {
        Ok(plan) => run(plan)
            .await
            .unwrap_or_else(|failure| (StatusCode::INTERNAL_SERVER_ERROR, Json(json!({"error": failure.message})))),
        Err(mistakes) => (StatusCode::BAD_REQUEST, Json(json!({"mistakes": mistakes}))),
    }
}

/// The pipeline with these inputs, or what is wrong with them.
fn open(file: PathBuf, input_values: JsonMap) -> Result<Arc<Plan>, Vec<String>> {
    let provider = std::env::var("BLOSSOM_PROVIDER").ok();
    let checked = engine::check(&Request { file, input_values, provider, to_run: true, ..Request::default() });
    checked.plan.ok_or_else(|| checked.diagnostics.iter().map(|mistake| mistake.message.clone()).collect())
}

/// Runs it in a folder that is gone afterwards.
async fn run(plan: Arc<Plan>) -> Result<Answer, Failure> {
    let folder = tempfile::tempdir().map_err(|error| Failure::new(FailureKind::Output, error.to_string()))?;
    let options = RunOptions { out: folder.path().to_owned(), ..RunOptions::default() };
    let (running, events) = engine::run(plan, options)?;
    // Each event could go to the visitor, as it happens; here they are counted.
    let (finished, events) = tokio::join!(running.finish(), events.count());
    let status = if finished.outcome == RunOutcome::Done { StatusCode::OK } else { StatusCode::BAD_GATEWAY };
    let outputs: JsonMap = finished.outputs.into_iter().map(|output| (output.name, output.value)).collect();
    Ok((status, Json(json!({"outputs": outputs, "events": events}))))
}
