//! Every path that can be known is made before anything is called, as the run will make it: for each instance of each
//! stage whose loops are there beforehand.

use std::collections::HashMap;
use std::sync::Arc;

use crate::diag::Diagnostic;
use crate::model::{Json, truthy};
use crate::output::{FileNames, PictureFormat, SafePath, picture_format, safe_segment};
use crate::source::{ListSource, Row, SourceError};

use super::binder::Ground;
use super::keys::{item_key, loop_info};
use super::pipeline::{Loop, LoopIx, LoopSource, Stage};
use super::save_claims::{Item, Owner, SaveClaims};
use super::savers::{Known, Saver};
use super::stages::literal_extension;
use super::template::Context;

/// So many items are entered, and so many paths compared; what comes behind them is compared as the run makes it.
const MOST: u64 = 1_000_000;
/// So many rows are told of that give one stage a path it can't have.
const TOLD_ROWS: usize = 3;

/// An item that the walk stands in.
struct Around {
    of: LoopIx,
    index: u64,
    key: String,
    /// As a name of a file or a folder.
    name: String,
    value: Json,
}

/// A path that a row makes and that can't be.
#[derive(Debug)]
pub(super) struct WrongPath {
    pub(super) stage: usize,
    /// The loop whose row it is; none where inputs alone make it.
    pub(super) of: Option<LoopIx>,
    pub(super) error: SourceError,
}

pub(super) struct Walk<'a> {
    stages: &'a [Stage],
    loops: &'a [Loop],
    savers: Vec<Saver<'a>>,
    names: crate::model::JsonMap,
    claims: SaveClaims<'a>,
    around: Vec<Around>,
    /// Names of pictures in the outermost loops, whose rows come one by one.
    file_names: HashMap<LoopIx, FileNames>,
    entered: u64,
    compared: u64,
    pub(super) clashes: Vec<Diagnostic>,
    pub(super) wrong: Vec<WrongPath>,
    /// For each stage, how many rows give it a path that can't be.
    wrong_count: HashMap<usize, u64>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(ground: &'a Ground<'a>, known: Known<'a>) -> Self {
        let savers = known.savers();
        let names = known.names(&savers);
        let has_open = savers.iter().any(|saver| saver.is_picture && !saver.has_rows);
        Self {
            stages: known.stages,
            loops: known.loops,
            savers,
            names,
            claims: SaveClaims::new(ground, has_open),
            around: Vec::new(),
            file_names: HashMap::new(),
            entered: 0,
            compared: 0,
            clashes: Vec::new(),
            wrong: Vec::new(),
            wrong_count: HashMap::new(),
        }
    }

    /// What is saved once.
    pub(super) fn root(&mut self) {
        let context = Context::new(self.names.clone());
        for at in (0..self.savers.len()).filter(|at| self.is_once(*at)).collect::<Vec<_>>() {
            self.save(at, &context, None);
        }
    }

    fn is_once(&self, at: usize) -> bool {
        self.savers[at].once || self.stages[self.savers[at].stage].loops.is_empty()
    }

    /// Whether something is saved in this loop, or in one inside of it.
    pub(super) fn enters(&self, of: LoopIx) -> bool {
        let mut savers = self.savers.iter().filter(|saver| !saver.once);
        savers.any(|saver| self.stages[saver.stage].loops.contains(&of))
    }

    /// A row of a loop that stands in no other.
    pub(super) fn row(&mut self, of: LoopIx, list: &ListSource, row: &Row) {
        if !self.enters(of) {
            return;
        }
        let mut names = self.file_names.remove(&of).unwrap_or_default();
        let place = (of, list, row);
        self.enter(of, row, &mut names, place);
        self.file_names.insert(of, names);
    }

    /// The numbers of a loop that stands in no other.
    pub(super) fn count(&mut self, of: LoopIx, list: &ListSource, count: u64) {
        let rows = list.rows().into_iter().flat_map(|rows| rows.take(usize::try_from(count).unwrap_or(usize::MAX)));
        for row in rows.flatten() {
            if self.is_full() {
                return;
            }
            self.row(of, list, &row);
        }
    }

    fn enter(&mut self, of: LoopIx, row: &Row, names: &mut FileNames, place: (LoopIx, &ListSource, &Row)) {
        if self.is_full() {
            return;
        }
        self.entered += 1;
        let key = item_key(&row.value, row.index);
        let name = if self.names_pictures(of) { names.take(&key) } else { String::new() };
        self.around.push(Around { of, index: row.index, key, name, value: row.value.clone() });
        let here: Vec<usize> = (0..self.savers.len()).filter(|at| self.is_here(*at, of)).collect();
        if !here.is_empty() {
            let context = self.context();
            for at in here {
                self.save(at, &context, Some(place));
            }
        }
        let inside = (0..self.loops.len()).map(LoopIx);
        for inner in inside.filter(|ix| self.loops[ix.0].parent == Some(of)).collect::<Vec<_>>() {
            if self.enters(inner) {
                self.enter_all(inner, place);
            }
        }
        self.around.pop();
    }

    /// Whether nothing more is looked at.
    pub(super) fn is_full(&self) -> bool {
        self.entered.max(self.compared) >= MOST
    }

    fn enter_all(&mut self, of: LoopIx, place: (LoopIx, &ListSource, &Row)) {
        let mut names = FileNames::default();
        match &self.loops[of.0].source {
            LoopSource::Rows { list, limit } => {
                let most = limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX);
                for row in list.rows().into_iter().flat_map(|rows| rows.take(most)).flatten() {
                    if self.is_full() {
                        break;
                    }
                    self.enter(of, &row, &mut names, place);
                }
            }
            LoopSource::Item { of: outer, path } => {
                let item = self.around.iter().find(|around| around.of == *outer).map(|around| &around.value);
                let list = item.and_then(|item| path.iter().try_fold(item, |value, field| value.get(field)));
                let items = list.and_then(Json::as_array).cloned().unwrap_or_default();
                for (value, index) in items.into_iter().zip(0..) {
                    self.enter(of, &Row { index, value, line: 0 }, &mut names, place);
                }
            }
            LoopSource::Stage { .. } => {}
        }
    }

    fn is_here(&self, at: usize, of: LoopIx) -> bool {
        !self.savers[at].once && self.stages[self.savers[at].stage].loops.last() == Some(&of)
    }

    /// Whether pictures are named after the items of a loop.
    fn names_pictures(&self, of: LoopIx) -> bool {
        self.savers.iter().any(|saver| saver.path.is_none() && self.stages[saver.stage].loops.contains(&of))
    }

    /// What the templates of an instance see.
    fn context(&self) -> Context {
        let mut names = self.names.clone();
        let of = |around: &Around| self.loops[around.of.0].name.to_string();
        names.extend(self.around.iter().map(|around| (of(around), around.value.clone())));
        let loops: Vec<(&str, u64, &str)> = self
            .around
            .iter()
            .map(|around| (&*self.loops[around.of.0].name, around.index, around.key.as_str()))
            .collect();
        names.insert("loop".to_owned(), loop_info(&loops, &self.key()));
        Context::new(names)
    }

    fn key(&self) -> String {
        self.around.iter().map(|around| around.key.as_str()).collect::<Vec<_>>().join("/")
    }

    fn save(&mut self, at: usize, context: &Context, place: Option<(LoopIx, &ListSource, &Row)>) {
        let saver = &self.savers[at];
        let holds = |when: &&super::template::Template| when.evaluate(context).is_ok_and(|value| truthy(&value));
        if !saver.conditions.iter().all(holds) {
            return;
        }
        self.compared += 1;
        let stage = saver.stage;
        // What can't be made is told where the row lacks what it needs.
        let Some(path) = self.path(saver, context) else { return };
        match checked(saver, &path) {
            Ok(safe) => {
                let is_open =
                    saver.is_picture && !saver.has_rows && (saver.path.is_none() || safe.extension().is_none());
                let owner = Owner { stage, item: self.item(saver), is_open };
                let clash = self.claims.claim(&safe, &owner, saver.has_rows);
                self.clashes.extend(clash);
            }
            Err((message, help)) => self.tell_wrong(stage, &message, help, place),
        }
    }

    /// The path as the run will make it, if it can.
    fn path(&self, saver: &Saver<'_>, context: &Context) -> Option<String> {
        if let Some(template) = saver.path {
            return template.render_path(context, safe_segment).ok();
        }
        let names = self.around.iter().map(|around| around.name.as_str());
        Some(std::iter::once(&*self.stages[saver.stage].name).chain(names).collect::<Vec<_>>().join("/"))
    }

    fn item(&self, saver: &Saver<'_>) -> Item {
        match self.around.as_slice() {
            _ if saver.has_rows => Item::Any,
            [] => Item::Any,
            [one] => Item::Number(one.index + 1),
            _ => Item::Key(Arc::from(self.key())),
        }
    }

    fn tell_wrong(
        &mut self,
        stage: usize,
        message: &str,
        help: &'static str,
        place: Option<(LoopIx, &ListSource, &Row)>,
    ) {
        let count = self.wrong_count.entry(stage).or_insert(0);
        *count += 1;
        if *count > TOLD_ROWS as u64 {
            return;
        }
        let error = match place {
            Some((_, list, row)) => SourceError::of_row(list, row, message),
            None => SourceError::new(message),
        };
        self.wrong.push(WrongPath { stage, of: place.map(|(of, ..)| of), error: error.help(help) });
    }

    /// All that is wrong with paths, with how many more there are of each stage.
    pub(super) fn told(mut self) -> (Vec<Diagnostic>, Vec<WrongPath>) {
        for (stage, count) in &self.wrong_count {
            let more = count.saturating_sub(TOLD_ROWS as u64);
            if let Some(last) = self.wrong.iter_mut().rev().find(|one| one.stage == *stage).filter(|_| more > 0) {
                let items = if more == 1 { "item is" } else { "items are" };
                last.error.message = format!("{}; {more} more {items} like this", last.error.message);
            }
        }
        (self.clashes, self.wrong)
    }
}

/// The path, if a file can be saved there; else why not, and what to try.
fn checked(saver: &Saver<'_>, path: &str) -> Result<SafePath, (String, &'static str)> {
    let safe = SafePath::parse(path).map_err(|problem| {
        let help = "change the value that makes this path, or put `slug` before it in `save`";
        (format!("`{path}` can't be saved: {problem}"), help)
    })?;
    let is_made = saver.path.is_some_and(|path| literal_extension(path.text()).is_none());
    if saver.is_picture && !saver.has_rows && is_made {
        let extension = safe.extension().filter(|extension| picture_format(extension) == PictureFormat::None);
        if let Some(extension) = extension {
            let message = format!("`{path}` is the path of a picture, and pictures are not saved as `.{extension}`");
            return Err((message, "write an extension behind the value: `.png`, `.jpg`, `.jpeg` or `.webp`"));
        }
    }
    Ok(safe)
}
