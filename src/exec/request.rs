//! The call of an instance, made from its stage and what it sees.

use std::collections::HashMap;
use std::sync::Arc;

use crate::client::Fallback;
use crate::model::{
    Call, Choice, Conversation, Failure, FailureKind, ImageParams, ProviderIdentity, Request, TextParams,
};
use crate::plan::{Asking, Dial, FallbackPlan, ImageWork, LoopIx, Parameter, Plan, Stage, TextWork};

use super::context::{Renderer, Unrendered};
use super::job::Around;

/// A call, and whom it goes to.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) call: Call,
    pub(super) provider: Arc<str>,
    /// What was said before the messages of the stage itself, if somebody goes on with these.
    pub(super) before: Option<Conversation>,
}

/// Makes the calls of one instance.
#[derive(Debug)]
pub(super) struct Requests<'a> {
    pub(super) plan: &'a Plan,
    pub(super) stage: &'a Stage,
    pub(super) around: &'a [Around],
    pub(super) renderer: &'a Renderer<'a>,
    pub(super) providers: &'a HashMap<String, ProviderIdentity>,
    /// The conversation that it goes on with, if there is one.
    pub(super) before: Option<&'a Conversation>,
}

impl Requests<'_> {
    pub(super) fn text(&self, work: &TextWork) -> Result<Asked, Unrendered> {
        let (before, own) = self.said(work)?;
        let messages = if work.continues.is_some() { before.and(own).messages() } else { own };
        let params = TextParams {
            max_tokens: self.dial(&Parameter::MAX_TOKENS, work.max_tokens.as_ref())?,
            temperature: self.dial(&Parameter::TEMPERATURE, work.temperature.as_ref())?,
            seed: self.dial(&Parameter::SEED, work.seed.as_ref())?,
            ..work.params.clone()
        };
        let asked = self.asked(&work.asking, Request::Text { messages, params }, work.answer.clone())?;
        Ok(Asked { before: self.stage.is_continued.then_some(before), ..asked })
    }

    pub(super) fn image(&self, work: &ImageWork) -> Result<Asked, Unrendered> {
        let params = ImageParams {
            width: self.dial(&Parameter::WIDTH, work.width.as_ref())?,
            height: self.dial(&Parameter::HEIGHT, work.height.as_ref())?,
            seed: self.dial(&Parameter::SEED, work.seed.as_ref())?,
            ..work.params.clone()
        };
        let prompt = self.renderer.text(&work.prompt)?;
        if prompt.trim().is_empty() {
            return Err(empty("the prompt"));
        }
        self.asked(&work.asking, Request::Image { prompt, params }, Choice::Text)
    }

    fn asked(&self, asking: &Asking, request: Request, answer: Choice) -> Result<Asked, Unrendered> {
        let named = self.dial(&Parameter::PROVIDER, Some(&asking.provider))?.unwrap_or_default();
        // In a used pipeline, names are those of its own file.
        let provider = asking.known_as.as_ref().map_or(Some(&named), |known| known.get(&named));
        let Some((provider, identity)) = provider.and_then(|name| self.providers.get_key_value(name)) else {
            let all: Vec<&String> = match &asking.known_as {
                Some(known) => known.keys().collect(),
                None => self.providers.keys().collect(),
            };
            let mut known: Vec<String> = all.into_iter().map(|name| format!("`{name}`")).collect();
            known.sort();
            let provider = named;
            let failure = Failure::new(FailureKind::BadRequest, format!("there is no provider `{provider}`"))
                .suggest(format!("there are {}", known.join(", ")));
            return Err(Unrendered::Fail(failure));
        };
        let model = self.dial(&Parameter::MODEL, asking.model.as_ref())?.or_else(|| usual_model(identity, &request));
        let repeat = asking.repeat.iter().map(|of| self.repeated(*of)).collect();
        let call = Call { stage: self.stage.name.clone(), provider: identity.clone(), model, request, repeat, answer };
        Ok(Asked { call, provider: provider.as_str().into(), before: None })
    }

    /// Who else is asked for what `asked` asks.
    pub(super) fn fallbacks(&self, asking: &Asking, asked: &Asked) -> Vec<Fallback> {
        let fallback = |FallbackPlan { provider, model }: &FallbackPlan| {
            let provider = provider.as_deref().map_or_else(|| asked.provider.clone(), Arc::from);
            let identity = self.providers.get(&*provider)?.clone();
            let model = model.clone().or_else(|| usual_model(&identity, &asked.call.request));
            // Where the file chooses by item, it may choose the same one.
            let is_first = provider == asked.provider && model == asked.call.model;
            (!is_first).then_some(Fallback { provider, identity, model })
        };
        asking.fallbacks.iter().filter_map(fallback).collect()
    }

    /// The item of a loop that the request does not depend on, as it goes into the call's key.
    fn repeated(&self, of: LoopIx) -> String {
        let name = &self.plan.loop_at(of).name;
        let around = self.around.iter().find(|around| around.name == *name);
        around.map_or_else(String::new, |around| around.item.to_string())
    }

    /// A setting of this instance; what a template gives is checked here.
    fn dial<T: Clone>(&self, parameter: &Parameter<T>, dial: Option<&Dial<T>>) -> Result<Option<T>, Unrendered> {
        match dial {
            None => Ok(None),
            Some(Dial::Fixed(value)) => Ok(Some(value.clone())),
            Some(Dial::Template(template)) => {
                let value = self.renderer.value(template)?;
                let failure = || Unrendered::Fail(Failure::new(FailureKind::Template, parameter.misfit(&value)));
                parameter.read(&value).map(Some).ok_or_else(failure)
            }
        }
    }
}

/// The model that is asked when nobody names one.
fn usual_model(identity: &ProviderIdentity, request: &Request) -> Option<String> {
    match request {
        Request::Text { .. } => identity.kind.default_text_model().map(str::to_owned),
        Request::Image { .. } => None,
    }
}

/// Nothing is asked where there is nothing to answer.
pub(super) fn empty(what: &str) -> Unrendered {
    let failure = Failure::new(FailureKind::Template, format!("{what} is empty when its values are filled in"));
    Unrendered::Fail(failure.suggest("look at the values that it names, or leave such items out with `when`"))
}
