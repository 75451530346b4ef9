//! `for_each: NAME` where there is no such loop variable: what the name is instead, and what was probably meant.

use std::collections::BTreeSet;

use crate::diag::{did_you_mean, listed};
use crate::model::InputKind;
use crate::spec::ForEachSpec;

use super::loop_builder::{Builder, Progress, declarations};
use super::loop_sources::no_list;
use super::loops::singular;
use super::names::Named;

impl Builder<'_> {
    /// Tells what is wrong with the name that a stage joins. It is told when all loops are known, since what to write
    /// instead may be one of them.
    pub(super) fn tell_of_join(&mut self, stage: usize) {
        let Some(ForEachSpec::Join(name)) = &self.spec.stages[stage].for_each else { return };
        if matches!(self.progress[stage], Progress::Settled(_)) {
            return;
        }
        let word = &name.value;
        let unit = self.unit(stage);
        match self.names.get(unit, word) {
            // What is wrong with its declaration is told there.
            Some(Named::Variable) => {}
            None if self.names.is_incomplete(unit) => {}
            Some(named) => {
                let (message, help) = self.no_variable(word, named, stage);
                self.error("for-each-list", &name.place, message, help);
            }
            None => {
                let declared = declarations(self.spec).filter(|(stage, ..)| self.unit(*stage) == unit);
                let variables: BTreeSet<&str> = declared.map(|(_, _, entry)| entry.variable.value.as_str()).collect();
                let help = match did_you_mean(word, variables.iter().copied()) {
                    Some(meant) => format!("did you mean `{meant}`?"),
                    None if variables.is_empty() => "declare one: `for_each: {item: LIST}`".to_owned(),
                    None => format!("loop variables are {}", listed(variables)),
                };
                self.error("unknown-loop", &name.place, format!("there is no loop variable `{word}`"), help);
            }
        }
    }

    /// Why the name of an input or a stage can't be joined, and what to write instead.
    fn no_variable(&self, word: &str, named: Named, by: usize) -> (String, String) {
        let each = format!("give each item a name: `for_each: {{{}: {word}}}`", singular(word));
        match named {
            Named::Input(input) if self.inputs.kinds[input] == InputKind::Items => {
                (format!("`{word}` is a list, not a loop variable"), each)
            }
            Named::Stage(stage) if stage != by => {
                let message = format!("`{word}` is a stage, not a loop variable");
                match self.progress[stage] {
                    Progress::Settled(Some(ix)) => {
                        (message, format!("join the loop that it runs in: `for_each: {}`", self.tree.name(ix)))
                    }
                    _ if no_list(&self.spec.stages[stage], self.spec).is_none() => (message, each),
                    _ => (message, "take it out: a stage that names another one waits for it anyway".to_owned()),
                }
            }
            Named::Input(input) if self.inputs.kinds[input] == InputKind::Json => {
                let help = format!("name a list in it: `for_each: {{item: {word}.LIST}}`");
                (format!("`{word}` is an input, not a loop variable"), help)
            }
            Named::Input(input) if self.inputs.kinds[input] == InputKind::Integer => {
                let help = format!("count up to it: `for_each: {{n: {word}}}`");
                (format!("`{word}` is an input, not a loop variable"), help)
            }
            named => {
                let help = "a loop goes over a list: `for_each: {item: LIST}`".to_owned();
                (format!("`{word}` is {}, not a loop variable", named.words()), help)
            }
        }
    }
}
