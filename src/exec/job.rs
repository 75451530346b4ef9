//! An instance on its way: what it needs to run, and what it came to.

use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::Duration;

use crate::model::{Conversation, Cost, Failure, ItemRef, Json, JsonMap, LaneRef, Order, SkipReason, Usage, Value};
use crate::output::SafePath;
use crate::plan::StageIx;

use super::collection::Collection;
use super::frame::InstanceId;

/// What an instance sees of a stage that it names.
#[derive(Debug, Clone)]
pub(super) enum Seen {
    /// One value.
    One(Value),
    /// All values that share its loops, in item order; they are read before it runs.
    All(Arc<Collection>),
    /// Nothing: the name is optional.
    Nothing(SkipReason),
}

/// An item around an instance.
#[derive(Debug, Clone)]
pub(super) struct Around {
    /// The loop variable.
    pub(super) name: Arc<str>,
    pub(super) item: Arc<Json>,
    /// The line of its file on which it begins, from 1.
    pub(super) line: Option<NonZeroU64>,
    pub(super) index: u64,
    pub(super) key: Arc<str>,
}

/// An instance that can start. Values are shared, not copied.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) stage: StageIx,
    pub(super) instance: InstanceId,
    pub(super) item: ItemRef,
    pub(super) order: Order,
    /// Unlike that of any other item of the stage.
    pub(super) file_key: Arc<str>,
    /// The items around, outermost first.
    pub(super) around: Vec<Around>,
    /// The stages that it names.
    pub(super) seen: Vec<(Arc<str>, Seen)>,
    /// The conversation that it goes on with, if there is one.
    pub(super) before: Option<Conversation>,
}

/// An instance that has come back.
#[derive(Debug)]
pub(super) struct Returned {
    pub(super) stage: StageIx,
    pub(super) instance: InstanceId,
    pub(super) item: ItemRef,
    pub(super) outcome: Outcome,
}

/// A row for a file with a row for each instance.
#[derive(Debug)]
pub(super) struct SavedRow {
    /// The file, under the output folder.
    pub(super) path: SafePath,
    pub(super) row: JsonMap,
}

/// What an instance took, whatever came of it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Spent {
    /// Requests sent.
    pub(super) attempts: u32,
    /// In tokens, where the provider says.
    pub(super) usage: Option<Usage>,
    /// In money, as far as prices are known.
    pub(super) cost: Cost,
}

/// What an instance came to.
#[derive(Debug)]
pub(super) enum Outcome {
    Done(Done),
    Replaced {
        value: Value,
        said: Option<Conversation>,
        row: Option<SavedRow>,
        failure: Failure,
        spent: Spent,
    },
    Skipped(SkipReason),
    Failed {
        failure: Failure,
        spent: Spent,
    },
    /// Outputs can't be written: the run ends.
    Unwritable(Failure),
    /// The run ends for a reason that this instance has met.
    Blocked {
        failure: Failure,
        spent: Spent,
    },
    /// The run was stopped before this could come to an end.
    Interrupted {
        spent: Spent,
    },
}

/// An instance with a value.
#[derive(Debug)]
pub(super) struct Done {
    pub(super) value: Value,
    /// All that was said up to it, if somebody goes on with that.
    pub(super) said: Option<Conversation>,
    pub(super) row: Option<SavedRow>,
    pub(super) spent: Spent,
    pub(super) reused: bool,
    /// Who gave its answer.
    pub(super) lane: Option<LaneRef>,
    pub(super) took: Duration,
    /// Where it was saved, under the output folder.
    pub(super) saved: Option<Arc<str>>,
}
