//! What happens in a run, as it happens. One enum for all who watch: display, JSON lines, summary, exit code.
//!
//! Events are owned and carry digests, never prompts or answers; only [`EventKind::Chunk`] carries text.
//! In JSON a duration is a number of seconds.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{BudgetPart, CallKey, Cost, Failure, RunOutcome, Spent, StageTally, Usage, seconds};

/// One event.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunEvent {
    /// From 1, without gaps, in the order in which events are handed out.
    pub seq: u64,
    /// When it happened.
    pub at: Timestamp,
    /// What happened.
    #[serde(flatten)]
    pub kind: EventKind,
}

/// Which instance of which stage.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct ItemRef {
    /// The stage's name.
    pub stage: Arc<str>,
    /// The item as people call it (`loop.key`, nested ones joined by `/`); absent outside of loops.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<Arc<str>>,
    /// The index (from 0) in each loop, outermost first; empty outside of loops.
    #[serde(skip_serializing_if = "<[u64]>::is_empty")]
    pub path: Arc<[u64]>,
}

/// A provider and one of its models.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct LaneRef {
    /// The provider's name in the file.
    pub provider: Arc<str>,
    /// The model; absent where none is sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<Arc<str>>,
}

/// What a stage does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum StageKindName {
    /// A text for a prompt.
    Text,
    /// A text for a conversation.
    Chat,
    /// A picture for a prompt.
    Image,
    /// A template, no call.
    Render,
    /// JSON with templates in it, no call.
    Value,
    /// Another pipeline, whose stages are counted as what they are; no call of its own.
    Use,
}

impl StageKindName {
    /// Every kind, in the order in which people are told of them.
    pub const ALL: [Self; 6] = [Self::Text, Self::Chat, Self::Image, Self::Render, Self::Value, Self::Use];

    /// As it is written in a pipeline file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Chat => "chat",
            Self::Image => "image",
            Self::Render => "render",
            Self::Value => "value",
            Self::Use => "use",
        }
    }

    /// Whether it makes calls.
    pub fn asks(self) -> bool {
        matches!(self, Self::Text | Self::Chat | Self::Image)
    }

    /// Whether it asks for a text.
    pub fn speaks(self) -> bool {
        matches!(self, Self::Text | Self::Chat)
    }
}

/// Why an instance was skipped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "why")]
pub enum SkipReason {
    /// Its `when` was false.
    When,
    /// A stage that it names was skipped, or none of the arguments of a `default` was there.
    Absent {
        /// The stage that was skipped; in JSON `because`, since `stage` is the instance's own.
        #[serde(rename = "because")]
        stage: Arc<str>,
    },
    /// A stage that it names has failed.
    Failed {
        /// The stage that has failed; in JSON `because`, since `stage` is the instance's own.
        #[serde(rename = "because")]
        stage: Arc<str>,
    },
    /// Only before a run: something it names is not known, since a call would be made for it. No event of a run says so.
    Unknown {
        /// The stage that would ask; in JSON `because`, since `stage` is the instance's own.
        #[serde(rename = "because")]
        stage: Arc<str>,
    },
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "event")]
pub enum EventKind {
    /// The first event.
    RunStarted {
        /// The run's own name.
        run: Arc<str>,
        /// The pipeline's name.
        pipeline: Arc<str>,
        /// The folder in which answers are kept, if they are.
        #[serde(skip_serializing_if = "Option::is_none")]
        store: Option<Arc<str>>,
        /// The tape that the run is recorded on, if it is.
        #[serde(skip_serializing_if = "Option::is_none")]
        record: Option<Arc<str>>,
        /// The tape that answers, if one does.
        #[serde(skip_serializing_if = "Option::is_none")]
        replay: Option<Arc<str>>,
    },
    /// One for each stage, in file order, before anything else happens.
    StagePlanned {
        /// Its name.
        stage: Arc<str>,
        /// What it does.
        kind: StageKindName,
        /// How many instances it has, where that is known beforehand.
        #[serde(skip_serializing_if = "Option::is_none")]
        instances: Option<u64>,
    },
    /// Instances came to be known, since their items were read.
    InstancesFound {
        /// The stage.
        stage: Arc<str>,
        /// How many more.
        count: u64,
    },
    /// All that an instance names is there.
    Ready {
        /// Which.
        #[serde(flatten)]
        item: ItemRef,
    },
    /// An instance has a place among those in flight.
    Started {
        /// Which.
        #[serde(flatten)]
        item: ItemRef,
    },
    /// An answer that was kept is used.
    Reused {
        /// Which.
        #[serde(flatten)]
        item: ItemRef,
        /// The call.
        call: CallKey,
        /// Who gave it; absent where it comes from a tape, which does not say.
        #[serde(skip_serializing_if = "Option::is_none")]
        lane: Option<LaneRef>,
    },
    /// A request goes out.
    AttemptSent {
        /// Which.
        #[serde(flatten)]
        item: ItemRef,
        /// The call.
        call: CallKey,
        /// From 1.
        attempt: u32,
        /// To whom.
        lane: LaneRef,
    },
    /// The first piece of a streamed text is here.
    FirstToken {
        /// Which.
        #[serde(flatten)]
        item: ItemRef,
        /// From 1.
        attempt: u32,
        /// Since the request was sent.
        #[serde(serialize_with = "seconds::serialize")]
        after: Duration,
    },
    /// Text, as it comes; only where it is shown.
    Chunk {
        /// Which.
        #[serde(flatten)]
        item: ItemRef,
        /// From 1.
        attempt: u32,
        /// The text.
        text: Arc<str>,
    },
    /// An attempt brought nothing.
    AttemptFailed {
        /// Which.
        #[serde(flatten)]
        item: ItemRef,
        /// From 1.
        attempt: u32,
        /// Why.
        failure: Failure,
        /// How long until the next one; absent if there is none.
        #[serde(skip_serializing_if = "Option::is_none", serialize_with = "seconds::option::serialize")]
        retry_in: Option<Duration>,
    },
    /// One provider has no good answer to give, and another is asked.
    FellBack {
        /// Which.
        #[serde(flatten)]
        item: ItemRef,
        /// Who was asked before.
        from: LaneRef,
        /// Who is asked now.
        lane: LaneRef,
    },
    /// An instance came out.
    Done {
        /// Which.
        #[serde(flatten)]
        item: ItemRef,
        /// Who gave its answer; absent for a stage without calls, and where it comes from a tape, which does not say.
        #[serde(skip_serializing_if = "Option::is_none")]
        lane: Option<LaneRef>,
        /// Requests sent for it; 0 for a stage without calls.
        attempts: u32,
        /// What it took, where the provider says.
        #[serde(skip_serializing_if = "Option::is_none")]
        usage: Option<Usage>,
        /// What it cost, as far as prices are known.
        #[serde(skip_serializing_if = "Cost::is_nothing")]
        cost: Cost,
        /// From its start to its end.
        #[serde(serialize_with = "seconds::serialize")]
        took: Duration,
        /// Where it was saved, under the output folder.
        #[serde(skip_serializing_if = "Option::is_none")]
        saved: Option<Arc<str>>,
    },
    /// `on_error.value` stands in for an instance that failed.
    Replaced {
        /// Which.
        #[serde(flatten)]
        item: ItemRef,
        /// Requests sent for it.
        attempts: u32,
        /// What its attempts took, where the provider says.
        #[serde(skip_serializing_if = "Option::is_none")]
        usage: Option<Usage>,
        /// What they cost, as far as prices are known.
        #[serde(skip_serializing_if = "Cost::is_nothing")]
        cost: Cost,
        /// Why.
        failure: Failure,
    },
    /// The run ends before an instance has: requests were sent for it, and the next run takes it up.
    GivenUp {
        /// Which.
        #[serde(flatten)]
        item: ItemRef,
        /// Requests sent for it.
        attempts: u32,
        /// What they took, where the provider says.
        #[serde(skip_serializing_if = "Option::is_none")]
        usage: Option<Usage>,
        /// What they cost, as far as prices are known.
        #[serde(skip_serializing_if = "Cost::is_nothing")]
        cost: Cost,
    },
    /// An instance is not run.
    Skipped {
        /// Which.
        #[serde(flatten)]
        item: ItemRef,
        /// Why.
        #[serde(flatten)]
        reason: SkipReason,
    },
    /// An instance did not come out.
    Failed {
        /// Which.
        #[serde(flatten)]
        item: ItemRef,
        /// Requests sent for it.
        attempts: u32,
        /// What they took, where the provider says.
        #[serde(skip_serializing_if = "Option::is_none")]
        usage: Option<Usage>,
        /// What they cost, as far as prices are known.
        #[serde(skip_serializing_if = "Cost::is_nothing")]
        cost: Cost,
        /// Why.
        failure: Failure,
    },
    /// A lane sends less at once, since the server refused.
    LaneSlowed {
        /// Which.
        lane: LaneRef,
        /// At once, from now on.
        limit: u32,
    },
    /// A lane sends nothing for a time.
    LanePaused {
        /// Which.
        lane: LaneRef,
        /// For how long.
        #[serde(serialize_with = "seconds::serialize")]
        pause: Duration,
        /// Whether the server named the time.
        asked: bool,
    },
    /// A lane sends again.
    LaneOpened {
        /// Which.
        lane: LaneRef,
        /// At once, from now on.
        limit: u32,
    },
    /// The next request did not fit into the budget, and none was under way.
    BudgetExhausted {
        /// Which part of it.
        limit: BudgetPart,
        /// What had been used by then, by earlier runs too.
        used: Spent,
    },
    /// Something that a person should know and that is no failure.
    Warning {
        /// In one sentence.
        message: String,
    },
    /// A file was written whole.
    Saved {
        /// The stage whose value it holds.
        stage: Arc<str>,
        /// Under the output folder, with `/`.
        path: Arc<str>,
    },
    /// Nothing more is started.
    Stopping {
        /// Why.
        reason: String,
    },
    /// The last event.
    RunFinished {
        /// How it ended.
        #[serde(flatten)]
        outcome: RunOutcome,
        /// What became of each stage, in file order.
        stages: Vec<(Arc<str>, StageTally)>,
        /// From start to end.
        #[serde(serialize_with = "seconds::serialize")]
        took: Duration,
    },
}
