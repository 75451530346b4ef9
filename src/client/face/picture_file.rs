//! A picture becomes a file that appears whole or not at all.

use std::io::{self, Write};
use std::path::Path;

use tempfile::{Builder, NamedTempFile};

use crate::model::{Failure, FailureKind};

use super::Error;

pub(super) fn write(bytes: &[u8], path: &Path) -> Result<(), Error> {
    publish(bytes, path).map_err(|error| {
        Failure::new(FailureKind::Output, format!("`{}` can't be written: {error}", path.display()))
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

/// Readable as any file that a program makes, and not for its owner alone.
#[cfg(unix)]
fn part_in(folder: &Path) -> io::Result<NamedTempFile> {
    use std::os::unix::fs::PermissionsExt;
    let usual = std::fs::Permissions::from_mode(0o666);
    Builder::new().prefix(".").suffix(".part").permissions(usual).tempfile_in(folder)
}

#[cfg(not(unix))]
fn part_in(folder: &Path) -> io::Result<NamedTempFile> {
    Builder::new().prefix(".").suffix(".part").tempfile_in(folder)
}
