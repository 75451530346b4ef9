//! A picture, into a file.
//!
//! ```sh
//! BLOSSOM_PROVIDER=offline cargo run --example image
//! ```
#![expect(clippy::print_stdout, reason = "an example shows something")]

use blossom_run::{Blossom, Error};

#[tokio::main]
pub(crate) async fn main() -> Result<(), Error> {
    let blossom = Blossom::from_env()?;
    let picture = blossom.image("A beautiful sunset").model("flux").width(1024).height(1024).await?;
    // The service chooses the format: what came says what it is.
    let path = format!("sunset.{}", picture.media_type.extension());
    picture.save(&path).await?;
    println!("{path}: {} by {}, {} bytes", picture.width, picture.height, picture.bytes.len());
    Ok(())
}
