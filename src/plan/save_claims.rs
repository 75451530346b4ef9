//! Who saves what, and what is told where two want one file.

use std::collections::BTreeSet;
use std::collections::hash_map::{Entry, HashMap};
use std::sync::Arc;

use crate::diag::Diagnostic;
use crate::model::Place;
use crate::output::{Claims, Fold, PictureFormat, SafePath, Taken, picture_format};

use super::binder::Ground;
use super::keys::item_number;

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
    stems: Option<HashMap<Fold, Stem>>,
    /// Of two stages it is told once.
    told: BTreeSet<(usize, Option<usize>)>,
}

/// A picture's path without its extension. There may be a million, so it is small.
#[derive(Debug)]
struct Stem {
    is_open: bool,
    by: Option<Box<(SafePath, Owner)>>,
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
            Ok(()) => match self.claim_stem(path, owner) {
                Ok(()) => return None,
                Err(taken) => taken.by,
            },
            Err(taken) if shares && taken.by.as_ref().is_none_or(|(_, other)| other.stage == owner.stage) => {
                return None;
            }
            Err(taken) => taken.by,
        };
        let is_new = self.told.insert((owner.stage, other.as_ref().map(|(_, other)| other.stage)));
        is_new.then(|| self.tell(&file, owner, other.as_ref()))
    }

    /// Takes the path without its extension, if it is of a picture. Two of one name are in each other's way where one of
    /// them gets its extension from its bytes.
    fn claim_stem(&mut self, path: &SafePath, owner: &Owner) -> Result<(), Taken<Owner>> {
        let (Some(stems), Some(stem)) = (&mut self.stems, stem(path, owner)) else { return Ok(()) };
        let is_remembered = stems.len() < REMEMBERED;
        match stems.entry(Fold::of(stem)) {
            Entry::Occupied(taken) => {
                let other = taken.get();
                let is_clash = owner.is_open || other.is_open;
                if is_clash { Err(Taken { by: other.by.as_deref().cloned() }) } else { Ok(()) }
            }
            Entry::Vacant(free) => {
                let by = is_remembered.then(|| Box::new((path.clone(), owner.clone())));
                free.insert(Stem { is_open: owner.is_open, by });
                Ok(())
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

/// The path of a picture without its extension.
fn stem<'p>(path: &'p SafePath, owner: &Owner) -> Option<&'p str> {
    if owner.is_open {
        return Some(path.as_str());
    }
    let extension = path.extension().filter(|extension| picture_format(extension) != PictureFormat::None)?;
    path.as_str().get(..path.as_str().len() - extension.len() - 1)
}

/// Where the path of a stage is written; a picture that has none is named after its stage.
pub(super) fn written_at(ground: &Ground<'_>, stage: usize) -> Place {
    let stage = &ground.spec.stages[stage];
    stage.save.as_ref().map_or_else(|| stage.name.place.clone(), |save| save.path.map.whole())
}

/// What differs for each item of a stage, as a part of a path.
pub(super) fn number(ground: &Ground<'_>, stage: usize) -> String {
    item_number(ground.tree.of_stage[stage].iter().map(|ix| ground.tree.name(*ix)))
}
