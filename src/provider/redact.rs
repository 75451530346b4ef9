//! Keeps keys out of what people see: everything that a server says passes through here before it is a message.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use regex::Regex;
use secrecy::{ExposeSecret, SecretString};

use super::message::encoded;
use crate::model::{Content, Failure, Reply};

const HIDDEN: &str = "[key]";
/// A shorter secret is no secret, and hiding it would only make holes in sentences, in bytes.
const SHORTEST: usize = 4;
/// The same for what a header holds, which is seldom a secret.
const SHORTEST_HEADER: usize = 8;
/// So much of a secret at the end of a text is hidden too, in bytes: texts are cut, by servers and here.
const SHORTEST_REST: usize = 6;
/// So much of a text is looked through and shown at most, in bytes.
const SEEN: usize = 64 * 1024;
/// So much of an answer that is none is shown, in characters.
const PARTIAL_LIMIT: usize = 16 * 1024;
/// So much of a server's own word, in characters.
const WORD_LIMIT: usize = 200;

static TOKEN: LazyLock<Regex> = LazyLock::new(|| {
    // Keys of Pollinations (`sk_`, `pk_`, `ag_`, once after `plln_`) and of OpenAI (`sk-`).
    Regex::new(r"\b(?:plln_)?(?:sk|pk|ag)_[A-Za-z0-9_\-]{4,}|\bplln_[A-Za-z0-9_\-]{4,}|\bsk-[A-Za-z0-9_\-]{6,}")
        .expect("a constant, tested below")
});

static FIELD: LazyLock<Regex> = LazyLock::new(|| {
    // `?key=..`, `"api_key": ".."`, `Authorization: Bearer ..`: the name stays.
    Regex::new(concat!(
        r#"(?i)((?:\b|_)(?:key|token|apikey)"?\s*[=:]\s*"?|\bbearer\s+|\bbasic\s+)"#,
        r#"([A-Za-z0-9_\-.~+/=%]{6,})"#
    ))
    .expect("a constant, tested below")
});

/// What must not be shown, in the forms in which servers repeat it: as it is, escaped, as base64, in any case.
pub struct Redactor {
    /// In lower case.
    forms: Vec<String>,
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redactor").finish_non_exhaustive()
    }
}

impl Redactor {
    /// For a key, and for values of headers, which may be credentials too.
    pub fn new<'a>(secret: Option<&'a SecretString>, headers: impl IntoIterator<Item = &'a str>) -> Self {
        let key = secret.map(|secret| secret.expose_secret().trim()).filter(|key| key.len() >= SHORTEST);
        let headers = headers.into_iter().map(str::trim).filter(|value| value.len() >= SHORTEST_HEADER);
        let forms = key.into_iter().chain(headers).flat_map(|secret| {
            let base64 = [STANDARD_NO_PAD.encode(secret), URL_SAFE_NO_PAD.encode(secret)];
            [secret.to_owned(), encoded(secret)].into_iter().chain(base64)
        });
        Self { forms: forms.map(|form| form.to_ascii_lowercase()).collect() }
    }

    /// The same text without what must not be shown, and without anything that looks like a key. What is longer than
    /// anyone reads is cut.
    pub fn redact(&self, text: &str) -> String {
        let text = self.at_end(beginning(text));
        let text = TOKEN.replace_all(&text, HIDDEN);
        FIELD.replace_all(&text, |found: &regex::Captures<'_>| format!("{}{HIDDEN}", &found[1])).into_owned()
    }

    /// The same failure without anything of that kind in what comes from outside.
    #[must_use]
    pub fn clean(&self, failure: Failure) -> Failure {
        let shown = |text: Option<String>, limit| text.map(|text| self.redact(&text).chars().take(limit).collect());
        Failure {
            message: self.redact(&failure.message),
            code: shown(failure.code, WORD_LIMIT),
            request_id: shown(failure.request_id, WORD_LIMIT),
            partial: shown(failure.partial, PARTIAL_LIMIT),
            ..failure
        }
    }

    /// The same answer without what must not be kept, which only a server that repeats what it is told puts there.
    #[must_use]
    pub fn clean_reply(&self, reply: Reply) -> Reply {
        let hidden = |text: String| match self.hidden(&text, false) {
            Cow::Borrowed(_) => text,
            Cow::Owned(hidden) => hidden,
        };
        let content = match reply.content {
            Content::Text(text) => Content::Text(hidden(text)),
            picture @ Content::Image { .. } => picture,
        };
        let Reply { usage, .. } = reply;
        let [model, finish_reason, request_id] =
            [reply.model, reply.finish_reason, reply.request_id].map(|text| text.map(hidden));
        Reply { content, usage, model, finish_reason, request_id }
    }

    /// What of a text can be shown before the rest of it has come, without what must not be shown; and how many bytes at its
    /// end can't be told yet, since they may be the beginning of that.
    pub fn so_far<'t>(&self, text: &'t str) -> (Cow<'t, str>, usize) {
        let lower = text.to_ascii_lowercase();
        let open = self.forms.iter().filter_map(|form| rest(&lower, form, 1)).map(|rest| rest.len()).max().unwrap_or(0);
        (self.hidden(&text[..text.len() - open], false), open)
    }

    /// The same at the end of a text: where it ends within what must not be shown, that is hidden.
    pub fn at_end<'t>(&self, text: &'t str) -> Cow<'t, str> {
        self.hidden(text, true)
    }

    /// The text without the forms, and where it `is_cut` without the beginning of one at its end.
    fn hidden<'t>(&self, text: &'t str, is_cut: bool) -> Cow<'t, str> {
        // ASCII letters alone change their case here, so places stay what they are.
        let lower = text.to_ascii_lowercase();
        let rests = self.forms.iter().filter(|_| is_cut).filter_map(|form| rest(&lower, form, SHORTEST_REST));
        let mut places: Vec<Range<usize>> = self
            .forms
            .iter()
            .flat_map(|form| lower.match_indices(form).map(|(start, _)| start..start + form.len()))
            .chain(rests)
            .collect();
        if places.is_empty() {
            return Cow::Borrowed(text);
        }
        places.sort_unstable_by_key(|place| place.start);
        let (mut shown, mut end) = (String::with_capacity(text.len()), 0);
        for place in places {
            if place.start >= end {
                shown.extend([&text[end..place.start], HIDDEN]);
            }
            end = end.max(place.end);
        }
        shown.push_str(&text[end..]);
        Cow::Owned(shown)
    }
}

/// Whether the value of a header of this name is a credential.
pub fn is_credential(header: &str) -> bool {
    let header = header.to_ascii_lowercase();
    ["auth", "key", "token", "secret", "cookie", "password"].iter().any(|word| header.contains(word))
}

/// Where a text ends within a secret, by so many bytes at least.
fn rest(text: &str, form: &str, least: usize) -> Option<Range<usize>> {
    let is_rest = |length: &usize| form.is_char_boundary(*length) && text.ends_with(&form[..*length]);
    let length = (least..form.len()).rev().find(is_rest)?;
    Some(text.len() - length..text.len())
}

fn beginning(text: &str) -> &str {
    let end = (0..=SEEN.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    &text[..end.unwrap_or_default()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redact(text: &str, secret: Option<&SecretString>) -> String {
        Redactor::new(secret, []).redact(text)
    }

    #[test]
    fn headers_are_credentials_by_their_names() {
        for name in ["Authorization", "X-Api-Key", "x-auth-token", "Cookie", "Client-Secret"] {
            assert!(is_credential(name), "{name}");
        }
        for name in ["X-Title", "HTTP-Referer", "User-Agent", "Accept"] {
            assert!(!is_credential(name), "{name}");
        }
    }

    #[test]
    fn the_secret_itself_is_hidden_in_every_form() {
        let secret = SecretString::from("no/shape+at all?");
        let [standard, url_safe] =
            [STANDARD_NO_PAD.encode("no/shape+at all?"), URL_SAFE_NO_PAD.encode("no/shape+at all?")];
        for (said, shown) in [
            ("Key 'no/shape+at all?' is wrong", "Key '[key]' is wrong"),
            ("Key NO/SHAPE+AT ALL? is wrong", "Key [key] is wrong"),
            ("GET /?x=no%2Fshape%2Bat%20all%3F", "GET /?x=[key]"),
            ("GET /?x=no%2fshape%2bat%20all%3f&y", "GET /?x=[key]&y"),
            (&format!("<{standard}>"), "<[key]>"),
            (&format!("<{url_safe}==>"), "<[key]==>"),
            ("It ends within no/shape", "It ends within [key]"),
        ] {
            assert_eq!(redact(said, Some(&secret)), shown);
        }
    }

    #[test]
    fn what_headers_hold_is_hidden_if_it_is_long_enough_to_be_a_secret() {
        let redactor = Redactor::new(None, ["credential", "demo"]);
        assert_eq!(redactor.redact("credential of a demo"), "[key] of a demo");
    }

    #[test]
    fn a_text_is_cut_without_a_secret_at_its_end() {
        let secret = SecretString::from("hunter2hunter2hunter2");
        for before in SEEN - 24..SEEN {
            let text = format!("{}hunter2hunter2hunter2 and more", "x".repeat(before));
            let shown = redact(&text, Some(&secret));
            assert!(shown.len() < SEEN + HIDDEN.len() && !shown.contains("hunter"), "{before}");
        }
        let text = "é".repeat(SEEN);
        assert!(text.starts_with(&redact(&text, None)));
    }

    #[test]
    fn every_part_of_a_failure_is_cleaned() {
        let secret = SecretString::from("hunter2hunter2");
        let said = || Some("my HUNTER2hunter2".to_owned());
        let failure = Failure {
            code: said(),
            request_id: said(),
            partial: said(),
            ..Failure::new(crate::model::FailureKind::Server, "my hunter2hunter2")
        };
        let shown = format!("{:?}", Redactor::new(Some(&secret), []).clean(failure));
        assert_eq!(shown.matches("my [key]").count(), 4, "{shown}");
    }

    #[test]
    fn an_answer_loses_the_secret_and_nothing_else() {
        let secret = SecretString::from("hunter2hunter2");
        let reply = |text: &str| Reply {
            content: Content::Text(text.to_owned()),
            usage: None,
            model: Some(text.to_owned()),
            finish_reason: None,
            request_id: Some(text.to_owned()),
        };
        let redactor = Redactor::new(Some(&secret), []);
        assert_eq!(redactor.clean_reply(reply("you are Hunter2hunter2!")), reply("you are [key]!"));
        let kept = format!("{} sk-this-is-no-key-of-ours hunter2", "x".repeat(2 * SEEN));
        assert_eq!(redactor.clean_reply(reply(&kept)), reply(&kept));
    }

    #[test]
    fn what_looks_like_a_key_is_hidden() {
        for (said, shown) in [
            ("Invalid key sk_abcd1234 given", "Invalid key [key] given"),
            ("plln_pk_abcd1234", "[key]"),
            ("Incorrect API key provided: sk-proj-abcdef12345.", "Incorrect API key provided: [key]."),
            ("https://a.b/image/x?seed=1&key=abcdefgh&model=flux", "https://a.b/image/x?seed=1&key=[key]&model=flux"),
            (r#"{"api_key": "hunter2hunter2"}"#, r#"{"api_key": "[key]"}"#),
            ("authorization: Bearer abcdef.ghi", "authorization: Bearer [key]"),
        ] {
            assert_eq!(redact(said, None), shown);
        }
    }

    #[test]
    fn sentences_stay() {
        for said in [
            "Use secret keys (sk_*) for more",
            "Model 'x' is not allowed for this API key",
            "max_tokens: Field required",
            "This key: the balance is gone",
            "Monkey business, tokens per minute: 90000",
        ] {
            assert_eq!(redact(said, None), said);
        }
    }
}
