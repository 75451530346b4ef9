//! Plain data that every room shares: places, durations, policies, calls and their keys, values, failures, events.
//!
//! This room is the ground: it names no other room, does no I/O and knows no runtime.

mod address;
mod answer;
mod attempt;
mod call;
mod check;
mod conversation;
mod difference;
mod event;
mod failure;
mod input;
mod instance;
mod json;
mod money;
mod outcome;
mod picture;
mod place;
mod policy;
mod price;
mod provider;
mod reply;
mod seconds;
mod turn;
mod units;
mod value;
mod word_diff;

pub use address::{AddressError, address};
pub use answer::{AnswerSchema, Choice, Misfit, Rules, referred};
pub use attempt::{AnswerId, Asked, AttemptRecord, KeptAnswer};
pub use call::{Call, CallKey, ImageParams, Message, Request, Role, TextParams};
pub use check::{Check, CheckKind, Pattern};
pub use conversation::Conversation;
pub use difference::{Difference, Likeness, differences, nearest};
pub use event::{EventKind, ItemRef, LaneRef, RunEvent, SkipReason, StageKindName};
pub use failure::{Advice, Failure, FailureKind};
pub use input::{InputKind, ListFormat};
pub use instance::Order;
pub use json::{Json, JsonMap, kind_of, picture_path, plain_text, truthy};
pub use money::{Amount, Budget, BudgetPart, Cost, Currency, Spent};
pub use outcome::{RunOutcome, StageTally};
pub use picture::{LARGEST_PICTURE, LARGEST_PICTURES, Picture, PictureFile, USUAL_TOKENS};
pub use place::{At, FileId, Place};
pub use policy::{Clocks, FailureLimit, OnError, RetryPolicy, Reuse, Waves};
pub use price::Price;
pub use provider::{KeySource, OfflineManner, ProviderIdentity, ProviderKind, ProviderSettings};
pub use reply::{Content, ImageInfo, MediaType, Piece, Reply, Usage};
pub use units::{Rate, UnitError, Units};
pub use value::{End, Value};
