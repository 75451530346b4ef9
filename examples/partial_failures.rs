//! Several questions, and two lists afterwards: what came out, and what failed.
//!
//! ```sh
//! BLOSSOM_PROVIDER=offline cargo run --example partial_failures
//! ```
#![expect(clippy::print_stdout, reason = "an example shows something")]

use blossom_run::{Blossom, Error};
use futures::future::join_all;

#[tokio::main]
pub(crate) async fn main() -> Result<(), Error> {
    let blossom = Blossom::from_env()?;
    let prompts = ["One fact about the Elbe", "", "One fact about the Tejo"];
    let results = join_all(prompts.map(|prompt| blossom.text(prompt))).await;
    let (mut answers, mut failures) = (Vec::new(), Vec::new());
    for (prompt, result) in prompts.into_iter().zip(results) {
        match result {
            Ok(answer) => answers.push(answer),
            Err(error) => failures.push((prompt, error)),
        }
    }
    println!("{} came out", answers.len());
    println!("{} failed", failures.len());
    for (prompt, error) in failures {
        println!("  {prompt:?}: {error}");
    }
    Ok(())
}
