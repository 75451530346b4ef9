//! Where the items of a loop come from, and what an item becomes when it is opened.

use std::io::Read;
use std::num::NonZeroU64;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use crate::model::{End, Failure, FailureKind, Json, SkipReason, kind_of};
use crate::output::FileNames;
use crate::plan::{LoopIx, LoopSource, Plan, ScopeIx, Stage, StageIx, item_key};
use crate::source::{ListSource, Row, RowStream, SourceError, StdinCopy};
use crate::store::KeptStdin;

use super::frame::{Frame, FrameId};
use super::frontier::Frontier;

/// Standard input is read once, as it comes, into a file from which every loop and every pass over it reads.
#[derive(Debug, Clone, Default)]
pub(super) struct Stdin {
    copy: Arc<Mutex<Option<StdinCopy>>>,
    path: PathBuf,
    /// Says that the copy is whole, for whoever goes on with the run.
    mark: Option<PathBuf>,
    /// A copy that an earlier run has made: it is read in place of standard input.
    from: Option<PathBuf>,
}

impl Stdin {
    /// Copied to `path`, for this run alone.
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, ..Self::default() }
    }

    /// Copied for those as well who go on with the run.
    pub(super) fn kept(KeptStdin { copy, mark }: KeptStdin) -> Self {
        Self { path: copy, mark: Some(mark), ..Self::default() }
    }

    /// Read from a file instead.
    pub(super) fn instead(self, from: Option<PathBuf>) -> Self {
        Self { from, ..self }
    }

    /// The rows of `list`, which may be this; at most `limit` of them.
    pub(super) fn or_rows_of(&self, list: &ListSource, limit: Option<u64>) -> Result<RowStream, SourceError> {
        let rows = match list {
            ListSource::Stdin => self.rows()?,
            other => RowStream::of(other)?,
        };
        Ok(match limit {
            Some(limit) => rows.take(limit),
            None => rows,
        })
    }

    fn rows(&self) -> Result<RowStream, SourceError> {
        let mut copy = self.copy.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let started = match copy.take() {
            Some(started) => started,
            None => self.start()?,
        };
        RowStream::stdin(copy.insert(started))
    }

    fn start(&self) -> Result<StdinCopy, SourceError> {
        let input: Box<dyn Read + Send> = match &self.from {
            Some(from) => Box::new(StdinCopy::open_kept(from)?),
            None => Box::new(std::io::stdin()),
        };
        match &self.mark {
            Some(mark) => StdinCopy::start_marked(input, &self.path, mark),
            None => StdinCopy::start(input, &self.path),
        }
    }
}

/// A list, if it can be read.
pub(super) enum Opened {
    /// What it is made of is not there yet.
    NotYet,
    /// It is one of the plan's own: [`rows`] reads it.
    Unread,
    /// It came out of a value.
    Rows(RowStream),
    /// What it is made of was skipped, or has failed.
    Absent(SkipReason),
    /// What it is made of is no list.
    Broken(Failure),
    /// What it is made of lies on the disk, and can't be read.
    Unreadable(Failure),
}

/// The stages, and the lengths of paths, whose completeness a list waits for.
pub(super) fn awaited(plan: &Plan, scope: ScopeIx) -> Vec<(StageIx, usize)> {
    let level = plan.scope(scope);
    let mut awaited: Vec<(StageIx, usize)> = level.gates.iter().flatten().map(|gate| (gate.stage, gate.len)).collect();
    if let Some(LoopSource::Stage { stage, .. }) = level.of.map(|of| &plan.loop_at(of).source) {
        awaited.push((*stage, plan.stage(*stage).loops.len()));
    }
    awaited.sort_unstable();
    awaited.dedup();
    awaited
}

/// Opens the list of `scope` for `frame`.
pub(super) fn open(frontier: &Frontier, frame: FrameId, scope: ScopeIx) -> Opened {
    let plan = &frontier.plan;
    let level = plan.scope(scope);
    let path = &frontier.frames.at(frame).path;
    let is_complete = |stage: StageIx, len: usize| {
        frontier.shelves[stage.0].as_ref().is_none_or(|shelf| shelf.is_complete(&path[..len]))
    };
    let gates = &level.gates;
    if !gates.is_empty() && !gates.iter().any(|set| set.iter().all(|gate| is_complete(gate.stage, gate.len))) {
        return Opened::NotYet;
    }
    let Some(of) = level.of else { return Opened::NotYet };
    match &plan.loop_at(of).source {
        LoopSource::Rows { .. } => Opened::Unread,
        LoopSource::Stage { stage, path: fields } => {
            let len = plan.stage(*stage).loops.len();
            if !is_complete(*stage, len) {
                return Opened::NotYet;
            }
            let end = match frontier.shelves[stage.0].as_ref().map(|shelf| shelf.get(&path[..len])) {
                Some(Ok(end)) => end,
                Some(Err(error)) => return Opened::Unreadable(error.into()),
                None => None,
            };
            let stage = plan.stage(*stage);
            match end.map(End::value) {
                Some(Ok(value)) => held(list_of(&value.into_json(), stage, fields)),
                Some(Err(reason)) => Opened::Absent(passed_on(&reason, &stage.name)),
                None => Opened::NotYet,
            }
        }
        LoopSource::Item { of, path: fields } => match frontier.item_of(frame, *of) {
            Some(item) => match held(find_list(&item, &plan.loop_at(*of).name, fields)) {
                Opened::Broken(failure) => Opened::Broken(of_item(failure, plan, *of, &frontier.frames.at(frame).key)),
                opened => opened,
            },
            None => Opened::NotYet,
        },
    }
}

/// The rows of a list of the plan's own.
pub(super) fn rows(plan: &Plan, scope: ScopeIx, stdin: &Stdin) -> Result<RowStream, SourceError> {
    match plan.scope(scope).of.map(|of| &plan.loop_at(of).source) {
        Some(LoopSource::Rows { list, limit }) => stdin.or_rows_of(list, *limit),
        _ => RowStream::of(&ListSource::Count(0)),
    }
}

/// Why something is skipped that names a stage without a value.
pub(super) fn passed_on(reason: &SkipReason, stage: &Arc<str>) -> SkipReason {
    match reason {
        SkipReason::Failed { .. } | SkipReason::Unknown { .. } => reason.clone(),
        SkipReason::When | SkipReason::Absent { .. } => SkipReason::Absent { stage: stage.clone() },
    }
}

fn opened(rows: Result<RowStream, SourceError>) -> Opened {
    match rows {
        Ok(rows) => Opened::Rows(rows),
        Err(error) => Opened::Broken(Failure::new(FailureKind::BadRequest, error.to_string())),
    }
}

/// A list that came out of a value.
fn held(list: Result<Vec<Json>, Failure>) -> Opened {
    match list {
        Ok(items) => opened(RowStream::of(&ListSource::Inline(items.into()))),
        Err(failure) => Opened::Broken(failure),
    }
}

/// The list behind `fields` in the value of a stage.
///
/// # Errors
/// What is there instead.
pub(super) fn list_of(value: &Json, stage: &Stage, fields: &[String]) -> Result<Vec<Json>, Failure> {
    find_list(value, &stage.name, fields).map_err(|failure| {
        if stage.work.asking().is_some() {
            return failure;
        }
        // Nobody answered, so there is no prompt that could say more.
        Failure::new(FailureKind::Template, failure.message)
            .suggest("look at what its list is taken from: an empty list is a list too")
    })
}

/// The list behind `fields` in the value of `name`.
///
/// # Errors
/// What is there instead.
fn find_list(value: &Json, name: &str, fields: &[String]) -> Result<Vec<Json>, Failure> {
    let mut at = value;
    let mut way = name.to_owned();
    for field in fields {
        way = format!("{way}.{field}");
        let next = match at {
            Json::Array(items) => field.parse::<usize>().ok().and_then(|ix| items.get(ix)),
            other => other.get(field),
        };
        at = next.ok_or_else(|| no_list(&format!("`{way}` is missing"), value))?;
    }
    match at {
        Json::Array(items) => Ok(items.clone()),
        other => Err(no_list(&format!("`{way}` is {}, not a list", kind_of(other)), value)),
    }
}

fn no_list(message: &str, value: &Json) -> Failure {
    let mut failure = Failure::new(FailureKind::WrongAnswer, format!("{message}, and a loop is made of it"))
        .suggest("show the shape you want in the prompt, with an example");
    failure.partial = Some(value.to_string().chars().take(2000).collect());
    failure
}

/// The same for an item: which one it is, and where no prompt has asked for it, other advice.
fn of_item(mut failure: Failure, plan: &Plan, of: LoopIx, key: &str) -> Failure {
    failure.message = format!("{} (item `{key}`)", failure.message);
    if is_answered(plan, of) {
        return failure;
    }
    failure.suggest("give every item a list there; an empty one is a list too")
}

/// Whether the items of a loop come out of an answer.
fn is_answered(plan: &Plan, of: LoopIx) -> bool {
    match &plan.loop_at(of).source {
        LoopSource::Rows { .. } => false,
        LoopSource::Stage { stage, .. } => plan.stage(*stage).work.asking().is_some(),
        LoopSource::Item { of, .. } => is_answered(plan, *of),
    }
}

/// Whether pictures of stages beneath are named after their items.
pub(super) fn names_files(plan: &Plan, scope: ScopeIx) -> bool {
    let mut beneath = plan.scope(scope).beneath.iter().map(|stage| plan.stage(*stage));
    beneath.any(Stage::names_its_pictures)
}

/// The frame of an item.
pub(super) fn frame(
    row: &Row,
    scope: ScopeIx,
    parent_id: FrameId,
    parent: &Frame,
    names: Option<&mut FileNames>,
) -> Frame {
    let own = item_key(&row.value, row.index);
    let file = names.map_or_else(|| own.clone(), |names| names.take(&own));
    let join = |around: &str, own: &str| -> Arc<str> {
        if around.is_empty() { own.into() } else { format!("{around}/{own}").into() }
    };
    Frame {
        scope,
        parent: Some(parent_id),
        child: 0,
        path: parent.path.iter().copied().chain([row.index]).collect(),
        item: Arc::new(row.value.clone()),
        line: NonZeroU64::new(row.line),
        key: join(&parent.key, &own),
        file_key: join(&parent.file_key, &file),
        own_key: own.into(),
        slots: Vec::new(),
        waiters: Vec::new(),
        children: Vec::new(),
        joins: Vec::new(),
        unfinished: 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_found_behind_fields() {
        let value = serde_json::json!({"a": [{"b": [1, 2]}], "c": "x"});
        let path = |fields: &[&str]| fields.iter().map(|field| (*field).to_owned()).collect::<Vec<_>>();
        assert_eq!(find_list(&value, "s", &path(&["a", "0", "b"])).unwrap().len(), 2);
        let failure = find_list(&value, "s", &path(&["c"])).unwrap_err();
        assert_eq!(failure.message, "`s.c` is a text, not a list, and a loop is made of it");
        assert!(find_list(&value, "s", &path(&["d"])).unwrap_err().message.starts_with("`s.d` is missing"));
    }
}
