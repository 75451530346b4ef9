//! A text, a picture and a conversation at the same time.
//!
//! ```sh
//! BLOSSOM_PROVIDER=offline cargo run --example mixed
//! ```
#![expect(clippy::print_stdout, reason = "an example shows something")]

use blossom_run::{Blossom, Error, Message};
use tokio::try_join;

#[tokio::main]
pub(crate) async fn main() -> Result<(), Error> {
    let blossom = Blossom::from_env()?;
    let (text, picture, reply) = try_join!(
        blossom.text("Describe a sunset"),
        blossom.image("A beautiful sunset").width(512).height(512),
        blossom.chat([Message::user("Hello")]),
    )?;
    println!("text: {text:.100}");
    println!("picture: {} bytes", picture.bytes.len());
    println!("reply: {reply:.100}");
    Ok(())
}
