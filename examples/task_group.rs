//! Several questions, all or nothing: the first that fails ends the others.
//!
//! ```sh
//! BLOSSOM_PROVIDER=offline cargo run --example task_group
//! ```
#![expect(clippy::print_stdout, reason = "an example shows something")]

use std::error::Error;

use blossom_run::{Blossom, TextAnswer};
use tokio::task::JoinSet;

#[tokio::main]
pub(crate) async fn main() -> Result<(), Box<dyn Error>> {
    let blossom = Blossom::from_env()?;
    for answer in all_or_nothing(&blossom, &["Question 1", "Question 2", "Question 3"]).await? {
        println!("{answer}");
    }
    Ok(())
}

/// In the order in which they come. Each question is a task of its own; all end with the group, however it ends.
pub(crate) async fn all_or_nothing(blossom: &Blossom, questions: &[&str]) -> Result<Vec<TextAnswer>, Box<dyn Error>> {
    let mut group: JoinSet<_> = questions.iter().map(|question| blossom.text(*question)).collect();
    let mut answers = Vec::new();
    while let Some(ended) = group.join_next().await {
        answers.push(ended??);
    }
    Ok(answers)
}
