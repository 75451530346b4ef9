//! What a run would do and cost: every instance that is known before it is looked at, and counted.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use crate::client::{Client, Events, Halt, Keep, Member, NothingKept, StoreKeep};
use crate::exec::{self, Fate, ForecastParts, Fresh, Planned, Prospect};
use crate::model::{Cost, Failure, ProviderIdentity, StageKindName};
use crate::plan::{Continues, Dial, FallbackPlan, Plan, Stage, StageIx, Work};
use crate::store::{StageStatistics, Store};

use super::estimate::{Calls, Estimate, Lane, PriceOf, Range, estimate};
use super::forecast_notes::notes;
use super::providers::{identities, members};

/// So many of the latest answers of a stage tell what the next ones will be like.
const LATEST: u32 = 1_000;

/// What a forecast looks at beside the plan.
#[derive(Clone, Copy)]
pub struct ForecastOptions<'a> {
    /// Where answers are kept, if there is such a place.
    pub store: Option<&'a Store>,
    /// Which calls would be made anew.
    pub fresh: &'a Fresh,
    /// What calls cost.
    pub price: PriceOf<'a>,
}

/// What a run would do and cost.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Forecast {
    /// The pipeline's name.
    pub pipeline: Arc<str>,
    /// The stages that run, in file order.
    pub stages: Vec<StageForecast>,
    /// All of them.
    pub total: Total,
    /// What was assumed, and what can't be known: a sentence each.
    pub notes: Vec<String>,
}

/// What a stage would do and cost.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StageForecast {
    /// Its name.
    pub name: Arc<str>,
    /// What it does.
    pub kind: StageKindName,
    /// What becomes of its instances.
    #[serde(flatten)]
    pub counts: Counts,
    /// Calls that would be made.
    pub calls: Bounds,
    /// Tokens of those requests.
    pub tokens_in: Range<u64>,
    /// Tokens of their answers.
    pub tokens_out: Range<u64>,
    /// What they cost.
    pub cost: Range<Cost>,
    /// How long it would take by itself, in seconds; nothing where no answer is kept that tells it.
    #[serde(rename = "seconds", serialize_with = "seconds", skip_serializing_if = "Option::is_none")]
    pub time: Option<Duration>,
}

/// What becomes of the instances of a stage: the others add up to `items`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// All that are known.
    pub items: u64,
    /// Whether there may be more: the list of a loop around them is not known.
    pub may_be_more: bool,
    /// Those whose answer is kept.
    pub kept: u64,
    /// Those that would ask, each for a call of its own.
    pub to_call: u64,
    /// Those that would ask what another one asks.
    pub shared: u64,
    /// Those that make no call.
    pub made: u64,
    /// Those that would be skipped.
    pub skipped: u64,
    /// Those that would fail without a call.
    pub fails: u64,
    /// Those of which this can't be known before a run.
    pub unknown: u64,
}

impl Counts {
    fn plus(self, other: Self) -> Self {
        Self {
            items: self.items + other.items,
            may_be_more: self.may_be_more || other.may_be_more,
            kept: self.kept + other.kept,
            to_call: self.to_call + other.to_call,
            shared: self.shared + other.shared,
            made: self.made + other.made,
            skipped: self.skipped + other.skipped,
            fails: self.fails + other.fails,
            unknown: self.unknown + other.unknown,
        }
    }
}

/// How many calls would be made, without attempts that fail.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Bounds {
    /// At least so many.
    pub least: u64,
    /// At most so many; nothing where nobody can tell.
    pub most: Option<u64>,
}

/// All stages together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Total {
    /// What becomes of all instances.
    #[serde(flatten)]
    pub counts: Counts,
    /// Calls that would be made.
    pub calls: Bounds,
    /// Tokens of those requests.
    pub tokens_in: Range<u64>,
    /// Tokens of their answers.
    pub tokens_out: Range<u64>,
    /// What they cost.
    pub cost: Range<Cost>,
    /// In seconds, from all stages at the same time to one after the other; nothing where that of a stage is not known.
    #[serde(rename = "seconds", serialize_with = "span", skip_serializing_if = "Option::is_none")]
    pub time: Option<(Duration, Duration)>,
}

#[expect(clippy::ref_option, reason = "serde hands fields over like this")]
fn seconds<S: serde::Serializer>(time: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    time.map(|time| time.as_secs_f64()).serialize(serializer)
}

#[expect(clippy::ref_option, reason = "serde hands fields over like this")]
fn span<S: serde::Serializer>(time: &Option<(Duration, Duration)>, serializer: S) -> Result<S::Ok, S::Error> {
    time.map(|(low, high)| serde_json::json!({"low": low.as_secs_f64(), "high": high.as_secs_f64()}))
        .serialize(serializer)
}

impl fmt::Debug for ForecastOptions<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ForecastOptions")
            .field("store", &self.store)
            .field("fresh", &self.fresh)
            .finish_non_exhaustive()
    }
}

/// Whoever looks up, and what it knows of providers.
pub(super) struct Looker {
    pub(super) parts: ForecastParts,
    pub(super) providers: BTreeMap<String, ProviderIdentity>,
}

/// Makes a client that looks up alone.
pub(super) fn looker(plan: &Arc<Plan>, store: Option<&Store>, fresh: &Fresh) -> Result<Looker, Failure> {
    let members: Vec<Member> = members(&plan.providers)?;
    let providers = identities(&members);
    let keep: Arc<dyn Keep> = match store {
        Some(store) => Arc::new(StoreKeep::to_read(store.clone())),
        None => Arc::new(NothingKept),
    };
    // Nobody listens.
    let (events, _) = Events::channel(1);
    let client = Client::new(members, None, keep, events, Halt::new());
    let known = providers.iter().map(|(name, identity)| (name.clone(), identity.clone())).collect();
    let parts = ForecastParts { plan: plan.clone(), client, providers, fresh: fresh.clone(), window: None };
    Ok(Looker { parts, providers: known })
}

/// Looks at what a run would do. Nothing is sent, and nothing is written.
///
/// # Errors
/// A list can't be read, the store can't, or a provider can't be spoken to as it is described.
pub async fn forecast(plan: &Arc<Plan>, options: ForecastOptions<'_>) -> Result<Forecast, Failure> {
    let Looker { parts, providers } = looker(plan, options.store, options.fresh)?;
    let mut folds: Vec<Fold> = plan.stages.iter().map(|_| Fold::default()).collect();
    let mut add = |prospect: Prospect<'_>| {
        folds[prospect.stage.0].add(prospect);
        ControlFlow::Continue(())
    };
    let uncounted = exec::forecast(parts, &mut add).await?;
    for ix in uncounted.keys() {
        folds[ix.0].counts.may_be_more = true;
    }
    let mut seen = Vec::new();
    for (ix, stage) in plan.stage_ixs().filter(|(ix, _)| plan.runs(*ix)) {
        let fold = std::mem::take(&mut folds[ix.0]);
        let calls = fold.calls(plan, stage, &providers);
        let kept = match (options.store, calls.lane.as_ref().and_then(|(provider, _)| providers.get(&**provider))) {
            (Some(store), Some(identity)) => store.statistics(&stage.name, identity, LATEST)?,
            _ => StageStatistics::default(),
        };
        let estimate = estimate(plan, stage, &calls, &kept, options.price);
        let fallbacks = calls.fallbacks.len() as u64;
        seen.push(Looked { ix, fold, estimate, fallbacks });
    }
    let stages: Vec<StageForecast> = seen.iter().map(|looked| looked.told(plan)).collect();
    let total = total(&stages);
    let notes = notes(plan, &seen, &uncounted);
    Ok(Forecast { pipeline: plan.name.clone(), stages, total, notes })
}

/// A stage that was looked at.
pub(super) struct Looked {
    pub(super) ix: StageIx,
    pub(super) fold: Fold,
    pub(super) estimate: Estimate,
    /// How many it falls back on.
    pub(super) fallbacks: u64,
}

impl Looked {
    fn told(&self, plan: &Plan) -> StageForecast {
        let (stage, Estimate { tokens_in, tokens_out, cost, time, .. }) = (plan.stage(self.ix), &self.estimate);
        let counts = self.fold.counts;
        let asks = stage.work.asking().is_some();
        let each = 1 + self.fallbacks;
        let most =
            (!asks || !counts.may_be_more).then(|| (counts.to_call + if asks { counts.unknown } else { 0 }) * each);
        StageForecast {
            name: stage.name.clone(),
            kind: stage.kind,
            counts,
            calls: Bounds { least: counts.to_call, most },
            tokens_in: *tokens_in,
            tokens_out: *tokens_out,
            cost: *cost,
            time: *time,
        }
    }
}

fn total(stages: &[StageForecast]) -> Total {
    let mut total = Total { calls: Bounds { least: 0, most: Some(0) }, ..Total::default() };
    let mut time = Some((Duration::ZERO, Duration::ZERO));
    for stage in stages {
        total.counts = total.counts.plus(stage.counts);
        total.calls.least += stage.calls.least;
        total.calls.most = total.calls.most.zip(stage.calls.most).map(|(sum, most)| sum + most);
        total.tokens_in = total.tokens_in.with(stage.tokens_in, u64::saturating_add);
        total.tokens_out = total.tokens_out.with(stage.tokens_out, u64::saturating_add);
        total.cost = total.cost.with(stage.cost, Cost::plus);
        if stage.calls.most != Some(0) {
            time = time.zip(stage.time).map(|((longest, sum), one)| (longest.max(one), sum.saturating_add(one)));
        }
    }
    total.time = time;
    total
}

/// What was seen of a stage. It does not grow with its instances.
#[derive(Debug, Clone, Default)]
pub(super) struct Fold {
    pub(super) counts: Counts,
    /// Why the first one would fail.
    pub(super) failure: Option<Failure>,
    calls: Calls,
}

impl Fold {
    fn add(&mut self, prospect: Prospect<'_>) {
        let counts = &mut self.counts;
        counts.items += 1;
        let count = match prospect.fate {
            Fate::Made(_) => &mut counts.made,
            Fate::Kept(planned, _) => {
                self.calls.rendered.add(&planned.call);
                self.calls.lane.get_or_insert_with(|| lane(&planned));
                &mut counts.kept
            }
            Fate::ToCall(planned) => {
                let lane = lane(&planned);
                self.calls.rendered.add(&planned.call);
                self.calls.lane.get_or_insert_with(|| lane.clone());
                self.calls.to_call.entry(lane).or_default().add(&planned.call);
                &mut counts.to_call
            }
            Fate::Shared(_) => &mut counts.shared,
            Fate::Skipped(_) => &mut counts.skipped,
            Fate::Fails(failure) => {
                self.failure.get_or_insert(failure);
                &mut counts.fails
            }
            Fate::Unknown { .. } => &mut counts.unknown,
        };
        *count += 1;
    }

    /// Its calls, with what the stage itself says of those that can't be rendered.
    fn calls(&self, plan: &Plan, stage: &Stage, providers: &BTreeMap<String, ProviderIdentity>) -> Calls {
        let mut calls = self.calls.clone();
        let Some(asking) = stage.work.asking() else { return calls };
        calls.unknown = self.counts.unknown;
        calls.template_bytes = template_bytes(plan, stage);
        if let Work::Text(work) = &stage.work
            && let Some(Dial::Fixed(most)) = work.max_tokens
        {
            calls.max_tokens = Some(most);
        }
        calls.fallbacks = fallbacks(stage, providers);
        if let (None, Dial::Fixed(provider)) = (&calls.lane, &asking.provider) {
            let usual = providers.get(provider).filter(|_| matches!(stage.work, Work::Text(_)));
            let model = match &asking.model {
                Some(Dial::Fixed(model)) => Some(model.as_str()),
                Some(Dial::Template(_)) => return calls,
                None => usual.and_then(|identity| identity.kind.default_text_model()),
            };
            calls.lane = Some((provider.as_str().into(), model.map(Into::into)));
        }
        calls
    }
}

/// Of the templates of a request, those of the stages whose conversation goes on in it among them.
fn template_bytes(plan: &Plan, stage: &Stage) -> u64 {
    let continued = |stage: &&Stage| match stage.continues() {
        Some(Continues::Stage(ix)) => Some(plan.stage(ix)),
        _ => None,
    };
    let stages = std::iter::successors(Some(stage), continued);
    stages.flat_map(Stage::templates).map(|template| template.text().len() as u64).sum()
}

fn lane(planned: &Planned) -> Lane {
    (planned.provider.clone(), planned.call.model.as_deref().map(Into::into))
}

/// Who is asked where a stage's own provider has no good answer.
fn fallbacks(stage: &Stage, providers: &BTreeMap<String, ProviderIdentity>) -> Vec<Lane> {
    let Some(asking) = stage.work.asking() else { return Vec::new() };
    let lane = |one: &FallbackPlan| {
        let own = match &asking.provider {
            Dial::Fixed(provider) => Some(provider.as_str()),
            Dial::Template(_) => None,
        };
        let provider = one.provider.as_deref().or(own).unwrap_or_default();
        let usual = providers.get(provider).filter(|_| matches!(stage.work, Work::Text(_)));
        let model = one.model.as_deref().or_else(|| usual.and_then(|identity| identity.kind.default_text_model()));
        (provider.into(), model.map(Into::into))
    };
    asking.fallbacks.iter().map(lane).collect()
}
