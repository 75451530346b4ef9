//! Money: exact amounts, what calls cost, and how much a run may spend.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

use super::UnitError;

/// What prices are counted in. The two are never converted into each other.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Currency {
    /// US dollars.
    #[default]
    Usd,
    /// The unit of Pollinations.
    Pollen,
}

impl Currency {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Usd, Self::Pollen];

    /// An amount as people read it: `$0.0123`, `0.0123 pollen`.
    pub fn show(self, amount: Amount) -> String {
        match self {
            Self::Usd => format!("${}", amount.rounded(2)),
            Self::Pollen => format!("{} pollen", amount.rounded(0)),
        }
    }
}

/// So much of a currency, in trillionths of its unit: exact, and never negative. What would not fit stays at the largest
/// amount there is, some 18 million units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Amount(pub u64);

/// Decimal places of an [`Amount`].
const PLACES: i32 = 12;

/// One unit, in trillionths.
const UNIT: u64 = 1_000_000_000_000;

const AMOUNT_HELP: &str = "write a number of units, without a sign or a currency: `2.50`, `0.01`, `10`";

impl Amount {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// What is left of it; nothing, where `other` is more.
    #[must_use]
    pub fn minus(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// So many at this price for each `per` of them (at least one); a broken trillionth counts as a whole one.
    #[must_use]
    pub fn times(self, count: u64, per: u64) -> Self {
        let product = u128::from(self.0) * u128::from(count);
        Self(u64::try_from(product.div_ceil(u128::from(per.max(1)))).unwrap_or(u64::MAX))
    }

    /// Whether it is nothing.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands fields over like this")]
    pub fn is_zero(&self) -> bool {
        self.0 == 0
    }

    /// Of a number in a file: what its decimal digits say, not what its bits come to.
    ///
    /// # Errors
    /// A negative number, one that is none, and one that is too large.
    pub fn from_number(units: f64) -> Result<Self, UnitError> {
        units.to_string().parse()
    }

    /// The price of a million things of which one costs this: `6e-8` is `0.06`.
    ///
    /// # Errors
    /// As for an amount.
    pub fn of_a_million(one: &str) -> Result<Self, UnitError> {
        read(one, 6)
    }

    /// The number of units, all digits, at least so many after the point.
    fn exact(self, least: usize) -> String {
        let digits = format!("{:012}", self.0 % UNIT);
        let kept = digits.trim_end_matches('0').len().max(least);
        if kept == 0 { (self.0 / UNIT).to_string() } else { format!("{}.{}", self.0 / UNIT, &digits[..kept]) }
    }

    /// As few digits as say enough: four after the point, or the first two that are not zero.
    fn rounded(self, least: usize) -> String {
        let leading = format!("{:012}", self.0 % UNIT).bytes().take_while(|digit| *digit == b'0').count();
        let places = if self.0 >= UNIT || leading < 2 { 4 } else { (leading + 2).min(12) };
        let step = 10_u64.pow(u32::try_from(12 - places).unwrap_or(0));
        Self(self.0.saturating_add(step / 2) / step * step).exact(least)
    }
}

impl fmt::Display for Amount {
    /// The number of units, all its digits: `2.5`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.exact(0))
    }
}

impl FromStr for Amount {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        read(text, 0)
    }
}

/// A decimal number with its point moved to the right by `shift`. What lies beyond the last place is rounded, but what is
/// more than nothing never becomes nothing.
fn read(text: &str, shift: i32) -> Result<Amount, UnitError> {
    let wrong = |message: &str| UnitError { message: message.to_owned(), help: AMOUNT_HELP };
    let not = || wrong("is not an amount of money");
    let text = text.trim();
    if text.starts_with('-') {
        return Err(wrong("is less than nothing"));
    }
    let (number, exponent) = match text.split_once(['e', 'E']) {
        Some((number, exponent)) => (number, exponent.parse::<i32>().map_err(|_| not())?),
        None => (text, 0),
    };
    let (whole, broken) = number.split_once('.').unwrap_or((number, ""));
    let digits = [whole, broken].concat();
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(not());
    }
    let digits = digits.trim_start_matches('0');
    let point = i32::try_from(broken.len()).ok().and_then(|places| exponent.checked_sub(places)).ok_or_else(not)?;
    let places = point.saturating_add(shift).saturating_add(PLACES);
    let too_large = || wrong("is more money than can be counted");
    if digits.is_empty() {
        return Ok(Amount::ZERO);
    }
    let trillionths = match usize::try_from(places) {
        Ok(zeros) if digits.len().saturating_add(zeros) > 20 => return Err(too_large()),
        Ok(zeros) => format!("{digits}{}", "0".repeat(zeros)).parse().map_err(|_| too_large())?,
        Err(_) => {
            let cut = usize::try_from(places.unsigned_abs()).unwrap_or(usize::MAX);
            let (kept, lost) = digits.split_at(digits.len().saturating_sub(cut));
            let kept: u64 = if kept.is_empty() { 0 } else { kept.parse().map_err(|_| too_large())? };
            let is_half = lost.len() == cut && lost.as_bytes()[0] >= b'5';
            kept.saturating_add(u64::from(is_half)).max(1)
        }
    };
    Ok(Amount(trillionths))
}

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.is_multiple_of(UNIT) {
            return serializer.serialize_u64(self.0 / UNIT);
        }
        // JSON's numbers are written with the fewest digits that name them, so the digits come out as they are.
        serializer.serialize_f64(self.exact(0).parse().map_err(serde::ser::Error::custom)?)
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let units = f64::deserialize(deserializer)?;
        Self::from_number(units).map_err(|error| D::Error::custom(format!("`{units}` {}", error.message)))
    }
}

/// What calls cost, in each currency by itself; and how many of them nobody knows a price of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Cost {
    /// In US dollars.
    #[serde(skip_serializing_if = "Amount::is_zero")]
    pub usd: Amount,
    /// In pollen.
    #[serde(skip_serializing_if = "Amount::is_zero")]
    pub pollen: Amount,
    /// Requests whose price is not known: they are not in the amounts.
    #[serde(skip_serializing_if = "is_none")]
    pub unpriced: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands fields over like this")]
fn is_none(count: &u64) -> bool {
    *count == 0
}

impl Cost {
    /// Nothing at all.
    pub const NOTHING: Self = Self { usd: Amount::ZERO, pollen: Amount::ZERO, unpriced: 0 };

    /// An amount of one currency.
    pub fn of(currency: Currency, amount: Amount) -> Self {
        match currency {
            Currency::Usd => Self { usd: amount, ..Self::NOTHING },
            Currency::Pollen => Self { pollen: amount, ..Self::NOTHING },
        }
    }

    /// So many requests whose price is not known.
    pub fn unpriced(count: u64) -> Self {
        Self { unpriced: count, ..Self::NOTHING }
    }

    /// Its part in one currency.
    pub fn amount(&self, currency: Currency) -> Amount {
        match currency {
            Currency::Usd => self.usd,
            Currency::Pollen => self.pollen,
        }
    }

    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            usd: self.usd.plus(other.usd),
            pollen: self.pollen.plus(other.pollen),
            unpriced: self.unpriced.saturating_add(other.unpriced),
        }
    }

    /// What is left of the amounts without those of `other`, and of the requests too; none falls below nothing.
    #[must_use]
    pub fn minus(self, other: Self) -> Self {
        Self {
            usd: self.usd.minus(other.usd),
            pollen: self.pollen.minus(other.pollen),
            unpriced: self.unpriced.saturating_sub(other.unpriced),
        }
    }

    /// Whether nothing was paid, and all of it is known.
    pub fn is_nothing(&self) -> bool {
        *self == Self::NOTHING
    }
}

impl fmt::Display for Cost {
    /// `$0.12`, `$0.12 + 0.4 pollen`, `3 unpriced`, `$0.12, 3 unpriced`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let amounts = Currency::ALL.into_iter().filter(|currency| !self.amount(*currency).is_zero());
        let amounts: Vec<_> = amounts.map(|currency| currency.show(self.amount(currency))).collect();
        match (amounts.is_empty(), self.unpriced) {
            (true, 0) => f.write_str("$0"),
            (true, unpriced) => write!(f, "{unpriced} unpriced"),
            (false, 0) => f.write_str(&amounts.join(" + ")),
            (false, unpriced) => write!(f, "{}, {unpriced} unpriced", amounts.join(" + ")),
        }
    }
}

/// How much a run may take, its resumes included. What is not set is not limited.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Budget {
    /// Requests on the wire.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub calls: Option<u64>,
    /// Tokens of texts, in and out.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub tokens: Option<u64>,
    /// Units of each currency by itself: so many dollars, and so many pollen.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub cost: Option<Amount>,
}

impl Budget {
    /// Whether it limits nothing.
    pub fn is_unlimited(&self) -> bool {
        *self == Self::default()
    }

    /// Whether it limits what depends on the length of an answer.
    pub fn limits_length(&self) -> bool {
        self.tokens.is_some() || self.cost.is_some()
    }

    /// Each limit from here if it is set, else from `other`.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self { calls: self.calls.or(other.calls), tokens: self.tokens.or(other.tokens), cost: self.cost.or(other.cost) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn amount(text: &str) -> Amount {
        text.parse().unwrap()
    }

    #[test]
    fn amounts_are_exact() {
        for (text, trillionths) in [
            ("2.50", 2_500_000_000_000),
            ("0.15", 150_000_000_000),
            (".5", 500_000_000_000),
            ("6e-8", 60_000),
            ("1.5E2", 150_000_000_000_000),
            ("0", 0),
            ("0e99", 0),
            ("0.0000000000014", 1),
            ("0.0000000000016", 2),
            ("1e-40", 1),
        ] {
            assert_eq!(amount(text), Amount(trillionths), "{text}");
        }
        assert_eq!(Amount::from_number(0.1), Ok(Amount(100_000_000_000)));
        assert_eq!(Amount::of_a_million("1.4999999999999998e-7"), Ok(amount("0.15")));
        for wrong in ["", ".", "$1", "1,5", "-1", "1e", "nan", "inf", "99999999999", "1e300", "1e-99999999999"] {
            assert!(wrong.parse::<Amount>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn multiples_round_up_and_never_run_over() {
        assert_eq!(amount("0.15").times(1_000, 1_000_000), amount("0.00015"));
        assert_eq!(Amount(1).times(1, 1_000_000), Amount(1));
        assert_eq!(amount("9000000").times(u64::MAX, 1), Amount(u64::MAX));
        assert_eq!(Amount(u64::MAX).plus(Amount(1)), Amount(u64::MAX));
    }

    #[test]
    fn people_read_a_few_digits() {
        for (text, dollars, pollen) in [
            ("0.0123", "$0.0123", "0.0123 pollen"),
            ("0.12", "$0.12", "0.12 pollen"),
            ("0.4", "$0.40", "0.4 pollen"),
            ("3", "$3.00", "3 pollen"),
            ("2.49987", "$2.4999", "2.4999 pollen"),
            ("0.00000345", "$0.0000035", "0.0000035 pollen"),
            ("0.999999", "$1.00", "1 pollen"),
        ] {
            assert_eq!(Currency::Usd.show(amount(text)), dollars);
            assert_eq!(Currency::Pollen.show(amount(text)), pollen);
        }
        assert_eq!(amount("2.50").to_string(), "2.5");
    }

    #[test]
    fn a_cost_names_what_it_does_not_know() {
        let (usd, pollen) = (Cost::of(Currency::Usd, amount("0.12")), Cost::of(Currency::Pollen, amount("0.4")));
        assert_eq!(usd.plus(pollen).to_string(), "$0.12 + 0.4 pollen");
        assert_eq!(Cost::unpriced(3).to_string(), "3 unpriced");
        assert_eq!(usd.plus(Cost::unpriced(3)).to_string(), "$0.12, 3 unpriced");
        assert!(Cost::default().is_nothing() && !Cost::unpriced(1).is_nothing());
    }

    #[test]
    fn json_leaves_out_what_is_nothing() {
        let cost = Cost::of(Currency::Usd, amount("0.1")).plus(Cost::unpriced(2));
        let json = serde_json::to_string(&cost).unwrap();
        assert_eq!(json, r#"{"usd":0.1,"unpriced":2}"#);
        assert_eq!(serde_json::from_str::<Cost>(&json).unwrap(), cost);
        assert_eq!(serde_json::to_string(&amount("3")).unwrap(), "3");
        assert_eq!(serde_json::from_str::<Amount>("3").unwrap(), amount("3"));
        assert_eq!(serde_json::to_string(&Budget::default()).unwrap(), "{}");
    }
}
