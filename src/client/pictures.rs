//! The pictures of a call, read when its request is about to go out.

use std::io::Read as _;

use crate::model::{Call, Failure, FailureKind, Picture, PictureFile};

/// The call with the bytes of its pictures, if it shows files. Who waits for a permit does not hold them, and an attempt reads them anew.
///
/// # Errors
/// A file can't be read, or is no longer what the call's key says.
pub(super) async fn loaded(call: &Call) -> Result<Option<Box<Call>>, Failure> {
    if call.request.pictures().all(|picture| picture.file().is_none()) {
        return Ok(None);
    }
    let request = call.request.clone();
    let loaded = tokio::task::spawn_blocking(move || request.with_pictures(load)).await;
    let lost = |_| Failure::new(FailureKind::Internal, "a task of this program panicked").suggest("please report it");
    let request = loaded.map_err(lost).and_then(|loaded| loaded)?;
    Ok(Some(Box::new(Call { request, ..call.clone() })))
}

/// The bytes of a file as long as it was: one that has become longer is told by its digest, and is not read to its end.
fn read(file: &PictureFile) -> std::io::Result<Vec<u8>> {
    let opened = std::fs::File::open(&file.place)?;
    if !opened.metadata()?.is_file() {
        return Err(std::io::Error::other("it is no file any more"));
    }
    let mut bytes = Vec::new();
    opened.take(file.bytes.saturating_add(1)).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn load(picture: &Picture) -> Result<Picture, Failure> {
    let Picture::File(file) = picture else { return Ok(picture.clone()) };
    // Shown out of memory by a program.
    if file.content.is_some() {
        return Ok(picture.clone());
    }
    let failure = |what: String| {
        Failure::new(FailureKind::Template, what)
            .suggest("leave pictures alone while a run shows them, and run it again")
    };
    let bytes =
        read(file).map_err(|error| failure(format!("the picture `{}` can no longer be read: {error}", file.name)))?;
    if *blake3::hash(&bytes).as_bytes() != file.digest {
        return Err(failure(format!("the picture `{}` has changed since the run came to it", file.name)));
    }
    Ok(Picture::File(PictureFile { content: Some(bytes.into()), ..file.clone() }))
}
