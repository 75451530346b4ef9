//! Whether a whole answer is what was asked for.

use crate::check::{Verdict, judge, objections, sentence};
use crate::model::{Call, Check, Content, Failure, FailureKind, Json, Reply, Request};

use super::Terms;

/// Whether a whole reply is what was asked for, and passes the checks as they now stand; the JSON in it, where that was.
///
/// # Errors
/// Why it is not.
pub fn verdict(call: &Call, terms: &Terms, reply: &Reply) -> Result<Option<Json>, Failure> {
    let partial = match &reply.content {
        Content::Text(text) => Some(text.clone()),
        Content::Image { .. } => None,
    };
    let wrong = |kind, message: String, suggestion: &str| {
        let (request_id, usage) = (reply.request_id.clone(), reply.usage);
        Failure { partial: partial.clone(), request_id, usage, ..Failure::new(kind, message).suggest(suggestion) }
    };
    // What is cut is neither mended nor parsed: half an answer may look like a whole one.
    if reply.finish_reason.as_deref() == Some("length") {
        let (message, suggestion) = cut(call);
        return Err(wrong(FailureKind::Length, message, suggestion));
    }
    let json = match judge(&call.answer, reply) {
        Verdict::Text | Verdict::Image => None,
        Verdict::Json(json) => Some(json),
        Verdict::Wrong(why) => {
            let suggestion = match call.answer.schema() {
                Some(_) => "say in the prompt what belongs where, or ask for less in the schema",
                None => "ask in the prompt for JSON alone, and show the shape it should have",
            };
            return Err(wrong(FailureKind::WrongAnswer, why, suggestion));
        }
    };
    let mut found = objections(&terms.checks, reply, json.as_ref());
    if let Some(judge) = &terms.judge {
        let judged = judge.judge(reply, json.as_ref())?;
        found.extend(objections(&judged.checks, reply, json.as_ref()));
        found.extend(judged.objections);
    }
    match sentence(&found, reply) {
        None => Ok(json),
        Some(message) => {
            let suggestion = "ask in the prompt for what `expect` checks, or change the check";
            Err(wrong(FailureKind::WrongAnswer, message, suggestion))
        }
    }
}

/// The same where looking takes long: a picture is decoded on a thread for that.
pub(super) async fn verdict_in_time(call: &Call, terms: &Terms, reply: &Reply) -> Result<Option<Json>, Failure> {
    if !terms.checks.contains(&Check::NotBlank) {
        return verdict(call, terms, reply);
    }
    let parts = Box::new((call.clone(), terms.clone(), reply.clone()));
    let looked = tokio::task::spawn_blocking(move || verdict(&parts.0, &parts.1, &parts.2)).await;
    looked.unwrap_or_else(|error| Err(Failure::new(FailureKind::Internal, format!("A check has ended early: {error}"))))
}

/// A failure of an attempt; one that hit its limit names that.
pub(super) fn with_limit(mut failure: Failure, call: &Call) -> Failure {
    if let (FailureKind::Length, Request::Text { params, .. }) = (failure.kind, &call.request)
        && let Some(limit) = params.most_tokens()
    {
        failure.message = format!("{} (`max_tokens: {limit}`)", failure.message);
    }
    failure
}

/// That an answer hit its limit, and which that is.
fn cut(call: &Call) -> (String, &'static str) {
    let limit = match &call.request {
        Request::Text { params, .. } => params.most_tokens(),
        Request::Image { .. } => None,
    };
    match limit {
        Some(limit) => (
            format!("The answer was cut at `max_tokens: {limit}` (`finish_reason: length`)"),
            "raise `max_tokens`, or ask for a shorter answer",
        ),
        None => (
            "The answer was cut at the longest length that the service allows (`finish_reason: length`)".to_owned(),
            "allow more with `max_tokens`, or ask for a shorter answer",
        ),
    }
}
