//! What models cost, as far as that is known without the pipeline file: a small table, and what lists of models say.

use super::service::OPENAI;
use crate::model::{Amount, Currency, Json, Price, ProviderIdentity, ProviderKind};

/// Its head says of when it is, and where from.
const TABLE: &str = include_str!("openai_prices.txt");

/// The price of a model that is known without asking anyone: what is built in is free, and some models of `OpenAI` at its
/// own address have the price that it has published.
pub fn known_price(identity: &ProviderIdentity, model: Option<&str>) -> Option<Price> {
    match identity.kind {
        ProviderKind::Offline => Some(Price::FREE),
        ProviderKind::Openai if identity.address == OPENAI => {
            let model = model?;
            table().find(|(name, _)| *name == model).map(|(_, price)| price)
        }
        ProviderKind::Openai | ProviderKind::Pollinations | ProviderKind::PollinationsLegacy => None,
    }
}

fn table() -> impl Iterator<Item = (&'static str, Price)> {
    TABLE.lines().filter(|line| !line.starts_with('#')).filter_map(|line| {
        let mut columns = line.split_whitespace();
        let name = columns.next()?;
        let (input, output) = (columns.next()?.parse().ok()?, columns.next()?.parse().ok()?);
        let most_input = columns.next().map(str::parse).transpose().ok()?;
        let (currency, image) = (Currency::Usd, None);
        Some((name, Price { currency, input: Some(input), output: Some(output), image, most_input }))
    })
}

/// No picture is as cheap as this, and none of its tokens as dear: in pollen.
const PICTURE_OR_TOKEN: Amount = Amount(50_000_000);

/// The price in a list of models of Pollinations: pollen for one token of each kind, as texts (`"6e-8"`). What makes
/// pictures out of tokens of text counts tokens; what has a price for pictures alone counts a picture as one.
pub(super) fn listed_price(model: &Json) -> Option<Price> {
    let pricing = model.get("pricing")?;
    if pricing.get("currency").is_none_or(|currency| currency.as_str() != Some("pollen")) {
        return None;
    }
    let text = |name: &str| match pricing.get(name)? {
        Json::String(text) => Some(text.clone()),
        Json::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let of_a_million = |name: &str| Amount::of_a_million(&text(name)?).ok();
    let (input, image) = (of_a_million("promptTextTokens"), of_a_million("completionImageTokens"));
    let thinking = of_a_million("completionReasoningTokens");
    let output = of_a_million("completionTextTokens").or(image).max(thinking);
    let picture = text("completionImageTokens").and_then(|one| one.parse().ok());
    let picture = picture.filter(|one| input.is_none() && *one >= PICTURE_OR_TOKEN);
    let price = match picture {
        Some(_) => Price { currency: Currency::Pollen, image: picture, ..Price::default() },
        None => Price { currency: Currency::Pollen, input, output, ..Price::default() },
    };
    (price.image.is_some() || price.input.is_some() && price.output.is_some()).then_some(price)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn at(kind: ProviderKind, address: &str) -> ProviderIdentity {
        ProviderIdentity { kind, address: address.to_owned() }
    }

    fn amount(text: &str) -> Amount {
        text.parse().unwrap()
    }

    #[test]
    fn the_table_is_for_one_address() {
        let price = known_price(&at(ProviderKind::Openai, OPENAI), Some("gpt-4o-mini")).unwrap();
        assert_eq!((price.input, price.output, price.image), (Some(amount("0.15")), Some(amount("0.60")), None));
        assert_eq!(known_price(&at(ProviderKind::Openai, "http://127.0.0.1:1/v1"), Some("gpt-4o-mini")), None);
        assert_eq!(known_price(&at(ProviderKind::Openai, OPENAI), Some("llama")), None);
        assert_eq!(known_price(&at(ProviderKind::Openai, OPENAI), None), None);
        assert_eq!(known_price(&at(ProviderKind::Offline, "offline"), None), Some(Price::FREE));
    }

    #[test]
    fn every_line_of_the_table_is_read() {
        let lines = TABLE.lines().filter(|line| !line.starts_with('#')).count();
        assert_eq!(table().count(), lines);
        let page = include_str!("../../docs/provider-openai.md");
        for line in TABLE.lines().filter(|line| !line.starts_with('#')) {
            let row = line.split_whitespace().collect::<Vec<_>>();
            let up_to = row.get(3).map_or(String::new(), |most| format!(" {} 000 tokens", &most[..most.len() - 3]));
            let shown = format!("| `{}` | {} | {} |{up_to} |", row[0], row[1], row[2]);
            assert!(page.contains(&shown), "{line}");
        }
    }

    #[test]
    fn lists_have_prices_in_texts() {
        let read = |pricing: Json| listed_price(&json!({"name": "m", "pricing": pricing}));
        let text =
            read(json!({"currency": "pollen", "promptTextTokens": "1.5e-7", "completionTextTokens": "0.0000006"}));
        let (input, output) = (Some(amount("0.15")), Some(amount("0.6")));
        let expected = Price { currency: Currency::Pollen, input, output, ..Price::default() };
        assert_eq!(text, Some(expected));
        let picture = read(json!({"currency": "pollen", "completionImageTokens": "0.00012"})).unwrap();
        assert_eq!((picture.input, picture.image), (None, Some(amount("0.00012"))));
        let of_tokens =
            json!({"currency": "pollen", "promptTextTokens": "0.000002", "completionImageTokens": "0.000008"});
        let of_tokens = read(of_tokens).unwrap();
        assert_eq!((of_tokens.output, of_tokens.image), (Some(amount("8")), None));
        assert_eq!(read(json!({"currency": "pollen", "completionVideoSeconds": "0.1"})), None);
        assert_eq!(read(json!({"currency": "usd", "promptTextTokens": "1", "completionTextTokens": "1"})), None);
        assert_eq!(read(json!({"currency": "pollen", "promptTextTokens": "cheap", "completionTextTokens": "1"})), None);
        assert_eq!(listed_price(&json!("flux")), None);
    }
}
