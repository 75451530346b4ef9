//! A text whose words are counted while it comes.
//!
//! ```sh
//! BLOSSOM_PROVIDER=offline cargo run --example stream_words
//! ```
#![expect(clippy::print_stdout, reason = "an example shows something")]

use std::error::Error;
use std::io::{Write, stdout};

use blossom_run::Blossom;

#[tokio::main]
pub(crate) async fn main() -> Result<(), Box<dyn Error>> {
    let blossom = Blossom::from_env()?;
    let mut stream = blossom.text("Explain quantum computing").stream();
    while let Some(piece) = stream.next().await {
        piece?;
        // Of all that is there: a piece may end in the middle of a word.
        print!("\rWords: {}", words(stream.text()));
        stdout().flush()?;
    }
    let answer = stream.finish().await?;
    println!("\nWords in all: {}", words(&answer.text));
    println!("Characters in all: {}", answer.text.chars().count());
    Ok(())
}

fn words(text: &str) -> usize {
    text.split_whitespace().count()
}
