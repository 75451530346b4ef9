//! How long a server asks to be left alone: every form in which servers say it.

use std::sync::LazyLock;
use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::fmt::rfc2822::DateTimeParser;
use jiff::tz::TimeZone;
use regex::Regex;

use super::message::HttpHead;

/// No server means more; what is beyond is a mistake in a header.
const LONGEST: Duration = Duration::from_secs(7 * 24 * 3600);

static SENTENCE: LazyLock<Regex> = LazyLock::new(|| {
    // `Retry after 12.5s` (Pollinations), `Please try again in 6m0s`, `in 20ms`, `in 3 seconds` (OpenAI and others).
    Regex::new(r"(?i)\b(?:retry after|try again in|retry in)\s+((?:\d+(?:\.\d+)?\s*(?:ms|s|m|h|seconds?|minutes?|hours?)\s*)+)")
        .expect("a constant, tested below")
});

static QUANTITY: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?i)(\d+(?:\.\d+)?)\s*(ms|s|m|h)").expect("a constant, tested below"));

/// From the header `Retry-After` (RFC 9110: seconds or a date) or `retry-after-ms`, else the number of seconds in the
/// body, else the sentence in its message.
pub(super) fn retry_after(head: &HttpHead, seconds: Option<f64>, message: &str) -> Option<Duration> {
    header(head).or_else(|| duration(seconds?)).or_else(|| sentence(message))
}

fn header(head: &HttpHead) -> Option<Duration> {
    let milliseconds = head.header("retry-after-ms").and_then(|value| value.trim().parse::<f64>().ok());
    if let Some(precise) = milliseconds.and_then(|value| duration(value / 1000.0)) {
        return Some(precise);
    }
    let value = head.header("retry-after")?.trim();
    if let Ok(seconds) = value.parse::<f64>() {
        return duration(seconds);
    }
    let until = http_date(value)?;
    // The server's own clock, where it tells: ours may be wrong.
    let now = head.header("date").and_then(http_date).unwrap_or(head.at);
    let seconds = until.duration_since(now).as_secs_f64();
    duration(seconds.max(0.0))
}

/// A date in one of the three forms of RFC 9110. A weekday that does not fit its date is no reason to hammer a server.
fn http_date(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let modern = DateTimeParser::new().relaxed_weekday(true).parse_timestamp(text).ok();
    modern.or_else(|| {
        let (_weekday, rest) = text.split_once(' ')?;
        // `Sunday, 22-Nov-26 10:00:30 GMT`, as in RFC 850, and `Sun Nov 22 10:00:30 2026`, as by `asctime` of C.
        let old = ["%d-%b-%y %H:%M:%S GMT", "%b %e %H:%M:%S %Y"];
        let date = old.iter().find_map(|form| DateTime::strptime(form, rest.trim()).ok())?;
        Some(date.to_zoned(TimeZone::UTC).ok()?.timestamp())
    })
}

fn sentence(message: &str) -> Option<Duration> {
    let found = SENTENCE.captures(message)?;
    let mut seconds = 0.0;
    for quantity in QUANTITY.captures_iter(&found[1]) {
        let factor = match quantity[2].to_ascii_lowercase().as_str() {
            "ms" => 0.001,
            "m" => 60.0,
            "h" => 3600.0,
            _ => 1.0,
        };
        seconds += quantity[1].parse::<f64>().ok()? * factor;
    }
    duration(seconds)
}

fn duration(seconds: f64) -> Option<Duration> {
    if !seconds.is_finite() || seconds < 0.0 {
        return None;
    }
    Some(Duration::try_from_secs_f64(seconds).unwrap_or(LONGEST).min(LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(headers: &[(&str, &str)]) -> HttpHead {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        HttpHead { status: 429, headers, at: "2026-11-22T10:00:00Z".parse().unwrap(), elsewhere: None }
    }

    fn asked(headers: &[(&str, &str)]) -> Option<f64> {
        retry_after(&head(headers), None, "").map(|duration| duration.as_secs_f64())
    }

    #[test]
    fn a_header_gives_seconds_or_a_date() {
        assert_eq!(asked(&[("retry-after", "13")]), Some(13.0));
        assert_eq!(asked(&[("retry-after", "0.5")]), Some(0.5));
        assert_eq!(asked(&[("retry-after", "13"), ("retry-after-ms", "1200")]), Some(1.2));
        assert_eq!(asked(&[("retry-after", "Sun, 22 Nov 2026 10:00:30 GMT")]), Some(30.0));
        let dated = [("date", "Sun, 22 Nov 2026 10:00:20 GMT"), ("retry-after", "Sun, 22 Nov 2026 10:00:30 GMT")];
        assert_eq!(asked(&dated), Some(10.0), "by the clock of the server");
        for same in ["Sunday, 22-Nov-26 10:00:30 GMT", "Sun Nov 22 10:00:30 2026", "Mon, 22 Nov 2026 10:00:30 GMT"] {
            assert_eq!(asked(&[("retry-after", same)]), Some(30.0), "{same}");
        }
        assert_eq!(asked(&[("retry-after", "Wed Jul  1 10:00:30 2026")]), Some(0.0));
        assert_eq!(asked(&[("retry-after", "Sun, 22 Nov 2026 09:00:00 GMT")]), Some(0.0));
    }

    #[test]
    fn nonsense_is_no_answer() {
        for value in ["", "soon", "-1", "NaN", "inf", "Sun, 99 Nov 2026 10:00:00 GMT"] {
            assert_eq!(asked(&[("retry-after", value)]), None, "{value}");
        }
        assert_eq!(asked(&[("retry-after", "1e300")]), Some(LONGEST.as_secs_f64()));
    }

    #[test]
    fn a_body_gives_a_number_or_a_sentence() {
        let asked = |seconds, message| retry_after(&head(&[]), seconds, message).map(|duration| duration.as_millis());
        assert_eq!(asked(Some(12.5), ""), Some(12_500));
        assert_eq!(asked(None, "Rate limit exceeded. Retry after 12.5s. Use secret keys"), Some(12_500));
        assert_eq!(asked(None, "Please try again in 6m0s."), Some(360_000));
        assert_eq!(asked(None, "Please try again in 20ms."), Some(20));
        assert_eq!(asked(None, "Try again in 3 seconds"), Some(3_000));
        assert_eq!(asked(None, "Try again in 1h 2 minutes"), Some(3_720_000));
        assert_eq!(asked(None, "Please slow down"), None);
        assert_eq!(retry_after(&head(&[("retry-after", "13")]), Some(12.5), "").unwrap().as_secs(), 13);
    }
}
