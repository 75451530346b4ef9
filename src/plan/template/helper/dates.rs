//! Helpers for dates. None of them reads the clock or the time zone of the machine.

use jiff::civil::{DateTime, Time};
use jiff::fmt::{rfc2822, strtime, temporal::Pieces};
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

use crate::model::Json;

use super::kind::{Kind, as_whole};
use super::{Args, Body, Fault, Gives, Helper, Takes};

/// Without a format, a date is written as ISO 8601 does.
const ISO_DATE: &str = "%Y-%m-%d";

pub(super) const HELPERS: &[Helper] = &[Helper {
    name: "date",
    usage: "date VALUE [FORMAT]",
    about: "An ISO or mail date, or seconds since 1970, written by a format of `strftime`: `date published '%d %B %Y'`",
    takes: Takes::these(&[Kind::Text]).and_maybe(&[Kind::DateFormat]),
    gives: Gives::Text,
    body: Body::Value(date),
}];

fn date(args: &Args<'_>) -> Result<Json, Fault> {
    let value = args.value(0);
    let moment = moment(value).ok_or_else(|| {
        let written = args.text(0);
        let shown: String = written.chars().take(40).collect();
        Fault::Wrong(format!("`{shown}` is not a date; write it as `2026-11-22` or `2026-11-22T18:30:00Z`"))
    })?;
    let format = args.get(1).and_then(Json::as_str).unwrap_or(ISO_DATE);
    strtime::format(format, &moment).map(Json::String).map_err(|error| Fault::Wrong(error.to_string()))
}

/// The moment as the clock showed it where it was written down; without an offset, that is UTC.
fn moment(value: &Json) -> Option<Zoned> {
    if let Some(seconds) = as_whole(value).filter(|_| !is_compact_date(value)) {
        return Some(Timestamp::from_second(seconds).ok()?.to_zoned(TimeZone::UTC));
    }
    let text = value.as_str()?.trim();
    match Pieces::parse(text) {
        Ok(pieces) => {
            let clock = DateTime::from_parts(pieces.date(), pieces.time().unwrap_or(Time::midnight()));
            let zone = pieces.to_numeric_offset().map_or(TimeZone::UTC, TimeZone::fixed);
            clock.to_zoned(zone).ok()
        }
        Err(_) => rfc2822::parse(text).ok(),
    }
}

/// `20261122` is a date, not a second of 1970.
fn is_compact_date(value: &Json) -> bool {
    matches!(value, Json::String(text) if text.trim().len() == 8 && text.trim().bytes().all(|byte| byte.is_ascii_digit()))
}

/// What is wrong with a format.
pub(super) fn format_fault(format: &str) -> Option<String> {
    let sample = Timestamp::UNIX_EPOCH.to_zoned(TimeZone::UTC);
    strtime::format(format, &sample).err().map(|error| format!("is not a format for dates: {error}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shown(value: &Json, format: &str) -> Result<Json, Fault> {
        date(&Args { positional: vec![Some(value), Some(&json!(format))], named: Vec::new() })
    }

    #[test]
    fn dates_are_read_as_they_were_written() {
        for (value, text) in [
            (json!("2026-11-22"), "22 November 2026 00:00"),
            (json!("2026-11-22T18:30:00Z"), "22 November 2026 18:30"),
            (json!("2026-11-22 18:30"), "22 November 2026 18:30"),
            (json!("2026-11-22T23:30:00-05:00"), "22 November 2026 23:30"),
            (json!("2026-11-22T18:30:00+01:00[Europe/Berlin]"), "22 November 2026 18:30"),
            (json!("Sun, 22 Nov 2026 18:30:00 +0100"), "22 November 2026 18:30"),
            (json!(0), "01 January 1970 00:00"),
            (json!("86400"), "02 January 1970 00:00"),
            (json!("20261122"), "22 November 2026 00:00"),
        ] {
            assert_eq!(shown(&value, "%d %B %Y %H:%M"), Ok(json!(text)), "{value}");
        }
    }

    #[test]
    fn what_is_no_date_says_so() {
        for value in [json!("tomorrow"), json!(""), json!("2026-02-30"), json!(1e18), json!(true)] {
            assert!(matches!(shown(&value, "%Y"), Err(Fault::Wrong(_))), "{value}");
        }
        assert!(format_fault("%!").is_some());
        assert_eq!(format_fault("%A, %-d. %B %Y, %s"), None);
    }

    #[test]
    fn without_a_format_it_is_the_iso_date() {
        let value = json!("2026-11-22T18:30:00Z");
        assert_eq!(date(&Args { positional: vec![Some(&value)], named: Vec::new() }), Ok(json!("2026-11-22")));
    }
}
