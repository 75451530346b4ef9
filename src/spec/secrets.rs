//! Keys that stand in a file where anybody reads them.

use super::reader::Reader;
use crate::diag::Diagnostic;
use crate::model::Place;

/// Headers that carry a key.
const HEADERS: [&str; 7] =
    ["authorization", "proxy-authorization", "x-api-key", "api-key", "x-auth-token", "x-goog-api-key", "cookie"];

/// How keys of services begin.
const PREFIXES: [&str; 7] = ["sk-", "sk_", "pk_", "pk-", "plln_", "Bearer ", "bearer "];

/// Where a key belongs.
pub(super) const HELP: &str =
    "keep keys out of the file: write `api_key: {env: NAME}` for the provider, and set that variable";

/// Keys of a request's body that carry one.
const FIELDS: [&str; 8] =
    ["api_key", "apikey", "api-key", "x-api-key", "authorization", "access_token", "auth_token", "bearer"];

/// Whether a field of a request's body with this name and value carries a key.
pub(super) fn is_secret_field(name: &str, value: &str) -> bool {
    FIELDS.contains(&name.to_ascii_lowercase().as_str()) || looks_like_key(value)
}

/// Whether a header with this name (in lower case) and value carries a key.
pub(super) fn is_secret_header(name: &str, value: &str) -> bool {
    HEADERS.contains(&name) || looks_like_key(value)
}

pub(super) fn looks_like_key(text: &str) -> bool {
    PREFIXES.iter().any(|prefix| text.trim_start().starts_with(prefix))
}

/// `$NAME` and `${NAME}`: somebody who knows that keys belong into the environment, and not how it is said here.
pub(super) fn variable_in(text: &str) -> Option<&str> {
    let name = text.trim().strip_prefix('$')?;
    let name = name.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')).unwrap_or(name);
    is_variable(name).then_some(name)
}

/// Whether this is the name of an environment variable.
pub(super) fn is_variable(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// Reports a key at `place` and keeps it from being shown.
pub(super) fn refuse(place: &Place, what: &str, help: &str, reader: &mut Reader<'_>) {
    reader.conceal(place);
    reader.push(Diagnostic::error("literal-key", place, what).help(help));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_told_from_keys() {
        assert_eq!(variable_in("$OPENAI_API_KEY"), Some("OPENAI_API_KEY"));
        assert_eq!(variable_in("${MY_KEY}"), Some("MY_KEY"));
        assert_eq!(variable_in("sk-123"), None);
        assert_eq!(variable_in("$"), None);
        assert!(is_variable("_A1") && !is_variable("1A") && !is_variable("sk-1"));
        assert!(is_secret_header("authorization", "x") && is_secret_header("x-title", "Bearer x"));
        assert!(!is_secret_header("x-title", "digest"));
    }
}
