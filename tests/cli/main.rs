//! The program as its users meet it: one binary for all of these tests, since each takes long to link.

#[path = "../support/mod.rs"]
mod service;
#[path = "../support/cli.rs"]
mod support;

mod ahead;
mod budgets;
mod chat;
mod mistakes;
mod reference;
mod runs;
mod show;
mod templates;
mod usage;
