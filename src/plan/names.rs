//! The one namespace of inputs, stages and loop variables that each file has.

use std::collections::HashMap;

use indexmap::IndexMap;

use crate::diag::{Diagnostic, Diagnostics, meant};
use crate::model::{At, Place};
use crate::spec::ForEachSpec;

use super::bindings::Binding;
use super::units::Units;

/// What a name of the file stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Named {
    Input(usize),
    Stage(usize),
    Variable,
}

impl Named {
    /// As people call it, with its article.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Input(_) => "an input",
            Self::Stage(_) => "a stage",
            Self::Variable => "a loop variable",
        }
    }
}

/// A name of a file, with what it stands for and where it was declared first.
#[derive(Debug)]
struct Declared {
    named: Named,
    place: Place,
    is_input: bool,
    /// What it is called where it is declared, and the unit in which that is: another one for an input that is only
    /// another name.
    meant: (usize, String),
}

/// Every name of every unit. Equal names of two units have nothing to do with each other.
#[derive(Debug, Default)]
pub(super) struct Names {
    units: Vec<Table>,
    /// By what each is called in the whole pipeline.
    full: HashMap<String, (usize, String)>,
}

/// The names of one unit.
#[derive(Debug, Default)]
struct Table {
    names: IndexMap<String, Declared>,
    prefix: String,
    /// Some could not be read, so that nobody can say of a word that it is no name.
    is_incomplete: bool,
}

impl Names {
    /// Gathers all names; two meanings of one are an error that shows both places.
    pub(super) fn gather(units: &Units<'_>, diagnostics: &mut Diagnostics) -> Self {
        let mut names = Self::default();
        for (unit, of) in units.all.iter().enumerate() {
            let (prefix, is_incomplete) = (of.prefix.clone(), of.spec.unread.names);
            names.units.push(Table { names: IndexMap::new(), prefix, is_incomplete });
            for (input, binding) in of.spec.inputs.iter().zip(&of.bindings) {
                let own = (unit, input.name.value.clone());
                let (meaning, meant) = match binding {
                    Binding::Own(ix) => (Named::Input(*ix), own),
                    Binding::Made { stage, .. } => (Named::Stage(*stage), own),
                    // Its user has been gathered before.
                    Binding::Alias(name) => match of.parent.and_then(|(user, _)| names.declared(user, name)) {
                        Some(declared) => (declared.named, declared.meant.clone()),
                        None => continue,
                    },
                };
                names.declare(unit, &input.name, (meaning, true, meant), diagnostics);
            }
            let own = |name: &At<String>| (unit, name.value.clone());
            for (stage, ix) in of.spec.stages.iter().zip(&of.stages) {
                names.declare(unit, &stage.name, (Named::Stage(*ix), false, own(&stage.name)), diagnostics);
            }
            for stage in &of.spec.stages {
                if let Some(ForEachSpec::Loops(loops)) = &stage.for_each {
                    for entry in loops {
                        let variable = (Named::Variable, false, own(&entry.variable));
                        names.declare(unit, &entry.variable, variable, diagnostics);
                    }
                }
            }
        }
        names
    }

    fn declare(
        &mut self,
        unit: usize,
        name: &At<String>,
        (named, is_input, meant): (Named, bool, (usize, String)),
        diagnostics: &mut Diagnostics,
    ) {
        if let Some(Declared { named: first, place, .. }) = self.units[unit].names.get(&name.value) {
            if *first == Named::Variable && named == Named::Variable {
                return;
            }
            let first = first.words();
            diagnostics.push(
                Diagnostic::error(
                    "name-clash",
                    &name.place,
                    format!("`{}` is the name of {first} already", name.value),
                )
                .label(format!("here it is {}", named.words()))
                .also(place, format!("here it is {first}"))
                .help("give one of them another name: inputs, stages and loop variables share their names"),
            );
            return;
        }
        let full = format!("{}{}", self.units[unit].prefix, name.value);
        self.full.insert(full, meant.clone());
        let declared = Declared { named, place: name.place.clone(), is_input, meant };
        self.units[unit].names.insert(name.value.clone(), declared);
    }

    fn declared(&self, unit: usize, name: &str) -> Option<&Declared> {
        self.units[unit].names.get(name)
    }

    pub(super) fn get(&self, unit: usize, name: &str) -> Option<Named> {
        self.declared(unit, name).map(|declared| declared.named)
    }

    /// The unit in which something is declared, and what it is called there.
    pub(super) fn meant(&self, unit: usize, name: &str) -> Option<(usize, &str)> {
        self.declared(unit, name).map(|declared| (declared.meant.0, declared.meant.1.as_str()))
    }

    /// What a name of a unit is called in the whole pipeline. One that is not known is nothing that another unit has.
    pub(super) fn full(&self, unit: usize, name: &str) -> String {
        let (unit, name) = self.meant(unit, name).unwrap_or((unit, name));
        format!("{}{name}", self.units[unit].prefix)
    }

    /// What is called so in the whole pipeline: its unit, and its name there.
    pub(super) fn find(&self, full: &str) -> Option<(usize, &str)> {
        self.full.get(full).map(|(unit, name)| (*unit, name.as_str()))
    }

    /// The inputs and the stages of a unit, in file order.
    pub(super) fn known(&self, unit: usize, is_input: bool) -> impl Iterator<Item = &str> {
        let names = self.units[unit].names.iter();
        let wanted = names
            .filter(move |(_, one)| one.is_input == is_input && (is_input || matches!(one.named, Named::Stage(_))));
        wanted.map(|(name, _)| name.as_str())
    }

    /// Whether there may be names of a unit that are not known.
    pub(super) fn is_incomplete(&self, unit: usize) -> bool {
        self.units[unit].is_incomplete
    }

    /// Whether templates read this word as a name of the file and not as a field.
    pub(super) fn is_name(&self, unit: usize, word: &str) -> bool {
        self.units[unit].names.contains_key(word) || matches!(word, "loop" | "run" | "previous")
    }

    /// The name that was probably meant, as a sentence; never `but`.
    pub(super) fn suggest(&self, unit: usize, word: &str, but: &str) -> Option<String> {
        let names = self.units[unit].names.keys().map(String::as_str).filter(|name| *name != but);
        meant(word, names)
    }
}
