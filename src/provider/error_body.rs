//! What the body of a refusal says, in whichever of the shapes that servers have for it.

use crate::model::{Json, JsonMap};

/// How deep an error may be wrapped into errors.
const DEPTH: usize = 6;
/// So many wrong fields are named.
const FIELDS: usize = 8;

/// The complaint of a server.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Complaint {
    /// What it says, on one line; empty if it says nothing.
    pub(super) message: String,
    /// Its word for the error.
    pub(super) code: Option<String>,
    /// Its class of errors (`type`).
    pub(super) class: Option<String>,
    /// The part of the request that it speaks of, in lower case; empty if it names none.
    pub(super) param: String,
    /// The status that the body names, if it is one of an error.
    pub(super) status: Option<u16>,
    /// Seconds to wait.
    pub(super) retry_after: Option<f64>,
    /// Its name for the exchange.
    pub(super) request_id: Option<String>,
    /// It asks for a payment by x402, which is how the gateway says that a queue is full.
    pub(super) x402: bool,
    /// It passes on what a server behind it says.
    pub(super) upstream: bool,
    /// What that server says, in lower case, where it is passed on as it came. It knows nothing of our key.
    pub(super) behind: String,
    /// It is no JSON: a page or a line of something in between.
    pub(super) foreign: bool,
}

impl Complaint {
    /// Reads a body of any kind.
    pub(super) fn read(body: &[u8]) -> Self {
        let text = String::from_utf8_lossy(body);
        let text = text.trim_start_matches('\u{feff}').trim();
        if let Ok(json @ (Json::Object(_) | Json::Array(_) | Json::String(_))) = serde_json::from_str(text) {
            return Self::from_json(&json);
        }
        let message = if text.starts_with('<') { page(text) } else { text.to_owned() };
        Self { message: one_line(&message), foreign: true, ..Self::default() }
    }

    /// Reads JSON of any kind.
    pub(super) fn from_json(json: &Json) -> Self {
        let mut complaint = Self::default();
        complaint.take(json, DEPTH);
        complaint.message = one_line(&complaint.message);
        complaint
    }

    /// Everything it says, in lower case, for looking up words.
    pub(super) fn words(&self) -> String {
        [Some(&self.message), self.code.as_ref(), self.class.as_ref()]
            .into_iter()
            .flatten()
            .map(|text| text.to_lowercase())
            .collect::<Vec<_>>()
            .join("\n")
    }

    fn take(&mut self, json: &Json, depth: usize) {
        let Some(depth) = depth.checked_sub(1) else { return };
        match json {
            Json::String(text) => self.take_text(text, depth),
            Json::Array(list) => {
                if let Some(first) = list.first() {
                    self.take(first, depth);
                }
            }
            Json::Object(object) => self.take_object(object, depth),
            _ => {}
        }
    }

    /// A message, or JSON that has been put into a text (pollinations/pollinations#7783).
    fn take_text(&mut self, text: &str, depth: usize) {
        match serde_json::from_str::<Json>(text) {
            Ok(json @ Json::Object(_)) => self.take(&json, depth),
            _ if text.trim_start().starts_with('<') => self.message = page(text.trim_start()),
            _ => text.clone_into(&mut self.message),
        }
    }

    /// What stands closer to the origin of an error says more, so it replaces what stands around it.
    fn take_object(&mut self, object: &JsonMap, depth: usize) {
        self.take_marks(object);
        let error = object.get("error").filter(|error| !error.is_null());
        for outer in [object.get("errors"), object.get("detail"), error] {
            match outer {
                // FastAPI: a list of fields, each with its place.
                Some(Json::Array(list)) if list.iter().any(|entry| entry.get("msg").is_some()) => {
                    self.message = list.iter().map(field_of_fastapi).collect::<Vec<_>>().join("; ");
                }
                Some(inner) => self.take(inner, depth),
                None => {}
            }
        }
        if let Some(message) = object.get("message").filter(|message| message.is_string() || message.is_object()) {
            self.take(message, depth);
        }
        if let Some(details) = object.get("details") {
            self.take_details(details, depth);
        }
    }

    fn take_details(&mut self, details: &Json, depth: usize) {
        self.retry_after = pause(details).or(self.retry_after);
        let wrong = wrong_fields(details);
        if !wrong.is_empty() {
            self.message = if self.message.is_empty() { wrong } else { format!("{}: {wrong}", self.message) };
        } else if details.get("error").is_some_and(|error| !error.is_null()) {
            self.take(details, depth);
        }
        self.upstream |= details.get("upstreamStatus").is_some();
        if let Some(body) = details.get("upstreamBody") {
            let mut behind = Self::default();
            behind.take(body, depth);
            if !behind.message.is_empty() && !self.message.contains(&behind.message) {
                let before = if self.message.is_empty() { String::new() } else { format!("{}: ", self.message) };
                self.message = before + &behind.message;
            }
            self.behind = behind.words();
        }
    }

    fn take_marks(&mut self, object: &JsonMap) {
        let text = |name: &str| object.get(name).and_then(Json::as_str).filter(|text| !text.is_empty());
        match object.get("code") {
            Some(Json::String(code)) if !code.is_empty() => {
                self.status = status(&Json::from(code.as_str())).or(self.status);
                self.code = Some(code.clone());
            }
            Some(code @ Json::Number(number)) => {
                self.status = status(code).or(self.status);
                self.code = self.code.take().or_else(|| Some(number.to_string()));
            }
            _ => {}
        }
        self.class = text("type").map(str::to_owned).or(self.class.take());
        if let Some(param) = text("param") {
            self.param = param.to_lowercase();
        }
        let named = object.get("status").or_else(|| object.get("status_code"));
        self.status = named.and_then(status).or(self.status);
        self.request_id =
            text("requestId").or_else(|| text("request_id")).map(str::to_owned).or(self.request_id.take());
        self.retry_after = named_pause(object).or(self.retry_after);
        self.x402 |= object.contains_key("x402Version");
    }
}

/// A status of an error, as a number or as its digits.
fn status(json: &Json) -> Option<u16> {
    let number = json.as_u64().and_then(|number| u16::try_from(number).ok());
    number.or_else(|| json.as_str()?.trim().parse().ok()).filter(|number| (400..600).contains(number))
}

/// How many seconds an object, or one of a list, asks to be waited.
fn pause(json: &Json) -> Option<f64> {
    match json {
        Json::Object(object) => named_pause(object),
        Json::Array(list) => list.iter().filter_map(Json::as_object).find_map(named_pause),
        _ => None,
    }
}

fn named_pause(object: &JsonMap) -> Option<f64> {
    // A number, also as a text, with or without its unit. The last is Gemini's.
    let seconds = |json: &Json| json.as_f64().or_else(|| json.as_str()?.trim().trim_end_matches('s').parse().ok());
    let names = ["retryAfterSeconds", "retryAfter", "retry_after", "retryDelay"];
    names.iter().find_map(|name| seconds(object.get(*name)?))
}

/// Which fields of a request are wrong, and what is wrong with all of it.
fn wrong_fields(details: &Json) -> String {
    let texts = |list: &Json| {
        let list = list.as_array().into_iter().flatten().filter_map(Json::as_str);
        list.map(str::to_owned).collect::<Vec<_>>()
    };
    let mut wrong = details.get("formErrors").map(texts).unwrap_or_default();
    let fields = details.get("fieldErrors").and_then(Json::as_object).into_iter().flatten();
    wrong.extend(
        fields
            .map(|(name, list)| (name, texts(list)))
            .filter(|(_, list)| !list.is_empty())
            .map(|(name, list)| format!("`{name}`: {}", list.join(", "))),
    );
    let more = wrong.len().saturating_sub(FIELDS);
    wrong.truncate(FIELDS);
    if more > 0 {
        wrong.push(format!("and {more} more"));
    }
    wrong.join("; ")
}

fn field_of_fastapi(entry: &Json) -> String {
    let message = entry.get("msg").and_then(Json::as_str).unwrap_or("is wrong");
    let place = entry
        .get("loc")
        .and_then(Json::as_array)
        .map(|path| path.iter().map(crate::model::plain_text).collect::<Vec<_>>().join("."));
    place.map_or_else(|| message.to_owned(), |place| format!("`{place}`: {message}"))
}

/// The title of a page, else its first heading, else that it is one.
fn page(text: &str) -> String {
    let between = |tag: &str| {
        // ASCII letters alone change their case here, so offsets stay what they are.
        let lower = text.to_ascii_lowercase();
        let start = lower.find(&format!("<{tag}"))?;
        let start = start + lower[start..].find('>')? + 1;
        let end = start + lower[start..].find("</")?;
        let inner = text[start..end].trim();
        (!inner.is_empty()).then(|| inner.to_owned())
    };
    let title = between("title").or_else(|| between("h1"));
    title.map_or_else(|| "a web page".to_owned(), |title| format!("a web page, `{title}`"))
}

/// One line, without a full stop at the end.
fn one_line(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    line.strip_suffix('.').unwrap_or(&line).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn fields_are_named() {
        let gateway = br#"{"status":400,"success":false,"error":{"code":"BAD_REQUEST","message":"Invalid query parameters","details":{"name":"ValidationError","formErrors":[],"fieldErrors":{"width":["Invalid input: expected number, received NaN"]}}}}"#;
        let read = Complaint::read(gateway);
        assert_eq!(read.message, "Invalid query parameters: `width`: Invalid input: expected number, received NaN");
        let fastapi = br#"{"detail":[{"loc":["body","messages",0],"msg":"field required","type":"value_error"}]}"#;
        assert_eq!(Complaint::read(fastapi).message, "`body.messages.0`: field required");
    }

    #[test]
    fn an_error_within_errors_is_found() {
        let read = Complaint::read(
            br#"{"error":"400 Bad Request","status":400,"details":{"error":{"message":"azure-openai error: no","type":"invalid_request_error","param":"temperature","code":"unsupported_value"},"provider":"azure-openai"}}"#,
        );
        assert_eq!(read.message, "azure-openai error: no");
        assert_eq!((read.code.as_deref(), read.status), (Some("unsupported_value"), Some(400)));
        let inner = r#"{"error":"Too Many Requests","message":"Queue full","requestId":"nx"}"#;
        let outer = serde_json::json!({"success": false, "error": {"code": "BAD_GATEWAY", "message": inner}});
        let read = Complaint::from_json(&outer);
        assert_eq!((read.message.as_str(), read.request_id.as_deref()), ("Queue full", Some("nx")));
    }

    #[test]
    fn a_page_is_known_by_its_title() {
        let read = Complaint::read(b"<!DOCTYPE html><html><head><TITLE>502: Bad\n gateway</TITLE></head>");
        assert_eq!((read.message.as_str(), read.foreign), ("a web page, `502: Bad gateway`", true));
        assert_eq!(Complaint::read(b"<html>").message, "a web page");
        assert_eq!(Complaint::read(b"error code: 1033").message, "error code: 1033");
        assert_eq!(Complaint::read(b"").message, "");
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(text in r#"(<title>|</|\{"error":|\[|\]|\}|"[a-zé]*"|<h1>|:|,|null|4){0,12}"#) {
            let read = Complaint::read(text.as_bytes());
            prop_assert!(!read.message.contains('\n'));
        }
    }
}
