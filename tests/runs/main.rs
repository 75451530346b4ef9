//! Whole runs over real sockets: a server that answers as it is told, the engine or the program on the other side, and
//! what came of it. One binary for all of these tests, since each takes long to link.
#![expect(clippy::unwrap_used, reason = "a test that can't go on says where")]
#![expect(clippy::wrong_self_convention, reason = "`ran.is_done()` asserts, and hands on what it looked at")]

#[path = "../support/cli.rs"]
mod cli;
#[path = "../support/mod.rs"]
mod support;

mod absence;
mod answers;
mod barriers;
mod clocks;
mod digest;
mod failures;
mod fallbacks;
mod faults;
mod files;
mod held;
mod history;
mod keys;
mod limits;
mod loops;
mod magazine;
mod order;
mod pictures;
mod printing;
mod prune;
mod resume;
mod saving;
mod scene;
mod signals;
mod stdin;
mod talks;
mod tapes;
mod used;
mod used_by_hand;
mod used_whole;
mod values;
mod wrong_answers;
