//! Pictures with a horizon: hills, the sea, a town.

use super::super::dice::Dice;
use super::canvas::{Area, Canvas, Point};
use super::noise::Noise;
use super::palette::{Colour, Palette};
use super::trigonometry::sine;

/// The lamp of a landscape: a sun, or by night a moon.
#[derive(Debug, Clone, Copy)]
struct Lamp {
    centre: Point,
    radius: f32,
}

impl Lamp {
    fn draw(canvas: &Canvas, dice: &mut Dice, height: (f32, f32)) -> Self {
        let area = canvas.area();
        let centre = Point::new(area.right * dice.within(0.22, 0.78), dice.within(height.0, height.1) * area.bottom);
        Self { centre, radius: dice.within(0.075, 0.14) }
    }

    fn paint(self, canvas: &mut Canvas, palette: &Palette) {
        let Self { centre, radius } = self;
        canvas.glow(centre, radius * 5.0, palette.lamp, if palette.dark { 0.35 } else { 0.6 });
        // The moon is a crescent: a second circle is cut out of the first.
        let cut = Point::new(centre.x + radius * 0.42, centre.y - radius * 0.22);
        let crescent = |p: Point| (p.distance(centre) - radius).max(radius * 0.86 - p.distance(cut));
        let full = |p: Point| p.distance(centre) - radius;
        let area = Area::around(centre, radius * 1.1);
        if palette.dark {
            canvas.fill(area, crescent, |_| palette.lamp, 1.0);
        } else {
            canvas.fill(area, full, |_| palette.lamp, 1.0);
        }
    }

    /// Whether the moon, dark part and all, hides what is behind this place.
    fn hides(self, place: Point) -> bool {
        place.distance(self.centre) < self.radius * 1.12
    }
}

/// Small lights in the upper part of a dark sky, where the moon leaves them to be seen.
fn stars(canvas: &mut Canvas, palette: &Palette, dice: &mut Dice, moon: Lamp) {
    let area = canvas.area();
    for _ in 0..70 {
        let place = Point::new(area.right * dice.share(), area.bottom * 0.6 * dice.share());
        let (radius, opacity) = (dice.within(0.0009, 0.0028), dice.within(0.25, 0.95));
        if !moon.hides(place) {
            canvas.disc(place, radius, palette.paper, opacity);
        }
    }
}

fn sky(canvas: &mut Canvas, palette: &Palette, dice: &mut Dice, height: (f32, f32)) -> Point {
    let lamp = Lamp::draw(canvas, dice, height);
    if palette.dark {
        stars(canvas, palette, dice, lamp);
    }
    lamp.paint(canvas, palette);
    lamp.centre
}

/// Ridge behind ridge, each in thicker air than the one before it.
pub(super) fn hills(canvas: &mut Canvas, palette: &Palette, dice: &mut Dice) {
    sky(canvas, palette, dice, (0.18, 0.40));
    let area = canvas.area();
    let layers = dice.between(5, 6);
    let roughness = dice.within(1.3, 2.6);
    for layer in 0..layers {
        let near = layer as f32 / (layers - 1) as f32;
        let noise = Noise::draw(dice);
        let base = area.bottom * (0.46 + 0.44 * near);
        let relief = 0.26 * (1.0 - 0.45 * near);
        let scale = roughness * (1.25 - 0.5 * near);
        let body = ramp(&palette.shapes, near);
        let mist = palette.ground[1].mix(body, 0.45);
        let top = base - relief;
        canvas.below(
            |x| base - relief * noise.ridge(x * scale),
            |p, _| body.mix(mist, ((p.y - top) / 0.42).clamp(0.0, 1.0) * (1.0 - 0.75 * near)),
        );
    }
    birds(canvas, palette, dice);
}

/// A few birds, far away.
fn birds(canvas: &mut Canvas, palette: &Palette, dice: &mut Dice) {
    let area = canvas.area();
    let flock = Point::new(area.right * dice.within(0.15, 0.8), area.bottom * dice.within(0.12, 0.3));
    for _ in 0..dice.between(3, 6) {
        let place = Point::new(flock.x + dice.within(-0.12, 0.12), flock.y + dice.within(-0.05, 0.05));
        let span = dice.within(0.010, 0.020);
        canvas.fill(
            Area::around(place, span * 1.3),
            |p| {
                // Two wings: a parabola to each side, thinner towards the tips.
                let out = (p.x - place.x).abs() / span;
                let curve = place.y + span * (0.9 * out * (out - 1.1));
                if out > 1.0 { span } else { (p.y - curve).abs() - span * 0.11 * (1.2 - out) }
            },
            |_| palette.ink,
            0.75,
        );
    }
}

/// Waves before a low sun.
pub(super) fn sea(canvas: &mut Canvas, palette: &Palette, dice: &mut Dice) {
    let area = canvas.area();
    let lamp = sky(canvas, palette, dice, (0.26, 0.42));
    let horizon = area.bottom * 0.5;
    let layers = 8;
    let (mut phase, length) = (dice.within(0.0, 360.0), dice.within(240.0, 420.0));
    for layer in 0..layers {
        let near = layer as f32 / (layers - 1) as f32;
        phase += dice.within(70.0, 160.0);
        let base = horizon + (area.bottom - horizon) * near * near * 0.92 + 0.012;
        let stretch = length * (2.0 - 1.3 * near);
        let body = ramp(&palette.shapes, 0.15 + 0.85 * near);
        let crest = body.mix(palette.paper, 0.30);
        let (swell, depth) = (0.004 + 0.030 * near, 0.03 + 0.06 * near);
        canvas.below(
            |x| base + swell * (sine(x * stretch + phase) + 0.4 * sine(x * stretch * 2.1 - phase)),
            |_, below| crest.mix(body, below / depth),
        );
    }
    glints(canvas, palette, dice, Point::new(lamp.x, horizon));
    boat(canvas, palette, dice, horizon);
}

/// The light of the lamp on the water, broken into strokes.
fn glints(canvas: &mut Canvas, palette: &Palette, dice: &mut Dice, from: Point) {
    let depth = canvas.area().bottom - from.y;
    for step in 0..26 {
        let down = step as f32 / 26.0;
        let width = (0.02 + 0.10 * down) * dice.within(0.3, 1.0);
        let centre = Point::new(from.x + dice.within(-0.5, 0.5) * width, from.y + 0.02 + depth * down * 0.8);
        let height = 0.0022 + 0.0035 * down;
        let stroke =
            Area { left: centre.x - width, top: centre.y - height, right: centre.x + width, bottom: centre.y + height };
        let light = palette.lamp.mix(palette.paper, 0.45);
        canvas.fill(stroke, |p| stroke.distance(p, height), |_| light, 0.75 - 0.45 * down);
    }
}

/// A sail on the horizon.
fn boat(canvas: &mut Canvas, palette: &Palette, dice: &mut Dice, horizon: f32) {
    let size = dice.within(0.05, 0.09);
    let keel = Point::new(canvas.area().right * dice.within(0.15, 0.85), horizon + size * 0.35);
    let sail = |p: Point, side: f32, reach: f32| {
        let out = (p.x - keel.x) * side;
        let up = keel.y - size * 0.25 - p.y;
        (-up).max(-out + size * 0.03).max((out / (size * reach) + up / (size * 1.7) - 1.0) * size * 0.5)
    };
    let area = Area::around(keel, size * 2.2);
    canvas.fill(area, |p| sail(p, 1.0, 0.75), |_| palette.paper, 1.0);
    canvas.fill(area, |p| sail(p, -1.0, 0.5), |_| palette.paper.mix(palette.accent, 0.35), 1.0);
    let hull = |p: Point| {
        let (across, down) = ((p.x - keel.x).abs(), p.y - (keel.y - size * 0.18));
        (-down).max(down - size * 0.24).max(across + down * 0.9 - size * 0.8)
    };
    canvas.fill(area, hull, |_| palette.ink, 1.0);
}

/// Rows of houses, the nearest with light in its windows.
pub(super) fn town(canvas: &mut Canvas, palette: &Palette, dice: &mut Dice) {
    sky(canvas, palette, dice, (0.16, 0.34));
    let area = canvas.area();
    for layer in 0_u8..3 {
        let near = f32::from(layer) / 2.0;
        let body = ramp(&palette.shapes, 0.25 + 0.75 * near);
        let mut left = -dice.within(0.0, 0.08);
        while left < area.right {
            let width = dice.within(0.07, 0.17) * (0.75 + 0.35 * near);
            let top = area.bottom * (0.40 + 0.17 * near + dice.within(0.0, 0.20));
            let house = Area { left, top, right: left + width, bottom: area.bottom + 0.1 };
            let face = body.mix(palette.paper, dice.within(0.0, 0.10));
            let haze = palette.ground[1];
            canvas.fill(house, |p| house.distance(p, 0.0), |p| face.mix(haze, (p.y - top) * 0.5 * (1.0 - near)), 1.0);
            roof(canvas, dice, house, face);
            if layer > 0 {
                windows(canvas, palette, dice, house);
            }
            left += width + dice.within(0.0, 0.012);
        }
    }
}

fn roof(canvas: &mut Canvas, dice: &mut Dice, house: Area, face: Colour) {
    let (middle, half) = ((house.left + house.right) * 0.5, (house.right - house.left) * 0.5);
    match dice.below(3) {
        0 => {
            let rise = half * dice.within(0.6, 1.1);
            let gable =
                |p: Point| ((p.x - middle).abs() / half + (house.top - p.y) / rise - 1.0) * half.min(rise) * 0.7;
            let area = Area { top: house.top - rise, bottom: house.top + 0.002, ..house };
            canvas.fill(area, gable, |_| face, 1.0);
        }
        1 => {
            let mast = Area { left: middle - 0.0022, right: middle + 0.0022, top: house.top - half, bottom: house.top };
            canvas.fill(mast, |p| mast.distance(p, 0.0), |_| face, 1.0);
        }
        _ => {}
    }
}

fn windows(canvas: &mut Canvas, palette: &Palette, dice: &mut Dice, house: Area) {
    let (pitch, size) = (0.030, 0.0085);
    let mut y = house.top + 0.028;
    while y < house.bottom.min(canvas.area().bottom) {
        let mut x = house.left + 0.022;
        while x < house.right - 0.018 {
            let pane = Area { left: x - size, top: y - size * 1.3, right: x + size, bottom: y + size * 1.3 };
            let lit = dice.happens(0.42);
            let colour = if lit { palette.lamp.mix(palette.paper, 0.25) } else { palette.ink };
            canvas.fill(pane, |p| pane.distance(p, 0.0015), |_| colour, if lit { 0.95 } else { 0.22 });
            x += pitch;
        }
        y += pitch * 1.35;
    }
}

/// The colour at a share (0 to 1) of the way through several.
pub(super) fn ramp(colours: &[Colour; 5], share: f32) -> Colour {
    let place = share.clamp(0.0, 1.0) * 4.0;
    let before = (0..4).rev().find(|at| place >= *at as f32).unwrap_or(0);
    colours[before].mix(colours[before + 1], place - before as f32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_star_stands_in_the_dark_part_of_the_moon() {
        let words = ["night".to_owned()];
        for seed in 0..8 {
            let palette = Palette::draw(&words, &mut Dice::new(&[0; 32], seed, "palette"));
            let mut dice = Dice::new(&[0; 32], seed, "sky");
            let mut canvas = Canvas::new(200, 200);
            let moon = Lamp::draw(&canvas, &mut dice, (0.2, 0.4));
            stars(&mut canvas, &palette, &mut dice, moon);
            let bytes = canvas.into_bytes(true);
            let lit = |x: f32, y: f32| {
                bytes.chunks_exact(4).zip(0_u16..).any(|(pixel, at)| {
                    let (left, top) = (f32::from(at % 200) / 200.0, f32::from(at / 200) / 200.0);
                    pixel[3] > 0 && Point::new(left, top).distance(Point::new(x, y)) < moon.radius
                })
            };
            assert!(!lit(moon.centre.x, moon.centre.y), "{seed}");
        }
    }
}
