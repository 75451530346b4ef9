//! Numbers and lengths within the bounds of a schema.

use crate::model::{Json, JsonMap};

use super::dice::Dice;

/// The bounds of a number, both included where they are not said to be left out.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    low: Option<f64>,
    high: Option<f64>,
    leaves_low: bool,
    leaves_high: bool,
    step: Option<f64>,
}

/// From how many to how many.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    pub(super) least: usize,
    pub(super) most: usize,
}

impl Span {
    /// Two keywords, `minItems` and `maxItems`.
    ///
    /// # Errors
    /// Nothing lies between them.
    pub(super) fn of(schema: &JsonMap, least: &str, most: &str) -> Result<Self, String> {
        let read = |name: &str| {
            let number = schema.get(name).and_then(Json::as_f64).map(f64::round);
            number.map(|number| usize::try_from(whole(number)).unwrap_or(0))
        };
        let span = Self { least: read(least).unwrap_or(0), most: read(most).unwrap_or(usize::MAX) };
        if span.least > span.most { Err(format!("nothing has `{least}` and `{most}` at once")) } else { Ok(span) }
    }
}

impl Bounds {
    pub(super) fn of(schema: &JsonMap) -> Self {
        let read = |name: &str| schema.get(name).and_then(Json::as_f64);
        let is_on = |name: &str| schema.get(name) == Some(&Json::Bool(true));
        let (low, over) = (read("minimum"), read("exclusiveMinimum"));
        let (high, under) = (read("maximum"), read("exclusiveMaximum"));
        Self {
            low: low.into_iter().chain(over).reduce(f64::max),
            high: high.into_iter().chain(under).reduce(f64::min),
            leaves_low: over.is_some_and(|over| low.is_none_or(|low| over >= low)) || is_on("exclusiveMinimum"),
            leaves_high: under.is_some_and(|under| high.is_none_or(|high| under <= high)) || is_on("exclusiveMaximum"),
            step: read("multipleOf").filter(|step| *step > 0.0),
        }
    }

    /// A whole number, `usual` if nothing speaks against it.
    ///
    /// # Errors
    /// There is none.
    pub(super) fn integer(self, usual: i64, dice: &mut Dice) -> Result<Json, String> {
        let step = match self.step {
            None => 1,
            Some(step) if step.fract() == 0.0 => whole(step).max(1),
            // Of halves and tenths every whole number is a multiple.
            Some(step) if (1.0 / step).fract() == 0.0 => 1,
            Some(step) => return Err(format!("no whole number is made for `multipleOf: {step}`")),
        };
        let low =
            self.low.map(|low| if self.leaves_low { whole(low.floor()).saturating_add(1) } else { whole(low.ceil()) });
        let high = self
            .high
            .map(|high| if self.leaves_high { whole(high.ceil()).saturating_sub(1) } else { whole(high.floor()) });
        // In steps from here on.
        let low = low.map(|low| low.div_euclid(step) + i64::from(low.rem_euclid(step) > 0));
        let high = high.map(|high| high.div_euclid(step));
        let usual = usual.div_euclid(step).max(i64::from(step > 1));
        let number = match (low, high) {
            (Some(low), Some(high)) if low > high => return Err("no whole number lies within the bounds".to_owned()),
            (Some(low), Some(high)) => {
                let steps = usize::try_from(high.saturating_sub(low)).unwrap_or(usize::MAX - 1).min(1_000_000);
                // Rather a good mark than a bad one.
                low + i64::try_from(dice.between(steps / 4, steps)).unwrap_or(0)
            }
            (Some(low), None) if usual < low => low.saturating_add(usual.abs()),
            (None, Some(high)) if usual > high => high.saturating_sub(usual.abs()),
            _ => usual,
        };
        Ok(number.saturating_mul(step).into())
    }

    /// A number, `usual` if nothing speaks against it.
    ///
    /// # Errors
    /// There is none.
    pub(super) fn number(self, usual: f64, dice: &mut Dice) -> Result<Json, String> {
        if let Some(step) = self.step {
            return self.multiple(step, usual, dice);
        }
        let share = f64::from(u8::try_from(dice.between(5, 95)).unwrap_or(50)) / 100.0;
        let number = match (self.low, self.high) {
            (Some(low), Some(high)) if low > high || (low >= high && (self.leaves_low || self.leaves_high)) => {
                return Err("no number lies within the bounds".to_owned());
            }
            (Some(low), Some(high)) if (low..=high).contains(&usual) && usual > low && usual < high => usual,
            (Some(low), Some(high)) => {
                let number = low + (high - low) * share;
                let short = (number * 100.0).round() / 100.0;
                if short > low && short < high { short } else { number }
            }
            (Some(low), None) if usual <= low => low + usual.abs() + 1.0,
            (None, Some(high)) if usual >= high => high - usual.abs() - 1.0,
            _ => usual,
        };
        Ok(written(number))
    }

    fn multiple(self, step: f64, usual: f64, dice: &mut Dice) -> Result<Json, String> {
        let fits = |number: f64| {
            let over = self.low.is_none_or(|low| if self.leaves_low { number > low } else { number >= low });
            over && self.high.is_none_or(|high| if self.leaves_high { number < high } else { number <= high })
        };
        let from = (self.low.or(self.high).unwrap_or(usual) / step).floor();
        let around = [0.0, 1.0, 2.0, -1.0, -2.0, 3.0];
        let start = dice.below(2);
        let found = (0..around.len()).map(|at| (from + around[(at + start) % around.len()]) * step).find(|n| fits(*n));
        found.map(written).ok_or_else(|| format!("no multiple of {step} lies within the bounds"))
    }
}

/// A number as people write it: `24`, not `24.0`.
fn written(number: f64) -> Json {
    if number.fract() == 0.0 && number.abs() < 1e15 { whole(number).into() } else { number.into() }
}

/// A number without its fraction, at most as large as there are whole numbers.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the cast stops at the largest whole number, which is what is wanted"
)]
fn whole(number: f64) -> i64 {
    number as i64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn made(schema: &Json, usual: i64) -> Result<i64, String> {
        let bounds = Bounds::of(schema.as_object().unwrap());
        bounds.integer(usual, &mut Dice::new(&[1; 32], 0, "n")).map(|number| number.as_i64().unwrap())
    }

    #[test]
    fn the_usual_number_goes_before_others() {
        assert_eq!(made(&json!({}), 6), Ok(6));
        assert_eq!(made(&json!({"minimum": 1}), 6), Ok(6));
        assert_eq!(made(&json!({"minimum": 100}), 6), Ok(106));
        assert_eq!(made(&json!({"exclusiveMaximum": 0}), 6), Ok(-7));
        assert_eq!(made(&json!({"multipleOf": 5}), 6), Ok(5));
        assert!(made(&json!({"minimum": 1, "exclusiveMaximum": 2, "multipleOf": 3}), 6).is_err());
        assert!(made(&json!({"exclusiveMinimum": 1, "exclusiveMaximum": 2}), 6).is_err());
    }

    proptest! {
        #[test]
        fn whole_numbers_keep_to_their_bounds(low in -50..50_i64, more in 0..60_i64, step in 1..9_i64, usual in -9..99_i64) {
            let schema = json!({"minimum": low, "maximum": low + more, "multipleOf": step});
            let any = (low..=low + more).any(|number| number % step == 0);
            match made(&schema, usual) {
                Ok(number) => prop_assert!((low..=low + more).contains(&number) && number % step == 0, "{number}"),
                Err(_) => prop_assert!(!any),
            }
        }
    }
}
