//! Who may be asked, and who answers a stage.

use crate::diag::{Diagnostic, Diagnostics, listed, meant_or_all};
use crate::model::{At, Json, ProviderSettings};
use crate::spec::{KindSpec, Maybe, PipelineSpec, StageSpec};

use super::binder::{Binder, Site};
use super::given::Given;
use super::parameter::Parameter;
use super::settings::Settings;
use super::work::Dial;

const DEFAULT: &str = "pollinations";

/// The providers of the file and the built-in ones; a name of the file hides a built-in one.
pub(super) fn all(spec: &PipelineSpec) -> Known {
    let mut all: Vec<ProviderSettings> = spec.providers.iter().map(|one| one.settings.clone()).collect();
    for name in ProviderSettings::BUILT_IN {
        if !all.iter().any(|one| one.name == name) {
            all.extend(ProviderSettings::built_in(name));
        }
    }
    Known { all, is_incomplete: spec.unread.providers }
}

/// Who may be asked.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) all: Vec<ProviderSettings>,
    /// Those of the file could not be read, so that nobody can say which there are not.
    is_incomplete: bool,
}

impl Known {
    /// Why a value names none of them, if that can be said.
    fn misfit(&self, value: &Json) -> Option<String> {
        let Some(name) = Parameter::PROVIDER.read(value) else { return Some(Parameter::PROVIDER.misfit(value)) };
        let is_missing = !self.is_incomplete && self.find(&name).is_none();
        let names = self.all.iter().map(|one| one.name.as_str());
        is_missing.then(|| format!("there is no provider `{name}`, only {}", listed(names)))
    }

    pub(super) fn find(&self, name: &str) -> Option<&ProviderSettings> {
        self.all.iter().find(|one| one.name == name)
    }
}

/// Tells of a provider on the command line that does not exist.
pub(super) fn check_given(given: &Given, known: &Known, diagnostics: &mut Diagnostics) {
    if let Some(name) = &given.provider {
        check_name(name, known, diagnostics);
    }
}

pub(super) fn check_name(name: &At<String>, known: &Known, diagnostics: &mut Diagnostics) {
    if known.is_incomplete || known.find(&name.value).is_some() {
        return;
    }
    let help = meant_or_all(&name.value, known.all.iter().map(|one| one.name.as_str()), "there are");
    let message = format!("there is no provider `{}`", name.value);
    diagnostics.push(Diagnostic::error("unknown-provider", &name.place, message).help_if(help));
}

/// Who answers a stage, and with which model.
pub(super) fn choose(
    settings: &Settings<'_>,
    stage: &StageSpec,
    given: &Given,
    known: &Known,
    binder: &mut Binder<'_>,
) -> (Dial<String>, Option<Dial<String>>) {
    let provider = provider(settings, stage, given, known, binder);
    let model = model(settings, stage, given, binder);
    (provider, model)
}

fn provider(
    settings: &Settings<'_>,
    stage: &StageSpec,
    given: &Given,
    known: &Known,
    binder: &mut Binder<'_>,
) -> Dial<String> {
    let mut written = |maybe: &Maybe<String>| {
        if let Maybe::Plain(name) = maybe {
            check_name(name, known, binder.diagnostics());
        }
        let dial = binder.dial(maybe, Site::Chooser);
        if let (Maybe::Template(text), Dial::Template(template), None) = (maybe, &dial, &stage.when) {
            binder.refuse_known(template, &text.map.whole(), |value| known.misfit(value));
        }
        dial
    };
    let own = settings.own_provider().map(&mut written);
    let default = settings.default_provider().map(&mut written);
    if given.offline {
        return Dial::Fixed("offline".to_owned());
    }
    let said = given.provider.as_ref().map(|name| Dial::Fixed(name.value.clone()));
    own.or(said).or(default).unwrap_or_else(|| Dial::Fixed(DEFAULT.to_owned()))
}

fn model(settings: &Settings<'_>, stage: &StageSpec, given: &Given, binder: &mut Binder<'_>) -> Option<Dial<String>> {
    if let Some(own) = settings.own_model() {
        return Some(binder.dial(own, Site::Chooser));
    }
    let kind = stage.kind.as_ref().map(KindSpec::name);
    let for_kind = given.models.iter().rev().find(|(of, _)| of.is_some() && *of == kind);
    let for_texts = || given.models.iter().rev().find(|(of, _)| of.is_none() && settings.speaks());
    if let Some((_, name)) = for_kind.or_else(for_texts) {
        return Some(Dial::Fixed(name.clone()));
    }
    settings.default_model().map(|model| binder.dial(model, Site::Chooser))
}
