//! Helpers for numbers.

use crate::model::Json;

use super::kind::{Kind, Number, as_number};
use super::{Args, Body, Fault, Gives, Helper, Takes};

pub(super) const HELPERS: &[Helper] = &[Helper {
    name: "number",
    usage: "number VALUE [decimals=2] [group=','] [point='.']",
    about: "The number with its digits in groups of three, with so many decimals if asked: `1,234,567.50`",
    takes: Takes::these(&[Kind::Number]).and_named(&[
        ("decimals", Kind::Count(15)),
        ("group", Kind::Text),
        ("point", Kind::Filled),
    ]),
    gives: Gives::Text,
    body: Body::Value(number),
}];

fn number(args: &Args<'_>) -> Result<Json, Fault> {
    let Some(value) = as_number(args.value(0)) else { return Err(Fault::Wrong("this is not a number".to_owned())) };
    let plain = match (value, args.named_count("decimals")) {
        (Number::Whole(whole), None | Some(0)) => whole.to_string(),
        // Digits of a whole number are never lost to a float.
        (Number::Whole(whole), Some(decimals)) => format!("{whole}.{}", "0".repeat(decimals)),
        (Number::Broken(broken), Some(decimals)) => rounded(&broken.to_string(), decimals),
        (Number::Broken(broken), None) => broken.to_string(),
    };
    let group = args.named_text("group").unwrap_or(",".into());
    let point = args.named_text("point").unwrap_or(".".into());
    Ok(Json::String(grouped(&plain, &group, &point)))
}

/// A number as it is written, with so many decimals: a half is rounded away from zero, whatever a float makes of it.
fn rounded(plain: &str, decimals: usize) -> String {
    let (whole, fraction) = plain.split_once('.').unwrap_or((plain, ""));
    let (sign, whole) = whole.strip_prefix('-').map_or(("", whole), |whole| ("-", whole));
    let kept: String = fraction.chars().chain(std::iter::repeat('0')).take(decimals).collect();
    let is_up = fraction.as_bytes().get(decimals).is_some_and(|digit| *digit >= b'5');
    let digits = format!("{whole}{kept}");
    let digits = if is_up { incremented(&digits) } else { digits };
    let (whole, fraction) = digits.split_at(digits.len() - decimals);
    if decimals == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}

/// One more than these digits say.
fn incremented(digits: &str) -> String {
    let kept = digits.trim_end_matches('9');
    let zeros = "0".repeat(digits.len() - kept.len());
    match kept.char_indices().next_back() {
        Some((at, last)) => format!("{}{}{zeros}", &kept[..at], char::from(last as u8 + 1)),
        None => format!("1{zeros}"),
    }
}

fn grouped(plain: &str, group: &str, point: &str) -> String {
    let (whole, fraction) = plain.split_once('.').map_or((plain, None), |(whole, fraction)| (whole, Some(fraction)));
    let (negative, digits) = whole.strip_prefix('-').map_or((false, whole), |digits| (true, digits));
    // Nothing but zeros is left of a small negative number: it has no sign.
    let zero = plain.bytes().all(|byte| !byte.is_ascii_digit() || byte == b'0');
    let mut shown = String::from(if negative && !zero { "-" } else { "" });
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            shown.push_str(group);
        }
        shown.push(digit);
    }
    if let Some(fraction) = fraction {
        shown.push_str(point);
        shown.push_str(fraction);
    }
    shown
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shown(value: &Json, named: &[(&'static str, Json)]) -> Json {
        let named = named.iter().map(|(name, value)| (*name, value)).collect();
        number(&Args { positional: vec![Some(value)], named }).unwrap()
    }

    #[test]
    fn digits_stand_in_groups() {
        for (value, text) in [
            (json!(1_234_567), "1,234,567"),
            (json!(-1234), "-1,234"),
            (json!(999), "999"),
            (json!("1234.5"), "1,234.5"),
            (json!(1e21), "1,000,000,000,000,000,000,000"),
            (json!(18_446_744_073_709_551_615_u64), "18,446,744,073,709,551,615"),
            (json!(0), "0"),
        ] {
            assert_eq!(shown(&value, &[]), text, "{value}");
        }
    }

    #[test]
    fn decimals_and_marks_can_be_chosen() {
        assert_eq!(shown(&json!(1234.5), &[("decimals", json!(2))]), "1,234.50");
        assert_eq!(
            shown(&json!(9_007_199_254_740_993_u64), &[("decimals", json!(1)), ("group", json!(""))]),
            "9007199254740993.0"
        );
        assert_eq!(shown(&json!(1234.5), &[("group", json!(".")), ("point", json!(","))]), "1.234,5");
        assert_eq!(shown(&json!(-0.001), &[("decimals", json!(2))]), "0.00");
    }

    #[test]
    fn a_half_is_rounded_away_from_zero() {
        for (value, decimals, text) in [
            (json!(2.5), 0, "3"),
            (json!(-2.5), 0, "-3"),
            (json!(1.005), 2, "1.01"),
            (json!(0.5), 0, "1"),
            (json!(999.996), 2, "1,000.00"),
            (json!(2.44), 1, "2.4"),
            (json!("7.1"), 3, "7.100"),
            (json!(1e21), 1, "1,000,000,000,000,000,000,000.0"),
        ] {
            assert_eq!(shown(&value, &[("decimals", json!(decimals))]), text, "{value}");
        }
    }
}
