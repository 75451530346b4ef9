//! How much a call will take, before it is sent.

use crate::model::{Call, Request, USUAL_TOKENS};

/// What an answer takes where nobody says how long it may be, in tokens.
const USUAL_ANSWER: u64 = 1000;

/// What a call will take, at four bytes a token, and a picture as most models count it.
pub(super) fn estimated_tokens(call: &Call) -> u64 {
    let (bytes, answer) = match &call.request {
        Request::Text { messages, params } => {
            (messages.iter().map(|message| message.content.len()).sum::<usize>(), params.max_tokens)
        }
        Request::Image { prompt, .. } => (prompt.len(), None),
    };
    let pictures = (call.request.pictures().count() as u64).saturating_mul(USUAL_TOKENS);
    (bytes as u64 / 4).saturating_add(pictures).saturating_add(answer.unwrap_or(USUAL_ANSWER))
}
