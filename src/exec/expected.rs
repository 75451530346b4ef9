//! What the answer of one instance must be: checks that are ready, and what can be said only with the answer.

use std::sync::Arc;

use crate::client::{Fallback, Judge, Judgement, Terms};
use crate::model::{Check, Content, Failure, FailureKind, Json, JsonMap, Reply, Value, truthy};
use crate::plan::template::Context;
use crate::plan::{Apart, Asking, Expect, Holds, RenderedCheck};

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
    let apart = rendered.iter().flat_map(|check| &check.apart).chain(holds.iter().filter_map(|one| one.apart.as_ref()));
    for Apart { parts, check, at } in apart {
        renderer.text(parts).map_err(|unrendered| match unrendered {
            Unrendered::Fail(failure) => {
                let message = format!("{at}: `{check}` can't be checked, whatever the answer is: {}", failure.message);
                Unrendered::Fail(Failure { message, ..failure })
            }
            skip @ Unrendered::Skip(_) => skip,
        })?;
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

/// Fills in what names the answer itself. Whatever does not is known to be right: what goes wrong here is the answer's fault.
#[derive(Debug)]
struct WithAnswer {
    stage: Arc<str>,
    names: JsonMap,
    holds: Vec<Holds>,
    late: Vec<RenderedCheck>,
}

impl Judge for WithAnswer {
    fn judge(&self, reply: &Reply, json: Option<&Json>) -> Result<Judgement, Failure> {
        let mut names = self.names.clone();
        names.insert(self.stage.to_string(), answer(reply, json));
        let context = Context::new(names);
        let mut judgement = Judgement::default();
        let unknown = |why: &dyn std::fmt::Display| format!("can't be checked: {why}");
        for check in &self.late {
            match self::json(&check.value, &context) {
                Ok(value) => match check.kind.read(&value) {
                    Ok(read) => judgement.checks.extend(read),
                    // What it is made of is the answer.
                    Err(why) => judgement.objections.push(unknown(&why)),
                },
                Err(problem) => judgement.objections.push(unknown(&problem)),
            }
        }
        for Holds { expression, .. } in &self.holds {
            match expression.evaluate(&context) {
                Ok(value) if truthy(&value) => {}
                Ok(_) => {
                    let text = expression.text();
                    judgement.objections.push(format!("is not as it must be: `{text}` does not hold"));
                }
                Err(problem) => judgement.objections.push(unknown(&problem)),
            }
        }
        Ok(judgement)
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
