//! The output folder: paths that stay in it, files that appear whole, files of rows, pictures in the format
//! asked for.
//!
//! A [`SafePath`] is where a file may go, an [`OutputFolder`] holds the lock of a run and writes files, a [`RowFile`]
//! takes rows one after another, [`convert()`] changes the format of a picture. [`Claims`] and [`FileNames`] see that each
//! path and each name is given once.
//!
//! This room renders no template and decides no name; it never follows a link out of the folder and never leaves half a
//! file at its place.

mod claims;
mod content;
mod error;
mod file_names;
mod folder;
mod image;
mod part;
mod path;
mod row_file;
mod sweep;

pub use claims::{Claims, Clash, Fold, Taken};
pub use content::{json_bytes, text_bytes};
pub use error::OutputError;
pub use file_names::FileNames;
pub use folder::OutputFolder;
pub use image::{ConvertError, Converted, PictureFormat, convert, picture_format};
pub use part::{PartFile, Scratch};
pub use path::{PathProblem, SafePath, file_name, safe_segment};
pub use row_file::{RowFile, RowFormat};
