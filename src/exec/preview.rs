//! What an instance would ask, without asking.

use std::collections::HashMap;
use std::sync::Arc;

use crate::model::{Call, Failure, FailureKind, Json, JsonMap, ProviderIdentity, truthy};
use crate::plan::{Plan, Stage, Work};

use super::context::{Renderer, Unrendered};
use super::job::Around;
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
}

/// Renders a stage with `names`, in which stand-ins take the place of what is not known yet. `items` are those of the
/// loops around it, outermost first.
///
/// # Errors
/// What can't be rendered.
#[expect(clippy::implicit_hasher, reason = "the map is the run's own")]
pub fn preview(
    plan: &Plan,
    stage: &Stage,
    names: JsonMap,
    items: &[(Arc<str>, Json)],
    providers: &HashMap<String, ProviderIdentity>,
) -> Result<Preview, Failure> {
    let renderer = Renderer::preview(names.into(), stage);
    let around: Vec<Around> = items
        .iter()
        .map(|(name, item)| Around { name: name.clone(), item: Arc::new(item.clone()), index: 0, key: "".into() })
        .collect();
    let requests = Requests { plan, stage, around: &around, renderer: &renderer, providers };
    let holds = stage.when.as_ref().and_then(|when| renderer.value(when).ok()).map(|value| truthy(&value));
    let asked = match &stage.work {
        Work::Render(template) => {
            let asks = Asks::Text(renderer.text(template).map_err(failure)?);
            return Ok(Preview { asks, holds });
        }
        Work::Text(work) => requests.text(work),
        Work::Image(work) => requests.image(work),
    };
    let asked = asked.and_then(|asked| asked.showing_now(stage.work.images(), &renderer)).map_err(failure)?;
    let stream = stage.work.asking().and_then(|asking| asking.stream).unwrap_or(false);
    Ok(Preview { asks: Asks::Call { call: Box::new(asked.call), provider: asked.provider, stream }, holds })
}

fn failure(unrendered: Unrendered) -> Failure {
    match unrendered {
        Unrendered::Fail(failure) => failure,
        Unrendered::Skip(_) => Failure::new(FailureKind::Template, "this instance would be skipped"),
    }
}
