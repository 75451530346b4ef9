//! What is dropped tidies up after itself: of three that are asked, the first is taken and the others are let go.
//!
//! ```sh
//! BLOSSOM_PROVIDER=offline cargo run --example tidy
//! ```
#![expect(clippy::print_stdout, reason = "an example shows something")]

use blossom_run::{Blossom, Error, TextAnswer};
use futures::future::select_ok;

#[tokio::main]
pub(crate) async fn main() -> Result<(), Error> {
    let blossom = Blossom::from_env()?;
    println!("{}", quickest(&blossom, "Hello").await?);
    Ok(())
    // Here the client ends, with its connections. Had there been an error, it would have ended there.
}

/// The first answer of three. The other two questions end here too, and take their requests back from the wire.
pub(crate) async fn quickest(blossom: &Blossom, prompt: &str) -> Result<TextAnswer, Error> {
    let asks = (1..=3).map(|number| blossom.text(prompt).variant(number));
    let (answer, _others) = select_ok(asks).await?;
    Ok(answer)
}
