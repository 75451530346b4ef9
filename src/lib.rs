//! Make for generated content: a YAML file of text, chat and image stages, compiled into a checked plan and run
//! without barriers.

pub mod check;
#[doc(hidden)]
pub mod cli;
pub mod client;
pub mod diag;
pub mod engine;
pub mod exec;
pub mod model;
pub mod output;
pub mod plan;
pub mod provider;
pub mod sink;
pub mod source;
pub mod spec;
