//! Chance that is no chance: the same purpose of the same call always throws the same.

/// A source of numbers (`SplitMix64`), drawn from a call's key, the provider's seed and a purpose.
///
/// Each purpose has its own dice, so that a change in how one of them is used leaves the others as they were.
#[derive(Debug, Clone)]
pub(super) struct Dice {
    state: u64,
}

impl Dice {
    /// The dice of this `purpose`.
    pub(super) fn new(key: &[u8; 32], seed: u64, purpose: &str) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(key).update(&seed.to_le_bytes()).update(purpose.as_bytes());
        let digest = hasher.finalize();
        let mut state = [0; 8];
        state.copy_from_slice(&digest.as_bytes()[..8]);
        Self { state: u64::from_le_bytes(state) }
    }

    /// Any number.
    pub(super) fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 up to, and without, `end`; 0 where there is none.
    pub(super) fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end).unwrap_or(u64::MAX).max(1);
        usize::try_from(self.next() % end).unwrap_or(0)
    }

    /// A number from `low` to `high`, both included.
    pub(super) fn between(&mut self, low: usize, high: usize) -> usize {
        low + self.below(high.saturating_sub(low) + 1)
    }

    /// One of several; `options` is never empty.
    pub(super) fn pick<'a, T>(&mut self, options: &'a [T]) -> &'a T {
        &options[self.below(options.len())]
    }

    /// A share, from 0 up to, and without, 1. Sixteen bits of a `f32`, so the same on every platform.
    pub(super) fn share(&mut self) -> f32 {
        let bits = u16::try_from(self.next() >> 48).unwrap_or(0);
        f32::from(bits) / 65_536.0
    }

    /// A number from `low` up to, and without, `high`.
    pub(super) fn within(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.share()
    }

    /// Whether something that happens in `share` (0 to 1) of all cases happens now.
    pub(super) fn happens(&mut self, share: f64) -> bool {
        let bits = u32::try_from(self.next() >> 32).unwrap_or(0);
        f64::from(bits) / 4_294_967_296.0 < share
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_purpose_and_seed_has_its_own_dice() {
        let throws = |key: u8, seed, purpose| {
            let mut dice = Dice::new(&[key; 32], seed, purpose);
            [dice.next(), dice.next()]
        };
        assert_eq!(throws(1, 0, "text"), throws(1, 0, "text"));
        assert_ne!(throws(1, 0, "text"), throws(2, 0, "text"));
        assert_ne!(throws(1, 0, "text"), throws(1, 1, "text"));
        assert_ne!(throws(1, 0, "text"), throws(1, 0, "image"));
    }

    #[test]
    fn numbers_stay_within_their_bounds() {
        let mut dice = Dice::new(&[0; 32], 0, "bounds");
        for _ in 0..1000 {
            assert!((3..=5).contains(&dice.between(3, 5)));
            assert!((0.0..1.0).contains(&dice.share()));
            assert_eq!(dice.below(0), 0);
        }
        assert!(dice.happens(1.0));
        assert!(!dice.happens(0.0));
    }
}
