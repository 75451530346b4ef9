//! A text, a conversation, a picture and a stream: the whole of it in a few lines.
//!
//! ```sh
//! BLOSSOM_PROVIDER=offline cargo run --example tour
//! ```
#![expect(clippy::print_stdout, reason = "an example shows something")]

use blossom_run::{Blossom, Error, Message};

#[tokio::main]
pub(crate) async fn main() -> Result<(), Error> {
    let blossom = Blossom::from_env()?;

    let answer = blossom.text("Explain async programming").max_tokens(200).await?;
    println!("{answer}");

    let history = [Message::user("Hello!"), Message::assistant("Hi."), Message::user("Tell me a joke")];
    println!("{}", blossom.chat(history).system("You are brief").await?);

    let picture = blossom.image("A beautiful sunset").width(1024).height(768).await?;
    picture.save("sunset.png").await?;

    let mut story = blossom.text("Tell me a short story").stream();
    while let Some(piece) = story.next().await {
        print!("{}", piece?);
    }
    println!();
    Ok(())
}
