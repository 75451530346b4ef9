//! What the name of a key says of its value: `score` is a number, `is_new` true or false, `chapters` a list.

use super::shape::{Format, Shape};

/// Names of numbers.
#[rustfmt::skip]
const NUMBERS: &[&str] = &[
    "age", "amount", "calories", "cost", "count", "days", "distance", "duration", "height", "hours", "index", "length",
    "likes", "minutes", "number", "pages", "percent", "percentage", "population", "position", "price", "quantity", "rank",
    "rating", "score", "seconds", "servings", "stars", "total", "views", "weeks", "weight", "width", "year", "years",
];
/// Names of shares of one.
const SHARES: &[&str] = &["confidence", "probability", "likelihood", "certainty"];
/// Beginnings of names of what is true or not.
const CLAIMS: &[&str] = &["is", "has", "can", "should", "was", "needs"];
/// Words that end in `s` and are one thing.
#[rustfmt::skip]
const SINGULARS: &[&str] = &[
    "address", "alias", "atlas", "basis", "bias", "canvas", "class", "css", "details", "focus", "gas", "gps", "has", "https",
    "lens", "news", "notes", "progress", "series", "species", "status", "this", "was",
];
/// Plurals that end otherwise.
const PLURALS: &[&str] = &["children", "people"];

/// A key in lower case, its words joined by `_`: `pageCount` is `page_count`.
pub(super) fn snake(key: &str) -> String {
    let mut snake = String::new();
    let mut after_small = false;
    for letter in key.chars() {
        if letter.is_uppercase() && after_small {
            snake.push('_');
        }
        after_small = letter.is_lowercase();
        match letter {
            '-' | ' ' => snake.push('_'),
            letter => snake.extend(letter.to_lowercase()),
        }
    }
    snake
}

/// What a key says where nothing else does.
pub(super) fn shape_of(key: &str) -> Shape {
    let key = snake(key);
    let last = key.rsplit('_').next().unwrap_or(&key);
    match last {
        "date" | "day" | "deadline" => Shape::Format(Format::Date),
        "url" | "link" | "href" => Shape::Format(Format::Url),
        "email" | "mail" => Shape::Format(Format::Email),
        "colour" | "color" => Shape::Format(Format::Colour),
        "lang" | "language" | "locale" => Shape::Format(Format::Language),
        _ if NUMBERS.contains(&last) => Shape::Integer(None),
        _ if SHARES.contains(&last) => Shape::Fraction,
        _ if key.split_once('_').is_some_and(|(first, _)| CLAIMS.contains(&first)) => Shape::Boolean,
        _ => Shape::Text,
    }
}

/// Whether a key names several things, and so holds a list where nothing says otherwise.
pub(super) fn is_plural(key: &str) -> bool {
    let key = snake(key);
    let last = key.rsplit('_').next().unwrap_or(&key);
    let several = last.len() > 3 && last.ends_with('s') && !["ss", "us", "is"].iter().any(|end| last.ends_with(end));
    (several && !SINGULARS.contains(&last) && shape_of(&key) == Shape::Text) || PLURALS.contains(&last)
}

/// One of the things that a key names.
pub(super) fn singular(key: &str) -> &str {
    match key {
        "people" => "person",
        "children" => "child",
        "addresses" => "address",
        _ => key.strip_suffix('s').unwrap_or(key),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_their_kind() {
        for key in ["score", "page_count", "pageCount", "publicationYear", "price", "seconds"] {
            assert_eq!(shape_of(key), Shape::Integer(None), "{key}");
        }
        for key in ["is_new", "hasGarden", "should_reply"] {
            assert_eq!(shape_of(key), Shape::Boolean, "{key}");
        }
        assert_eq!(shape_of("confidence"), Shape::Fraction);
        assert_eq!(shape_of("discount_code"), Shape::Text);
    }

    #[test]
    fn several_things_are_told_from_one() {
        assert!(["chapters", "tags", "people", "key_points", "action_items"].into_iter().all(is_plural));
        assert!(!["status", "address", "seconds", "analysis", "title", "is_news", "class"].into_iter().any(is_plural));
    }
}
