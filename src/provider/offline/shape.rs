//! What a sketch of JSON means: which values stand where, and how many of them.

use super::counts::count_before;
use super::keys::{self, singular};
use super::remark;
use super::sketch::Sketch;

/// The shape of a JSON value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Shape {
    /// An object with these keys, in this order.
    Object(Vec<(String, Shape)>),
    /// A list of such values, and how many where the prompt says so.
    List(Box<Shape>, Option<usize>),
    /// A text.
    Text,
    /// A whole number, near this one where the example has one.
    Integer(Option<i64>),
    /// A whole number from the first to the second, both included.
    Range(i64, i64),
    /// A number with a fraction, from 0 to 1.
    Fraction,
    /// True or false.
    Boolean,
    /// One of these texts.
    OneOf(Vec<String>),
    /// This text, which is nothing but a type's own format: a date, an address.
    Format(Format),
}

/// Texts with a form of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// `2026-04-17`
    Date,
    /// `https://example.org/..`
    Url,
    /// `..@example.org`
    Email,
    /// `#a1b2c3`
    Colour,
    /// `en`
    Language,
}

/// Lists are no longer than this, whatever a prompt says.
pub(super) const LONGEST_LIST: usize = 200;

impl Shape {
    /// The shape that a sketch means; what else stands in the prompt may say how many.
    pub(super) fn of(sketch: &Sketch, prompt: &str) -> Self {
        let lower = super::words::prefix(prompt, 20_000).to_lowercase();
        let terms: Vec<&str> = lower.split(|c: char| !c.is_alphanumeric()).filter(|term| !term.is_empty()).collect();
        schema(sketch).unwrap_or_else(|| shape(sketch, "", &terms))
    }

    /// The shape for a prompt that describes none: a list if it asks for one, else a title, a summary and items.
    pub(super) fn guess(prompt: &str) -> Self {
        let lower = super::words::prefix(prompt, 20_000).to_lowercase();
        if ["json array", "json list", "array of", "list of strings"].iter().any(|word| lower.contains(word)) {
            let terms: Vec<&str> =
                lower.split(|c: char| !c.is_alphanumeric()).filter(|term| !term.is_empty()).collect();
            let count = terms.iter().filter(|term| term.ends_with('s')).find_map(|term| count_before(&terms, &[term]));
            return Self::List(Box::new(Self::Text), count.map(|count| count.min(LONGEST_LIST)));
        }
        let item = Self::Object(vec![("title".into(), Self::Text), ("text".into(), Self::Text)]);
        Self::Object(vec![
            ("title".into(), Self::Text),
            ("summary".into(), Self::Text),
            ("items".into(), Self::List(Box::new(item), None)),
        ])
    }
}

fn shape(sketch: &Sketch, key: &str, terms: &[&str]) -> Shape {
    match sketch {
        Sketch::Object(fields) => {
            Shape::Object(fields.iter().map(|(key, value)| (key.clone(), shape(value, key, terms))).collect())
        }
        Sketch::List(items) => {
            let count = count_of(key, terms);
            let one = items.first().map_or(Shape::Text, |item| shape(item, singular(key), terms));
            Shape::List(Box::new(one), count)
        }
        Sketch::Text(text) | Sketch::Bare(text) => {
            let (text, bare) = (text.trim(), matches!(sketch, Sketch::Bare(_)));
            match leaf(text, bare) {
                Some(leaf) => leaf,
                // A key alone, `{title, tags}`, says by its name what it holds.
                None if text.is_empty() && bare => remark::of_key(key, terms),
                // A bare text ends at a comma, so this one stood in brackets: `chapters (title, summary)`.
                None if text.contains(',') && bare => remark::noted(key, text, terms),
                None => keys::shape_of(key),
            }
        }
    }
}

/// How many elements the prompt asks for in the list of this key: `5 scenes` for `scenes`.
pub(super) fn count_of(key: &str, terms: &[&str]) -> Option<usize> {
    let lower = key.to_lowercase();
    let nouns = [lower.as_str(), singular(&lower)];
    let nouns: &[&str] = if key.is_empty() { &["items", "elements", "entries", "objects"] } else { &nouns };
    count_before(terms, nouns).map(|count| count.min(LONGEST_LIST))
}

/// What a leaf says by itself: its type, a choice, an example of a number.
pub(super) fn leaf(text: &str, bare: bool) -> Option<Shape> {
    let lower = text.trim_end_matches('?').to_lowercase();
    match lower.as_str() {
        "string" | "text" | "str" => return None,
        "number" | "float" | "integer" | "int" => return Some(Shape::Integer(None)),
        "boolean" | "bool" | "true" | "false" => return Some(Shape::Boolean),
        "yyyy-mm-dd" | "date" => return Some(Shape::Format(Format::Date)),
        "#rrggbb" => return Some(Shape::Format(Format::Colour)),
        "url" => return Some(Shape::Format(Format::Url)),
        _ => {}
    }
    if let Some(options) = options(text) {
        return Some(options);
    }
    if bare && let Ok(number) = lower.parse::<f64>() {
        let whole = number.fract() == 0.0;
        return Some(if whole { Shape::Integer(lower.parse().ok()) } else { Shape::Fraction });
    }
    range(&lower)
}

/// `0-10`, `1 to 5`, `a number between 0 and 1`; not `1-2 sentences`.
fn range(text: &str) -> Option<Shape> {
    const AROUND: &[&str] =
        &["a", "an", "and", "between", "float", "from", "int", "integer", "number", "of", "on", "scale", "score", "to"];
    let mut bounds = Vec::new();
    for term in text.split(|c: char| !c.is_alphanumeric()).filter(|term| !term.is_empty()) {
        match term.parse::<i64>() {
            Ok(bound) => bounds.push(bound),
            Err(_) if AROUND.contains(&term) => {}
            Err(_) => return None,
        }
    }
    match bounds[..] {
        [0, 1] => Some(Shape::Fraction),
        [low, high] if low < high => Some(Shape::Range(low, high)),
        _ => None,
    }
}

/// `bug | feature`, `bug or feature`, `yes/no`, `one of a, b or c`.
fn options(text: &str) -> Option<Shape> {
    let word = |part: &str| {
        let letters = part.trim().trim_matches(['"', '\'', '`', '“', '”']);
        letters.chars().all(|c| c.is_alphanumeric() || "-_".contains(c)) && letters.chars().any(char::is_alphabetic)
    };
    let parts: Vec<String> = if text.contains('|') {
        text.split('|').map(str::to_owned).collect()
    } else if let Some(named) = text.strip_prefix("one of") {
        named.split([',', '/']).flat_map(|part| part.split(" or ")).map(str::to_owned).collect()
    } else {
        let mark = if text.contains(" or ") { " or " } else { "/" };
        let parts: Vec<&str> = text.split(mark).flat_map(|part| part.split(", ")).collect();
        if parts.len() < 2 || !text.contains(mark) || !parts.iter().all(|part| word(part)) {
            return None;
        }
        parts.into_iter().map(str::to_owned).collect()
    };
    let clean =
        |part: &String| part.trim().trim_start_matches(':').trim().trim_matches(['"', '\'', '`', '“', '”']).to_owned();
    let mut parts: Vec<String> = parts.iter().map(clean).filter(|part| !part.is_empty()).collect();
    parts.retain(|part| part != "null" && part != "undefined");
    match parts.as_slice() {
        [] => None,
        [one] => Some(leaf(one, true).unwrap_or(Shape::Text)),
        [one, ..] if ["string", "number", "integer", "boolean"].contains(&one.as_str()) => {
            Some(leaf(one, true).unwrap_or(Shape::Text))
        }
        _ if parts.iter().all(|part| part == "true" || part == "false") => Some(Shape::Boolean),
        _ if parts.iter().all(|part| part.chars().count() <= 40) => Some(Shape::OneOf(parts)),
        _ => None,
    }
}

/// Whether a word is the name of a usual key, and so no option among others.
pub(super) fn is_usual(word: &str) -> bool {
    #[rustfmt::skip]
    const USUAL: &[&str] = &[
        "author", "body", "brief", "caption", "category", "description", "heading", "id", "label", "name", "place", "reason",
        "slug", "subtitle", "summary", "text", "title",
    ];
    USUAL.contains(&word) || keys::shape_of(word) != Shape::Text || keys::is_plural(word)
}

/// Reads a JSON schema; `None` if a sketch is none.
fn schema(sketch: &Sketch) -> Option<Shape> {
    let Sketch::Object(fields) = sketch else { return None };
    let field = |name: &str| fields.iter().find(|(key, _)| key == name).map(|(_, value)| value);
    if let Some(Sketch::List(options)) = field("enum") {
        let text = |option: &Sketch| match option {
            Sketch::Text(text) | Sketch::Bare(text) => Some(text.clone()),
            _ => None,
        };
        return Some(Shape::OneOf(options.iter().filter_map(text).collect()))
            .filter(|shape| *shape != Shape::OneOf(vec![]));
    }
    let Some(Sketch::Text(kind)) = field("type") else { return None };
    match (kind.as_str(), field("properties"), field("items")) {
        ("object", Some(Sketch::Object(properties)), _) => {
            let property =
                |(key, value): &(String, Sketch)| (key.clone(), schema(value).unwrap_or_else(|| keys::shape_of(key)));
            Some(Shape::Object(properties.iter().map(property).collect()))
        }
        ("array", _, Some(items)) => {
            let least = match field("minItems") {
                Some(Sketch::Bare(number)) => number.parse::<usize>().ok().map(|count| count.clamp(1, LONGEST_LIST)),
                _ => None,
            };
            Some(Shape::List(Box::new(schema(items).unwrap_or(Shape::Text)), least))
        }
        ("string", ..) if fields.len() <= 4 => Some(Shape::Text),
        ("integer" | "number", ..) if fields.len() <= 6 => Some(Shape::Integer(None)),
        ("boolean", ..) => Some(Shape::Boolean),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::sketch;
    use super::*;

    fn shape_of(prompt: &str) -> Shape {
        let found = sketch::find(prompt).unwrap();
        Shape::of(&found.sketch, &format!("{} {}", &prompt[..found.place.start], &prompt[found.place.end..]))
    }

    fn list(shape: Shape, count: Option<usize>) -> Shape {
        Shape::List(Box::new(shape), count)
    }

    fn object(fields: &[(&str, Shape)]) -> Shape {
        Shape::Object(fields.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect())
    }

    #[test]
    fn leaves_have_types() {
        let prompt = r#"{"title": "...", "kind": "bug | feature", "score": 7, "share": 0.5, "done": true, "seen": "YYYY-MM-DD",
            note: string | null, home_url, "level": one of low, "size": "one of s, m"}"#;
        assert_eq!(
            shape_of(prompt),
            object(&[
                ("title", Shape::Text),
                ("kind", Shape::OneOf(vec!["bug".into(), "feature".into()])),
                ("score", Shape::Integer(Some(7))),
                ("share", Shape::Fraction),
                ("done", Shape::Boolean),
                ("seen", Shape::Format(Format::Date)),
                ("note", Shape::Text),
                ("home_url", Shape::Format(Format::Url)),
                ("level", Shape::Text),
                ("size", Shape::OneOf(vec!["s".into(), "m".into()])),
            ])
        );
    }

    #[test]
    fn a_key_alone_says_what_it_holds() {
        assert_eq!(
            shape_of("Return JSON: {title, tags, score (0-10), chapters (title, summary), kind (bug, feature)}"),
            object(&[
                ("title", Shape::Text),
                ("tags", list(Shape::Text, None)),
                ("score", Shape::Range(0, 10)),
                ("chapters", list(object(&[("title", Shape::Text), ("summary", Shape::Text)]), None)),
                ("kind", Shape::OneOf(vec!["bug".into(), "feature".into()])),
            ])
        );
        // Where a text stands in its place, it is one.
        assert_eq!(shape_of("{\"notes_and_tags\": \"..\"}"), object(&[("notes_and_tags", Shape::Text)]));
        let length = shape_of("{\"text\": \"1-2 sentences\", \"hint\": \"a word or two\"}");
        assert_eq!(length, object(&[("text", Shape::Text), ("hint", Shape::Text)]));
    }

    #[test]
    fn lists_are_as_long_as_the_prompt_says() {
        let scene = object(&[("caption", Shape::Text)]);
        let prompt = "Plan 5 short scenes, as JSON: {\"scenes\": [{\"caption\": \"...\"}], \"tags\": [string]}";
        assert_eq!(shape_of(prompt), object(&[("scenes", list(scene, Some(5))), ("tags", list(Shape::Text, None))]));
    }

    #[test]
    fn a_json_schema_is_understood() {
        let prompt = r#"JSON schema: {"type": "object", "properties": {"tags": {"type": "array", "items": {"type": "string"}, "minItems": 3},
            "kind": {"enum": ["a", "b"]}, "n": {"type": "integer"}}, "required": ["tags"]}"#;
        assert_eq!(
            shape_of(prompt),
            object(&[
                ("tags", list(Shape::Text, Some(3))),
                ("kind", Shape::OneOf(vec!["a".into(), "b".into()])),
                ("n", Shape::Integer(None)),
            ])
        );
    }

    #[test]
    fn without_a_sketch_the_words_decide() {
        assert_eq!(Shape::guess("Give me 4 names as a JSON array"), list(Shape::Text, Some(4)));
        let Shape::Object(fields) = Shape::guess("Tell me all, in JSON") else { panic!() };
        assert_eq!(fields.iter().map(|(key, _)| key.as_str()).collect::<Vec<_>>(), ["title", "summary", "items"]);
    }
}
