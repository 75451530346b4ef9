//! A chat bot that remembers what was said, and answers as it thinks.
//!
//! ```sh
//! BLOSSOM_PROVIDER=offline cargo run --example chat_bot
//! ```
#![expect(clippy::print_stdout, reason = "an example shows something")]

use std::error::Error;
use std::io::{Write, stdin, stdout};

use blossom_run::Blossom;
use blossom_run::model::Message;

#[tokio::main]
pub(crate) async fn main() -> Result<(), Box<dyn Error>> {
    let mut bot = ChatBot::new(Blossom::from_env()?);
    println!("Bot: {}", bot.chat("Hello!").await?);
    for line in stdin().lines() {
        print!("Bot: ");
        bot.chat_stream(&line?, |piece| {
            print!("{piece}");
            stdout().flush().ok();
        })
        .await?;
        println!();
    }
    Ok(())
}

struct ChatBot {
    blossom: Blossom,
    history: Vec<Message>,
}

impl ChatBot {
    fn new(blossom: Blossom) -> Self {
        Self { blossom, history: Vec::new() }
    }

    /// The whole answer at once. What failed is not remembered.
    async fn chat(&mut self, message: &str) -> Result<String, blossom_run::Error> {
        let asked = self.with(message);
        let answer = self.blossom.chat(&asked).await?;
        self.remember(asked, &answer.text);
        Ok(answer.text)
    }

    /// The answer piece by piece.
    async fn chat_stream(&mut self, message: &str, mut hear: impl FnMut(&str)) -> Result<(), blossom_run::Error> {
        let asked = self.with(message);
        let mut stream = self.blossom.chat(&asked).stream();
        while let Some(piece) = stream.next().await {
            hear(&piece?);
        }
        self.remember(asked, stream.text());
        Ok(())
    }

    /// All that was said, and this.
    fn with(&self, message: &str) -> Vec<Message> {
        self.history.iter().cloned().chain([Message::user(message)]).collect()
    }

    fn remember(&mut self, asked: Vec<Message>, answer: &str) {
        self.history = asked;
        self.history.push(Message::assistant(answer));
    }
}
