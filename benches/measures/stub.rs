//! A server that answers chat completions as an `openai` provider asks for them, and does as little as possible besides.
//!
//! HTTP/1.1 with connections kept open, on one thread: what it takes is taken from the program that is measured, as
//! both share the machine. It knows just what the two clients here send.

use std::borrow::Cow;
use std::collections::HashSet;
use std::io::Write as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use bytes::{Buf, BytesMut};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::latency::Latency;

/// What the server has been asked.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Stats {
    /// Chat completions.
    pub(crate) requests: u32,
    /// The sum of the times drawn for them.
    pub(crate) drawn: Duration,
    /// The most that waited for their answers at once.
    pub(crate) max_in_flight: u32,
    /// Different ones among them.
    pub(crate) distinct: HashSet<u64>,
    /// When the first was there.
    pub(crate) first_at: Option<Timestamp>,
    in_flight: u32,
}

/// Answers until standard input ends; the address is the first line of standard output.
pub(crate) fn serve(latency: Latency) -> Result<()> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        writeln!(std::io::stdout(), "{}", listener.local_addr()?)?;
        let stats = Arc::new(Mutex::new(Stats::default()));
        let mut connections = JoinSet::new();
        let mut input = tokio::io::stdin();
        let mut nothing = [0; 1];
        loop {
            tokio::select! {
                accepted = listener.accept() => {
                    let connection = Connection { stream: accepted?.0, latency, stats: Arc::clone(&stats) };
                    connections.spawn(connection.answer_all());
                }
                Some(ended) = connections.join_next() => ended??,
                _ = input.read(&mut nothing) => return Ok(()),
            }
        }
    })
}

struct Connection {
    stream: TcpStream,
    latency: Latency,
    stats: Arc<Mutex<Stats>>,
}

impl Connection {
    async fn answer_all(mut self) -> Result<()> {
        self.stream.set_nodelay(true)?;
        let mut unread = BytesMut::with_capacity(16 * 1024);
        loop {
            while let Some(request) = Request::first_in(&unread)? {
                let answer = self.answer(&request).await?;
                let whole = request.whole;
                unread.advance(whole);
                // A client that gives up and goes is no fault.
                if self.stream.write_all(&answer).await.is_err() {
                    return Ok(());
                }
            }
            if !matches!(self.stream.read_buf(&mut unread).await, Ok(1..)) {
                return Ok(());
            }
        }
    }

    async fn answer(&self, request: &Request<'_>) -> Result<Vec<u8>> {
        match request.line {
            "POST /v1/chat/completions HTTP/1.1" => self.complete(request.body).await,
            "GET /stats HTTP/1.1" => json(&*self.stats()),
            "DELETE /stats HTTP/1.1" => json(&std::mem::take(&mut *self.stats())),
            other => bail!("the server has no `{other}`"),
        }
    }

    async fn complete(&self, body: &[u8]) -> Result<Vec<u8>> {
        let asked: Asked<'_> = serde_json::from_slice(body).context("a chat completion")?;
        let mut hasher = blake3::Hasher::new();
        for turn in &asked.messages {
            hasher.update(turn.content.as_bytes());
        }
        let hash = hasher.finalize();
        let prompt = hash.as_bytes().first_chunk().copied().map(u64::from_le_bytes).context("a hash is long enough")?;
        let time = self.latency.draw(prompt);
        self.arrived(prompt, time);
        self.latency.wait(time).await?;
        self.stats().in_flight -= 1;
        json(&serde_json::json!({
            "id": format!("stub-{prompt:016x}"),
            "object": "chat.completion",
            "created": 0,
            "model": "stub",
            "choices": [{
                "index": 0,
                "finish_reason": "stop",
                "message": {"role": "assistant", "content": answer_to(&hash)},
            }],
            "usage": {"prompt_tokens": 16, "completion_tokens": 16, "total_tokens": 32},
        }))
    }

    fn arrived(&self, prompt: u64, time: Duration) {
        let mut stats = self.stats();
        stats.distinct.insert(prompt);
        stats.requests += 1;
        stats.drawn += time;
        stats.in_flight += 1;
        stats.max_in_flight = stats.max_in_flight.max(stats.in_flight);
        stats.first_at.get_or_insert_with(Timestamp::now);
    }

    fn stats(&self) -> std::sync::MutexGuard<'_, Stats> {
        self.stats.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The same for the same prompt, so that what is asked about an answer is the same too.
fn answer_to(prompt: &blake3::Hash) -> String {
    format!("An answer of two sentences. It is known by its number, {}.", prompt.to_hex())
}

fn json(value: &impl Serialize) -> Result<Vec<u8>> {
    let body = serde_json::to_vec(value)?;
    let mut answer =
        format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n", body.len())
            .into_bytes();
    answer.extend(body);
    Ok(answer)
}

#[derive(Deserialize)]
struct Asked<'a> {
    #[serde(borrow)]
    messages: Vec<Turn<'a>>,
}

#[derive(Deserialize)]
struct Turn<'a> {
    #[serde(borrow)]
    content: Cow<'a, str>,
}

struct Request<'a> {
    line: &'a str,
    body: &'a [u8],
    /// Head and body, in bytes.
    whole: usize,
}

impl<'a> Request<'a> {
    /// The first in what has been read, if it is there as a whole.
    fn first_in(read: &'a [u8]) -> Result<Option<Self>> {
        let Some(head) = read.windows(4).position(|four| four == b"\r\n\r\n") else { return Ok(None) };
        let mut lines = std::str::from_utf8(&read[..head])?.split("\r\n");
        let line = lines.next().unwrap_or_default();
        let mut length = 0;
        for (name, value) in lines.filter_map(|line| line.split_once(':')) {
            if name.eq_ignore_ascii_case("content-length") {
                length = value.trim().parse()?;
            } else if name.eq_ignore_ascii_case("transfer-encoding") {
                bail!("the server reads no chunks");
            }
        }
        let (start, whole) = (head + 4, head + 4 + length);
        Ok((read.len() >= whole).then(|| Self { line, body: &read[start..whole], whole }))
    }
}
