//! A limit in time.
//!
//! ```sh
//! BLOSSOM_PROVIDER=offline cargo run --example timeout
//! ```
#![expect(clippy::print_stdout, reason = "an example shows something")]

use std::time::Duration;

use blossom_run::model::FailureKind;
use blossom_run::{Blossom, Error, TextAnswer};

const LIMIT: Duration = Duration::from_secs(5);

#[tokio::main]
pub(crate) async fn main() -> Result<(), Error> {
    let blossom = Blossom::from_env()?;
    match in_time(&blossom, "Tell the whole history of the sea").await? {
        Some(answer) => println!("{answer}"),
        None => println!("There was no answer within {LIMIT:?}"),
    }
    Ok(())
}

/// An answer, or none if it takes too long, with all attempts and pauses.
pub(crate) async fn in_time(blossom: &Blossom, prompt: &str) -> Result<Option<TextAnswer>, Error> {
    match blossom.text(prompt).timeout(LIMIT).await {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if error.kind() == FailureKind::Timeout => Ok(None),
        Err(error) => Err(error),
    }
}
