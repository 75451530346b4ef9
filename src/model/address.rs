//! Where a service answers, as people write it.

use url::Url;

/// Why a text can't be the address of a service; said behind the text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// It can't be taken apart.
    #[error("is not a valid URL: {0}")]
    NotUrl(String),
    /// A host with its port alone.
    #[error("has no `http://` or `https://`")]
    NoScheme,
    /// Something that is not spoken here.
    #[error("begins with `{0}://`, and must begin with `http://` or `https://`")]
    Scheme(String),
    /// A name, a password or a key.
    #[error("has credentials in it, which belong into `api_key`")]
    Credentials,
    /// `?` or `#`.
    #[error("has something after its path")]
    Tail,
}

/// Parameters that carry a key.
const KEYS: [&str; 6] = ["key", "api_key", "apikey", "api-key", "token", "access_token"];

/// The address that is written, without a slash at its end.
///
/// # Errors
/// No request can go there, or it says more than where that is.
pub fn address(written: &str) -> Result<&str, AddressError> {
    let written = written.trim();
    let url = Url::parse(written).map_err(|error| AddressError::NotUrl(error.to_string()))?;
    let has_key = url.query_pairs().any(|(name, _)| KEYS.contains(&name.to_lowercase().as_str()));
    if has_key || !url.username().is_empty() || url.password().is_some() {
        return Err(AddressError::Credentials);
    }
    match url.scheme() {
        "http" | "https" => {}
        scheme if url.has_host() => return Err(AddressError::Scheme(scheme.to_owned())),
        _ => return Err(AddressError::NoScheme),
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(AddressError::Tail);
    }
    Ok(written.trim_end_matches('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_no_slash_at_its_end_and_says_nothing_but_where() {
        assert_eq!(address(" https://example.org/v1/ "), Ok("https://example.org/v1"));
        for (written, error) in [
            ("localhost:8080", AddressError::NoScheme),
            ("ftp://example.org", AddressError::Scheme("ftp".to_owned())),
            ("https://me:hunter2@example.org", AddressError::Credentials),
            ("https://example.org/v1?API_KEY=x", AddressError::Credentials),
            ("https://example.org/v1?version=1", AddressError::Tail),
        ] {
            assert_eq!(address(written), Err(error), "{written}");
        }
        assert!(matches!(address("example"), Err(AddressError::NotUrl(_))));
    }
}
