//! Analyses, summaries and a report by hand: no summary waits for the analysis of another item.
//!
//! ```sh
//! BLOSSOM_PROVIDER=offline cargo run --example three_stages
//! ```
#![expect(clippy::print_stdout, reason = "an example shows something")]

use blossom_run::{Blossom, Error, TextAnswer};
use futures::stream::{self, StreamExt, TryStreamExt};

/// Items that are under way at once.
const AT_ONCE: usize = 8;

#[tokio::main]
pub(crate) async fn main() -> Result<(), Error> {
    let blossom = Blossom::from_env()?;
    println!("{}", report(&blossom, &["Data 1", "Data 2", "Data 3"]).await?);
    Ok(())
}

pub(crate) async fn report(blossom: &Blossom, items: &[&str]) -> Result<TextAnswer, Error> {
    let summarize = async |item| {
        let analysis = blossom.text(format!("Analyze: {item}")).await?;
        blossom.text(format!("Summarize: {analysis}")).await
    };
    // The stream is read as there is room, and keeps the order of the items; `buffer_unordered` would not.
    let summaries: Vec<TextAnswer> = stream::iter(items).map(summarize).buffered(AT_ONCE).try_collect().await?;
    let summaries: Vec<&str> = summaries.iter().map(AsRef::as_ref).collect();
    blossom.text(format!("Create a final report from:\n{}", summaries.join("\n\n"))).await
}
