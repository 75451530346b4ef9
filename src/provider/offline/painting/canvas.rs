//! Where paint goes: pixels, and shapes with soft edges.

use std::ops::Range;

use super::palette::Colour;

/// A point, in units of the canvas's shorter side, from its upper left corner.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Point {
    pub(super) x: f32,
    pub(super) y: f32,
}

impl Point {
    pub(super) fn new(x: f32, y: f32) -> Self {
        Self { x, y }
    }

    /// How far away another point is.
    pub(super) fn distance(self, other: Self) -> f32 {
        let (dx, dy) = (self.x - other.x, self.y - other.y);
        (dx * dx + dy * dy).sqrt()
    }
}

/// A rectangle in the same units.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Area {
    pub(super) left: f32,
    pub(super) top: f32,
    pub(super) right: f32,
    pub(super) bottom: f32,
}

impl Area {
    /// The square around a circle.
    pub(super) fn around(centre: Point, radius: f32) -> Self {
        Self { left: centre.x - radius, top: centre.y - radius, right: centre.x + radius, bottom: centre.y + radius }
    }

    /// How far a point lies outside (negative: inside) of this rectangle with rounded corners.
    pub(super) fn distance(&self, point: Point, radius: f32) -> f32 {
        let dx = (self.left - point.x).max(point.x - self.right) + radius;
        let dy = (self.top - point.y).max(point.y - self.bottom) + radius;
        let outside = Point::new(dx.max(0.0), dy.max(0.0)).distance(Point::new(0.0, 0.0));
        outside + dx.max(dy).min(0.0) - radius
    }
}

/// Pixels, with a measure of how much paint lies on each.
#[derive(Debug)]
pub(super) struct Canvas {
    width: u32,
    height: u32,
    /// Pixels to a unit.
    unit: f32,
    pixels: Vec<[u8; 4]>,
}

impl Canvas {
    /// An empty canvas; paint lies on `ground` at once, or on nothing if the ground is to be left out.
    pub(super) fn new(width: u32, height: u32) -> Self {
        let count = usize::try_from(u64::from(width) * u64::from(height)).unwrap_or(0);
        Self { width, height, unit: width.min(height).max(1) as f32, pixels: vec![[0; 4]; count] }
    }

    /// The whole canvas.
    pub(super) fn area(&self) -> Area {
        Area { left: 0.0, top: 0.0, right: self.width as f32 / self.unit, bottom: self.height as f32 / self.unit }
    }

    /// Pixels to a unit.
    pub(super) fn unit(&self) -> f32 {
        self.unit
    }

    /// Lays paint over each pixel of an area: a colour, and how much it covers (1 and more: all, 0 and less: nothing).
    pub(super) fn paint(&mut self, area: Area, mut brush: impl FnMut(Point) -> (Colour, f32)) {
        let columns = span(area.left, area.right, self.unit, self.width);
        let rows = span(area.top, area.bottom, self.unit, self.height);
        let step = 1.0 / self.unit;
        for row in rows {
            let y = (row as f32 + 0.5) * step;
            let start = row * self.width as usize;
            for (column, pixel) in columns.clone().zip(&mut self.pixels[start + columns.start..start + columns.end]) {
                let (colour, cover) = brush(Point::new((column as f32 + 0.5) * step, y));
                lay(pixel, colour, cover);
            }
        }
    }

    /// Fills a shape, given as the distance of a point from its edge (negative: inside), with a soft edge of one pixel.
    pub(super) fn fill(
        &mut self,
        area: Area,
        distance: impl Fn(Point) -> f32,
        paint: impl Fn(Point) -> Colour,
        opacity: f32,
    ) {
        let unit = self.unit;
        self.paint(area, |point| {
            let cover = (0.5 - distance(point) * unit).clamp(0.0, 1.0) * opacity;
            // The colour costs more than the distance, and most points of an area lie outside of its shape.
            (if cover > 0.0 { paint(point) } else { Colour { red: 0.0, green: 0.0, blue: 0.0 } }, cover)
        });
    }

    /// Fills everything below a line, given as its height for each place across, with a soft edge. The colour is told the
    /// point and how far below the line it lies.
    pub(super) fn below(&mut self, line: impl Fn(f32) -> f32, paint: impl Fn(Point, f32) -> Colour) {
        let step = 1.0 / self.unit;
        // A line is dear and the same for each row: it is followed once.
        let heights: Vec<f32> = (0..self.width).map(|column| line((column as f32 + 0.5) * step)).collect();
        let top = heights.iter().copied().fold(f32::MAX, f32::min) - step;
        for row in span(top, self.area().bottom, self.unit, self.height) {
            let y = (row as f32 + 0.5) * step;
            let start = row * heights.len();
            for (column, pixel) in self.pixels[start..start + heights.len()].iter_mut().enumerate() {
                let depth = y - heights[column];
                let cover = (0.5 + depth * self.unit * 0.85).min(1.0);
                if cover > 0.0 {
                    lay(pixel, paint(Point::new((column as f32 + 0.5) * step, y), depth), cover);
                }
            }
        }
    }

    /// A full circle in one colour.
    pub(super) fn disc(&mut self, centre: Point, radius: f32, colour: Colour, opacity: f32) {
        self.fill(Area::around(centre, radius + 2.0 / self.unit), |p| p.distance(centre) - radius, |_| colour, opacity);
    }

    /// Light around a centre, fading out towards `radius`.
    pub(super) fn glow(&mut self, centre: Point, radius: f32, colour: Colour, opacity: f32) {
        self.paint(Area::around(centre, radius), |point| {
            let (dx, dy) = (point.x - centre.x, point.y - centre.y);
            let squared = dx * dx + dy * dy;
            let fade = if squared < radius * radius { 1.0 - squared.sqrt() / radius } else { 0.0 };
            (colour, fade * fade * opacity)
        });
    }

    /// The pixels, row by row: red, green, blue, and where `transparent` how much paint lies there.
    pub(super) fn into_bytes(self, transparent: bool) -> Vec<u8> {
        if transparent {
            return self.pixels.into_flattened();
        }
        let mut bytes = vec![0; self.pixels.len() * 3];
        for (three, pixel) in bytes.chunks_exact_mut(3).zip(&self.pixels) {
            three.copy_from_slice(&pixel[..3]);
        }
        bytes
    }
}

/// The pixels of one axis that an area touches.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the casts saturate, which is the bound meant"
)]
fn span(from: f32, to: f32, unit: f32, end: u32) -> Range<usize> {
    let from = ((from * unit).floor().max(0.0) as u32).min(end);
    let to = ((to * unit).ceil().max(0.0) as u32).clamp(from, end);
    from as usize..to as usize
}

/// Lays a colour over a pixel.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the values lie between 0 and 255")]
#[inline]
fn lay(pixel: &mut [u8; 4], colour: Colour, cover: f32) {
    if cover <= 0.0 {
        return;
    }
    // The first paint on an empty pixel is its colour; how thin it lies there is said by the fourth part.
    let weight = if pixel[3] == 0 { 1.0 } else { cover };
    if cover >= 1.0 {
        *pixel = [(colour.red + 0.5) as u8, (colour.green + 0.5) as u8, (colour.blue + 0.5) as u8, 255];
        return;
    }
    let over = |below: u8, above: f32| (f32::from(below) + (above - f32::from(below)) * weight + 0.5) as u8;
    *pixel = [over(pixel[0], colour.red), over(pixel[1], colour.green), over(pixel[2], colour.blue), pixel[3]];
    let lack = f32::from(255 - pixel[3]);
    pixel[3] = (255.0 - lack * (1.0 - cover) + 0.5) as u8;
}

#[cfg(test)]
mod tests {
    use super::*;

    const RED: Colour = Colour { red: 255.0, green: 0.0, blue: 0.0 };

    #[test]
    fn a_disc_covers_its_centre_and_not_the_corners() {
        let mut canvas = Canvas::new(40, 20);
        canvas.disc(Point::new(1.0, 0.5), 0.3, RED, 1.0);
        let bytes = canvas.into_bytes(true);
        let at = |x: usize, y: usize| &bytes[(y * 40 + x) * 4..][..4];
        assert_eq!(at(20, 10), [255, 0, 0, 255]);
        assert_eq!(at(0, 0), [0, 0, 0, 0]);
        assert_eq!(at(39, 19), [0, 0, 0, 0]);
    }

    #[test]
    fn an_area_beyond_the_canvas_is_cut() {
        let mut canvas = Canvas::new(3, 2);
        canvas.paint(Area { left: -9.0, top: -9.0, right: 9.0, bottom: 9.0 }, |_| (RED, 1.0));
        assert_eq!(canvas.into_bytes(false), [255, 0, 0].repeat(6));
    }

    #[test]
    fn corners_are_rounded() {
        let area = Area { left: 0.0, top: 0.0, right: 1.0, bottom: 1.0 };
        assert!(area.distance(Point::new(0.5, 0.5), 0.2) < 0.0);
        assert!(area.distance(Point::new(0.01, 0.01), 0.2) > 0.0);
        assert!(area.distance(Point::new(0.01, 0.5), 0.2) < 0.0);
    }
}
