//! Make for generated content: a YAML file of text, chat and image stages, compiled into a checked plan and run
//! without barriers.

pub mod check;
pub mod client;
pub mod model;
pub mod provider;
