//! Whom an instance asks: providers, or only what is kept.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::client::{Answer, Ask, Client, Terms, Unanswered};
use crate::model::{AnswerId, Call, Cost, Failure, FailureKind, Reuse};

/// Where answers come from.
#[derive(Debug)]
pub(super) enum Asks {
    /// From whoever has them: what is not kept is asked for.
    Providers(Client),
    /// From what is kept alone: nothing is sent.
    Kept(Box<LookUps>),
}

/// Looks calls up, one after the other, and remembers the last.
#[derive(Debug)]
pub(super) struct LookUps {
    client: Client,
    last: Mutex<Option<Looked>>,
}

/// A call that was looked up.
#[derive(Debug)]
pub(super) struct Looked {
    pub(super) call: Call,
    /// The provider's name in the file.
    pub(super) provider: Arc<str>,
    /// What may be used again.
    pub(super) reuse: Reuse,
    /// What the answer must be.
    pub(super) terms: Terms,
    /// The good answer that is kept, if there is one.
    pub(super) answer: Option<AnswerId>,
}

impl Asks {
    pub(super) async fn ask(&self, ask: &Ask) -> Result<Answer, Unanswered> {
        match self {
            Self::Providers(client) => client.ask(ask).await,
            Self::Kept(look_ups) => look_ups.ask(ask).await,
        }
    }

    /// The call that was looked up since this was asked the last time.
    pub(super) fn looked(&self) -> Option<Looked> {
        match self {
            Self::Providers(_) => None,
            Self::Kept(look_ups) => look_ups.last().take(),
        }
    }
}

impl LookUps {
    pub(super) fn new(client: Client) -> Self {
        Self { client, last: Mutex::default() }
    }

    fn last(&self) -> MutexGuard<'_, Option<Looked>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn ask(&self, ask: &Ask) -> Result<Answer, Unanswered> {
        let found = self.client.look_up(ask).await?;
        let answer = found.as_ref().and_then(|answer| answer.id);
        *self.last() = Some(Looked {
            call: ask.call.clone(),
            provider: ask.provider.clone(),
            reuse: ask.reuse,
            terms: ask.terms.clone(),
            answer,
        });
        // Like a run that ends at this point: what would come of the call is not known, and nothing stands in for it.
        let open = || Failure::new(FailureKind::Interrupted, "this is known in a run");
        found.ok_or_else(|| Unanswered { failure: open(), attempts: 0, usage: None, cost: Cost::NOTHING })
    }
}
