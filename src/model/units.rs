//! Durations, rates and amounts as people write them: `500ms`, `60/min`, `90k`, `5%`.

use std::time::Duration;

/// A text that is not the quantity it should be; the message shows forms that are.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct UnitError {
    /// What is wrong, without the text itself.
    pub message: String,
    /// Forms that would be right.
    pub help: &'static str,
}

/// So many in so long: `60/min` is `{count: 60, per: 60 s}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Rate {
    /// How many; at least one.
    pub count: u32,
    /// In what time; never zero.
    pub per: Duration,
}

impl Rate {
    /// The time between two, if they are spread evenly.
    pub fn spacing(&self) -> Duration {
        self.per / self.count.max(1)
    }
}

/// The readers of written quantities.
#[derive(Debug)]
pub struct Units;

const DURATION_HELP: &str = "write a number and a unit: `500ms`, `30s`, `5m`, `2h`, `7d`";
const TOGETHER_HELP: &str = "write number and unit without a space: `500ms`, `30s`, `5m`, `2h`, `7d`";
const RATE_HELP: &str = "write a count per time: `60/min`, `10/s`, `500/h`";
const AMOUNT_HELP: &str = "write a whole number, with `k` or `M` if it is long: `500`, `90k`, `2M`";

impl Units {
    /// `500ms`, `30s`, `1.5m`, `1m30s`, `2h`, `7d`.
    ///
    /// # Errors
    /// Anything else, a bare number too: the unit is part of the value.
    pub fn duration(text: &str) -> Result<Duration, UnitError> {
        let wrong = |message: &str| UnitError { message: message.to_owned(), help: DURATION_HELP };
        let mut rest = text.trim();
        if rest.is_empty() {
            return Err(wrong("is not a duration"));
        }
        let mut seconds = 0.0_f64;
        while !rest.is_empty() {
            let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
            let number: f64 = rest[..digits].parse().map_err(|_| wrong("is not a duration"))?;
            rest = &rest[digits..];
            let letters = rest.find(|c: char| !c.is_alphabetic()).unwrap_or(rest.len());
            let unit = match &rest[..letters] {
                "ms" => 0.001,
                "s" | "sec" => 1.0,
                "m" | "min" => 60.0,
                "h" => 3600.0,
                "d" => 86_400.0,
                "" if rest.trim_start().starts_with(char::is_alphabetic) => {
                    return Err(UnitError { message: "has a space before its unit".to_owned(), help: TOGETHER_HELP });
                }
                "" => return Err(wrong("has no unit")),
                _ => return Err(wrong("is not a duration")),
            };
            rest = &rest[letters..];
            seconds += number * unit;
        }
        Duration::try_from_secs_f64(seconds).map_err(|_| wrong("is longer than time can be"))
    }

    /// `60/min`, `10/s`, `500/h`.
    ///
    /// # Errors
    /// Anything else, and a count of zero.
    pub fn rate(text: &str) -> Result<Rate, UnitError> {
        let wrong = |message: &str| UnitError { message: message.to_owned(), help: RATE_HELP };
        let (count, per) = text.split_once('/').ok_or_else(|| wrong("is not a rate"))?;
        let count: u32 = count.trim().parse().map_err(|_| wrong("is not a rate"))?;
        if count == 0 {
            return Err(wrong("lets nothing through"));
        }
        let per = match per.trim() {
            "s" | "sec" | "second" => 1,
            "m" | "min" | "minute" => 60,
            "h" | "hour" => 3600,
            "d" | "day" => 86_400,
            _ => return Err(wrong("is not a rate")),
        };
        Ok(Rate { count, per: Duration::from_secs(per) })
    }

    /// `500`, `90k`, `2M`: a whole number of things.
    ///
    /// # Errors
    /// Anything else.
    pub fn amount(text: &str) -> Result<u64, UnitError> {
        let wrong = || UnitError { message: "is not an amount".to_owned(), help: AMOUNT_HELP };
        let text = text.trim();
        let (digits, factor) = match text.char_indices().last() {
            Some((at, 'k' | 'K')) => (&text[..at], 1_000),
            Some((at, 'M')) => (&text[..at], 1_000_000),
            _ => (text, 1),
        };
        digits.parse::<u64>().ok().and_then(|n| n.checked_mul(factor)).ok_or_else(wrong)
    }

    /// `5%` as a share between 0 and 1.
    ///
    /// # Errors
    /// Anything else, and more than a hundred.
    pub fn share(text: &str) -> Result<f64, UnitError> {
        let wrong = || UnitError { message: "is not a share".to_owned(), help: "write a percentage: `5%`, `0.5%`" };
        let number = text.trim().strip_suffix('%').ok_or_else(wrong)?;
        let percent: f64 = number.trim().parse().map_err(|_| wrong())?;
        if (0.0..=100.0).contains(&percent) { Ok(percent / 100.0) } else { Err(wrong()) }
    }

    /// A duration as people read it: `850ms`, `12.3s`, `4m05s`, `2h03m`.
    pub fn show_duration(duration: Duration) -> String {
        let seconds = duration.as_secs();
        match seconds {
            0 => format!("{}ms", duration.as_millis()),
            1..60 => format!("{:.1}s", duration.as_secs_f64().min(59.9)),
            60..3600 => format!("{}m{:02}s", seconds / 60, seconds % 60),
            _ => format!("{}h{:02}m", seconds / 3600, seconds % 3600 / 60),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_need_a_unit() {
        assert_eq!(Units::duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(Units::duration("1m30s"), Ok(Duration::from_secs(90)));
        assert_eq!(Units::duration("1.5m"), Ok(Duration::from_secs(90)));
        assert_eq!(Units::duration("30").unwrap_err().message, "has no unit");
        assert_eq!(Units::duration("5 min").unwrap_err().message, "has a space before its unit");
        for wrong in ["", "s", "-5s", "5 parsecs", "1e9s", "..s", "99999999999999999999999d"] {
            assert!(Units::duration(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn rates_amounts_and_shares() {
        assert_eq!(Units::rate("60/min"), Ok(Rate { count: 60, per: Duration::from_secs(60) }));
        assert!(Units::rate("0/s").is_err());
        assert_eq!(Units::amount("90k"), Ok(90_000));
        assert_eq!(Units::amount("2M"), Ok(2_000_000));
        assert!(Units::amount("-1").is_err());
        assert_eq!(Units::share("5%"), Ok(0.05));
        assert!(Units::share("101%").is_err());
    }

    #[test]
    fn durations_print_shortly() {
        for (ms, text) in
            [(850, "850ms"), (12_340, "12.3s"), (59_999, "59.9s"), (245_000, "4m05s"), (7_380_000, "2h03m")]
        {
            assert_eq!(Units::show_duration(Duration::from_millis(ms)), text);
        }
    }
}
