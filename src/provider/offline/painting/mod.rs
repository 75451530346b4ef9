//! Pictures painted from the words of a prompt: a palette, a scene, a card with the key words, and a mark that names
//! the provider.
//!
//! A picture depends on its [`Commission`] and the dice alone, down to the last bit, on every platform.
#![expect(clippy::cast_precision_loss, reason = "coordinates and counts are far below 2^24")]

mod canvas;
mod landscapes;
mod lettering;
mod noise;
mod palette;
mod patterns;
mod png;
mod trigonometry;

use super::dice::Dice;
use canvas::Canvas;
use palette::Palette;

/// What is to be painted.
#[derive(Debug, Clone)]
pub(super) struct Commission {
    /// In pixels, at least 1.
    pub(super) width: u32,
    /// In pixels, at least 1.
    pub(super) height: u32,
    /// Whether the ground is left out.
    pub(super) transparent: bool,
    /// The words of the prompt in lower case; they choose scene and palette.
    pub(super) words: Vec<String>,
    /// What is written on the card, a line each.
    pub(super) lines: Vec<String>,
}

/// Paints a scene on a ground that is there already.
type Scene = fn(&mut Canvas, &Palette, &mut Dice);

/// Scenes, and words that ask for them.
const SCENES: &[(Scene, &[&str])] = &[
    (
        landscapes::hills,
        &["hill", "hills", "mountain", "mountains", "landscape", "valley", "alps", "trail", "snow", "desert"],
    ),
    (
        landscapes::sea,
        &[
            "sea", "ocean", "harbour", "harbor", "boat", "ship", "ferry", "coast", "island", "lake", "river", "tide",
            "fish",
        ],
    ),
    (
        landscapes::town,
        &[
            "city", "town", "street", "house", "houses", "building", "office", "market", "station", "tram", "library",
            "village",
        ],
    ),
    (patterns::tiles, &["pattern", "design", "poster", "abstract", "geometry", "logo", "icon", "museum", "software"]),
    (patterns::discs, &["planet", "space", "moon", "product", "bubble", "dream", "music", "coffee", "cup"]),
    (patterns::terraces, &["map", "land", "paper", "wood", "earth", "cover", "data", "report"]),
    (
        patterns::flowers,
        &["flower", "flowers", "garden", "spring", "blossom", "bloom", "meadow", "rose", "bee", "bees", "tea"],
    ),
];

/// Paints a picture and gives it as the bytes of a PNG file.
///
/// # Errors
/// If the picture can't be encoded, which takes sides of zero or more pixels than fit into memory.
pub(super) fn paint(commission: &Commission, mut dice: Dice) -> Result<Vec<u8>, image::ImageError> {
    let palette = Palette::draw(&commission.words, &mut dice);
    let drawn = dice.below(SCENES.len());
    let named =
        commission.words.iter().find_map(|word| SCENES.iter().find(|(_, words)| words.contains(&word.as_str())));
    let scene = named.map_or(SCENES[drawn].0, |(scene, _)| *scene);

    let mut canvas = Canvas::new(commission.width, commission.height);
    if !commission.transparent {
        let area = canvas.area();
        canvas.paint(area, |p| (palette.ground[0].mix(palette.ground[1], p.y / area.bottom), 1.0));
    }
    scene(&mut canvas, &palette, &mut dice);
    lettering::card(&mut canvas, &palette, &commission.lines);
    lettering::mark(&mut canvas, &palette, "offline");
    png::encode(&canvas.into_bytes(commission.transparent), commission)
}

/// Whether a word can be written on a card.
pub(super) fn can_spell(word: &str) -> bool {
    lettering::can_spell(word)
}
