//! The request of one instance as it would be sent. What is not known yet stands as `<summarize>`.

use std::ops::Range;
use std::sync::Arc;

use crate::client::Member;
use crate::diag::did_you_mean;
use crate::exec::{Asks, Preview, Sketch};
use crate::model::{Failure, FailureKind, Json, JsonMap, ProviderKind, SkipReason};
use crate::plan::template::{Step, Template};
use crate::plan::{InputValue, LoopIx, LoopSource, PREVIOUS, Plan, Reach, Stage, StageIx};
use crate::provider::Attempt;

use super::foreseen::{Foreseen, foreseen};
use super::providers::{identities, members};
use super::shown_item::{ShownItem, items, pairs};
use super::shown_talk::before;

/// A stand-in for a list has no more items than it takes to reach this one.
const HIGHEST_INDEX: usize = 99;

/// A request as it would be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// The request; for a stage that makes no call, what it renders or puts together.
    pub text: String,
    /// What of it is not what a run would make of it, and why: a sentence each.
    pub notes: Vec<String>,
}

/// Shows what a stage would ask for an item, by its key (`de/checkout`) or its number over all its items (`#7`); the
/// first without one.
///
/// # Errors
/// No such stage or item, or a template that can't be rendered.
pub async fn show(plan: &Arc<Plan>, stage: &str, item: Option<&str>) -> Result<Shown, Failure> {
    let ix = stage_named(plan, stage)?;
    let members = members(&plan.providers)?;
    let skipped_for = match foreseen(plan, ix, item).await? {
        Foreseen::Asks(asks) => return Ok(Shown { text: text_of(asks, &members)?, notes: Vec::new() }),
        Foreseen::Skipped(reason) => Some(skipped_for(&reason)),
        Foreseen::Nothing => None,
    };
    let stage = plan.stage(ix);
    let items = items(plan, stage, item).map_err(|failure| match &skipped_for {
        // There is one: it has no request to be shown.
        Some(why) => Failure::new(FailureKind::NotFound, format!("this item of `{}` asks nothing: {why}", stage.name)),
        None => failure,
    })?;
    let names = names(plan, stage, &items);
    let (pairs, providers) = (pairs(&items), identities(&members));
    let unknown = Unknown::of(plan, stage, &items);
    let mut notes = unknown.notes(stage);
    let before = before(plan, stage, &items, &providers)?;
    let seen = Sketch { plan, providers: &providers, names, items: &pairs, before }.preview(stage)?;
    notes.extend(skipped_for.or_else(|| skipped(stage, &seen, &unknown)));
    Ok(Shown { text: text_of(seen.asks, &members)?, notes })
}

fn text_of(asks: Asks, members: &[Member]) -> Result<String, Failure> {
    Ok(match asks {
        Asks::Text(text) | Asks::Json(Json::String(text)) => text,
        Asks::Json(json) => format!("{json:#}"),
        Asks::Call { call, provider, stream } => {
            let Some(member) = members.iter().find(|member| member.settings.name == *provider) else {
                return Err(Failure::new(FailureKind::NotFound, format!("there is no provider `{provider}`")));
            };
            let attempt = Attempt { stream, ..Attempt::of(&call) };
            let view = member.provider.view(attempt);
            let head = match call.provider.kind {
                ProviderKind::Offline => "answered by the built-in provider; nothing is sent".to_owned(),
                _ => format!("{} {}", view.method, view.url),
            };
            format!("{head}\n{}", view.body).trim_end().to_owned()
        }
    })
}

/// The stage of this name.
///
/// # Errors
/// There is none.
pub(super) fn stage_named(plan: &Plan, stage: &str) -> Result<StageIx, Failure> {
    plan.find_stage(stage).ok_or_else(|| {
        let names = || plan.stages.iter().map(|stage| &*stage.name);
        let help = match did_you_mean(stage, names()) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => {
                format!("its stages are {}", names().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "))
            }
        };
        Failure::new(FailureKind::NotFound, format!("there is no stage `{stage}`")).suggest(help)
    })
}

/// Why a run skips it.
fn skipped_for(reason: &SkipReason) -> String {
    let why = match reason {
        SkipReason::When => "its `when` does not hold".to_owned(),
        SkipReason::Absent { stage } => format!("`{stage}` is not there"),
        SkipReason::Failed { stage } => format!("`{stage}` fails"),
        SkipReason::Unknown { stage } => format!("`{stage}` is not known"),
    };
    format!("a run skips it, since {why}")
}

/// Whether `when` would skip it, as far as that is known.
fn skipped(stage: &Stage, seen: &Preview, unknown: &Unknown<'_>) -> Option<String> {
    let conditions = || stage.outer_when.iter().rev().chain(&stage.when);
    if let Some(name) = conditions().find_map(|when| unknown.named_by(when)) {
        return Some(format!("whether `when` skips it is known in a run, since that depends on `{name}`"));
    }
    let written: Vec<String> = conditions().map(|when| format!("`when: {}`", when.text().trim())).collect();
    let reason = match written.as_slice() {
        [] => return None,
        [one] => format!("{one} does not hold"),
        several => format!("not all of {} hold", several.join(", ")),
    };
    (seen.holds == Some(false)).then(|| format!("a run skips it, since {reason}"))
}

/// The names that a run gives a value: stand-ins take their place.
pub(super) struct Unknown<'a> {
    stages: Vec<&'a str>,
    items: Vec<(&'a str, &'a str)>,
}

impl<'a> Unknown<'a> {
    pub(super) fn of(plan: &'a Plan, stage: &'a Stage, items: &[ShownItem]) -> Self {
        let stands_in = |(_, item): &(&LoopIx, &ShownItem)| item.value.is_null();
        let (loops, shown) = (stage.loops.iter().zip(items), items);
        let loops = loops.filter(stands_in).map(|(ix, _)| plan.loop_at(*ix));
        let items = loops.filter_map(|one| match &one.source {
            LoopSource::Stage { stage, .. } => Some((&*one.name, &*plan.stage(*stage).name)),
            LoopSource::Item { of, .. } => Some((&*one.name, &*plan.loop_at(*of).name)),
            LoopSource::Rows { .. } => None,
        });
        let named = stage.refs.iter().map(|one| &*plan.stage(one.stage).name);
        let stages = named.chain(has_previous(stage, shown).then_some(PREVIOUS)).collect();
        Self { stages, items: items.collect() }
    }

    /// The first of them that a template names.
    pub(super) fn named_by<'t>(&self, template: &'t Template) -> Option<&'t str> {
        let roots = template.uses().iter().filter_map(|one| one.path.first());
        roots.map(String::as_str).find(|root| self.has(root))
    }

    fn has(&self, name: &str) -> bool {
        self.stages.contains(&name) || self.items.iter().any(|(item, _)| *item == name)
    }

    /// Counts, loops and conditions that look at a stand-in: what they come to is made up.
    fn notes(&self, stage: &Stage) -> Vec<String> {
        let items = self
            .items
            .iter()
            .map(|(item, from)| format!("`{item}` is a stand-in: its list comes from `{from}`, and is known in a run"));
        let mut notes: Vec<String> = items.collect();
        for template in stage.templates() {
            let uses = template.uses().iter().filter(|one| one.path.first().is_some_and(|root| self.has(root)));
            for one in uses {
                let tag = tag_around(template.text(), &one.range);
                let what = match tag.trim_start_matches(['{', '~', '#', ' ']).split_whitespace().next() {
                    Some("each") => "goes through stand-ins",
                    Some("if" | "unless") => "looks at a stand-in",
                    _ if tag.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == "len") => {
                        "counts a stand-in"
                    }
                    _ => continue,
                };
                let note = format!("`{tag}` {what}: `{}` is not known before a run", one.path[0]);
                if !notes.contains(&note) {
                    notes.push(note);
                }
            }
        }
        notes
    }
}

/// The tag in which a stretch of a template stands: `{{len rank}}`.
fn tag_around<'t>(text: &'t str, range: &Range<usize>) -> &'t str {
    let start = text[..range.start].rfind("{{").unwrap_or(range.start);
    let end = text[range.end..].find("}}").map_or(range.end, |at| range.end + at + 2);
    &text[start..end]
}

/// Whether there is an item before the one that is shown.
fn has_previous(stage: &Stage, items: &[ShownItem]) -> bool {
    stage.needs.previous && items.last().is_some_and(|item| item.index > 0)
}

pub(super) fn names(plan: &Plan, stage: &Stage, items: &[ShownItem]) -> JsonMap {
    let mut names = JsonMap::new();
    for ix in &stage.needs.inputs {
        let input = &plan.inputs[*ix];
        let value = match &input.value {
            InputValue::Json(value) => value.as_ref().clone(),
            InputValue::List(list) => {
                let rows = list.rows().into_iter().flatten().filter_map(Result::ok);
                let most = plan.limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX);
                Json::Array(rows.take(most).map(|row| row.value).collect())
            }
            InputValue::Missing => Json::String(format!("<{}>", input.name)),
        };
        names.insert(input.name.to_string(), value);
    }
    for item in items {
        let value = if item.value.is_null() { stand_in(stage, &item.name, false) } else { item.value.clone() };
        names.insert(item.name.to_string(), value);
    }
    for one in &stage.refs {
        let name = &plan.stage(one.stage).name;
        let is_list = matches!(one.reach, Reach::Far { collect: true, .. });
        names.insert(name.to_string(), stand_in(stage, name, is_list));
    }
    if has_previous(stage, items) {
        names.insert(PREVIOUS.to_owned(), stand_in(stage, PREVIOUS, false));
    }
    names.insert("run".to_owned(), serde_json::json!({"name": &*plan.name, "id": "<run.id>"}));
    names.insert("loop".to_owned(), loop_info(items));
    for (name, len) in &stage.needs.outer_loops {
        names.insert(name.to_string(), loop_info(&items[..*len]));
    }
    names
}

fn loop_info(items: &[ShownItem]) -> Json {
    let around: Vec<(&str, u64, &str)> =
        items.iter().map(|item| (&*item.name, item.index, item.key.as_str())).collect();
    let keys: Vec<&str> = items.iter().map(|item| item.key.as_str()).collect();
    crate::plan::loop_info(&around, &keys.join("/"))
}

/// `<outline>`, or `{title: "<outline.title>"}` where the stage's templates look into it.
fn stand_in(stage: &Stage, name: &str, is_list: bool) -> Json {
    let mut value = Json::String(format!("<{name}>"));
    if is_list {
        value = Json::Array(vec![value]);
    }
    for template in stage.templates() {
        for one in template.uses().iter().filter(|one| one.path.first().is_some_and(|root| root == name)) {
            let steps: Vec<Step> = one.path.iter().cloned().map(Step::Field).collect();
            put(&mut value, &steps[1..], &words(&steps), one.each);
        }
        for one in template.element_uses().iter().filter(|one| one.path.first() == Some(&Step::Field(name.to_owned())))
        {
            put(&mut value, &one.path[1..], &words(&one.path), one.each);
        }
    }
    value
}

/// `<outline.title>`
fn words(path: &[Step]) -> Json {
    let fields = path.iter().filter_map(|step| if let Step::Field(field) = step { Some(field.as_str()) } else { None });
    Json::String(format!("<{}>", fields.collect::<Vec<_>>().join(".")))
}

/// Makes room in a stand-in for what a template looks for on this path.
fn put(value: &mut Json, path: &[Step], words: &Json, is_list: bool) {
    let Some((step, rest)) = path.split_first() else {
        if !value.is_object() && !value.is_array() {
            *value = if is_list { Json::Array(vec![words.clone()]) } else { words.clone() };
        }
        return;
    };
    let length = match step {
        Step::Element => Some(1),
        Step::Field(field) => field.parse::<usize>().ok().map(|index| index.min(HIGHEST_INDEX) + 1),
    };
    match (value, step, length) {
        (Json::Object(fields), Step::Element, _) => fields.values_mut().for_each(|one| put(one, rest, words, is_list)),
        (Json::Object(fields), Step::Field(field), _) => {
            put(fields.entry(field.clone()).or_insert(Json::Null), rest, words, is_list);
        }
        (Json::Array(items), _, Some(length)) => {
            items.resize(items.len().max(length), items.first().cloned().unwrap_or_default());
            for one in items {
                put(one, rest, words, is_list);
            }
        }
        (value, _, length) => {
            *value = if length.is_some() { Json::Array(Vec::new()) } else { Json::Object(JsonMap::new()) };
            put(value, path, words, is_list);
        }
    }
}
