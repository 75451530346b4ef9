//! Who may be asked, and who answers a stage.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::diag::{Diagnostic, Diagnostics, listed, meant_or_all};
use crate::model::{At, Json, ProviderSettings};
use crate::spec::{KindSpec, Maybe, StageSpec};

use super::binder::{Binder, Site};
use super::given::Given;
use super::parameter::Parameter;
use super::settings::Settings;
use super::units::{ROOT, Unit, Units};
use super::work::Dial;

const DEFAULT: &str = "pollinations";

/// The providers of all units and the built-in ones. A name of a file hides a built-in one, and means nothing in others.
pub(super) fn all(units: &Units<'_>) -> Known {
    let mut known = Known { all: Vec::new(), units: Vec::new() };
    for (at, unit) in units.all.iter().enumerate() {
        // A file that is used twice has the same providers, and one limit for both.
        let same = |other: &&Unit<'_>| std::ptr::eq(other.spec, unit.spec);
        let names = match units.all[..at].iter().position(|other| same(&other)) {
            Some(twin) => known.units[twin].own.clone(),
            None => known.declare(unit),
        };
        let around = unit.parent.map(|(parent, _)| known.units[parent].visible.clone());
        let built_in = ProviderSettings::BUILT_IN.into_iter().map(|name| {
            let means = around.as_ref().and_then(|around| around.get(name).cloned());
            (name.to_owned(), means.unwrap_or_else(|| name.to_owned()))
        });
        let visible = built_in.chain(names.clone()).collect();
        known.units.push(InUnit { own: names, visible: Arc::new(visible), is_incomplete: unit.spec.unread.providers });
    }
    for name in ProviderSettings::BUILT_IN {
        if !known.all.iter().any(|one| one.name == name) {
            known.all.extend(ProviderSettings::built_in(name));
        }
    }
    known
}

/// Who may be asked.
#[derive(Debug)]
pub(super) struct Known {
    /// Under their names in the whole pipeline.
    pub(super) all: Vec<ProviderSettings>,
    units: Vec<InUnit>,
}

/// Who may be asked by the stages of one unit.
#[derive(Debug)]
struct InUnit {
    own: BTreeMap<String, String>,
    /// What each goes by in the whole pipeline. A built-in name that the file says nothing of means what it means to the
    /// one who uses it.
    visible: Arc<BTreeMap<String, String>>,
    /// Those of the file could not be read, so that nobody can say which there are not.
    is_incomplete: bool,
}

impl Known {
    fn declare(&mut self, unit: &Unit<'_>) -> BTreeMap<String, String> {
        let mut names = BTreeMap::new();
        for one in &unit.spec.providers {
            let full = format!("{}{}", unit.prefix, one.name.value);
            names.insert(one.name.value.clone(), full.clone());
            self.all.push(ProviderSettings { name: full, ..one.settings.clone() });
        }
        names
    }

    /// Why a value names none of them, if that can be said.
    fn misfit(&self, unit: usize, value: &Json) -> Option<String> {
        let Some(name) = Parameter::PROVIDER.read(value) else { return Some(Parameter::PROVIDER.misfit(value)) };
        let InUnit { visible, is_incomplete, .. } = &self.units[unit];
        let is_missing = !is_incomplete && !visible.contains_key(&name);
        is_missing.then(|| format!("there is no provider `{name}`, only {}", listed(self.names(unit))))
    }

    /// Those of a file first, in its order.
    fn names(&self, unit: usize) -> impl Iterator<Item = &str> {
        let InUnit { own, visible, .. } = &self.units[unit];
        let of_file = self.all.iter().filter_map(|one| own.iter().find(|(_, full)| **full == one.name));
        let others = ProviderSettings::BUILT_IN.into_iter().filter(|name| !own.contains_key(*name));
        let others = others.filter_map(|name| visible.get_key_value(name));
        of_file.chain(others).map(|(name, _)| name.as_str())
    }

    /// By the name in the whole pipeline.
    pub(super) fn find(&self, full: &str) -> Option<&ProviderSettings> {
        self.all.iter().find(|one| one.name == full)
    }

    /// What a name of a unit is in the whole pipeline.
    pub(super) fn full(&self, unit: usize, name: &str) -> String {
        self.units[unit].visible.get(name).map_or(name, String::as_str).to_owned()
    }

    /// What the names of a unit are in the whole pipeline, where they are not the same.
    fn known_as(&self, unit: usize) -> Option<Arc<BTreeMap<String, String>>> {
        (unit != ROOT).then(|| self.units[unit].visible.clone())
    }
}

/// Tells of a provider on the command line that does not exist.
pub(super) fn check_given(given: &Given, known: &Known, diagnostics: &mut Diagnostics) {
    if let Some(name) = &given.provider {
        check_name(ROOT, name, known, diagnostics);
    }
}

pub(super) fn check_name(unit: usize, name: &At<String>, known: &Known, diagnostics: &mut Diagnostics) {
    let InUnit { visible, is_incomplete, .. } = &known.units[unit];
    if *is_incomplete || visible.contains_key(&name.value) {
        return;
    }
    let help = meant_or_all(&name.value, known.names(unit), "there are");
    let message = format!("there is no provider `{}`", name.value);
    diagnostics.push(Diagnostic::error("unknown-provider", &name.place, message).help_if(help));
}

/// Who answers, and who is meant by the names that a template of it may come to.
pub(super) type Chosen = (Dial<String>, Option<Arc<BTreeMap<String, String>>>);

/// Who answers a stage, and with which model.
pub(super) fn choose(
    settings: &Settings<'_>,
    stage: &StageSpec,
    given: &Given,
    known: &Known,
    binder: &mut Binder<'_>,
) -> (Chosen, Option<Dial<String>>) {
    let is_conditional = stage.when.is_some() || binder.has_outer_condition();
    let provider = provider(settings, is_conditional, given, known, binder);
    let model = model(settings, stage, given, binder);
    (provider, model)
}

fn provider(
    settings: &Settings<'_>,
    is_conditional: bool,
    given: &Given,
    known: &Known,
    binder: &mut Binder<'_>,
) -> Chosen {
    let usual = known.full(binder.speaks, DEFAULT);
    let mut written = |maybe: &Maybe<String>| {
        let dial = binder.dial(maybe, Site::Chooser);
        match (maybe, dial) {
            (Maybe::Plain(name), _) => {
                let unit = binder.unit_of(&name.place);
                check_name(unit, name, known, binder.diagnostics());
                (Dial::Fixed(known.full(unit, &name.value)), None)
            }
            (Maybe::Template(text), dial) => {
                let place = text.map.whole();
                let unit = binder.unit_of(&place);
                if let (Dial::Template(template), false) = (&dial, is_conditional) {
                    binder.refuse_known(template, &place, |value| known.misfit(unit, value));
                }
                (dial, known.known_as(unit))
            }
        }
    };
    let own = settings.own_provider().map(&mut written);
    let default = settings.default_provider().map(&mut written);
    let fixed = |name: &str| (Dial::Fixed(name.to_owned()), None);
    if given.offline {
        return fixed("offline");
    }
    let said = given.provider.as_ref().map(|name| fixed(&name.value));
    own.or(said).or(default).unwrap_or_else(|| fixed(&usual))
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
