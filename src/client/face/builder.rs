//! What there is to say of a client before it is made.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use secrecy::SecretString;

use crate::model::{
    Amount, Budget, Clocks, KeySource, OfflineManner, Price, ProviderKind, ProviderSettings, Rate, RetryPolicy, Reuse,
    Spent,
};
use crate::provider::{self, HttpClient};

use super::super::{Client, Environment, EventStream, Events, Halt, Keep, Member, NothingKept, Prices, Purse};
use super::blossom::{Blossom, Inner};
use super::opened::OpenedRun;
use super::{Error, blocking};

/// What a [`Blossom`] is made from. What is not said comes from the environment, and else is as it says here.
///
/// ```
/// use std::time::Duration;
/// use blossom_run::Blossom;
/// use blossom_run::model::{Budget, RetryPolicy};
///
/// # fn main() -> Result<(), blossom_run::Error> {
/// # let folder = tempfile::tempdir().unwrap();
/// let blossom = Blossom::builder()
///     .provider("openai")
///     .base_url("http://127.0.0.1:8080/v1")
///     .key("the key of that server")
///     .model("its-model")
///     .concurrency(4)
///     .rate(60, Duration::from_secs(60))
///     .retry(RetryPolicy { attempts: 5, ..RetryPolicy::default() })
///     .budget(Budget { calls: Some(1000), ..Budget::default() })
///     .store(folder.path())
///     .build()?;
/// # drop(blossom);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default)]
#[must_use = "a client is made by `build`"]
pub struct BlossomBuilder {
    provider: Option<String>,
    key: Option<SecretString>,
    has_no_key: bool,
    base_url: Option<String>,
    headers: BTreeMap<String, String>,
    text_model: Option<String>,
    image_model: Option<String>,
    max_tokens: Option<u64>,
    retry: RetryPolicy,
    clocks: Clocks,
    concurrency: Option<u32>,
    rate: Option<(u32, Duration)>,
    tokens_per_minute: Option<u64>,
    prices: BTreeMap<String, Price>,
    budget: Budget,
    allow_unpriced: bool,
    store: Option<PathBuf>,
    reuse: Reuse,
    offline: OfflineManner,
    environment: Option<Environment>,
}

impl BlossomBuilder {
    pub(super) fn new() -> Self {
        Self::default()
    }

    fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    /// Who is asked: `pollinations`, `openai` (and, with [`BlossomBuilder::base_url`], every server compatible with it),
    /// `ollama` on this machine, `pollinations-legacy` (the anonymous hosts), or `offline`, which is built in and needs
    /// neither network nor key. Else `BLOSSOM_PROVIDER`, else `pollinations`.
    pub fn provider(self, name: impl Into<String>) -> Self {
        self.with(|it| it.provider = Some(name.into()))
    }

    /// The key of the account. Else it is looked for when the first question is about to be sent: in
    /// `POLLINATIONS_API_KEY` or `BLOSSOM_API_KEY`, in `OPENAI_API_KEY`.
    pub fn key(self, key: impl Into<String>) -> Self {
        self.with(|it| it.key = Some(SecretString::from(key.into())))
    }

    /// Asks without a key, whatever the environment holds.
    pub fn no_key(self) -> Self {
        self.with(|it| it.has_no_key = true)
    }

    /// Where the provider answers, if not at its usual address: `http://127.0.0.1:8080/v1`. Such an address is sent the
    /// key that is [given](BlossomBuilder::key), and never that of the environment, which is meant for the usual one. Else
    /// `OPENAI_BASE_URL`, for `openai`.
    pub fn base_url(self, url: impl Into<String>) -> Self {
        self.with(|it| it.base_url = Some(url.into()))
    }

    /// Sent with each request.
    pub fn header(self, name: impl Into<String>, value: impl Into<String>) -> Self {
        let name = name.into().to_ascii_lowercase();
        self.with(|it| {
            it.headers.insert(name, value.into());
        })
    }

    /// Which model makes texts, where a question does not say. Else `BLOSSOM_MODEL`, else what the provider is asked for
    /// usually; `openai` and `ollama` have no such model.
    pub fn model(self, name: impl Into<String>) -> Self {
        self.with(|it| it.text_model = Some(name.into()))
    }

    /// Which model makes pictures, where a question does not say. Else none is named, and the service chooses.
    pub fn image_model(self, name: impl Into<String>) -> Self {
        self.with(|it| it.image_model = Some(name.into()))
    }

    /// The longest text, in tokens, where a question does not say. A budget of tokens or money needs to know.
    pub fn max_tokens(self, tokens: u64) -> Self {
        self.with(|it| it.max_tokens = Some(tokens))
    }

    /// How often, and after what pauses, a request is sent again where that may help; else three times in all. A service
    /// that names a time (`Retry-After`) is left alone for that time.
    pub fn retry(self, policy: RetryPolicy) -> Self {
        self.with(|it| it.retry = policy)
    }

    /// Sends each request once.
    pub fn no_retry(self) -> Self {
        self.with(|it| it.retry.attempts = 1)
    }

    /// How long one request may take; else 5 minutes, and without a limit where the text is streamed.
    pub fn attempt_timeout(self, limit: Duration) -> Self {
        self.with(|it| it.clocks.attempt = Some(limit))
    }

    /// How long a stream may take to its first piece; else 2 minutes.
    pub fn first_token_timeout(self, limit: Duration) -> Self {
        self.with(|it| it.clocks.first_token = Some(limit))
    }

    /// How long a stream may be silent after that; else 1 minute.
    pub fn idle_timeout(self, limit: Duration) -> Self {
        self.with(|it| it.clocks.idle = Some(limit))
    }

    /// How long a question may take with all requests and pauses, from the first request on; else without a limit.
    pub fn total_timeout(self, limit: Duration) -> Self {
        self.with(|it| it.clocks.total = Some(limit))
    }

    /// At most so many requests on the wire at once; the others wait for their turn, first come first served. Else what
    /// the service allows (6 for a secret key of Pollinations, 1 for others of it, 8 elsewhere). A service that
    /// refuses gets fewer for a while.
    pub fn concurrency(self, requests: u32) -> Self {
        self.with(|it| it.concurrency = Some(requests))
    }

    /// At most so many requests in such a time, evenly spaced: `.rate(60, Duration::from_secs(60))` is one each second.
    pub fn rate(self, requests: u32, per: Duration) -> Self {
        self.with(|it| it.rate = Some((requests, per)))
    }

    /// At most so many tokens, in and out, in any minute.
    pub fn tokens_per_minute(self, tokens: u64) -> Self {
        self.with(|it| it.tokens_per_minute = Some(tokens))
    }

    /// What a model costs, where that is not known or another price holds.
    pub fn price(self, model: impl Into<String>, price: Price) -> Self {
        self.with(|it| {
            it.prices.insert(model.into(), price);
        })
    }

    /// What this client and its clones may take in all. The most that a request can take is set aside before it is sent;
    /// what does not fit is not sent, and fails with
    /// [`FailureKind::BudgetUsedUp`](crate::model::FailureKind::BudgetUsedUp). Limits on tokens and money need a
    /// `max_tokens` for texts.
    pub fn budget(self, budget: Budget) -> Self {
        self.with(|it| it.budget = budget)
    }

    /// The same for money alone: so much, in dollars and in pollen each.
    pub fn max_cost(self, amount: Amount) -> Self {
        self.with(|it| it.budget.cost = Some(amount))
    }

    /// Asks models without a known price too, though the cost is limited.
    pub fn allow_unpriced(self) -> Self {
        self.with(|it| it.allow_unpriced = true)
    }

    /// Keeps answers in this folder, and gives what is kept there instead of asking again; the same questions at the same
    /// time are asked once. Else nothing is kept, and each question is asked. The folder is a store as pipelines have it:
    /// `blossom-run runs --store FOLDER` shows what was asked.
    pub fn store(self, folder: impl Into<PathBuf>) -> Self {
        self.with(|it| it.store = Some(folder.into()))
    }

    /// How old a kept answer may be; else any is good.
    pub fn reuse(self, reuse: Reuse) -> Self {
        self.with(|it| it.reuse = reuse)
    }

    /// How the provider `offline` behaves: slowly, or failing now and then, to rehearse with.
    pub fn offline(self, manner: OfflineManner) -> Self {
        self.with(|it| it.offline = manner)
    }

    /// Where keys and addresses are looked for; else in the environment of this process.
    pub fn environment(self, environment: Environment) -> Self {
        self.with(|it| it.environment = Some(environment))
    }

    /// The client. Nothing is sent, and no key is looked for; a store is opened.
    ///
    /// # Errors
    /// Of kind [`FailureKind::BadRequest`](crate::model::FailureKind::BadRequest), where a setting can't be; of kind
    /// [`FailureKind::Store`](crate::model::FailureKind::Store), where the store can't be opened.
    pub fn build(self) -> Result<Blossom, Error> {
        // Nobody listens: what happens on the way is not told.
        self.build_watched().map(|(blossom, _)| blossom)
    }

    /// The client, and what happens on its way: requests sent and failed, pauses, warnings (of a key that looks shortened,
    /// say). The stream must be read or dropped: a thousand events may lie there, and then questions wait for it.
    ///
    /// # Errors
    /// As for [`BlossomBuilder::build`].
    pub fn build_watched(self) -> Result<(Blossom, EventStream), Error> {
        let environment = self.environment.clone().unwrap_or_else(Environment::process);
        let settings = environment.complete(self.settings(&environment)?);
        let environment = match self.key.clone() {
            Some(key) => environment.with_key(key),
            None => environment,
        };
        let service = provider::build(&settings, &HttpClient::new())?;
        let members = vec![Member { settings: settings.clone(), provider: Arc::clone(&service) }];
        let purse = Purse::new(Prices::of(&members), self.budget, Spent::default(), self.allow_unpriced);
        let (run, keep): (_, Arc<dyn Keep>) = match &self.store {
            Some(folder) => {
                let (run, keep) = OpenedRun::open(folder)?;
                (Some(run), keep)
            }
            None => (None, Arc::new(NothingKept)),
        };
        let (events, stream) = Events::channel(UNREAD);
        let client = Client::with_environment(members, None, keep, events, Halt::new(), environment.clone())
            .with_purse(purse)
            .lasting();
        let text_model = self.text_model.or_else(|| environment.model());
        let inner = Inner {
            client,
            provider: settings.name.as_str().into(),
            identity: service.identity().clone(),
            service,
            settings,
            environment,
            text_model,
            image_model: self.image_model,
            max_tokens: self.max_tokens,
            retry: self.retry,
            clocks: self.clocks,
            // Where nothing is kept, two who ask the same want two answers.
            reuse: if run.is_some() { self.reuse } else { Reuse::Never },
            arrivals: AtomicU64::new(0),
            run,
        };
        Ok((Blossom::of(inner), stream))
    }

    /// The client for programs without a runtime.
    ///
    /// # Errors
    /// As for [`BlossomBuilder::build`], and where there can be no thread for it.
    pub fn build_blocking(self) -> Result<blocking::Blossom, Error> {
        blocking::Blossom::new(self.build()?)
    }

    fn settings(&self, environment: &Environment) -> Result<ProviderSettings, Error> {
        let name = self.provider.clone().or_else(|| environment.provider());
        let settings = built_in(name.as_deref().unwrap_or(USUAL))?;
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
/// So many events may lie unread.
const UNREAD: usize = 1024;

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
