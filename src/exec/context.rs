//! What templates see: the names of one instance with their values.

use std::sync::Arc;

use futures::TryStreamExt;

use crate::model::{Failure, FailureKind, Json, JsonMap, SkipReason, truthy};
use crate::plan::template::{Context, RenderProblem, Template};
use crate::plan::{InputValue, JsonTemplate, Plan, Stage};
use crate::source::SourceError;

use super::job::{Around, Job, Seen};
use super::lists::Stdin;

/// The parts of a context that are the same for all instances.
#[derive(Debug)]
pub(super) struct Fixed {
    /// Values of inputs by index, where a template names them.
    inputs: Vec<Option<Arc<Json>>>,
    run: Json,
}

impl Fixed {
    /// Lists that a template names as a whole are read here, and held.
    ///
    /// # Errors
    /// A list that can't be read, by the index of its input.
    pub(super) async fn read(plan: &Plan, run_id: &str, stdin: &Stdin) -> Result<Self, (usize, Failure)> {
        let named = |ix: usize| {
            plan.stages.iter().any(|stage| stage.needs.inputs.contains(&ix))
                || plan.outputs.iter().any(|output| output.inputs.contains(&ix))
        };
        let mut inputs = Vec::with_capacity(plan.inputs.len());
        for (ix, input) in plan.inputs.iter().enumerate() {
            inputs.push(match &input.value {
                InputValue::Json(value) => Some(value.clone()),
                InputValue::List(list) if named(ix) => {
                    let rows = stdin.or_rows_of(list, plan.limit);
                    let items: Result<Vec<Json>, _> = match rows {
                        Ok(rows) => rows.map_ok(|row| row.value).try_collect().await,
                        Err(error) => Err(error),
                    };
                    let wrong = |error: SourceError| (ix, Failure::new(FailureKind::BadRequest, error.to_string()));
                    let items = items.map_err(wrong)?;
                    Some(Arc::new(Json::Array(items)))
                }
                InputValue::List(_) | InputValue::Missing => None,
            });
        }
        Ok(Self { inputs, run: serde_json::json!({"name": &*plan.name, "id": run_id}) })
    }

    /// The value of an input, if a template names it.
    pub(super) fn input(&self, ix: usize) -> Option<&Json> {
        self.inputs[ix].as_deref()
    }

    /// The names that outputs see.
    pub(super) fn outputs(&self, plan: &Plan, inputs: &[usize]) -> JsonMap {
        let mut names = JsonMap::new();
        names.insert("run".to_owned(), self.run.clone());
        for ix in inputs {
            if let Some(value) = self.input(*ix) {
                names.insert(plan.inputs[*ix].name.to_string(), value.clone());
            }
        }
        names
    }
}

/// The names of one instance.
pub(super) fn names(plan: &Plan, stage: &Stage, job: &Job, fixed: &Fixed) -> JsonMap {
    let mut names = JsonMap::new();
    for ix in &stage.needs.inputs {
        if let Some(value) = fixed.input(*ix) {
            names.insert(plan.inputs[*ix].name.to_string(), value.clone());
        }
    }
    for ix in &stage.needs.loops {
        let name = &plan.loop_at(*ix).name;
        if let Some(around) = job.around.iter().find(|around| around.name == *name) {
            names.insert(name.to_string(), around.item.as_ref().clone());
        }
    }
    if stage.needs.loop_info {
        names.insert("loop".to_owned(), loop_info(&job.around, job.item.key.as_deref().unwrap_or_default()));
    }
    for (name, len) in &stage.needs.outer_loops {
        names.insert(name.to_string(), loop_info(&job.around[..*len], &key_in(&job.around[..*len])));
    }
    if stage.needs.run {
        names.insert("run".to_owned(), fixed.run.clone());
    }
    for (name, seen) in &job.seen {
        if let Some(value) = seen_json(seen) {
            names.insert(name.to_string(), value);
        }
    }
    names
}

/// A seen value as JSON; nothing if it is not there.
pub(super) fn seen_json(seen: &Seen) -> Option<Json> {
    match seen {
        Seen::One(value) => Some(value.to_json()),
        Seen::All(collection) => collection.list().cloned(),
        Seen::Nothing(_) => None,
    }
}

fn loop_info(around: &[Around], key: &str) -> Json {
    let around: Vec<(&str, u64, &str)> =
        around.iter().map(|around| (&*around.name, around.index, &*around.key)).collect();
    crate::plan::loop_info(&around, key)
}

/// What the innermost of these items is called in all of its loops.
fn key_in(around: &[Around]) -> String {
    around.iter().map(|around| &*around.key).collect::<Vec<_>>().join("/")
}

/// What a template that can't be rendered means for its instance.
#[derive(Debug)]
pub(super) enum Unrendered {
    /// Nothing that it names as a choice is there.
    Skip(SkipReason),
    /// A field is missing, or a value is of a wrong kind.
    Fail(Failure),
}

/// Renders templates for one instance.
#[derive(Debug)]
pub(super) struct Renderer<'a> {
    context: Context,
    stage: &'a Arc<str>,
    seen: &'a [(Arc<str>, Seen)],
}

impl<'a> Renderer<'a> {
    pub(super) fn new(context: Context, job: &'a Job) -> Self {
        Self { context, stage: &job.item.stage, seen: &job.seen }
    }

    /// For a stage that nobody runs: everything it names is in the context.
    pub(super) fn preview(context: Context, stage: &'a Stage) -> Self {
        Self { context, stage: &stage.name, seen: &[] }
    }

    /// Whether `when` lets the instance run, its own and that of each stage that uses its pipeline.
    pub(super) fn holds(&self, stage: &Stage) -> Result<bool, Unrendered> {
        for when in stage.outer_when.iter().rev().chain(&stage.when) {
            if !truthy(&self.value(when)?) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    pub(super) fn text(&self, template: &Template) -> Result<String, Unrendered> {
        template.render(&self.context).map_err(|problem| self.unrendered(problem))
    }

    pub(super) fn value(&self, template: &Template) -> Result<Json, Unrendered> {
        template.evaluate(&self.context).map_err(|problem| self.unrendered(problem))
    }

    pub(super) fn path(&self, template: &Template) -> Result<String, Unrendered> {
        let path = template
            .render_path(&self.context, crate::output::safe_segment)
            .map_err(|problem| self.unrendered(problem))?;
        // That it is absolute would be true, and no help.
        if path.starts_with('/') && !template.text().trim_start().starts_with('/') {
            let message = format!("the path `{path}` begins with `/`, since the value before that is empty");
            return Err(Unrendered::Fail(Failure::new(FailureKind::Template, message)));
        }
        Ok(path)
    }

    pub(super) fn json(&self, template: &JsonTemplate) -> Result<Json, Unrendered> {
        json(template, &self.context).map_err(|problem| self.unrendered(problem))
    }

    /// A `default` that finds nothing, or a stage that is not there, is a reason to skip; anything else is a failure.
    fn unrendered(&self, problem: RenderProblem) -> Unrendered {
        let root = problem.missing.as_ref().and_then(|path| path.first());
        let absent = |name: &str| {
            self.seen.iter().find_map(|(stage, seen)| match seen {
                Seen::Nothing(reason) if **stage == *name => Some(super::lists::passed_on(reason, stage)),
                _ => None,
            })
        };
        // A failure is what a person must know of: it goes before what was only skipped.
        let worst_absent = || {
            let reasons = self.seen.iter().filter_map(|(stage, seen)| match seen {
                Seen::Nothing(reason) => Some(super::lists::passed_on(reason, stage)),
                _ => None,
            });
            reasons.min_by_key(|reason| !matches!(reason, SkipReason::Failed { .. }))
        };
        let reason = root.and_then(|root| absent(root)).or_else(|| if problem.nothing { worst_absent() } else { None });
        match reason {
            Some(reason) => Unrendered::Skip(reason),
            None if problem.nothing => Unrendered::Skip(SkipReason::Absent { stage: self.stage.clone() }),
            None => Unrendered::Fail(Failure::new(FailureKind::Template, problem.message)),
        }
    }
}

/// Evaluates JSON with templates in it.
pub(super) fn json(template: &JsonTemplate, context: &Context) -> Result<Json, RenderProblem> {
    Ok(match template {
        JsonTemplate::Plain(value) => value.clone(),
        JsonTemplate::Template(template) => template.evaluate(context)?,
        JsonTemplate::List(items) => {
            Json::Array(items.iter().map(|item| json(item, context)).collect::<Result<_, _>>()?)
        }
        JsonTemplate::Mapping(fields) => {
            let fields = fields.iter().map(|(name, value)| Ok((name.clone(), json(value, context)?)));
            Json::Object(fields.collect::<Result<_, RenderProblem>>()?)
        }
    })
}
