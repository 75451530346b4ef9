//! What a run would do, without doing it: the same frontier and the same instances, which only look up what is kept.
//!
//! An instance whose call is kept has its value, and the forecast goes on from there. One whose call would be made has
//! none yet, and what needs that value is unknown. Nothing is sent and nothing is written.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::future::poll_fn;
use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};

use futures::StreamExt;
use futures::stream::{SelectAll, select_all};

use crate::client::{Client, Slot, Terms};
use crate::model::{
    AnswerId, Call, EventKind, Failure, FailureKind, ItemRef, ProviderIdentity, Reuse, SkipReason, Value, truthy,
};
use crate::plan::template::Template;
use crate::plan::{Plan, StageIx};
use crate::store::{HELD_IN_MEMORY, Held};

use super::asks::{Asks, LookUps, Looked};
use super::context::{Fixed, Renderer, names};
use super::fresh::{Fresh, FreshWish};
use super::frontier::Frontier;
use super::instance::{Env, run};
use super::job::{Done, Job, Outcome, Returned, Seen};
use super::lists::Stdin;
use super::pictures::Gallery;
use super::queue::{ReadyQueue, ReadyStream};

/// Items opened at a time, before instances are looked at.
const BATCH: usize = 64;

/// What a forecast is made of.
#[derive(Debug)]
pub struct ForecastParts {
    /// What would run.
    pub plan: Arc<Plan>,
    /// Who looks up and judges what is kept.
    pub client: Client,
    /// What of each provider is part of a call's key, by its name.
    pub providers: HashMap<String, ProviderIdentity>,
    /// Which calls would be made anew, though an answer is kept.
    pub fresh: Fresh,
    /// How many items of a loop may be open at once, if not as many as usual.
    pub window: Option<NonZeroUsize>,
}

/// What a run would make of an instance.
#[derive(Debug)]
pub struct Prospect<'a> {
    /// Its stage.
    pub stage: StageIx,
    /// Which instance.
    pub item: &'a ItemRef,
    /// What becomes of it.
    pub fate: Fate,
}

/// A call of an instance, and whom it goes to.
#[derive(Debug, Clone)]
pub struct Planned {
    /// What is asked.
    pub call: Call,
    /// The provider's name in the file.
    pub provider: Arc<str>,
    /// What the answer must be.
    pub terms: Terms,
}

/// What becomes of an instance.
#[derive(Debug)]
pub enum Fate {
    /// It has this value without a call.
    Made(Value),
    /// A kept answer is used.
    Kept(Box<Planned>, Option<AnswerId>),
    /// It would ask this.
    ToCall(Box<Planned>),
    /// It would ask what another instance asks as well: that is one call.
    Shared(Box<Planned>),
    /// It would be skipped, for this reason.
    Skipped(SkipReason),
    /// It would fail, without a call.
    Fails(Failure),
    /// It can't be known before a run.
    Unknown {
        /// The stage that would ask for what is missing.
        asks: Arc<str>,
        /// What it names of which the value is missing.
        named: Arc<str>,
    },
}

/// Who is told of instances, and says when it has heard enough.
type Each<'e> = dyn FnMut(Prospect<'_>) -> ControlFlow<()> + Send + 'e;

/// Looks at every instance that is known before a run, and tells of each once, until `each` breaks off. Gives the stages
/// with further instances of which nobody knows how many there are, and for each the stage whose value their list is made of.
///
/// # Errors
/// A list can't be read, or what is kept can't.
pub async fn forecast(parts: ForecastParts, each: &mut Each<'_>) -> Result<BTreeMap<StageIx, StageIx>, Failure> {
    let ForecastParts { plan, client, providers, fresh, window } = parts;
    let internal = |error: std::io::Error| Failure::new(FailureKind::Internal, error.to_string());
    let scratch = tempfile::tempdir().map_err(internal)?;
    let stdin = Stdin::new(scratch.path().join("stdin"));
    let fixed = Fixed::read(&plan, "RUN", &stdin).await.map_err(|(_, failure)| failure)?;
    let (events, halt) = (client.events().clone(), client.halt().clone());
    let rates = plan.stages.iter().map(|_| None).collect();
    let asks = Asks::Kept(Box::new(LookUps::new(client)));
    let told_empty = Mutex::default();
    let env = Env {
        plan: plan.clone(),
        asks,
        folder: None,
        events,
        halt,
        providers,
        fixed,
        rates,
        show: false,
        gallery: Gallery::unwritten(&plan),
        fresh: FreshWish::new(fresh),
        told_empty,
    };
    let (queues, streams): (Vec<ReadyQueue>, Vec<ReadyStream>) =
        plan.stages.iter().map(|_| ReadyQueue::new(1, None)).unzip();
    let held = Arc::new(Held::new(scratch.path().join("held"), HELD_IN_MEMORY));
    let frontier = Frontier::new(plan, queues, stdin, &held, window);
    let mut looking = Looking { env: Arc::new(env), frontier, asked: HashSet::new(), is_enough: false };
    looking.go(select_all(streams), each).await?;
    Ok(looking.frontier.uncounted)
}

struct Looking {
    env: Arc<Env>,
    frontier: Frontier,
    /// The beginnings of the keys of calls that would be made.
    asked: HashSet<u64>,
    /// Whether nobody wants to hear of more.
    is_enough: bool,
}

impl Looking {
    async fn go(&mut self, mut ready: SelectAll<ReadyStream>, each: &mut Each<'_>) -> Result<(), Failure> {
        self.frontier.start();
        self.tell(None, each);
        while !self.frontier.is_over && !self.is_enough {
            let next = tokio::select! {
                biased;
                Some(next) = ready.next() => Some(next),
                () = poll_fn(|cx| self.frontier.read(cx, BATCH)) => None,
            };
            let item = match next {
                Some((slot, job)) => Some(self.look(slot, job, each).await?),
                None => None,
            };
            // What would end a run does not end this: what else is known is of use, too.
            self.frontier.broken_lists();
            if let Some(failure) = self.frontier.unheld.take() {
                return Err(failure);
            }
            self.tell(item.as_ref(), each);
            self.frontier.rows_out.clear();
        }
        Ok(())
    }

    /// Looks at one instance, and gives it back.
    async fn look(&mut self, slot: Arc<Slot>, job: Box<Job>, each: &mut Each<'_>) -> Result<ItemRef, Failure> {
        let (stage, item) = (job.stage, job.item.clone());
        let returned = if let Some((named, asks)) = unknown(&job) {
            let reason = SkipReason::Unknown { stage: asks.clone() };
            let left_out = is_left_out(&self.env, &job);
            let fate = if left_out { Fate::Skipped(SkipReason::When) } else { Fate::Unknown { asks, named } };
            self.is_enough |= each(Prospect { stage, item: &item, fate }).is_break();
            let outcome = Outcome::Skipped(if left_out { SkipReason::When } else { reason });
            Returned { stage, instance: job.instance, item: job.item, outcome }
        } else {
            let mut returned = run(self.env.clone(), job, slot).await;
            let fate = self.fate(&returned.outcome, self.env.asks.looked())?;
            if matches!(fate, Fate::ToCall(_) | Fate::Shared(_)) {
                returned.outcome = Outcome::Skipped(SkipReason::Unknown { stage: item.stage.clone() });
            }
            self.is_enough |= each(Prospect { stage, item: &item, fate }).is_break();
            returned
        };
        self.frontier.settle(returned);
        Ok(item)
    }

    /// What an outcome means.
    fn fate(&mut self, outcome: &Outcome, looked: Option<Looked>) -> Result<Fate, Failure> {
        Ok(match (outcome, looked) {
            (Outcome::Interrupted { .. }, Some(Looked { call, provider, reuse, terms, .. })) => {
                let key = call.key();
                let beginning = key.bytes().first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
                let planned = Box::new(Planned { call, provider, terms });
                let is_first = self.asked.insert(beginning);
                if is_first || reuse == Reuse::Never { Fate::ToCall(planned) } else { Fate::Shared(planned) }
            }
            (Outcome::Done(_) | Outcome::Replaced { .. }, Some(Looked { call, provider, terms, answer, .. })) => {
                Fate::Kept(Box::new(Planned { call, provider, terms }), answer)
            }
            (Outcome::Done(Done { value, .. }) | Outcome::Replaced { value, .. }, None) => Fate::Made(value.clone()),
            (Outcome::Skipped(reason), _) => Fate::Skipped(reason.clone()),
            (Outcome::Failed { failure, .. } | Outcome::Blocked { failure, .. }, _) => Fate::Fails(failure.clone()),
            (Outcome::Unwritable(failure), _) => return Err(failure.clone()),
            (Outcome::Interrupted { .. }, None) => {
                return Err(Failure::new(FailureKind::Internal, "an instance was not looked at to its end"));
            }
        })
    }

    /// Tells of instances that came to an end without being looked at: `told` was.
    fn tell(&mut self, told: Option<&ItemRef>, each: &mut Each<'_>) {
        let mut told = told;
        for event in std::mem::take(&mut self.frontier.outbox) {
            let (item, fate) = match event {
                EventKind::Skipped { item, reason } => (item, Fate::Skipped(reason)),
                EventKind::Failed { item, failure, .. } => (item, Fate::Fails(failure)),
                _ => continue,
            };
            if told.take_if(|told| **told == item).is_some() {
                continue;
            }
            if let Some(stage) = self.frontier.plan.find_stage(&item.stage) {
                self.is_enough |= each(Prospect { stage, item: &item, fate }).is_break();
            }
        }
    }
}

/// A stage that an instance names and whose value is unknown, and the one that would be asked for it.
fn unknown(job: &Job) -> Option<(Arc<str>, Arc<str>)> {
    job.seen.iter().find_map(|(name, seen)| match seen {
        Seen::Nothing(SkipReason::Unknown { stage }) => Some((name.clone(), stage.clone())),
        _ => None,
    })
}

/// Whether `when` is false for an instance, whatever the values are that are unknown.
fn is_left_out(env: &Env, job: &Job) -> bool {
    let stage = env.plan.stage(job.stage);
    let is_unknown = |root: &String| {
        let seen = job.seen.iter().find(|(name, _)| **name == **root);
        matches!(seen, Some((_, Seen::Nothing(SkipReason::Unknown { .. }))))
    };
    let is_known = |when: &&Template| !when.uses().iter().any(|one| one.path.first().is_some_and(is_unknown));
    let known: Vec<&Template> = stage.outer_when.iter().rev().chain(&stage.when).filter(is_known).collect();
    if known.is_empty() {
        return false;
    }
    let renderer = Renderer::new(names(&env.plan, stage, job, &env.fixed).into(), job);
    known.iter().any(|when| renderer.value(when).is_ok_and(|value| !truthy(&value)))
}
