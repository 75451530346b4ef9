//! Many questions behind a progress bar.
//!
//! ```sh
//! BLOSSOM_PROVIDER=offline cargo run --example progress
//! ```
#![expect(clippy::print_stdout, reason = "an example shows something")]

use blossom_run::{Blossom, Error, TextAnswer};
use futures::TryFutureExt;
use futures::future::try_join_all;
use indicatif::ProgressBar;

#[tokio::main]
pub(crate) async fn main() -> Result<(), Error> {
    let blossom = Blossom::from_env()?;
    let bar = ProgressBar::new(20);
    let answers = process(&blossom, 20, &bar).await?;
    bar.finish();
    println!("{} answers", answers.len());
    Ok(())
}

/// In the order of the items; the bar grows as they come.
pub(crate) async fn process(blossom: &Blossom, items: u32, bar: &ProgressBar) -> Result<Vec<TextAnswer>, Error> {
    let asks = (1..=items).map(|item| blossom.text(format!("Process: Item {item}")));
    try_join_all(asks.map(|ask| ask.inspect_ok(|_| bar.inc(1)))).await
}
