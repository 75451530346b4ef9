//! A conversation: who said what, and the next thing that is said.
//!
//! ```sh
//! BLOSSOM_PROVIDER=offline cargo run --example chat
//! ```
#![expect(clippy::print_stdout, reason = "an example shows something")]

use blossom_run::{Blossom, Error, Message};

#[tokio::main]
pub(crate) async fn main() -> Result<(), Error> {
    let blossom = Blossom::from_env()?;
    let messages = [Message::system("You are a helpful assistant"), Message::user("What is async/await?")];
    let answer = blossom.chat(messages).model("openai").await?;
    println!("{answer}");
    Ok(())
}
