//! What holds for a stage: what it says itself, then what is said on the command line, then `defaults`.

use crate::diag::{Diagnostic, Diagnostics};
use crate::model::{At, Place, StageKindName};
use crate::spec::{DefaultsSpec, KindSpec, Maybe, OnErrorSpec, PipelineSpec, SettingsSpec, StageSpec};

/// The settings that speak to one stage, nearest first.
#[derive(Debug, Clone)]
pub(super) struct Settings<'a> {
    own: &'a SettingsSpec,
    /// Those of its own file; if that is used, then those of who uses it, and so on.
    defaults: Vec<Defaults<'a>>,
    kind: Option<StageKindName>,
}

/// The defaults of one file, as far as they speak to a stage.
#[derive(Debug, Clone, Copy)]
struct Defaults<'a> {
    of_kind: Option<&'a SettingsSpec>,
    all: &'a SettingsSpec,
}

impl<'a> Settings<'a> {
    /// `defaults` are those of the pipeline file.
    pub(super) fn of(stage: &'a StageSpec, defaults: &'a DefaultsSpec) -> Self {
        let kind = stage.kind.as_ref().map(KindSpec::name);
        let of_kind = |defaults: &'a DefaultsSpec| match kind {
            Some(StageKindName::Text) => Some(&defaults.text),
            Some(StageKindName::Chat) => Some(&defaults.chat),
            Some(StageKindName::Image) => Some(&defaults.image),
            _ => None,
        };
        let around = stage.inherits.iter().map(|defaults| &**defaults).chain([defaults]);
        let defaults = around.map(|defaults| Defaults { of_kind: of_kind(defaults), all: &defaults.all }).collect();
        Self { own: &stage.settings, defaults, kind }
    }

    /// The nearest that says anything about `key`.
    pub(super) fn get<T>(&self, key: impl Fn(&'a SettingsSpec) -> Option<&'a T>) -> Option<&'a T> {
        key(self.own).or_else(|| self.default(true, key))
    }

    /// As [`Settings::get`]; `model` and `timeout` at the top of `defaults` speak to text and chat alone.
    pub(super) fn get_for_kind<T>(&self, key: impl Fn(&'a SettingsSpec) -> Option<&'a T>) -> Option<&'a T> {
        key(self.own).or_else(|| self.default(self.speaks(), key))
    }

    /// The nearest of the defaults that says anything; what is said for all kinds counts if it speaks to this one.
    fn default<T>(&self, for_all: bool, key: impl Fn(&'a SettingsSpec) -> Option<&'a T>) -> Option<&'a T> {
        let of_file = |Defaults { of_kind, all }: &Defaults<'a>| {
            of_kind.and_then(&key).or_else(|| if for_all { key(all) } else { None })
        };
        self.defaults.iter().find_map(of_file)
    }

    /// Every place where something may be said.
    fn all(&self) -> impl Iterator<Item = &'a SettingsSpec> {
        let defaults = self.defaults.iter().flat_map(|defaults| defaults.of_kind.into_iter().chain([defaults.all]));
        std::iter::once(self.own).chain(defaults)
    }

    /// Whether it is a text or a chat.
    pub(super) fn speaks(&self) -> bool {
        self.kind.is_some_and(StageKindName::speaks)
    }

    pub(super) fn is_image(&self) -> bool {
        self.kind == Some(StageKindName::Image)
    }

    /// Whether the length of an answer has an end, be it one that could not be read.
    pub(super) fn has_max_tokens(&self) -> bool {
        self.all().any(|settings| settings.keys.contains_key("max_tokens"))
    }

    /// Whether what a failure means is written in a way that could not be read.
    fn has_unread_on_error(&self) -> bool {
        self.all().any(|settings| settings.on_error.is_none() && settings.keys.contains_key("on_error"))
    }

    pub(super) fn own_provider(&self) -> Option<&'a Maybe<String>> {
        self.own.provider.as_ref()
    }

    pub(super) fn default_provider(&self) -> Option<&'a Maybe<String>> {
        self.default(true, |settings| settings.provider.as_ref())
    }

    pub(super) fn own_model(&self) -> Option<&'a Maybe<String>> {
        self.own.model.as_ref()
    }

    /// Whether a model is named that could not be read.
    pub(super) fn has_unread_model(&self) -> bool {
        self.all().any(|settings| settings.has_unread_model)
    }

    pub(super) fn default_model(&self) -> Option<&'a Maybe<String>> {
        self.default(self.speaks(), |settings| settings.model.as_ref())
    }
}

/// Warns of limits on failures that no stage goes on with.
pub(super) fn warn_of_limits(spec: &PipelineSpec, diagnostics: &mut Diagnostics) {
    let mut limits: Vec<(&Place, bool)> = Vec::new();
    for stage in &spec.stages {
        let settings = Settings::of(stage, &spec.defaults);
        let Some(At { place, .. }) = settings.get(|s| s.max_failures.as_ref()) else { continue };
        let on_error = settings.get(|s| s.on_error.as_ref());
        let counts =
            settings.has_unread_on_error() || on_error.is_some_and(|at| matches!(at.value, OnErrorSpec::Continue));
        match limits.iter_mut().find(|(other, _)| *other == place) {
            Some((_, any_counts)) => *any_counts |= counts,
            None => limits.push((place, counts)),
        }
    }
    for (place, _) in limits.into_iter().filter(|(_, counts)| !counts) {
        let message = "`max_failures` is without effect: the run does not go on after a failure";
        let help = "write `on_error: continue` beside it, or take it out";
        diagnostics.push(Diagnostic::warning("limit-without-effect", place, message).help(help));
    }
}
