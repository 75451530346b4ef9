//! How two calls differ, told from their canonical forms, and which of many calls is most like another.

use std::borrow::Borrow;
use std::collections::hash_map::DefaultHasher;
use std::fmt;
use std::hash::{Hash, Hasher};

use super::word_diff::{cut, word_diff};
use super::{Json, JsonMap};

/// Characters of a value that are shown, about.
const LONGEST_VALUE: usize = 80;
/// Digits of a digest that are shown: enough to tell pictures apart.
const SHOWN_DIGEST: usize = 12;

/// One field in which two calls differ. It prints as `model: openai -> mistral`, and two texts as one in which words are
/// [-taken out-] and {+put in+}.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// Its name: `model`, `params.max_tokens`, `messages[0]`.
    pub field: String,
    /// Its value in the old call; nothing if the field is not set there.
    pub old: Option<Json>,
    /// Its value in the new call.
    pub new: Option<Json>,
}

/// How two calls differ, from their [canonical forms](super::Call::canonical), in the order of the fields of the new one.
/// Where a text is asked for instead of a picture, that alone is told of the request.
pub fn differences(old: &str, new: &str) -> Vec<Difference> {
    let (old, new) = (parsed(old), parsed(new));
    let mut found = Vec::new();
    if let (Some(was), Some(is)) = (kind(&old), kind(&new))
        && was != is
    {
        found.push(Difference { field: "request".into(), old: Some(was.into()), new: Some(is.into()) });
    } else {
        compare("", Some(&old), Some(&new), &mut found);
    }
    found
}

/// Which of these calls, in their [canonical forms](super::Call::canonical), is most like this one: by the words of its
/// texts first, then by its other fields. The first of several that are equally like; nothing if there are none.
pub fn nearest<T: AsRef<str>>(wanted: &str, candidates: impl IntoIterator<Item = T>) -> Option<usize> {
    Likeness::of(wanted).nearest(candidates.into_iter().map(|candidate| Likeness::of(candidate.as_ref())))
}

/// What calls are compared by, made once for each: digests of its words and of its fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Likeness {
    words: Vec<u64>,
    fields: Vec<u64>,
}

impl Likeness {
    /// Of a call in its [canonical form](super::Call::canonical).
    pub fn of(canonical: &str) -> Self {
        let (mut words, mut fields) = (Vec::new(), Vec::new());
        gather("", &parsed(canonical), &mut |field, value| {
            fields.push(digest(&(field, value.to_string())));
            if let Some(text) = value.as_str().filter(|_| is_said(field)) {
                let found = text.split(|character: char| !character.is_alphanumeric()).filter(|word| !word.is_empty());
                words.extend(found.map(|word| digest(&word)));
            }
        });
        for digests in [&mut words, &mut fields] {
            digests.sort_unstable();
            digests.dedup();
            digests.shrink_to_fit();
        }
        Self { words, fields }
    }

    /// Which of these is most like it; the first of several that are equally like, and nothing if there are none.
    pub fn nearest<T: Borrow<Self>>(&self, candidates: impl IntoIterator<Item = T>) -> Option<usize> {
        let mut best: Option<(f64, usize)> = None;
        for (at, candidate) in candidates.into_iter().enumerate() {
            let likeness = self.to(candidate.borrow());
            if best.is_none_or(|(most, _)| likeness > most) {
                best = Some((likeness, at));
            }
        }
        best.map(|(_, at)| at)
    }

    /// How like two calls are: 1 for the same one, 0 for two that share nothing.
    pub fn to(&self, other: &Self) -> f64 {
        (3.0 * shared(&self.words, &other.words) + shared(&self.fields, &other.fields)) / 4.0
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { field, old, new } = self;
        match (old, new) {
            (Some(Json::String(old)), Some(Json::String(new))) if !is_name(old) || !is_name(new) => {
                write!(f, "{field}: {}", word_diff(old, new))
            }
            _ => write!(f, "{field}: {} -> {}", shown(old.as_ref()), shown(new.as_ref())),
        }
    }
}

/// What is no JSON is one text.
fn parsed(canonical: &str) -> Json {
    serde_json::from_str(canonical).unwrap_or_else(|_| Json::String(canonical.to_owned()))
}

/// Whether a text or a picture is asked for.
fn kind(call: &Json) -> Option<&str> {
    call.get("request")?.as_object()?.keys().next().map(String::as_str)
}

fn compare(field: &str, old: Option<&Json>, new: Option<&Json>, found: &mut Vec<Difference>) {
    match (old, new) {
        (Some(old), Some(new)) if old == new => {}
        (Some(Json::Object(old)), Some(Json::Object(new))) if !is_picture(old) && !is_picture(new) => {
            for (key, value) in new {
                compare(&inside(field, key), old.get(key), Some(value), found);
            }
            for (key, value) in old.iter().filter(|(key, _)| !new.contains_key(*key)) {
                compare(&inside(field, key), Some(value), None, found);
            }
        }
        (Some(Json::Array(_)) | None, Some(Json::Array(_)) | None) if is_list_of_parts(field) => {
            let (old, new) = (parts(old), parts(new));
            for at in 0..old.len().max(new.len()) {
                compare(&format!("{field}[{at}]"), old.get(at), new.get(at), found);
            }
        }
        (old, new) => found.push(Difference { field: field.to_owned(), old: old.cloned(), new: new.cloned() }),
    }
}

/// The parts of a list; none of one that is not there.
fn parts(list: Option<&Json>) -> &[Json] {
    list.and_then(Json::as_array).map_or(&[], Vec::as_slice)
}

/// Calls each leaf with its name.
fn gather(field: &str, value: &Json, leaf: &mut impl FnMut(&str, &Json)) {
    match value {
        Json::Object(fields) => fields.iter().for_each(|(key, value)| gather(&inside(field, key), value, leaf)),
        Json::Array(parts) if is_list_of_parts(field) => {
            parts.iter().enumerate().for_each(|(at, part)| gather(&format!("{field}[{at}]"), part, leaf));
        }
        value => leaf(field, value),
    }
}

/// The name of a field as its author knows it: where the request begins, and that a message has a content, goes without
/// saying.
fn inside(field: &str, key: &str) -> String {
    match (field, key) {
        ("", "request" | "text" | "image") => String::new(),
        ("", key) => key.to_owned(),
        (field, "content") if field.starts_with("messages[") => field.to_owned(),
        (field, key) => format!("{field}.{key}"),
    }
}

/// Other lists, such as `stop`, are values.
fn is_list_of_parts(field: &str) -> bool {
    matches!(field, "messages" | "repeat" | "params.images")
        || (field.starts_with("messages[") && field.ends_with("].images"))
}

/// A file that goes along with a request: it differs as a whole.
fn is_picture(fields: &JsonMap) -> bool {
    fields.get("blake3").is_some_and(Json::is_string) && fields.contains_key("media_type")
}

/// `image/png, 12345 bytes (1f3a5c7e9b0d)`
fn shown_picture(picture: &JsonMap) -> String {
    let text = |name: &str| picture.get(name).and_then(Json::as_str).unwrap_or_default();
    let bytes = picture.get("bytes").and_then(Json::as_u64).unwrap_or_default();
    let digest: String = text("blake3").chars().take(SHOWN_DIGEST).collect();
    format!("{}, {bytes} bytes ({digest})", text("media_type"))
}

/// What tells items apart: texts that a template makes, and not names of services.
fn is_said(field: &str) -> bool {
    let is_part = ["messages[", "repeat["].iter().any(|list| field.starts_with(list)) && field.ends_with(']');
    is_part || matches!(field, "" | "prompt")
}

/// A name or a word, that says nothing in parts.
fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().count() <= LONGEST_VALUE && !text.contains(char::is_whitespace)
}

fn shown(value: Option<&Json>) -> String {
    match value {
        None | Some(Json::Null) => "nothing".to_owned(),
        Some(Json::String(text)) if is_name(text) => text.clone(),
        Some(Json::String(text)) => format!("\"{}\"", cut(text, LONGEST_VALUE)),
        Some(Json::Object(picture)) if is_picture(picture) => shown_picture(picture),
        Some(Json::Object(message)) if message.get("content").is_some_and(Json::is_string) => {
            shown(message.get("content"))
        }
        Some(other) => cut(&other.to_string(), LONGEST_VALUE),
    }
}

/// Digests are compared within one process alone.
fn digest(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// The share of what two sets have in common; both are in order.
#[expect(clippy::cast_precision_loss, reason = "a share need not be exact")]
fn shared(one: &[u64], other: &[u64]) -> f64 {
    if one.is_empty() && other.is_empty() {
        return 1.0;
    }
    let (mut at, mut both) = (0, 0);
    for digest in one {
        while other.get(at).is_some_and(|other| other < digest) {
            at += 1;
        }
        both += usize::from(other.get(at) == Some(digest));
    }
    both as f64 / (one.len() + other.len() - both) as f64
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::{
        Call, Choice, ImageParams, MediaType, Message, Picture, PictureFile, ProviderIdentity, ProviderKind, Request,
        Role, TextParams,
    };
    use super::*;

    fn message(role: Role, content: &str) -> Message {
        Message::new(role, content)
    }

    fn call() -> Call {
        Call {
            stage: "summarize".into(),
            provider: ProviderIdentity { kind: ProviderKind::Openai, address: "https://a.example/v1".into() },
            model: Some("openai".into()),
            request: Request::Text {
                messages: vec![message(Role::User, "Summarize in two sentences, in a dry tone: the moon is far.")],
                params: TextParams { max_tokens: Some(100), ..TextParams::default() },
            },
            repeat: vec!["1".into()],
            answer: Choice::Text,
        }
    }

    fn told(new: &Call) -> Vec<String> {
        differences(&call().canonical(), &new.canonical()).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn fields_are_told_with_both_values() {
        assert_eq!(told(&call()), [""; 0]);
        let provider = ProviderIdentity { kind: ProviderKind::Offline, address: "offline".into() };
        let messages = vec![message(Role::System, "Be brief."), message(Role::User, "Go on.")];
        let params = TextParams { stop: vec!["END".into()], seed: Some(7), ..TextParams::default() };
        let request = Request::Text { messages, params };
        let new = Call { provider, model: None, request, repeat: vec!["2".into(), "3".into()], ..call() };
        assert_eq!(
            told(&new),
            [
                "provider.kind: openai -> offline",
                "provider.address: https://a.example/v1 -> offline",
                "model: openai -> nothing",
                "messages[0].role: user -> system",
                r#"messages[0]: "[-Summarize in two sentences, in a dry tone: the moon is far-]{+Be brief+}.""#,
                r#"messages[1]: nothing -> "Go on.""#,
                "params.seed: nothing -> 7",
                r#"params.stop: nothing -> ["END"]"#,
                "params.max_tokens: 100 -> nothing",
                "repeat[0]: 1 -> 2",
                "repeat[1]: nothing -> 3",
            ]
        );
    }

    #[test]
    fn texts_are_told_word_by_word() {
        let messages = vec![message(Role::User, "Summarize in one sentence, in a dry tone: the moon is far.")];
        let request = Request::Text { messages, params: TextParams { max_tokens: Some(200), ..TextParams::default() } };
        assert_eq!(
            told(&Call { request, ..call() }),
            [
                r#"messages[0]: "Summarize in [-two sentences-]{+one sentence+}, in a dry ..""#,
                "params.max_tokens: 100 -> 200"
            ]
        );
    }

    #[test]
    fn a_picture_is_another_request_than_a_text() {
        let request = Request::Image { prompt: "The moon".into(), params: ImageParams::default() };
        assert_eq!(told(&Call { request, ..call() }), ["request: text -> image"]);
    }

    #[test]
    fn pictures_differ_as_a_whole() {
        let shown = |pictures: &[&[u8]]| {
            let mut shown = call();
            let file = |bytes: &&[u8]| {
                let digest = *blake3::hash(bytes).as_bytes();
                let (name, place) = ("a.png".into(), Path::new("a.png").into());
                let bytes = bytes.len() as u64;
                Picture::File(PictureFile { digest, media_type: MediaType::Png, bytes, name, place, content: None })
            };
            shown.request.show(pictures.iter().map(file).collect());
            shown.canonical()
        };
        let told = |old: &[&[u8]], new: &[&[u8]]| {
            let differences = differences(&shown(old), &shown(new));
            differences.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        let digest = |bytes: &[u8]| blake3::hash(bytes).to_hex()[..12].to_owned();
        let (a, b) = (digest(b"a"), digest(b"bb"));
        assert_eq!(
            told(&[b"a"], &[b"bb"]),
            [format!("messages[0].images[0]: image/png, 1 bytes ({a}) -> image/png, 2 bytes ({b})")]
        );
        assert_eq!(
            told(&[b"a", b"bb"], &[b"a"]),
            [format!("messages[0].images[1]: image/png, 2 bytes ({b}) -> nothing")]
        );
        assert_eq!(told(&[], &[b"a"]), [format!("messages[0].images[0]: nothing -> image/png, 1 bytes ({a})")]);
        assert_eq!(told(&[b"a"], &[b"a"]), [""; 0]);
    }

    #[test]
    fn the_nearest_is_about_the_same_item() {
        let about = |text: &str, model: &str| {
            let messages = vec![message(Role::User, text)];
            let request = Request::Text { messages, params: TextParams::default() };
            Call { request, model: Some(model.into()), ..call() }.canonical()
        };
        let kept = [
            about("Summarize in two sentences: foxes live in dens", "openai"),
            about("Summarize in two sentences: the moon is far away", "mistral"),
            about("Summarize in two sentences: the moon is far away", "openai"),
        ];
        let near = |text, model| nearest(&about(text, model), &kept);
        assert_eq!(near("Summarize in one sentence: foxes live in dens", "openai"), Some(0));
        assert_eq!(near("Sum up, shortly: the moon is far away", "other"), Some(1), "the first of several");
        assert_eq!(near("Sum up, shortly: the moon is far away", "openai"), Some(2));
        assert_eq!(nearest::<&str>("{}", []), None);
        assert_eq!(nearest("no JSON", ["neither", "no JSON is this"]), Some(1));
    }

    /// Not a measure: it would take minutes if each pair were compared word by word.
    #[test]
    fn thousands_of_long_calls_are_looked_through() {
        let text = |seed: usize| {
            let words: Vec<String> = (0..500).map(|word| format!("word{}", (seed * 31 + word * 7) % 5000)).collect();
            words.join(" ")
        };
        let calls: Vec<String> = (0..2000).map(|seed| serde_json::json!({"prompt": text(seed)}).to_string()).collect();
        assert_eq!(nearest(&calls[1234], &calls), Some(1234));
    }
}
