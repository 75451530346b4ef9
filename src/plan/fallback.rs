//! Who is asked where the stage's own provider has no good answer.

use crate::diag::Diagnostic;
use crate::model::StageKindName;
use crate::spec::{FallbackSpec, KindSpec, StageSpec};

use super::binder::Binder;
use super::given::Given;
use super::providers::{Known, check_name};
use super::settings::Settings;
use super::work::Dial;

/// Somebody else to be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FallbackPlan {
    /// The provider's name in the whole pipeline; without it, that of the stage.
    pub provider: Option<String>,
    /// The model; without it, what the provider takes when none is named.
    pub model: Option<String>,
}

/// The fallbacks of a stage that is asked of `first`; where every provider is the built-in one there are none.
pub(super) fn fallbacks(
    settings: &Settings<'_>,
    stage: &StageSpec,
    first: (&Dial<String>, Option<&Dial<String>>),
    (given, known): (&Given, &Known),
    binder: &mut Binder<'_>,
) -> Vec<FallbackPlan> {
    // A model at the top of `defaults` speaks to texts and chats alone, and so do these.
    let Some(written) = settings.get_for_kind(|s| s.fallback.as_ref()) else { return Vec::new() };
    let kind = stage.kind.as_ref().map(KindSpec::name);
    let mut before = vec![asked_first(first, kind, known)];
    let mut fallbacks = Vec::new();
    for one in &written.value {
        let provider = one.provider.as_ref().map(|name| {
            let unit = binder.unit_of(&name.place);
            check_name(unit, name, known, binder.diagnostics());
            known.full(unit, &name.value)
        });
        let model = one.model.as_ref().map(|at| at.value.clone());
        if given.offline {
            continue;
        }
        let asked = provider.clone().or(match first.0 {
            Dial::Fixed(name) => Some(name.clone()),
            Dial::Template(_) => None,
        });
        let usual = asked.as_ref().and_then(|name| usual_model(name, kind, known));
        refuse_without_model(one, stage, (asked.as_deref(), usual.is_some()), known, binder);
        let who = asked.map(|name| (name, model.clone().or(usual)));
        if who.is_some() && before.contains(&who) {
            let message = "this is who was asked before, and would be asked the same again";
            let help = "name another provider or model, or take it out; `retry` asks the same one again";
            let told = Diagnostic::warning("fallback-without-effect", &one.place, message).help(help);
            binder.diagnostics().push(told);
            continue;
        }
        before.push(who);
        fallbacks.push(FallbackPlan { provider, model });
    }
    fallbacks
}

/// Provider and model, where they are the same for all instances.
fn asked_first(
    (provider, model): (&Dial<String>, Option<&Dial<String>>),
    kind: Option<StageKindName>,
    known: &Known,
) -> Option<(String, Option<String>)> {
    let Dial::Fixed(provider) = provider else { return None };
    match model {
        Some(Dial::Fixed(model)) => Some((provider.clone(), Some(model.clone()))),
        Some(Dial::Template(_)) => None,
        None => Some((provider.clone(), usual_model(provider, kind, known))),
    }
}

/// The model that a text gets from a provider when nobody names one.
fn usual_model(provider: &str, kind: Option<StageKindName>, known: &Known) -> Option<String> {
    let speaks = kind.is_some_and(StageKindName::speaks);
    known.find(provider).filter(|_| speaks)?.kind.default_text_model().map(str::to_owned)
}

fn refuse_without_model(
    one: &FallbackSpec,
    stage: &StageSpec,
    (provider, has_usual): (Option<&str>, bool),
    known: &Known,
    binder: &mut Binder<'_>,
) {
    let speaks = stage.kind.as_ref().is_some_and(|kind| kind.name().speaks());
    let Some(provider) = provider.filter(|name| speaks && known.find(name).is_some()) else { return };
    let provider = one.provider.as_ref().map_or(provider, |written| &written.value);
    if one.model.is_none() && !has_usual {
        let message = format!("this names no model, and the provider `{provider}` has no default");
        let help = format!("name one: `{{provider: {provider}, model: NAME}}`");
        binder.diagnostics().push(Diagnostic::error("no-model", &one.place, message).help(help));
    }
}
