//! What there is to say of a client before it is made.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use secrecy::SecretString;
use tokio::sync::OnceCell;

use crate::model::{Amount, Budget, Clocks, OfflineManner, Price, RetryPolicy, Reuse, Spent};
use crate::provider::{self, HttpClient, Provider};

use super::super::{Client, Environment, EventStream, Events, Halt, Keep, Member, NothingKept, Prices, Purse};
use super::blossom::{Blossom, Inner};
use super::described::lists_prices;
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
#[derive(Clone, Default)]
#[must_use = "a client is made by `build`"]
pub struct BlossomBuilder {
    pub(super) provider: Option<String>,
    pub(super) key: Option<SecretString>,
    pub(super) has_no_key: bool,
    pub(super) base_url: Option<String>,
    pub(super) headers: BTreeMap<String, String>,
    pub(super) text_model: Option<String>,
    pub(super) image_model: Option<String>,
    pub(super) max_tokens: Option<u64>,
    pub(super) retry: RetryPolicy,
    pub(super) clocks: Clocks,
    pub(super) concurrency: Option<u32>,
    pub(super) rate: Option<(u32, Duration)>,
    pub(super) tokens_per_minute: Option<u64>,
    pub(super) prices: BTreeMap<String, Price>,
    pub(super) budget: Budget,
    pub(super) allow_unpriced: bool,
    pub(super) store: Option<PathBuf>,
    pub(super) reuse: Reuse,
    pub(super) offline: OfflineManner,
    pub(super) environment: Option<Environment>,
    pub(super) service: Option<Arc<dyn Provider>>,
    pub(super) wants_prices: bool,
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
        self.with(|it| {
            it.key = Some(SecretString::from(key.into()));
            it.has_no_key = false;
        })
    }

    /// Asks without a key, whatever the environment holds.
    pub fn no_key(self) -> Self {
        self.with(|it| {
            it.key = None;
            it.has_no_key = true;
        })
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
    /// time are asked once, though each waits no longer than it may take itself, and is asked after all where the other had
    /// fewer attempts or less time and failed. Else nothing is kept, and each question is asked. The folder is a store as pipelines have it:
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

    /// Reads what models cost from the service's list of models before the first question, so that
    /// [`TextAnswer::cost`](super::TextAnswer::cost) is known: Pollinations lists its prices. Where the cost is limited
    /// that is done anyway.
    pub fn list_prices(self) -> Self {
        self.with(|it| it.wants_prices = true)
    }

    /// Another service, by the seam for those. What is said of key, address and headers is its own affair then; limits,
    /// retries and clocks are those of every other. [`BlossomBuilder::provider`] is the name it is called by.
    pub fn service(self, service: Arc<dyn Provider>) -> Self {
        self.with(|it| it.service = Some(service))
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
        let service = match &self.service {
            Some(service) => Arc::clone(service),
            None => provider::build(&settings, &HttpClient::new())?,
        };
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
        let service_kind = service.identity().kind;
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
            wants_prices: self.wants_prices || (self.budget.cost.is_some() && lists_prices(service_kind)),
            has_prices: OnceCell::new(),
            had_no_list: Mutex::default(),
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
}

/// So many events may lie unread.
const UNREAD: usize = 1024;

impl fmt::Debug for BlossomBuilder {
    /// Neither key nor headers nor an address, which may all be credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BlossomBuilder").field("provider", &self.provider).finish_non_exhaustive()
    }
}
