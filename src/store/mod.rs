//! What is kept on disk: calls with their answers and attempts, runs, and what became of their instances.
//!
//! A [`Store`] is a folder with one embedded database and pictures by their content. One thread commits
//! (`committer`), first come first served: who hands something over is told when it is safe, and not before. The format
//! has a version (`schema`); a newer or unknown one is refused. Several processes may use one store at the same time.
//!
//! This room keeps. It never parses an answer, knows no pipeline and decides nothing: what an answer is worth is told by
//! who reads it.

mod answers;
mod blobs;
mod committer;
mod encoding;
mod error;
mod folder;
mod history;
mod lineage;
mod lock;
mod prune;
mod runs;
#[cfg(test)]
mod sample;
mod schema;
mod stdin;
mod writing;

pub use answers::Found;
pub use error::StoreError;
pub use folder::Store;
pub use history::{KeptAttempt, KeptInstance, KeptRun, Requests};
pub use lineage::Used;
pub use lock::RunLock;
pub use prune::Pruned;
pub use runs::{InstanceRecord, InstanceState, NewRun, RunEnd, RunId};
pub use stdin::KeptStdin;
