//! Smooth chance: ridges of hills and the lie of a land.

use super::super::dice::Dice;

const SIZE: usize = 256;

/// A lattice of heights (0 to 1), read between its points along a smooth curve. It repeats after 256 points.
#[derive(Debug, Clone)]
pub(super) struct Noise {
    heights: [f32; SIZE],
    order: [usize; SIZE],
}

impl Noise {
    /// Draws a lattice.
    pub(super) fn draw(dice: &mut Dice) -> Self {
        let heights = std::array::from_fn(|_| dice.share());
        let mut order: [usize; SIZE] = std::array::from_fn(|at| at);
        for at in (1..SIZE).rev() {
            order.swap(at, dice.below(at + 1));
        }
        Self { heights, order }
    }

    /// The height at a place on a line.
    pub(super) fn along(&self, x: f32) -> f32 {
        let (cell, share) = cell(x);
        mix(self.heights[cell], self.heights[(cell + 1) % SIZE], ease(share))
    }

    /// The height at a place on a line, with finer waves on the coarse ones.
    pub(super) fn ridge(&self, x: f32) -> f32 {
        (self.along(x) * 4.0 + self.along(x * 2.3 + 71.0) * 2.0 + self.along(x * 5.1 + 133.0)) / 7.0
    }

    /// The height at a place in a plane.
    pub(super) fn at(&self, x: f32, y: f32) -> f32 {
        let ((column, across), (row, down)) = (cell(x), cell(y));
        let (across, down) = (ease(across), ease(down));
        let height = |column: usize, row: usize| self.heights[(self.order[column % SIZE] + row) % SIZE];
        let above = mix(height(column, row), height(column + 1, row), across);
        let below = mix(height(column, row + 1), height(column + 1, row + 1), across);
        mix(above, below, down)
    }
}

fn mix(from: f32, to: f32, share: f32) -> f32 {
    from + (to - from) * share
}

/// Flat at both ends, in its second derivative too, so that no lattice shows.
fn ease(share: f32) -> f32 {
    share * share * share * (share * (share * 6.0 - 15.0) + 10.0)
}

/// The lattice point before a place, and how far it is on its way to the next.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the remainder lies between 0 and 256")]
fn cell(x: f32) -> (usize, f32) {
    let whole = x.floor();
    let wrapped = whole - (whole / SIZE as f32).floor() * SIZE as f32;
    (wrapped as usize % SIZE, x - whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heights_are_smooth_and_bounded() {
        let noise = Noise::draw(&mut Dice::new(&[3; 32], 0, "noise"));
        let mut before = noise.ridge(-3.0);
        for step in 1_u16..2000 {
            let here = noise.ridge(-3.0 + f32::from(step) / 100.0);
            assert!((0.0..=1.0).contains(&here));
            assert!((here - before).abs() < 0.1, "{step}");
            before = here;
            assert!((0.0..=1.0).contains(&noise.at(-5.5, f32::from(step))));
        }
    }
}
