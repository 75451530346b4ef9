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
    fn plus(self, other: Self) -> Self {
        Self {
            calls: self.calls + other.calls,
            bytes: self.bytes.saturating_add(other.bytes),
            with_max: self.with_max + other.with_max,
            max_tokens: self.max_tokens.saturating_add(other.max_tokens),
        }
    }

    pub(super) fn add(&mut self, call: &Call) {
        self.calls += 1;
        self.bytes = self.bytes.saturating_add(call.usual_bytes(BYTES_OF_TOKEN));
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
    /// Who is asked where those have no good answer, in turn.
    pub(super) fallbacks: Vec<Lane>,
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
    let count = |low, expected| Range { low, expected, high: 1 };
    let certain = calls.to_call.iter().map(|(lane, rendered)| (Some(lane), *rendered, count(1, 1)));
    let maybe =
        std::iter::once((calls.lane.as_ref(), unknown, count(0, 1))).filter(|(_, rendered, _)| rendered.calls > 0);
    // At the worst, whoever is asked answers wrongly, and the next is asked too.
    let all = calls.to_call.values().fold(unknown, |sum, rendered| sum.plus(*rendered));
    let others = calls.fallbacks.iter().map(|lane| (Some(lane), all, count(0, 0)));
    for (lane, rendered, count) in certain.chain(maybe).chain(others) {
        let bytes = if is_image { 0 } else { rendered.bytes };
        let input = count.map(|one| one * bytes.div_ceil(BYTES_OF_TOKEN));
        let output = length.with(count, |each, one| each.saturating_mul(rendered.calls) * one);
        let price = lane.and_then(|(provider, model)| price(provider, model.as_deref(), is_image));
        if price.is_none_or(|price| cost(price, is_image, kept, (1, 1, 1)).unpriced != 0) {
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
    let at_once = (stage.concurrency as u64).min(allowed).min(chains(plan, stage)).min(count).max(1);
    let in_turn = Duration::from_millis(took.mean.saturating_mul(count.div_ceil(at_once)));
    let spaced = stage.rate.map(|rate| rate.spacing().saturating_mul(u32::try_from(count).unwrap_or(u32::MAX)));
    in_turn.max(spaced.unwrap_or_default())
}

/// How many items can be done side by side where those of a list go in turn.
fn chains(plan: &Plan, stage: &Stage) -> u64 {
    let Some((_, around)) = stage.loops.split_last().filter(|_| stage.goes_in_turn()) else { return u64::MAX };
    let rows = around.iter().map(|ix| plan.loop_at(*ix).rows);
    rows.fold(1, |lists, rows| rows.map_or(u64::MAX, |rows| rows.saturating_mul(lists)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Request as Wanted, check};
    use crate::model::{Amount, Choice, Currency, Message, ProviderIdentity, ProviderKind, Role, TextParams};

    const PIPELINE: &str = "
name: x
providers: {p: {kind: openai, base_url: 'http://127.0.0.1:9/v1', concurrency: 2}}
defaults: {provider: p, model: m}
stages:
  a: {for_each: {n: 10}, text: 'Say {{n}}', concurrency: 5}
  slow: {for_each: {n: 10}, text: 'Say {{n}}', rate: 1/s}
  b: {for_each: {n: 10}, image: 'Draw {{n}}'}
  chain: {for_each: {n: 10}, text: '{{n}} {{default previous 0}}', concurrency: 5}
";

    fn plan() -> Arc<Plan> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("x.yaml");
        std::io::Write::write_all(&mut std::fs::File::create(&file).unwrap(), PIPELINE.as_bytes()).unwrap();
        check(&Wanted { file, ..Wanted::default() }).plan.expect("a plan")
    }

    fn lane() -> Lane {
        ("p".into(), Some("m".into()))
    }

    fn call(max_tokens: Option<u64>) -> Call {
        let params = TextParams { max_tokens, ..TextParams::default() };
        let messages = vec![Message::new(Role::User, "Say it")];
        Call {
            stage: "a".into(),
            provider: ProviderIdentity { kind: ProviderKind::Openai, address: "there".into() },
            model: None,
            request: crate::model::Request::Text { messages, params },
            repeat: Vec::new(),
            answer: Choice::Text,
        }
    }

    /// So many calls that would be made, and so many that may be.
    fn calls(known: u64, unknown: u64, max_tokens: Option<u64>) -> Calls {
        let mut calls = Calls { unknown, lane: Some(lane()), template_bytes: 40, ..Calls::default() };
        for _ in 0..known {
            calls.rendered.add(&call(max_tokens));
            calls.to_call.entry(lane()).or_default().add(&call(max_tokens));
        }
        calls
    }

    fn spread(low: u64, mean: u64, high: u64) -> Spread {
        Spread { low, mean, high }
    }

    /// A dollar for a million tokens in, two for a million out, four cents for a picture.
    fn price(_: &str, model: Option<&str>, _: bool) -> Option<Price> {
        let amount = |text: &str| Some(text.parse().unwrap());
        let known = Price {
            currency: Currency::Usd,
            input: amount("1"),
            output: amount("2"),
            image: amount("0.04"),
            ..Price::default()
        };
        (model == Some("m")).then_some(known)
    }

    fn of(stage: &str, calls: &Calls, kept: &StageStatistics) -> Estimate {
        let plan = plan();
        estimate(&plan, plan.stage(plan.find_stage(stage).unwrap()), calls, kept, &price)
    }

    fn range(low: u64, expected: u64, high: u64) -> Range<u64> {
        Range { low, expected, high }
    }

    fn usd(range: Range<Cost>) -> Range<u64> {
        range.map(|cost| cost.usd.0)
    }

    #[test]
    fn the_length_of_an_answer_is_that_of_kept_ones_else_a_share_of_the_longest_else_assumed() {
        let kept = StageStatistics {
            output_tokens: Some(spread(10, 20, 40)),
            length: Some(spread(1, 1, 1)),
            ..Default::default()
        };
        let by_length = StageStatistics { length: Some(spread(40, 81, 160)), ..StageStatistics::default() };
        let none = StageStatistics::default();
        for (max_tokens, kept, tokens, basis) in [
            (None, &kept, range(20, 40, 80), Basis::Usage),
            (Some(15), &kept, range(20, 30, 30), Basis::Usage),
            (None, &by_length, range(20, 42, 80), Basis::Length),
            (Some(200), &none, range(40, 200, 400), Basis::MaxTokens),
            (None, &none, range(500, 2_000, 8_000), Basis::Assumed),
        ] {
            let estimate = of("a", &calls(2, 0, max_tokens), kept);
            assert_eq!((estimate.tokens_out, estimate.basis), (tokens, Some(basis)));
        }
    }

    #[test]
    fn what_is_unknown_counts_in_all_but_the_least() {
        let estimate = of("a", &calls(2, 3, None), &StageStatistics::default());
        let one = call(None).bytes();
        let (known, unknown) = ((one * 2).div_ceil(4), (one * 3).div_ceil(4));
        assert_eq!(estimate.tokens_in, range(known, known + unknown, known + unknown));
        assert_eq!(estimate.tokens_out, range(500, 5_000, 20_000));
        let (input, all) = (known * 1_000_000, (known + unknown) * 1_000_000);
        let out = |tokens: u64| tokens * 2_000_000;
        assert_eq!(usd(estimate.cost), range(input + out(500), all + out(5_000), all + out(20_000)));

        let estimate = of("a", &calls(0, 3, None), &StageStatistics::default());
        assert_eq!(estimate.tokens_in, range(0, 30, 30), "its template is all there is");
        assert_eq!(of("a", &calls(0, 0, None), &StageStatistics::default()), Estimate::default());
    }

    #[test]
    fn what_has_no_price_is_counted_and_named() {
        let mut calls = calls(2, 1, None);
        let other: Lane = ("p".into(), Some("other".into()));
        calls.to_call.entry(other.clone()).or_default().add(&call(None));
        let estimate = of("a", &calls, &StageStatistics::default());
        assert_eq!((estimate.cost.low.unpriced, estimate.cost.high.unpriced), (1, 1));
        assert_eq!(estimate.unpriced, [other]);
        calls.lane = None;
        let estimate = of("a", &calls, &StageStatistics::default());
        assert_eq!((estimate.cost.low.unpriced, estimate.cost.high.unpriced), (1, 2), "nor who is asked");
    }

    #[test]
    fn a_picture_is_priced_by_the_piece_and_has_no_tokens() {
        let estimate = of("b", &calls(2, 1, None), &StageStatistics::default());
        assert_eq!((estimate.tokens_in, estimate.tokens_out, estimate.basis), (range(0, 0, 0), range(0, 0, 0), None));
        let cents = |count: u64| "0.04".parse::<Amount>().unwrap().0 * count;
        assert_eq!(usd(estimate.cost), range(cents(2), cents(3), cents(3)));
    }

    #[test]
    fn time_is_that_of_kept_answers_within_what_is_allowed_at_once() {
        let kept = StageStatistics { took: Some(spread(100, 300, 900)), ..StageStatistics::default() };
        // Two at once, as the provider allows.
        assert_eq!(of("a", &calls(4, 1, None), &kept).time, Some(Duration::from_millis(900)));
        assert_eq!(of("slow", &calls(4, 1, None), &kept).time, Some(Duration::from_secs(5)));
        assert_eq!(of("chain", &calls(1, 4, None), &kept).time, Some(Duration::from_millis(1500)), "one by one");
        assert_eq!(of("a", &calls(4, 1, None), &StageStatistics::default()).time, None);
    }
}
