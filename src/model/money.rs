//! Money, exactly: what a request has cost.

/// An amount of a currency, in trillionths of a unit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Amount(u64);

impl Amount {
    /// So many trillionths of a unit.
    pub const fn from_trillionths(trillionths: u64) -> Self {
        Self(trillionths)
    }

    /// In trillionths of a unit.
    pub const fn trillionths(self) -> u64 {
        self.0
    }
}

/// What requests have cost, in each currency by itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cost {
    /// In US dollars.
    pub usd: Amount,
    /// In pollen.
    pub pollen: Amount,
    /// Requests whose price is not known.
    pub unpriced: u64,
}
