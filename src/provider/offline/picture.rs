//! What a call for a picture is answered with.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::Semaphore;

use super::ask::{self, Ask};
use super::dice::Dice;
use super::painting::{self, Commission};
use super::prose::Prose;
use super::shown;
use super::subject::{self, JOINING, Phrase};
use super::words;
use crate::model::{Content, Failure, FailureKind, ImageInfo, ImageParams, MediaType};
use crate::provider::service::OFFLINE;

/// The longest side of a picture, in pixels.
const LONGEST_SIDE: u32 = 4096;
/// The sides of a picture, in pixels, where the call does not say.
const USUAL_SIDE: u32 = 1024;
/// The most words on a picture's card, and the most letters in a line of it.
const CARD_WORDS: usize = 4;
const CARD_LINE: usize = 14;

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
    let shown = Prose::read(shown_in(prompt));
    let told = shown.sentences.iter().find(|sentence| !subject::phrases(sentence).is_empty());
    let phrases = told.map_or_else(Vec::new, |sentence| subject::phrases(sentence));
    let lower = |word: &&str| word.to_lowercase();
    // The noun stands last; the adjectives before it come after it.
    let first = || phrases.iter().take(1).flat_map(|phrase| phrase.words.iter().rev());
    let others = || phrases.iter().skip(1).flat_map(|phrase| phrase.words.iter());
    let all = || words::words(prompt).take(400).map(str::to_lowercase);
    Commission {
        width: params.width.unwrap_or(USUAL_SIDE),
        height: params.height.unwrap_or(USUAL_SIDE),
        transparent: params.transparent,
        lines: if told.is_some_and(|sentence| can_spell(sentence)) { card(&phrases) } else { Vec::new() }
            .into_iter()
            .chain(params.images.first().map_or_else(Vec::new, shown::card))
            .collect(),
        subject: first().map(lower).collect(),
        words: others()
            .chain(first())
            .map(lower)
            .chain(all())
            .filter(|word| !subject::is_medium(word))
            .chain(all())
            .collect(),
    }
}

/// The part of a prompt that says what is shown: without `Cover for:`, without `Paint`.
fn shown_in(prompt: &str) -> &str {
    let ask = Ask::read("", prompt);
    if ask.brings {
        return ask.material;
    }
    let prompt = prompt.trim();
    let verb = ask::starts_with_verb(prompt).then(|| prompt.find(' ')).flatten();
    verb.map_or(prompt, |end| prompt[end..].trim_start())
}

/// Whether the alphabet has all letters of a text; scraps of another script would look like a mistake.
fn can_spell(text: &str) -> bool {
    text.chars().filter(|letter| letter.is_alphabetic()).all(|letter| painting::can_spell(&letter.to_string()))
}

/// The lines of a card: the subject, and what it is joined to if there is room.
fn card(phrases: &[Phrase<'_>]) -> Vec<String> {
    let Some((first, others)) = phrases.split_first() else { return Vec::new() };
    let kept = &first.words[first.words.len().saturating_sub(CARD_WORDS)..];
    let mut lines = in_lines(kept);
    let room = CARD_WORDS - kept.len();
    // Another clause says more only where the first says little.
    if let Some(next) = others.first().filter(|next| !next.lead.is_empty() || kept.len() == 1) {
        let joint: Vec<&str> = next.lead.iter().copied().take(1).collect();
        let fits = [
            [next.lead.as_slice(), &next.words].concat(),
            [joint.as_slice(), &next.words].concat(),
            next.words.clone(),
        ]
        .into_iter()
        .find(|words| words.len() <= room);
        lines.extend(fits.map_or_else(Vec::new, |words| in_lines(&words)));
    }
    lines
}

/// Words as a title, in lines that are not too long.
fn in_lines(words: &[&str]) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in words {
        let small = JOINING.contains(&word.to_lowercase().as_str());
        let word = if small { word.to_lowercase() } else { words::capitalised(word) };
        match lines.last_mut().filter(|line| line.chars().count() + word.chars().count() < CARD_LINE) {
            Some(line) => *line = format!("{line} {word}"),
            None => lines.push(word),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(prompt: &str) -> String {
        commission(prompt, &ImageParams::default()).lines.join(" / ")
    }

    #[test]
    fn a_card_names_the_subject() {
        for (prompt, card) in [
            ("Portrait of a red fox in the snow, watercolour", "Red Fox / in Snow"),
            ("A lighthouse by the sea", "Lighthouse / by the Sea"),
            ("A cat", "Cat"),
            ("Paint a cat on a roof", "Cat / on a Roof"),
            ("A cup of tea", "Cup / of Tea"),
            (
                "Editorial cover illustration, flat shapes, no lettering, for: # School and Bats\n\nThe ice.",
                "School / and Bats",
            ),
            ("Cover for: How to work hard without burning out", "Work Hard"),
            ("Product photograph of Halla stool, seating made of oiled ash, on a plain pale background", "Halla Stool"),
            ("Photo of Ærøskøbing at dusk", "Ærøskøbing / at Dusk"),
        ] {
            assert_eq!(lines(prompt), card, "{prompt}");
            assert!(card.split([' ', '/']).filter(|word| !word.is_empty()).count() <= CARD_WORDS);
        }
    }

    #[test]
    fn letters_that_can_not_be_drawn_leave_no_scraps() {
        for prompt in ["雪の中の赤い狐", "ねこ", "Рыжая лиса в снегу", "Portrait of 狐 in the snow", "ثعلب أحمر", "🦊"]
        {
            assert_eq!(lines(prompt), "", "{prompt}");
        }
        assert_eq!(lines("🦊 fox"), "Fox");
    }

    #[test]
    fn the_surroundings_choose_the_scene_and_the_subject_what_stands_in_it() {
        let fox = commission("A red fox in the snow", &ImageParams::default());
        assert_eq!(fox.subject, ["fox", "red"]);
        assert_eq!(fox.words[..3], ["snow", "fox", "red"]);
        let cover = commission("Editorial cover for: The ferry to the island", &ImageParams::default());
        assert!(!cover.words[..3].contains(&"cover".to_owned()));
    }
}
