//! What integration tests share.
#![allow(dead_code, unused_imports, reason = "each test crate uses a part of it")]
#![allow(unreachable_pub, reason = "each test crate has its own copy of it, and nobody names those")]
#![allow(clippy::unwrap_used, reason = "what can't be set up has failed")]

pub mod asking;
pub mod server;
