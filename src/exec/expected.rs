//! What the answer of one instance must be: checks that are ready, and what can be said only with the answer.

use std::sync::Arc;

use crate::client::{Fallback, Judge, Judgement, Terms};
use crate::model::{Check, Content, Failure, FailureKind, Json, JsonMap, Reply, Value, truthy};
use crate::plan::template::{Context, RenderProblem, Template};
use crate::plan::{Asking, Expect, RenderedCheck};

use super::context::{Renderer, Unrendered, json};

/// The terms on which an instance asks. `names` are those that its templates see, without its answer.
pub(super) fn terms(
    asking: &Asking,
    fallbacks: Vec<Fallback>,
    renderer: &Renderer<'_>,
    (stage, names): (&Arc<str>, impl FnOnce() -> JsonMap),
) -> Result<Terms, Unrendered> {
    let Expect { fixed, rendered, holds } = &*asking.expect;
    let mut checks = fixed.clone();
    for check in rendered.iter().filter(|check| !check.names_answer) {
        checks.extend(read(check, &renderer.json(&check.value)?).map_err(Unrendered::Fail)?);
    }
    let late: Vec<RenderedCheck> = rendered.iter().filter(|check| check.names_answer).cloned().collect();
    let judge: Option<Arc<dyn Judge>> = if late.is_empty() && holds.is_empty() {
        None
    } else {
        Some(Arc::new(WithAnswer { stage: stage.clone(), names: names(), holds: holds.clone(), late }))
    };
    Ok(Terms { checks, judge, feedback: asking.feedback, fallbacks })
}

/// A value that can't be one of this check is a mistake in the file or in an item, and no answer's fault.
fn read(check: &RenderedCheck, value: &Json) -> Result<Option<Check>, Failure> {
    check.kind.read(value).map_err(|why| Failure::new(FailureKind::Template, why))
}

/// Fills in what names the answer itself.
#[derive(Debug)]
struct WithAnswer {
    stage: Arc<str>,
    names: JsonMap,
    holds: Vec<Template>,
    late: Vec<RenderedCheck>,
}

impl Judge for WithAnswer {
    fn judge(&self, reply: &Reply, json: Option<&Json>) -> Result<Judgement, Failure> {
        let mut names = self.names.clone();
        names.insert(self.stage.to_string(), answer(reply, json));
        let context = Context::new(names);
        let mut judgement = Judgement::default();
        for check in &self.late {
            match self::json(&check.value, &context) {
                Ok(value) => match check.kind.read(&value) {
                    Ok(read) => judgement.checks.extend(read),
                    // What it is made of is the answer.
                    Err(why) => judgement.objections.push(format!("can't be checked: {why}")),
                },
                Err(problem) => judgement.objections.push(self.objection(problem)?),
            }
        }
        for holds in &self.holds {
            match holds.evaluate(&context) {
                Ok(value) if truthy(&value) => {}
                Ok(_) => judgement.objections.push(format!("is not as it must be: `{}` does not hold", holds.text())),
                Err(problem) => judgement.objections.push(self.objection(problem)?),
            }
        }
        Ok(judgement)
    }
}

impl WithAnswer {
    /// What the answer lacks is its own affair; what anything else lacks is nobody's who answers.
    fn objection(&self, problem: RenderProblem) -> Result<String, Failure> {
        let is_own = problem.missing.as_ref().is_none_or(|path| path.first().is_some_and(|root| *root == *self.stage));
        if is_own {
            Ok(format!("can't be checked: {}", problem.message))
        } else {
            Err(Failure::new(FailureKind::Template, problem.message))
        }
    }
}

/// The answer as templates see it. A picture that is being looked at lies nowhere yet.
fn answer(reply: &Reply, json: Option<&Json>) -> Json {
    match (&reply.content, json) {
        (_, Some(json)) => json.clone(),
        (Content::Text(text), None) => Json::String(text.clone()),
        (Content::Image { bytes, info }, None) => {
            let (width, height, media_type) = (info.width, info.height, info.media_type);
            Value::Image { path: "".into(), width, height, media_type, bytes: bytes.len() as u64 }.to_json()
        }
    }
}
