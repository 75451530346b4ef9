//! Keeps keys out of what people see: everything that a server says passes through here before it is a message.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;
use secrecy::{ExposeSecret, SecretString};

use super::message::encoded;

const HIDDEN: &str = "[key]";
/// A shorter secret is no secret, and hiding it would only make holes in sentences, in bytes.
const SHORTEST: usize = 4;

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

/// The same text without the secret, and without anything that looks like one.
pub(super) fn redact(text: &str, secret: Option<&SecretString>) -> String {
    let mut text = Cow::Borrowed(text);
    if let Some(secret) = secret.map(ExposeSecret::expose_secret).filter(|secret| secret.len() >= SHORTEST) {
        for form in [secret.to_owned(), encoded(secret)] {
            if text.contains(&form) {
                text = Cow::Owned(text.replace(&form, HIDDEN));
            }
        }
    }
    let text = TOKEN.replace_all(&text, HIDDEN);
    FIELD.replace_all(&text, |found: &regex::Captures<'_>| format!("{}{HIDDEN}", &found[1])).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_secret_itself_is_hidden_in_every_form() {
        let secret = SecretString::from("no/shape+at all");
        assert_eq!(redact("Key 'no/shape+at all' is wrong", Some(&secret)), "Key '[key]' is wrong");
        assert_eq!(redact("GET /?x=no%2Fshape%2Bat%20all", Some(&secret)), "GET /?x=[key]");
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
