//! What a few words beside a key say of its value: `(0-10)`, `(title, summary)`, `(a list)`.

use super::keys;
use super::shape::{self, Shape};

/// Words for a list.
pub(super) const LISTS: &[&str] = &["list", "array", "lists", "arrays"];

/// The shape that a remark such as `(title, summary)`, `(0-10)` or `(a list)` gives to a key.
pub(super) fn noted(key: &str, note: &str, terms: &[&str]) -> Shape {
    let plural = keys::is_plural(key);
    let one = || if plural { keys::shape_of(keys::singular(key)) } else { keys::shape_of(key) };
    let note = note.trim();
    let listed = plural || note.split(|c: char| !c.is_alphanumeric()).any(|word| LISTS.contains(&word));
    let count = shape::count_of(key, terms);
    let list = |shape: Shape, count: Option<usize>| Shape::List(Box::new(shape), count);
    match shape::leaf(note, true) {
        Some(Shape::Range(low, high)) if plural => {
            return list(one(), usize::try_from(low.midpoint(high)).ok().map(|count| count.clamp(1, 20)));
        }
        Some(leaf) if plural => return list(leaf, count),
        Some(leaf) => return leaf,
        None => {}
    }
    let parts: Vec<&str> = note.split(',').flat_map(|part| part.split(" and ")).map(bare).collect();
    if parts.len() >= 2 && parts.iter().all(|part| is_key(part)) {
        let fields = || parts.iter().map(|part| ((*part).to_owned(), of_key(part, terms))).collect();
        let speaks = |part: &&str| shape::is_usual(part);
        return match (plural, parts.iter().any(speaks)) {
            (true, _) => list(Shape::Object(fields()), count),
            (false, true) => Shape::Object(fields()),
            (false, false) => Shape::OneOf(parts.iter().map(|part| (*part).to_owned()).collect()),
        };
    }
    if listed { list(one(), count) } else { one() }
}

/// The shape of a key about which nothing else is said.
pub(super) fn of_key(key: &str, terms: &[&str]) -> Shape {
    if keys::is_plural(key) {
        let one = keys::shape_of(keys::singular(key));
        return Shape::List(Box::new(one), shape::count_of(key, terms));
    }
    keys::shape_of(key)
}

fn bare(part: &str) -> &str {
    part.trim().trim_start_matches("and ").trim_matches(['`', '"', '\'', '“', '”', ' '])
}

/// Whether a word can be the name of a key.
pub(super) fn is_key(word: &str) -> bool {
    let letters = word.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-');
    letters && word.starts_with(|c: char| c.is_lowercase()) && word.len() <= 40
}
