//! How the machinery around a call behaves: `retry`, `timeout`, `waves`, `max_failures`, `on_error`.

use super::fields::{Fields, Keys};
use super::node::{Node, Value};
use super::pipeline::OnErrorSpec;
use super::quantities::{count, duration, number, share, time, truth, whole};
use super::reader::Reader;
use super::templates::json;
use crate::diag::Diagnostic;
use crate::model::{Clocks, FailureLimit, RetryPolicy, Reuse, Waves};

pub(super) const RETRY: Keys =
    Keys { owner: "`retry`", own: &["attempts", "backoff", "factor", "max_backoff", "jitter"], settings: &[] };
pub(super) const TIMEOUT: Keys =
    Keys { owner: "`timeout`", own: &["attempt", "first_token", "idle", "total"], settings: &[] };
pub(super) const WAVES: Keys = Keys { owner: "`waves`", own: &["size", "pause"], settings: &[] };
const ON_ERROR: Keys = Keys { owner: "`on_error`", own: &["value"], settings: &[] };

/// `3`, or a mapping; what a mapping leaves out is as it always is.
pub(super) fn retry(node: &Node, reader: &mut Reader<'_>) -> Option<RetryPolicy> {
    let defaults = RetryPolicy::default();
    if node.entries().is_none() {
        return count(1)(node, reader).map(|attempts| RetryPolicy { attempts, ..defaults });
    }
    let mut fields = Fields::open(node, RETRY, reader)?;
    let attempts = fields.read("attempts", reader, count(1));
    let backoff = fields.read("backoff", reader, duration).unwrap_or(defaults.backoff);
    let factor = fields.read("factor", reader, number(1.0..=f64::INFINITY));
    let max_backoff = fields.read_at("max_backoff", reader, duration);
    let jitter = fields.read("jitter", reader, truth);
    fields.finish(reader);
    if let Some(longest) = max_backoff.as_ref().filter(|longest| longest.value < backoff) {
        reader.push(
            Diagnostic::error("out-of-range", &longest.place, "the longest pause is shorter than the first")
                .help("write a `max_backoff` of at least `backoff`, or leave it out"),
        );
    }
    Some(RetryPolicy {
        attempts: attempts.unwrap_or(defaults.attempts),
        backoff,
        factor: factor.unwrap_or(defaults.factor),
        // A first pause beyond the usual longest one is meant as it is written.
        max_backoff: max_backoff.map_or(defaults.max_backoff.max(backoff), |longest| longest.value),
        jitter: jitter.unwrap_or(defaults.jitter),
    })
}

/// `60s`, or a mapping.
pub(super) fn timeout(node: &Node, reader: &mut Reader<'_>) -> Option<Clocks> {
    if node.entries().is_none() {
        return time(node, reader).map(|attempt| Clocks { attempt: Some(attempt), ..Clocks::default() });
    }
    let mut fields = Fields::open(node, TIMEOUT, reader)?;
    let attempt = fields.read_at("attempt", reader, time);
    let first_token = fields.read("first_token", reader, time);
    let idle = fields.read("idle", reader, time);
    let total = fields.read_at("total", reader, time);
    fields.finish(reader);
    if let (Some(attempt), Some(total)) = (&attempt, &total)
        && attempt.value > total.value
    {
        reader.push(
            Diagnostic::warning("clock-without-effect", &attempt.place, "one attempt may take longer than all of them")
                .also(&total.place, "all attempts with their pauses")
                .help("write a `total` that has room for several attempts, or leave `attempt` out"),
        );
    }
    let (attempt, total) = (attempt.map(|at| at.value), total.map(|at| at.value));
    Some(Clocks { attempt, first_token, idle, total })
}

/// `{size, pause}`.
pub(super) fn waves(node: &Node, reader: &mut Reader<'_>) -> Option<Waves> {
    if node.entries().is_none() {
        reader.expected_with("a mapping", node, Some("write `waves: {size: 5, pause: 500ms}`"));
        return None;
    }
    let mut fields = Fields::open(node, WAVES, reader)?;
    let lacks_size = fields.lacks("size");
    let size = fields.read("size", reader, count(1));
    let pause = fields.read("pause", reader, duration);
    let place = fields.place();
    fields.finish(reader);
    if lacks_size {
        reader.push(
            Diagnostic::error("missing-key", place, "`waves` needs a `size`")
                .help("write `waves: {size: 5, pause: 500ms}`"),
        );
    }
    Some(Waves { size: size?, pause: pause.unwrap_or_default() })
}

/// `true`, `false`, or how old an answer may be.
pub(super) fn reuse(node: &Node, reader: &mut Reader<'_>) -> Option<Reuse> {
    match &node.value {
        Value::Bool(true) => Some(Reuse::Always),
        Value::Bool(false) => Some(Reuse::Never),
        Value::Number(_) => time(node, reader).map(Reuse::For),
        Value::Text(text, ..) if text.starts_with(|first: char| first.is_ascii_digit()) => {
            time(node, reader).map(Reuse::For)
        }
        _ => {
            let help = "write `reuse: false` to ask each time, or how old an answer may be: `reuse: 30d`";
            reader.expected_with("`true`, `false` or a duration", node, Some(help));
            None
        }
    }
}

/// `10`, or `5%`.
pub(super) fn max_failures(node: &Node, reader: &mut Reader<'_>) -> Option<FailureLimit> {
    match &node.value {
        Value::Text(text, _) if text.trim_end().ends_with('%') => share(node, reader).map(FailureLimit::Share),
        Value::Number(_) => {
            whole(node, 0..=i64::MAX, reader).and_then(|n| u64::try_from(n).ok()).map(FailureLimit::Count)
        }
        _ => {
            reader.expected_with(
                "a whole number or a share",
                node,
                Some("write `10`, or `5%` of what has come to an end"),
            );
            None
        }
    }
}

/// `stop`, `continue`, or `{value: ..}`.
pub(super) fn on_error(node: &Node, reader: &mut Reader<'_>) -> Option<OnErrorSpec> {
    match node.as_text() {
        Some("stop") => return Some(OnErrorSpec::Stop),
        Some("continue") => return Some(OnErrorSpec::Continue),
        Some(text) if !text.contains("{{") => {
            reader.unknown_choice("way to go on", text, &node.place, &["stop", "continue", "{value: ..}"]);
            return None;
        }
        _ => {}
    }
    if node.entries().is_none() {
        reader.expected_with(
            "`stop`, `continue` or a mapping",
            node,
            Some("write `on_error: {value: ..}` for a value that takes the place"),
        );
        return None;
    }
    let mut fields = Fields::open(node, ON_ERROR, reader)?;
    let lacks_value = fields.lacks("value");
    let value = fields.read("value", reader, json);
    let place = fields.place();
    fields.finish(reader);
    if lacks_value {
        reader.push(
            Diagnostic::error("missing-key", place, "`on_error` has no `value`").help("write `on_error: {value: ..}`"),
        );
    }
    value.map(OnErrorSpec::Value)
}
