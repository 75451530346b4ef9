//! The nouns of a checked pipeline. Names are indices here, templates are compiled, numbers are in range.

use std::sync::Arc;
use std::time::Duration;

use crate::model::{Budget, FailureLimit, Json, ProviderSettings, Rate, StageKindName, Waves};
use crate::source::ListSource;
use crate::spec::Unpacked;

use super::talk::Continues;
use super::template::Template;
use super::typed::TypedInput;
use super::work::{JsonTemplate, OnErrorPlan, Save, SaveForm, Work};

/// A stage, by its place in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StageIx(pub usize);

/// A loop, by the order in which loops are met in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LoopIx(pub usize);

/// A scope: one pass over one loop, inside a parent scope. The root is 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ScopeIx(pub usize);

impl ScopeIx {
    /// The scope outside of all loops.
    pub const ROOT: Self = Self(0);
}

/// A pipeline that can run: if you hold one, every check that needs no answer has passed.
#[derive(Debug)]
pub struct Plan {
    /// `name`.
    pub name: Arc<str>,
    /// `description`.
    pub description: Option<String>,
    /// Shipped templates that it uses: their files are there as long as this is.
    pub unpacked: Vec<Unpacked>,
    /// Values of the inputs, in file order; those of used pipelines come last.
    pub inputs: Vec<Input>,
    /// Providers that a stage may name, built-in ones included.
    pub providers: Vec<ProviderSettings>,
    /// The tree of loops: a parent comes before its children.
    pub loops: Vec<Loop>,
    /// The tree of scopes: a parent comes before its children.
    pub scopes: Vec<Scope>,
    /// The stages, in file order.
    pub stages: Vec<Stage>,
    /// What the pipeline returns, in file order.
    pub outputs: Vec<OutputPlan>,
    /// Of every list that comes from an input, the first so many.
    pub limit: Option<u64>,
    /// How much a run may take.
    pub budget: Budget,
    /// How long a run may take.
    pub deadline: Option<Duration>,
}

impl Plan {
    /// The stage at `ix`.
    pub fn stage(&self, ix: StageIx) -> &Stage {
        &self.stages[ix.0]
    }

    /// The loop at `ix`.
    pub fn loop_at(&self, ix: LoopIx) -> &Loop {
        &self.loops[ix.0]
    }

    /// The scope at `ix`.
    pub fn scope(&self, ix: ScopeIx) -> &Scope {
        &self.scopes[ix.0]
    }

    /// All stages with their indices, in file order.
    pub fn stage_ixs(&self) -> impl Iterator<Item = (StageIx, &Stage)> {
        self.stages.iter().enumerate().map(|(ix, stage)| (StageIx(ix), stage))
    }

    /// The stage of this name.
    pub fn find_stage(&self, name: &str) -> Option<StageIx> {
        self.stages.iter().position(|stage| &*stage.name == name).map(StageIx)
    }

    /// Whether a stage is among those that run; with a choice of stages not all are.
    pub fn runs(&self, ix: StageIx) -> bool {
        self.scopes[0].beneath.contains(&ix)
    }

    /// How many instances of a stage there are, where no answer is needed to know it.
    pub fn known_instances(&self, stage: &Stage) -> Option<u64> {
        stage.loops.iter().try_fold(1_u64, |product, ix| product.checked_mul(self.loop_at(*ix).rows?))
    }
}

/// An input with its value.
#[derive(Debug, Clone)]
pub struct Input {
    /// Its name.
    pub name: Arc<str>,
    /// Its value.
    pub value: InputValue,
}

/// The value of an input.
#[derive(Debug, Clone)]
pub enum InputValue {
    /// One value.
    Json(Arc<Json>),
    /// A list that is read as it is needed.
    List(ListSource),
    /// Required, and not given: possible while checking, never while running.
    Missing,
}

/// A loop.
#[derive(Debug, Clone)]
pub struct Loop {
    /// What an item is called.
    pub name: Arc<str>,
    /// The loop around it.
    pub parent: Option<LoopIx>,
    /// Where the items come from.
    pub source: LoopSource,
    /// How many items each time, where that is known beforehand.
    pub rows: Option<u64>,
}

/// Where the items of a loop come from.
#[derive(Debug, Clone)]
pub enum LoopSource {
    /// A list that is there before the run, at most so many of it.
    Rows {
        /// The list.
        list: ListSource,
        /// The first so many; all without a value.
        limit: Option<u64>,
    },
    /// A list in the value of a stage, which runs in loops around this one.
    Stage {
        /// The stage.
        stage: StageIx,
        /// The fields on the way to the list; none if the value is the list.
        path: Vec<String>,
    },
    /// A list in an item of a loop around this one.
    Item {
        /// The loop.
        of: LoopIx,
        /// The fields on the way to the list.
        path: Vec<String>,
    },
}

/// One pass over one loop. Its stages run for each item, as soon as what they name is there.
#[derive(Debug, Clone)]
pub struct Scope {
    /// The scope around it; none for the root.
    pub parent: Option<ScopeIx>,
    /// The loop; none for the root.
    pub of: Option<LoopIx>,
    /// Which pass over that loop, from 0.
    pub pass: u32,
    /// How many loops there are around an instance in it, its own included.
    pub level: usize,
    /// Scopes directly inside.
    pub children: Vec<ScopeIx>,
    /// Stages directly inside, in file order. An index into this is a *slot*.
    pub stages: Vec<StageIx>,
    /// Stages inside and in scopes below, in file order.
    pub beneath: Vec<StageIx>,
    /// What has to be complete before reading its list is of any use: one of these sets. None: at once.
    pub gates: Vec<Vec<Gate>>,
}

/// The completeness of a stage, waited for outside of its scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Gate {
    /// The stage.
    pub stage: StageIx,
    /// Under the first so many loops that both share.
    pub len: usize,
}

/// How a stage gets at the value of another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reach {
    /// One value, in the same scope or in one around it.
    Near {
        /// How many scopes up; 0 is the same.
        up: usize,
        /// Which of the stages there.
        slot: usize,
    },
    /// A value of an earlier pass, or all values under a shared part of the path.
    Far {
        /// The length of the shared part of the path.
        len: usize,
        /// Whether it is a list of all values under it.
        collect: bool,
    },
}

/// A stage that is named by another.
#[derive(Debug, Clone)]
pub struct Ref {
    /// Which one.
    pub stage: StageIx,
    /// How its value is reached.
    pub reach: Reach,
    /// Whether the instance can do without it.
    pub optional: bool,
}

/// Whose values a stage's templates name, beside those of other stages.
#[derive(Debug, Clone, Default)]
pub struct Needs {
    /// Inputs, by index.
    pub inputs: Vec<usize>,
    /// Loop variables.
    pub loops: Vec<LoopIx>,
    /// `loop`.
    pub loop_info: bool,
    /// `run`.
    pub run: bool,
    /// `previous`.
    pub previous: bool,
    /// What is `loop` for the stages that use its pipeline: the name under which it is seen, and how many of the loops
    /// around it they run in.
    pub outer_loops: Vec<(Arc<str>, usize)>,
}

/// A stage.
#[derive(Debug)]
pub struct Stage {
    /// Its name.
    pub name: Arc<str>,
    /// `description`.
    pub description: Option<String>,
    /// What it does.
    pub work: Work,
    /// As people know its kind.
    pub kind: StageKindName,
    /// The loops it runs in, outermost first.
    pub loops: Vec<LoopIx>,
    /// The scope it runs in.
    pub scope: ScopeIx,
    /// Its slot in that scope.
    pub slot: usize,
    /// How many stages lie before it on its longest way from an input.
    pub depth: u32,
    /// The stages it names.
    pub refs: Vec<Ref>,
    /// The stages that it names for the pipeline that it uses, which may need them or not.
    pub hands_on: Vec<StageIx>,
    /// What else it names.
    pub needs: Needs,
    /// Runs where this holds.
    pub when: Option<Template>,
    /// The same for the stages that use the pipeline which it is one of: it runs where these hold, too.
    pub outer_when: Vec<Template>,
    /// Instances at work at once, each until its answer has come; at least one.
    pub concurrency: usize,
    /// Starts in a time.
    pub rate: Option<Rate>,
    /// Starts in groups.
    pub waves: Option<Waves>,
    /// What a failure means.
    pub on_error: OnErrorPlan,
    /// When failures are too many.
    pub max_failures: Option<FailureLimit>,
    /// Where its values are written.
    pub save: Option<Save>,
    /// Whether somebody goes on with its conversations, so that they are carried along with its values.
    pub is_continued: bool,
    /// Whether, and how long, values are held for those who reach them from afar.
    pub shelf: Option<Shelving>,
    /// Fields of its value that must be lists, since loops are made of them.
    pub lists: Vec<Vec<String>>,
    /// What its value must be, if it is the input of a pipeline that another one uses.
    pub input: Option<Box<TypedInput>>,
}

impl Stage {
    /// Whose conversation it goes on with.
    pub fn continues(&self) -> Option<Continues> {
        match &self.work {
            Work::Text(work) => work.continues.map(|continued| continued.from),
            _ => None,
        }
    }

    /// Whether it does its items one after another, since each needs what came of the one before.
    pub fn goes_in_turn(&self) -> bool {
        self.needs.previous || self.continues() == Some(Continues::Previous)
    }

    /// Whether some of its instances may be left out.
    pub fn is_conditional(&self) -> bool {
        self.when.is_some() || !self.outer_when.is_empty()
    }

    /// Whether `save` gives each value a file. A row names a picture, and does not say where it lies.
    pub fn has_own_file(&self) -> bool {
        self.save.as_ref().is_some_and(|save| matches!(save.form, SaveForm::File))
    }

    /// Whether `save` gives each value a row of a file.
    pub fn has_rows(&self) -> bool {
        self.save.as_ref().is_some_and(|save| matches!(save.form, SaveForm::Rows { .. }))
    }

    /// Whether it makes pictures that are named after the stage and the item.
    pub fn names_its_pictures(&self) -> bool {
        matches!(self.work, Work::Image(_)) && !self.has_own_file()
    }

    /// The templates of its request.
    pub fn templates(&self) -> Vec<&Template> {
        self.work.templates()
    }
}

/// How long values of a stage are held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shelving {
    /// The stages that reach them from afar.
    pub consumers: Vec<StageIx>,
    /// When all consumers are complete under a path of this length, the values under it are dropped.
    pub len: usize,
    /// Held to the end of the run, for its outputs.
    pub to_the_end: bool,
    /// Whether one of the consumers goes on with its conversations.
    pub with_talk: bool,
}

/// One of the outputs.
#[derive(Debug)]
pub struct OutputPlan {
    /// What it is called.
    pub name: Arc<str>,
    /// Its value.
    pub value: JsonTemplate,
    /// The stages that the value names.
    pub refs: Vec<Ref>,
    /// The inputs that the value names, by index.
    pub inputs: Vec<usize>,
    /// The stage, if the value is that of one stage.
    pub stage: Option<StageIx>,
    /// Whether the value is fetched; that of a saved stage in a loop is not unless it is wanted, since its files have it.
    pub held: bool,
}
