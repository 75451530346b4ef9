//! One request and its answer, as a stream of pieces: from the head to the last byte.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::BytesMut;
use futures::stream::BoxStream;
use futures::{FutureExt, StreamExt, stream};
use secrecy::SecretString;
use tokio::time::timeout;
use url::Url;

use super::chat;
use super::chat_stream::{ChatStream, Progress};
use super::errors::{self, Speaker};
use super::http::HttpClient;
use super::images::{self, Picture};
use super::message::{ByteStream, HttpHead, HttpRequest};
use super::placeholders::Placeholders;
use super::service::Service;
use super::shown;
use crate::model::{Content, Failure, FailureKind, Piece, Reply, Request};

/// The largest whole answer with a picture, in bytes: a large one as base64 fits.
const PICTURE_LIMIT: usize = 256 * 1024 * 1024;
/// The largest whole answer of any other kind, in bytes as they are after decompressing: far beyond any model.
const TEXT_LIMIT: usize = 32 * 1024 * 1024;
/// So much is read of a refusal, in bytes; the rest is not worth waiting for.
const REFUSAL_LIMIT: usize = 64 * 1024;
/// So long is the body of a refusal waited for. Its head says most of it, and a lane or a run waits for what it says.
const REFUSAL_PATIENCE: Duration = Duration::from_secs(2);
/// So many bytes tell a stream of events from anything else.
const SNIFFED: usize = 1024;
/// So long is the end of a stream waited for after its last word, so that its connection can be used again.
const PATIENCE: Duration = Duration::from_millis(100);
/// So long may a stream take over what follows its `finish_reason`: the usage, and `[DONE]`. Some servers send neither
/// and keep the connection open.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// What is expected of a reply of success.
#[derive(Debug, Clone, Copy)]
pub(super) enum Expected<'a> {
    /// A chat answer, whole or as a stream.
    Text,
    /// A picture.
    Picture {
        /// What is asked.
        request: &'a Request,
        /// Where placeholders are noted.
        placeholders: &'a Placeholders,
    },
}

impl Expected<'_> {
    /// How large a whole answer may be, in bytes.
    fn limit(self) -> usize {
        match self {
            Self::Text => TEXT_LIMIT,
            Self::Picture { .. } => PICTURE_LIMIT,
        }
    }
}

/// Sends the request and gives its answer piece by piece.
pub(super) fn pieces<'a>(
    service: &'a Service,
    request: Result<HttpRequest, Failure>,
    expected: Expected<'a>,
    speaker: Speaker<'a>,
) -> BoxStream<'a, Result<Piece, Failure>> {
    let secret = request.as_ref().ok().and_then(|request| request.secret.clone());
    let (phase, ready) = match request {
        Ok(request) => (Phase::Ask(request), VecDeque::new()),
        Err(failure) => (Phase::End, VecDeque::from([Err(failure)])),
    };
    let exchange = Exchange { service, expected, speaker, secret, phase, ready };
    stream::unfold(exchange, |mut exchange| async move {
        let piece = exchange.next().await?;
        Some((piece, exchange))
    })
    .boxed()
}

/// The body of a reply to a plain question, such as a list of models.
pub(super) async fn document(
    http: &HttpClient,
    request: HttpRequest,
    speaker: Speaker<'_>,
) -> Result<(HttpHead, BytesMut), Failure> {
    read_document(http, request, TEXT_LIMIT, speaker).await.map_err(|failure| clean(failure, speaker))
}

async fn read_document(
    http: &HttpClient,
    request: HttpRequest,
    limit: usize,
    speaker: Speaker<'_>,
) -> Result<(HttpHead, BytesMut), Failure> {
    let (head, mut body) = http.open(request).await?;
    if !head.is_success() {
        return Err(errors::refusal(&head, &begin(&mut body).await, speaker));
    }
    let mut bytes = BytesMut::new();
    while let Some(chunk) = body.next().await {
        bytes.extend_from_slice(&chunk?);
        if bytes.len() > limit {
            return Err(overlong(limit, speaker));
        }
    }
    Ok((head, bytes))
}

struct Exchange<'a> {
    service: &'a Service,
    expected: Expected<'a>,
    speaker: Speaker<'a>,
    /// The key that was sent, if one was.
    secret: Option<SecretString>,
    phase: Phase<'a>,
    ready: VecDeque<Result<Piece, Failure>>,
}

enum Phase<'a> {
    /// Nothing is sent yet.
    Ask(HttpRequest),
    /// The answer comes, and is not known to be a stream.
    Whole(HttpHead, ByteStream, BytesMut),
    /// The answer comes as a stream of events.
    Events(ByteStream, Box<ChatStream<'a>>),
    /// The answer is the address of a picture: it is fetched.
    Fetch(Url, Reply),
    /// All is said.
    End,
}

impl<'a> Exchange<'a> {
    async fn next(&mut self) -> Option<Result<Piece, Failure>> {
        loop {
            if let Some(piece) = self.ready.pop_front() {
                return Some(piece.map_err(|failure| clean(failure, self.speaker)));
            }
            let result = match std::mem::replace(&mut self.phase, Phase::End) {
                Phase::Ask(request) => self.ask(request).await,
                Phase::Whole(head, body, bytes) => self.read_whole(head, body, bytes).await,
                Phase::Events(body, chat) => {
                    self.read_events(body, chat).await;
                    Ok(())
                }
                Phase::Fetch(url, reply) => Box::pin(self.fetch(url, reply)).await,
                Phase::End => return None,
            };
            if let Err(failure) = result {
                self.ready.push_back(Err(failure));
            }
        }
    }

    async fn ask(&mut self, request: HttpRequest) -> Result<(), Failure> {
        let (head, mut body) = self.service.http.open(request).await?;
        if !head.is_success() {
            return Err(errors::refusal(&head, &begin(&mut body).await, self.speaker));
        }
        self.ready.push_back(Ok(Piece::Alive));
        self.phase = Phase::Whole(head, body, BytesMut::new());
        Ok(())
    }

    async fn read_whole(&mut self, head: HttpHead, mut body: ByteStream, mut bytes: BytesMut) -> Result<(), Failure> {
        let mut next = body.next().await;
        loop {
            let Some(chunk) = next else { return self.end_whole(&head, bytes) };
            let is_open = bytes.len() < SNIFFED && matches!(self.expected, Expected::Text);
            let chunk = chunk?;
            bytes.extend_from_slice(&chunk);
            let limit = self.expected.limit();
            if bytes.len() > limit {
                return Err(overlong(limit, self.speaker));
            }
            if is_open && is_event_stream(&head, &bytes[..bytes.len().min(SNIFFED)]) {
                let chat = Box::new(ChatStream::new(head, self.speaker));
                self.take_events(&bytes, body, chat).await;
                return Ok(());
            }
            // What has come already is taken as one, unless it is nothing: that may have no end.
            if chunk.is_empty() {
                break;
            }
            next = match body.next().now_or_never() {
                Some(next) => next,
                None => break,
            };
        }
        self.ready.push_back(Ok(Piece::Alive));
        self.phase = Phase::Whole(head, body, bytes);
        Ok(())
    }

    async fn read_events(&mut self, mut body: ByteStream, mut chat: Box<ChatStream<'a>>) {
        // A text that has come to its end is paid for: whatever becomes of the connection, it is not asked for again.
        let chunk =
            if chat.is_told() { timeout(LAST_WORDS, body.next()).await.unwrap_or(None) } else { body.next().await };
        match chunk {
            Some(Ok(chunk)) => self.take_events(&chunk, body, chat).await,
            Some(Err(failure)) if !chat.is_told() => self.ready.push_back(Err(chat.broken(failure))),
            Some(Err(_)) | None => chat.end(&mut self.ready),
        }
    }

    async fn take_events(&mut self, bytes: &[u8], mut body: ByteStream, mut chat: Box<ChatStream<'a>>) {
        match chat.push(bytes, &mut self.ready) {
            Progress::Open => self.phase = Phase::Events(body, chat),
            Progress::Over => drain(&mut body).await,
        }
    }

    fn end_whole(&mut self, head: &HttpHead, bytes: BytesMut) -> Result<(), Failure> {
        let bytes = bytes.freeze();
        match self.expected {
            // Bytes too few to be told apart while they came, or nothing at all.
            Expected::Text if head.media_type() == "text/event-stream" && !looks_whole(&bytes) => {
                let mut chat = ChatStream::new(head.clone(), self.speaker);
                if chat.push(&bytes, &mut self.ready) == Progress::Open {
                    chat.end(&mut self.ready);
                }
                Ok(())
            }
            Expected::Text => {
                self.ready.push_back(Ok(chat::whole(head, &bytes, self.speaker)?));
                Ok(())
            }
            Expected::Picture { .. } => match images::decode(head, bytes, &self.service.base()?, self.speaker)? {
                Picture::Here(reply) => self.take_picture(reply),
                Picture::At(url, reply) => {
                    self.phase = Phase::Fetch(url, reply);
                    Ok(())
                }
            },
        }
    }

    async fn fetch(&mut self, url: Url, reply: Reply) -> Result<(), Failure> {
        let garbled = |what: String| {
            let message = format!("The address that `{}` gives for its picture {what}", self.speaker.name);
            Failure::new(FailureKind::Garbled, message).suggest("try again later")
        };
        let base = self.service.base()?;
        // The service may keep its pictures for those who have a key; nobody else is shown it.
        let request = if url.origin() == base.origin() {
            self.service.get(url, self.secret.as_ref())
        } else {
            HttpRequest::get(url)
        };
        let read = read_document(&self.service.http, request, PICTURE_LIMIT, self.speaker).await;
        let (head, bytes) = read.map_err(|failure| match failure.status {
            // A status of another place must not be taken for one of this service: 401 there stops no run.
            Some(status) => garbled(format!("answers {status}")),
            None => failure,
        })?;
        match images::decode(&head, bytes.freeze(), &base, self.speaker) {
            Ok(Picture::Here(picture)) => self.take_picture(Reply { content: picture.content, ..reply }),
            Err(failure) if failure.kind == FailureKind::Cut => Err(failure),
            Ok(Picture::At(..)) | Err(_) => Err(garbled("has no picture".to_owned())),
        }
    }

    fn take_picture(&mut self, reply: Reply) -> Result<(), Failure> {
        if let (Expected::Picture { request, placeholders }, Content::Image { bytes, .. }) =
            (self.expected, &reply.content)
            && placeholders.has(bytes, &shown::subject(request))
        {
            let message = format!("`{}` sends the same picture for different prompts", self.speaker.name);
            return Err(Failure { usage: reply.usage, ..Failure::new(FailureKind::Placeholder, message) }
                .suggest("lower the `rate` of this provider"));
        }
        self.ready.push_back(Ok(Piece::Whole(reply)));
        Ok(())
    }
}

/// Whether these first bytes begin a stream. Labels lie in both directions, so the bytes have the first word.
fn is_event_stream(head: &HttpHead, bytes: &[u8]) -> bool {
    let begin = trimmed(bytes);
    if begin.starts_with(b":")
        || [&b"data:"[..], b"event:", b"id:", b"retry:"].iter().any(|field| begin.starts_with(field))
    {
        return true;
    }
    head.media_type() == "text/event-stream" && begin.len() > b"event:".len() && !looks_whole(begin)
}

fn looks_whole(bytes: &[u8]) -> bool {
    trimmed(bytes).first().is_some_and(|byte| matches!(byte, b'{' | b'[' | b'<'))
}

fn trimmed(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start()
}

/// As much of a body as a refusal needs, and what had come of it where it breaks off or does not go on.
async fn begin(body: &mut ByteStream) -> BytesMut {
    let mut bytes = BytesMut::new();
    let reading = async {
        while let Some(Ok(chunk)) = body.next().await {
            bytes.extend_from_slice(&chunk);
            if bytes.len() >= REFUSAL_LIMIT {
                break;
            }
        }
    };
    timeout(REFUSAL_PATIENCE, reading).await.ok();
    bytes.truncate(REFUSAL_LIMIT);
    bytes
}

async fn drain(body: &mut ByteStream) {
    let rest = async { while let Some(Ok(_)) = body.next().await {} };
    // A server that says no more and does not hang up only loses its connection.
    timeout(PATIENCE, rest).await.ok();
}

fn overlong(limit: usize, speaker: Speaker<'_>) -> Failure {
    let message = format!("The answer of `{}` is larger than {} MiB", speaker.name, limit / 1024 / 1024);
    Failure::new(FailureKind::Garbled, message).suggest("check `base_url`")
}

/// The only way out for a failure: whatever of it comes from outside has no key in it from here on.
fn clean(failure: Failure, speaker: Speaker<'_>) -> Failure {
    speaker.redactor().clean(failure)
}
