//! A provider as a run knows it: its settings, its key once it was looked for, and whether it is worth asking at all.

use std::sync::{Arc, OnceLock};

use secrecy::SecretString;
use tokio::sync::{OnceCell, watch};
use tokio::time::Instant;

use crate::model::{Advice, EventKind, Failure, ProviderSettings};
use crate::provider::{Provider, Redactor, is_credential};

use super::env::Environment;
use super::events::Events;
use super::forms::Forms;

/// A provider that a client may ask.
#[derive(Debug, Clone)]
pub struct Member {
    /// What the file says of it, completed by [`Environment::complete`].
    pub settings: ProviderSettings,
    /// How to speak to it.
    pub provider: Arc<dyn Provider>,
}

/// A member, and what has been learned of it.
#[derive(Debug)]
pub(super) struct Service {
    pub(super) name: Arc<str>,
    pub(super) settings: ProviderSettings,
    pub(super) provider: Arc<dyn Provider>,
    /// How its models are asked for JSON.
    pub(super) forms: Forms,
    key: OnceCell<Result<Option<SecretString>, Failure>>,
    hides: OnceLock<Option<Redactor>>,
    block: watch::Sender<Option<Block>>,
    /// Whether a failure that every call of a run would meet is met by each call for itself.
    forgives: bool,
}

/// There is no point in asking.
#[derive(Debug)]
struct Block {
    failure: Failure,
    /// Until when, if not for ever.
    until: Option<Instant>,
}

impl Block {
    fn holds(&self) -> bool {
        self.until.is_none_or(|until| Instant::now() < until)
    }
}

impl Service {
    pub(super) fn new(member: Member) -> Self {
        Self {
            name: member.settings.name.as_str().into(),
            settings: member.settings,
            provider: member.provider,
            forms: Forms::default(),
            key: OnceCell::new(),
            hides: OnceLock::new(),
            block: watch::Sender::new(None),
            forgives: false,
        }
    }

    /// The key, looked for at the first call and then remembered. A key that is missing blocks the service.
    pub(super) async fn secret(
        &self,
        environment: &Environment,
        events: &Events,
    ) -> Result<Option<&SecretString>, Failure> {
        let found = match self.key.get() {
            Some(found) => found,
            None => Box::pin(self.key.get_or_init(|| self.look_for_key(environment, events))).await,
        };
        found.as_ref().map(Option::as_ref).map_err(Clone::clone)
    }

    async fn look_for_key(&self, environment: &Environment, events: &Events) -> Result<Option<SecretString>, Failure> {
        let key = environment.key(&self.settings).await.inspect_err(|failure| self.note(failure))?;
        let Some(key) = key else { return Ok(None) };
        if let Some(message) = key.warning {
            events.emit(EventKind::Warning { message }).await;
        }
        Ok(Some(key.secret))
    }

    /// What no answer may show: the key that [`Service::secret`] has found, and headers that are credentials. Nothing if
    /// there is none of that. Its forms are made once, and not for each answer.
    pub(super) fn hides(&self, secret: Option<&SecretString>) -> Option<&Redactor> {
        let made = self.hides.get_or_init(|| {
            let headers = self.settings.headers.iter().filter(|(name, _)| is_credential(name));
            let headers: Vec<&str> = headers.map(|(_, value)| value.as_str()).collect();
            (secret.is_some() || !headers.is_empty()).then(|| Redactor::new(secret, headers))
        });
        made.as_ref()
    }

    /// From now on only what says how long it holds is remembered, and for that long.
    pub(super) fn forgive(&mut self) {
        self.forgives = true;
    }

    /// Remembers a failure that every later call would meet too.
    pub(super) fn note(&self, failure: &Failure) {
        if failure.advice() != Advice::Block || (self.forgives && failure.retry_after.is_none()) {
            return;
        }
        let until = failure.retry_after.filter(|_| self.forgives).map(|pause| Instant::now() + pause);
        self.block.send_if_modified(|block| {
            let is_news = !block.as_ref().is_some_and(Block::holds);
            if is_news {
                *block = Some(Block { failure: failure.clone(), until });
            }
            is_news
        });
    }

    /// Whether there is no point in asking.
    pub(super) fn is_blocked(&self) -> bool {
        self.block.borrow().as_ref().is_some_and(Block::holds)
    }

    /// Returns when there is no point in asking any more, with the reason.
    pub(super) async fn blocked(&self) -> Failure {
        let mut news = self.block.subscribe();
        loop {
            if let Some(block) = news.borrow_and_update().as_ref().filter(|block| block.holds()) {
                return block.failure.clone();
            }
            if news.changed().await.is_err() {
                return std::future::pending().await;
            }
        }
    }
}
