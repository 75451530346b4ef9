//! Tokens that a call took, in the forms in which servers count them.

use super::message::HttpHead;
use super::said::{Said, field};
use crate::model::Usage;

/// A count that can't be one, such as a negative number: then nothing is known, which is not the same as none.
struct Absurd;

const MOST: u64 = 1_000_000_000_000_000;

/// By either of the two names that APIs have for them. `None` if nothing is counted, or not in a way to be trusted.
pub(super) fn of_json(json: &Said<'_>) -> Option<Usage> {
    let count = |names: &[&str]| names.iter().find_map(|name| number(field(json, name)?).transpose()).transpose();
    let input = count(&["prompt_tokens", "input_tokens"]).ok()?;
    let output = count(&["completion_tokens", "output_tokens"]).ok()?;
    let total = count(&["total_tokens"]).ok()?;
    input.or(output).or(total)?;
    Some(sum(input, output, total))
}

/// The gateway of Pollinations counts in headers too; where the body is a picture, there alone.
pub(super) fn of_headers(head: &HttpHead) -> Option<Usage> {
    let count = |part: &str| {
        let prefix = format!("x-usage-{part}-");
        let counts = head.headers.iter().filter(|(name, _)| name.starts_with(&prefix) && name.ends_with("-tokens"));
        let counts: Result<Vec<u64>, _> = counts.map(|(_, count)| written(count)).collect();
        counts.map(|counts| counts.into_iter().reduce(u64::saturating_add))
    };
    let (input, output) = (count("prompt").ok()?, count("completion").ok()?);
    input.or(output)?;
    Some(sum(input, output, None))
}

fn sum(input: Option<u64>, output: Option<u64>, total: Option<u64>) -> Usage {
    let (input_tokens, output_tokens) = (input.unwrap_or(0), output.unwrap_or(0));
    let total_tokens = total.unwrap_or(input_tokens.saturating_add(output_tokens));
    Usage { input_tokens, output_tokens, total_tokens }
}

fn number(json: &Said<'_>) -> Result<Option<u64>, Absurd> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the range is checked; counts are whole"
    )]
    let whole = |float: f64| (0.0..1e15).contains(&float).then_some(float as u64);
    match json {
        Said::Number(count) => count.as_u64().or_else(|| whole(count.as_f64()?)).ok_or(Absurd).and_then(sane).map(Some),
        Said::Str(digits) => written(digits).map(Some),
        _ => Ok(None),
    }
}

fn written(digits: &str) -> Result<u64, Absurd> {
    digits.trim().parse().map_err(|_| Absurd).and_then(sane)
}

/// What no answer can have: a negative number in the shape of another, say. Sums of it would overflow.
fn sane(count: u64) -> Result<u64, Absurd> {
    if count < MOST { Ok(count) } else { Err(Absurd) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(input_tokens: u64, output_tokens: u64, total_tokens: u64) -> Usage {
        Usage { input_tokens, output_tokens, total_tokens }
    }

    #[test]
    fn usage_has_many_forms() {
        for (text, usage) in [
            ("null", None),
            ("{}", None),
            (r#"{"prompt_tokens": 9, "completion_tokens": 2}"#, Some(counted(9, 2, 11))),
            (r#"{"prompt_tokens": 9, "completion_tokens": 2.0, "total_tokens": 40}"#, Some(counted(9, 2, 40))),
            (r#"{"input_tokens": 1, "output_tokens": null}"#, Some(counted(1, 0, 1))),
            (r#"{"prompt_tokens": null, "input_tokens": "7", "output_tokens": " 3 "}"#, Some(counted(7, 3, 10))),
            (r#"{"total_tokens": -1}"#, None),
            (r#"{"prompt_tokens": -1, "completion_tokens": 2, "total_tokens": 1}"#, None),
            (r#"{"prompt_tokens": 1, "completion_tokens": "many"}"#, None),
            (r#"{"prompt_tokens": 18446744073709551615, "completion_tokens": 2}"#, None),
        ] {
            assert_eq!(of_json(&serde_json::from_str(text).unwrap()), usage, "{text}");
        }
    }

    #[test]
    fn headers_are_summed() {
        let read = |headers: &[(&str, &str)]| {
            let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            let at = "2026-11-22T10:00:00Z".parse().unwrap();
            of_headers(&HttpHead { status: 200, headers, at, elsewhere: None })
        };
        let (text, cached) = ("x-usage-prompt-text-tokens", "x-usage-prompt-cached-tokens");
        assert_eq!(read(&[("content-type", "x")]), None);
        assert_eq!(
            read(&[(text, "7"), (cached, "2"), ("x-usage-completion-image-tokens", "5")]),
            Some(counted(9, 5, 14))
        );
        assert_eq!(read(&[(text, "18446744073709551615"), (cached, "2")]), None);
        assert_eq!(read(&[(text, "7"), (cached, "-2")]), None);
    }
}
