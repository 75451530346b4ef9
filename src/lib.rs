//! Make for generated content: a YAML file of text, chat and image stages, compiled into a checked plan and run
//! without barriers.

pub mod model;
pub mod provider;
