//! The client: one provider, and what is asked of it.

use std::fmt;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::TryStreamExt;
use tokio::sync::OnceCell;
use tokio::time::Instant;

use crate::model::{
    Clocks, EventKind, Failure, Message, ProviderIdentity, ProviderSettings, RetryPolicy, Reuse, Spent, TextParams,
};
use crate::provider::{ModelInfo, Provider};

use super::super::outlet::Outlet;
use super::super::{Answer, Ask, Client, Environment, HaltReason, LaneReport, Unanswered};
use super::manner::Manner;
use super::opened::OpenedRun;
use super::{BlossomBuilder, Error, ImageAsk, TextAsk};

/// The stage that all questions of programs without a pipeline belong to: it is part of the key of a call, so answers are
/// shared by all programs that use one store in this way, and by no pipeline that has no stage of this name.
pub(super) const STAGE: &str = "blossom";
/// So long a list of models that could not be read is left alone.
const LIST_PATIENCE: Duration = Duration::from_secs(60);

/// A client of one provider: texts, conversations and pictures, within its limits.
///
/// Clones are cheap and share everything: connections, limits, budget, store. When the last one is gone, with the last
/// question that was made by one, connections are closed. It runs on the runtime of whoever awaits its questions, and
/// spawns nothing there but what its connections need.
///
/// ```
/// use blossom_run::Blossom;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), blossom_run::Error> {
/// let blossom = Blossom::builder().provider("offline").build()?;
/// let (poem, picture) = tokio::try_join!(
///     blossom.text("A line about the sea").max_tokens(200),
///     blossom.image("the sea").width(64).height(64),
/// )?;
/// println!("{poem} ({} bytes of {})", picture.bytes.len(), picture.media_type.mime());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Blossom {
    inner: Arc<Inner>,
}

pub(super) struct Inner {
    // Before the run that counts what it did.
    pub(super) client: Client,
    pub(super) provider: Arc<str>,
    pub(super) identity: ProviderIdentity,
    pub(super) service: Arc<dyn Provider>,
    pub(super) settings: ProviderSettings,
    pub(super) environment: Environment,
    pub(super) text_model: Option<String>,
    pub(super) image_model: Option<String>,
    pub(super) max_tokens: Option<u64>,
    pub(super) retry: RetryPolicy,
    pub(super) clocks: Clocks,
    pub(super) reuse: Reuse,
    /// Questions so far: who comes first goes first.
    pub(super) arrivals: AtomicU64,
    pub(super) run: Option<OpenedRun>,
    /// Whether prices of the service's list are wanted, and have been read.
    pub(super) wants_prices: bool,
    pub(super) has_prices: OnceCell<()>,
    /// When the list could not be read last.
    pub(super) had_no_list: Mutex<Option<Instant>>,
}

impl Blossom {
    /// The stage that its calls belong to, in their keys and in a store: `blossom`.
    pub const STAGE: &'static str = STAGE;

    /// What there is to say of a client before it is made.
    pub fn builder() -> BlossomBuilder {
        BlossomBuilder::new()
    }

    /// A client that the environment describes: the provider `BLOSSOM_PROVIDER`, else `pollinations`, with the key that its
    /// usual variable holds (`POLLINATIONS_API_KEY`, `OPENAI_API_KEY`).
    ///
    /// # Errors
    /// As for [`BlossomBuilder::build`]. A key that is missing is told by the first question.
    pub fn from_env() -> Result<Self, Error> {
        Self::builder().build()
    }

    pub(super) fn of(inner: Inner) -> Self {
        Self { inner: Arc::new(inner) }
    }

    /// A question for a text.
    pub fn text(&self, prompt: impl Into<String>) -> TextAsk {
        TextAsk::new(self.clone(), vec![Message::user(prompt)])
    }

    /// A question for the next text of a conversation: messages, or pairs of a role and a text.
    ///
    /// ```
    /// use blossom_run::{Blossom, model::Message};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), blossom_run::Error> {
    /// let blossom = Blossom::builder().provider("offline").build()?;
    /// let mut history = vec![Message::user("What is a comet?")];
    /// let answer = blossom.chat(&history).system("You answer in one sentence.").await?;
    /// history.push(Message::assistant(answer.text));
    /// # Ok(())
    /// # }
    /// ```
    pub fn chat<M: Into<Message>>(&self, messages: impl IntoIterator<Item = M>) -> TextAsk {
        TextAsk::new(self.clone(), messages.into_iter().map(Into::into).collect())
    }

    /// A question for a picture.
    pub fn image(&self, prompt: impl Into<String>) -> ImageAsk {
        ImageAsk::new(self.clone(), prompt.into())
    }

    /// The models of the provider, as the service lists them.
    ///
    /// # Errors
    /// The service does not answer, or refuses the key.
    pub async fn models(&self) -> Result<Vec<ModelInfo>, Error> {
        Ok(self.inner.models().await?)
    }

    /// The name of the provider.
    pub fn provider(&self) -> &str {
        &self.inner.provider
    }

    /// Which model makes texts, where a question does not say; none where that is not known.
    pub fn model(&self) -> Option<&str> {
        self.inner.text_model.as_deref().or_else(|| self.inner.identity.kind.default_text_model())
    }

    /// What all questions have taken so far.
    pub fn spent(&self) -> Spent {
        self.inner.client.purse().used()
    }

    /// How much the service has shown to bear, for each model that was asked.
    pub fn lanes(&self) -> Vec<LaneReport> {
        self.inner.client.lanes()
    }

    /// From now on nothing is sent, by none of the clones: questions that wait and those that come fail with
    /// [`FailureKind::Interrupted`](crate::model::FailureKind::Interrupted). What is on the wire comes to its end.
    pub fn close(&self) {
        self.inner.client.halt().drain(HaltReason::Stopped("the client was closed".into()));
    }

    pub(super) fn inner(&self) -> &Inner {
        &self.inner
    }

    pub(super) fn manner(&self) -> Manner {
        let Inner { retry, clocks, .. } = &*self.inner;
        Manner { model: None, retry: retry.clone(), clocks: clocks.clone(), fresh: false, variant: 0 }
    }

    pub(super) fn text_params(&self) -> TextParams {
        TextParams { max_tokens: self.inner.max_tokens, ..TextParams::default() }
    }
}

impl Inner {
    async fn models(&self) -> Result<Vec<ModelInfo>, Failure> {
        // A list of models is public at some services: a missing key is told by the service itself.
        let secret = self.environment.secret(&self.settings).await.ok().flatten();
        self.service.models(secret.as_ref()).try_collect().await
    }

    /// Reads what models cost before the first of them is asked. A list that can't be read leaves prices unknown, and is
    /// read again before the next question.
    async fn learn_prices(&self) {
        let last_failure = || self.had_no_list.lock().unwrap_or_else(PoisonError::into_inner);
        let learn = async || {
            // All who wait for the list wait for one attempt, and a service that is away is not asked again and again.
            let failed = *last_failure();
            if failed.is_some_and(|at| at.elapsed() < LIST_PATIENCE) {
                return Err(None::<Failure>);
            }
            let models = self.models().await.map_err(|failure| {
                *last_failure() = Some(Instant::now());
                Some(failure)
            })?;
            self.client.purse().add_list(&self.provider, &models);
            Ok(())
        };
        if self.wants_prices
            && let Err(Some(failure)) = self.has_prices.get_or_try_init(learn).await
        {
            let name = &self.provider;
            let message =
                format!("the prices of `{name}` are not known, since its list of models can't be read: {failure}");
            self.client.events().emit(EventKind::Warning { message }).await;
        }
    }

    pub(super) async fn answer(&self, ask: &Ask) -> Result<Answer, Unanswered> {
        self.learn_prices().await;
        let outcome = self.client.ask(ask).await;
        self.count(&outcome);
        outcome
    }

    pub(super) async fn answer_aloud(&self, ask: &Ask, outlet: &Outlet) -> Result<Answer, Unanswered> {
        self.learn_prices().await;
        let outcome = self.client.ask_aloud(ask, outlet).await;
        self.count(&outcome);
        outcome
    }

    fn count(&self, outcome: &Result<Answer, Unanswered>) {
        if let Some(run) = &self.run {
            run.count(outcome);
        }
    }
}

impl fmt::Debug for Blossom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Blossom")
            .field("provider", &self.inner.provider)
            .field("address", &self.inner.identity.address)
            .finish_non_exhaustive()
    }
}
