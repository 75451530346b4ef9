//! Lists as streams of rows, each with the line it stands on: JSON lines, JSON, CSV, TSV, YAML, text, globs, numbers,
//! inline lists, standard input.
//!
//! A [`ListSource`] says where a list comes from, [`Rows`] reads it through once, [`RowStream`] hands the rows to async
//! code, and [`survey()`] reads a list before a run and gathers what is wrong with it. What is wrong is a
//! [`SourceError`] with file, line and column. [`look_at_picture`] tells what a file with a picture is.
//!
//! This room holds no list, but YAML files and the names that a glob matches; it knows no pipeline, calls nothing and
//! prints nothing.

mod error;
mod glob;
mod json_array;
mod json_lines;
mod lines;
mod list;
mod long_integers;
mod picture;
mod rows;
mod stdin;
mod stream;
mod survey;
mod table;
mod text;
mod wanted;
mod well_formed;
mod yaml;

pub use error::SourceError;
pub use list::ListSource;
pub use picture::{check_together, find_picture, look_at_bytes, look_at_picture};
pub use rows::{Row, Rows};
pub use stdin::StdinCopy;
pub use stream::RowStream;
use survey::listed;
pub use survey::{Survey, show_lines, survey};
pub use wanted::{Condition, Form, Step, Wanted};
