//! What has been heard of a chat answer, whole or in pieces, and whether it is one.

use super::errors::{self, Speaker};
use super::finish::Finish;
use super::message::HttpHead;
use super::said::{Fields, Said, field, get};
use super::usage;
use crate::model::{Content, Failure, FailureKind, Json, Reply, Usage};

/// Texts under status 200 that no model has written. The gateway of Pollinations says them when it fails.
const NO_ANSWERS: [&str; 2] = ["Streaming response could not be processed.", "Response format not recognized"];
/// How the anonymous text host begins when it wants its caller to move.
const NOTICE: &str = "IMPORTANT NOTICE";
const NOTICE_SUBJECT: &str = "legacy text API is being deprecated";

/// What has been heard of an answer.
#[derive(Debug, Default)]
pub(super) struct Heard {
    pub(super) text: String,
    pub(super) finish_reason: Option<String>,
    pub(super) id: Option<String>,
    usage: Option<Usage>,
    model: Option<String>,
    /// What the model says instead of answering.
    refusal: Option<String>,
    /// The tool that the model calls instead of answering; empty if it has no name.
    tool: Option<String>,
    /// Whether the model has been heard to think.
    thinks: bool,
}

impl Heard {
    /// Takes what stands beside the choices.
    pub(super) fn take_frame(&mut self, frame: &Fields<'_>) {
        let text = |name: &str| get(frame, name).and_then(Said::as_str).filter(|text| !text.is_empty());
        self.model = self.model.take().or_else(|| text("model").map(str::to_owned));
        self.id = self.id.take().or_else(|| text("id").map(str::to_owned));
        self.usage = get(frame, "usage").and_then(usage::of_json).or(self.usage);
    }

    /// Takes the text of a message or of a delta and gives it back; `None` if it has none.
    pub(super) fn take_message(&mut self, message: &Fields<'_>) -> Option<String> {
        if let Some(refusal) = get(message, "refusal").and_then(Said::as_str) {
            self.refusal.get_or_insert_default().push_str(refusal);
        }
        self.tool = self.tool.take().or_else(|| tool(message));
        self.thinks |= is_thinking(message);
        let text = match get(message, "content")? {
            Said::Str(text) => text.to_string(),
            Said::Array(parts) => parts.iter().filter_map(part).collect(),
            _ => return None,
        };
        self.text.push_str(&text);
        (!text.is_empty()).then_some(text)
    }

    /// Takes the reason why the choice ended; one that is an error is one.
    pub(super) fn take_finish(
        &mut self,
        choice: &Fields<'_>,
        head: &HttpHead,
        speaker: Speaker<'_>,
    ) -> Result<(), Failure> {
        let reason = get(choice, "finish_reason").and_then(Said::as_str).filter(|reason| !reason.is_empty());
        let has_error = get(choice, "error").is_some_and(|error| !errors::is_blank(error));
        let error = || Err(errors::in_band(head, &Json::Object(choice.into()), speaker));
        let Some(reason) = reason else { return if has_error { error() } else { Ok(()) } };
        let stopped = |kind| {
            let message = format!("The model of `{}` stops before its end (`{}`)", speaker.name, speaker.clean(reason));
            Err(Failure::new(kind, message).suggest("try again later"))
        };
        match Finish::of(reason) {
            Finish::Whole if has_error && self.text.trim().is_empty() => return error(),
            Finish::Whole | Finish::Length | Finish::Filtered => self.finish_reason = Some(reason.to_owned()),
            Finish::Cut => return stopped(FailureKind::Cut),
            Finish::Broken if has_error || reason.eq_ignore_ascii_case("error") => return error(),
            Finish::Broken => return stopped(FailureKind::Server),
        }
        Ok(())
    }

    /// Whether what has been heard stands, whatever may still be said of it: a whole text, or the reason why there is none.
    pub(super) fn stands(&self) -> bool {
        match self.finish_reason.as_deref().map(Finish::of) {
            None => false,
            Some(Finish::Whole) => !self.text.trim().is_empty(),
            Some(_) => true,
        }
    }

    /// What it took, as far as has been heard.
    pub(super) fn usage(&self, head: &HttpHead) -> Option<Usage> {
        self.usage.or_else(|| usage::of_headers(head))
    }

    /// The answer, if it is one.
    pub(super) fn finish(mut self, head: &HttpHead, speaker: Speaker<'_>) -> Result<Reply, Failure> {
        let request_id = head.request_id().or(self.id.take());
        let usage = self.usage(head);
        if let Some(failure) = self.fault(speaker) {
            let partial = (!self.text.is_empty()).then_some(self.text);
            return Err(Failure { status: Some(head.status), request_id, partial, usage, ..failure });
        }
        Ok(Reply {
            content: Content::Text(self.text),
            usage,
            model: self.model,
            finish_reason: self.finish_reason,
            request_id,
        })
    }

    /// Why what has been heard is no answer.
    fn fault(&self, speaker: Speaker<'_>) -> Option<Failure> {
        let is_silent = self.text.trim().is_empty();
        match self.finish_reason.as_deref().map(Finish::of) {
            Some(Finish::Length) => {
                let message = if is_silent {
                    "The model thinks until no tokens are left, and says nothing"
                } else {
                    "The answer is cut off, since no tokens are left for it"
                };
                let suggestion = "set a higher `max_tokens`, or ask for less";
                Some(Failure::new(FailureKind::Length, message).suggest(suggestion))
            }
            Some(Finish::Filtered) => Some(self.filtered(speaker)),
            _ => no_answer(&self.text, speaker).or_else(|| is_silent.then(|| self.silence(speaker))),
        }
    }

    fn filtered(&self, speaker: Speaker<'_>) -> Failure {
        let refusal =
            self.refusal.as_deref().map_or_else(String::new, |refusal| format!(": {}", speaker.clean(refusal)));
        Failure::new(FailureKind::Moderated, format!("The filter of `{}` holds the answer back{refusal}", speaker.name))
            .suggest("reword the prompt")
    }

    /// What an answer without text is.
    fn silence(&self, speaker: Speaker<'_>) -> Failure {
        let name = speaker.name;
        if self.refusal.is_some() {
            return self.filtered(speaker);
        }
        if let Some(tool) = &self.tool {
            let tool =
                if tool.is_empty() { "a tool".to_owned() } else { format!("the tool `{}`", speaker.clean(tool)) };
            // Nobody here would answer it, however often it calls.
            return Failure::new(
                FailureKind::WrongAnswer,
                format!("The model of `{name}` calls {tool} and says nothing"),
            )
            .suggest("take `tools` out of `extra`, or forbid them with `extra: {tool_choice: none}`");
        }
        let message = if self.thinks {
            format!("The model of `{name}` thinks, and says nothing")
        } else {
            format!("The answer of `{name}` is empty")
        };
        Failure::new(FailureKind::Empty, message).suggest("try again, or name another model")
    }
}

/// Whether a message, or a delta, has thinking in it, by either of the names that servers have for it.
pub(super) fn is_thinking(message: &Fields<'_>) -> bool {
    let said = |name: &str| get(message, name).and_then(Said::as_str).is_some_and(|text| !text.is_empty());
    said("reasoning_content") || said("reasoning")
}

/// The choice that is listened to: with `n` above one, others are other answers.
pub(super) fn chosen<'v, 'a>(choices: &'v [Said<'a>]) -> Option<&'v Fields<'a>> {
    let mut choices = choices.iter().filter_map(Said::as_object);
    let first = choices.clone().next();
    choices.find(|choice| index_of(choice) == 0).or(first)
}

/// The number of a choice; the first where it has none.
pub(super) fn index_of(choice: &Fields<'_>) -> u64 {
    get(choice, "index").and_then(Said::as_u64).unwrap_or(0)
}

/// The name of the tool that a message calls.
fn tool(message: &Fields<'_>) -> Option<String> {
    let call = get(message, "tool_calls").and_then(|calls| calls.as_array()?.first());
    let call = call.map(|call| field(call, "function").unwrap_or(call));
    let call = call.or_else(|| get(message, "function_call").filter(|call| call.is_object()))?;
    Some(field(call, "name").and_then(Said::as_str).unwrap_or_default().to_owned())
}

/// The text of a part of a message. Parts that say their kind may hold anything else under the same name.
fn part<'v>(part: &'v Said<'_>) -> Option<&'v str> {
    let kind = field(part, "type").and_then(Said::as_str);
    let is_text = kind.is_none_or(|kind| matches!(kind, "text" | "output_text"));
    part.as_str().or_else(|| field(part, "text").filter(|_| is_text)?.as_str())
}

fn no_answer(text: &str, speaker: Speaker<'_>) -> Option<Failure> {
    let text = text.trim();
    if NO_ANSWERS.contains(&text) {
        let message = format!("`{}` fails and says so in place of an answer: {text}", speaker.name);
        return Some(Failure::new(FailureKind::Garbled, message.trim_end_matches('.')).suggest("try again later"));
    }
    let begin = text.char_indices().nth(400).map_or(text, |(end, _)| &text[..end]);
    (begin.contains(NOTICE) && begin.contains(NOTICE_SUBJECT)).then(|| {
        let message = format!("`{}` sends a notice that it is being shut down in place of an answer", speaker.name);
        Failure::new(FailureKind::Garbled, message).suggest("use `provider: pollinations` with a key")
    })
}
