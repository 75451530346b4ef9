//! What the calls that a run would make take: tokens, money and time, from answers that are kept and from assumptions.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use crate::model::{Call, Cost, Price, Request, Usage};
use crate::plan::{Plan, Stage, Work};
use crate::store::{Spread, StageStatistics};

/// Bytes that are taken for a token.
const BYTES_OF_TOKEN: u64 = 4;
/// The length of an answer of which nothing is known, in tokens.
pub(super) const ASSUMED: Range<u64> = Range { low: 250, expected: 1_000, high: 4_000 };

/// An estimate.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Range<T> {
    /// No less, if all goes cheaply.
    pub low: T,
    /// About this.
    pub expected: T,
    /// No more, if all goes dearly.
    pub high: T,
}

impl<T: Copy> Range<T> {
    /// The same figures worked out in the same way.
    #[must_use]
    pub fn map<U>(self, figure: impl Fn(T) -> U) -> Range<U> {
        Range { low: figure(self.low), expected: figure(self.expected), high: figure(self.high) }
    }

    pub(super) fn with<U: Copy, V>(self, other: Range<U>, figure: impl Fn(T, U) -> V) -> Range<V> {
        Range {
            low: figure(self.low, other.low),
            expected: figure(self.expected, other.expected),
            high: figure(self.high, other.high),
        }
    }
}

/// The price of a model: the provider's name in the file, the model, and whether a picture is asked for.
pub type PriceOf<'a> = &'a (dyn Fn(&str, Option<&str>, bool) -> Option<Price> + Sync);

/// Whom a stage asks: the provider's name in the file, and its model.
pub(super) type Lane = (Arc<str>, Option<Arc<str>>);

/// Requests, as far as they can be rendered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Rendered {
    pub(super) calls: u64,
    /// Of all requests together.
    pub(super) bytes: u64,
    /// How many say how long the answer may be, and how long they say together, in tokens.
    pub(super) with_max: u64,
    pub(super) max_tokens: u64,
}

impl Rendered {
    pub(super) fn add(&mut self, call: &Call) {
        self.calls += 1;
        self.bytes = self.bytes.saturating_add(call.bytes());
        if let Request::Text { params, .. } = &call.request
            && let Some(most) = params.max_tokens
        {
            self.with_max += 1;
            self.max_tokens = self.max_tokens.saturating_add(most);
        }
    }
}

/// The calls of a stage that are estimated.
#[derive(Debug, Clone, Default)]
pub(super) struct Calls {
    /// Those that would be made, by whom they go to.
    pub(super) to_call: BTreeMap<Lane, Rendered>,
    /// Instances that may make one; it is not known which.
    pub(super) unknown: u64,
    /// Whom those go to, as far as that can be told.
    pub(super) lane: Option<Lane>,
    /// All requests of the stage that can be rendered, kept ones too.
    pub(super) rendered: Rendered,
    /// Of the templates of a request, as they stand in the file.
    pub(super) template_bytes: u64,
    /// `max_tokens` of the stage, if it is the same for all instances.
    pub(super) max_tokens: Option<u64>,
}

/// Where the length of an answer is known from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Basis {
    /// Tokens that were counted for answers that are kept.
    Usage,
    /// The bytes of answers that are kept.
    Length,
    /// `max_tokens`.
    MaxTokens,
    /// Nothing.
    Assumed,
}

/// What the calls of a stage take.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Estimate {
    pub(super) tokens_in: Range<u64>,
    pub(super) tokens_out: Range<u64>,
    pub(super) cost: Range<Cost>,
    /// Nothing where no answer is kept that tells how long one takes.
    pub(super) time: Option<Duration>,
    /// Of texts, where their length is known from.
    pub(super) basis: Option<Basis>,
    /// Those whose price is not known.
    pub(super) unpriced: Vec<Lane>,
}

/// Works out what the calls of a stage take.
pub(super) fn estimate(
    plan: &Plan,
    stage: &Stage,
    calls: &Calls,
    kept: &StageStatistics,
    price: PriceOf<'_>,
) -> Estimate {
    let known: u64 = calls.to_call.values().map(|rendered| rendered.calls).sum();
    if known + calls.unknown == 0 {
        return Estimate::default();
    }
    let is_image = matches!(stage.work, Work::Image(_));
    let (length, basis) = if is_image { (counted(kept), None) } else { length(calls, kept) };
    let mut estimate = Estimate { basis, ..Estimate::default() };
    let unknown =
        Rendered { calls: calls.unknown, bytes: bytes_of(calls, kept) * calls.unknown, ..Rendered::default() };
    let certain = calls.to_call.iter().map(|(lane, rendered)| (Some(lane), *rendered, true));
    let maybe = std::iter::once((calls.lane.as_ref(), unknown, false)).filter(|(_, rendered, _)| rendered.calls > 0);
    for (lane, rendered, is_certain) in certain.chain(maybe) {
        let bytes = if is_image { 0 } else { rendered.bytes };
        let least = u64::from(is_certain);
        let count = Range { low: least, expected: 1, high: 1 };
        let input = count.map(|one| one * bytes.div_ceil(BYTES_OF_TOKEN));
        let output = length.with(count, |each, one| each.saturating_mul(rendered.calls) * one);
        let price = lane.and_then(|(provider, model)| price(provider, model.as_deref(), is_image));
        if !price.is_some_and(|price| cost(price, is_image, kept, (1, 1, 1)).unpriced == 0) {
            estimate.unpriced.extend(lane.cloned());
        }
        let spent =
            input.with(output, |input, output| (input, output)).with(count, |(input, output), one| match price {
                _ if one == 0 => Cost::NOTHING,
                Some(price) => cost(price, is_image, kept, (rendered.calls, input, output)),
                None => Cost::unpriced(rendered.calls),
            });
        estimate.tokens_in = estimate.tokens_in.with(input, u64::saturating_add);
        estimate.tokens_out = estimate.tokens_out.with(output, u64::saturating_add);
        estimate.cost = estimate.cost.with(spent, Cost::plus);
    }
    estimate.time = kept.took.map(|took| time(plan, stage, calls, known + calls.unknown, took));
    estimate
}

/// What so many calls cost with so many tokens in and out over all of them.
fn cost(price: Price, is_image: bool, kept: &StageStatistics, (calls, input, output): (u64, u64, u64)) -> Cost {
    let amount = if is_image {
        let usage = kept.input_tokens.zip(kept.output_tokens).map(|(input, output)| usage(input.mean, output.mean));
        price.of_image(usage).map(|one| one.times(calls, 1))
    } else {
        price.of_usage(usage(input, output))
    };
    amount.map_or_else(|| Cost::unpriced(calls), |amount| price.cost(amount))
}

fn usage(input_tokens: u64, output_tokens: u64) -> Usage {
    Usage { input_tokens, output_tokens, total_tokens: input_tokens.saturating_add(output_tokens) }
}

/// Tokens that were counted for an answer; nought where nobody counted.
fn counted(kept: &StageStatistics) -> Range<u64> {
    kept.output_tokens.map(range).unwrap_or_default()
}

/// How long one answer is, in tokens, and where that is known from.
fn length(calls: &Calls, kept: &StageStatistics) -> (Range<u64>, Option<Basis>) {
    let rendered = &calls.rendered;
    let mean = rendered.max_tokens / rendered.with_max.max(1);
    let most = if rendered.with_max > 0 { Some(mean) } else { calls.max_tokens };
    let within = |length: Range<u64>| length.map(|tokens| tokens.min(most.unwrap_or(u64::MAX)));
    if let Some(tokens) = kept.output_tokens {
        return (within(range(tokens)), Some(Basis::Usage));
    }
    if let Some(bytes) = kept.length {
        return (within(range(bytes).map(|bytes| bytes.div_ceil(BYTES_OF_TOKEN))), Some(Basis::Length));
    }
    match most {
        Some(most) => {
            (Range { low: most.div_ceil(10), expected: most.div_ceil(2), high: most }, Some(Basis::MaxTokens))
        }
        None => (ASSUMED, Some(Basis::Assumed)),
    }
}

fn range(spread: Spread) -> Range<u64> {
    // The mean of a few very long ones may lie beyond where most of them end.
    Range { low: spread.low.min(spread.mean), expected: spread.mean, high: spread.high.max(spread.mean) }
}

/// How long one request is that can't be rendered, in bytes: like the others of its stage, else like those that are kept,
/// else like its templates.
fn bytes_of(calls: &Calls, kept: &StageStatistics) -> u64 {
    match calls.rendered.calls {
        0 => kept.input_tokens.map_or(calls.template_bytes, |tokens| tokens.mean.saturating_mul(BYTES_OF_TOKEN)),
        rendered => calls.rendered.bytes / rendered,
    }
}

/// So many calls, as many at once as the stage and its provider allow, and no faster than its `rate`.
fn time(plan: &Plan, stage: &Stage, calls: &Calls, count: u64, took: Spread) -> Duration {
    let lane = calls.to_call.keys().next().or(calls.lane.as_ref());
    let settings = lane.and_then(|(provider, _)| plan.providers.iter().find(|one| one.name == **provider));
    let allowed = settings.and_then(|settings| settings.concurrency).map_or(u64::MAX, u64::from);
    let at_once = (stage.concurrency as u64).min(allowed).min(count).max(1);
    let in_turn = Duration::from_millis(took.mean.saturating_mul(count.div_ceil(at_once)));
    let spaced = stage.rate.map(|rate| rate.spacing().saturating_mul(u32::try_from(count).unwrap_or(u32::MAX)));
    in_turn.max(spaced.unwrap_or_default())
}
