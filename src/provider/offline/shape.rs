//! What a sketch of JSON means: which values stand where, and how many of them.

use super::ask::count_before;
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
const LONGEST_LIST: usize = 200;

impl Shape {
    /// The shape that a sketch means, in a prompt that may say how many.
    pub(super) fn of(sketch: &Sketch, prompt: &str) -> Self {
        let lower = super::words::prefix(prompt, 20_000).to_lowercase();
        let terms: Vec<&str> = lower.split(|c: char| !c.is_alphanumeric()).filter(|term| !term.is_empty()).collect();
        schema(sketch).unwrap_or_else(|| shape(sketch, "", &terms))
    }

    /// The shape for a prompt without a sketch: a list if it asks for one, else its keys if it names them, else a title,
    /// a summary and items.
    pub(super) fn guess(prompt: &str) -> Self {
        let lower = super::words::prefix(prompt, 20_000).to_lowercase();
        if ["json array", "json list", "array of", "list of strings"].iter().any(|word| lower.contains(word)) {
            let terms: Vec<&str> =
                lower.split(|c: char| !c.is_alphanumeric()).filter(|term| !term.is_empty()).collect();
            let count = terms.iter().filter(|term| term.ends_with('s')).find_map(|term| count_before(&terms, &[term]));
            return Self::List(Box::new(Self::Text), count.map(|count| count.min(LONGEST_LIST)));
        }
        let keys = named_keys(prompt);
        if !keys.is_empty() {
            let field = |key: String| {
                let shape = shape(&Sketch::Bare(String::new()), &key, &[]);
                let plural = ["tags", "keywords", "items", "topics"].contains(&key.as_str());
                (key, if plural { Self::List(Box::new(shape), None) } else { shape })
            };
            return Self::Object(keys.into_iter().map(field).collect());
        }
        let item = Self::Object(vec![("title".into(), Self::Text), ("text".into(), Self::Text)]);
        Self::Object(vec![
            ("title".into(), Self::Text),
            ("summary".into(), Self::Text),
            ("items".into(), Self::List(Box::new(item), None)),
        ])
    }
}

/// Keys that a prompt names in words: ``with the keys `title` and `tags` ``, `fields: title, brief`.
fn named_keys(prompt: &str) -> Vec<String> {
    let Some(at) = ["keys", "fields", "properties"].iter().find_map(|word| prompt.find(word).map(|at| at + word.len()))
    else {
        return Vec::new();
    };
    let rest = super::words::prefix(&prompt[at..], 300);
    let rest = &rest[..rest.find(['.', '\n', ';', '(']).unwrap_or(rest.len())];
    let mut keys: Vec<String> = Vec::new();
    for part in rest.split([',', ' ', ':']).map(|part| part.trim_matches(['`', '"', '\'', '“', '”'])) {
        let is_key = part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
            && part.starts_with(|c: char| c.is_ascii_lowercase());
        if is_key && !["and", "or", "the", "are", "as"].contains(&part) && !keys.iter().any(|key| key == part) {
            keys.push(part.to_owned());
        }
    }
    // More than a few, and it was a sentence.
    if keys.len() > 12 { Vec::new() } else { keys }
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
            let text = text.trim();
            leaf(text, matches!(sketch, Sketch::Bare(_))).unwrap_or_else(|| by_key(key))
        }
    }
}

/// How many elements the prompt asks for in the list of this key: `5 scenes` for `scenes`.
fn count_of(key: &str, terms: &[&str]) -> Option<usize> {
    let lower = key.to_lowercase();
    let nouns = [lower.as_str(), singular(&lower)];
    let nouns: &[&str] = if key.is_empty() { &["items", "elements", "entries", "objects"] } else { &nouns };
    count_before(terms, nouns).map(|count| count.min(LONGEST_LIST))
}

fn singular(key: &str) -> &str {
    key.strip_suffix('s').unwrap_or(key)
}

/// What a leaf says by itself: its type, a choice, an example of a number.
fn leaf(text: &str, bare: bool) -> Option<Shape> {
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
    (lower == "0-1" || lower == "0..1").then_some(Shape::Fraction)
}

/// `bug | feature`, `"bug" or "feature"` in one text, `one of a, b, c`.
fn options(text: &str) -> Option<Shape> {
    let parts: Vec<String> = if text.contains('|') {
        text.split('|').map(str::to_owned).collect()
    } else {
        text.strip_prefix("one of")?.split([',', '/']).map(str::to_owned).collect()
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

/// What a key says where nothing else does.
fn by_key(key: &str) -> Shape {
    let lower = key.to_lowercase();
    let ends = |words: &[&str]| words.iter().any(|word| lower == *word || lower.ends_with(&format!("_{word}")));
    if ends(&["date", "day", "deadline"]) {
        Shape::Format(Format::Date)
    } else if ends(&["url", "link", "href"]) {
        Shape::Format(Format::Url)
    } else if ends(&["email", "mail"]) {
        Shape::Format(Format::Email)
    } else if ends(&["colour", "color"]) {
        Shape::Format(Format::Colour)
    } else if ends(&["lang", "language", "locale"]) {
        Shape::Format(Format::Language)
    } else if ends(&[
        "number", "index", "position", "count", "year", "age", "score", "rating", "seconds", "minutes", "price",
    ]) {
        Shape::Integer(None)
    } else if ends(&["confidence", "probability"]) {
        Shape::Fraction
    } else if lower.starts_with("is_") || lower.starts_with("has_") {
        Shape::Boolean
    } else {
        Shape::Text
    }
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
                |(key, value): &(String, Sketch)| (key.clone(), schema(value).unwrap_or_else(|| by_key(key)));
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
        Shape::of(&sketch::find(prompt).unwrap().sketch, prompt)
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
        let keys = Shape::guess("Answer as JSON with the keys `title` and `tags`.");
        assert_eq!(keys, object(&[("title", Shape::Text), ("tags", list(Shape::Text, None))]));
        let Shape::Object(fields) = Shape::guess("Tell me all, in JSON") else { panic!() };
        assert_eq!(fields.iter().map(|(key, _)| key.as_str()).collect::<Vec<_>>(), ["title", "summary", "items"]);
    }
}
