//! How people are told of items, lanes, counts and times.

use std::time::Duration;

use crate::model::{ItemRef, LaneRef, Units};

use super::columns::one_line;

/// `report`, or `summarize/7` in a loop.
pub(super) fn item_name(item: &ItemRef) -> String {
    match &item.key {
        Some(key) => format!("{}/{}", item.stage, one_line(key)),
        None => item.stage.to_string(),
    }
}

/// `pollinations/openai`, or `pollinations` where no model is sent.
pub fn lane_name(lane: &LaneRef) -> String {
    match &lane.model {
        Some(model) => format!("{}/{}", lane.provider, one_line(model)),
        None => lane.provider.to_string(),
    }
}

/// `1 item`, `3 items`.
pub(super) fn count_of(count: u64, one: &str) -> String {
    if count == 1 { format!("1 {one}") } else { format!("{count} {one}s") }
}

/// A large number in four characters: `950`, `9.5k`, `21k`, `1.2M`.
pub fn short_number(number: u64) -> String {
    let (factor, unit) = match number {
        0..1_000 => return number.to_string(),
        1_000..1_000_000 => (1_000, "k"),
        1_000_000..1_000_000_000 => (1_000_000, "M"),
        _ => (1_000_000_000, "G"),
    };
    let (whole, tenth) = (number / factor, number % factor * 10 / factor);
    if whole < 10 { format!("{whole}.{tenth}{unit}") } else { format!("{whole}{unit}") }
}

/// Instances in a second, or in a minute where they are few: `3.2/s`, `12/min`.
pub(super) fn rate(per_second: f64) -> String {
    if per_second >= 10.0 {
        format!("{per_second:.0}/s")
    } else if per_second >= 1.0 {
        format!("{per_second:.1}/s")
    } else {
        format!("{:.0}/min", (per_second * 60.0).max(1.0))
    }
}

/// An estimate, in whole seconds: `9s`, `4m05s`.
pub(super) fn about(duration: Duration) -> String {
    let seconds = duration.as_secs_f64().ceil();
    if seconds < 60.0 { format!("{seconds:.0}s") } else { Units::show_duration(duration) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stay_short() {
        let shown: Vec<String> =
            [0, 950, 9_560, 21_400, 999_999, 1_250_000, 3_000_000_000].into_iter().map(short_number).collect();
        assert_eq!(shown, ["0", "950", "9.5k", "21k", "999k", "1.2M", "3.0G"]);
    }

    #[test]
    fn rates_and_estimates() {
        assert_eq!([rate(31.4), rate(3.15), rate(0.2), rate(0.001)], ["31/s", "3.1/s", "12/min", "1/min"]);
        assert_eq!(about(Duration::from_millis(8_200)), "9s");
        assert_eq!(about(Duration::from_secs(245)), "4m05s");
    }

    #[test]
    fn an_items_key_can_not_break_the_line() {
        let item = ItemRef { stage: "a".into(), key: Some("x\n\u{1b}[2Jy".into()), path: [0].into() };
        assert_eq!(item_name(&item), "a/x [2Jy");
    }
}
