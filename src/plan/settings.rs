//! What holds for a stage: what it says itself, then what is said on the command line, then `defaults`.

use crate::model::StageKindName;
use crate::spec::{DefaultsSpec, KindSpec, Maybe, SettingsSpec, StageSpec};

/// The settings that speak to one stage, nearest first.
#[derive(Debug, Clone, Copy)]
pub(super) struct Settings<'a> {
    own: &'a SettingsSpec,
    of_kind: Option<&'a SettingsSpec>,
    all: &'a SettingsSpec,
    kind: StageKindName,
}

/// The kind of a stage, as people know it.
pub(super) fn kind_name(kind: &KindSpec) -> StageKindName {
    match kind {
        KindSpec::Text(_) => StageKindName::Text,
        KindSpec::Chat(_) => StageKindName::Chat,
        KindSpec::Image(_) => StageKindName::Image,
        KindSpec::Render(_) => StageKindName::Render,
    }
}

impl<'a> Settings<'a> {
    pub(super) fn of(stage: &'a StageSpec, defaults: &'a DefaultsSpec) -> Self {
        let kind = kind_name(&stage.kind);
        let of_kind = match kind {
            StageKindName::Text => Some(&defaults.text),
            StageKindName::Chat => Some(&defaults.chat),
            StageKindName::Image => Some(&defaults.image),
            StageKindName::Render => None,
        };
        Self { own: &stage.settings, of_kind, all: &defaults.all, kind }
    }

    /// The nearest that says anything about `key`.
    pub(super) fn get<T>(&self, key: impl Fn(&'a SettingsSpec) -> Option<&'a T>) -> Option<&'a T> {
        key(self.own).or_else(|| self.of_kind.and_then(&key)).or_else(|| key(self.all))
    }

    /// As [`Settings::get`]; `model` and `timeout` at the top of `defaults` speak to text and chat alone.
    pub(super) fn get_for_kind<T>(&self, key: impl Fn(&'a SettingsSpec) -> Option<&'a T>) -> Option<&'a T> {
        let top = || if self.speaks() { key(self.all) } else { None };
        key(self.own).or_else(|| self.of_kind.and_then(&key)).or_else(top)
    }

    /// Whether it is a text or a chat.
    pub(super) fn speaks(&self) -> bool {
        matches!(self.kind, StageKindName::Text | StageKindName::Chat)
    }

    pub(super) fn own_provider(&self) -> Option<&'a Maybe<String>> {
        self.own.provider.as_ref()
    }

    pub(super) fn default_provider(&self) -> Option<&'a Maybe<String>> {
        self.of_kind.and_then(|settings| settings.provider.as_ref()).or(self.all.provider.as_ref())
    }

    pub(super) fn own_model(&self) -> Option<&'a Maybe<String>> {
        self.own.model.as_ref()
    }

    pub(super) fn default_model(&self) -> Option<&'a Maybe<String>> {
        let top = if self.speaks() { self.all.model.as_ref() } else { None };
        self.of_kind.and_then(|settings| settings.model.as_ref()).or(top)
    }
}
