//! Retries: a policy of one's own, watched, and a loop of one's own.
//!
//! ```sh
//! BLOSSOM_PROVIDER=offline cargo run --example retry
//! ```
#![expect(clippy::print_stdout, reason = "an example shows something")]

use std::time::Duration;

use blossom_run::model::{EventKind, RetryPolicy};
use blossom_run::{Blossom, Error, TextAnswer};
use futures::StreamExt;
use tokio::time::sleep;

#[tokio::main]
pub(crate) async fn main() -> Result<(), Error> {
    let backoff = Duration::from_millis(200);
    let policy = RetryPolicy { attempts: 4, backoff, factor: 2.0, jitter: false, ..RetryPolicy::default() };
    let (blossom, events) = Blossom::builder().retry(policy).build_watched()?;

    let ask = async {
        println!("{}", blossom.text("Hello").await?);
        println!("{}", patiently(&blossom, "Goodbye", 4).await?);
        // With the client its events end.
        drop(blossom);
        Ok(())
    };
    let watch = events.for_each(async |event| {
        if let EventKind::AttemptFailed { attempt, failure, retry_in: Some(pause), .. } = event.kind {
            println!("Attempt {attempt} failed ({failure}), again in {pause:?}");
        }
    });
    let (asked, ()) = tokio::join!(ask, watch);
    asked
}

/// What the policy does, by hand: for programs that have to do something else in between.
pub(crate) async fn patiently(blossom: &Blossom, prompt: &str, attempts: u32) -> Result<TextAnswer, Error> {
    let ask = blossom.text(prompt).no_retry();
    let mut pause = Duration::from_millis(200);
    for _ in 1..attempts {
        match ask.clone().await {
            Err(error) if error.is_transient() => {
                // A service that names a time knows better.
                sleep(error.retry_after().unwrap_or(pause)).await;
                pause *= 2;
            }
            outcome => return outcome,
        }
    }
    ask.await
}
