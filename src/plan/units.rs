//! Pipelines that are used become stages of their user. Each use is a *unit*: its stages, under names that begin with that
//! of the stage that uses them (`illustrate/cover`), and a namespace of its own.
//!
//! The units are a tree, of which the pipeline file itself is the root. Its leaves end, since no file can use itself.
//! Everything behind this file sees one list of inputs and one of stages; which names a template means depends on the
//! file in which it stands.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::diag::{Diagnostic, Diagnostics, did_you_mean, meant_or_all};
use crate::model::{FileId, Place};
use crate::spec::{
    DefaultsSpec, InputSpec, KindSpec, PipelineSpec, SettingsSpec, StageSpec, Unpacked, UseSpec, UsedSpec, WithSpec,
};

use super::bindings::{Binding, bind};
use super::given::Given;
use super::inputs::{self, Inputs};
use super::pipeline::InputValue;
use super::typed::TypedInput;

/// So many uses make one pipeline at most: files that use each other twice and more double with each level.
const MOST_UNITS: usize = 1000;

/// The pipeline file as a unit.
pub(super) const ROOT: usize = 0;

/// A pipeline with all that it uses, as one list of stages.
#[derive(Debug)]
pub(super) struct Units<'a> {
    /// The file with the inputs and the stages of all units. What else it says is that of the root.
    pub(super) spec: PipelineSpec,
    /// Parents come before their children.
    pub(super) all: Vec<Unit<'a>>,
    /// For each stage, where it belongs.
    pub(super) homes: Vec<Home>,
}

/// A use of a pipeline.
#[derive(Debug)]
pub(super) struct Unit<'a> {
    pub(super) spec: &'a PipelineSpec,
    /// The unit that uses it, and which of its stages that is.
    pub(super) parent: Option<(usize, usize)>,
    /// What the names in it begin with outside of it: `illustrate/`.
    pub(super) prefix: String,
    /// What it was read from; none for the root, which has all else.
    pub(super) used: Option<&'a UsedSpec>,
    /// Where it is used.
    pub(super) place: Option<Place>,
    /// For each of its inputs, where the value comes from.
    pub(super) bindings: Vec<Binding>,
    /// For each of its stages, the unit that it uses.
    children: Vec<Option<usize>>,
    /// For each of its stages, which of all stages it is.
    pub(super) stages: Vec<usize>,
}

/// Where a stage belongs.
#[derive(Debug, Clone)]
pub(super) struct Home {
    /// The unit in which its name is declared.
    pub(super) declared: usize,
    /// The unit whose names its templates mean, if they stand in no file of a unit around that.
    pub(super) speaks: usize,
    /// The stage that uses the unit, and so has the loops around this one.
    pub(super) within: Option<usize>,
    /// Its name in the whole pipeline.
    pub(super) full: Arc<str>,
    /// What it is made of.
    pub(super) role: Role,
}

/// What a stage is in its unit.
#[derive(Debug, Clone)]
pub(super) enum Role {
    /// One of the file.
    Written,
    /// One that uses another unit; its value is what that returns.
    Use(usize),
    /// An input of a used pipeline, which is made anew for each item.
    Input(Box<TypedInput>),
}

impl Unit<'_> {
    /// The folder that its paths are relative to.
    pub(super) fn folder(&self) -> &Path {
        &self.spec.folder
    }

    fn has(&self, file: FileId) -> bool {
        self.used.is_none_or(|used| used.has(file))
    }
}

/// Resolves the inputs of all units, and lays out their stages.
pub(super) fn lay_out<'a>(spec: &'a PipelineSpec, given: &Given, diagnostics: &mut Diagnostics) -> (Units<'a>, Inputs) {
    let root = Unit {
        spec,
        parent: None,
        prefix: String::new(),
        used: None,
        place: None,
        bindings: (0..spec.inputs.len()).map(Binding::Own).collect(),
        children: Vec::new(),
        stages: Vec::new(),
    };
    let inputs = inputs::resolve(spec, given, diagnostics);
    let mut found = Finder { units: vec![root], inputs, written: spec.inputs.clone(), diagnostics };
    let mut next = ROOT;
    // Units that are found are looked through in their turn.
    while next < found.units.len() {
        found.look_through(next);
        next += 1;
    }
    let Finder { units, inputs, written, .. } = found;
    let flat = PipelineSpec { inputs: written, stages: Vec::new(), ..spec.clone() };
    let mut whole = Units { spec: flat, all: units, homes: Vec::new() };
    whole.lay(ROOT, None);
    (whole, inputs)
}

/// Finds the units, and what their inputs are.
pub(super) struct Finder<'a, 'd> {
    pub(super) units: Vec<Unit<'a>>,
    pub(super) inputs: Inputs,
    /// The inputs that have a value of their own, as they are written.
    written: Vec<InputSpec>,
    pub(super) diagnostics: &'d mut Diagnostics,
}

impl<'a> Finder<'a, '_> {
    fn look_through(&mut self, unit: usize) {
        let spec = self.units[unit].spec;
        for (at, stage) in spec.stages.iter().enumerate() {
            let child = match &stage.kind {
                Some(KindSpec::Use(used)) => self.enter(unit, at, used),
                _ => None,
            };
            self.units[unit].children.push(child);
        }
    }

    fn enter(&mut self, parent: usize, at: usize, written: &'a UseSpec) -> Option<usize> {
        let used: &'a UsedSpec = written.pipeline.as_deref()?;
        let stage = &self.units[parent].spec.stages[at];
        if self.units.len() > MOST_UNITS {
            if !self.diagnostics.iter().any(|one| one.code == "too-many-uses") {
                let message = format!("more than {MOST_UNITS} pipelines are used in all");
                let help = "pipelines that use others several times double with each level: use fewer of them";
                self.diagnostics.push(Diagnostic::error("too-many-uses", &written.path.place, message).help(help));
            }
            return None;
        }
        let prefix = format!("{}{}/", self.units[parent].prefix, stage.name.value);
        self.refuse_unknown(written, used);
        let bindings = used.spec.inputs.iter().map(|input| {
            let with = written.with.iter().find(|with| with.name.value == input.name.value);
            match with {
                Some(with) => bind(self, parent, &prefix, input, with),
                None => self.left_open(written, used, &prefix, input),
            }
        });
        let bindings = bindings.collect();
        self.units.push(Unit {
            spec: &used.spec,
            parent: Some((parent, at)),
            prefix,
            used: Some(used),
            place: Some(written.path.place.clone()),
            bindings,
            children: Vec::new(),
            stages: Vec::new(),
        });
        Some(self.units.len() - 1)
    }

    fn refuse_unknown(&mut self, written: &UseSpec, used: &UsedSpec) {
        let spec = &used.spec;
        for with in written.with.iter().filter(|_| !spec.unread.names) {
            if spec.inputs.iter().any(|input| input.name.value == with.name.value) {
                continue;
            }
            let names = spec.inputs.iter().map(|input| input.name.value.as_str());
            let help = meant_or_all(&with.name.value, names, "its inputs are")
                .unwrap_or_else(|| "it has no inputs".to_owned());
            let message = format!("`{}` has no input `{}`", written.path.value, with.name.value);
            self.diagnostics.push(Diagnostic::error("unknown-input", &with.name.place, message).help(help));
        }
    }

    /// An input that its user says nothing of.
    fn left_open(&mut self, written: &UseSpec, used: &UsedSpec, prefix: &str, input: &InputSpec) -> Binding {
        let names = || used.spec.inputs.iter().map(|input| input.name.value.as_str());
        let is_meant = |with: &WithSpec| did_you_mean(&with.name.value, names()).as_deref() == Some(&*input.name.value);
        // What is meant by a name that is mistyped is told there.
        let is_unsure = input.is_unsure || !written.is_whole || written.with.iter().any(is_meant);
        let value = match inputs::default_of(input, &used.spec.folder) {
            Some(value) => value,
            None if is_unsure => Ok(InputValue::Missing),
            None => {
                let name = &input.name.value;
                let message = format!("the input `{name}` of `{}` has no value", written.path.value);
                Err(Diagnostic::error("missing-input", &written.path.place, message)
                    .also(&input.name.place, "it is declared here")
                    .help(format!("give it one: `with: {{{name}: VALUE}}`")))
            }
        };
        let place = input.default.as_ref().map_or(&input.name.place, |default| &default.place);
        self.add(input, prefix, value, place)
    }

    /// Gives an input a value of its own; nothing is known of it where that is wrong, which is told.
    pub(super) fn add(
        &mut self,
        input: &InputSpec,
        prefix: &str,
        value: Result<InputValue, Diagnostic>,
        place: &Place,
    ) -> Binding {
        let value = value.unwrap_or_else(|diagnostic| {
            self.diagnostics.push(diagnostic);
            InputValue::Missing
        });
        self.written.push(input.clone());
        Binding::Own(self.inputs.add(input, &format!("{prefix}{}", input.name.value), value, place))
    }
}

impl Units<'_> {
    /// Puts the stages of a unit, each behind those that it uses, at the end of the list.
    fn lay(&mut self, unit: usize, within: Option<usize>) {
        // Those of a used unit stand before the stage that uses it, whose index is known beforehand.
        let spec = self.all[unit].spec;
        let inherits = self.inherited(unit);
        for (at, stage) in spec.stages.iter().enumerate() {
            let child = self.all[unit].children[at];
            let size = child.map_or(0, |child| self.size(child));
            let own = self.spec.stages.len() + size;
            if let Some(child) = child {
                self.lay_inputs(child, (unit, stage, own), &inherits);
                self.lay(child, Some(own));
            }
            let full = format!("{}{}", self.all[unit].prefix, stage.name.value).into();
            let mut flat = StageSpec { inherits: inherits.clone(), ..stage.clone() };
            if unit != ROOT {
                flat.save = None;
            }
            let role = child.map_or(Role::Written, Role::Use);
            if let Some(child) = child {
                flat.kind = Some(KindSpec::Value(Some(self.returned(child))));
            }
            self.all[unit].stages.push(own);
            self.spec.stages.push(flat);
            self.homes.push(Home { declared: unit, speaks: child.unwrap_or(unit), within, full, role });
        }
    }

    /// The inputs of a unit that are made for each item of the stage that uses it.
    fn lay_inputs(
        &mut self,
        unit: usize,
        (user, by, within): (usize, &StageSpec, usize),
        inherits: &[Arc<DefaultsSpec>],
    ) {
        let inherits: Vec<Arc<DefaultsSpec>> = of_user(by).into_iter().chain(inherits.iter().cloned()).collect();
        for at in 0..self.all[unit].bindings.len() {
            let spec = self.all[unit].spec;
            let input = &spec.inputs[at];
            let next = self.spec.stages.len();
            let Binding::Made { stage, with } = &mut self.all[unit].bindings[at] else { continue };
            *stage = next;
            let (value, place) = (with.value.clone(), with.place.clone());
            self.spec.stages.push(StageSpec {
                name: with.name.clone(),
                description: input.description.clone(),
                kind: Some(KindSpec::Value(Some(value))),
                for_each: None,
                when: None,
                continues: None,
                expect: Vec::new(),
                save: None,
                settings: SettingsSpec::default(),
                inherits: inherits.clone(),
            });
            let full = format!("{}{}", self.all[unit].prefix, input.name.value).into();
            let role = Role::Input(Box::new(TypedInput::new(input, &place)));
            self.homes.push(Home { declared: unit, speaks: user, within: Some(within), full, role });
        }
    }

    /// How many stages a unit and those that it uses come to.
    fn size(&self, unit: usize) -> usize {
        let made = self.all[unit].bindings.iter().filter(|one| matches!(one, Binding::Made { .. })).count();
        let children = self.all[unit].children.iter().flatten();
        made + self.all[unit].spec.stages.len() + children.map(|child| self.size(*child)).sum::<usize>()
    }

    /// The settings that hold for the stages of a unit, nearest first, without those of the root.
    fn inherited(&self, unit: usize) -> Vec<Arc<DefaultsSpec>> {
        let mut inherits = Vec::new();
        let mut at = unit;
        while let Some((parent, stage)) = self.all[at].parent {
            inherits.push(Arc::new(self.all[at].spec.defaults.clone()));
            inherits.extend(of_user(&self.all[parent].spec.stages[stage]));
            at = parent;
        }
        inherits
    }

    /// The unit in whose file a template of a stage stands: one that it speaks of first, or one around that.
    pub(super) fn of_file(&self, speaks: usize, file: FileId) -> usize {
        let mut at = speaks;
        while let (false, Some((parent, _))) = (self.all[at].has(file), self.all[at].parent) {
            at = parent;
        }
        at
    }

    /// The folder of `file`, as a unit or one around it has that: what paths in the file are relative to.
    pub(super) fn written_in(&self, speaks: usize, file: FileId) -> PathBuf {
        self.all[self.of_file(speaks, file)].folder().to_owned()
    }

    /// The conditions of the stages that use this one, innermost first: which stage each is of.
    pub(super) fn users(&self, stage: usize) -> impl Iterator<Item = usize> {
        std::iter::successors(self.homes[stage].within, |user| self.homes[*user].within)
    }

    /// How many of these units, counted from a unit outwards, are around or the same as `of`: for loops.
    pub(super) fn is_around(&self, of: usize, inner: usize) -> bool {
        let mut chain = std::iter::successors(Some(inner), |at| self.all[*at].parent.map(|(parent, _)| parent));
        chain.any(|at| at == of)
    }

    /// Shipped templates that are used, each once.
    pub(super) fn unpacked(&self) -> Vec<Unpacked> {
        let mut all: Vec<Unpacked> = Vec::new();
        for one in self.all.iter().filter_map(|unit| unit.used?.unpacked.as_ref()) {
            if !all.iter().any(|other| other.name == one.name) {
                all.push(one.clone());
            }
        }
        all
    }

    /// Notes beside each mistake that stands in a used file where that is used.
    pub(super) fn with_uses(&self, one: Diagnostic) -> Diagnostic {
        let mut at = self.all.iter().position(|unit| unit.used.is_some_and(|used| used.has(one.place.file)));
        let mut one = one;
        while let Some(unit) = at {
            let Unit { parent, place, .. } = &self.all[unit];
            if let Some(place) = place {
                one = one.also(place, crate::spec::IS_USED);
            }
            at = parent.map(|(parent, _)| parent);
        }
        one
    }
}

/// What the stage that uses a pipeline says of failures in it.
fn of_user(stage: &StageSpec) -> Option<Arc<DefaultsSpec>> {
    let SettingsSpec { on_error, max_failures, .. } = &stage.settings;
    let says = on_error.is_some() || max_failures.is_some();
    let all =
        SettingsSpec { on_error: on_error.clone(), max_failures: max_failures.clone(), ..SettingsSpec::default() };
    says.then(|| Arc::new(DefaultsSpec { all, ..DefaultsSpec::default() }))
}
