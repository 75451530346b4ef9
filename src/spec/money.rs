//! What a run may take and what calls cost: `budget`, `prices`.

use std::collections::BTreeMap;

use super::fields::{Fields, Keys};
use super::node::Node;
use super::quantities::{amount, money};
use super::reader::Reader;
use crate::diag::{Diagnostic, shortened};
use crate::model::{Budget, Currency, Place, Price};

pub(super) const BUDGET: Keys = Keys { owner: "`budget`", own: &["calls", "tokens", "cost"], settings: &[] };
pub(super) const PRICE: Keys = Keys { owner: "a price", own: &["input", "output", "image"], settings: &[] };

const BUDGET_HELP: &str = "write `budget: {calls: 500, tokens: 200k, cost: 2.50}`, or a part of it";
const PRICE_HELP: &str = "write `prices: {MODEL: {input: 0.15, output: 0.60}}`, in US dollars for a million tokens, or \
                          `{image: 0.01}` for a picture";

/// `{calls, tokens, cost}`, at least one of them.
pub(super) fn budget(node: &Node, reader: &mut Reader<'_>) -> Option<Budget> {
    if node.entries().is_none() {
        reader.expected_with("a mapping", node, Some(BUDGET_HELP));
        return None;
    }
    let mut fields = Fields::open(node, BUDGET, reader)?;
    let is_empty = BUDGET.own.iter().all(|key| fields.lacks(key));
    let calls = fields.read("calls", reader, amount);
    let tokens = fields.read("tokens", reader, amount);
    let cost = fields.read("cost", reader, money);
    let place = fields.place();
    fields.finish(reader);
    if is_empty {
        reader.push(Diagnostic::error("missing-key", place, "this budget limits nothing").help(BUDGET_HELP));
    }
    Some(Budget { calls, tokens, cost })
}

/// A price for each model.
pub(super) fn prices(node: &Node, reader: &mut Reader<'_>) -> Option<BTreeMap<String, Price>> {
    let Some(entries) = node.entries() else {
        reader.expected_with("a mapping", node, Some(PRICE_HELP));
        return None;
    };
    let priced = entries.iter().filter_map(|entry| {
        let model = &entry.key.value;
        Some((model.clone(), price(model, &entry.key.place, &entry.value, reader)?))
    });
    Some(priced.collect())
}

fn price(model: &str, named: &Place, node: &Node, reader: &mut Reader<'_>) -> Option<Price> {
    if node.entries().is_none() {
        reader.expected_with("a mapping", node, Some(PRICE_HELP));
        return None;
    }
    let mut fields = Fields::open(node, PRICE, reader)?;
    let lacks = PRICE.own.iter().copied().filter(|key| fields.lacks(key)).collect::<Vec<_>>();
    let price = Price {
        currency: Currency::Usd,
        input: fields.read("input", reader, money),
        output: fields.read("output", reader, money),
        image: fields.read("image", reader, money),
        most_input: None,
    };
    fields.finish(reader);
    let model = shortened(model);
    let missing = |message: String, help: &str| Diagnostic::error("missing-key", named, message).help(help);
    match lacks[..] {
        ["input", "output", "image"] => {
            reader.push(missing(format!("there is no price for `{model}`"), PRICE_HELP));
        }
        // Half of a text's price would be taken for all of it.
        ["input" | "output", ..] if !lacks.contains(&"output") || !lacks.contains(&"input") => {
            let message = format!("the price of `{model}` has no `{}`", lacks[0]);
            reader.push(missing(message, "write both `input` and `output`; what costs nothing costs `0`"));
        }
        _ => {}
    }
    Some(price)
}
