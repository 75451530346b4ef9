//! What integration tests share.
#![allow(dead_code, unused_imports, reason = "each test crate uses a part of it")]
#![allow(unreachable_pub, reason = "each test crate has its own copy of it, and nobody names those")]

pub mod asking;
pub mod server;
