//! The chat format of `OpenAI`, as its many servers write it: bodies, whole answers.

use bytes::Bytes;

use super::errors::{self, Speaker};
use super::finish::Finish;
use super::message::HttpHead;
use crate::model::{Content, Failure, FailureKind, Json, JsonMap, Message, Piece, Reply, Role, TextParams, Usage};

/// Texts under status 200 that no model has written. The gateway of Pollinations says them when it fails.
const NO_ANSWERS: [&str; 2] = ["Streaming response could not be processed.", "Response format not recognized"];
/// How the anonymous text host begins when it wants its caller to move.
const NOTICE: &str = "IMPORTANT NOTICE";
const NOTICE_SUBJECT: &str = "legacy text API is being deprecated";
/// What is said where JSON is asked for and no turn says so: `OpenAI` refuses `json_object` unless the word stands in the
/// messages.
const JSON_ORDER: &str = "Answer with one JSON value and nothing else.";
/// So much of a reply that is no answer is kept for people to look at, in bytes.
const PARTIAL_LIMIT: usize = 64 * 1024;

/// The parts of a chat body that differ between services.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct BodyManner {
    /// The seed to send.
    pub(super) seed: Option<i64>,
    /// Whether a stream is asked for.
    pub(super) stream: bool,
    /// Whether JSON is asked for.
    pub(super) json: bool,
    /// Whether the length is limited by the newer name, `max_completion_tokens`.
    pub(super) completion_tokens: bool,
}

/// The body of a chat request. What is not set is not sent; `extra` has the last word, but not on how the answer comes.
pub(super) fn body(model: Option<&str>, messages: &[Message], params: &TextParams, manner: BodyManner) -> JsonMap {
    let mut body = JsonMap::new();
    let mut set = |name: &str, value: Option<Json>| {
        if let Some(value) = value {
            body.insert(name.to_owned(), value);
        }
    };
    set("model", model.map(Json::from));
    set("messages", Some(turns(messages, manner.json)));
    let limit = if manner.completion_tokens { "max_completion_tokens" } else { "max_tokens" };
    set(limit, params.max_tokens.map(Json::from));
    set("temperature", params.temperature.map(Json::from));
    set("top_p", params.top_p.map(Json::from));
    set("seed", manner.seed.map(Json::from));
    set("stop", (!params.stop.is_empty()).then(|| params.stop.clone().into()));
    set("reasoning_effort", params.reasoning_effort.as_deref().map(Json::from));
    set("response_format", manner.json.then(|| serde_json::json!({"type": "json_object"})));
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
fn turns(messages: &[Message], json: bool) -> Json {
    let mentions = |message: &Message| message.content.to_lowercase().contains("json");
    let mut order = (json && !messages.iter().any(mentions)).then_some(JSON_ORDER);
    let mut turns = Vec::with_capacity(messages.len() + 1);
    let turn = |role: Role, content: &str| serde_json::json!({"role": role.name(), "content": content});
    if let Some(order) = order.filter(|_| !messages.iter().any(|message| message.role == Role::System)) {
        turns.push(turn(Role::System, order));
    }
    for message in messages {
        match order.take_if(|_| message.role == Role::System) {
            Some(order) => turns.push(turn(message.role, &format!("{}\n\n{order}", message.content))),
            None => turns.push(turn(message.role, &message.content)),
        }
    }
    turns.into()
}

/// What has been heard of an answer, whole or in pieces.
#[derive(Debug, Default)]
pub(super) struct Heard {
    pub(super) text: String,
    pub(super) finish_reason: Option<String>,
    pub(super) usage: Option<Usage>,
    pub(super) model: Option<String>,
    pub(super) id: Option<String>,
    /// What the model says instead of answering.
    pub(super) refusal: Option<String>,
}

impl Heard {
    /// Takes what stands beside the choices.
    pub(super) fn take_frame(&mut self, frame: &JsonMap) {
        let text = |name: &str| frame.get(name).and_then(Json::as_str).filter(|text| !text.is_empty());
        self.model = self.model.take().or_else(|| text("model").map(str::to_owned));
        self.id = self.id.take().or_else(|| text("id").map(str::to_owned));
        self.usage = frame.get("usage").and_then(usage).or(self.usage);
    }

    /// Takes the text of a message or of a delta and gives it back; `None` if it has none.
    pub(super) fn take_message(&mut self, message: &JsonMap) -> Option<String> {
        if let Some(refusal) = message.get("refusal").and_then(Json::as_str) {
            self.refusal.get_or_insert_default().push_str(refusal);
        }
        let text = match message.get("content")? {
            Json::String(text) => text.clone(),
            Json::Array(parts) => parts.iter().filter_map(part).collect(),
            _ => return None,
        };
        self.text.push_str(&text);
        (!text.is_empty()).then_some(text)
    }

    /// Takes the reason why the choice ended; one that is an error is one.
    pub(super) fn take_finish(
        &mut self,
        choice: &JsonMap,
        head: &HttpHead,
        speaker: Speaker<'_>,
    ) -> Result<(), Failure> {
        let Some(reason) = choice.get("finish_reason").and_then(Json::as_str).filter(|reason| !reason.is_empty())
        else {
            return Ok(());
        };
        let stopped = |kind| {
            let message = format!("The model of `{}` stops before its end (`{}`)", speaker.name, speaker.clean(reason));
            Failure::new(kind, message).suggest("try again later")
        };
        match Finish::of(reason) {
            Finish::Whole | Finish::Length => self.finish_reason = Some(reason.to_owned()),
            Finish::Filtered => return Err(self.filtered(speaker)),
            Finish::Cut => return Err(stopped(FailureKind::Cut)),
            Finish::Broken if reason.eq_ignore_ascii_case("error") || choice.contains_key("error") => {
                return Err(errors::in_band(head, &Json::Object(choice.clone()), speaker));
            }
            Finish::Broken => return Err(stopped(FailureKind::Server)),
        }
        Ok(())
    }

    fn filtered(&self, speaker: Speaker<'_>) -> Failure {
        let refusal =
            self.refusal.as_deref().map_or_else(String::new, |refusal| format!(": {}", speaker.clean(refusal)));
        Failure::new(FailureKind::Moderated, format!("The filter of `{}` holds the answer back{refusal}", speaker.name))
            .suggest("reword the prompt")
    }

    /// The answer, if it is one.
    pub(super) fn finish(mut self, head: &HttpHead, speaker: Speaker<'_>) -> Result<Reply, Failure> {
        let partial = (!self.text.is_empty()).then(|| self.text.clone());
        let request_id = head.request_id().or(self.id.take());
        let fail = |mut failure: Failure| {
            failure.status = Some(head.status);
            failure.request_id.clone_from(&request_id);
            failure.partial.clone_from(&partial);
            Err(failure)
        };
        if self.finish_reason.as_deref().map(Finish::of) == Some(Finish::Length) {
            let message = if self.text.trim().is_empty() {
                "The model thinks until no tokens are left, and says nothing"
            } else {
                "The answer is cut off, since no tokens are left for it"
            };
            return fail(
                Failure::new(FailureKind::Length, message).suggest("set a higher `max_tokens`, or ask for less"),
            );
        }
        if let Some(failure) = no_answer(&self.text, speaker) {
            return fail(failure);
        }
        if self.text.trim().is_empty() {
            if self.refusal.is_some() {
                return fail(self.filtered(speaker));
            }
            return fail(
                Failure::new(FailureKind::Empty, format!("The answer of `{}` is empty", speaker.name))
                    .suggest("try again, or name another model"),
            );
        }
        Ok(Reply {
            content: Content::Text(self.text),
            usage: self.usage,
            model: self.model,
            finish_reason: self.finish_reason,
            request_id,
        })
    }
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
    let Ok(json) = serde_json::from_slice::<Json>(bytes) else {
        return Err(errors::not_json(head, body, speaker));
    };
    if errors::is_error(&json) {
        return Err(errors::in_band(head, &json, speaker));
    }
    let frame = json.as_object();
    let Some((frame, choices)) = frame.and_then(|frame| Some((frame, frame.get("choices")?.as_array()?))) else {
        return Err(Failure {
            status: Some(head.status),
            request_id: head.request_id(),
            ..Failure::new(FailureKind::Garbled, format!("The answer of `{}` has no `choices`", speaker.name))
                .suggest("check that `base_url` is that of a chat API")
        });
    };
    let mut answer = Heard::default();
    answer.take_frame(frame);
    if let Some(choice) = choices.first().and_then(Json::as_object) {
        if let Some(message) = choice.get("message").and_then(Json::as_object) {
            answer.take_message(message);
        }
        answer.take_finish(choice, head, speaker)?;
    }
    answer.finish(head, speaker)
}

fn part(part: &Json) -> Option<&str> {
    part.as_str().or_else(|| part.get("text")?.as_str())
}

fn no_answer(text: &str, speaker: Speaker<'_>) -> Option<Failure> {
    let text = text.trim();
    if NO_ANSWERS.contains(&text) {
        let message = format!("`{}` fails and says so in place of an answer: {text}", speaker.name);
        return Some(Failure::new(FailureKind::Garbled, message.trim_end_matches('.')).suggest("try again later"));
    }
    let begin: String = text.chars().take(400).collect();
    (begin.contains(NOTICE) && begin.contains(NOTICE_SUBJECT)).then(|| {
        let message = format!("`{}` sends a notice that it is being shut down in place of an answer", speaker.name);
        Failure::new(FailureKind::Garbled, message).suggest("use `provider: pollinations` with a key")
    })
}

/// Tokens, by either of the two names that APIs have for them. `None` if nothing is counted.
pub(super) fn usage(json: &Json) -> Option<Usage> {
    let count = |names: [&str; 2]| names.into_iter().find_map(|name| json.get(name).and_then(number));
    let input = count(["prompt_tokens", "input_tokens"]);
    let output = count(["completion_tokens", "output_tokens"]);
    let total = json.get("total_tokens").and_then(number);
    input.or(output).or(total)?;
    let (input_tokens, output_tokens) = (input.unwrap_or(0), output.unwrap_or(0));
    let total_tokens = total.unwrap_or(input_tokens.saturating_add(output_tokens));
    Some(Usage { input_tokens, output_tokens, total_tokens })
}

fn number(json: &Json) -> Option<u64> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the range is checked; counts are whole"
    )]
    let whole = |float: f64| (0.0..1e15).contains(&float).then_some(float as u64);
    json.as_u64().or_else(|| whole(json.as_f64()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_set_is_not_sent() {
        let messages = [Message { role: Role::User, content: "Hi".into() }];
        let sent = body(None, &messages, &TextParams::default(), BodyManner::default());
        assert_eq!(Json::from(sent).to_string(), r#"{"messages":[{"role":"user","content":"Hi"}]}"#);
    }

    #[test]
    fn extra_has_the_last_word_but_not_on_streaming() {
        let mut params =
            TextParams { max_tokens: Some(9), seed: Some(0), stop: vec!["\n".into()], ..Default::default() };
        params.extra.insert("stream".into(), true.into());
        params.extra.insert("response_format".into(), serde_json::json!({"type": "text"}));
        params.extra.insert("safe".into(), false.into());
        let manner = BodyManner { seed: params.seed, json: true, completion_tokens: true, stream: false };
        let messages = [Message { role: Role::User, content: "As JSON".into() }];
        assert_eq!(
            Json::from(body(Some("m"), &messages, &params, manner)).to_string(),
            r#"{"model":"m","messages":[{"role":"user","content":"As JSON"}],"max_completion_tokens":9,"seed":0,"stop":["\n"],"response_format":{"type":"text"},"safe":false}"#
        );
    }

    #[test]
    fn json_is_asked_for_in_words_where_no_turn_does() {
        let sent = |turns: &[(Role, &str)], json| {
            let message = |&(role, content): &(Role, &str)| Message { role, content: content.to_owned() };
            let messages: Vec<Message> = turns.iter().map(message).collect();
            let manner = BodyManner { json, ..BodyManner::default() };
            let body = body(None, &messages, &TextParams::default(), manner);
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

    #[test]
    fn usage_has_many_forms() {
        let read = |text: &str| usage(&serde_json::from_str(text).unwrap());
        assert_eq!(read("null"), None);
        assert_eq!(read("{}"), None);
        let counted =
            |input_tokens, output_tokens, total_tokens| Some(Usage { input_tokens, output_tokens, total_tokens });
        assert_eq!(read(r#"{"prompt_tokens": 9, "completion_tokens": 2}"#), counted(9, 2, 11));
        assert_eq!(read(r#"{"prompt_tokens": 9, "completion_tokens": 2.0, "total_tokens": 40}"#), counted(9, 2, 40));
        assert_eq!(read(r#"{"input_tokens": 1, "output_tokens": null}"#), counted(1, 0, 1));
        assert_eq!(read(r#"{"total_tokens": -1}"#), None);
    }
}
