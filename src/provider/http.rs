//! The sender: the only file that names the HTTP client.
//!
//! A client is built when the first request needs it, and only the parts that this request needs: reading the
//! machine's certificates takes longer than everything else before a first request.

use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use futures::StreamExt;
use jiff::Timestamp;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, LOCATION};
use secrecy::ExposeSecret;
use url::Url;

use super::message::{ByteStream, HttpHead, HttpRequest, Method};
use crate::model::{Failure, FailureKind};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Longer than the pause between two requests of a slow lane, shorter than what balancers keep.
const POOL_IDLE: Duration = Duration::from_secs(50);
/// How often an address may point to another one.
const MAX_REDIRECTS: usize = 5;

/// Sends requests. Cloning is cheap, and clones share their connections.
#[derive(Clone, Default)]
pub struct HttpClient {
    clients: Arc<Clients>,
}

/// One client for each way of connecting, each built once.
#[derive(Default)]
struct Clients {
    /// This machine, `http`: no certificates, no proxy.
    near: OnceLock<Result<reqwest::Client, String>>,
    /// This machine, `https`: no proxy.
    near_tls: OnceLock<Result<reqwest::Client, String>>,
    /// Elsewhere, by the proxy that the environment names.
    far: OnceLock<Result<reqwest::Client, String>>,
    /// The last address that something was posted to.
    last: Mutex<Option<(String, Url)>>,
}

impl fmt::Debug for HttpClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpClient").finish_non_exhaustive()
    }
}

impl HttpClient {
    /// A client that has built nothing and opened nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sends one request and waits for the head of its reply. Nothing is sent twice; what was asked with `GET` follows
    /// redirections, and takes neither key nor headers to another origin.
    pub(super) async fn open(&self, request: HttpRequest) -> Result<(HttpHead, ByteStream), Failure> {
        let mut url = self.address(&request)?;
        let mut headers = header_map(&request)?;
        let mut is_elsewhere = false;
        for _ in 0..=MAX_REDIRECTS {
            let response = self.client(&url)?.execute(built(&request, &url, &headers)).await;
            let response = response.map_err(|error| broken(error, &url, FailureKind::Connect))?;
            let target = match request.method {
                Method::Get => redirection(&response, &url),
                Method::Post => None,
            };
            let Some(target) = target else {
                let (mut head, body) = parted(response, &url);
                head.elsewhere = is_elsewhere.then(|| place(&url));
                return Ok((head, body));
            };
            if target.origin() != url.origin() {
                headers.clear();
                is_elsewhere = true;
            }
            url = target;
        }
        Err(Failure::new(FailureKind::BadRequest, format!("`{}` redirects in a circle", place(&url)))
            .suggest("check `base_url`"))
    }

    /// The address of a request. Texts all go to one: it is read once, which takes longer than all else about it.
    fn address(&self, request: &HttpRequest) -> Result<Url, Failure> {
        let mut last = self.clients.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, url)) = last.as_ref().filter(|(text, _)| *text == request.url) {
            return Ok(url.clone());
        }
        let url = Url::parse(&request.url).map_err(|error| {
            Failure::new(FailureKind::BadRequest, format!("`{}` is not a valid URL: {error}", request.url))
        })?;
        if matches!(request.method, Method::Post) {
            *last = Some((request.url.clone(), url.clone()));
        }
        Ok(url)
    }

    fn client(&self, url: &Url) -> Result<&reqwest::Client, Failure> {
        let built = match (is_loopback(url), url.scheme()) {
            (true, "http") => self.clients.near.get_or_init(|| without_certificates(builder().no_proxy())),
            (true, _) => self.clients.near_tls.get_or_init(|| with_certificates(|| builder().no_proxy())),
            (false, _) => self.clients.far.get_or_init(|| with_certificates(builder)),
        };
        built.as_ref().map_err(|error| {
            Failure::new(FailureKind::Internal, format!("The HTTP client can't be set up: {error}"))
                .suggest("check the proxy variables of the environment")
        })
    }
}

fn builder() -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .user_agent(concat!("blossom-run/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT_TIMEOUT)
        .pool_idle_timeout(POOL_IDLE)
        // One connection per request on the wire: a broken one takes no other answer with it.
        .http1_only()
        .redirect(reqwest::redirect::Policy::none())
        // What is sent again is the business of the attempt loop, which counts it.
        .retry(reqwest::retry::never())
        .referer(false)
}

fn without_certificates(builder: reqwest::ClientBuilder) -> Result<reqwest::Client, String> {
    install_crypto();
    builder.tls_certs_only([]).build().map_err(|error| deepest(&error))
}

/// With the machine's certificates, or, where it has none (a slim container), with those of the browsers.
fn with_certificates(builder: impl Fn() -> reqwest::ClientBuilder) -> Result<reqwest::Client, String> {
    install_crypto();
    builder().build().or_else(|_| {
        let roots = webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter();
        let roots = roots.filter_map(|root| reqwest::Certificate::from_der(root).ok());
        builder().tls_certs_only(roots).build().map_err(|error| deepest(&error))
    })
}

fn install_crypto() {
    // It fails if there is one already, which then serves as well.
    rustls::crypto::ring::default_provider().install_default().ok();
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn header_map(request: &HttpRequest) -> Result<HeaderMap, Failure> {
    let mut map = HeaderMap::with_capacity(request.headers.len() + 2);
    if request.body.is_some() {
        let content_type = HeaderValue::from_str(&request.content_type)
            .map_err(|_| Failure::new(FailureKind::Internal, "The kind of a body can't be sent"))?;
        map.insert(CONTENT_TYPE, content_type);
    }
    if let Some(secret) = &request.secret {
        let mut value = HeaderValue::from_str(&format!("Bearer {}", secret.expose_secret())).map_err(|_| {
            Failure::new(FailureKind::KeyRefused, "The key has characters that no key has")
                .suggest("look for line breaks and quotation marks around it")
        })?;
        value.set_sensitive(true);
        map.insert(AUTHORIZATION, value);
    }
    for (name, value) in &request.headers {
        let wrong = || {
            Failure::new(FailureKind::BadRequest, format!("The header `{name}` can't be sent"))
                .suggest("use plain letters in `headers`, and one line for each")
        };
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| wrong())?;
        map.insert(name, HeaderValue::from_str(value).map_err(|_| wrong())?);
    }
    Ok(map)
}

fn built(request: &HttpRequest, url: &Url, headers: &HeaderMap) -> reqwest::Request {
    let method = match request.method {
        Method::Get => reqwest::Method::GET,
        Method::Post => reqwest::Method::POST,
    };
    let mut built = reqwest::Request::new(method, url.clone());
    built.headers_mut().clone_from(headers);
    *built.body_mut() = request.body.clone().map(Into::into);
    built
}

fn redirection(response: &reqwest::Response, url: &Url) -> Option<Url> {
    if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    let target = url.join(response.headers().get(LOCATION)?.to_str().ok()?).ok()?;
    matches!(target.scheme(), "http" | "https").then_some(target)
}

fn parted(response: reqwest::Response, url: &Url) -> (HttpHead, ByteStream) {
    let headers = response.headers().iter();
    let headers = headers
        .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect();
    let head = HttpHead { status: response.status().as_u16(), headers, at: Timestamp::now(), elsewhere: None };
    let url = url.clone();
    let body = response.bytes_stream().map(move |chunk| chunk.map_err(|error| broken(error, &url, FailureKind::Cut)));
    (head, body.boxed())
}

/// What went wrong below HTTP. `kind` is what it means at this point of the exchange.
fn broken(error: reqwest::Error, url: &Url, kind: FailureKind) -> Failure {
    let place = place(url);
    let (connecting, late) = (error.is_connect(), error.is_timeout());
    let reason = deepest(&error.without_url());
    match kind {
        FailureKind::Cut => Failure::new(kind, format!("The answer of `{place}` breaks off: {reason}"))
            .suggest("check the network, and any proxy on the way"),
        _ if connecting && late => {
            let seconds = CONNECT_TIMEOUT.as_secs();
            Failure::new(kind, format!("`{place}` takes no connection within {seconds} s"))
                .suggest("check the address and the network")
        }
        _ if connecting => Failure::new(kind, format!("`{place}` can't be reached: {reason}"))
            .suggest("check the address, and whether the server runs"),
        // The request may have arrived, and may be paid for.
        _ => Failure::new(FailureKind::Cut, format!("`{place}` breaks the connection before it answers: {reason}"))
            .suggest("check the server, and any proxy on the way"),
    }
}

fn deepest(error: &reqwest::Error) -> String {
    let mut reason: &dyn std::error::Error = error;
    while let Some(source) = reason.source() {
        reason = source;
    }
    let reason = reason.to_string();
    // What the system says ends with a number that says the same again.
    reason.split(" (os error").next().unwrap_or_default().to_lowercase()
}

/// Scheme, host and port: enough to know whom it is about.
fn place(url: &Url) -> String {
    url.origin().ascii_serialization()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_is_known_by_its_names() {
        for near in ["http://127.0.0.1:80/", "http://localhost/", "https://[::1]:8/", "http://a.localhost/"] {
            assert!(is_loopback(&Url::parse(near).unwrap()), "{near}");
        }
        for far in ["http://10.0.0.1/", "https://localhost.example.org/", "http://[::2]/"] {
            assert!(!is_loopback(&Url::parse(far).unwrap()), "{far}");
        }
    }

    #[test]
    fn a_client_is_made_without_certificates() {
        assert!(without_certificates(builder().no_proxy()).is_ok());
        assert!(with_certificates(builder).is_ok());
    }
}
