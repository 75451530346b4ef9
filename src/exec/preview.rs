//! What an instance would ask, without asking.

use std::collections::HashMap;
use std::sync::Arc;

use crate::model::{Call, Conversation, Failure, FailureKind, Json, JsonMap, ProviderIdentity};
use crate::plan::{Plan, Stage, Work};

use super::context::{Renderer, Unrendered};
use super::job::Around;
use super::pictures::pictures_now;
use super::request::Requests;

/// What an instance would do.
#[derive(Debug)]
pub struct Preview {
    /// What it would ask for.
    pub asks: Asks,
    /// Whether its `when` holds; nothing where it has none, or none that these names can tell.
    pub holds: Option<bool>,
}

/// What an instance would ask for.
#[derive(Debug)]
pub enum Asks {
    /// It would make this call, to the provider of this name.
    Call {
        /// The call.
        call: Box<Call>,
        /// The provider's name in the file.
        provider: Arc<str>,
        /// Whether a stream would be asked for.
        stream: bool,
    },
    /// It would render this, without a call.
    Text(String),
    /// It would put this together, without a call.
    Json(Json),
}

/// What a stage is rendered with that nobody runs.
#[derive(Debug)]
pub struct Sketch<'a> {
    /// The plan that the stage is of.
    pub plan: &'a Plan,
    /// What of each provider is part of a call's key, by its name.
    pub providers: &'a HashMap<String, ProviderIdentity>,
    /// The names that it sees. Stand-ins take the place of what is not known yet.
    pub names: JsonMap,
    /// The items of the loops around it, outermost first.
    pub items: &'a [(Arc<str>, Json)],
    /// The conversation that it goes on with, if there is one.
    pub before: Option<Conversation>,
}

impl Sketch<'_> {
    /// What `stage` would do.
    ///
    /// # Errors
    /// What can't be rendered.
    pub fn preview(self, stage: &Stage) -> Result<Preview, Failure> {
        self.with(stage, |requests, holds| {
            let asked = match &stage.work {
                Work::Render(template) => {
                    let asks = Asks::Text(requests.renderer.text(template)?);
                    return Ok(Preview { asks, holds });
                }
                Work::Value(template) => {
                    let asks = Asks::Json(requests.renderer.json(template)?);
                    return Ok(Preview { asks, holds });
                }
                Work::Text(work) => requests.text(work)?,
                Work::Image(work) => requests.image(work)?,
            };
            let asked = asked.showing_now(stage.work.images(), requests.renderer)?;
            let stream = stage.work.asking().and_then(|asking| asking.stream).unwrap_or(false);
            Ok(Preview { asks: Asks::Call { call: Box::new(asked.call), provider: asked.provider, stream }, holds })
        })
    }

    /// The conversation that comes of `stage` with this answer; what went before if it is skipped where `when` does not
    /// hold, and that is so.
    ///
    /// # Errors
    /// What can't be rendered.
    pub fn talk(self, stage: &Stage, answer: &str, may_skip: bool) -> Result<Option<Conversation>, Failure> {
        self.with(stage, |requests, holds| match &stage.work {
            Work::Text(work) if !may_skip || holds != Some(false) => {
                let pictures = pictures_now(&work.images, requests.renderer)?;
                Ok(Some(requests.talk(work, pictures)?.answered(answer)))
            }
            _ => Ok(requests.before.cloned()),
        })
    }

    fn with<T>(
        self,
        stage: &Stage,
        make: impl FnOnce(&Requests<'_>, Option<bool>) -> Result<T, Unrendered>,
    ) -> Result<T, Failure> {
        let Self { plan, providers, names, items, before } = self;
        let renderer = Renderer::preview(names.into(), stage);
        let around: Vec<Around> = items
            .iter()
            .map(|(name, item)| Around {
                name: name.clone(),
                item: Arc::new(item.clone()),
                line: None,
                index: 0,
                key: "".into(),
            })
            .collect();
        let (around, renderer, before) = (&around[..], &renderer, before.as_ref());
        let requests = Requests { plan, stage, around, renderer, providers, before };
        let holds = if stage.is_conditional() { renderer.holds(stage).ok() } else { None };
        make(&requests, holds).map_err(failure)
    }
}

fn failure(unrendered: Unrendered) -> Failure {
    match unrendered {
        Unrendered::Fail(failure) => failure,
        Unrendered::Skip(_) => Failure::new(FailureKind::Template, "this instance would be skipped"),
    }
}
