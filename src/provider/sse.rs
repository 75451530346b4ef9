//! Server-sent events, byte by byte: what the WHATWG standard says, and what servers make of it.
//!
//! Bytes are pushed in and events come out, so that a caller sees each read (a comment keeps an idle clock alive) and
//! sets the limits. Beyond the standard, an event that the end of the stream cuts short is given out as well: servers
//! forget the last empty line, and what is no whole JSON is no chunk in any case.

/// The largest event: a picture as base64 fits, a stream without line breaks does not.
const EVENT_LIMIT: usize = 32 * 1024 * 1024;

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Event {
    /// Its `event` field; empty without one.
    pub(super) name: String,
    /// Its `data` lines, joined by line breaks.
    pub(super) data: String,
}

/// Why a stream can't be read on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum SseError {
    /// JSON in `data` is not UTF-8.
    #[error("the stream is not UTF-8")]
    Encoding,
    /// An event does not end.
    #[error("an event of the stream is longer than {} MiB", EVENT_LIMIT / 1024 / 1024)]
    Overlong,
}

/// Reads events from bytes in any pieces.
#[derive(Debug, Default)]
pub(super) struct EventReader {
    line: Vec<u8>,
    name: Vec<u8>,
    data: Option<Vec<u8>>,
    /// The last byte was a carriage return: a line feed that follows belongs to it.
    after_return: bool,
    /// The first line has been read; before it may stand a byte order mark.
    begun: bool,
}

impl EventReader {
    /// Takes the next bytes and gives each event that they complete to `events`.
    pub(super) fn push(&mut self, mut bytes: &[u8], events: &mut Vec<Event>) -> Result<(), SseError> {
        while let Some(&first) = bytes.first() {
            if std::mem::take(&mut self.after_return) && first == b'\n' {
                bytes = &bytes[1..];
                continue;
            }
            let end = bytes.iter().position(|byte| matches!(byte, b'\r' | b'\n'));
            self.line.extend_from_slice(&bytes[..end.unwrap_or(bytes.len())]);
            if self.line.len() + self.data.as_ref().map_or(0, Vec::len) > EVENT_LIMIT {
                return Err(SseError::Overlong);
            }
            let Some(end) = end else { return Ok(()) };
            self.after_return = bytes[end] == b'\r';
            bytes = &bytes[end + 1..];
            events.extend(self.end_line()?);
        }
        Ok(())
    }

    /// The stream is over: the event that it leaves open, if any.
    pub(super) fn end(&mut self) -> Result<Option<Event>, SseError> {
        if !self.line.is_empty() {
            self.end_line()?;
        }
        self.end_event()
    }

    fn end_line(&mut self) -> Result<Option<Event>, SseError> {
        let line = std::mem::take(&mut self.line);
        let mut rest = line.as_slice();
        if !std::mem::replace(&mut self.begun, true) {
            rest = rest.strip_prefix(b"\xef\xbb\xbf").unwrap_or(rest);
        }
        if rest.is_empty() {
            self.line = reusable(line);
            return self.end_event();
        }
        let colon = rest.iter().position(|&byte| byte == b':').unwrap_or(rest.len());
        let value = rest.get(colon + 1..).unwrap_or_default();
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match &rest[..colon] {
            b"data" => match &mut self.data {
                Some(data) => {
                    data.push(b'\n');
                    data.extend_from_slice(value);
                }
                none => *none = Some(value.to_vec()),
            },
            b"event" => self.name = value.to_vec(),
            // Comments, `id`, `retry`, and whatever else there may be.
            _ => {}
        }
        self.line = reusable(line);
        Ok(None)
    }

    fn end_event(&mut self) -> Result<Option<Event>, SseError> {
        let name = std::mem::take(&mut self.name);
        let Some(data) = self.data.take() else { return Ok(None) };
        let data = match String::from_utf8(data) {
            Ok(data) => data,
            Err(error) if is_json(error.as_bytes()) => return Err(SseError::Encoding),
            // It keeps the connection alive, and says nothing.
            Err(_) => return Ok(None),
        };
        Ok(Some(Event { name: String::from_utf8_lossy(&name).into_owned(), data }))
    }
}

/// Whether these bytes mean to be JSON in which something is said.
fn is_json(bytes: &[u8]) -> bool {
    bytes.trim_ascii_start().starts_with(b"{")
}

/// The buffer of a line that has been read, kept unless it has grown out of proportion.
fn reusable(mut line: Vec<u8>) -> Vec<u8> {
    line.clear();
    line.shrink_to(64 * 1024);
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(pieces: &[&[u8]]) -> Result<Vec<String>, SseError> {
        let (mut reader, mut events) = (EventReader::default(), vec![]);
        for piece in pieces {
            reader.push(piece, &mut events)?;
        }
        events.extend(reader.end()?);
        Ok(events.into_iter().map(|event| event.data).collect())
    }

    #[test]
    fn every_line_ending_ends_a_line() {
        for text in ["data: a\n\ndata:b\n\n", "data: a\r\n\r\ndata:b\r\n\r\n", "data: a\r\rdata:b\r\r"] {
            assert_eq!(read(&[text.as_bytes()]).unwrap(), ["a", "b"], "{text:?}");
        }
    }

    #[test]
    fn a_byte_order_mark_and_comments_are_passed_over() {
        assert_eq!(read(&["\u{feff}data: a\n\n: ping\n\nid: 7\nretry: 10\n\ndata\n\n".as_bytes()]).unwrap(), ["a", ""]);
    }

    #[test]
    fn lines_of_one_event_are_joined() {
        assert_eq!(read(&[b"data: {\ndata:  1\nevent: x\ndata: }\n\n"]).unwrap(), ["{\n 1\n}"]);
    }

    #[test]
    fn an_event_that_the_end_cuts_short_is_given() {
        assert_eq!(read(&[b"data: [DO", b"NE]"]).unwrap(), ["[DONE]"]);
        assert_eq!(read(&[b"data: [DONE]\n"]).unwrap(), ["[DONE]"]);
    }

    #[test]
    fn what_is_not_utf8_is_an_error_and_not_mended() {
        assert_eq!(read(&[b"data: {\"a\": \"\xff\"}\n\n"]), Err(SseError::Encoding));
        assert_eq!(read(&[b"data: \xff\n\ndata: a\n\n"]).unwrap(), ["a"], "a keep-alive");
        assert_eq!(read(&[b": \xff\n\ndata: a\n\n"]).unwrap(), ["a"]);
    }

    #[test]
    fn an_endless_line_is_an_error() {
        let piece = vec![b'x'; EVENT_LIMIT / 2 + 1];
        assert_eq!(read(&[b"data:", &piece, &piece]), Err(SseError::Overlong));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(96))]

        #[test]
        fn any_split_gives_the_same_events(
            lines in prop::collection::vec("(data:|data: |: |event: |id:)[a-zé€😀 :]{0,6}(\n|\r\n|\r|\n\n|\r\r|\r\n\r\n)", 0..20),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
        ) {
            let text = lines.concat();
            let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(text.len() + 1)).collect();
            places.extend([0, text.len()]);
            places.sort_unstable();
            let pieces: Vec<&[u8]> = places.windows(2).map(|pair| &text.as_bytes()[pair[0]..pair[1]]).collect();
            prop_assert_eq!(read(&pieces), read(&[text.as_bytes()]));
        }

        #[test]
        fn no_bytes_make_it_panic(pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..8)) {
            let pieces: Vec<&[u8]> = pieces.iter().map(Vec::as_slice).collect();
            let _unread = read(&pieces);
        }
    }
}
