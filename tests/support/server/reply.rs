//! What the server answers.

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::tcp::WriteHalf;

use super::Gate;

/// How a reply ends.
#[derive(Clone, Debug)]
enum End {
    /// Whole, and the connection stays.
    Kept,
    /// After so many bytes of the body the connection is closed.
    Cut(usize),
    /// After so many bytes of the body, or before the head without a number, the connection is reset.
    Reset(Option<usize>),
    /// Not at all: the connection stays open and silent.
    Never,
}

/// A reply. Made by one of its constructors, bent by its methods.
#[derive(Clone, Debug)]
pub struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    /// Lengths of the pieces that the body is sent in; without them it has a `content-length`.
    pieces: Option<Vec<usize>>,
    length: Option<usize>,
    raw: bool,
    end: End,
    before: Option<Gate>,
    within: Option<(usize, Gate)>,
}

impl Reply {
    /// Any bytes under any label, with status 200.
    pub fn bytes(content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status: 200,
            headers: vec![("content-type".to_owned(), content_type.to_owned())],
            body: body.into(),
            pieces: None,
            length: None,
            raw: false,
            end: End::Kept,
            before: None,
            within: None,
        }
    }

    /// JSON.
    pub fn json(value: &Value) -> Self {
        Self::bytes("application/json; charset=utf-8", value.to_string())
    }

    /// A web page.
    pub fn html(page: &str) -> Self {
        Self::bytes("text/html; charset=UTF-8", page)
    }

    /// A chat answer that came to its end, with usage 9 + 12.
    pub fn chat(text: impl Into<String>) -> Self {
        Self::chat_ending(json!(text.into()), json!("stop"))
    }

    /// A chat answer with any `content` and `finish_reason`.
    pub fn chat_ending(content: Value, finish_reason: Value) -> Self {
        let mut choice = json!({"index": 0, "message": {"role": "assistant"}});
        choice["message"]["content"] = content;
        choice["finish_reason"] = finish_reason;
        Self::json(&json!({
            "id": "chat-1", "object": "chat.completion", "created": 1_764_000_000, "model": "test-model",
            "choices": [choice],
            "usage": {"prompt_tokens": 9, "completion_tokens": 12, "total_tokens": 21},
        }))
    }

    /// A stream of these events, each the data of one, as they are. `[DONE]` is not added.
    pub fn events<T: AsRef<str>>(events: impl IntoIterator<Item = T>) -> Self {
        let mut body = String::new();
        for event in events {
            body.extend(["data: ", event.as_ref(), "\n\n"]);
        }
        Self::bytes("text/event-stream; charset=utf-8", body).in_pieces([])
    }

    /// A streamed chat answer in these pieces of text, with usage 9 + 2 and `[DONE]`.
    pub fn stream(texts: &[&str]) -> Self {
        let mut events = vec![chunk(json!({"role": "assistant", "content": ""}), Value::Null)];
        events.extend(texts.iter().map(|text| chunk(json!({"content": text}), Value::Null)));
        events.push(chunk(json!({}), json!("stop")));
        let usage = json!({"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11});
        events.push(json!({"id": "chat-1", "choices": [], "usage": usage}).to_string());
        events.push("[DONE]".to_owned());
        Self::events(events)
    }

    /// An error in the shape of Pollinations.
    pub fn error(status: u16, code: &str, message: &str) -> Self {
        let error =
            json!({"code": code, "message": message, "timestamp": "2026-04-04T09:11:31.491Z", "requestId": "req-1"});
        Self::json(&json!({"status": status, "success": false, "error": error})).status(status)
    }

    /// A picture of 4 x 3 pixels whose colour comes from the prompt: other prompts, other bytes.
    pub fn picture(prompt: &str) -> Self {
        Self::bytes("image/jpeg", picture(prompt))
    }

    /// These bytes in place of HTTP, then the end of the connection.
    pub fn raw(bytes: impl Into<Vec<u8>>) -> Self {
        Self { raw: true, ..Self::bytes("", bytes) }.cut_after(usize::MAX)
    }

    /// No reply, and no end of the connection.
    pub fn never() -> Self {
        Self { end: End::Never, ..Self::bytes("", "") }
    }

    /// A reset of the connection in place of a reply.
    pub fn reset() -> Self {
        Self { end: End::Reset(None), ..Self::bytes("", "") }
    }

    /// With another status.
    pub fn status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// With one more header; one of the same name is replaced.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(header, _)| header != name);
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// In chunks of these lengths (and one for the rest), which reach the other side one by one.
    pub fn in_pieces(mut self, lengths: impl IntoIterator<Item = usize>) -> Self {
        self.pieces = Some(lengths.into_iter().collect());
        self
    }

    /// With this `content-length`, whatever the body.
    pub fn claiming(mut self, length: usize) -> Self {
        self.length = Some(length);
        self
    }

    /// Held back as a whole until the gate opens.
    pub fn held_by(mut self, gate: &Gate) -> Self {
        self.before = Some(gate.clone());
        self
    }

    /// Held after so many bytes of the body until the gate opens.
    pub fn held_within(mut self, bytes: usize, gate: &Gate) -> Self {
        self.within = Some((bytes, gate.clone()));
        self
    }

    /// Closed after so many bytes of the body.
    pub fn cut_after(mut self, bytes: usize) -> Self {
        self.end = End::Cut(bytes);
        self
    }

    /// Reset after so many bytes of the body.
    pub fn reset_after(mut self, bytes: usize) -> Self {
        self.end = End::Reset(Some(bytes));
        self
    }

    /// The body.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// Writes it; whether the connection can be used again.
    pub(super) async fn write(&self, stream: &mut WriteHalf<'_>) -> bool {
        if let Some(gate) = &self.before {
            gate.passed().await;
        }
        let last = match self.end {
            End::Never => std::future::pending().await,
            End::Reset(None) => {
                stream.as_ref().set_zero_linger().ok();
                return false;
            }
            End::Kept => self.body.len(),
            End::Cut(bytes) | End::Reset(Some(bytes)) => self.body.len().min(bytes),
        };
        if !self.raw && stream.write_all(self.head().as_bytes()).await.is_err() {
            return false;
        }
        if self.write_body(stream, last).await.is_err() {
            return false;
        }
        match self.end {
            End::Kept => true,
            End::Reset(_) => {
                stream.as_ref().set_zero_linger().ok();
                false
            }
            End::Cut(_) | End::Never => false,
        }
    }

    async fn write_body(&self, stream: &mut WriteHalf<'_>, last: usize) -> std::io::Result<()> {
        let mut places: Vec<usize> = vec![0];
        for length in self.pieces.iter().flatten() {
            places.push(places[places.len() - 1] + length);
        }
        places.extend(self.within.iter().map(|(bytes, _)| *bytes));
        places.push(last);
        places.retain(|place| *place <= last);
        places.sort_unstable();
        for pair in places.windows(2) {
            let piece = &self.body[pair[0]..pair[1]];
            match &self.within {
                Some((bytes, gate)) if *bytes == pair[0] => gate.passed().await,
                _ => {}
            }
            // An empty chunk would be the end of the body.
            if self.pieces.is_some() && !piece.is_empty() {
                stream.write_all(format!("{:x}\r\n", piece.len()).as_bytes()).await?;
                stream.write_all(piece).await?;
                stream.write_all(b"\r\n").await?;
            } else {
                stream.write_all(piece).await?;
            }
        }
        if self.pieces.is_some() && matches!(self.end, End::Kept) {
            stream.write_all(b"0\r\n\r\n").await?;
        }
        stream.flush().await
    }

    fn head(&self) -> String {
        let mut head = format!("HTTP/1.1 {} Told\r\n", self.status);
        for (name, value) in &self.headers {
            head.extend([name, ": ", value, "\r\n"]);
        }
        let length = self.length.unwrap_or(self.body.len()).to_string();
        head.extend(match self.pieces {
            Some(_) => ["transfer-encoding", ": ", "chunked", "\r\n"],
            None => ["content-length", ": ", &length, "\r\n"],
        });
        head + "\r\n"
    }
}

/// The data of one chunk of a streamed chat answer.
pub fn chunk(delta: Value, finish_reason: Value) -> String {
    let mut choice = json!({"index": 0});
    choice["delta"] = delta;
    choice["finish_reason"] = finish_reason;
    json!({"id": "chat-1", "object": "chat.completion.chunk", "created": 1764, "model": "test-model", "choices": [choice]})
        .to_string()
}

/// A PNG of 4 x 3 pixels whose colours come from the prompt.
pub fn picture(prompt: &str) -> Vec<u8> {
    let hash = blake3::hash(prompt.as_bytes());
    let [red, green, blue, ..] = *hash.as_bytes();
    let mut bytes = std::io::Cursor::new(vec![]);
    let mut made = image::RgbImage::from_pixel(4, 3, image::Rgb([red, green, blue]));
    // A picture of one colour is blank, which is told.
    made.put_pixel(1, 1, image::Rgb([!red, !green, !blue]));
    made.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}
