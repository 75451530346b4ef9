//! A web server that asks for its visitors.
//!
//! ```sh
//! BLOSSOM_PROVIDER=offline cargo run --example web_server
//! curl 'http://127.0.0.1:8080/generate?prompt=Name+a+river'
//! curl http://127.0.0.1:8080/batch --json '["Name a river", "Name a lake"]'
//! ```
#![expect(clippy::print_stdout, reason = "an example shows something")]

use std::error::Error;

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use blossom_run::Blossom;
use blossom_run::model::FailureKind;
use futures::future::try_join_all;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::TcpListener;

#[derive(Deserialize)]
struct Asked {
    prompt: String,
}

#[tokio::main]
pub(crate) async fn main() -> Result<(), Box<dyn Error>> {
    // One client for all visitors: its limits hold over all of them.
    let blossom = Blossom::from_env()?;
    let app = Router::new().route("/generate", get(generate)).route("/batch", post(batch)).with_state(blossom);
    let port = std::env::var("PORT").unwrap_or("8080".to_owned());
    let listener = TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    println!("http://{}", listener.local_addr()?);
    axum::serve(listener, app).await?;
    Ok(())
}

async fn generate(State(blossom): State<Blossom>, Query(asked): Query<Asked>) -> Result<Json<Value>, Refused> {
    let answer = blossom.text(asked.prompt).await?;
    Ok(Json(json!({"response": answer.text})))
}

async fn batch(State(blossom): State<Blossom>, Json(prompts): Json<Vec<String>>) -> Result<Json<Value>, Refused> {
    let answers = try_join_all(prompts.into_iter().map(|prompt| blossom.text(prompt))).await?;
    let responses: Vec<String> = answers.into_iter().map(String::from).collect();
    Ok(Json(json!({"responses": responses})))
}

/// There is no answer. A visitor who hangs up meanwhile ends the question, and its request with it.
struct Refused(blossom_run::Error);

impl From<blossom_run::Error> for Refused {
    fn from(error: blossom_run::Error) -> Self {
        Self(error)
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let Self(error) = self;
        let status = match error.kind() {
            FailureKind::BadRequest => StatusCode::BAD_REQUEST,
            _ if error.is_transient() => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::BAD_GATEWAY,
        };
        (status, Json(json!({"error": error.message(), "suggestion": error.suggestion()}))).into_response()
    }
}
