//! From what a server says to a failure: its kind, what happened in one sentence, and what to try.
//!
//! The table of statuses and the shapes of bodies are those that Pollinations and servers compatible with `OpenAI` have
//! been seen to use.

use std::time::Duration;

use secrecy::SecretString;

use super::error_body::Complaint;
use super::form::Form;
use super::message::HttpHead;
use super::redact::Redactor;
use super::retry_after::retry_after;
use super::said::{Fields, Said, get};
use super::status;
use crate::model::{Advice, Failure, FailureKind, Json, ProviderSettings, Units, truthy};

/// So much of what a server says is repeated, in characters.
const SAID_LIMIT: usize = 400;
/// A run does not wait longer than this for a service.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);

/// Who speaks, and about what: what a sentence about a failure needs to know.
#[derive(Debug, Clone, Copy)]
pub(super) struct Speaker<'a> {
    /// The provider's name in the file.
    pub(super) name: &'a str,
    /// The model that was asked for.
    pub(super) model: Option<&'a str>,
    /// What must not be repeated.
    pub(super) secret: Option<&'a SecretString>,
    /// What is sent with each request, which may be as secret.
    pub(super) headers: &'a [(String, String)],
    /// What `response_format` asked for, where this program has sent one.
    pub(super) form: Option<Form>,
}

impl Speaker<'_> {
    /// What keeps keys out of text from outside.
    pub(super) fn redactor(&self) -> Redactor {
        Redactor::new(self.secret, self.headers.iter().map(|(_, value)| value.as_str()))
    }

    /// Text from outside without keys, as one line that fits into a sentence. It is cut last: half a key is one too.
    pub(super) fn clean(&self, text: &str) -> String {
        let text = self.redactor().redact(text);
        let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let line = line.strip_suffix('.').unwrap_or(&line);
        if line.chars().count() <= SAID_LIMIT {
            return line.to_owned();
        }
        line.chars().take(SAID_LIMIT).chain(['…']).collect()
    }
}

/// A reply whose status is not one of success.
pub(super) fn refusal(head: &HttpHead, body: &[u8], speaker: Speaker<'_>) -> Failure {
    if let (300..400, Some(target)) = (head.status, head.header("location")) {
        let message =
            format!("`{}` answers {}: it has moved to `{}`", speaker.name, head.status, speaker.clean(target));
        return Failure { status: Some(head.status), ..Failure::new(FailureKind::BadRequest, message) }
            .suggest("set `base_url` to the new address");
    }
    failure(head, head.status, Complaint::read(body), speaker)
}

/// An error in a reply whose status is one of success.
pub(super) fn in_band(head: &HttpHead, json: &Json, speaker: Speaker<'_>) -> Failure {
    let complaint = Complaint::from_json(json);
    let words = [complaint.code.as_deref(), complaint.class.as_deref()];
    let named = || words.into_iter().flatten().find_map(status::of_word);
    let status = complaint.status.or_else(named).unwrap_or(head.status);
    failure(head, status, complaint, speaker)
}

/// A reply of success that is not JSON where JSON is promised.
pub(super) fn not_json(head: &HttpHead, body: &[u8], speaker: Speaker<'_>) -> Failure {
    let message = match Complaint::read(body) {
        Complaint { message, foreign: true, .. } if message.starts_with("a web page") => speaker.clean(&message),
        _ if body.iter().all(u8::is_ascii_whitespace) => {
            return Failure { status: Some(head.status), request_id: head.request_id(), ..empty(speaker) };
        }
        _ if body.starts_with(b"{") || body.starts_with(b"[") => "broken JSON".to_owned(),
        Complaint { message, .. } if message.chars().all(|c| !c.is_control() && c != char::REPLACEMENT_CHARACTER) => {
            format!("not JSON but `{}`", speaker.clean(&message))
        }
        _ => "not JSON".to_owned(),
    };
    Failure {
        status: Some(head.status),
        request_id: head.request_id(),
        ..Failure::new(FailureKind::Garbled, format!("The answer of `{}` is {message}", speaker.name))
            .suggest("check `base_url`, and any proxy on the way")
    }
}

fn empty(speaker: Speaker<'_>) -> Failure {
    Failure::new(FailureKind::Empty, format!("The answer of `{}` is empty", speaker.name)).suggest("try again later")
}

/// Whether a reply under a status of success is an error all the same.
pub(super) fn is_error(json: &Said<'_>) -> bool {
    let Some(object) = json.as_object() else { return false };
    is_error_event(json) || (!has_answer(object) && get(object, "detail").is_some_and(is_truthy))
}

/// The same of one event of a stream, in which `detail` may be anything.
pub(super) fn is_error_event(json: &Said<'_>) -> bool {
    let Some(object) = json.as_object() else { return false };
    get(object, "error").is_some_and(|error| is_truthy(error) && !(has_answer(object) && is_blank(error)))
        || object.contains_key("x402Version")
        || get(object, "object").and_then(Said::as_str) == Some("error")
        || (!has_answer(object) && get(object, "success") == Some(&Said::Bool(false)))
}

fn has_answer(object: &Fields<'_>) -> bool {
    ["choices", "data"].iter().any(|name| get(object, name).is_some_and(Said::is_array))
}

fn is_truthy(said: &Said<'_>) -> bool {
    truthy(&said.into())
}

/// Whether an error is one in form alone: some servers send the field always.
pub(super) fn is_blank(error: &Said<'_>) -> bool {
    match error {
        Said::Object(fields) => fields.values().all(is_blank),
        error => !is_truthy(error),
    }
}

fn failure(head: &HttpHead, status: u16, complaint: Complaint, speaker: Speaker<'_>) -> Failure {
    let pause = retry_after(head, complaint.retry_after, &complaint.message);
    let mut kind = kind(status, &complaint, pause);
    if kind == FailureKind::BadRequest && speaker.form.is_some() && is_about_form(&complaint) {
        kind = FailureKind::FormRefused;
    }
    let mut who = format!("`{}`", speaker.name);
    if let Some(place) = &head.elsewhere {
        who = format!("`{}` redirects to `{place}`, which", speaker.name);
        // What another server thinks of us says nothing of this service's key and account.
        if kind.advice() == Advice::Block || kind == FailureKind::ModelForbidden {
            kind = FailureKind::BadRequest;
        }
    }
    let said = speaker.clean(&complaint.message);
    let mut message = match (said.is_empty(), status::meaning(status)) {
        (false, _) if (200..300).contains(&status) => format!("{who} answers with an error: {said}"),
        (true, _) if (200..300).contains(&status) => format!("{who} answers with an error"),
        (false, _) => format!("{who} answers {status}: {said}"),
        (true, Some(meaning)) => format!("{who} answers {status} ({meaning}) and says no more"),
        (true, None) => format!("{who} answers {status} and says no more"),
    };
    let mut suggestion = suggestion(kind, status, &complaint, speaker);
    if let (FailureKind::Away, Some(pause)) = (kind, pause) {
        let pause = Units::show_duration(pause);
        message = format!("{message}; it asks to be left alone for {pause}");
        suggestion = Some(format!("run it again in {pause}"));
    } else if head.elsewhere.is_some() && kind == FailureKind::BadRequest {
        suggestion = Some("check `base_url`, and where it leads".to_owned());
    }
    Failure {
        suggestion,
        status: Some(status),
        code: complaint.code,
        request_id: complaint.request_id.or_else(|| head.request_id()),
        retry_after: pause
            .filter(|_| matches!(kind, FailureKind::RateLimited | FailureKind::Server | FailureKind::Away)),
        ..Failure::new(kind, message)
    }
}

fn kind(status: u16, complaint: &Complaint, pause: Option<Duration>) -> FailureKind {
    let words = complaint.words();
    let has = |list: &[&str]| list.iter().any(|word| words.contains(word));
    if matches!(status, 429 | 503) && pause.is_some_and(|pause| pause > LONGEST_WAIT) {
        return FailureKind::Away;
    }
    if complaint.x402 || has(&["queue full"]) {
        return FailureKind::RateLimited;
    }
    // What stands behind a gateway refuses the gateway's own key, not ours (pollinations/pollinations#7783).
    if complaint.upstream && matches!(status, 401..=403) {
        return FailureKind::Server;
    }
    if status != 429 && status < 500 && has(&["invalid_api_key", "incorrect api key", "api key not valid"]) {
        return FailureKind::KeyRefused;
    }
    let is_quota =
        has(&["insufficient_quota", "billing_hard_limit", "billing_not_active", "exceeded your current quota"]);
    let is_filtered = is_moderation(&words) || is_moderation(&complaint.behind);
    match status {
        403 if is_quota => FailureKind::BalanceGone,
        // A quota that comes back in a while is a rate: Gemini has one word for both.
        429 if is_quota && pause.is_none() => FailureKind::BalanceGone,
        402 if has(&["insufficient_balance", "key_budget_exhausted"]) => FailureKind::BalanceGone,
        402 if is_about_model(&words) => FailureKind::ModelForbidden,
        402 => FailureKind::BalanceGone,
        403 if is_filtered => FailureKind::Moderated,
        403 if is_about_model(&words) => FailureKind::ModelForbidden,
        // A firewall before the API refuses this request, or this machine; it knows nothing of keys.
        403 if complaint.foreign => FailureKind::BadRequest,
        401 | 403 => FailureKind::KeyRefused,
        404 => FailureKind::NotFound,
        408 | 425 => FailureKind::Server,
        429 => FailureKind::RateLimited,
        451 => FailureKind::Moderated,
        400..500 if has(&["model_not_found"]) => FailureKind::NotFound,
        400..500 if is_filtered => FailureKind::Moderated,
        501 | 505 => FailureKind::BadRequest,
        500..600 if is_named_moderation(&words) || is_named_moderation(&complaint.behind) => FailureKind::Moderated,
        500..600 => FailureKind::Server,
        200..300 => in_band_kind(&words, is_quota && pause.is_none()),
        _ => FailureKind::BadRequest,
    }
}

/// A server in trouble that speaks of filters may only explain itself; these words are said of nothing else.
fn is_named_moderation(words: &str) -> bool {
    ["content_policy_violation", "safety_error"].iter().any(|sign| words.contains(sign))
}

/// An error under a status of success that names no status: by its words.
fn in_band_kind(words: &str, is_quota: bool) -> FailureKind {
    let has = |list: &[&str]| list.iter().any(|word| words.contains(word));
    if is_quota || has(&["insufficient_balance", "key_budget_exhausted"]) {
        FailureKind::BalanceGone
    } else if has(&["rate_limit", "rate limit", "too many requests", "ratelimited", "quota"]) {
        FailureKind::RateLimited
    } else if is_moderation(words) {
        FailureKind::Moderated
    } else if is_too_long(words) || has(&["invalid_request_error", "invalid_prompt"]) {
        FailureKind::BadRequest
    } else {
        FailureKind::Server
    }
}

fn is_moderation(words: &str) -> bool {
    const SIGNS: [&str; 11] = [
        "content_policy",
        "content policy",
        "content_filter",
        "content filter",
        "content moderation",
        "content management policy",
        "moderation_blocked",
        "safety_error",
        "safety system",
        "responsibleaipolicy",
        "flagged by",
    ];
    SIGNS.iter().any(|sign| words.contains(sign))
}

fn is_about_model(words: &str) -> bool {
    const SIGNS: [&str; 7] = [
        "tier not high enough",
        "this model requires",
        "paid_only",
        "paid-only",
        "paid only",
        "top-up pollen",
        "model_not_allowed",
    ];
    let refused = ["not allowed", "access to", "permission", "not available", "not enabled", "not included"];
    SIGNS.iter().any(|sign| words.contains(sign))
        || (words.contains("model") && refused.iter().any(|sign| words.contains(sign)))
}

/// Whether a service does not take the form in which JSON was asked for, or not this schema.
fn is_about_form(complaint: &Complaint) -> bool {
    const SIGNS: [&str; 8] = [
        "response_format",
        "response format",
        "responseformat",
        "json_schema",
        "json schema",
        "json_object",
        "structured output",
        "structured_output",
    ];
    let words = format!("{}\n{}", complaint.words(), complaint.behind);
    !is_too_long(&words) && SIGNS.iter().any(|sign| words.contains(sign) || complaint.param.contains(sign))
}

fn is_too_long(words: &str) -> bool {
    ["context_length_exceeded", "maximum context length", "context window", "context size"]
        .iter()
        .any(|sign| words.contains(sign))
}

fn suggestion(kind: FailureKind, status: u16, complaint: &Complaint, speaker: Speaker<'_>) -> Option<String> {
    let name = speaker.name;
    let model = speaker.model.map_or_else(|| "the model".to_owned(), |model| format!("`{model}`"));
    let words = complaint.words();
    Some(match kind {
        FailureKind::KeyRefused if speaker.secret.is_none() => {
            format!("`{name}` is asked without a key: name the variable that holds one, `api_key: {{env: NAME}}`")
        }
        FailureKind::KeyRefused => {
            format!("check the key of `{name}`: it may be mistyped, shortened, expired or revoked")
        }
        FailureKind::BalanceGone => format!("top up the account of `{name}`, or give its key a larger budget"),
        FailureKind::ModelForbidden => {
            format!("name another model than {model}, or use a key that may use it{}", listing(name))
        }
        FailureKind::NotFound => {
            format!("check the name of {model}, which may have moved, and `base_url`{}", listing(name))
        }
        FailureKind::Moderated => "reword the prompt".to_owned(),
        FailureKind::RateLimited => "lower `concurrency`, or set a `rate`, for this provider".to_owned(),
        FailureKind::Server => "try again later".to_owned(),
        FailureKind::FormRefused => "the next attempt asks for it in words: `retry: 2` allows one".to_owned(),
        FailureKind::BadRequest if is_too_long(&words) => {
            "shorten the prompt, or name a model with a longer context".to_owned()
        }
        FailureKind::BadRequest if status == 413 => "shorten the prompt".to_owned(),
        FailureKind::BadRequest if status == 403 => {
            "something before the API blocks this machine or this prompt: check the network, or reword the prompt"
                .to_owned()
        }
        FailureKind::BadRequest => {
            format!("`blossom-run show` prints the request; leave out what {model} does not take")
        }
        _ => return None,
    })
}

/// Where the names of models are to be found. The command knows the providers that are built in, not those of a file.
fn listing(name: &str) -> String {
    if ProviderSettings::BUILT_IN.contains(&name) {
        format!("; `blossom-run models --provider {name}` lists the models")
    } else {
        String::new()
    }
}
