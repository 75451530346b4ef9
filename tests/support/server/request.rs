//! A request, as it arrived.

use serde_json::Value;
use tokio::io::AsyncReadExt;
use tokio::net::tcp::ReadHalf;

/// One request.
#[derive(Clone, Debug)]
pub struct Request {
    /// `GET` or `POST`.
    pub method: String,
    /// Everything that was asked for, with the query, as it stood on the wire.
    pub target: String,
    /// The path alone, as it stood on the wire.
    pub path: String,
    /// Names in lower case, in order.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// From 1, over all requests.
    pub number: usize,
    /// From 1, over the requests with the same path and prompt.
    pub attempt: usize,
}

impl Request {
    /// A header by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
    }

    /// A parameter of the query, decoded.
    pub fn query(&self, name: &str) -> Option<String> {
        let query = self.target.split_once('?')?.1;
        url::form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }

    /// The body as JSON; null if it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// What was asked: the last message of the user, the prompt of a picture, or the last segment of the path, decoded.
    pub fn prompt(&self) -> String {
        let json = self.json();
        if let Some(messages) = json["messages"].as_array() {
            let last = messages.iter().rev().find(|message| message["role"] == "user");
            // With pictures a message is a list of parts, of which the first is what is said.
            let content = last.map(|message| &message["content"]);
            let said = content.and_then(|content| content.as_str().or_else(|| content[0]["text"].as_str()));
            return said.unwrap_or_default().to_owned();
        }
        if let Some(prompt) = json["prompt"].as_str() {
            return prompt.to_owned();
        }
        let segment = self.path.rsplit('/').next().unwrap_or_default();
        percent_encoding::percent_decode_str(segment).decode_utf8_lossy().into_owned()
    }

    /// The next request of a connection; `None` at its end. What came beyond it stays in `rest`.
    pub(super) async fn read(stream: &mut ReadHalf<'_>, rest: &mut Vec<u8>) -> Option<Self> {
        let end = loop {
            if let Some(end) = rest.windows(4).position(|window| window == b"\r\n\r\n") {
                break end;
            }
            more(stream, rest).await?;
        };
        let head = String::from_utf8(rest.drain(..end + 4).collect()).ok()?;
        let mut lines = head.trim_end().split("\r\n");
        let mut first = lines.next()?.split(' ');
        let (method, target) = (first.next()?.to_owned(), first.next()?.to_owned());
        let headers: Vec<(String, String)> = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        let length = headers.iter().find(|(name, _)| name == "content-length");
        let length = length.map_or(Some(0), |(_, length)| length.parse::<usize>().ok())?;
        while rest.len() < length {
            more(stream, rest).await?;
        }
        let body = rest.drain(..length).collect();
        let path = target.split('?').next()?.to_owned();
        Some(Self { method, target, path, headers, body, number: 0, attempt: 0 })
    }
}

async fn more(stream: &mut ReadHalf<'_>, rest: &mut Vec<u8>) -> Option<()> {
    (stream.read_buf(rest).await.ok()? > 0).then_some(())
}
