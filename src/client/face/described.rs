//! The settings of the provider that a builder describes.

use secrecy::ExposeSecret;

use crate::model::{KeySource, ProviderKind, ProviderSettings, Rate};
use crate::provider::Provider;

use super::super::Environment;
use super::{BlossomBuilder, Error};

impl BlossomBuilder {
    /// What is said, and else what the environment says.
    pub(super) fn settings(&self, environment: &Environment) -> Result<ProviderSettings, Error> {
        let name = self.provider.clone().or_else(|| environment.provider());
        let settings = match (&self.service, name) {
            (Some(service), name) => of_service(&**service, name)?,
            (None, name) => built_in(name.as_deref().unwrap_or(USUAL))?,
        };
        let rate = match self.rate {
            None => None,
            Some((0, _)) => {
                return Err(Error::wrong("A rate of 0 requests lets nothing through", "allow one at least"));
            }
            Some((_, per)) if per.is_zero() => {
                return Err(Error::wrong("A rate needs a time", "write it like `.rate(60, Duration::from_secs(60))`"));
            }
            Some((count, per)) => Some(Rate { count, per }),
        };
        if self.concurrency == Some(0) {
            return Err(Error::wrong("A concurrency of 0 lets nothing through", "allow one request at least"));
        }
        if self.key.as_ref().is_some_and(|key| key.expose_secret().trim().is_empty()) {
            return Err(Error::wrong("The key is empty", "give the whole key, or none with `.no_key()`"));
        }
        // The key of one service is nothing that another server should be sent.
        let is_unkeyed = self.has_no_key || self.base_url.is_some();
        Ok(ProviderSettings {
            key: if is_unkeyed { KeySource::None } else { settings.key },
            base_url: self.base_url.as_ref().map(|url| url.trim_end_matches('/').to_owned()).or(settings.base_url),
            headers: self.headers.clone(),
            concurrency: self.concurrency,
            rate,
            tokens_per_minute: self.tokens_per_minute,
            prices: self.prices.clone(),
            offline: self.offline.clone(),
            ..settings
        })
    }
}

/// Who is asked when nobody says.
const USUAL: &str = "pollinations";
/// The anonymous hosts are no provider of a pipeline file by name alone, since they are about to go.
const LEGACY: &str = "pollinations-legacy";

fn built_in(name: &str) -> Result<ProviderSettings, Error> {
    if name == LEGACY {
        let kind = ProviderKind::PollinationsLegacy;
        let settings = ProviderSettings::built_in(USUAL);
        return settings
            .map(|usual| ProviderSettings { name: LEGACY.to_owned(), kind, key: KeySource::None, ..usual })
            .ok_or_else(|| unknown(name));
    }
    ProviderSettings::built_in(name).ok_or_else(|| unknown(name))
}

/// A service that is told of by itself: its key and its address are its own affair.
fn of_service(service: &dyn Provider, name: Option<String>) -> Result<ProviderSettings, Error> {
    let kind = service.identity().kind;
    let name = name.unwrap_or_else(|| kind.name().to_owned());
    Ok(ProviderSettings { name, kind, key: KeySource::None, base_url: None, ..built_in(USUAL)? })
}

/// Whether a kind of service names prices in its list of models.
pub(super) fn lists_prices(kind: ProviderKind) -> bool {
    kind == ProviderKind::Pollinations
}

fn unknown(name: &str) -> Error {
    let known = ProviderSettings::BUILT_IN.into_iter().chain([LEGACY]);
    let known: Vec<String> = known.map(|name| format!("`{name}`")).collect();
    Error::wrong(
        format!("There is no provider `{name}`"),
        format!(
            "there are {}; every server compatible with `openai` is that one with a `.base_url(..)`",
            known.join(", ")
        ),
    )
}
