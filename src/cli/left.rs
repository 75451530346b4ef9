//! What a run that was stopped by a limit has left to do. It knows nothing of how a run is shown.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use tokio::time::timeout;

use crate::engine::{self, ForecastOptions, Fresh, KnownPrices, Store};
use crate::model::{FailureKind, RunOutcome};
use crate::plan::Plan;

use super::inputs::reads_stdin_as_list;
use super::plan_text;
use super::signals;

/// How long anybody may be kept waiting for it.
const PATIENCE: Duration = Duration::from_secs(10);

/// What is looked at when a run has been stopped.
pub(super) struct Left {
    plan: Arc<Plan>,
    store: Store,
}

impl Left {
    /// Nothing where nobody could tell: what standard input held is read, and a take that is wanted anew looks like one
    /// that is kept.
    pub(super) fn new(plan: &Arc<Plan>, store: &Store, is_fresh: bool) -> Option<Self> {
        let can_tell = !is_fresh && !reads_stdin_as_list(plan);
        can_tell.then(|| Self { plan: plan.clone(), store: store.clone() })
    }

    /// `left to do: 12 calls, $0.12 ($0.05..$0.40)`, where a budget or a deadline has stopped the run; nothing where it
    /// can't be known soon, or somebody has no time for it.
    pub(super) async fn told(&self, outcome: &RunOutcome, prices: &KnownPrices) -> Option<String> {
        let RunOutcome::Blocked { failure } = outcome else { return None };
        if !matches!(failure.kind, FailureKind::BudgetUsedUp | FailureKind::DeadlinePassed) {
            return None;
        }
        let price = |provider: &str, model: Option<&str>, is_image| prices.prices.find(provider, model, is_image);
        let fresh = Fresh::default();
        let options = ForecastOptions { store: Some(&self.store), fresh: &fresh, price: &price };
        let mut signals = std::pin::pin!(signals::incoming());
        let forecast = tokio::select! {
            forecast = timeout(PATIENCE, engine::forecast(&self.plan, options)) => forecast.ok()?.ok()?,
            _ = signals.next() => return None,
        };
        Some(plan_text::left(&forecast))
    }
}
