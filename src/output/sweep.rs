//! What dead runs have left.

use std::fs;
use std::io;
use std::path::Path;

use super::part::is_part_name;
use super::path::LOCK;

/// Removes the part files in `folder` and all folders in it. Whoever holds the folder's lock knows that their runs are
/// dead. Links are not followed, and a folder with a lock of its own is another run's output folder: it is left alone.
pub(super) fn remove_parts(folder: &Path) -> io::Result<()> {
    let mut open = vec![folder.to_path_buf()];
    while let Some(inner) = open.pop() {
        if inner != folder && inner.join(LOCK).symlink_metadata().is_ok() {
            continue;
        }
        let entries = match fs::read_dir(&inner) {
            Ok(entries) => entries,
            // A folder that is not ours to read has no parts of ours in it.
            Err(error) if inner != folder && error.kind() == io::ErrorKind::PermissionDenied => continue,
            Err(error) if inner != folder && error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        for entry in entries {
            let entry = entry?;
            let kind = entry.file_type()?;
            if kind.is_dir() {
                open.push(entry.path());
            } else if kind.is_file() && entry.file_name().to_str().is_some_and(is_part_name) {
                fs::remove_file(entry.path())?;
            }
        }
    }
    Ok(())
}
