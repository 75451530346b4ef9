//! What a call for a picture is answered with.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::Semaphore;

use super::ask::Ask;
use super::dice::Dice;
use super::painting::{self, Commission};
use super::prose::Prose;
use super::words;
use crate::model::{Content, Failure, FailureKind, ImageInfo, ImageParams, MediaType};
use crate::provider::service::OFFLINE;

/// The longest side of a picture, in pixels.
const LONGEST_SIDE: u32 = 4096;
/// The sides of a picture, in pixels, where the call does not say.
const USUAL_SIDE: u32 = 1024;
/// The most lines on a picture's card, and the longest word on it.
const CARD_LINES: usize = 3;
const CARD_WORD: usize = 14;
/// Words that say how a picture looks and not what it shows.
const STYLE_WORDS: &[&str] = &[
    "background",
    "colours",
    "daylight",
    "drawing",
    "flat",
    "gouache",
    "lettering",
    "muted",
    "pale",
    "pencil",
    "photo",
    "photograph",
    "picture",
    "plain",
    "product",
    "shapes",
    "shot",
    "soft",
    "watercolour",
    "wide",
];

/// Where pictures are painted. Painting keeps a core busy and holds a picture in memory: no more at once than there are
/// cores.
#[derive(Debug)]
pub(super) struct Studio {
    painters: Arc<Semaphore>,
}

impl Studio {
    pub(super) fn new() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self { painters: Arc::new(Semaphore::new(cores)) }
    }

    /// Paints what the prompt asks for, as a PNG file.
    pub(super) async fn paint(&self, prompt: &str, params: &ImageParams, dice: Dice) -> Result<Content, Failure> {
        let commission = commission(prompt, params);
        let (width, height) = (commission.width, commission.height);
        let lost = || Failure::new(FailureKind::Interrupted, "The program ended while a picture was painted");
        let permit = Arc::clone(&self.painters).acquire_owned().await.map_err(|_| lost())?;
        let painted = tokio::task::spawn_blocking(move || {
            let painted = painting::paint(&commission, dice);
            drop(permit);
            painted
        });
        let bytes = painted.await.map_err(|_| lost())?;
        let bytes = bytes.map_err(|error| {
            Failure::new(FailureKind::Internal, format!("The picture could not be encoded: {error}"))
        })?;
        let info = ImageInfo { media_type: MediaType::Png, width, height };
        Ok(Content::Image { bytes: Bytes::from(bytes), info })
    }
}

/// Whether a picture of this size is painted at all.
///
/// # Errors
/// A [`Failure`] that names the sizes that are.
pub(super) fn check_size(params: &ImageParams) -> Result<(), Failure> {
    let (width, height) = (params.width.unwrap_or(USUAL_SIDE), params.height.unwrap_or(USUAL_SIDE));
    if (1..=LONGEST_SIDE).contains(&width) && (1..=LONGEST_SIDE).contains(&height) {
        return Ok(());
    }
    let message = format!("`{OFFLINE}` paints no picture of {width} by {height} pixels");
    Err(Failure::new(FailureKind::BadRequest, message).suggest(format!("keep both sides between 1 and {LONGEST_SIDE}")))
}

/// What is painted for a prompt.
fn commission(prompt: &str, params: &ImageParams) -> Commission {
    let material = Prose::read(Ask::read("", prompt).material);
    let fits = |word: &&String| {
        let style = STYLE_WORDS.contains(&word.to_lowercase().as_str());
        !style && word.chars().count() <= CARD_WORD && painting::can_spell(word)
    };
    let mut chosen: Vec<&String> = material.keywords.iter().filter(fits).take(CARD_LINES).collect();
    // In the order of the text they read like a title.
    let text = material.sentences.join(" ").to_lowercase();
    chosen.sort_by_cached_key(|word| text.find(word.to_lowercase().as_str()));
    let all = words::words(prompt).take(400).map(str::to_lowercase);
    Commission {
        width: params.width.unwrap_or(USUAL_SIDE),
        height: params.height.unwrap_or(USUAL_SIDE),
        transparent: params.transparent,
        lines: chosen.into_iter().map(|word| words::capitalised(word)).collect(),
        words: material.keywords.iter().map(|word| word.to_lowercase()).chain(all).collect(),
    }
}
