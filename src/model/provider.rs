//! Who answers: the settings of a provider, and what of them is part of a call's identity.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use super::{Price, Rate};

/// The kinds of provider that the program speaks to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProviderKind {
    /// Today's Pollinations API; needs a key.
    Pollinations,
    /// The anonymous Pollinations hosts: one at a time, spaced.
    PollinationsLegacy,
    /// `OpenAI` and every server compatible with it.
    Openai,
    /// Built in: answers at once, the same for the same call, without a socket.
    Offline,
}

impl ProviderKind {
    /// Every kind, in the order in which people are told of them.
    pub const ALL: [Self; 4] = [Self::Pollinations, Self::PollinationsLegacy, Self::Openai, Self::Offline];

    /// As it is written in a pipeline file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pollinations => "pollinations",
            Self::PollinationsLegacy => "pollinations-legacy",
            Self::Openai => "openai",
            Self::Offline => "offline",
        }
    }

    /// The kind written so.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Why a picture can't be a reference for another one here, and what to do; nothing if it can.
    pub fn refuses_reference(self, is_url: bool) -> Option<(&'static str, &'static str)> {
        match (self, is_url) {
            (Self::Openai, true) => Some((
                "takes no address of a picture as a reference",
                "save the picture to a file, and name that in `images`",
            )),
            (Self::PollinationsLegacy, false) => Some((
                "takes only addresses of pictures as references, and no files",
                "put the picture where an address leads to it, or use `provider: pollinations`",
            )),
            _ => None,
        }
    }

    /// The model that a text or chat stage gets when nobody names one.
    pub fn default_text_model(self) -> Option<&'static str> {
        match self {
            Self::Pollinations => Some("openai"),
            Self::PollinationsLegacy => Some("openai-fast"),
            Self::Openai => None,
            Self::Offline => Some("offline"),
        }
    }
}

/// What of a provider is part of a call's key: another address is another service.
#[derive(Debug, Clone, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct ProviderIdentity {
    /// Its kind.
    pub kind: ProviderKind,
    /// Its base URL without credentials and without a slash at the end; `offline` for the built-in one.
    pub address: String,
}

/// Where a key is looked for, when the first call is about to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySource {
    /// The first of these environment variables that is set.
    Env(Vec<String>),
    /// The first line of a file.
    File(PathBuf),
    /// Sent with a key if one of these variables is set, and without one otherwise.
    Optional(Vec<String>),
    /// Sent without a key.
    None,
}

/// How the offline provider behaves: a rehearsal of slow and failing services.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct OfflineManner {
    /// How long an answer takes.
    pub latency: Duration,
    /// By how much more it may take, drawn from the call.
    pub jitter: Duration,
    /// The share (0 to 1) of attempts that fail, drawn from call and attempt.
    pub fail: f64,
    /// Changes what is drawn, and what is answered.
    pub seed: u64,
}

/// A provider as the pipeline file and the environment describe it.
#[derive(Debug, Clone, PartialEq)]
pub struct ProviderSettings {
    /// Its name in the file.
    pub name: String,
    /// Its kind.
    pub kind: ProviderKind,
    /// Where it answers, if not where its kind does; without a slash at the end.
    pub base_url: Option<String>,
    /// Where its key is found.
    pub key: KeySource,
    /// Sent with each request; names in lower case.
    pub headers: BTreeMap<String, String>,
    /// At most so many requests on the wire over all its models; without a value, what its kind allows.
    pub concurrency: Option<u32>,
    /// At most so many requests in a time.
    pub rate: Option<Rate>,
    /// At most so many tokens, in and out, a minute.
    pub tokens_per_minute: Option<u64>,
    /// What its models cost, as the file says.
    pub prices: BTreeMap<String, Price>,
    /// Used by the offline kind alone.
    pub offline: OfflineManner,
}

impl ProviderSettings {
    /// A built-in provider by its name: `pollinations`, `openai`, `ollama`, `offline`.
    pub fn built_in(name: &str) -> Option<Self> {
        let env = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let (kind, base_url, key) = match name {
            "pollinations" => {
                (ProviderKind::Pollinations, None, KeySource::Env(env(&["POLLINATIONS_API_KEY", "BLOSSOM_API_KEY"])))
            }
            "openai" => (ProviderKind::Openai, None, KeySource::Env(env(&["OPENAI_API_KEY"]))),
            "ollama" => (ProviderKind::Openai, Some("http://127.0.0.1:11434/v1"), KeySource::None),
            "offline" => (ProviderKind::Offline, None, KeySource::None),
            _ => return None,
        };
        Some(Self {
            name: name.to_owned(),
            kind,
            base_url: base_url.map(str::to_owned),
            key,
            headers: BTreeMap::new(),
            concurrency: None,
            rate: None,
            tokens_per_minute: None,
            prices: BTreeMap::new(),
            offline: OfflineManner::default(),
        })
    }

    /// The names that [`ProviderSettings::built_in`] knows.
    pub const BUILT_IN: [&'static str; 4] = ["pollinations", "openai", "ollama", "offline"];
}
