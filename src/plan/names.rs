//! The one namespace of inputs, stages and loop variables.

use indexmap::IndexMap;

use crate::diag::{Diagnostic, Diagnostics, meant};
use crate::model::{At, Place};
use crate::spec::{ForEachSpec, PipelineSpec};

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

/// Every name of the file, with what it stands for and where it was declared first.
#[derive(Debug, Default)]
pub(super) struct Names {
    names: IndexMap<String, (Named, Place)>,
    /// Some could not be read, so that nobody can say of a word that it is no name.
    is_incomplete: bool,
}

impl Names {
    /// Gathers all names; two meanings of one are an error that shows both places.
    pub(super) fn gather(spec: &PipelineSpec, diagnostics: &mut Diagnostics) -> Self {
        let mut names = Self { names: IndexMap::new(), is_incomplete: spec.unread.names };
        for (ix, input) in spec.inputs.iter().enumerate() {
            names.declare(&input.name, Named::Input(ix), diagnostics);
        }
        for (ix, stage) in spec.stages.iter().enumerate() {
            names.declare(&stage.name, Named::Stage(ix), diagnostics);
        }
        for stage in &spec.stages {
            if let Some(ForEachSpec::Loops(loops)) = &stage.for_each {
                for entry in loops {
                    names.declare(&entry.variable, Named::Variable, diagnostics);
                }
            }
        }
        names
    }

    fn declare(&mut self, name: &At<String>, named: Named, diagnostics: &mut Diagnostics) {
        if let Some((first, place)) = self.names.get(&name.value) {
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
        self.names.insert(name.value.clone(), (named, name.place.clone()));
    }

    pub(super) fn get(&self, name: &str) -> Option<Named> {
        self.names.get(name).map(|(named, _)| *named)
    }

    /// Whether there may be names that are not known.
    pub(super) fn is_incomplete(&self) -> bool {
        self.is_incomplete
    }

    /// Whether templates read this word as a name of the file and not as a field.
    pub(super) fn is_name(&self, word: &str) -> bool {
        self.names.contains_key(word) || matches!(word, "loop" | "run" | "previous")
    }

    /// The name that was probably meant, as a sentence; never `but`.
    pub(super) fn suggest(&self, word: &str, but: &str) -> Option<String> {
        let names = self.names.keys().map(String::as_str).filter(|name| *name != but);
        meant(word, names)
    }
}
