//! Why a run would ask for an item, or would not.

use std::sync::Arc;

use jiff::Timestamp;

use crate::client::{undecodable, verdict};
use crate::exec::{Fate, Fresh, Planned};
use crate::model::{
    AnswerId, Asked, Difference, Failure, FailureKind, ItemRef, Reuse, SkipReason, differences, nearest,
};
use crate::plan::Plan;
use crate::store::Store;

use super::forecast::{Looker, looker};
use super::pick::Pick;
use super::show::stage_named;

/// So many of the latest calls of a stage are compared.
const LATEST: u32 = 1_000;

/// What a run would make of an item, and why.
#[derive(Debug, Clone, PartialEq)]
pub struct Why {
    /// Which item; none where no item of the stage is known.
    pub item: Option<ItemRef>,
    /// Why.
    pub reason: Reason,
    /// Whether another item asks the same: then it is asked once for both.
    pub is_shared: bool,
}

/// Why a run would ask, or would not.
#[derive(Debug, Clone, PartialEq)]
pub enum Reason {
    /// An answer is kept, and used.
    Kept(Option<KeptAt>),
    /// It asks: no call of the stage is kept.
    NothingKept,
    /// It asks: the last call that was made for this item, else the most similar one that is kept, differs in these fields.
    Differs(Vec<Difference>, Option<KeptAt>),
    /// It asks: an answer is kept, and a new one is wanted.
    Fresh(Option<KeptAt>),
    /// It asks: an answer is kept, and would not be accepted today.
    Failing(Option<KeptAt>, Failure),
    /// It asks: an answer was kept, and its picture is no longer what it was.
    Lost(Option<KeptAt>),
    /// It asks: an answer is kept, and is too old.
    TooOld(Option<KeptAt>),
    /// It asks: an answer is kept, and `reuse: false` is said.
    NotReused(Option<KeptAt>),
    /// It makes no call.
    Made,
    /// It is skipped.
    Skipped(SkipReason),
    /// It fails, without a call.
    Fails(Failure),
    /// It names a stage whose value is not known before a run, since another one (or that one itself) would ask first.
    Unknown {
        /// What it names.
        named: Arc<str>,
        /// Who asks.
        asks: Arc<str>,
    },
    /// Its items are not known before a run: their list is made of this stage's value.
    Uncounted(Arc<str>),
}

/// When an answer came, and in which run.
#[derive(Debug, Clone, PartialEq)]
pub struct KeptAt {
    /// When.
    pub at: Timestamp,
    /// The run's name; nothing if it was pruned.
    pub run: Option<String>,
}

/// Tells why a run would ask for an item of a stage, by its key or its number (`#7`) over all items that are known; the
/// first without one.
///
/// # Errors
/// No such stage or item, or what is kept can't be read.
pub async fn why(
    plan: &Arc<Plan>,
    (stage, item): (&str, Option<&str>),
    store: Option<&Store>,
    fresh: &Fresh,
) -> Result<Why, Failure> {
    let ix = stage_named(plan, stage)?;
    if item.is_some() && plan.stage(ix).loops.is_empty() {
        let failure = Failure::new(FailureKind::NotFound, format!("`{stage}` runs once, it has no items"));
        return Err(failure.suggest("leave the item out"));
    }
    if !plan.runs(ix) {
        let failure = Failure::new(FailureKind::NotFound, format!("`{stage}` is not among the stages that run"));
        return Err(failure.suggest("leave `--only` out, or name it there"));
    }
    let Looker { parts, .. } = looker(plan, store, fresh)?;
    let mut pick = Pick::new(item);
    let uncounted = pick.look(ix, parts).await?;
    let Some((item, fate)) = pick.picked() else {
        return match uncounted.get(&ix) {
            Some(made_of) => {
                let reason = Reason::Uncounted(plan.stage(*made_of).name.clone());
                Ok(Why { item: None, reason, is_shared: false })
            }
            None => Err(pick.not_found(plan, ix, item)),
        };
    };
    let is_shared = matches!(fate, Fate::Shared(_));
    let reuse = plan.stage(ix).work.asking().map(|asking| asking.reuse).unwrap_or_default();
    let reason = reason(&item, fate, store, (fresh, reuse))?;
    Ok(Why { item: Some(item), reason, is_shared })
}

fn reason(
    item: &ItemRef,
    fate: Fate,
    store: Option<&Store>,
    (fresh, reuse): (&Fresh, Reuse),
) -> Result<Reason, Failure> {
    Ok(match fate {
        Fate::Kept(_, answer) => Reason::Kept(kept_at(store, answer)?),
        Fate::ToCall(planned) | Fate::Shared(planned) => match store {
            Some(store) => asks(&planned, item, store, (fresh, reuse))?,
            None => Reason::NothingKept,
        },
        Fate::Made(_) => Reason::Made,
        Fate::Skipped(reason) => Reason::Skipped(reason),
        Fate::Fails(failure) => Reason::Fails(failure),
        Fate::Unknown { asks, named } => Reason::Unknown { named, asks },
    })
}

/// Why a call would be made.
fn asks(planned: &Planned, item: &ItemRef, store: &Store, (fresh, reuse): (&Fresh, Reuse)) -> Result<Reason, Failure> {
    let asked = Asked::of(&planned.call);
    if let Some(answer) = store.look_up(&asked, None)?.answer {
        let at = kept_at(Some(store), Some(answer.id))?;
        let verdict = verdict(&planned.call, &planned.terms, &answer.reply);
        return Ok(match verdict.and_then(|json| undecodable(&answer.reply).map_or(Ok(json), Err)) {
            Err(failure) => Reason::Failing(at, failure),
            Ok(_) if fresh.covers(item) => Reason::Fresh(at),
            Ok(_) if reuse == Reuse::Never => Reason::NotReused(at),
            Ok(_) => Reason::TooOld(at),
        });
    }
    if let Some((call, answer)) = store.last_call_of(&asked.stage, item.key.as_deref())? {
        let at = kept_at(Some(store), Some(answer))?;
        let differences = differences(&call, &asked.canonical);
        return Ok(if differences.is_empty() { Reason::Lost(at) } else { Reason::Differs(differences, at) });
    }
    let calls = store.calls_of(&asked.stage, LATEST)?;
    let Some(at) = nearest(&asked.canonical, calls.iter().map(|(call, _)| call)) else {
        return Ok(Reason::NothingKept);
    };
    let (call, answer) = &calls[at];
    Ok(Reason::Differs(differences(call, &asked.canonical), kept_at(Some(store), Some(*answer))?))
}

fn kept_at(store: Option<&Store>, answer: Option<AnswerId>) -> Result<Option<KeptAt>, Failure> {
    let Some((store, answer)) = store.zip(answer) else { return Ok(None) };
    Ok(store.origin(answer)?.map(|origin| KeptAt { at: origin.at, run: origin.run }))
}
