//! Whether a whole answer is what was asked for.

use crate::check::{Verdict, judge};
use crate::model::{Call, Content, Failure, FailureKind, Json, Reply};

/// Whether a whole reply is what was asked for; the JSON in it, where that was.
///
/// # Errors
/// Why it is not.
pub fn verdict(call: &Call, reply: &Reply) -> Result<Option<Json>, Failure> {
    let partial = match &reply.content {
        Content::Text(text) => Some(text.clone()),
        Content::Image { .. } => None,
    };
    let wrong = |kind, message: String, suggestion: &str| {
        let (request_id, usage) = (reply.request_id.clone(), reply.usage);
        Failure { partial: partial.clone(), request_id, usage, ..Failure::new(kind, message).suggest(suggestion) }
    };
    if reply.finish_reason.as_deref() == Some("length") {
        let message = "The answer was cut at the longest length allowed (`finish_reason: length`)".to_owned();
        return Err(wrong(FailureKind::Length, message, "raise `max_tokens`, or ask for a shorter answer"));
    }
    match judge(&call.answer, reply) {
        Verdict::Text | Verdict::Image => Ok(None),
        Verdict::Json(json) => Ok(Some(json)),
        Verdict::Wrong(why) => Err(wrong(
            FailureKind::WrongAnswer,
            why,
            match call.answer.schema() {
                Some(_) => "say in the prompt what belongs where, or ask for less in the schema",
                None => "ask in the prompt for JSON alone, and show the shape it should have",
            },
        )),
    }
}
