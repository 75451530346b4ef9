//! A picture becomes a file that appears whole or not at all.

use std::io::{self, Write};
use std::path::Path;

use crate::model::{Failure, FailureKind};
use crate::store::part_in;

use super::Error;

pub(super) fn write(bytes: &[u8], path: &Path) -> Result<(), Error> {
    publish(bytes, path).map_err(|error| {
        Failure::new(FailureKind::Output, format!("`{}` can't be written: {}", path.display(), error.kind()))
            .suggest("check that its folder is there and can be written")
            .into()
    })
}

fn publish(bytes: &[u8], path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut part = part_in(folder)?;
    part.write_all(bytes)?;
    part.as_file().sync_all()?;
    part.persist(path).map_err(|error| error.error)?;
    Ok(())
}
