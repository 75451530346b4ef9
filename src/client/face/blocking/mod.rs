//! The same for programs without a runtime: each method waits on the thread that calls it.
//!
//! A [`Blossom`] of this kind has one thread of its own, with a runtime that drives its requests; clones share it. So it
//! can be used from any thread, inside of a runtime too: it blocks the thread then, as any long work would, but neither
//! panics nor deadlocks.
//!
//! ```
//! use blossom_run::blocking::Blossom;
//!
//! # fn main() -> Result<(), blossom_run::Error> {
//! let blossom = Blossom::builder().provider("offline").build_blocking()?;
//! let answer = blossom.text("Explain threads").max_tokens(300).send()?;
//! println!("{answer}");
//! for piece in blossom.text("Tell me a short story").stream() {
//!     print!("{}", piece?);
//! }
//! # Ok(())
//! # }
//! ```

mod asks;
mod blossom;
mod desk;
mod stream;

pub use asks::{ImageAsk, TextAsk};
pub use blossom::Blossom;
pub use stream::TextStream;
