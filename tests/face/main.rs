//! `Blossom`, as programs without a pipeline use it: over real sockets, and on a paused clock where time is what counts.

#![expect(clippy::unwrap_used, reason = "what can't be set up has failed")]

#[path = "../client/support.rs"]
#[expect(dead_code, reason = "the tests of the client use all of it")]
mod scripted;
#[path = "../support/mod.rs"]
mod service;
mod support;

mod blocking;
mod bodies;
mod errors;
mod keeping;
mod leaks;
mod limits;
mod patterns;
mod retries;
mod streams;
