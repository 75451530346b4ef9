//! Conversations that go on (`continues`), and stages that see their own value for the item before (`previous`).

use crate::diag::{Diagnostic, listed, meant_or_all};
use crate::model::{At, StageKindName};
use crate::spec::KindSpec;

use super::binder::{Binder, Site};
use super::fields::Written;
use super::names::Named;
use super::pipeline::StageIx;
use super::template::Use;
use super::units::{Role, Unit};

/// The word for a stage's own value for the item before.
pub(crate) const PREVIOUS: &str = "previous";

/// What comes before the messages of a stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Continued {
    /// Whose conversation.
    pub from: Continues,
    /// What its own `system` is for.
    pub system: System,
}

/// Whose conversation goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Continues {
    /// That of a stage, which is among those that it names.
    Stage(StageIx),
    /// That of the stage itself, for the item before in its innermost loop.
    Previous,
}

/// What becomes of `system` where a conversation goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum System {
    /// There is none: a conversation keeps what it began with.
    Kept,
    /// The first message is the stage's own: it takes the place of what the conversation began with.
    Replaced,
    /// The first message is that of `defaults`: it is for a conversation that begins here.
    Begun,
}

impl Binder<'_> {
    /// What `continues` names. It counts as naming that stage in the request.
    pub(super) fn continues(&mut self, written: &At<String>) -> Option<Continues> {
        self.unit = self.unit_of(&written.place);
        let own = self.own_name().to_owned();
        let word = written.value.as_str();
        let is_alone = self.own_loops().next().is_none();
        // What a user gives has no conversation here, even if it is another name for a stage.
        let is_input = self.ground.names.known(self.unit, true).any(|name| name == word);
        let (code, message, help) = match self.named(word) {
            Some(_) if is_input => no_talk_of(word, "an input"),
            None if word == PREVIOUS => {
                if !is_alone || self.is_broken(self.stage) {
                    return Some(Continues::Previous);
                }
                let message = format!("there is no item before: `{own}` runs once");
                ("outside-loop", message, "give it a `for_each`, or name the stage that it goes on with".to_owned())
            }
            None if self.ground.names.is_incomplete(self.unit) => return None,
            None => {
                let Unit { spec, stages, .. } = &self.ground.units.all[self.unit];
                let stages = stages.iter().zip(&spec.stages);
                let others = stages.filter(|(ix, _)| Some(**ix) != self.stage && self.no_talk(**ix, &own).is_none());
                let previous = (!is_alone).then_some(PREVIOUS);
                let others = others.map(|(_, stage)| stage.name.value.as_str()).chain(previous);
                let help = meant_or_all(word, others, "a conversation can go on from");
                ("unknown-stage", format!("there is no stage `{word}`"), help.unwrap_or_default())
            }
            Some(Named::Stage(stage)) if Some(stage) == self.stage => {
                let help = if is_alone {
                    "name the stage that it goes on with"
                } else {
                    "`continues: previous` goes on from item to item"
                };
                ("names-itself", format!("`{own}` goes on with itself"), help.to_owned())
            }
            Some(Named::Stage(stage)) => match self.no_talk(stage, &own) {
                None => {
                    self.found.stages.insert(stage, false);
                    self.found.places.entry(stage).or_insert_with(|| written.place.clone());
                    self.found.request_stages.insert(stage);
                    return Some(Continues::Stage(StageIx(stage)));
                }
                Some(told) => told,
            },
            Some(named) => no_talk_of(word, named.words()),
        };
        let told = Diagnostic::error(code, &written.place, message);
        self.diagnostics().push(if help.is_empty() { told } else { told.help(help) });
        None
    }

    /// Why the conversation of a stage can't go on here; nothing if it can.
    fn no_talk(&self, stage: usize, own: &str) -> Option<(&'static str, String, String)> {
        let (spec, tree) = (&self.ground.spec.stages[stage], self.ground.tree);
        let name = &spec.name.value;
        let kind = match self.ground.units.homes[stage].role {
            Role::Use(_) => Some(StageKindName::Use),
            Role::Written | Role::Input(_) => spec.kind.as_ref().map(KindSpec::name),
        };
        if let Some(kind) = kind
            && !kind.speaks()
        {
            let message = format!("`{name}` is a stage of `{}`: there is no conversation to go on with", kind.name());
            let help = format!("name a `text` or `chat` stage; a template can name the value, `{{{{{name}}}}}`");
            return Some(("no-conversation", message, help));
        }
        if self.is_broken(Some(stage)) || self.is_broken(self.stage) || self.loops.starts_with(&tree.of_stage[stage]) {
            return None;
        }
        let own_loops = tree.of_stage[stage].iter().filter(|ix| tree.loops[ix.0].unit == self.unit);
        let theirs = own_loops.map(|ix| tree.name(*ix));
        let message = format!(
            "`{name}` runs for each {}, and `{own}` does not: which of its conversations goes on is not known",
            listed(theirs)
        );
        let innermost = self.loop_of(name).unwrap_or_default();
        let help = format!(
            "write `for_each: {innermost}` here, or name all its answers in a message: `{{{{#each {name}}}}}..{{{{/each}}}}`"
        );
        Some(("many-conversations", message, help))
    }

    /// `previous` is named, or a field of it.
    pub(super) fn check_previous(&mut self, one: &Use, written: &Written<'_>) {
        let rest = &one.path[1..];
        let place = written.segment(PREVIOUS, rest);
        let (code, message, help) = match self.stage.filter(|stage| !self.is_output(*stage)) {
            Some(stage) if self.is_beside_use(stage) => {
                let message =
                    "`previous` is not known beside `use`: each stage of a used pipeline has its own".to_owned();
                let help = "name `previous` in a stage of the used file that loops, or put the loop into that file";
                ("previous-of-use", message, help)
            }
            Some(_) if self.site == Site::Chooser => {
                let message = "`previous` is an answer, and who answers can't depend on an answer".to_owned();
                ("chooser-names-stage", message, "`provider` and `model` name inputs and loop variables alone")
            }
            Some(_) if self.is_broken(self.stage) => return,
            Some(stage) if self.own_loops().next().is_some() => {
                self.found.previous = true;
                if one.optional {
                    self.check_fields(one, &self.ground.values[stage], written);
                    return;
                }
                let message = "there is no `previous` for the first item".to_owned();
                (
                    "previous-of-first",
                    message,
                    if self.in_when {
                        "say what to take then: `(default previous 'none')`"
                    } else {
                        "write `{{#if previous}}..{{previous}}..{{/if}}`, or `{{default previous 'none'}}`"
                    },
                )
            }
            // Once is enough.
            _ if self.found.previous => return,
            stage => {
                self.found.previous = true;
                let message = "`previous` is known inside of a loop alone".to_owned();
                let help = match stage {
                    Some(_) => "give the stage a `for_each`, or leave `previous` out",
                    None => "an output names inputs and stages",
                };
                ("outside-loop", message, help)
            }
        };
        self.diagnostics().push(Diagnostic::error(code, &place, message).help(help));
    }

    /// Whether a template stands beside `use`.
    fn is_beside_use(&self, stage: usize) -> bool {
        let home = &self.ground.units.homes[stage];
        matches!(home.role, Role::Use(_)) && home.declared == self.unit
    }

    /// Whether a template is one of the outputs of a used pipeline, which its stage of `use` comes to.
    fn is_output(&self, stage: usize) -> bool {
        let home = &self.ground.units.homes[stage];
        matches!(home.role, Role::Use(unit) if unit == self.unit)
    }

    fn own_name(&self) -> &str {
        self.stage.map_or("", |stage| &self.ground.spec.stages[stage].name.value)
    }
}

fn no_talk_of(word: &str, what: &str) -> (&'static str, String, String) {
    let message = format!("`{word}` is {what}: there is no conversation to go on with");
    ("no-conversation", message, "name a `text` or `chat` stage".to_owned())
}
