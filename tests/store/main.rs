//! The store keeps its promises: whole runs of the program over one store, against a server that counts what it is
//! asked. What docs/running.md says under "What is kept" is shown here.
#![expect(clippy::unwrap_used, reason = "a test that can't go on says where")]

#[path = "../support/cli.rs"]
mod cli;
#[path = "../support/mod.rs"]
mod support;

mod desk;
#[cfg(unix)]
mod kills;
mod reuse;
mod secrets;
mod takes;
mod trouble;
mod two_processes;
