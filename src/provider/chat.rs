//! The chat format of `OpenAI`, as its many servers write it: bodies, whole answers.

use std::borrow::Cow;

use bytes::Bytes;

use super::errors::{self, Speaker};
use super::form::Wanted;
use super::heard::{Heard, chosen};
use super::message::HttpHead;
use super::said::{Said, get};
use super::shown;
use crate::model::{Failure, FailureKind, Json, JsonMap, Message, Piece, Reply, Role, TextParams};

/// So much of a reply that is no answer is kept for people to look at, in bytes.
const PARTIAL_LIMIT: usize = 64 * 1024;

/// The parts of a chat body that differ between services.
#[derive(Debug, Clone, Copy)]
pub(super) struct BodyManner<'a> {
    /// The seed to send.
    pub(super) seed: Option<i64>,
    /// Whether a stream is asked for.
    pub(super) stream: bool,
    /// What the answer must be, and how that is asked for.
    pub(super) wanted: Wanted<'a>,
    /// Whether the length is limited by the newer name, `max_completion_tokens`.
    pub(super) completion_tokens: bool,
}

/// The body of a chat request. What is not set is not sent; `extra` has the last word, but not on how the answer comes.
pub(super) fn body(model: Option<&str>, messages: &[Message], params: &TextParams, manner: BodyManner<'_>) -> JsonMap {
    let mut body = JsonMap::new();
    let mut set = |name: &str, value: Option<Json>| {
        if let Some(value) = value {
            body.insert(name.to_owned(), value);
        }
    };
    set("model", model.map(Json::from));
    set("messages", Some(turns(messages, manner.wanted)));
    let limit = if manner.completion_tokens { "max_completion_tokens" } else { "max_tokens" };
    set(limit, params.max_tokens.map(Json::from));
    set("temperature", params.temperature.map(Json::from));
    set("top_p", params.top_p.map(Json::from));
    set("seed", manner.seed.map(Json::from));
    set("stop", (!params.stop.is_empty()).then(|| params.stop.clone().into()));
    set("reasoning_effort", params.reasoning_effort.as_deref().map(Json::from));
    set("response_format", manner.wanted.response_format());
    for (name, value) in &params.extra {
        set(name, Some(value.clone()));
    }
    body.shift_remove("stream");
    body.shift_remove("stream_options");
    if manner.stream {
        body.insert("stream".to_owned(), true.into());
        body.insert("stream_options".to_owned(), serde_json::json!({"include_usage": true}));
    }
    body
}

/// The conversation as it is sent. The order to answer in JSON goes into the system's turn where there is one: the
/// templates of many models know a single one, at the beginning.
fn turns(messages: &[Message], wanted: Wanted<'_>) -> Json {
    let mentions = |message: &Message| message.content.to_lowercase().contains("json");
    let order = wanted.order(|| messages.iter().any(mentions));
    let mut order = order.as_deref();
    let mut turns = Vec::with_capacity(messages.len() + 1);
    let turn = |role: Role, content: Json| serde_json::json!({"role": role.name(), "content": content});
    if let Some(order) = order.filter(|_| !messages.iter().any(|message| message.role == Role::System)) {
        turns.push(turn(Role::System, order.into()));
    }
    for message in messages {
        let content = match order.take_if(|_| message.role == Role::System) {
            Some(order) => Cow::Owned(format!("{}\n\n{order}", message.content)),
            None => Cow::Borrowed(&*message.content),
        };
        turns.push(turn(message.role, shown::content(message, &content)));
    }
    turns.into()
}

/// An answer that came whole.
pub(super) fn whole(head: &HttpHead, body: &Bytes, speaker: Speaker<'_>) -> Result<Piece, Failure> {
    decoded(head, body, speaker).map(Piece::Whole).map_err(|mut failure| {
        if failure.partial.is_none() && !body.is_empty() {
            failure.partial = Some(String::from_utf8_lossy(&body[..body.len().min(PARTIAL_LIMIT)]).into_owned());
        }
        failure
    })
}

fn decoded(head: &HttpHead, body: &Bytes, speaker: Speaker<'_>) -> Result<Reply, Failure> {
    let bytes = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let Ok(json) = serde_json::from_slice::<Said<'_>>(bytes) else {
        return Err(errors::not_json(head, body, speaker));
    };
    if errors::is_error(&json) {
        return Err(errors::in_band(head, &Json::from(&json), speaker));
    }
    let frame = json.as_object();
    let Some((frame, choices)) = frame.and_then(|frame| Some((frame, get(frame, "choices")?.as_array()?))) else {
        return Err(Failure {
            status: Some(head.status),
            request_id: head.request_id(),
            ..Failure::new(FailureKind::Garbled, format!("The answer of `{}` has no `choices`", speaker.name))
                .suggest("check that `base_url` is that of a chat API")
        });
    };
    let mut answer = Heard::default();
    answer.take_frame(frame);
    if let Some(choice) = chosen(choices) {
        if let Some(message) = get(choice, "message").and_then(Said::as_object) {
            answer.take_message(message);
        }
        answer
            .take_finish(choice, head, speaker)
            .map_err(|failure| Failure { usage: answer.usage(head), ..failure })?;
    }
    answer.finish(head, speaker)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Call, Choice, ProviderIdentity, ProviderKind, Request};
    use crate::provider::form::Form;

    fn call(answer: Choice) -> Call {
        let request = Request::Text { messages: vec![], params: TextParams::default() };
        let provider = ProviderIdentity { kind: ProviderKind::Openai, address: String::new() };
        Call { stage: "a".into(), provider, model: None, request, repeat: vec![], answer }
    }

    fn manner(call: &Call) -> BodyManner<'_> {
        let wanted = Wanted::of(call, Form::Schema);
        BodyManner { seed: None, stream: false, wanted, completion_tokens: false }
    }

    #[test]
    fn what_is_not_set_is_not_sent() {
        let messages = [Message::new(Role::User, "Hi")];
        let sent = body(None, &messages, &TextParams::default(), manner(&call(Choice::Text)));
        assert_eq!(Json::from(sent).to_string(), r#"{"messages":[{"role":"user","content":"Hi"}]}"#);
    }

    #[test]
    fn extra_has_the_last_word_but_not_on_streaming() {
        let mut params =
            TextParams { max_tokens: Some(9), seed: Some(0), stop: vec!["\n".into()], ..Default::default() };
        params.extra.insert("stream".into(), true.into());
        params.extra.insert("response_format".into(), serde_json::json!({"type": "text"}));
        params.extra.insert("safe".into(), false.into());
        let call = call(Choice::Json);
        let manner = BodyManner { seed: params.seed, completion_tokens: true, ..manner(&call) };
        let messages = [Message::new(Role::User, "As JSON")];
        assert_eq!(
            Json::from(body(Some("m"), &messages, &params, manner)).to_string(),
            r#"{"model":"m","messages":[{"role":"user","content":"As JSON"}],"max_completion_tokens":9,"seed":0,"stop":["\n"],"response_format":{"type":"text"},"safe":false}"#
        );
    }

    #[test]
    fn json_is_asked_for_in_words_where_no_turn_does() {
        let sent = |turns: &[(Role, &str)], json| {
            let message = |&(role, content): &(Role, &str)| Message::new(role, content);
            let messages: Vec<Message> = turns.iter().map(message).collect();
            let call = call(if json { Choice::Json } else { Choice::Text });
            let body = body(None, &messages, &TextParams::default(), manner(&call));
            let turn =
                |turn: &Json| format!("{}: {}", turn["role"].as_str().unwrap(), turn["content"].as_str().unwrap());
            body["messages"].as_array().unwrap().iter().map(turn).collect::<Vec<_>>()
        };
        assert_eq!(sent(&[(Role::User, "Hi")], false), ["user: Hi"]);
        assert_eq!(sent(&[(Role::User, "Name it as Json")], true), ["user: Name it as Json"]);
        assert_eq!(
            sent(&[(Role::User, "Hi")], true),
            ["system: Answer with one JSON value and nothing else.", "user: Hi"]
        );
        assert_eq!(
            sent(&[(Role::System, "Be kind"), (Role::User, "Hi")], true),
            ["system: Be kind\n\nAnswer with one JSON value and nothing else.", "user: Hi"]
        );
    }
}
