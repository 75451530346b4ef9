//! Numbers, durations, rates, amounts: single values that are not templates.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::node::{Node, Style, Value};
use super::reader::Reader;
use crate::diag::{Diagnostic, shortened};
use crate::model::{Amount, Place, Rate, UnitError, Units};

/// `true` or `false`.
pub(super) fn truth(node: &Node, reader: &mut Reader<'_>) -> Option<bool> {
    if let Value::Bool(truth) = node.value {
        return Some(truth);
    }
    reader.expected_plain("`true` or `false`", node);
    None
}

/// A whole number of at least `least`.
pub(super) fn count(least: u32) -> impl FnOnce(&Node, &mut Reader<'_>) -> Option<u32> {
    move |node, reader| whole(node, i64::from(least)..=i64::from(u32::MAX), reader).and_then(|n| u32::try_from(n).ok())
}

/// A whole number in a range.
pub(super) fn whole(node: &Node, range: RangeInclusive<i64>, reader: &mut Reader<'_>) -> Option<i64> {
    let (least, most) = (*range.start(), *range.end());
    let number = match &node.value {
        Value::Number(number) => number,
        // More digits than a number can hold: YAML has left it a text.
        Value::Text(text, Style::Plain) if is_whole(text) => {
            reader.push(out_of_range(text, least, most, text.starts_with('-'), &node.place));
            return None;
        }
        _ => {
            reader.expected_plain("a whole number", node);
            return None;
        }
    };
    // `2.0` is a whole number too.
    let float = number.as_f64().filter(|float| float.fract() == 0.0);
    #[expect(clippy::cast_possible_truncation, reason = "the range of what is cast is checked")]
    let exact = number.as_i64().or_else(|| float.filter(|float| float.abs() < 9e15).map(|float| float as i64));
    match (exact, float) {
        (Some(whole), _) if range.contains(&whole) => return Some(whole),
        (Some(whole), _) => {
            reader.push(out_of_range(&number.to_string(), least, most, whole < least, &node.place));
        }
        (None, Some(float)) => {
            reader.push(out_of_range(&number.to_string(), least, most, float < 0.0, &node.place));
        }
        (None, None) => reader.expected("a whole number", node),
    }
    None
}

fn is_whole(text: &str) -> bool {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// The end that is passed is named.
fn out_of_range(written: &str, least: i64, most: i64, is_below: bool, place: &Place) -> Diagnostic {
    let limits = if most < i64::from(u32::MAX) {
        format!("write a whole number from {least} to {most}")
    } else if is_below {
        format!("write a whole number of at least {least}")
    } else {
        format!("write a whole number of at most {most}")
    };
    beyond(&format!("`{}`", shortened(written)), &limits, place)
}

/// A number in a range.
pub(super) fn number(range: RangeInclusive<f64>) -> impl FnOnce(&Node, &mut Reader<'_>) -> Option<f64> {
    move |node, reader| {
        let Value::Number(number) = &node.value else {
            reader.expected_plain("a number", node);
            return None;
        };
        let value = number.as_f64()?;
        if range.contains(&value) {
            return Some(value);
        }
        let limits = if range.end().is_finite() {
            format!("write a number from {} to {}", range.start(), range.end())
        } else {
            format!("write a number of at least {}", range.start())
        };
        reader.push(beyond(&format!("`{number}`"), &limits, &node.place));
        None
    }
}

fn beyond(what: &str, limits: &str, place: &Place) -> Diagnostic {
    Diagnostic::error("out-of-range", place, format!("{what} is out of range")).help(limits)
}

/// A duration that may be zero.
pub(super) fn duration(node: &Node, reader: &mut Reader<'_>) -> Option<Duration> {
    quantity("a duration", Units::duration, node, reader)
}

/// A duration of something that takes time.
pub(super) fn time(node: &Node, reader: &mut Reader<'_>) -> Option<Duration> {
    let duration = duration(node, reader)?;
    if duration.is_zero() {
        let written = format!("`{}`", reader.written(&node.place));
        reader.push(beyond(&written, "write a duration above zero: `500ms`, `30s`", &node.place));
        return None;
    }
    Some(duration)
}

/// `60/min`.
pub(super) fn rate(node: &Node, reader: &mut Reader<'_>) -> Option<Rate> {
    quantity("a rate", Units::rate, node, reader)
}

/// `5%`, as a share between 0 and 1.
pub(super) fn share(node: &Node, reader: &mut Reader<'_>) -> Option<f64> {
    quantity("a share", Units::share, node, reader)
}

/// `90k`; at least 1.
pub(super) fn amount(node: &Node, reader: &mut Reader<'_>) -> Option<u64> {
    let amount = match &node.value {
        Value::Number(_) => whole(node, 1..=i64::MAX, reader).and_then(|n| u64::try_from(n).ok())?,
        _ => quantity("an amount", Units::amount, node, reader)?,
    };
    if amount == 0 {
        reader.push(beyond("`0`", "write a whole number of at least 1", &node.place));
        return None;
    }
    Some(amount)
}

/// `2.50`: so much of a currency that goes without saying.
pub(super) fn money(node: &Node, reader: &mut Reader<'_>) -> Option<Amount> {
    quantity("an amount of money", str::parse, node, reader)
}

/// A quantity with a unit. A bare number lacks it, and its reader says how it is written.
fn quantity<T>(
    what: &str,
    read: impl FnOnce(&str) -> Result<T, UnitError>,
    node: &Node,
    reader: &mut Reader<'_>,
) -> Option<T> {
    let text = match &node.value {
        Value::Text(text, _) if !text.contains("{{") => text.to_string(),
        Value::Number(_) => reader.written(&node.place).to_owned(),
        _ => {
            reader.expected(what, node);
            return None;
        }
    };
    match read(&text) {
        Ok(quantity) => Some(quantity),
        Err(error) => {
            let message = format!("`{}` {}", shortened(&text), error.message);
            reader.push(Diagnostic::error("bad-quantity", &node.place, message).help(error.help));
            None
        }
    }
}
