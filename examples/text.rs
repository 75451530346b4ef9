//! A text, with some of what can be said about it beforehand and told about it afterwards.
//!
//! ```sh
//! BLOSSOM_PROVIDER=offline cargo run --example text
//! ```
#![expect(clippy::print_stdout, reason = "an example shows something")]

use blossom_run::{Blossom, Error};

#[tokio::main]
pub(crate) async fn main() -> Result<(), Error> {
    let blossom = Blossom::from_env()?;
    let answer = blossom.text("Explain async programming").max_tokens(200).temperature(0.7).await?;
    println!("{answer}");
    if let Some(usage) = answer.usage {
        println!("({} tokens in, {} out)", usage.input_tokens, usage.output_tokens);
    }
    Ok(())
}
