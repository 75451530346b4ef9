//! How a question is put, and the one place where it becomes an [`Ask`] with its call.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use crate::model::{
    Call, Choice, Clocks, ImageParams, ItemRef, Message, Order, ProviderKind, Request, RetryPolicy, TextParams,
};

use super::super::{Ask, Terms};
use super::Error;
use super::blossom::{Inner, STAGE};

/// What questions for texts and for pictures have in common.
#[derive(Debug, Clone)]
pub(super) struct Manner {
    pub(super) model: Option<String>,
    pub(super) retry: RetryPolicy,
    pub(super) clocks: Clocks,
    pub(super) fresh: bool,
    pub(super) variant: u64,
}

impl Manner {
    /// Sends it once.
    pub(super) fn once(&mut self) {
        self.retry.attempts = 1;
    }

    /// For all attempts and pauses together.
    pub(super) fn within(&mut self, total: Duration) {
        self.clocks.total = Some(total);
    }

    fn checked(&self) -> Result<(), Error> {
        if self.retry.attempts == 0 {
            return Err(Error::wrong("A question with no attempts is never sent", "allow one at least, `attempts: 1`"));
        }
        let Clocks { attempt, first_token, idle, total } = self.clocks;
        if [attempt, first_token, idle, total].into_iter().flatten().any(|limit| limit.is_zero()) {
            return Err(Error::wrong("A timeout of nothing lets no answer come", "allow some time, or take it out"));
        }
        Ok(())
    }
}

impl Inner {
    /// The question, as the client knows it.
    pub(super) fn ask(&self, request: Request, answer: Choice, manner: &Manner, stream: bool) -> Result<Ask, Error> {
        manner.checked()?;
        check(&request)?;
        let model = self.model(&request, manner)?;
        let repeat = (manner.variant > 0).then(|| manner.variant.to_string()).into_iter().collect();
        let call = Call { stage: STAGE.into(), provider: self.identity.clone(), model, request, repeat, answer };
        Ok(Ask {
            call,
            provider: Arc::clone(&self.provider),
            retry: manner.retry.clone(),
            rate: None,
            slot: None,
            clocks: manner.clocks.clone(),
            reuse: self.reuse,
            fresh: manner.fresh,
            stream,
            show: false,
            // Who asks for JSON is told when there is none, and may ask otherwise.
            terms: Terms { feedback: false, ..Terms::default() },
            order: Order::arrival(self.arrivals.fetch_add(1, Relaxed)),
            item: ItemRef { stage: STAGE.into(), key: None, path: [].into() },
        })
    }

    fn model(&self, request: &Request, manner: &Manner) -> Result<Option<String>, Error> {
        let (usual, kinds) = match request {
            Request::Text { .. } => (&self.text_model, self.identity.kind.default_text_model()),
            Request::Image { .. } => (&self.image_model, None),
        };
        let model = manner.model.clone().or_else(|| usual.clone()).or_else(|| kinds.map(str::to_owned));
        let is_needed = self.identity.kind == ProviderKind::Openai && matches!(request, Request::Text { .. });
        match model {
            None if is_needed => Err(Error::wrong(
                format!("`{}` has no model that is asked when nobody names one", self.provider),
                "name it with `.model(..)`, of the question or of the builder, or with `BLOSSOM_MODEL`",
            )),
            model => Ok(model),
        }
    }
}

/// What a service would refuse, or worse, answer.
fn check(request: &Request) -> Result<(), Error> {
    match request {
        Request::Text { messages, params } => check_text(messages, params),
        Request::Image { prompt, params } => check_image(prompt, params),
    }
}

fn check_text(messages: &[Message], params: &TextParams) -> Result<(), Error> {
    if messages.is_empty() {
        return Err(Error::wrong("There is no message to answer", "give one at least: `Message::user(..)`"));
    }
    if let Some(empty) = messages.iter().find(|message| message.content.trim().is_empty()) {
        let message = format!("The message of `{}` is empty", empty.role.name());
        return Err(Error::wrong(message, "say what is asked, or leave it out"));
    }
    within("temperature", params.temperature, 2.0)?;
    within("top_p", params.top_p, 1.0)?;
    if params.max_tokens == Some(0) {
        return Err(Error::wrong("An answer of no tokens is none", "allow some with `.max_tokens(..)`"));
    }
    Ok(())
}

fn check_image(prompt: &str, params: &ImageParams) -> Result<(), Error> {
    if prompt.trim().is_empty() {
        return Err(Error::wrong("The prompt of a picture has no words", "say what should be seen"));
    }
    if [params.width, params.height].contains(&Some(0)) {
        return Err(Error::wrong("A picture without pixels is none", "give `.width(..)` and `.height(..)` in pixels"));
    }
    Ok(())
}

fn within(name: &str, value: Option<f64>, most: f64) -> Result<(), Error> {
    match value.filter(|value| !(0.0..=most).contains(value)) {
        Some(value) => {
            let message = format!("`{name}` is {value}, and goes from 0 to {most}");
            Err(Error::wrong(message, format!("give `.{name}(..)` a number in between")))
        }
        None => Ok(()),
    }
}
