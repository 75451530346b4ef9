//! One question, one answer.
//!
//! ```sh
//! BLOSSOM_PROVIDER=offline cargo run --example quick_start
//! ```
#![expect(clippy::print_stdout, reason = "an example shows something")]

use blossom_run::{Blossom, Error};

#[tokio::main]
pub(crate) async fn main() -> Result<(), Error> {
    // Pollinations and the key in `POLLINATIONS_API_KEY`; or whom `BLOSSOM_PROVIDER` names.
    let blossom = Blossom::from_env()?;
    let answer = blossom.text("Hello, async world!").await?;
    println!("{answer}");
    Ok(())
}
