//! A call through its gates: kept already? -> slot -> budget -> permit -> pause -> rate -> send with clocks -> keep -> verdict -> advice ->
//! delay. The only attempt loop of the program, and its only reader of the environment. Where one provider has no good answer
//! to give, the call goes on to the next (`route`).
//!
//! A [`Client`] takes an [`Ask`] and gives an [`Answer`] or says why not; what happens on the way are [`Events`], and a
//! [`Halt`] ends it early. A *lane* (one model of one provider) finds out how much the server bears. This room knows no
//! pipeline: what is asked, in which order and what for is its callers' affair. It prints nothing and speaks no protocol.

mod account;
mod admission;
mod advice;
mod ask;
mod asking;
mod budget;
mod clock;
mod course;
mod env;
mod events;
mod face;
mod feedback;
mod forms;
mod gate;
mod halt;
mod joint;
mod keep;
mod lane;
mod length;
mod outlet;
mod pace;
mod permit;
mod pictures;
mod prices;
mod purse;
mod recording;
mod replaying;
mod route;
mod service;
mod slot;
mod store_keep;
mod terms;
mod veil;
mod verdict;
mod wire;

pub use ask::{Answer, Ask, Unanswered};
pub use asking::Client;
pub use env::Environment;
pub use events::{EventStream, Events};
pub use face::{Blossom, BlossomBuilder, Error, ImageAnswer, ImageAsk, TextAnswer, TextAsk, TextStream, blocking};
pub use gate::undecodable;
pub use halt::{Halt, HaltReason};
pub use keep::{Keep, LookUp, NothingKept, Standing};
pub use lane::LaneReport;
pub use pace::RateGate;
pub use prices::Prices;
pub use purse::{Purse, unpriced};
pub use recording::Recording;
pub use replaying::Replaying;
pub use service::Member;
pub use slot::Slot;
pub use store_keep::StoreKeep;
pub use terms::{Fallback, Judge, Judgement, Terms};
pub use verdict::verdict;

use ask::excerpt;
