//! Three questions, one after another and all at the same time, by the clock.
//!
//! ```sh
//! BLOSSOM_PROVIDER=offline cargo run --example why_async
//! ```
#![expect(clippy::print_stdout, reason = "an example shows something")]

use std::time::Instant;

use blossom_run::{Blossom, Error, TextAnswer};
use futures::future::try_join_all;

const QUESTIONS: [&str; 3] = ["What is a fiord?", "What is a geyser?", "What is a delta?"];

#[tokio::main]
pub(crate) async fn main() -> Result<(), Error> {
    let blossom = Blossom::from_env()?;
    let began = Instant::now();
    let answers = in_turn(&blossom).await?;
    println!("{} answers, one after another: {:.1?}", answers.len(), began.elapsed());
    let began = Instant::now();
    let answers = at_once(&blossom).await?;
    println!("{} answers, at the same time: {:.1?}", answers.len(), began.elapsed());
    Ok(())
}

/// As long as all of them together.
pub(crate) async fn in_turn(blossom: &Blossom) -> Result<Vec<TextAnswer>, Error> {
    let mut answers = Vec::new();
    for question in QUESTIONS {
        answers.push(blossom.text(question).await?);
    }
    Ok(answers)
}

/// As long as the slowest of them.
pub(crate) async fn at_once(blossom: &Blossom) -> Result<Vec<TextAnswer>, Error> {
    try_join_all(QUESTIONS.map(|question| blossom.text(question))).await
}
