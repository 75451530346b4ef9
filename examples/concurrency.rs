//! A hundred questions, of which no more than five are on the wire at once.
//!
//! ```sh
//! BLOSSOM_PROVIDER=offline cargo run --example concurrency
//! ```
#![expect(clippy::print_stdout, reason = "an example shows something")]

use blossom_run::{Blossom, Error};
use futures::future::try_join_all;

#[tokio::main]
pub(crate) async fn main() -> Result<(), Error> {
    // The limit holds over all questions of this client and its clones; others wait for their turn.
    let blossom = Blossom::builder().concurrency(5).build()?;
    let asks = (1..=100).map(|number| blossom.text(format!("Process: Item {number}")));
    let answers = try_join_all(asks).await?;
    println!("{} answers", answers.len());
    Ok(())
}
