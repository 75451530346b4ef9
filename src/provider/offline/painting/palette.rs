//! Colours that go together, drawn from the prompt.

use super::super::dice::Dice;
use super::trigonometry;

/// A colour; each part from 0 to 255.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Colour {
    pub(super) red: f32,
    pub(super) green: f32,
    pub(super) blue: f32,
}

impl Colour {
    /// From lightness (0 to 1), chroma (0 to about 0.3) and hue in degrees, in the `OKLCH` space: colours of one
    /// lightness look equally light, which is what makes a palette calm.
    ///
    /// Only the four operations and the square root are used; these give the same bits everywhere.
    pub(super) fn oklch(lightness: f32, chroma: f32, hue: f32) -> Self {
        let (sine, cosine) = trigonometry::sine_cosine(hue);
        let (a, b) = (chroma * cosine, chroma * sine);
        let cube = |root: f32| root * root * root;
        // What long, medium and short waves do to an eye.
        let long = cube(lightness + 0.396_337_78 * a + 0.215_803_76 * b);
        let medium = cube(lightness - 0.105_561_35 * a - 0.063_854_17 * b);
        let short = cube(lightness - 0.089_484_18 * a - 1.291_485_5 * b);
        Self {
            red: encode(4.076_741_7 * long - 3.307_711_6 * medium + 0.230_969_93 * short),
            green: encode(-1.268_438 * long + 2.609_757_4 * medium - 0.341_319_4 * short),
            blue: encode(-0.004_196_09 * long - 0.703_418_6 * medium + 1.707_614_7 * short),
        }
    }

    /// This colour, with so much (0 to 1) of `other` in it.
    pub(super) fn mix(self, other: Self, share: f32) -> Self {
        let share = share.clamp(0.0, 1.0);
        Self {
            red: self.red + (other.red - self.red) * share,
            green: self.green + (other.green - self.green) * share,
            blue: self.blue + (other.blue - self.blue) * share,
        }
    }
}

/// Linear light (0 to 1) as `sRGB` (0 to 255): a fit of square roots, within one step of the curve itself.
fn encode(linear: f32) -> f32 {
    let linear = linear.clamp(0.0, 1.0);
    let (root, fourth) = (linear.sqrt(), linear.sqrt().sqrt());
    let eighth = fourth.sqrt();
    let encoded = 0.662_002_7 * root + 0.684_122_1 * fourth - 0.323_583_6 * eighth - 0.022_541_147 * linear;
    encoded.clamp(0.0, 1.0) * 255.0
}

/// The colours of one picture.
#[derive(Debug, Clone)]
pub(super) struct Palette {
    /// Whether the picture is a dark one.
    pub(super) dark: bool,
    /// The sky, or the ground that everything lies on: top and bottom.
    pub(super) ground: [Colour; 2],
    /// Colours for shapes, from the one nearest to the ground to the one farthest from it.
    pub(super) shapes: [Colour; 5],
    /// What stands out.
    pub(super) accent: Colour,
    /// A sun, a moon, a lit window: always warm.
    pub(super) lamp: Colour,
    /// The lightest colour, for lettering on dark.
    pub(super) paper: Colour,
    /// The darkest colour, for lettering on light.
    pub(super) ink: Colour,
}

/// Words that speak of a colour, and its hue in degrees.
const HUES: &[(&[&str], f32)] = &[
    (&["red", "fire", "flame", "love", "ruby", "brick", "rust", "mars", "blood", "cherry"], 27.0),
    (&["orange", "autumn", "sunset", "copper", "desert", "fox", "bread", "wood", "coffee", "clay"], 55.0),
    (&["yellow", "gold", "golden", "sun", "sunrise", "honey", "lemon", "wheat", "sand", "lamp", "light"], 88.0),
    (&["green", "forest", "garden", "spring", "leaf", "leaves", "plant", "moss", "tea", "farm", "tree"], 145.0),
    (&["teal", "mint", "jade", "lagoon", "river", "glass", "lake"], 190.0),
    (&["blue", "sea", "ocean", "water", "ice", "winter", "sky", "rain", "harbour", "harbor", "snow", "cold"], 245.0),
    (&["violet", "purple", "lavender", "night", "dream", "space", "galaxy", "magic", "dusk"], 300.0),
    (&["pink", "rose", "blossom", "blossoms", "flower", "flowers", "dawn", "candy"], 355.0),
];

/// Hues, in degrees, that stay clear when they are dark: yellows and olives are not among them.
const CALM_HUES: [f32; 12] = [15.0, 30.0, 50.0, 152.0, 172.0, 195.0, 225.0, 248.0, 270.0, 295.0, 330.0, 355.0];

/// Words that ask for a dark picture.
const DARK: &[&str] =
    &["night", "nights", "dark", "midnight", "moon", "stars", "star", "space", "shadow", "noir", "black", "lantern"];

/// The hue, in degrees, that one of these words speaks of.
pub(super) fn named_hue(words: &[String]) -> Option<f32> {
    words.iter().find_map(|word| HUES.iter().find(|(names, _)| names.contains(&word.as_str()))).map(|(_, hue)| *hue)
}

impl Palette {
    /// Draws a palette; `words` (in lower case) may name its hue and whether it is dark.
    pub(super) fn draw(words: &[String], dice: &mut Dice) -> Self {
        let drawn_hue = *dice.pick(&CALM_HUES);
        let nudge = dice.within(-12.0, 12.0);
        let hue = named_hue(words).map_or(drawn_hue, |hue| hue + nudge);
        let drawn_dark = dice.happens(0.3);
        let dark = drawn_dark || words.iter().any(|word| DARK.contains(&word.as_str()));
        let sideways = *dice.pick(&[-40.0_f32, -28.0, 28.0, 40.0]);
        // Dark yellows are mud: from there it goes towards red.
        let turn = if (60.0..135.0).contains(&hue) { -50.0 } else { sideways };
        let lamp_hue = dice.within(32.0, 80.0);
        let accent_hue = hue + *dice.pick(&[150.0_f32, 165.0, 180.0, 200.0]);
        let (ground, lightness): ([(f32, f32); 2], [f32; 5]) = if dark {
            ([(0.20, 0.045), (0.38, 0.075)], [0.46, 0.40, 0.33, 0.27, 0.20])
        } else {
            ([(0.88, 0.050), (0.955, 0.028)], [0.80, 0.70, 0.59, 0.47, 0.34])
        };
        let chroma = [0.065, 0.085, 0.100, 0.095, 0.075];
        let shapes = std::array::from_fn(|at| {
            // Wide steps in lightness, small ones in hue: the shapes read as one family, lit from one side.
            let along = [0.0, 0.25, 0.5, 0.75, 1.0][at];
            Colour::oklch(lightness[at], chroma[at], hue + turn * along)
        });
        Self {
            dark,
            ground: [
                Colour::oklch(ground[0].0, ground[0].1, hue),
                Colour::oklch(ground[1].0, ground[1].1, accent_hue + turn),
            ],
            shapes,
            accent: Colour::oklch(if dark { 0.78 } else { 0.72 }, 0.140, accent_hue),
            lamp: Colour::oklch(if dark { 0.90 } else { 0.80 }, if dark { 0.07 } else { 0.125 }, lamp_hue),
            paper: Colour::oklch(0.975, 0.012, hue + turn),
            ink: Colour::oklch(0.22, 0.040, hue),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn oklch_meets_known_colours() {
        // White, and the primary red of sRGB (CSS Color 4).
        let near = |x: f32, y: f32| (x - y).abs() < 3.0;
        let white = Colour::oklch(1.0, 0.0, 0.0);
        assert!(near(white.red, 255.0) && near(white.green, 255.0) && near(white.blue, 255.0), "{white:?}");
        let red = Colour::oklch(0.628, 0.2577, 29.23);
        assert!(near(red.red, 255.0) && red.green < 12.0 && red.blue < 12.0, "{red:?}");
    }

    #[test]
    fn words_name_the_hue_and_the_hour() {
        let draw = |word: &str| Palette::draw(&[word.to_owned()], &mut Dice::new(&[7; 32], 0, "palette"));
        let green = draw("garden").shapes[2];
        assert!(green.green > green.red && green.green > green.blue, "{green:?}");
        let blue = draw("harbour").shapes[2];
        assert!(blue.blue > blue.red, "{blue:?}");
        assert!(draw("midnight").dark);
    }
}
