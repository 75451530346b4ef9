//! Many texts at the same time, in the order in which they were asked for.
//!
//! ```sh
//! BLOSSOM_PROVIDER=offline cargo run --example many_texts
//! ```
#![expect(clippy::print_stdout, reason = "an example shows something")]

use blossom_run::{Blossom, Error};
use futures::future::try_join_all;

#[tokio::main]
pub(crate) async fn main() -> Result<(), Error> {
    let blossom = Blossom::from_env()?;
    let names = ["Python", "JavaScript", "Rust", "Go"];
    let answers = try_join_all(names.map(|name| blossom.text(format!("What is {name}?")))).await?;
    for (number, answer) in (1..).zip(&answers) {
        // The first hundred characters.
        println!("{number}. {answer:.100}");
    }
    Ok(())
}
