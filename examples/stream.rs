//! A text, shown as it comes.
//!
//! ```sh
//! BLOSSOM_PROVIDER=offline cargo run --example stream
//! ```
#![expect(clippy::print_stdout, reason = "an example shows something")]

use std::error::Error;
use std::io::{Write, stdout};

use blossom_run::Blossom;

#[tokio::main]
pub(crate) async fn main() -> Result<(), Box<dyn Error>> {
    let blossom = Blossom::from_env()?;
    let mut story = blossom.text("Tell me a short story").stream();
    while let Some(piece) = story.next().await {
        print!("{}", piece?);
        stdout().flush()?;
    }
    println!();
    Ok(())
}
