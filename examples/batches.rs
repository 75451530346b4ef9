//! Many texts in batches, with a pause between two of them.
//!
//! ```sh
//! BLOSSOM_PROVIDER=offline cargo run --example batches
//! ```
#![expect(clippy::print_stdout, reason = "an example shows something")]

use std::time::Duration;

use blossom_run::{Blossom, Error, TextAnswer};
use futures::future::try_join_all;
use tokio::time::sleep;

const AT_ONCE: usize = 5;
const PAUSE: Duration = Duration::from_millis(500);

#[tokio::main]
pub(crate) async fn main() -> Result<(), Error> {
    let blossom = Blossom::from_env()?;
    let articles: Vec<String> = (1..=20).map(|number| format!("Article {number}")).collect();
    let summaries = summarize(&blossom, &articles).await?;
    println!("{} summaries", summaries.len());
    Ok(())
}

/// In the order of the articles.
pub(crate) async fn summarize(blossom: &Blossom, articles: &[String]) -> Result<Vec<TextAnswer>, Error> {
    let mut summaries = Vec::new();
    for (number, batch) in (1..).zip(articles.chunks(AT_ONCE)) {
        if number > 1 {
            sleep(PAUSE).await;
        }
        println!("Batch {number} ..");
        let asks = batch.iter().map(|article| blossom.text(format!("Summarize: {article}")));
        summaries.extend(try_join_all(asks).await?);
    }
    Ok(summaries)
}
