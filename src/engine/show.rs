//! The request of one instance as it would be sent. What is not known yet stands as `<summarize>`.

use std::sync::Arc;

use crate::diag::did_you_mean;
use crate::exec::{Preview, preview};
use crate::model::{Failure, FailureKind, Json, JsonMap};
use crate::plan::{InputValue, LoopIx, LoopSource, Plan, Reach, Stage, item_key};
use crate::provider::Attempt;

use super::providers::{identities, members};

/// Rows that are looked through for an item.
const LOOKED_THROUGH: usize = 1_000_000;

/// Shows what a stage would ask for an item, by its key (`de/checkout`) or its number (`#7`); the first without one.
///
/// # Errors
/// No such stage or item, or a template that can't be rendered.
pub fn show(plan: &Plan, stage: &str, item: Option<&str>) -> Result<String, Failure> {
    let Some(ix) = plan.find_stage(stage) else {
        let names = || plan.stages.iter().map(|stage| &*stage.name);
        let help = match did_you_mean(stage, names()) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => {
                format!("its stages are {}", names().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "))
            }
        };
        return Err(Failure::new(FailureKind::NotFound, format!("there is no stage `{stage}`")).suggest(help));
    };
    let stage = plan.stage(ix);
    let items = items(plan, stage, item)?;
    let names = names(plan, stage, &items);
    let members = members(&plan.providers)?;
    let pairs: Vec<(Arc<str>, Json)> = items.iter().map(|item| (item.name.clone(), item.value.clone())).collect();
    match preview(plan, stage, names, &pairs, &identities(&members))? {
        Preview::Text(text) => Ok(text),
        Preview::Call { call, provider, stream } => {
            let Some(member) = members.iter().find(|member| member.settings.name == *provider) else {
                return Err(Failure::new(FailureKind::NotFound, format!("there is no provider `{provider}`")));
            };
            let attempt = Attempt { call: &call, key: call.key(), number: 1, stream, secret: None };
            let view = member.provider.view(attempt);
            Ok(format!("{} {}\n{}", view.method, view.url, view.body).trim_end().to_owned())
        }
    }
}

/// An item around the instance that is shown.
#[derive(Debug)]
struct ShownItem {
    name: Arc<str>,
    value: Json,
    index: u64,
    key: String,
}

/// The items of the loops around a stage, as far as they are there before a run; stand-ins for the rest.
fn items(plan: &Plan, stage: &Stage, wanted: Option<&str>) -> Result<Vec<ShownItem>, Failure> {
    let mut items: Vec<ShownItem> = Vec::new();
    let parts: Vec<&str> = match wanted {
        Some(wanted) if stage.loops.len() > 1 => wanted.splitn(stage.loops.len(), '/').collect(),
        Some(wanted) => vec![wanted],
        None => Vec::new(),
    };
    if wanted.is_some() && stage.loops.is_empty() {
        let message = format!("`{}` runs once, it has no items", stage.name);
        return Err(Failure::new(FailureKind::NotFound, message).suggest("leave the item out"));
    }
    for (at, ix) in stage.loops.iter().enumerate() {
        let one = plan.loop_at(*ix);
        let rows = match &one.source {
            LoopSource::Rows { list, limit } => {
                let rows = list.rows().map_err(|error| Failure::new(FailureKind::BadRequest, error.to_string()))?;
                let limit = limit.map_or(LOOKED_THROUGH, |limit| usize::try_from(limit).unwrap_or(LOOKED_THROUGH));
                Some(rows.take(limit).filter_map(Result::ok).map(|row| row.value).collect::<Vec<_>>())
            }
            LoopSource::Item { of, path } => inner_list(plan, &items, *of, path),
            LoopSource::Stage { .. } => None,
        };
        items.push(if let Some(rows) = rows {
            pick(&one.name, &rows, parts.get(at).copied())?
        } else {
            let key = parts.get(at).map_or("1", |part| part.trim_start_matches('#'));
            ShownItem { name: one.name.clone(), value: Json::Null, index: 0, key: key.to_owned() }
        });
    }
    Ok(items)
}

fn inner_list(plan: &Plan, items: &[ShownItem], of: LoopIx, path: &[String]) -> Option<Vec<Json>> {
    let item = items.iter().find(|item| item.name == plan.loop_at(of).name)?;
    let found = path.iter().try_fold(&item.value, |value, field| value.get(field))?;
    found.as_array().cloned()
}

fn pick(name: &Arc<str>, rows: &[Json], wanted: Option<&str>) -> Result<ShownItem, Failure> {
    let number = wanted.and_then(|wanted| wanted.strip_prefix('#')).and_then(|number| number.parse::<usize>().ok());
    let index = match (number, wanted) {
        (Some(number), _) => number.checked_sub(1).filter(|index| *index < rows.len()),
        (None, Some(wanted)) => (0_u64..).zip(rows).position(|(index, row)| item_key(row, index) == wanted),
        (None, None) => (!rows.is_empty()).then_some(0),
    };
    let Some(index) = index else {
        let keys: Vec<String> = (0_u64..).zip(rows).map(|(index, row)| item_key(row, index)).collect();
        let wanted = wanted.unwrap_or("#1");
        let help = match did_you_mean(wanted, keys.iter().map(String::as_str)) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!("there are {}; `#1` is the first", rows.len()),
        };
        return Err(Failure::new(FailureKind::NotFound, format!("no `{name}` is called `{wanted}`")).suggest(help));
    };
    let value = rows[index].clone();
    let index = index as u64;
    Ok(ShownItem { name: name.clone(), key: item_key(&value, index), value, index })
}

fn names(plan: &Plan, stage: &Stage, items: &[ShownItem]) -> JsonMap {
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
    names.insert("run".to_owned(), serde_json::json!({"name": &*plan.name, "id": "<run.id>"}));
    names.insert("loop".to_owned(), loop_info(items));
    names
}

fn loop_info(items: &[ShownItem]) -> Json {
    let one = |index: u64, key: &str| serde_json::json!({"index": index, "number": index + 1, "first": index == 0, "key": key});
    let keys: Vec<&str> = items.iter().map(|item| item.key.as_str()).collect();
    let mut info = match items.last() {
        Some(item) => one(item.index, &keys.join("/")),
        None => Json::Object(JsonMap::new()),
    };
    if let Some(fields) = info.as_object_mut() {
        for item in items {
            fields.insert(item.name.to_string(), one(item.index, &item.key));
        }
    }
    info
}

/// `<outline>`, or `{title: "<outline.title>"}` where the stage's templates look into it.
fn stand_in(stage: &Stage, name: &str, is_list: bool) -> Json {
    let mut value = Json::String(format!("<{name}>"));
    let whole = |path: &[String]| path.len() == 1;
    for template in stage.templates() {
        for one in template.uses().iter().filter(|one| one.path.first().is_some_and(|root| root == name)) {
            if !whole(&one.path) {
                put(&mut value, &one.path[1..], &one.path.join("."), one.each);
            } else if one.each && !is_list && !value.is_object() {
                value = Json::Array(vec![value]);
            }
        }
    }
    if is_list { Json::Array(vec![value]) } else { value }
}

fn put(value: &mut Json, path: &[String], words: &str, is_list: bool) {
    let Some((field, rest)) = path.split_first() else {
        let words = Json::String(format!("<{words}>"));
        *value = if is_list { Json::Array(vec![words]) } else { words };
        return;
    };
    if !value.is_object() {
        *value = Json::Object(JsonMap::new());
    }
    if let Some(fields) = value.as_object_mut() {
        put(fields.entry(field.clone()).or_insert(Json::Null), rest, words, is_list);
    }
}
