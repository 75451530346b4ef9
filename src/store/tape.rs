//! A tape: calls with their answers in a file that can be carried anywhere, read back.
//!
//! `TAPE` is JSON lines: the first says what the file is, each other is a call with its answers. Pictures lie in the
//! folder `TAPE.blobs`, each in a file that is called by the digest of its bytes.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use crate::model::{CallKey, Content, ImageInfo, Json, MediaType, Reply, Usage};

use super::blobs::{Blobs, Digest};
use super::error::StoreError;

/// What the first line says.
const FORMAT: &str = "blossom-run tape";
/// The version that is written. A reader knows those up to its own; a field that a version adds makes it a newer one.
const VERSION: u64 = 1;

/// The first line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Heading {
    format: String,
    version: u64,
}

impl Heading {
    pub(super) fn new() -> Self {
        Self { format: FORMAT.to_owned(), version: VERSION }
    }
}

/// Any other line.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    stage: String,
    /// In hexadecimal digits.
    key: String,
    /// What the key is a digest of; for people, and to find the nearest call.
    request: Json,
    /// In the order in which they came.
    answers: Vec<TapedAnswer>,
}

/// An answer as it stands on a tape: it has either a text, the pieces of one, or a picture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TapedAnswer {
    #[serde(skip_serializing_if = "Option::is_none", default)]
    text: Option<String>,
    /// A text that was streamed, in the pieces in which it came.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    chunks: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    picture: Option<TapedPicture>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    model: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    finish_reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    request_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    usage: Option<Usage>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TapedPicture {
    /// The digest of its bytes, in hexadecimal digits: the file's name.
    blob: String,
    media_type: MediaType,
    width: u32,
    height: u32,
    /// Its size.
    bytes: u64,
}

impl TapedAnswer {
    /// What of a reply is put on a tape. `digest` is where its picture lies, if it is one.
    pub(super) fn new(reply: &Reply, chunks: &[String], digest: Option<Digest>) -> Self {
        let (text, picture) = match &reply.content {
            Content::Text(text) => (Some(text.clone()), None),
            Content::Image { bytes, info } => {
                let blob = CallKey::from_bytes(digest.unwrap_or_default()).to_string();
                let ImageInfo { media_type, width, height } = *info;
                (None, Some(TapedPicture { blob, media_type, width, height, bytes: bytes.len() as u64 }))
            }
        };
        let Reply { usage, model, finish_reason, request_id, .. } = reply.clone();
        // What was cleaned of a key, or cut, did not come in these pieces.
        let is_whole = chunks.len() > 1 && text.as_ref().is_some_and(|text| chunks.concat() == *text);
        let chunks = if is_whole { chunks.to_vec() } else { Vec::new() };
        Self { text: text.filter(|_| !is_whole), chunks, picture, model, finish_reason, request_id, usage }
    }

    fn has_one_content(&self) -> bool {
        let contents = [self.text.is_some(), !self.chunks.is_empty(), self.picture.is_some()];
        contents.into_iter().filter(|is_there| *is_there).count() == 1
    }

    /// None where its picture is not there, or no longer what it was.
    fn read(self, blobs: &Blobs) -> Option<Taped> {
        let content = match (self.picture, self.text) {
            (Some(TapedPicture { blob, media_type, width, height, .. }), _) => {
                let bytes = blobs.get(&digest(&blob)?)?;
                Content::Image { bytes, info: ImageInfo { media_type, width, height } }
            }
            (None, Some(text)) => Content::Text(text),
            (None, None) => Content::Text(self.chunks.concat()),
        };
        let (usage, model, finish_reason, request_id) = (self.usage, self.model, self.finish_reason, self.request_id);
        let chunks = match &content {
            Content::Text(text) if self.chunks.is_empty() => vec![text.clone()],
            _ => self.chunks,
        };
        Some(Taped { reply: Reply { content, usage, model, finish_reason, request_id }, chunks })
    }
}

/// An answer that was read from a tape.
#[derive(Debug, Clone, PartialEq)]
pub struct Taped {
    /// As the provider gave it.
    pub reply: Reply,
    /// Its text in the pieces in which it came; one piece if it was not streamed, none of a picture.
    pub chunks: Vec<String>,
}

/// A call on a tape, but for its answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TapedCall {
    /// Its line, from 1.
    pub line: u64,
    /// Its request, in its [canonical form](crate::model::Call::canonical).
    pub canonical: String,
}

/// Where a line lies in the file.
#[derive(Debug, Clone, Copy)]
struct Span {
    line: u64,
    offset: u64,
    bytes: usize,
}

/// A tape that is open to be read. It has been looked through; of what stands on it, only the places are in memory.
#[derive(Debug)]
pub struct Tape {
    path: PathBuf,
    file: Mutex<File>,
    blobs: Blobs,
    calls: HashMap<CallKey, Span>,
    stages: HashMap<Arc<str>, Vec<Span>>,
}

impl Tape {
    /// Opens a tape, and looks it through to its end.
    ///
    /// # Errors
    /// It can't be read, is no tape, is of a newer format, or is broken.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let file = File::open(path).map_err(|error| unreadable(path, &error))?;
        let again = file.try_clone().map_err(|error| unreadable(path, &error))?;
        let blobs = Blobs::new(folder_of(path));
        let (calls, stages) = (HashMap::new(), HashMap::new());
        let mut tape = Self { path: path.to_owned(), file: Mutex::new(again), blobs, calls, stages };
        let mut lines = BufReader::new(file);
        let mut text = String::new();
        let mut span = Span { line: 0, offset: 0, bytes: 0 };
        loop {
            text.clear();
            span.offset += span.bytes as u64;
            span.bytes = lines.read_line(&mut text).map_err(|error| unreadable(path, &error))?;
            span.line += 1;
            match span {
                Span { line: 1, .. } => heading(path, &text)?,
                Span { bytes: 0, .. } => return Ok(tape),
                _ => tape.note(span, &text)?,
            }
        }
    }

    /// Takes down where a line lies.
    fn note(&mut self, span: Span, text: &str) -> Result<(), StoreError> {
        let line: Line = serde_json::from_str(text).map_err(|error| self.broken(span, &error.to_string()))?;
        let key = digest(&line.key).ok_or_else(|| self.broken(span, "its key has not 64 hexadecimal digits"))?;
        if line.answers.is_empty() || !line.answers.iter().all(TapedAnswer::has_one_content) {
            return Err(self.broken(span, "an answer must have one of `text`, `chunks` and `picture`"));
        }
        for picture in line.answers.iter().filter_map(|answer| answer.picture.as_ref()) {
            let name = digest(&picture.blob).ok_or_else(|| self.broken(span, "a `blob` has 64 hexadecimal digits"))?;
            let path = self.blobs.path(&name);
            if std::fs::metadata(&path).map_or(true, |there| there.len() != picture.bytes) {
                return Err(self.broken(span, &format!("its picture is not there, or not whole: {}", path.display())));
            }
        }
        self.calls.insert(CallKey::from_bytes(key), span);
        self.stages.entry(line.stage.into()).or_default().push(span);
        Ok(())
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The answers of a call, in the order in which they came; none if it is not on the tape.
    ///
    /// # Errors
    /// It can't be read any more, or a picture of it can't.
    pub fn answers(&self, key: CallKey) -> Result<Vec<Taped>, StoreError> {
        let Some(span) = self.calls.get(&key) else { return Ok(Vec::new()) };
        let lost = || self.broken(*span, "its picture is not there, or no longer what it was");
        let answers = self.line(*span)?.answers.into_iter();
        answers.map(|answer| answer.read(&self.blobs).ok_or_else(lost)).collect()
    }

    /// One of the calls of a stage, by its place among them, from 0; nothing if there are no more.
    ///
    /// # Errors
    /// It can't be read any more.
    pub fn call_of(&self, stage: &str, at: usize) -> Result<Option<TapedCall>, StoreError> {
        let Some(span) = self.stages.get(stage).and_then(|spans| spans.get(at)) else { return Ok(None) };
        Ok(Some(TapedCall { line: span.line, canonical: self.line(*span)?.request.to_string() }))
    }

    fn line(&self, span: Span) -> Result<Line, StoreError> {
        let mut bytes = vec![0; span.bytes];
        {
            let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
            let read = file.seek(SeekFrom::Start(span.offset)).and_then(|_| file.read_exact(&mut bytes));
            read.map_err(|error| unreadable(&self.path, &error))?;
        }
        serde_json::from_slice(&bytes).map_err(|error| self.broken(span, &error.to_string()))
    }

    fn broken(&self, span: Span, why: &str) -> StoreError {
        let message = format!("line {} of the tape is broken: {why} (`{}`)", span.line, self.path.display());
        StoreError::new(message, RECORD_AGAIN)
    }
}

const RECORD_AGAIN: &str = "restore it from a copy, or record it again with `--record TAPE`";

/// The folder of a tape's pictures.
pub(super) fn folder_of(tape: &Path) -> PathBuf {
    let mut name = tape.as_os_str().to_owned();
    name.push(".blobs");
    name.into()
}

fn heading(path: &Path, line: &str) -> Result<(), StoreError> {
    let shown = path.display();
    match serde_json::from_str::<Json>(line) {
        Ok(heading) if heading["format"] == FORMAT => match heading["version"].as_u64() {
            Some(VERSION) => Ok(()),
            _ => Err(StoreError::new(
                format!("the tape has format {}, which this version does not know (`{shown}`)", heading["version"]),
                "run the newer version of blossom-run that made it, or record it again with `--record TAPE`",
            )),
        },
        _ => Err(StoreError::new(
            format!("`{shown}` is no tape: its first line does not say so"),
            "name a file that was made with `--record TAPE`",
        )),
    }
}

fn unreadable(path: &Path, error: &io::Error) -> StoreError {
    let message = format!("the tape can't be read: {error} (`{}`)", path.display());
    StoreError::new(message, "name a file that was made with `--record TAPE`")
}

/// Whether nothing but a tape is lost when this file is replaced.
pub(super) fn may_be_replaced(path: &Path) -> bool {
    let mut first = String::new();
    match File::open(path) {
        Err(error) => error.kind() == io::ErrorKind::NotFound,
        Ok(file) => {
            let read = BufReader::new(file.take(1024)).read_line(&mut first);
            let is_tape = || serde_json::from_str::<Json>(&first).is_ok_and(|heading| heading["format"] == FORMAT);
            read.is_ok() && (first.is_empty() || is_tape())
        }
    }
}

/// 64 hexadecimal digits.
pub(super) fn digest(hex: &str) -> Option<Digest> {
    let mut digest = Digest::default();
    if hex.len() != 64 || !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    for (at, byte) in digest.iter_mut().enumerate() {
        *byte = u8::from_str_radix(hex.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(digest)
}
