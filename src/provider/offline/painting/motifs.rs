//! Things that stand in a picture: an animal, a bird, a lighthouse, a house, a tree, a person, a cup.

use super::super::dice::Dice;
use super::canvas::{Area, Canvas, Point};
use super::palette::{Colour, Palette};

/// Something that can stand in a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Motif {
    Animal(Ears),
    Bird,
    Lighthouse,
    House,
    Tree,
    Person,
    Cup,
}

/// What tells animals apart that sit in the same way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ears {
    Pointed,
    /// Pointed, with a thick tail.
    Fox,
    Hanging,
    Long,
    Round,
}

/// Motifs, and words that ask for them.
const MOTIFS: &[(Motif, &[&str])] = &[
    (Motif::Animal(Ears::Fox), &["fox", "foxes", "wolf", "wolves", "squirrel"]),
    (
        Motif::Animal(Ears::Pointed),
        &["cat", "cats", "kitten", "tiger", "lynx", "pet", "animal", "katze", "chat", "gato"],
    ),
    (Motif::Animal(Ears::Hanging), &["dog", "dogs", "puppy", "hound", "hund"]),
    (Motif::Animal(Ears::Long), &["rabbit", "hare", "bunny", "donkey"]),
    (Motif::Animal(Ears::Round), &["bear", "mouse", "panda", "hamster", "monkey"]),
    (Motif::Bird, &["bird", "birds", "owl", "crow", "raven", "robin", "sparrow", "duck", "hen", "pigeon", "parrot"]),
    (Motif::Lighthouse, &["lighthouse", "lighthouses", "beacon"]),
    (Motif::House, &["house", "cabin", "hut", "cottage", "home", "barn", "farm", "school", "shed", "chapel"]),
    (Motif::Tree, &["tree", "oak", "pine", "fir", "birch", "apple", "orchard"]),
    (
        Motif::Person,
        &[
            "person",
            "man",
            "woman",
            "girl",
            "boy",
            "child",
            "astronaut",
            "knight",
            "keeper",
            "sailor",
            "robot",
            "wizard",
            "chef",
            "doctor",
            "teacher",
            "student",
            "traveller",
            "hiker",
            "king",
            "queen",
        ],
    ),
    (Motif::Cup, &["cup", "mug", "coffee", "tea", "cocoa", "teapot"]),
];

impl Motif {
    /// The motif that one of these words asks for, the first word first.
    pub(super) fn find(words: &[String]) -> Option<Self> {
        words
            .iter()
            .find_map(|word| MOTIFS.iter().find(|(_, names)| names.contains(&word.as_str())).map(|(motif, _)| *motif))
    }

    /// Whether it has fur or feathers, which are seldom green.
    pub(super) fn is_alive(self) -> bool {
        matches!(self, Self::Animal(_) | Self::Bird)
    }
}

/// A thing that is being drawn: where it stands, how tall it is, and what it is painted with.
struct Figure<'a> {
    canvas: &'a mut Canvas,
    base: Point,
    size: f32,
    body: Colour,
    light: Colour,
    ink: Colour,
}

/// Draws a motif on its ground, beside or above the card. `body` is its main colour.
pub(super) fn draw(
    canvas: &mut Canvas,
    palette: &Palette,
    dice: &mut Dice,
    (motif, body): (Motif, Colour),
    ground: bool,
) {
    let area = canvas.area();
    // On a wide picture it stands beside the card, else above it.
    let ((left, right), down, size) = match area.right / area.bottom {
        ratio if ratio > 1.35 => ((0.66, 0.74), 0.84, 0.52),
        ratio if ratio > 0.65 => ((0.56, 0.66), 0.63, 0.42),
        _ => ((0.46, 0.54), 0.76, 0.58),
    };
    let across = dice.within(left, right);
    let base = Point::new(area.right * across, area.bottom * down);
    if ground {
        stand(canvas, palette, base, motif);
    }
    let mut figure = Figure { canvas, base, size, body, light: palette.paper, ink: palette.ink };
    match motif {
        Motif::Animal(ears) => figure.animal(ears),
        Motif::Bird => figure.bird(),
        Motif::Lighthouse => figure.lighthouse(palette),
        Motif::House => figure.house(palette),
        Motif::Tree => figure.tree(),
        Motif::Person => figure.person(),
        Motif::Cup => figure.cup(),
    }
}

/// A knoll to stand on, or a table for a cup.
fn stand(canvas: &mut Canvas, palette: &Palette, base: Point, motif: Motif) {
    let (far, near) = (palette.shapes[3], palette.shapes[4]);
    let steep = if motif == Motif::Cup { 0.0 } else { 0.55 };
    canvas.below(|x| base.y - 0.025 + steep * (x - base.x) * (x - base.x), |_, below| far.mix(near, below / 0.35));
}

impl Figure<'_> {
    /// A point, in parts of the figure's height from where it stands: to the right, and up.
    fn at(&self, right: f32, up: f32) -> Point {
        Point::new(self.base.x + right * self.size, self.base.y - up * self.size)
    }

    fn ellipse(&mut self, (right, up): (f32, f32), (rx, ry): (f32, f32), colour: Colour) {
        let (centre, rx, ry) = (self.at(right, up), rx * self.size, ry * self.size);
        let area = Area { left: centre.x - rx, top: centre.y - ry, right: centre.x + rx, bottom: centre.y + ry };
        let distance = |p: Point| {
            let (x, y) = ((p.x - centre.x) / rx, (p.y - centre.y) / ry);
            ((x * x + y * y).sqrt() - 1.0) * rx.min(ry)
        };
        self.canvas.fill(area, distance, |_| colour, 1.0);
    }

    /// A shape with straight edges and no corner that points inwards, its corners in the order of a clock's hand.
    fn convex(&mut self, corners: &[(f32, f32)], colour: Colour) {
        let corners: Vec<Point> = corners.iter().map(|(right, up)| self.at(*right, *up)).collect();
        let reach = |of: fn(&Point) -> f32| {
            corners.iter().map(of).fold((f32::MAX, f32::MIN), |(low, high), at| (low.min(at), high.max(at)))
        };
        let ((left, right), (top, bottom)) = (reach(|p| p.x), reach(|p| p.y));
        let edges: Vec<(Point, Point)> = corners.iter().copied().zip(corners.iter().copied().cycle().skip(1)).collect();
        let outside = |p: Point| {
            let from_edge = |(from, to): &(Point, Point)| {
                let (dx, dy) = (to.x - from.x, to.y - from.y);
                ((p.x - from.x) * dy - (p.y - from.y) * dx) / (dx * dx + dy * dy).sqrt()
            };
            edges.iter().map(from_edge).fold(f32::MIN, f32::max)
        };
        self.canvas.fill(Area { left, top, right, bottom }, outside, |_| colour, 1.0);
    }

    /// A rectangle around a middle line.
    fn block(&mut self, (left, right): (f32, f32), (low, high): (f32, f32), colour: Colour) {
        self.convex(&[(left, low), (left, high), (right, high), (right, low)], colour);
    }

    fn animal(&mut self, ears: Ears) {
        let (body, light, ink) = (self.body, self.light, self.ink);
        let shade = body.mix(ink, 0.28);
        self.tail(ears);
        self.ellipse((0.04, 0.17), (0.27, 0.18), shade);
        self.ellipse((0.0, 0.33), (0.20, 0.32), body);
        self.ellipse((-0.03, 0.36), (0.10, 0.20), body.mix(light, 0.75));
        for side in [-1.0, 1.0] {
            let x = |away: f32| away * side - 0.02;
            self.ellipse((x(0.08), 0.035), (0.07, 0.04), body.mix(light, 0.35));
            match ears {
                Ears::Pointed | Ears::Fox => {
                    let mut outer = [(x(0.175), 0.74), (x(0.155), 0.99), (x(0.03), 0.82)];
                    let mut inner = [(x(0.145), 0.78), (x(0.140), 0.92), (x(0.07), 0.82)];
                    if side > 0.0 {
                        outer.reverse();
                        inner.reverse();
                    }
                    self.convex(&outer, body);
                    self.convex(&inner, shade);
                }
                Ears::Long => self.ellipse((x(0.08), 0.94), (0.05, 0.20), body),
                Ears::Round => self.ellipse((x(0.14), 0.84), (0.065, 0.065), shade),
                Ears::Hanging => {}
            }
        }
        self.ellipse((-0.02, 0.71), (0.18, 0.155), body);
        self.face(ears, shade);
    }

    fn face(&mut self, ears: Ears, shade: Colour) {
        let (body, light, ink) = (self.body, self.light, self.ink);
        self.ellipse((-0.02, 0.655), (0.085, 0.06), body.mix(light, 0.8));
        for side in [-1.0, 1.0] {
            self.ellipse((0.07 * side - 0.02, 0.735), (0.021, 0.026), ink);
            if ears == Ears::Hanging {
                self.ellipse((0.175 * side - 0.02, 0.70), (0.05, 0.12), shade);
            }
        }
        self.ellipse((-0.02, 0.68), (0.024, 0.017), ink);
    }

    /// A tail that swings up: circles along a bow.
    fn tail(&mut self, ears: Ears) {
        if matches!(ears, Ears::Long | Ears::Round) {
            return;
        }
        let thick = if ears == Ears::Fox { 0.085 } else { 0.035 };
        for step in 0_u8..=24 {
            let along = f32::from(step) / 24.0;
            let swell = if ears == Ears::Fox { 0.45 + 2.2 * along * (1.0 - along) } else { 1.0 };
            let place = (0.20 + 0.42 * along * (1.35 - along), 0.07 + 0.44 * along * along);
            let tip = ears == Ears::Fox && along > 0.8;
            let colour = if tip { self.light } else { self.body.mix(self.ink, 0.12) };
            self.ellipse(place, (thick * swell, thick * swell), colour);
        }
    }

    fn bird(&mut self) {
        let (body, light, ink) = (self.body, self.light, self.ink);
        for x in [-0.04, 0.05] {
            self.block((x - 0.008, x + 0.008), (0.0, 0.24), ink);
            self.ellipse((x - 0.02, 0.005), (0.04, 0.012), ink);
        }
        self.convex(&[(0.16, 0.36), (0.42, 0.52), (0.48, 0.42), (0.22, 0.24)], body.mix(ink, 0.3));
        self.ellipse((0.0, 0.40), (0.26, 0.20), body);
        self.ellipse((-0.08, 0.34), (0.15, 0.12), body.mix(light, 0.75));
        self.ellipse((-0.17, 0.62), (0.14, 0.14), body);
        self.convex(&[(-0.28, 0.58), (-0.41, 0.61), (-0.29, 0.66)], light.mix(ink, 0.25));
        self.ellipse((-0.21, 0.65), (0.022, 0.024), ink);
        self.ellipse((0.08, 0.43), (0.16, 0.10), body.mix(ink, 0.25));
    }

    fn lighthouse(&mut self, palette: &Palette) {
        let (light, ink) = (self.light, self.ink);
        let lamp = self.at(0.0, 0.98);
        self.canvas.glow(lamp, self.size * 0.75, palette.lamp, 0.75);
        let half = |up: f32| 0.13 - 0.055 * up;
        for stripe in 0_u8..5 {
            let (low, high) = (f32::from(stripe) * 0.18, f32::from(stripe + 1) * 0.18);
            let colour = if stripe % 2 == 0 { light } else { self.body };
            self.convex(&[(-half(low), low), (-half(high), high), (half(high), high), (half(low), low)], colour);
        }
        self.block((-0.115, 0.115), (0.89, 0.915), ink);
        self.block((-0.065, 0.065), (0.915, 1.03), palette.lamp);
        self.block((-0.006, 0.006), (0.915, 1.03), ink);
        self.convex(&[(-0.09, 1.03), (0.0, 1.15), (0.09, 1.03)], ink);
        self.block((-0.032, 0.032), (0.0, 0.10), ink);
        self.ellipse((0.0, 0.10), (0.032, 0.032), ink);
    }

    fn house(&mut self, palette: &Palette) {
        let (light, ink) = (self.light, self.ink);
        self.block((0.14, 0.22), (0.45, 0.78), self.body.mix(ink, 0.35));
        self.block((-0.34, 0.34), (0.0, 0.44), light.mix(self.body, 0.18));
        self.convex(&[(-0.42, 0.43), (0.0, 0.80), (0.42, 0.43)], self.body);
        self.block((-0.06, 0.06), (0.0, 0.24), ink);
        for x in [-0.21, 0.21] {
            self.block((x - 0.07, x + 0.07), (0.16, 0.31), palette.lamp);
            self.block((x - 0.006, x + 0.006), (0.16, 0.31), ink);
            self.block((x - 0.07, x + 0.07), (0.23, 0.242), ink);
        }
    }

    fn tree(&mut self) {
        let ink = self.ink;
        self.convex(&[(-0.05, 0.0), (-0.03, 0.5), (0.03, 0.5), (0.05, 0.0)], ink);
        let crown = [
            ((-0.17, 0.56), 0.19),
            ((0.17, 0.54), 0.18),
            ((0.0, 0.74), 0.24),
            ((-0.10, 0.62), 0.20),
            ((0.12, 0.66), 0.19),
        ];
        for (at, (place, radius)) in (0_u8..).zip(crown) {
            let colour = self.body.mix(self.light, 0.08 * f32::from(at));
            self.ellipse(place, (radius, radius), colour);
        }
    }

    fn person(&mut self) {
        let (body, light, ink) = (self.body, self.light, self.ink);
        for side in [-1.0, 1.0] {
            self.block((0.055 * side - 0.04, 0.055 * side + 0.04), (0.0, 0.36), ink);
            self.ellipse((0.06 * side, 0.015), (0.055, 0.022), ink);
            let mut arm = [(0.10 * side, 0.66), (0.20 * side, 0.36), (0.14 * side, 0.34), (0.06 * side, 0.56)];
            if side < 0.0 {
                arm.reverse();
            }
            self.convex(&arm, body.mix(ink, 0.22));
        }
        self.convex(&[(-0.16, 0.28), (-0.10, 0.68), (0.10, 0.68), (0.16, 0.28)], body);
        self.ellipse((0.0, 0.67), (0.105, 0.05), body);
        self.ellipse((0.0, 0.82), (0.095, 0.115), light.mix(body, 0.22));
        // A cap.
        self.ellipse((0.0, 0.90), (0.11, 0.06), ink);
        self.block((-0.125, 0.125), (0.865, 0.888), ink);
    }

    fn cup(&mut self) {
        let (body, light, ink) = (self.body, self.light, self.ink);
        self.ellipse((0.0, 0.0), (0.46, 0.06), light.mix(ink, 0.12));
        for step in 0_u8..=20 {
            // The handle: circles along a half ring.
            let along = f32::from(step) / 20.0;
            let out = 4.0 * along * (1.0 - along);
            self.ellipse((0.25 + 0.17 * out, 0.12 + 0.24 * along), (0.03, 0.03), body);
        }
        self.convex(&[(-0.19, 0.02), (-0.29, 0.44), (0.29, 0.44), (0.19, 0.02)], body);
        self.ellipse((0.0, 0.44), (0.29, 0.055), body.mix(light, 0.4));
        self.ellipse((0.0, 0.435), (0.245, 0.038), ink.mix(body, 0.2));
        for (x, height) in [(-0.10, 0.24), (0.02, 0.32), (0.14, 0.22)] {
            for step in 0_u8..=16 {
                let along = f32::from(step) / 16.0;
                let sway = 0.03 * super::trigonometry::sine(along * 400.0);
                let place = self.at(x + sway, 0.52 + height * along);
                self.canvas.disc(place, self.size * 0.018, light, 0.22 * (1.0 - along * 0.8));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_word_that_names_a_motif_wins() {
        let find = |words: &[&str]| Motif::find(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>());
        assert_eq!(find(&["red", "fox", "house"]), Some(Motif::Animal(Ears::Fox)));
        assert_eq!(find(&["lighthouse"]), Some(Motif::Lighthouse));
        assert_eq!(find(&["ferry"]), None);
    }
}
