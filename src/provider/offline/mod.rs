//! The provider that is built in: it answers at once, the same for the same call, and opens no socket.
//!
//! It is no model and does not look like one: what it gives is put together from the words of the prompt, and says
//! `offline` wherever it ends up. It is there so that a pipeline can be tried, tested and shown without a key, with a
//! service's latency and failures if they are to be rehearsed ([`OfflineManner`](crate::model::OfflineManner)).
//!
//! [`Offline`] answers from the call alone. It must not read a clock, the environment or a file, nor count its calls.

mod answer;
mod ask;
mod bounds;
mod counts;
mod dice;
mod fill;
mod flat;
mod forms;
mod frames;
mod heed;
mod instance;
mod keys;
mod length;
mod painting;
mod picture;
mod pieces;
mod poem;
mod prose;
mod rehearsal;
mod remark;
mod service;
mod shape;
mod shown;
mod sketch;
mod spoken;
mod subject;
mod text;
mod words;

pub(super) use service::Offline;

#[cfg(test)]
mod tests;
