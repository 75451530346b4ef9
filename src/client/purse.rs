//! What a run may spend and what its calls cost: prices and ledger together, as the gate of a call knows them.

use std::sync::{PoisonError, RwLock};

use crate::model::{
    Amount, Budget, Call, Content, Cost, EventKind, Failure, FailureKind, Price, Reply, Request, Spent, Usage,
};
use crate::provider::ModelInfo;

use super::Prices;
use super::budget::{Ledger, Reservation};

/// The money of a run. Without one nothing is limited, and no price is known.
#[derive(Debug, Default)]
pub struct Purse {
    prices: RwLock<Prices>,
    ledger: Ledger,
    allow_unpriced: bool,
}

impl Purse {
    /// A purse with so much in it, of which earlier runs have `spent` a part. Calls without a known price are made under
    /// a limited cost only if they are allowed.
    pub fn new(prices: Prices, budget: Budget, spent: Spent, allow_unpriced: bool) -> Self {
        Self { prices: RwLock::new(prices), ledger: Ledger::new(budget, spent), allow_unpriced }
    }

    /// Takes in what a provider's list of models says of prices.
    pub fn add_list(&self, provider: &str, models: &[ModelInfo]) {
        self.prices.write().unwrap_or_else(PoisonError::into_inner).add_list(provider, models);
    }

    /// What has been used so far, by earlier runs too.
    pub fn used(&self) -> Spent {
        self.ledger.used()
    }

    /// What happened to the budget and has not been told.
    pub(super) fn news(&self) -> Option<EventKind> {
        self.ledger.news()
    }

    /// Whether anything is limited.
    pub(super) fn is_limited(&self) -> bool {
        let Budget { calls, tokens, cost } = self.ledger.budget();
        calls.is_some() || tokens.is_some() || cost.is_some()
    }

    /// The price of a call to a provider of this name.
    pub(super) fn price(&self, provider: &str, call: &Call) -> Option<Price> {
        let prices = self.prices.read().unwrap_or_else(PoisonError::into_inner);
        prices.find(provider, call.model.as_deref(), matches!(call.request, Request::Image { .. }))
    }

    /// Sets aside what a call can take at most.
    ///
    /// # Errors
    /// It does not fit, or nobody knows what it can take.
    pub(super) async fn reserve(
        &self,
        provider: &str,
        call: &Call,
        price: Option<Price>,
    ) -> Result<Reservation<'_>, Failure> {
        let worst = self.worst(provider, call, price)?;
        self.ledger.reserve(worst).await
    }

    /// What a call can take at most, of what is limited.
    fn worst(&self, provider: &str, call: &Call, price: Option<Price>) -> Result<Spent, Failure> {
        let budget = self.ledger.budget();
        let tokens = match budget.tokens {
            None => 0,
            Some(_) => longest(call).ok_or_else(|| endless(&call.stage))?,
        };
        let cost = match (budget.cost, price) {
            (None, _) => Cost::NOTHING,
            (Some(_), Some(price)) => match price.worst(call) {
                Some(worst) => price.cost(worst),
                None if longest(call).is_none() => return Err(endless(&call.stage)),
                None if price.is_passed_by(call) && !self.allow_unpriced => {
                    return Err(too_long(provider, call, price));
                }
                None => self.unpriced(provider, call.model.as_deref())?,
            },
            (Some(_), None) => self.unpriced(provider, call.model.as_deref())?,
        };
        Ok(Spent { calls: 1, tokens, cost })
    }

    fn unpriced(&self, provider: &str, model: Option<&str>) -> Result<Cost, Failure> {
        if self.allow_unpriced { Ok(Cost::unpriced(1)) } else { Err(unpriced(provider, model)) }
    }
}

/// Settles what a request took, and says what it cost.
pub(super) fn settle(
    reservation: Reservation<'_>,
    call: &Call,
    price: Option<Price>,
    outcome: &Result<Reply, Failure>,
) -> Spent {
    let taken = taken(call, price, outcome);
    reservation.settle(taken);
    taken
}

/// Says that a call is not made since nobody knows what it would cost.
pub fn unpriced(provider: &str, model: Option<&str>) -> Failure {
    let what = match model {
        Some(model) => format!("`{model}` of `{provider}`"),
        None => format!("A call of `{provider}` that names no model"),
    };
    let message = format!("{what} has no known price, and the cost of this run is limited");
    let prices = model.map_or("name a `model`, and give it `prices`".to_owned(), |model| {
        format!("give its price in the file, `providers: {{{provider}: {{prices: {{{model}: {{..}}}}}}}}`")
    });
    Failure::new(FailureKind::Unpriced, message).suggest(format!("{prices}, or let it through with `--allow-unpriced`"))
}

/// The price that is known is one for shorter requests.
fn too_long(provider: &str, call: &Call, price: Price) -> Failure {
    let most = price.most_input.unwrap_or_default();
    let unpriced = unpriced(provider, call.model.as_deref());
    let what = call.model.as_deref().unwrap_or_default();
    let message = format!(
        "`{what}` of `{provider}` has no known price for a request that may be longer than {most} tokens, and the cost of \
         this run is limited"
    );
    Failure { message, ..unpriced }
}

/// The most tokens that a call can take. Those of pictures are not counted: they have prices by the piece.
fn longest(call: &Call) -> Option<u64> {
    match &call.request {
        Request::Text { params, .. } => Some(call.bytes().saturating_add(params.most_tokens()?)),
        Request::Image { .. } => Some(0),
    }
}

fn endless(stage: &str) -> Failure {
    Failure::new(FailureKind::BadRequest, format!("`{stage}` has no `max_tokens`, and there is a budget"))
        .suggest("say how long its answer may be: `max_tokens: 500`")
}

/// What a request took: what it cost as far as that is known, and what counts of it.
fn taken(call: &Call, price: Option<Price>, outcome: &Result<Reply, Failure>) -> Spent {
    let usage = outcome.as_ref().map_or_else(|failure| failure.usage, |reply| reply.usage);
    if usage.is_none() && outcome.as_ref().is_err_and(is_free_of_charge) {
        return Spent { calls: 1, ..Spent::default() };
    }
    let told = match (price, outcome) {
        (Some(price), Ok(reply)) => of_answer(price, reply),
        (Some(price), Err(_)) => usage.and_then(|usage| price.of_usage(usage)),
        (None, _) => None,
    };
    // Who does not say what it took may have taken the most.
    let amount = told.or_else(|| price?.worst(call));
    let cost = price.zip(amount).map_or(Cost::unpriced(1), |(price, amount)| price.cost(amount));
    let tokens = match &call.request {
        Request::Text { .. } => usage.map_or_else(|| longest(call).unwrap_or_default(), all_tokens),
        Request::Image { .. } => 0,
    };
    Spent { calls: 1, tokens, cost }
}

fn of_answer(price: Price, reply: &Reply) -> Option<Amount> {
    if price.is_free() && matches!(reply.content, Content::Text(_)) {
        return Some(Amount::ZERO);
    }
    price.of_reply(reply)
}

fn all_tokens(usage: Usage) -> u64 {
    usage.total_tokens.max(usage.input_tokens.saturating_add(usage.output_tokens))
}

/// Whether the service has refused, and so has done nothing that it could charge for.
fn is_free_of_charge(failure: &Failure) -> bool {
    match failure.kind {
        // Without a connection nothing was sent.
        FailureKind::Connect
        | FailureKind::RateLimited
        | FailureKind::BadRequest
        | FailureKind::FormRefused
        | FailureKind::NotFound
        | FailureKind::Moderated
        | FailureKind::ModelForbidden
        | FailureKind::KeyMissing
        | FailureKind::KeyRefused
        | FailureKind::BalanceGone
        | FailureKind::Away => true,
        // Without a status there was no answer, and nobody knows how far it got.
        FailureKind::Server => failure.status.is_some(),
        _ => false,
    }
}
