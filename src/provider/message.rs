//! Requests and replies as plain data, so that encoding and decoding need no network.

use std::borrow::Cow;

use bytes::Bytes;
use futures::stream::BoxStream;
use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::SecretString;

use super::RequestView;
use crate::model::{Failure, Json, JsonMap};

/// Everything but the unreserved characters of RFC 3986 is encoded; a prompt is one path segment.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The bytes of a body, as they come.
pub(super) type ByteStream = BoxStream<'static, Result<Bytes, Failure>>;

/// How something is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    /// Asks without a body; may be redirected.
    Get,
    /// Asks with a JSON body; is never redirected.
    Post,
}

impl Method {
    /// As it stands on the wire.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
        }
    }
}

/// A part of a form: a text, or a file with the name that it has there and its media type.
#[derive(Debug, Clone)]
pub(super) struct Part {
    pub(super) name: String,
    pub(super) file: Option<(String, &'static str)>,
    pub(super) content: Bytes,
}

/// One request. Its key stands apart, so that nothing that prints a request can print the key.
#[derive(Debug, Clone)]
pub(super) struct HttpRequest {
    /// How it is asked.
    pub(super) method: Method,
    /// Where, without credentials.
    pub(super) url: String,
    /// Names in lower case; no `authorization`.
    pub(super) headers: Vec<(String, String)>,
    /// JSON, or a form.
    pub(super) body: Option<Bytes>,
    /// What the body is.
    pub(super) content_type: Cow<'static, str>,
    /// Goes out as a `Bearer` token.
    pub(super) secret: Option<SecretString>,
}

impl HttpRequest {
    /// A request without headers and without a key.
    pub(super) fn get(url: impl Into<String>) -> Self {
        let (url, content_type) = (url.into(), Cow::Borrowed("application/json"));
        Self { method: Method::Get, url, headers: vec![], body: None, content_type, secret: None }
    }

    /// A request with a JSON body.
    pub(super) fn post(url: impl Into<String>, body: &JsonMap) -> Self {
        // Maps with text keys and finite numbers always serialise.
        let body = serde_json::to_vec(body).unwrap_or_default();
        Self { method: Method::Post, body: Some(body.into()), ..Self::get(url) }
    }

    /// A request with a form, without headers and without a key. The same parts make the same bytes.
    pub(super) fn form(url: impl Into<String>, parts: &[Part]) -> Self {
        let mut hasher = blake3::Hasher::new();
        for part in parts {
            hasher.update(&part.content);
        }
        // Nobody can write a text with the digest of all that is sent in it.
        let boundary = format!("blossom-{}", &hasher.finalize().to_hex()[..32]);
        let mut body = Vec::with_capacity(parts.iter().map(|part| part.content.len() + 256).sum());
        for part in parts {
            body.extend(
                format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{}\"", plain_name(&part.name)).bytes(),
            );
            if let Some((name, media_type)) = &part.file {
                body.extend(format!("; filename=\"{name}\"\r\nContent-Type: {media_type}").bytes());
            }
            body.extend(b"\r\n\r\n");
            body.extend_from_slice(&part.content);
            body.extend(b"\r\n");
        }
        body.extend(format!("--{boundary}--\r\n").bytes());
        let content_type = format!("multipart/form-data; boundary={boundary}").into();
        Self { method: Method::Post, body: Some(body.into()), content_type, ..Self::get(url) }
    }

    /// What people are shown of it.
    pub(super) fn view(&self) -> RequestView {
        let body = self.body.as_deref().map_or_else(String::new, |bytes| {
            serde_json::from_slice::<Json>(bytes)
                .and_then(|json| serde_json::to_string_pretty(&json))
                .unwrap_or_else(|_| String::from_utf8_lossy(bytes).into_owned())
        });
        RequestView { method: self.method.name(), url: self.url.clone(), body }
    }
}

/// What comes before the body of a reply.
#[derive(Debug, Clone)]
pub(super) struct HttpHead {
    /// The status code.
    pub(super) status: u16,
    /// Names in lower case, in the order in which they came.
    pub(super) headers: Vec<(String, String)>,
    /// When it came.
    pub(super) at: Timestamp,
    /// The origin that it came from, where that is not the one that was asked: the request was redirected.
    pub(super) elsewhere: Option<String>,
}

impl HttpHead {
    /// The first header of this name (in lower case).
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
    }

    /// Whether the status is one of 200 to 299.
    pub(super) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The media type, without parameters, in lower case; empty if there is none.
    pub(super) fn media_type(&self) -> String {
        let header = self.header("content-type").unwrap_or_default();
        header.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
    }

    /// The provider's name for the exchange.
    pub(super) fn request_id(&self) -> Option<String> {
        ["x-request-id", "request-id", "cf-ray"].into_iter().find_map(|name| self.header(name)).map(str::to_owned)
    }
}

/// A name as it may stand in a header: browsers write quotation marks and line breaks so.
fn plain_name(name: &str) -> String {
    name.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A")
}

/// A text as one segment of a path, or as a value of a query.
pub(super) fn encoded(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prompt_is_one_segment() {
        assert_eq!(encoded("a/b?c&d=e f..~\nä%"), "a%2Fb%3Fc%26d%3De%20f..~%0A%C3%A4%25");
    }

    #[test]
    fn a_view_shows_no_key() {
        let body = serde_json::json!({"model": "m"});
        let mut request = HttpRequest::post("http://127.0.0.1/v1", body.as_object().unwrap());
        request.secret = Some("sk_planted_key".into());
        assert!(!format!("{request:?} {:?}", request.view()).contains("planted"));
        assert_eq!(request.view().body, "{\n  \"model\": \"m\"\n}");
    }
}
