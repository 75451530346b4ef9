//! Names of a file become names of the whole pipeline: what a run fills templates in with goes by the latter.

use std::sync::Arc;

use crate::model::Place;

use super::binder::Binder;
use super::pipeline::LoopIx;
use super::template::Template;
use super::units::ROOT;

impl<'a> Binder<'a> {
    /// The loops around the stage that the file of a template knows.
    pub(super) fn own_loops(&self) -> impl Iterator<Item = LoopIx> {
        let (tree, unit) = (self.ground.tree, self.unit);
        self.loops.iter().copied().filter(move |ix| tree.loops[ix.0].unit == unit)
    }

    /// The unit in whose file something of the stage stands.
    pub(super) fn unit_of(&self, place: &Place) -> usize {
        self.ground.units.of_file(self.speaks, place.file)
    }

    /// What the stage is called in the whole pipeline.
    pub(super) fn own_full_name(&self) -> &'a str {
        self.stage.map_or("", |stage| &self.ground.units.homes[stage].full)
    }

    /// Whether a stage that uses the pipeline of this one has a condition.
    pub(super) fn has_outer_condition(&self) -> bool {
        let units = self.ground.units;
        self.stage.is_some_and(|stage| units.users(stage).any(|user| self.ground.spec.stages[user].when.is_some()))
    }

    /// The loop that goes by this name in the file of a template.
    pub(super) fn variable(&self, name: &str) -> Option<LoopIx> {
        self.ground.tree.find(self.ground.names.meant(self.unit, name)?)
    }

    /// The template, with names of the whole pipeline in the place of those of its file.
    pub(super) fn in_whole(&mut self, template: Template) -> Template {
        let outer = self.outer_loop();
        if self.unit == ROOT && outer.is_none() {
            return template;
        }
        if template.uses().iter().any(|one| one.path[0] == "loop")
            && let Some(outer) = &outer
            && !self.found.outer_loops.contains(outer)
        {
            self.found.outer_loops.push(outer.clone());
        }
        let names = self.ground.names;
        template.renamed(&|path| {
            let (root, rest) = path.split_first()?;
            let rest = rest.iter().map(|segment| (*segment).to_owned());
            match *root {
                "run" | "previous" => None,
                "loop" => {
                    let name = outer.as_ref().map_or("loop", |(name, _)| name).to_owned();
                    let mut rest: Vec<String> = rest.collect();
                    if let Some(variable) = rest.first_mut()
                        && let Some(ix) = self.variable(variable)
                    {
                        variable.replace_range(.., self.ground.tree.full(ix));
                    }
                    Some(std::iter::once(name).chain(rest).collect())
                }
                name => Some(std::iter::once(names.full(self.unit, name)).chain(rest).collect()),
            }
        })
    }

    /// What `loop` means to the file of a template, if it is that of a unit around the stage: what it is called, and how
    /// many of the stage's loops are around that.
    fn outer_loop(&self) -> Option<(Arc<str>, usize)> {
        let (units, tree) = (self.ground.units, self.ground.tree);
        let known = self.loops.iter().take_while(|ix| units.is_around(tree.loops[ix.0].unit, self.unit)).count();
        let is_outer = known < self.loops.len();
        is_outer.then(|| (format!("{}loop", units.all[self.below()].prefix).into(), known))
    }

    /// The unit directly below that of a template, on the way to that of the stage.
    fn below(&self) -> usize {
        let units = &self.ground.units.all;
        let mut at = self.stage.map_or(ROOT, |stage| self.ground.units.homes[stage].declared);
        while let Some((parent, _)) = units[at].parent.filter(|(parent, _)| at != self.unit && *parent != self.unit) {
            at = parent;
        }
        at
    }
}
