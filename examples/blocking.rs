//! The same as `quick_start`, for a program without a runtime.
//!
//! ```sh
//! BLOSSOM_PROVIDER=offline cargo run --example blocking
//! ```
#![expect(clippy::print_stdout, reason = "an example shows something")]

use blossom_run::Error;
use blossom_run::blocking::Blossom;

pub(crate) fn main() -> Result<(), Error> {
    let blossom = Blossom::from_env()?;
    let answer = blossom.text("Hello, async world!").send()?;
    println!("{answer}");
    Ok(())
}
