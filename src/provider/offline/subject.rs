//! What a few words are about: `portrait of a red fox in the snow` falls into `red fox` and `in the snow`.

use super::words;

/// A noun with what stands before it, and how it is joined to the one before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Phrase<'a> {
    /// `in the` of `in the snow`; empty for the first.
    pub(super) lead: Vec<&'a str>,
    /// The words that say something, in order; never empty.
    pub(super) words: Vec<&'a str>,
}

/// Words that join a noun to another.
#[rustfmt::skip]
const JOINTS: &[&str] = &[
    "above", "across", "after", "against", "along", "and", "around", "at", "before", "behind", "beneath", "beside",
    "between", "by", "during", "for", "from", "in", "inside", "into", "near", "of", "on", "over", "since", "through", "to",
    "toward", "towards", "under", "until", "upon", "with",
];
/// Words after which nothing is shown any more.
#[rustfmt::skip]
const ENDINGS: &[&str] = &[
    "as", "because", "but", "not", "no", "or", "so", "that", "where", "which", "while", "who", "whose", "without",
];
const ARTICLES: &[&str] = &["a", "an", "the"];
/// Small words within a title.
pub(super) const JOINING: &[&str] =
    &["a", "an", "and", "at", "by", "for", "from", "in", "of", "on", "over", "the", "to", "with"];
/// Words that say how something is shown, and not what.
#[rustfmt::skip]
const MEDIUM: &[&str] = &[
    "3d", "4k", "8k", "abstract", "acrylic", "art", "artwork", "background", "beautiful", "black", "cinematic", "closer", "closeup", "colored",
    "colors", "coloured", "colours", "concept", "cover", "daylight", "detailed", "digital", "drawing", "editorial", "example", "flat",
    "gouache", "hd", "high", "icon", "illustrated", "illustration", "image", "lettering", "lighting", "logo", "look", "macro",
    "minimal", "minimalist", "muted", "painted", "painting", "pale", "pencil", "photo", "photograph", "photographic",
    "photography", "photorealistic", "picture", "plain", "portrait", "poster", "product", "quality", "realistic", "render",
    "rendering", "resolution", "scene", "shapes", "shot", "sketch", "soft", "square", "style", "vector", "view",
    "watercolor", "watercolour", "white", "wide",
];

/// The phrases of a sentence that show something: the first is what it is about.
pub(super) fn phrases(sentence: &str) -> Vec<Phrase<'_>> {
    let mut phrases: Vec<Phrase<'_>> = Vec::new();
    for clause in sentence.split([',', ';', ':', '(', ')', '.', '!', '?', '—', '–', '\n']) {
        let said = said_in(clause);
        // `Since March, card holders ..`: what only leads up to a clause is not its subject.
        let leads_up = phrases.is_empty() && said.first().is_some_and(|first| !first.lead.is_empty());
        if !leads_up {
            phrases.extend(said);
        }
    }
    if phrases.is_empty() {
        phrases = sentence.split([',', ';', '.']).flat_map(said_in).collect();
    }
    if let Some(first) = phrases.first_mut() {
        first.lead.clear();
    }
    phrases
}

fn said_in(clause: &str) -> Vec<Phrase<'_>> {
    let mut phrases = vec![Phrase { lead: Vec::new(), words: Vec::new() }];
    for word in clause.split_whitespace().map(|word| word.trim_matches(|c: char| !c.is_alphanumeric())) {
        let lower = word.to_lowercase();
        let Some(open) = phrases.last_mut() else { break };
        if ENDINGS.contains(&lower.as_str()) {
            break;
        } else if JOINTS.contains(&lower.as_str()) {
            phrases.push(Phrase { lead: vec![word], words: Vec::new() });
        } else if ARTICLES.contains(&lower.as_str()) {
            if open.words.is_empty() && !open.lead.is_empty() {
                open.lead.push(word);
            }
        } else if shows(&lower) {
            open.words.push(word);
        }
    }
    let mut phrases: Vec<Phrase<'_>> = phrases.into_iter().filter_map(finished).collect();
    // `portrait of ..`: what is only a medium leaves nothing to be joined to.
    if starts_with_medium(clause)
        && let Some(first) = phrases.first_mut()
    {
        first.lead.clear();
    }
    phrases
}

/// A phrase with something in it, without what its noun is doing: `cat sitting`.
fn finished(mut phrase: Phrase<'_>) -> Option<Phrase<'_>> {
    let doing =
        phrase.words.len() > 1 && phrase.words.last().is_some_and(|word| word.len() > 5 && word.ends_with("ing"));
    if doing {
        phrase.words.pop();
    }
    (!phrase.words.is_empty()).then_some(phrase)
}

fn shows(lower: &str) -> bool {
    let says = words::matters(lower)
        || (lower.len() == 2 && !["is", "it", "he", "we", "be", "my", "do", "me", "us"].contains(&lower));
    says && !is_medium(lower)
}

/// Whether a word, in lower case, says how something is shown, and not what.
pub(super) fn is_medium(lower: &str) -> bool {
    MEDIUM.contains(&lower)
}

fn starts_with_medium(clause: &str) -> bool {
    let words = clause.split_whitespace().map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase());
    let mut before = words.take_while(|word| !JOINTS.contains(&word.as_str())).peekable();
    before.peek().is_some() && before.all(|word| !shows(&word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(sentence: &str) -> String {
        let phrase = |phrase: &Phrase<'_>| [phrase.lead.as_slice(), &phrase.words].concat().join(" ");
        phrases(sentence).iter().map(phrase).collect::<Vec<_>>().join(" / ")
    }

    #[test]
    fn a_subject_comes_before_its_place() {
        for (sentence, phrases) in [
            ("Portrait of a red fox in the snow, watercolour", "red fox / in the snow"),
            ("A lighthouse by the sea", "lighthouse / by the sea"),
            ("a cat", "cat"),
            ("a cat sitting on a windowsill", "cat / on a windowsill"),
            ("A cup of tea", "cup / of tea"),
            ("Keeping bees on city roofs", "Keeping bees / on city roofs"),
            ("working hard without burning out", "working hard"),
            ("Since March, card holders borrow drills", "card holders borrow drills"),
            ("In the snow", "snow"),
            ("Abstract poster for a jazz festival", "jazz festival"),
            ("A First Look at Keeping Bees", "Keeping Bees"),
            ("photo, no lettering", ""),
            ("a keeper who loses the light", "keeper"),
        ] {
            assert_eq!(told(sentence), phrases, "{sentence}");
        }
    }
}
