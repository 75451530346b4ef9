//! A chat answer that comes in pieces: from events to text, and what an end means.

use std::collections::VecDeque;

use super::errors::{self, Speaker};
use super::heard::{Heard, chosen, index_of, is_thinking};
use super::message::HttpHead;
use super::said::{Fields, Said, get};
use super::sse::{Event, EventReader};
use crate::model::{Failure, FailureKind, Json, Piece};

/// The longest text, in bytes: far beyond any model, and an end to a server that has none.
const TEXT_LIMIT: usize = 32 * 1024 * 1024;
/// The longest stream, in bytes: there are some hundred to each word, and thinking comes on top.
const STREAM_LIMIT: usize = 256 * 1024 * 1024;

/// What came of reading on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    /// There is more to come.
    Open,
    /// The last word is said.
    Over,
}

/// What waits to be handed on.
type Pieces = VecDeque<Result<Piece, Failure>>;

/// Reads a streamed answer.
#[derive(Debug)]
pub(super) struct ChatStream<'a> {
    head: HttpHead,
    speaker: Speaker<'a>,
    events: EventReader,
    heard: Heard,
    /// Which of several answers is listened to.
    choice: Option<u64>,
    read: usize,
}

impl<'a> ChatStream<'a> {
    /// A stream of which nothing has been read.
    pub(super) fn new(head: HttpHead, speaker: Speaker<'a>) -> Self {
        Self { head, speaker, events: EventReader::default(), heard: Heard::default(), choice: None, read: 0 }
    }

    /// Takes what one read brought. Its pieces go to `pieces`: a sign of life if there is no text in it, and the failure
    /// or the whole answer if it ends here.
    pub(super) fn push(&mut self, bytes: &[u8], pieces: &mut Pieces) -> Progress {
        let before = pieces.len();
        match self.read_on(bytes, pieces) {
            Ok(Progress::Open) => {
                if pieces.len() == before {
                    pieces.push_back(Ok(Piece::Alive));
                }
                return Progress::Open;
            }
            Ok(Progress::Over) => pieces.push_back(self.finish("ends without a `finish_reason`")),
            Err(failure) => pieces.push_back(self.fail(failure)),
        }
        Progress::Over
    }

    /// Whether a `finish_reason` has come: the text is whole, and what may follow is only said about it.
    pub(super) fn is_told(&self) -> bool {
        self.heard.finish_reason.is_some()
    }

    /// The stream is over without a last word.
    pub(super) fn end(&mut self, pieces: &mut Pieces) {
        let last = match self.events.end() {
            Err(_) if self.is_told() => Ok(Progress::Open),
            Err(error) => Err(self.unreadable(&error.to_string())),
            Ok(None) => Ok(Progress::Open),
            Ok(Some(event)) => self.event(&event, pieces),
        };
        pieces.push_back(match last {
            Ok(Progress::Over) => self.finish("ends without a `finish_reason`"),
            Ok(Progress::Open) => self.finish("ends in the middle"),
            Err(failure) => self.fail(failure),
        });
    }

    /// What an error comes to. A text that was told whole before it is paid for, and stands.
    fn fail(&mut self, failure: Failure) -> Result<Piece, Failure> {
        if self.heard.stands() {
            return self.finish("ends without a `finish_reason`");
        }
        Err(self.broken(failure))
    }

    /// The same failure, with what had been heard before it.
    pub(super) fn broken(&self, mut failure: Failure) -> Failure {
        failure.partial = (!self.heard.text.is_empty()).then(|| self.heard.text.clone());
        failure.usage = self.heard.usage(&self.head);
        failure.request_id = failure.request_id.or_else(|| self.head.request_id()).or_else(|| self.heard.id.clone());
        failure
    }

    fn read_on(&mut self, bytes: &[u8], pieces: &mut Pieces) -> Result<Progress, Failure> {
        self.read += bytes.len();
        if self.read > STREAM_LIMIT {
            return Err(self.unreadable("it has no end"));
        }
        let mut events = vec![];
        let reading = self.events.push(bytes, &mut events);
        for event in &events {
            if self.event(event, pieces)? == Progress::Over {
                return Ok(Progress::Over);
            }
        }
        reading.map_err(|error| self.unreadable(&error.to_string()))?;
        Ok(Progress::Open)
    }

    fn event(&mut self, event: &Event, pieces: &mut Pieces) -> Result<Progress, Failure> {
        let data = event.data.trim();
        if data == "[DONE]" {
            return Ok(Progress::Over);
        }
        match serde_json::from_str::<Said<'_>>(data) {
            Ok(json) if event.name == "error" || errors::is_error_event(&json) => Err(self.error(&Json::from(&json))),
            Ok(Said::Object(chunk)) => self.chunk(&chunk, pieces).map(|()| Progress::Open),
            Err(_) if event.name == "error" => Err(self.error(&Json::from(data))),
            // Servers that forget the empty line between chunks: each line is one.
            Err(_) if data.contains('\n') => {
                for line in data.lines() {
                    let line = Event { name: event.name.clone(), data: line.to_owned() };
                    if self.event(&line, pieces)? == Progress::Over {
                        return Ok(Progress::Over);
                    }
                }
                Ok(Progress::Open)
            }
            // What is not JSON keeps the connection alive, and says nothing.
            Ok(_) | Err(_) => Ok(Progress::Open),
        }
    }

    fn chunk(&mut self, chunk: &Fields<'_>, pieces: &mut Pieces) -> Result<(), Failure> {
        self.heard.take_frame(chunk);
        let Some(choice) = get(chunk, "choices").and_then(Said::as_array).and_then(chosen) else {
            return Ok(());
        };
        // A chunk may be one of another answer alone: which one is listened to is settled by its first word.
        let index = index_of(choice);
        if self.choice.is_none() || (index == 0 && self.heard.text.is_empty()) {
            self.choice = Some(index);
        }
        if self.choice != Some(index) {
            return Ok(());
        }
        let delta = get(choice, "delta").and_then(Said::as_object);
        // Some gateways send one chunk in the form of a whole answer.
        let message = get(choice, "message").and_then(Said::as_object).filter(|_| self.heard.text.is_empty());
        if let Some(said) = delta.or(message) {
            match self.heard.take_message(said) {
                Some(text) => pieces.push_back(Ok(Piece::Text(text))),
                None if is_thinking(said) => pieces.push_back(Ok(Piece::Thinking)),
                None => {}
            }
        }
        if self.heard.text.len() > TEXT_LIMIT {
            return Err(self.unreadable("it has no end"));
        }
        self.heard.take_finish(choice, &self.head, self.speaker)
    }

    fn finish(&mut self, how: &str) -> Result<Piece, Failure> {
        if self.heard.finish_reason.is_none() {
            let message = format!("The answer of `{}` {how}", self.speaker.name);
            let failure = Failure::new(FailureKind::Cut, message);
            return Err(self.broken(failure.suggest("check the server, and any proxy on the way")));
        }
        std::mem::take(&mut self.heard).finish(&self.head, self.speaker).map(Piece::Whole)
    }

    fn error(&self, json: &Json) -> Failure {
        errors::in_band(&self.head, json, self.speaker)
    }

    fn unreadable(&self, why: &str) -> Failure {
        let message = format!("The answer of `{}` can't be read: {why}", self.speaker.name);
        Failure::new(FailureKind::Garbled, message).suggest("check that `base_url` is that of a chat API")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Content, Reply};
    use proptest::prelude::*;

    const SPEAKER: Speaker<'_> = Speaker { name: "p", model: None, secret: None, headers: &[], form: None };

    /// The texts of the pieces, and how it ended.
    fn read(pieces: &[&[u8]]) -> (String, Result<Reply, Failure>) {
        let head =
            HttpHead { status: 200, headers: vec![], at: "2026-11-22T10:00:00Z".parse().unwrap(), elsewhere: None };
        let (mut stream, mut ready) = (ChatStream::new(head, SPEAKER), VecDeque::new());
        if pieces.iter().all(|piece| stream.push(piece, &mut ready) == Progress::Open) {
            stream.end(&mut ready);
        }
        let mut text = String::new();
        for piece in ready {
            match piece {
                Ok(Piece::Text(more)) => text.push_str(&more),
                Ok(Piece::Alive | Piece::Thinking) => {}
                Ok(Piece::Whole(reply)) => return (text, Ok(reply)),
                Err(failure) => return (text, Err(failure)),
            }
        }
        unreachable!("a stream ends with an answer or a failure")
    }

    const SPLIT: &str = concat!(
        "\u{feff}: ping\r\n\r\nevent: chunk\r\ndata:{\"choices\":[{\"delta\":{\"content\":\"Grüße \"}}]}\r\n\r\n",
        "data: still here\n\ndata: {\"choices\":[{\"delta\":{\"content\":\"🌸 und\"}}]}\n\n",
        "data: {\"choices\":[{\"delta\":{\"content\":\"\\u00e9\"},\"finish_reason\":\"stop\"}]}\r\rdata: [DONE]\n\n",
    );

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(96))]

        #[test]
        fn any_split_gives_the_same_text(cuts in prop::collection::vec(0..SPLIT.len(), 0..24)) {
            let mut places = [cuts, vec![0, SPLIT.len()]].concat();
            places.sort_unstable();
            let pieces: Vec<&[u8]> = places.windows(2).map(|pair| &SPLIT.as_bytes()[pair[0]..pair[1]]).collect();
            let (text, end) = read(&pieces);
            prop_assert_eq!(&text, "Grüße 🌸 undé");
            prop_assert_eq!(end.unwrap().content, Content::Text(text));
        }

        #[test]
        fn any_end_but_the_last_is_a_cut(length in 0..SPLIT.len()) {
            let (text, end) = read(&[&SPLIT.as_bytes()[..length]]);
            // Once the reason is there, the last word may be missing; a reason that is cut off is none.
            let is_whole = length >= SPLIT.find("\r\rdata: [DONE]").unwrap();
            match end {
                Ok(_) => prop_assert!(is_whole),
                Err(failure) => {
                    prop_assert!(!is_whole);
                    prop_assert!(matches!(failure.kind, FailureKind::Cut | FailureKind::Garbled), "{:?}", failure);
                    prop_assert_eq!(failure.partial.unwrap_or_default(), text);
                }
            }
        }

        #[test]
        fn no_bytes_make_it_panic(pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..60), 0..6)) {
            let pieces: Vec<&[u8]> = pieces.iter().map(Vec::as_slice).collect();
            let (_text, end) = read(&pieces);
            prop_assert!(end.is_err());
        }

        #[test]
        fn no_chunk_makes_it_panic(
            parts in prop::collection::vec(
                r#"data: |\n\n|\n|event: error|\{"choices":\[|\{"delta":\{|"content":"a"|"content":null|\}|\}\]\}|\{"error":|7|\[DONE\]|"finish_reason":"stop"|,"#,
                0..20,
            ),
        ) {
            let _read = read(&[parts.concat().as_bytes()]);
        }
    }
}
