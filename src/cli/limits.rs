//! The flags that limit what a run may take.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::{Amount, Budget, UnitError, Units};

/// What a run may take. Each takes the place of what the file says of the same.
#[derive(Debug, Clone, Default, clap::Args, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct LimitArgs {
    /// Spend at most so many US dollars, and at most so many pollen
    #[arg(long, value_name = "COST", value_parser = cost, help_heading = "Limits")]
    pub(super) max_cost: Option<Amount>,

    /// Send at most N requests
    #[arg(long, value_name = "N", value_parser = calls, help_heading = "Limits")]
    pub(super) max_calls: Option<u64>,

    /// Start nothing more after this time: `30m`, `2h`
    #[arg(long, value_name = "TIME", value_parser = deadline, help_heading = "Limits")]
    pub(super) deadline: Option<Duration>,

    /// Make calls of models without a known price although the cost is limited
    #[arg(long, help_heading = "Limits")]
    pub(super) allow_unpriced: bool,
}

impl LimitArgs {
    /// These, and those of `other` where nothing is said.
    pub(super) fn or(&self, other: &Self) -> Self {
        Self {
            max_cost: self.max_cost.or(other.max_cost),
            max_calls: self.max_calls.or(other.max_calls),
            deadline: self.deadline.or(other.deadline),
            allow_unpriced: self.allow_unpriced || other.allow_unpriced,
        }
    }

    /// The limits that take the place of those of the file.
    pub(super) fn budget(&self) -> Budget {
        Budget { calls: self.max_calls, tokens: None, cost: self.max_cost }
    }
}

/// An amount of money.
fn cost(text: &str) -> Result<Amount, String> {
    text.parse().map_err(|error: UnitError| format!("it {}; {}", error.message, error.help))
}

/// A number of requests in all.
fn calls(text: &str) -> Result<u64, String> {
    match Units::amount(text) {
        Ok(0) => Err("with 0 there is nothing to do; write 1 or more".to_owned()),
        Ok(calls) => Ok(calls),
        Err(error) => Err(format!("it {}; {}", error.message, error.help)),
    }
}

/// A duration of something that takes time.
fn deadline(text: &str) -> Result<Duration, String> {
    match Units::duration(text) {
        Ok(Duration::ZERO) => Err("it is no time at all; write a duration above zero: `30m`, `2h`".to_owned()),
        Ok(duration) => Ok(duration),
        Err(error) => Err(format!("it {}; {}", error.message, error.help)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_kept_as_they_were_told() {
        let told = LimitArgs {
            max_cost: Some("0.35".parse().unwrap()),
            max_calls: Some(4),
            deadline: Some(Duration::from_millis(1_500)),
            allow_unpriced: true,
        };
        let kept: LimitArgs = serde_json::from_value(serde_json::to_value(&told).unwrap()).unwrap();
        assert_eq!(format!("{kept:?}"), format!("{told:?}"));
        let none: LimitArgs = serde_json::from_str("{}").unwrap();
        assert!(none.max_cost.is_none() && !none.allow_unpriced);
    }

    #[test]
    fn limits_are_written_as_in_a_file() {
        assert_eq!(cost("2.50"), Ok(Amount(2_500_000_000_000)));
        assert_eq!(calls("2k"), Ok(2_000));
        assert_eq!(deadline("1m30s"), Ok(Duration::from_secs(90)));
    }

    #[test]
    fn what_is_no_limit_says_what_would_be_one() {
        for (told, words) in [
            (cost("$5").unwrap_err(), "it is not an amount of money; write a number of units"),
            (calls("0").unwrap_err(), "with 0 there is nothing to do"),
            (calls("many").unwrap_err(), "it is not an amount; write a whole number"),
            (deadline("30").unwrap_err(), "it has no unit; write a number and a unit"),
            (deadline("0s").unwrap_err(), "it is no time at all"),
        ] {
            assert!(told.starts_with(words), "{told}");
        }
    }
}
