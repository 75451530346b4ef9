//! Pictures without a horizon: tiles, discs, terraces, flowers.

use super::super::dice::Dice;
use super::canvas::{Area, Canvas, Point};
use super::landscapes::ramp;
use super::noise::Noise;
use super::palette::{Colour, Palette};
use super::trigonometry::sine_cosine;

/// A wall of quarter circles, arches and rings.
pub(super) fn tiles(canvas: &mut Canvas, palette: &Palette, dice: &mut Dice) {
    let area = canvas.area();
    let side = 1.0 / *dice.pick(&[4.0_f32, 5.0, 6.0]);
    let (columns, rows) = ((area.right / side).ceil(), (area.bottom / side).ceil());
    let (width, height) = (area.right / columns, area.bottom / rows);
    let [first, second, third, fourth, fifth] = palette.shapes;
    let colours = [first, second, third, fourth, fifth, palette.accent, palette.paper];
    let mut top = 0.0;
    while top < area.bottom - height * 0.5 {
        let mut left = 0.0;
        while left < area.right - width * 0.5 {
            let tile = Area { left, top, right: left + width, bottom: top + height };
            let back = dice.below(colours.len());
            let front = (back + 1 + dice.below(colours.len() - 1)) % colours.len();
            canvas.paint(tile, |_| (colours[back], 1.0));
            motif(canvas, dice, tile, [colours[front], colours[back], palette.accent]);
            left += width;
        }
        top += height;
    }
}

/// One motif on a tile: a colour for its shape, that of the tile, and one that stands out.
fn motif(canvas: &mut Canvas, dice: &mut Dice, tile: Area, [front, back, accent]: [Colour; 3]) {
    let side = (tile.right - tile.left).min(tile.bottom - tile.top);
    let corner = *dice.pick(&[
        Point::new(tile.left, tile.top),
        Point::new(tile.right, tile.top),
        Point::new(tile.left, tile.bottom),
        Point::new(tile.right, tile.bottom),
    ]);
    let middle = Point::new((tile.left + tile.right) * 0.5, (tile.top + tile.bottom) * 0.5);
    let plain = |colour: Colour| move |_: Point| colour;
    match dice.below(7) {
        0 | 1 => canvas.fill(tile, |p| p.distance(corner) - side, plain(front), 1.0),
        2 => {
            canvas.fill(tile, |p| p.distance(corner) - side, plain(front), 1.0);
            canvas.fill(tile, |p| p.distance(corner) - side * 0.66, plain(back), 1.0);
            canvas.fill(tile, |p| p.distance(corner) - side * 0.33, plain(accent), 1.0);
        }
        3 => {
            canvas.fill(tile, |p| p.distance(middle) - side * 0.42, plain(front), 1.0);
            canvas.fill(tile, |p| p.distance(middle) - side * 0.16, plain(back), 1.0);
        }
        4 => {
            let arch = Point::new(middle.x, tile.bottom);
            canvas.fill(tile, |p| p.distance(arch) - side * 0.5, plain(front), 1.0);
            let top = Point::new(middle.x, tile.top);
            canvas.fill(tile, |p| p.distance(top) - side * 0.5, plain(accent), 1.0);
        }
        5 => canvas.fill(tile, |p| ((p.x - corner.x).abs() + (p.y - corner.y).abs() - side) * 0.7, plain(front), 1.0),
        _ => {
            // Two leaves that meet in opposite corners.
            let other = Point::new(tile.left + tile.right - corner.x, corner.y);
            let leaf = |p: Point| (p.distance(corner) - side).max(p.distance(other) - side);
            canvas.fill(tile, leaf, plain(front), 1.0);
        }
    }
}

/// Large discs, one over the other, each lit from one side.
pub(super) fn discs(canvas: &mut Canvas, palette: &Palette, dice: &mut Dice) {
    let area = canvas.area();
    let (sine, cosine) = sine_cosine(dice.within(20.0, 70.0));
    for layer in 0_u8..9 {
        let share = f32::from(layer) / 8.0;
        let radius = dice.within(0.10, 0.34) * (1.15 - 0.45 * share);
        let centre = Point::new(area.right * dice.within(0.05, 0.95), area.bottom * dice.within(0.05, 0.95));
        let tone = dice.within(0.0, 0.7);
        let (lit, dim) = match layer {
            2 | 6 => (palette.accent.mix(palette.paper, 0.4), palette.accent),
            4 => (palette.paper, palette.shapes[1]),
            _ => (ramp(&palette.shapes, tone), ramp(&palette.shapes, tone + 0.35)),
        };
        shadow(canvas, Point::new(centre.x + radius * 0.10, centre.y + radius * 0.16), radius, palette.ink);
        let across = |p: Point| ((p.x - centre.x) * cosine + (p.y - centre.y) * sine) / radius * 0.5 + 0.5;
        canvas.fill(
            Area::around(centre, radius + 0.01),
            |p| p.distance(centre) - radius,
            |p| lit.mix(dim, across(p)),
            1.0,
        );
        if dice.happens(0.4) {
            let (ring, width) = (radius * dice.within(1.15, 1.45), dice.within(0.002, 0.005));
            canvas.fill(
                Area::around(centre, ring + 0.02),
                |p| (p.distance(centre) - ring).abs() - width,
                |_| palette.paper,
                0.8,
            );
        }
    }
}

/// The rim of a soft shadow under a disc; what the disc hides is left out.
fn shadow(canvas: &mut Canvas, centre: Point, radius: f32, ink: Colour) {
    let (hidden, reach) = (radius * radius * 0.55, radius * radius * 1.56);
    canvas.paint(Area::around(centre, radius * 1.25), |p| {
        let (dx, dy) = (p.x - centre.x, p.y - centre.y);
        let squared = dx * dx + dy * dy;
        if !(hidden..reach).contains(&squared) {
            return (ink, 0.0);
        }
        let fade = (1.25 - squared.sqrt() / radius).clamp(0.0, 0.5) * 2.0;
        (ink, fade * fade * 0.20)
    });
}

/// A land in layers of cut paper.
pub(super) fn terraces(canvas: &mut Canvas, palette: &Palette, dice: &mut Dice) {
    let noise = Noise::draw(dice);
    let (scale, levels, tilt) = (dice.within(1.6, 2.7), 7.0_f32, dice.within(-0.35, 0.35));
    let area = canvas.area();
    let land = Land::survey(area, 4.0 / canvas.unit(), |p| {
        let fine = noise.at(p.x * scale * 2.1 + 40.0, p.y * scale * 2.1);
        let height = 0.72 * noise.at(p.x * scale, p.y * scale) + 0.28 * fine;
        (height * 1.25 - 0.12 + tilt * (p.x / area.right - 0.5)).clamp(0.0, 0.999) * levels
    });
    let [first, second, third, fourth, fifth] = palette.shapes;
    let accent_level = dice.between(4, 5) as f32;
    let sheet = |level: f32, share: f32| {
        let paper = if (level - accent_level).abs() < 0.5 {
            palette.accent
        } else {
            ramp(&[fifth, fourth, third, second, first], level / (levels - 1.0))
        };
        // The sheet above throws its shadow on the rim of this one.
        let shadow = (share - 0.62).max(0.0) / 0.38;
        paper.mix(palette.ink, shadow * shadow * 0.42)
    };
    let pixel = 1.0 / canvas.unit();
    canvas.paint(area, |p| {
        let (height, slope) = land.at(p);
        let (level, share) = (height.floor(), height - height.floor());
        let (edge, above) = (slope * pixel, sheet(level, share));
        // Where a sheet begins within this pixel, the one below shows through.
        let begins = share < edge && level > 0.5;
        (if begins { sheet(level - 1.0, 1.0).mix(above, share / edge) } else { above }, 1.0)
    });
}

/// Heights on a grid. They are far smoother than pixels are small, so that most pixels can be read between its points.
struct Land {
    columns: usize,
    step: f32,
    heights: Vec<f32>,
}

impl Land {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of grid points")]
    fn survey(area: Area, step: f32, height: impl Fn(Point) -> f32) -> Self {
        let (columns, rows) = ((area.right / step) as usize + 2, (area.bottom / step) as usize + 2);
        let point = |at: usize| Point::new((at % columns) as f32 * step, (at / columns) as f32 * step);
        Self { columns, step, heights: (0..columns * rows).map(|at| height(point(at))).collect() }
    }

    /// The height at a point, and by how much it changes with a unit of way.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place on the grid")]
    fn at(&self, point: Point) -> (f32, f32) {
        let (x, y) = (point.x / self.step, point.y / self.step);
        let (column, row) = (x as usize, y as usize);
        let (across, down) = (x - column as f32, y - row as f32);
        let start = row * self.columns + column;
        let (above, below) = (&self.heights[start..start + 2], &self.heights[start + self.columns..][..2]);
        let (left, right) = (above[0] + (below[0] - above[0]) * down, above[1] + (below[1] - above[1]) * down);
        let slope = (right - left).abs() + (below[0] - above[0]).abs();
        (left + (right - left) * across, slope / self.step)
    }
}

/// Flowers, large and small, on their leaves.
pub(super) fn flowers(canvas: &mut Canvas, palette: &Palette, dice: &mut Dice) {
    let area = canvas.area();
    let mut placed: Vec<(Point, f32)> = Vec::new();
    let petals = dice.between(5, 8);
    for attempt in 0_u8..90 {
        let largest = if attempt < 30 { 0.30 } else { 0.17 };
        let radius = dice.within(largest * 0.55, largest);
        let centre = Point::new(area.right * dice.share(), area.bottom * dice.share());
        if placed.iter().all(|(other, size)| centre.distance(*other) > (radius + size) * 0.86) {
            placed.push((centre, radius));
        }
    }
    for (centre, radius) in &placed {
        leaves(canvas, palette, dice, *centre, *radius);
    }
    for (centre, radius) in placed {
        flower(canvas, palette, dice, centre, (radius, petals));
    }
}

/// An ellipse that reaches from `root` outwards at an angle: distance (negative: inside), and how far out and how far
/// to its side a point lies.
fn petal(point: Point, root: Point, angle: (f32, f32), length: f32, width: f32) -> (f32, f32, f32) {
    let (dx, dy) = (point.x - root.x, point.y - root.y);
    let (out, side) = (dx * angle.1 + dy * angle.0, dy * angle.1 - dx * angle.0);
    let (u, v) = (out / length * 2.0 - 1.0, side / width * 2.0);
    (((u * u + v * v).sqrt() - 1.0) * width * 0.5, out / length, v)
}

/// The middle of such an ellipse.
fn middle(root: Point, (sine, cosine): (f32, f32), length: f32) -> Point {
    Point::new(root.x + cosine * length * 0.5, root.y + sine * length * 0.5)
}

fn leaves(canvas: &mut Canvas, palette: &Palette, dice: &mut Dice, centre: Point, radius: f32) {
    let (unit, edge) = (canvas.unit(), 0.5);
    let (dark, light) = if palette.dark { (0.28, 0.45) } else { (0.40, 0.62) };
    let (dark, light) = (Colour::oklch(dark, 0.075, 155.0), Colour::oklch(light, 0.095, 140.0));
    for _ in 0..dice.between(2, 3) {
        let angle = sine_cosine(dice.within(0.0, 360.0));
        let (length, width) = (radius * dice.within(1.3, 1.6), radius * dice.within(0.4, 0.6));
        canvas.paint(Area::around(middle(centre, angle, length), length * 0.52), |p| {
            let (distance, out, side) = petal(p, centre, angle, length, width);
            let vein = if side.abs() < 0.05 { 0.35 } else { 0.0 };
            (dark.mix(light, out * 0.6 + vein + side * 0.12), edge - distance * unit)
        });
    }
}

fn flower(canvas: &mut Canvas, palette: &Palette, dice: &mut Dice, centre: Point, (radius, petals): (f32, usize)) {
    let (unit, edge) = (canvas.unit(), 0.5);
    let turn = dice.within(0.0, 360.0);
    let body = *dice.pick(&[palette.accent, palette.paper, palette.shapes[0], palette.shapes[1]]);
    let heart = palette.accent.mix(palette.ink, 0.25);
    let step = 360.0 / petals as f32;
    for (ring, size) in [(0.0, 1.0), (0.5, 0.66)] {
        for at in 0..petals {
            let angle = sine_cosine(turn + (at as f32 + ring) * step);
            let length = radius * size;
            let width = (length * 4.2 / petals as f32).min(length * 0.78);
            canvas.paint(Area::around(middle(centre, angle, length), length * 0.52), |p| {
                let (distance, out, side) = petal(p, centre, angle, length, width);
                let cover = edge - distance * unit;
                if cover <= 0.0 {
                    return (body, 0.0);
                }
                let shade = 0.16 * side * side + 0.20 * (0.5 - out).max(0.0);
                (body.mix(palette.paper, 0.35 * out * size).mix(palette.ink, shade), cover)
            });
        }
    }
    canvas.disc(centre, radius * 0.20, heart, 1.0);
    for at in 0_u8..9 {
        let (sine, cosine) = sine_cosine(turn + f32::from(at) * 40.0);
        let seed = Point::new(centre.x + cosine * radius * 0.13, centre.y + sine * radius * 0.13);
        canvas.disc(seed, radius * 0.026, palette.paper, 0.95);
    }
}
