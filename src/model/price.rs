//! What a model's calls cost.

use serde::{Deserialize, Serialize};

use super::{Amount, Call, Content, Cost, Currency, Reply, Request, Usage};

/// The prices of a model. A part that is not known is absent, which is not the same as nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Price {
    /// What it is counted in.
    pub currency: Currency,
    /// For a million tokens of the request.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub input: Option<Amount>,
    /// For a million tokens of the answer.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub output: Option<Amount>,
    /// For a picture.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub image: Option<Amount>,
    /// Tokens of a request that these prices hold up to; longer ones have others, which are not known here.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub most_input: Option<u64>,
}

const MILLION: u64 = 1_000_000;

impl Price {
    /// What is built in costs nothing.
    pub const FREE: Self = Self {
        currency: Currency::Usd,
        input: Some(Amount::ZERO),
        output: Some(Amount::ZERO),
        image: Some(Amount::ZERO),
        most_input: None,
    };

    /// Whether all of it is known, and nothing.
    pub fn is_free(&self) -> bool {
        [self.input, self.output, self.image].into_iter().all(|part| part == Some(Amount::ZERO))
    }

    /// What tokens cost. Thinking that a provider counts in the total alone is part of the answer.
    pub fn of_usage(&self, usage: Usage) -> Option<Amount> {
        let output = usage.output_tokens.max(usage.total_tokens.saturating_sub(usage.input_tokens));
        self.of_tokens(usage.input_tokens, output)
    }

    /// What one picture costs: by the piece, or by the tokens that the provider counted for it.
    pub fn of_image(&self, usage: Option<Usage>) -> Option<Amount> {
        self.image.or_else(|| self.of_usage(usage?))
    }

    /// What an answer costs, as far as it says enough.
    pub fn of_reply(&self, reply: &Reply) -> Option<Amount> {
        match reply.content {
            Content::Text(_) => self.of_usage(reply.usage?),
            Content::Image { .. } => self.of_image(reply.usage),
        }
    }

    /// The most that a call can cost, before it is sent: each byte of it a token, and the longest answer allowed.
    pub fn worst(&self, call: &Call) -> Option<Amount> {
        if self.is_free() {
            return Some(Amount::ZERO);
        }
        match &call.request {
            Request::Text { params, .. } => self.of_tokens(call.bytes(), params.most_tokens()?),
            Request::Image { .. } => self.image,
        }
    }

    /// Whether a call can be priced before it is sent, once its length has an end.
    pub fn is_known_for(&self, is_image: bool) -> bool {
        if is_image { self.image.is_some() } else { self.input.is_some() && self.output.is_some() }
    }

    /// An amount as a cost.
    pub fn cost(&self, amount: Amount) -> Cost {
        Cost::of(self.currency, amount)
    }

    /// Whether a call can be longer than these prices hold for.
    pub fn is_passed_by(&self, call: &Call) -> bool {
        self.most_input.is_some_and(|most| call.bytes() > most)
    }

    fn of_tokens(&self, input: u64, output: u64) -> Option<Amount> {
        if self.most_input.is_some_and(|most| input > most) {
            return None;
        }
        Some(self.input?.times(input, MILLION).plus(self.output?.times(output, MILLION)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Choice, ImageParams, Message, ProviderIdentity, ProviderKind, Role, TextParams};

    fn price() -> Price {
        let amount = |text: &str| Some(text.parse().unwrap());
        Price {
            currency: Currency::Usd,
            input: amount("0.15"),
            output: amount("0.60"),
            image: amount("0.04"),
            most_input: None,
        }
    }

    fn call(request: Request) -> Call {
        let provider = ProviderIdentity { kind: ProviderKind::Offline, address: "offline".into() };
        Call { stage: "a".into(), provider, model: None, request, repeat: vec![], answer: Choice::Text }
    }

    fn text(max_tokens: Option<u64>) -> Call {
        let params = TextParams { max_tokens, ..TextParams::default() };
        call(Request::Text { messages: vec![Message::new(Role::User, "Hello")], params })
    }

    fn usage(input_tokens: u64, output_tokens: u64, total_tokens: u64) -> Usage {
        Usage { input_tokens, output_tokens, total_tokens }
    }

    #[test]
    fn tokens_are_priced_by_the_million() {
        assert_eq!(price().of_usage(usage(1_000, 500, 1_500)), Some("0.00045".parse().unwrap()));
        // Five hundred more were thought.
        assert_eq!(price().of_usage(usage(1_000, 500, 2_000)), Some("0.00075".parse().unwrap()));
        assert_eq!(Price { output: None, ..price() }.of_usage(usage(1, 1, 2)), None);
    }

    #[test]
    fn the_worst_case_is_known_before_only_with_an_end() {
        assert_eq!(price().worst(&text(None)), None);
        let worst = price().worst(&text(Some(1_000_000))).unwrap();
        let counted = price().of_usage(usage(5, 1_000_000, 1_000_005)).unwrap();
        assert!(worst > counted && worst < counted.plus("0.0001".parse().unwrap()));
    }

    #[test]
    fn what_is_longer_than_a_price_holds_for_has_none() {
        let short = Price { most_input: Some(1_000), ..price() };
        assert_eq!(short.of_usage(usage(1_000, 9_000, 10_000)), price().of_usage(usage(1_000, 9_000, 10_000)));
        assert_eq!(short.of_usage(usage(1_001, 1, 1_002)), None);
        let call = text(Some(9_000));
        assert_eq!((short.worst(&call), short.is_passed_by(&call)), (price().worst(&call), false));
        let shortest = Price { most_input: Some(4), ..price() };
        assert_eq!((shortest.worst(&call), shortest.is_passed_by(&call)), (None, true));
    }

    #[test]
    fn pictures_are_priced_by_the_piece_or_by_what_was_counted() {
        let picture = call(Request::Image { prompt: "A fox".to_owned(), params: ImageParams::default() });
        assert_eq!(price().worst(&picture), price().image);
        let by_tokens = Price { image: None, ..price() };
        assert_eq!(by_tokens.worst(&picture), None);
        assert_eq!(by_tokens.of_image(None), None);
        assert_eq!(by_tokens.of_image(Some(usage(0, 1_000, 1_000))), Some("0.0006".parse().unwrap()));
    }

    #[test]
    fn free_is_known_and_unknown_is_not_free() {
        assert!(Price::FREE.is_free() && !Price::default().is_free());
        assert_eq!(Price::FREE.of_usage(usage(1, 1, 2)), Some(Amount::ZERO));
    }
}
