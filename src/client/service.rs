//! A provider as a run knows it: its settings, its key once it was looked for, and whether it is worth asking at all.

use std::sync::{Arc, OnceLock};

use secrecy::SecretString;
use tokio::sync::OnceCell;
use tokio_util::sync::CancellationToken;

use crate::model::{Advice, EventKind, Failure, ProviderSettings};
use crate::provider::{Provider, Redactor, is_credential};

use super::env::Environment;
use super::events::Events;

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
    key: OnceCell<Result<Option<SecretString>, Failure>>,
    hides: OnceLock<Option<Redactor>>,
    block: OnceLock<Failure>,
    is_blocked: CancellationToken,
}

impl Service {
    pub(super) fn new(member: Member) -> Self {
        Self {
            name: member.settings.name.as_str().into(),
            settings: member.settings,
            provider: member.provider,
            key: OnceCell::new(),
            hides: OnceLock::new(),
            block: OnceLock::new(),
            is_blocked: CancellationToken::new(),
        }
    }

    /// The key, looked for at the first call and then remembered. A key that is missing blocks the service.
    pub(super) async fn secret(
        &self,
        environment: &Environment,
        events: &Events,
    ) -> Result<Option<&SecretString>, Failure> {
        let found = self.key.get_or_init(async || match environment.key(&self.settings).await {
            Err(failure) => {
                self.note(&failure);
                Err(failure)
            }
            Ok(None) => Ok(None),
            Ok(Some(key)) => {
                if let Some(message) = key.warning {
                    events.emit(EventKind::Warning { message }).await;
                }
                Ok(Some(key.secret))
            }
        });
        found.await.as_ref().map(Option::as_ref).map_err(Clone::clone)
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

    /// Remembers a failure that every later call would meet too.
    pub(super) fn note(&self, failure: &Failure) {
        if failure.advice() == Advice::Block {
            self.block.get_or_init(|| failure.clone());
            self.is_blocked.cancel();
        }
    }

    /// Returns when there is no point in asking any more, with the reason.
    pub(super) async fn blocked(&self) -> Failure {
        self.is_blocked.cancelled().await;
        match self.block.get() {
            Some(failure) => failure.clone(),
            None => std::future::pending().await,
        }
    }
}
