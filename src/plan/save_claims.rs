//! Who saves what, and what is told where two want one file.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use crate::diag::Diagnostic;
use crate::model::Place;
use crate::output::{Claims, Fold, PictureFormat, SafePath, picture_format};

use super::binder::Ground;

/// An instance that saves.
#[derive(Debug, Clone)]
pub(super) struct Owner {
    pub(super) stage: usize,
    pub(super) item: Item,
    /// A picture that gets the extension of its bytes.
    pub(super) is_open: bool,
}

/// Which item it is of.
#[derive(Debug, Clone)]
pub(super) enum Item {
    /// Of none, or of all.
    Any,
    /// Of a loop that stands in no other, from 1.
    Number(u64),
    /// By what it is called in all of its loops.
    Key(Arc<str>),
}

/// The paths so far. A picture without an extension is in the way of all that may be its own.
#[derive(Debug)]
pub(super) struct SaveClaims<'a> {
    ground: &'a Ground<'a>,
    claims: Claims<Owner>,
    /// Of pictures, without extensions; kept where one of them is without.
    stems: Option<HashMap<Fold, Option<(SafePath, Owner)>>>,
    /// Of two stages it is told once.
    told: BTreeSet<(usize, Option<usize>)>,
}

/// So many pictures are remembered by name.
const REMEMBERED: usize = 4096;

impl<'a> SaveClaims<'a> {
    /// `has_open` says whether there are pictures without an extension.
    pub(super) fn new(ground: &'a Ground<'a>, has_open: bool) -> Self {
        Self { ground, claims: Claims::default(), stems: has_open.then(HashMap::new), told: BTreeSet::new() }
    }

    /// Takes a path for `owner`, or says who has it. `shares` is for files of rows, which all instances of a stage share.
    pub(super) fn claim(&mut self, path: &SafePath, owner: &Owner, shares: bool) -> Option<Diagnostic> {
        // Pictures come as PNG more often than not; the other formats are compared by their stems.
        let Ok(file) = (if owner.is_open { path.with_appended_extension("png") } else { Ok(path.clone()) }) else {
            return None;
        };
        let other = match self.claims.claim(&file, || owner.clone()) {
            Ok(()) => self.claim_stem(path, owner)?,
            Err(taken) if shares && taken.by.as_ref().is_none_or(|(_, other)| other.stage == owner.stage) => {
                return None;
            }
            Err(taken) => taken.by,
        };
        let is_new = self.told.insert((owner.stage, other.as_ref().map(|(_, other)| other.stage)));
        is_new.then(|| self.tell(&file, owner, other.as_ref()))
    }

    /// Who has a picture of the same name but for its extension, if one of the two gets that from its bytes.
    fn claim_stem(&mut self, path: &SafePath, owner: &Owner) -> Option<Option<(SafePath, Owner)>> {
        let stems = self.stems.as_mut()?;
        let stem = match path.extension().filter(|_| !owner.is_open) {
            None if owner.is_open => path.as_str(),
            None => return None,
            Some(extension) if picture_format(&extension) == PictureFormat::None => return None,
            Some(extension) => &path.as_str()[..path.as_str().len() - extension.len() - 1],
        };
        let room = stems.len() < REMEMBERED;
        match stems.entry(Fold::of(stem)) {
            std::collections::hash_map::Entry::Occupied(taken) => {
                let other = taken.get().clone();
                let is_clash = owner.is_open || other.as_ref().is_none_or(|(_, other)| other.is_open);
                is_clash.then_some(other)
            }
            std::collections::hash_map::Entry::Vacant(free) => {
                free.insert((room || owner.is_open).then(|| (path.clone(), owner.clone())));
                None
            }
        }
    }

    fn tell(&self, path: &SafePath, owner: &Owner, other: Option<&(SafePath, Owner)>) -> Diagnostic {
        let Some((theirs, other)) = other else {
            let message = format!("{} would be saved as `{path}`, and so would an earlier item", self.who(owner));
            return Diagnostic::error("save-clash", &written_at(self.ground, owner.stage), message)
                .help(self.number_help(owner.stage));
        };
        let both = self.both(other, owner);
        let message = if owner.is_open || other.is_open {
            let path = if owner.is_open { theirs } else { path };
            format!("{both} may both be saved as `{path}`, since a picture without an extension gets that of its bytes")
        } else if theirs == path {
            format!("{both} would both be saved as `{path}`")
        } else if Fold::of(theirs.as_str()) == Fold::of(path.as_str()) {
            format!(
                "{both} would be saved as `{theirs}` and `{path}`, which is one file where capital letters do not count"
            )
        } else {
            format!(
                "{both} would be saved as `{theirs}` and `{path}`, but one of them is a file where the other needs a folder"
            )
        };
        let told = Diagnostic::error("save-clash", &written_at(self.ground, owner.stage), message);
        if owner.stage == other.stage {
            return told.help(self.number_help(owner.stage));
        }
        let stages = [other, owner].map(|one| (&self.ground.spec.stages[one.stage], one.is_open));
        let unsaved = stages.iter().find(|(stage, _)| stage.save.is_none());
        let help = match unsaved.or(stages.iter().find(|(_, is_open)| *is_open)) {
            Some((stage, _)) if stage.save.is_none() => {
                format!("give `{}` a `save` with an extension", stage.name.value)
            }
            Some((stage, _)) => format!("give the path of `{}` an extension", stage.name.value),
            None if matches!(owner.item, Item::Any) => "give each stage a file of its own".to_owned(),
            None => "give each stage a folder of its own".to_owned(),
        };
        told.also(&written_at(self.ground, other.stage), format!("`{}` is saved here", stages[0].0.name.value))
            .help(help)
    }

    fn who(&self, owner: &Owner) -> String {
        let stage = &self.ground.spec.stages[owner.stage].name.value;
        match &owner.item {
            Item::Any => format!("`{stage}`"),
            Item::Number(number) => format!("item {number} of `{stage}`"),
            Item::Key(key) => format!("`{key}` of `{stage}`"),
        }
    }

    fn both(&self, first: &Owner, second: &Owner) -> String {
        let stage = &self.ground.spec.stages[first.stage].name.value;
        match (&first.item, &second.item) {
            (Item::Number(one), Item::Number(other)) if first.stage == second.stage => {
                format!("items {one} and {other} of `{stage}`")
            }
            (Item::Key(one), Item::Key(other)) if first.stage == second.stage && one == other => {
                format!("two items of `{stage}` that are called `{one}`")
            }
            (Item::Key(one), Item::Key(other)) if first.stage == second.stage => {
                format!("`{one}` and `{other}` of `{stage}`")
            }
            _ => format!("{} and {}", self.who(first), self.who(second)),
        }
    }

    fn number_help(&self, stage: usize) -> String {
        format!("put what differs for each item into the path, as `{}`", number(self.ground, stage))
    }
}

/// Where the path of a stage is written; a picture that has none is named after its stage.
pub(super) fn written_at(ground: &Ground<'_>, stage: usize) -> Place {
    let stage = &ground.spec.stages[stage];
    stage.save.as_ref().map_or_else(|| stage.name.place.clone(), |save| save.path.map.whole())
}

/// What differs for each item of a stage, as a part of a path.
pub(super) fn number(ground: &Ground<'_>, stage: usize) -> String {
    match ground.tree.of_stage[stage].as_slice() {
        [] | [_] => "{{loop.number}}".to_owned(),
        loops => {
            let numbers = loops.iter().map(|ix| format!("{{{{loop.{}.number}}}}", ground.tree.name(*ix)));
            numbers.collect::<Vec<_>>().join("-")
        }
    }
}
