//! What is kept on disk: calls with their answers and attempts, runs, and what became of their instances.
//!
//! A [`Store`] is a folder with one embedded database and pictures by their content. One thread commits
//! (`committer`), first come first served: who hands something over is told when it is safe, and not before. The format
//! has a version (`schema`); a newer or unknown one is refused. Several processes may use one store at the same time.
//! A [`Held`] is another database: what one run holds for itself while it lasts, where that is more than memory should
//! take.
//! A [`Tape`] is a part of that in a file that can be carried anywhere; a [`NewTape`] is one that is being recorded.
//!
//! This room keeps. It never parses an answer, knows no pipeline and decides nothing: what an answer is worth is told by
//! who reads it.

mod answers;
mod blobs;
mod committer;
mod encoding;
mod ends;
mod error;
mod folder;
mod held;
mod history;
mod known;
mod lineage;
mod lock;
mod new_tape;
mod prune;
mod runs;
#[cfg(test)]
mod sample;
mod schema;
mod statistics;
mod stdin;
mod tape;
mod writing;

pub use answers::Found;
pub use blobs::part_in;
pub use error::StoreError;
pub use folder::Store;
pub use held::{HELD_IN_MEMORY, Held, Under};
pub use history::{KeptAttempt, KeptInstance, KeptRun, Requests};
pub use lineage::Used;
pub use lock::RunLock;
pub use new_tape::NewTape;
pub use prune::Pruned;
pub use runs::{InstanceRecord, InstanceState, NewRun, RunEnd, RunId};
pub use statistics::{Origin, Spread, StageStatistics};
pub use stdin::KeptStdin;
pub use tape::{Tape, Taped, TapedCall};
