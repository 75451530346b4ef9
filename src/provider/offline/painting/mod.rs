//! Pictures painted from the words of a prompt: a palette, a scene, a card with the key words, and a mark that names
//! the provider.
//!
//! A picture depends on its [`Commission`] and the dice alone, down to the last bit, on every platform.
#![expect(clippy::cast_precision_loss, reason = "coordinates and counts are far below 2^24")]

mod canvas;
mod landscapes;
mod lettering;
mod motifs;
mod noise;
mod palette;
mod patterns;
mod png;
mod trigonometry;

use super::dice::Dice;
use canvas::Canvas;
use motifs::Motif;
use palette::{Colour, Palette};

/// What is to be painted.
#[derive(Debug, Clone)]
pub(super) struct Commission {
    /// In pixels, at least 1.
    pub(super) width: u32,
    /// In pixels, at least 1.
    pub(super) height: u32,
    /// Whether the ground is left out.
    pub(super) transparent: bool,
    /// The words for what is shown, in lower case, the nouns first; they choose what stands in the picture.
    pub(super) subject: Vec<String>,
    /// All words of the prompt in lower case, those for the surroundings first; they choose scene and palette.
    pub(super) words: Vec<String>,
    /// What is written on the card, a line each.
    pub(super) lines: Vec<String>,
}

/// Paints a scene on a ground that is there already.
type Scene = fn(&mut Canvas, &Palette, &mut Dice);

/// Scenes that something can stand in, and words that ask for them.
const SCENES: &[(Scene, &[&str])] = &[
    (
        landscapes::hills,
        &[
            "hill",
            "hills",
            "mountain",
            "mountains",
            "landscape",
            "valley",
            "alps",
            "trail",
            "snow",
            "desert",
            "forest",
            "woods",
            "field",
            "meadow",
        ],
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
        &["city", "town", "street", "houses", "building", "office", "market", "station", "tram", "library", "village"],
    ),
    (patterns::discs, &["planet", "space", "moon", "product", "bubble", "dream", "music"]),
    (patterns::flowers, &["flower", "flowers", "garden", "spring", "blossom", "bloom", "rose", "bee", "bees", "tea"]),
];

/// Scenes that are all surface, and words that ask for them.
const SURFACES: &[(Scene, &[&str])] = &[
    (patterns::tiles, &["pattern", "design", "poster", "abstract", "geometry", "logo", "icon", "museum", "software"]),
    (patterns::terraces, &["map", "land", "paper", "wood", "earth", "cover", "data", "report"]),
];

/// Paints a picture and gives it as the bytes of a PNG file.
///
/// # Errors
/// If the picture can't be encoded, which takes sides of zero or more pixels than fit into memory.
pub(super) fn paint(commission: &Commission, mut dice: Dice) -> Result<Vec<u8>, image::ImageError> {
    let palette = Palette::draw(&commission.words, &mut dice);
    let drawn = dice.below(SCENES.len() + SURFACES.len());
    let motif = Motif::find(&commission.subject);
    let fur = *dice.pick(&[38.0_f32, 52.0, 66.0, 80.0]);
    let lightness = if palette.dark { 0.70 } else { 0.64 };
    let body = match palette::named_hue(&commission.subject) {
        Some(hue) => Colour::oklch(lightness, 0.150, hue),
        None if motif.is_some_and(Motif::is_alive) => Colour::oklch(lightness, 0.095, fur),
        None => palette.accent,
    };
    let named = named_scene(&commission.words, motif.is_some());
    let scene = named.or_else(|| motif.map(scene_around)).unwrap_or_else(|| drawn_scene(drawn));

    let mut canvas = Canvas::new(commission.width, commission.height);
    if !commission.transparent {
        let area = canvas.area();
        canvas.paint(area, |p| (palette.ground[0].mix(palette.ground[1], p.y / area.bottom), 1.0));
    }
    // What is cut out stands alone.
    if !(commission.transparent && motif.is_some()) {
        scene(&mut canvas, &palette, &mut dice);
    }
    if let Some(motif) = motif {
        motifs::draw(&mut canvas, &palette, &mut dice, (motif, body), !commission.transparent);
    }
    lettering::card(&mut canvas, &palette, &commission.lines);
    lettering::mark(&mut canvas, &palette, "offline");
    png::encode(&canvas.into_bytes(commission.transparent), commission)
}

/// The scene that one of these words asks for, the first word first.
///
/// Where something `stands`, tiles and maps are no scene.
fn named_scene(words: &[String], stands: bool) -> Option<Scene> {
    let scenes = || SCENES.iter().chain(if stands { &[] } else { SURFACES });
    words.iter().find_map(|word| scenes().find(|(_, names)| names.contains(&word.as_str())).map(|(scene, _)| *scene))
}

fn drawn_scene(at: usize) -> Scene {
    SCENES.iter().chain(SURFACES).nth(at).map_or(landscapes::hills, |(scene, _)| *scene)
}

/// Where a motif stands, if the prompt does not say.
fn scene_around(motif: Motif) -> Scene {
    match motif {
        Motif::Lighthouse => landscapes::sea,
        Motif::Cup => patterns::discs,
        _ => landscapes::hills,
    }
}

/// Whether a word can be written on a card.
pub(super) fn can_spell(word: &str) -> bool {
    lettering::can_spell(word)
}
