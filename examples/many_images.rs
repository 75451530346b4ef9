//! Many pictures at the same time; each is in its file as soon as it is there.
//!
//! ```sh
//! BLOSSOM_PROVIDER=offline cargo run --example many_images
//! ```
#![expect(clippy::print_stdout, reason = "an example shows something")]

use blossom_run::{Blossom, Error};
use futures::future::try_join_all;

#[tokio::main]
pub(crate) async fn main() -> Result<(), Error> {
    let blossom = Blossom::from_env()?;
    let scenes = ["a red apple", "a blue ocean", "a green forest", "a yellow sun"];
    let paint = async |(number, scene)| -> Result<(), Error> {
        let picture = blossom.image(scene).model("flux").width(512).height(512).await?;
        let path = format!("image_{number}.{}", picture.media_type.extension());
        picture.save(&path).await?;
        println!("{path}: {} bytes", picture.bytes.len());
        Ok(())
    };
    try_join_all(scenes.into_iter().enumerate().map(paint)).await?;
    Ok(())
}
