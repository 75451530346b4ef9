//! The library's only reader of the environment: keys of accounts, and the address of `openai`.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};

use crate::model::{Failure, FailureKind, KeySource, ProviderKind, ProviderSettings};

/// The environment variables that are looked at. A value is never shown, whatever it is.
#[derive(Clone)]
pub struct Environment {
    variables: Variables,
    /// A key that was given, and need not be looked for.
    key: Option<SecretString>,
}

#[derive(Clone)]
enum Variables {
    Process,
    Fixed(Arc<BTreeMap<String, String>>),
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.variables {
            Variables::Process => f.write_str("Environment(process)"),
            Variables::Fixed(variables) => f.debug_set().entries(variables.keys()).finish(),
        }
    }
}

/// The key of an account.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) secret: SecretString,
    /// What a person should know of it, without its value.
    pub(super) warning: Option<String>,
}

impl Environment {
    /// That of this process.
    pub fn process() -> Self {
        Self { variables: Variables::Process, key: None }
    }

    /// These variables and no others.
    pub fn fixed<N: Into<String>, V: Into<String>>(variables: impl IntoIterator<Item = (N, V)>) -> Self {
        let variables = variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        Self { variables: Variables::Fixed(Arc::new(variables)), key: None }
    }

    /// The same with a key that is sent to every provider, whatever the variables hold.
    #[must_use]
    pub fn with_key(self, key: SecretString) -> Self {
        Self { key: Some(key), ..self }
    }

    /// Whom a program without a pipeline asks: `BLOSSOM_PROVIDER`.
    pub(super) fn provider(&self) -> Option<String> {
        self.get("BLOSSOM_PROVIDER")
    }

    /// Which model of it makes texts: `BLOSSOM_MODEL`.
    pub(super) fn model(&self) -> Option<String> {
        self.get("BLOSSOM_MODEL")
    }

    /// The settings with what the environment says of them: `OPENAI_BASE_URL` is the address of the built-in `openai`.
    #[must_use]
    pub fn complete(&self, mut settings: ProviderSettings) -> ProviderSettings {
        // One of a used pipeline has that pipeline's place before its name.
        let name = settings.name.rsplit('/').next();
        let is_built_in = settings.kind == ProviderKind::Openai && name == Some("openai");
        if is_built_in && settings.base_url.is_none() {
            settings.base_url = self.get("OPENAI_BASE_URL").map(|url| url.trim_end_matches('/').to_owned());
        }
        settings
    }

    /// A variable that is set and holds more than blanks, without the blanks around it.
    fn get(&self, name: &str) -> Option<String> {
        let value = match &self.variables {
            Variables::Process => std::env::var(name).ok(),
            Variables::Fixed(variables) => variables.get(name).cloned(),
        };
        value.map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
    }

    /// The key of a provider; none where it works without one.
    pub(super) async fn key(&self, settings: &ProviderSettings) -> Result<Option<Key>, Failure> {
        if let Some(key) = &self.key {
            return Ok(Some(Key::new(key.expose_secret().trim().to_owned(), "the program")));
        }
        match &settings.key {
            KeySource::None => Ok(None),
            KeySource::Optional(names) => Ok(self.first(names)),
            KeySource::Env(names) => match self.first(names) {
                Some(key) => Ok(Some(key)),
                None => Err(unset(&settings.name, names)),
            },
            KeySource::File(path) => read(&settings.name, path).await.map(Some),
        }
    }

    /// The key of a provider, where it needs one and there is one.
    ///
    /// # Errors
    /// It needs one, and there is none.
    pub async fn secret(&self, settings: &ProviderSettings) -> Result<Option<SecretString>, Failure> {
        Ok(self.key(settings).await?.map(|key| key.secret))
    }

    /// Why a provider that needs a key has none, as far as that can be said without reading a file.
    pub fn lacks_key(&self, settings: &ProviderSettings) -> Option<Failure> {
        match &settings.key {
            KeySource::Env(names) if self.first(names).is_none() => Some(unset(&settings.name, names)),
            KeySource::Env(_) | KeySource::File(_) | KeySource::Optional(_) | KeySource::None => None,
        }
    }

    fn first(&self, names: &[String]) -> Option<Key> {
        names.iter().find_map(|name| Some(Key::new(self.get(name)?, &format!("`{name}`"))))
    }
}

impl Key {
    fn new(value: String, place: &str) -> Self {
        let is_masked = value.contains("...") || value.contains('…');
        let warning = is_masked.then(|| {
            format!(
                "The key in {place} holds `...`: it looks like the short form that a list shows, copy the whole key"
            )
        });
        Self { secret: value.into(), warning }
    }
}

fn unset(provider: &str, names: &[String]) -> Failure {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    let message = match quoted.as_slice() {
        [] => format!("`{provider}` has no key"),
        [name] => format!("No key for `{provider}`: {name} is not set"),
        [others @ .., last] => format!("No key for `{provider}`: neither {} nor {last} is set", others.join(", ")),
    };
    let suggestion = match quoted.first() {
        Some(name) => format!("set {name} to the key, or rehearse with `--offline`, which needs none"),
        None => "name its variable with `api_key: {env: NAME}`, or rehearse with `--offline`".to_owned(),
    };
    Failure::new(FailureKind::KeyMissing, message).suggest(suggestion)
}

/// The first line of a file that holds a key.
async fn read(provider: &str, path: &Path) -> Result<Key, Failure> {
    let shown = path.display();
    let missing = |what: String| {
        Failure::new(FailureKind::KeyMissing, format!("No key for `{provider}`: {what}"))
            .suggest(format!("write the key into the first line of `{shown}`, or rehearse with `--offline`"))
    };
    let text = tokio::fs::read_to_string(path).await.map_err(|error| missing(format!("`{shown}`: {error}")))?;
    match text.trim_start_matches('\u{feff}').lines().next().map(str::trim) {
        None | Some("") => Err(missing(format!("the first line of `{shown}` is empty"))),
        Some(line) => Ok(Key::new(line.to_owned(), &format!("`{shown}`"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pollinations() -> ProviderSettings {
        ProviderSettings::built_in("pollinations").unwrap()
    }

    fn none() -> Environment {
        Environment::fixed::<&str, &str>([])
    }

    #[tokio::test]
    async fn the_first_variable_that_is_set_holds_the_key() {
        let environment = Environment::fixed([("POLLINATIONS_API_KEY", "  "), ("BLOSSOM_API_KEY", " sk_1\n")]);
        let key = environment.key(&pollinations()).await.unwrap().unwrap();
        assert_eq!(key.secret.expose_secret(), "sk_1");
        assert_eq!(key.warning, None);
    }

    #[tokio::test]
    async fn a_missing_key_names_the_variables() {
        let failure = none().key(&pollinations()).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::KeyMissing);
        assert_eq!(
            failure.message,
            "No key for `pollinations`: neither `POLLINATIONS_API_KEY` nor `BLOSSOM_API_KEY` is set"
        );
        assert!(failure.suggestion.unwrap().contains("`POLLINATIONS_API_KEY`"));
    }

    #[tokio::test]
    async fn an_optional_key_may_be_missing() {
        let settings = ProviderSettings { key: KeySource::Optional(vec!["K".into()]), ..pollinations() };
        assert!(none().key(&settings).await.unwrap().is_none());
        assert!(Environment::fixed([("K", "v")]).key(&settings).await.unwrap().is_some());
    }

    #[tokio::test]
    async fn the_first_line_of_a_file_is_a_key() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let settings = ProviderSettings { key: KeySource::File(path.clone()), ..pollinations() };
        let failure = none().key(&settings).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::KeyMissing);
        tokio::fs::write(&path, "\u{feff}sk_2 \r\nnotes\n").await.unwrap();
        assert_eq!(none().key(&settings).await.unwrap().unwrap().secret.expose_secret(), "sk_2");
        tokio::fs::write(&path, "\nsk_2").await.unwrap();
        assert!(none().key(&settings).await.unwrap_err().message.contains("is empty"));
    }

    #[tokio::test]
    async fn a_shortened_key_is_warned_about_and_not_shown() {
        let environment = Environment::fixed([("POLLINATIONS_API_KEY", "sk_abc...xyz")]);
        let key = environment.key(&pollinations()).await.unwrap().unwrap();
        let warning = key.warning.clone().unwrap();
        assert!(warning.contains("`POLLINATIONS_API_KEY`") && !warning.contains("abc"), "{warning}");
        assert!(!format!("{environment:?} {key:?}").contains("abc"));
    }

    #[test]
    fn the_address_of_openai_may_come_from_the_environment() {
        let environment = Environment::fixed([("OPENAI_BASE_URL", "http://127.0.0.1:1/v1/")]);
        let openai = ProviderSettings::built_in("openai").unwrap();
        assert_eq!(environment.complete(openai.clone()).base_url.as_deref(), Some("http://127.0.0.1:1/v1"));
        let named = ProviderSettings { base_url: Some("http://a".into()), ..openai };
        assert_eq!(environment.complete(named).base_url.as_deref(), Some("http://a"));
        assert_eq!(environment.complete(ProviderSettings::built_in("pollinations").unwrap()).base_url, None);
        let ollama = ProviderSettings::built_in("ollama").unwrap();
        assert_eq!(environment.complete(ollama.clone()), ollama);
    }
}
