//! Why an output can't be written.

use std::io;
use std::path::{Path, PathBuf};

/// An output can't be written. Each message ends with what to try, where there is something.
#[derive(Debug, thiserror::Error)]
pub enum OutputError {
    /// The folder is locked.
    #[error("another run has the output folder `{}`; wait for its end or give another folder with `--out`", folder.display())]
    Busy {
        /// The output folder.
        folder: PathBuf,
    },
    /// It lies in the folder of a run that goes on.
    #[error("another run has the folder `{}`, in which the output folder `{}` lies; wait for its end or give another folder with `--out`", outer.display(), folder.display())]
    Inside {
        /// The output folder.
        folder: PathBuf,
        /// The other run's.
        outer: PathBuf,
    },
    /// There is no room: the disk, or what one may use of it, is full.
    #[error("`{}` can't be written: the disk is full; make room and run again", path.display())]
    DiskFull {
        /// The file or folder.
        path: PathBuf,
    },
    /// The system does not allow it.
    #[error("`{}` can't be written: permission denied; give another folder with `--out`", path.display())]
    Permission {
        /// The file or folder.
        path: PathBuf,
    },
    /// The file system can only be read.
    #[error("`{}` can't be written: the file system is read-only; give another folder with `--out`", path.display())]
    ReadOnly {
        /// The file or folder.
        path: PathBuf,
    },
    /// A file is where a folder is needed.
    #[error("`{}` is a file, but a folder is needed there; remove it or give another path", path.display())]
    NotAFolder {
        /// The file.
        path: PathBuf,
    },
    /// A folder is where the file belongs.
    #[error("`{}` is a folder, but a file is to be written there; remove it or give another path", path.display())]
    IsAFolder {
        /// The folder.
        path: PathBuf,
    },
    /// A folder on the way is a symbolic link.
    #[error("`{}` is a link, and nothing is written through links; remove it or give another path", link.display())]
    Link {
        /// The link.
        link: PathBuf,
    },
    /// Anything else that the system says.
    #[error("`{}` can't be written: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

impl OutputError {
    /// Whether one path is in the way, and others may do; otherwise nothing can be written at all.
    pub fn is_about_path(&self) -> bool {
        matches!(self, Self::NotAFolder { .. } | Self::IsAFolder { .. } | Self::Link { .. })
    }

    /// What the system says about `path`, by its kind.
    pub(super) fn io(path: &Path, source: io::Error) -> Self {
        let path = path.to_path_buf();
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull { path },
            io::ErrorKind::PermissionDenied => Self::Permission { path },
            io::ErrorKind::ReadOnlyFilesystem => Self::ReadOnly { path },
            io::ErrorKind::NotADirectory => Self::NotAFolder { path },
            io::ErrorKind::IsADirectory => Self::IsAFolder { path },
            _ => Self::Io { path, source },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_of_an_error_is_told() {
        let told = |kind: io::ErrorKind| OutputError::io(Path::new("out/a"), kind.into()).to_string();
        assert!(told(io::ErrorKind::StorageFull).contains("the disk is full"));
        assert!(told(io::ErrorKind::PermissionDenied).contains("permission denied"));
        assert!(told(io::ErrorKind::ReadOnlyFilesystem).contains("read-only"));
        assert!(told(io::ErrorKind::IsADirectory).contains("is a folder"));
        assert!(told(io::ErrorKind::Other).starts_with("`out/a` can't be written: "));
    }
}
