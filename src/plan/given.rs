//! What a run says beside the file: inputs, providers, a part of the stages.

use std::path::PathBuf;
use std::time::Duration;

use crate::model::{At, Budget, Json, Place, StageKindName};

/// What is said on the command line, or by a program, about the pipeline as a whole.
#[derive(Debug, Clone, Default)]
pub struct Given {
    /// Values of inputs.
    pub inputs: Vec<GivenInput>,
    /// The provider that `defaults` names.
    pub provider: Option<At<String>>,
    /// Models of `defaults`, for one kind of stage, or for text and chat.
    pub models: Vec<(Option<StageKindName>, String)>,
    /// Every provider is the built-in one.
    pub offline: bool,
    /// These stages and what they need.
    pub only: Vec<At<String>>,
    /// The first so many of every list that comes from an input.
    pub limit: Option<u64>,
    /// Limits that take the place of those of `budget`, each by itself.
    pub budget: Budget,
    /// What takes the place of `deadline`.
    pub deadline: Option<Duration>,
    /// What given paths are relative to.
    pub working_dir: PathBuf,
    /// Whether it is to be run: then a required input without a value is an error, else a note.
    pub to_run: bool,
    /// Whether data files are read through. They always are before a run.
    pub survey: bool,
    /// Which outputs are wanted at the end.
    pub wanted: WantedOutputs,
}

/// Which outputs are held until the end of a run. The files of a saved stage in a loop have its values: holding all of
/// them too costs memory, so it is done for those alone who ask.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum WantedOutputs {
    /// Those that lie in no files.
    #[default]
    Unsaved,
    /// These as well, by name.
    Named(Vec<String>),
    /// All.
    All,
}

impl WantedOutputs {
    /// Whether the output of this name is held although files have it.
    pub(super) fn includes(&self, name: &str) -> bool {
        match self {
            Self::Unsaved => false,
            Self::Named(names) => names.iter().any(|one| one == name),
            Self::All => true,
        }
    }
}

/// A value of an input.
#[derive(Debug, Clone)]
pub struct GivenInput {
    /// Which input, and where it was said.
    pub name: At<String>,
    /// Its value.
    pub value: GivenValue,
    /// Where the value was said.
    pub value_place: Place,
}

/// A value, as a text that is read by the input's type, or as it is.
#[derive(Debug, Clone)]
pub enum GivenValue {
    /// To be read by the input's type; a path is relative to the working directory.
    Text(String),
    /// As it is; a text for a list is a path as above.
    Json(Json),
}
