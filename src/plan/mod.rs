//! From what the author wrote to a plan that can run.

pub mod template;
