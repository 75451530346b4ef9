//! Several texts as they come, each line behind the name of its text.
//!
//! ```sh
//! BLOSSOM_PROVIDER=offline cargo run --example many_streams
//! ```
#![expect(clippy::print_stdout, reason = "an example shows something")]

use blossom_run::{Blossom, Error, TextStream};
use tokio::try_join;

#[tokio::main]
pub(crate) async fn main() -> Result<(), Error> {
    let blossom = Blossom::from_env()?;
    let lengths = try_join!(
        tell("numbers", blossom.text("Count to 5").stream()),
        tell("colors", blossom.text("List 3 colors").stream()),
        tell("animals", blossom.text("Name 3 animals").stream()),
    )?;
    println!("{lengths:?} characters");
    Ok(())
}

/// Shows a text line by line, since half a line of one and half a line of another make none. Gives its length.
async fn tell(label: &str, mut stream: TextStream) -> Result<usize, Error> {
    let mut line = String::new();
    while let Some(piece) = stream.next().await {
        line.push_str(&piece?);
        while let Some((whole, rest)) = line.split_once('\n') {
            println!("{label:>8} │ {whole}");
            line = rest.to_owned();
        }
    }
    println!("{label:>8} │ {line}");
    Ok(stream.text().chars().count())
}
