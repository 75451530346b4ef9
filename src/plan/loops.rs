//! The tree of loops: which loops there are, under which parent, and in which of them each stage runs.

use crate::diag::{Diagnostic, Diagnostics};
use crate::model::{Json, Place};

use super::inputs::Inputs;
use super::loop_builder::Builder;
use super::names::Names;
use super::pipeline::LoopIx;
use super::shape::Shape;
use super::units::Units;

/// A loop as it is found: its source names stages and loops by index.
#[derive(Debug)]
pub(super) struct LoopDraft {
    pub(super) name: String,
    /// The unit that declares it: its name means nothing in another.
    pub(super) unit: usize,
    /// Its name in the whole pipeline.
    pub(super) full: String,
    pub(super) parent: Option<LoopIx>,
    pub(super) source: DraftSource,
    pub(super) place: Place,
    /// Where its list is written.
    pub(super) list_place: Place,
    /// Where each element stands, if the list is written out there.
    pub(super) items: Vec<Place>,
}

/// Where items come from; two loops over equal sources are loops over one list.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum DraftSource {
    Input { input: usize, path: Vec<String> },
    List(Vec<Json>),
    Count(u64),
    Stage { stage: usize, path: Vec<String> },
    Item { of: LoopIx, path: Vec<String> },
}

impl DraftSource {
    /// The stage that the items come from.
    pub(super) fn stage(&self) -> Option<usize> {
        if let Self::Stage { stage, .. } = self { Some(*stage) } else { None }
    }
}

/// The tree, and the loops of each stage, outermost first.
#[derive(Debug, Default)]
pub(super) struct LoopTree {
    pub(super) loops: Vec<LoopDraft>,
    pub(super) of_stage: Vec<Vec<LoopIx>>,
    /// Stages whose `for_each` is wrong: in which loops they would run is not known.
    pub(super) is_broken: Vec<bool>,
    /// What is known of the value of each stage.
    pub(super) values: Vec<Shape>,
}

impl LoopTree {
    /// A loop and the loops around it, outermost first.
    pub(super) fn chain(&self, innermost: Option<LoopIx>) -> Vec<LoopIx> {
        let mut chain: Vec<LoopIx> = std::iter::successors(innermost, |ix| self.loops[ix.0].parent).collect();
        chain.reverse();
        chain
    }

    /// The loop that a unit declares under this name.
    pub(super) fn find(&self, (unit, name): (usize, &str)) -> Option<LoopIx> {
        self.loops.iter().position(|one| one.unit == unit && one.name == name).map(LoopIx)
    }

    pub(super) fn name(&self, ix: LoopIx) -> &str {
        &self.loops[ix.0].name
    }

    /// What it is called in the whole pipeline.
    pub(super) fn full(&self, ix: LoopIx) -> &str {
        &self.loops[ix.0].full
    }

    /// The shape of an item.
    pub(super) fn shape(&self, ix: LoopIx, inputs: &Inputs) -> Shape {
        match &self.loops[ix.0].source {
            DraftSource::Input { input, path } => match inputs.shapes[*input].behind(path) {
                Some(Shape::List(of)) => *of,
                Some(Shape::Plain(_)) => Shape::Plain("a number"),
                _ => Shape::Any,
            },
            DraftSource::List(items) => Shape::of_items(items),
            DraftSource::Count(_) => Shape::Plain("a number"),
            DraftSource::Item { of, path } => {
                let list = self.shape(*of, inputs).behind(path);
                list.and_then(|list| list.element()).unwrap_or(Shape::Any)
            }
            DraftSource::Stage { stage, path } => {
                let list = self.values.get(*stage).and_then(|value| value.behind(path));
                list.and_then(|list| list.element()).unwrap_or(Shape::Any)
            }
        }
    }
}

/// Finds the loops of every stage. A stage whose `for_each` is wrong is left without loops, and the mistake is told.
pub(super) fn build(
    units: &Units<'_>,
    names: &Names,
    inputs: &Inputs,
    values: &[Shape],
    diagnostics: &mut Diagnostics,
) -> LoopTree {
    let tree = Builder::new(units, names, inputs, values, diagnostics).build();
    warn_of_twins(&tree, diagnostics);
    tree
}

fn warn_of_twins(tree: &LoopTree, diagnostics: &mut Diagnostics) {
    for (ix, one) in tree.loops.iter().enumerate() {
        let by_name =
            matches!(one.source, DraftSource::Input { .. } | DraftSource::Stage { .. } | DraftSource::Item { .. });
        let is_twin =
            |other: &&LoopDraft| other.source == one.source && other.parent == one.parent && other.unit == one.unit;
        let twin = tree.loops[..ix].iter().find(is_twin);
        if let (true, Some(twin)) = (by_name, twin) {
            let (first, second) = (&twin.name, &one.name);
            diagnostics.push(
                Diagnostic::warning(
                    "two-loops-one-list",
                    &one.place,
                    format!("`{second}` and `{first}` loop over the same list"),
                )
                .also(&twin.place, format!("`{first}` is declared here"))
                .help(format!(
                    "a stage in the one sees all values of the other: write `for_each: {first}` to go item beside item"
                )),
            );
        }
    }
}

/// A name for one of many, good enough for an example.
pub(super) fn singular(plural: &str) -> String {
    match plural
        .strip_suffix("ies")
        .map(|stem| format!("{stem}y"))
        .or_else(|| plural.strip_suffix('s').map(str::to_owned))
    {
        Some(one) if !one.is_empty() && one != plural => one,
        _ => "item".to_owned(),
    }
}
