//! An error: what happened, what to try, and what a program does about it.
//!
//! ```sh
//! BLOSSOM_PROVIDER=pollinations cargo run --example errors     # without a key it has something to say
//! ```
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "an example shows something")]

use blossom_run::model::FailureKind;
use blossom_run::{Blossom, Error};

#[tokio::main]
pub(crate) async fn main() -> Result<(), Error> {
    let blossom = Blossom::from_env()?;
    match blossom.text("Hello").await {
        Ok(answer) => println!("{answer}"),
        Err(error) => tell(&error),
    }
    Ok(())
}

fn tell(error: &Error) {
    eprintln!("{error}");
    if let Some(suggestion) = error.suggestion() {
        eprintln!("Try this: {suggestion}");
    }
    let outlook = match error.kind() {
        FailureKind::KeyMissing | FailureKind::KeyRefused => "It is about the key: nothing else will work either.",
        _ if error.is_transient() => "It may pass: try again later.",
        _ => "It will not pass by itself.",
    };
    eprintln!("{outlook} (Requests sent: {})", error.attempts());
}
