//! The face of the library for programs without a pipeline: ask for a text or a picture, get an answer.
//!
//! A [`Blossom`] is one provider with its key, limits and defaults. [`Blossom::text`], [`Blossom::chat`] and
//! [`Blossom::image`] give questions ([`TextAsk`], [`ImageAsk`]): futures that ask when they are awaited, and that are
//! given options before. A text can come as a [`TextStream`]. What goes wrong is an [`Error`]. [`blocking`] is the same
//! for programs without a runtime.
//!
//! A question goes through the same gates as one of a pipeline, in the same code: this folder makes an [`Ask`] of it, in
//! one place (`manner.rs`), and holds no loop of its own. It prints nothing, and spawns nothing.
//!
//! [`Ask`]: super::Ask

mod answer;
mod beside;
pub mod blocking;
mod blossom;
mod builder;
mod described;
mod error;
mod image;
mod manner;
mod opened;
mod picture_file;
mod stream;
mod text;
mod wording;

pub use answer::{ImageAnswer, TextAnswer};
pub use blossom::Blossom;
pub use builder::BlossomBuilder;
pub use error::Error;
pub use image::ImageAsk;
pub use stream::TextStream;
pub use text::TextAsk;
