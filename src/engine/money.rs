//! What a run may spend: prices are gathered, and a run that can't be priced does not begin.

use futures::future::join_all;

use crate::client::{Environment, Member, Prices, unpriced};
use crate::model::{Failure, ProviderIdentity, ProviderKind, StageKindName};
use crate::plan::{Dial, Plan, Stage};
use crate::provider::ModelInfo;

use super::providers::{listed, members};

/// Prices as far as they are known, and why some are not.
#[derive(Debug, Clone, Default)]
pub struct KnownPrices {
    /// What is known.
    pub prices: Prices,
    /// Lists that could not be read, a sentence each: their models are unpriced.
    pub warnings: Vec<String>,
}

/// The prices of all that a plan may ask: those of its file, and those that are known. With `want_lists`, services that
/// name prices in their lists of models, and that stages of the plan ask, are asked for them.
///
/// # Errors
/// A provider that can't be spoken to as it is described.
pub async fn prices(plan: &Plan, want_lists: bool) -> Result<KnownPrices, Failure> {
    let members = members(&plan.providers)?;
    let mut known = KnownPrices { prices: Prices::of(&members), warnings: Vec::new() };
    if !want_lists {
        return Ok(known);
    }
    let environment = Environment::process();
    let asked = members.iter().filter(|member| {
        member.settings.kind == ProviderKind::Pollinations && may_be_asked(plan, &member.settings.name)
    });
    let lists = asked.map(async |member| (member, list(member, &environment).await));
    for (member, list) in join_all(lists).await {
        let name = &member.settings.name;
        match list {
            Ok(models) => known.prices.add_list(name, &models),
            Err(failure) => known.warnings.push(format!(
                "the prices of `{name}` are not known, since its list of models can't be read: {failure}"
            )),
        }
    }
    Ok(known)
}

async fn list(member: &Member, environment: &Environment) -> Result<Vec<ModelInfo>, Failure> {
    listed(&member.provider, &member.settings, environment).await
}

/// Whether a stage that runs asks this provider, or may.
fn may_be_asked(plan: &Plan, provider: &str) -> bool {
    running(plan).filter_map(|stage| stage.work.asking()).any(|asking| match &asking.provider {
        Dial::Fixed(name) if name != provider => {
            asking.fallbacks.iter().any(|one| one.provider.as_deref() == Some(provider))
        }
        Dial::Fixed(_) | Dial::Template(_) => true,
    })
}

fn running(plan: &Plan) -> impl Iterator<Item = &Stage> {
    plan.stage_ixs().filter(|(ix, _)| plan.runs(*ix)).map(|(_, stage)| stage)
}

/// Refuses to begin where the cost is limited and a stage asks a model that has no known price.
///
/// # Errors
/// The first such stage.
pub(super) fn refuse_unpriced<'a>(
    plan: &Plan,
    prices: &Prices,
    identity: impl Fn(&str) -> Option<&'a ProviderIdentity>,
) -> Result<(), Failure> {
    if plan.budget.cost.is_none() {
        return Ok(());
    }
    for stage in running(plan) {
        let Some(asking) = stage.work.asking() else { continue };
        let is_image = stage.kind == StageKindName::Image;
        let usual =
            |provider: &str| identity(provider).filter(|_| !is_image).and_then(|one| one.kind.default_text_model());
        let own = match &asking.provider {
            Dial::Fixed(provider) => Some(provider.as_str()),
            Dial::Template(_) => None,
        };
        let first = own.and_then(|provider| match &asking.model {
            Some(Dial::Fixed(model)) => Some((provider, Some(model.as_str()))),
            Some(Dial::Template(_)) => None,
            None => Some((provider, usual(provider))),
        });
        let others = asking.fallbacks.iter().filter_map(|one| {
            let provider = one.provider.as_deref().or(own)?;
            Some((provider, one.model.as_deref().or_else(|| usual(provider))))
        });
        for (provider, model) in first.into_iter().chain(others) {
            if !prices.find(provider, model, is_image).is_some_and(|price| price.is_known_for(is_image)) {
                let failure = unpriced(provider, model);
                return Err(Failure { message: format!("`{}`: {}", stage.name, failure.message), ..failure });
            }
        }
    }
    Ok(())
}
