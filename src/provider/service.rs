//! What the services over HTTP have in common: an address, headers, a name to speak of.

use futures::stream::BoxStream;
use futures::{StreamExt, stream};
use secrecy::SecretString;
use url::Url;

use super::errors::Speaker;
use super::http::HttpClient;
use super::message::HttpRequest;
use super::{Attempt, ModelInfo, exchange, model_list, shown};
use crate::model::{Failure, FailureKind, JsonMap, Picture, ProviderIdentity, ProviderKind, ProviderSettings, address};

/// Today's API of Pollinations.
pub(super) const POLLINATIONS: &str = "https://gen.pollinations.ai";
/// The anonymous text host of Pollinations; it stands for both of them.
pub(super) const LEGACY_TEXT: &str = "https://text.pollinations.ai";
/// The anonymous image host of Pollinations.
pub(super) const LEGACY_IMAGE: &str = "https://image.pollinations.ai";
/// The service that everyone is compatible with.
pub(super) const OPENAI: &str = "https://api.openai.com/v1";

/// The address, the name and the model of the provider that is built in.
pub(super) const OFFLINE: &str = "offline";

/// What of the built-in provider is part of a call's key, whatever its settings say.
pub(super) fn offline_identity() -> ProviderIdentity {
    ProviderIdentity { kind: ProviderKind::Offline, address: OFFLINE.to_owned() }
}

/// What of a provider is part of a call's key, known before there is a provider.
///
/// # Errors
/// A [`Failure`] of kind `BadRequest` where `base_url` is no address that a request can go to, or has credentials in it.
pub fn identity(settings: &ProviderSettings) -> Result<ProviderIdentity, Failure> {
    let default = match settings.kind {
        ProviderKind::Pollinations => POLLINATIONS,
        ProviderKind::PollinationsLegacy => LEGACY_TEXT,
        ProviderKind::Openai => OPENAI,
        ProviderKind::Offline => return Ok(offline_identity()),
    };
    let written = settings.base_url.as_deref().unwrap_or(default);
    let wrong = |what: &str| {
        let name = &settings.name;
        Failure::new(FailureKind::BadRequest, format!("The `base_url` of `{name}` {what}"))
            .suggest("write it like `https://example.org/v1` or `http://127.0.0.1:8080/v1`")
    };
    let mut address = address(written).map_err(|error| wrong(&error.to_string()))?;
    if settings.kind == ProviderKind::Pollinations {
        // The address for `OpenAI`'s own libraries ends so; people copy it from there.
        address = address.strip_suffix("/v1").unwrap_or(address);
    }
    Ok(ProviderIdentity { kind: settings.kind, address: address.to_owned() })
}

/// One service, as its settings describe it.
#[derive(Debug)]
pub(super) struct Service {
    pub(super) name: String,
    pub(super) identity: ProviderIdentity,
    pub(super) http: HttpClient,
    headers: Vec<(String, String)>,
}

impl Service {
    /// A service at the address of its settings, else at that of its kind.
    pub(super) fn new(settings: &ProviderSettings, http: &HttpClient) -> Result<Self, Failure> {
        Ok(Self {
            name: settings.name.clone(),
            identity: identity(settings)?,
            http: http.clone(),
            headers: settings.headers.iter().map(|(name, value)| (name.clone(), value.clone())).collect(),
        })
    }

    /// Who speaks when a failure is told.
    pub(super) fn speaker<'a>(&'a self, model: Option<&'a str>, secret: Option<&'a SecretString>) -> Speaker<'a> {
        Speaker { name: &self.name, model, secret, headers: &self.headers, form: None }
    }

    /// The same for an attempt.
    pub(super) fn speaker_of<'a>(&'a self, attempt: Attempt<'a>) -> Speaker<'a> {
        let form = attempt.form.named(attempt.call);
        Speaker { form, ..self.speaker(attempt.call.model.as_deref(), attempt.secret) }
    }

    /// What relative addresses in its answers are relative to.
    pub(super) fn base(&self) -> Result<Url, Failure> {
        // It has been read once already, when the service was made.
        Url::parse(&format!("{}/", self.identity.address))
            .map_err(|error| Failure::new(FailureKind::Internal, format!("`{}` is no address: {error}", self.name)))
    }

    /// A question without a body.
    pub(super) fn get(&self, url: impl Into<String>, secret: Option<&SecretString>) -> HttpRequest {
        HttpRequest { headers: self.headers.clone(), secret: secret.cloned(), ..HttpRequest::get(url) }
    }

    /// A question with a JSON body, to a path below the address.
    pub(super) fn post(&self, path: &str, body: &JsonMap, secret: Option<&SecretString>) -> HttpRequest {
        let url = format!("{}{path}", self.identity.address);
        HttpRequest { headers: self.headers.clone(), secret: secret.cloned(), ..HttpRequest::post(url, body) }
    }

    /// A question with a form of texts and of pictures, to a path below the address.
    pub(super) fn form(
        &self,
        path: &str,
        body: &JsonMap,
        references: &[Picture],
        secret: Option<&SecretString>,
    ) -> HttpRequest {
        let form = shown::form(format!("{}{path}", self.identity.address), body, references);
        HttpRequest { headers: self.headers.clone(), secret: secret.cloned(), ..form }
    }

    /// The models of one or more lists, each with what its models make where they do not say.
    pub(super) fn models<'a>(
        &'a self,
        lists: Vec<(String, Option<&'static str>)>,
        secret: Option<&'a SecretString>,
    ) -> BoxStream<'a, Result<ModelInfo, Failure>> {
        let speaker = self.speaker(None, secret);
        stream::iter(lists)
            .then(move |(url, makes)| async move {
                let (head, body) = exchange::document(&self.http, self.get(url, secret), speaker).await?;
                model_list::decode(&head, &body, makes, speaker)
            })
            .flat_map(|list| match list {
                Ok(models) => stream::iter(models.into_iter().map(Ok).collect::<Vec<_>>()),
                Err(failure) => stream::iter(vec![Err(failure)]),
            })
            .boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(name: &str, kind: ProviderKind, base_url: Option<&str>) -> Result<String, String> {
        let mut settings = ProviderSettings::built_in(name).unwrap();
        settings.kind = kind;
        settings.base_url = base_url.map(str::to_owned);
        identity(&settings).map(|identity| identity.address).map_err(|failure| failure.message)
    }

    #[test]
    fn an_address_has_one_spelling() {
        let at = |kind, url| address("pollinations", kind, Some(url)).unwrap();
        assert_eq!(at(ProviderKind::Pollinations, "http://127.0.0.1:1/v1/"), "http://127.0.0.1:1");
        assert_eq!(at(ProviderKind::Openai, "http://127.0.0.1:1/v1/"), "http://127.0.0.1:1/v1");
        assert_eq!(address("openai", ProviderKind::Openai, None).unwrap(), OPENAI);
    }

    #[test]
    fn an_address_without_sense_is_refused_and_not_repeated_with_its_password() {
        for wrong in ["127.0.0.1:80", "ftp://a.b", "", "http://user:hunter2@a.b/v1", "http://a.b/v1?key=hunter2"] {
            let message = address("openai", ProviderKind::Openai, Some(wrong)).unwrap_err();
            assert!(message.starts_with("The `base_url` of `openai` ") && !message.contains("hunter2"), "{message}");
        }
    }
}
