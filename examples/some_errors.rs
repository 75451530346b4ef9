//! Several questions of which one goes wrong: each has a result of its own.
//!
//! ```sh
//! BLOSSOM_PROVIDER=offline cargo run --example some_errors
//! ```
#![expect(clippy::print_stdout, reason = "an example shows something")]

use blossom_run::{Blossom, Error};
use futures::future::join_all;

#[tokio::main]
pub(crate) async fn main() -> Result<(), Error> {
    let blossom = Blossom::from_env()?;
    // The second says nothing, which is an error before anybody is asked.
    let prompts = ["Name a river", "", "Name a lake"];
    let results = join_all(prompts.map(|prompt| blossom.text(prompt))).await;
    for (number, result) in (1..).zip(results) {
        match result {
            Ok(answer) => println!("{number} came out: {answer:.50}"),
            Err(error) => println!("{number} failed: {error}"),
        }
    }
    Ok(())
}
