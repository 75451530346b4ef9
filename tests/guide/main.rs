//! What `docs/guide.md` shows works: its pipelines have the effect that is told of them, its programs run and say what they
//! should, and nothing of it is missing from the table. One binary for all of it, since each takes long to link.
#![expect(clippy::unwrap_used, reason = "a test that can't go on says where")]
#![expect(clippy::wrong_self_convention, reason = "`ran.is_done()` asserts, and hands on what it looked at")]
#![expect(clippy::disallowed_methods, reason = "nobody looks at a file of a test while it is written")]
#![expect(clippy::exit, reason = "a test that is a program ends as programs do")]

#[path = "../support/cli.rs"]
mod cli;
mod examples;
#[path = "../documents/markdown.rs"]
#[expect(dead_code, reason = "a part of it is used")]
mod markdown;
mod page;
mod pipelines;
mod process;
mod programs;
mod scene;
#[path = "../support/mod.rs"]
mod support;
mod table;
