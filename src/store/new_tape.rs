//! A tape that is being recorded: what comes lies in a file without a name until the end, and only its places in memory.

use std::collections::{BTreeMap, HashSet};
use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::model::{Asked, CallKey, Content, Reply};

use super::blobs::{Blobs, Digest, part_in};
use super::error::StoreError;
use super::tape::{Heading, TapedAnswer, digest, folder_of, may_be_replaced};

/// A tape that is being recorded. What it holds in the end is what was added, and nothing else.
#[derive(Debug)]
pub struct NewTape {
    path: PathBuf,
    blobs: Blobs,
    heard: Mutex<Heard>,
}

/// What has been added.
#[derive(Debug)]
struct Heard {
    spool: BufWriter<File>,
    /// Bytes in it.
    end: u64,
    calls: BTreeMap<(Arc<str>, CallKey), Places>,
    pictures: HashSet<Digest>,
    /// Whether something could not be written.
    is_broken: bool,
}

/// Where the parts of a call lie in the spool.
#[derive(Debug)]
struct Places {
    request: Span,
    /// By their order.
    answers: BTreeMap<i64, Span>,
}

#[derive(Debug, Clone, Copy)]
struct Span {
    offset: u64,
    bytes: usize,
}

impl NewTape {
    /// Whether a tape may be recorded there: nothing, or another tape, is replaced by it.
    pub fn may_replace(path: &Path) -> bool {
        may_be_replaced(path)
    }

    /// Begins a tape. A tape that is there stays as it is until [`NewTape::finish`].
    ///
    /// # Errors
    /// The folder can't be made, or not be written.
    pub fn begin(path: &Path) -> Result<Self, StoreError> {
        let folder = folder(path);
        let spool = fs::create_dir_all(folder).and_then(|()| tempfile::tempfile_in(folder));
        let spool = BufWriter::new(spool.map_err(|error| unwritable(path, &error))?);
        let heard = Heard { spool, end: 0, calls: BTreeMap::new(), pictures: HashSet::new(), is_broken: false };
        Ok(Self { path: path.to_owned(), blobs: Blobs::new(folder_of(path)), heard: Mutex::new(heard) })
    }

    /// Where it will lie.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Adds an answer of a call, with the pieces in which its text came, if it was streamed. `order` tells answers of one
    /// call apart: one that is there already is not added again.
    ///
    /// # Errors
    /// It can't be written.
    pub fn add(&self, asked: &Asked, order: i64, reply: &Reply, chunks: &[String]) -> Result<(), StoreError> {
        let added = self.write_down(asked, order, reply, chunks);
        if added.is_err() {
            // Nobody knows how much of it was written: what comes after it would not be found.
            self.heard.lock().unwrap_or_else(PoisonError::into_inner).is_broken = true;
        }
        added.map_err(|error| unwritable(&self.path, &error))
    }

    fn write_down(&self, asked: &Asked, order: i64, reply: &Reply, chunks: &[String]) -> io::Result<()> {
        let call = (asked.stage.clone(), asked.key);
        let picture = match &reply.content {
            Content::Image { bytes, .. } if !self.has(&call, order) => Some(self.blobs.write(bytes)?),
            Content::Image { .. } | Content::Text(_) => None,
        };
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        let Heard { spool, end, calls, pictures, .. } = &mut *heard;
        let mut write = |text: &str| {
            let span = Span { offset: *end, bytes: text.len() };
            *end += text.len() as u64;
            spool.write_all(text.as_bytes()).map(|()| span)
        };
        let places = match calls.entry(call) {
            std::collections::btree_map::Entry::Occupied(there) => there.into_mut(),
            std::collections::btree_map::Entry::Vacant(vacant) => {
                let request = write(&asked.canonical)?;
                vacant.insert(Places { request, answers: BTreeMap::new() })
            }
        };
        if let std::collections::btree_map::Entry::Vacant(vacant) = places.answers.entry(order) {
            let answer = serde_json::to_string(&TapedAnswer::new(reply, chunks, picture)).map_err(io::Error::from);
            vacant.insert(answer.and_then(|answer| write(&answer))?);
            pictures.extend(picture);
        }
        Ok(())
    }

    fn has(&self, call: &(Arc<str>, CallKey), order: i64) -> bool {
        let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        heard.calls.get(call).is_some_and(|places| places.answers.contains_key(&order))
    }

    /// Writes the tape as it is so far, whole, in place of one that is there, and removes pictures that no longer belong
    /// to it. Where no answer was used, one that is there stays.
    ///
    /// # Errors
    /// It can't be written; one that is there stays as it was.
    pub fn finish(&self) -> Result<(), StoreError> {
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        if heard.is_broken {
            return Err(unwritable(&self.path, &io::Error::other("a part of it could not be written")));
        }
        if heard.calls.is_empty() && self.path.exists() {
            return Ok(());
        }
        self.write(&mut heard).map_err(|error| unwritable(&self.path, &error))
    }

    fn write(&self, heard: &mut Heard) -> io::Result<()> {
        if !heard.pictures.is_empty() {
            self.blobs.sync_names()?;
        }
        let folder = folder(&self.path);
        let mut part = part_in(folder)?;
        let mut lines = BufWriter::new(part.as_file_mut());
        writeln!(lines, "{}", serde_json::to_string(&Heading::new())?)?;
        heard.spool.flush()?;
        let spool = heard.spool.get_mut();
        let mut copy = |span: Span, lines: &mut BufWriter<&mut File>| {
            spool.seek(SeekFrom::Start(span.offset))?;
            io::copy(&mut spool.take(span.bytes as u64), lines)
        };
        for ((stage, key), Places { request, answers }) in &heard.calls {
            write!(lines, r#"{{"stage":{},"key":"{key}","request":"#, serde_json::to_string(stage)?)?;
            copy(*request, &mut lines)?;
            for (at, answer) in answers.values().enumerate() {
                write!(lines, "{}", if at == 0 { r#","answers":["# } else { "," })?;
                copy(*answer, &mut lines)?;
            }
            writeln!(lines, "]}}")?;
        }
        lines.flush()?;
        drop(lines);
        // What is added from now on goes behind what is there.
        spool.seek(SeekFrom::End(0))?;
        part.as_file().sync_data()?;
        part.persist(&self.path).map_err(|error| error.error)?;
        if cfg!(unix) {
            File::open(folder)?.sync_all()?;
        }
        self.remove_other_pictures(&heard.pictures)
    }

    /// Files with other names are somebody else's.
    fn remove_other_pictures(&self, pictures: &HashSet<Digest>) -> io::Result<()> {
        let folder = folder_of(&self.path);
        let Ok(entries) = fs::read_dir(&folder) else { return Ok(()) };
        for entry in entries {
            let entry = entry?;
            if entry.file_name().to_str().and_then(digest).is_some_and(|digest| !pictures.contains(&digest)) {
                fs::remove_file(entry.path())?;
            }
        }
        if pictures.is_empty() {
            // Unless somebody else has put something there.
            fs::remove_dir(&folder).ok();
        }
        Ok(())
    }
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn unwritable(path: &Path, error: &io::Error) -> StoreError {
    let help = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "make room, and record it again",
        _ => "name a file in a folder that can be written: `--record tape.jsonl`",
    };
    StoreError::new(format!("the tape can't be written: {error} (`{}`)", path.display()), help)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::super::tape::Tape;
    use super::*;
    use crate::model::{ImageInfo, MediaType, Usage};

    fn asked(stage: &str, canonical: &str) -> Asked {
        Asked { stage: stage.into(), key: CallKey::of(canonical), canonical: canonical.into() }
    }

    fn text(text: &str) -> Reply {
        let usage = Some(Usage { input_tokens: 4, output_tokens: 2, total_tokens: 6 });
        let model = Some("openai".to_owned());
        Reply {
            content: Content::Text(text.into()),
            usage,
            model,
            finish_reason: Some("stop".into()),
            request_id: None,
        }
    }

    fn picture(bytes: &'static [u8]) -> Reply {
        let info = ImageInfo { media_type: MediaType::Png, width: 4, height: 2 };
        let content = Content::Image { bytes: Bytes::from_static(bytes), info };
        Reply { content, usage: None, model: None, finish_reason: None, request_id: Some("r1".into()) }
    }

    fn pictures(tape: &Path) -> usize {
        fs::read_dir(folder_of(tape)).map_or(0, Iterator::count)
    }

    #[test]
    fn what_was_recorded_is_read_back_in_its_order() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/demo.jsonl");
        let tape = NewTape::begin(&path).unwrap();
        let (one, other) = (asked("b", r#"{"stage":"b","n":1.50}"#), asked("a", r#"{"stage":"a"}"#));
        let chunks = ["no ".to_owned(), "go".to_owned()];
        tape.add(&one, 7, &text("no go"), &chunks).unwrap();
        tape.add(&one, 3, &text("earlier"), &["of another text".to_owned()]).unwrap();
        tape.add(&other, 5, &picture(b"png"), &[]).unwrap();
        tape.add(&one, 7, &text("again"), &[]).unwrap();
        tape.finish().unwrap();
        let written = fs::read_to_string(&path).unwrap();
        assert_eq!(
            written,
            format!(
                concat!(
                    r#"{{"format":"blossom-run tape","version":1}}"#,
                    "\n",
                    r#"{{"stage":"a","key":"{}","request":{{"stage":"a"}},"answers":[{{"picture":{{"blob":"{}","media_type":"image/png","width":4,"height":2,"bytes":3}},"request_id":"r1"}}]}}"#,
                    "\n",
                    r#"{{"stage":"b","key":"{}","request":{{"stage":"b","n":1.50}},"answers":[{{"text":"earlier","model":"openai","finish_reason":"stop","usage":{{"input_tokens":4,"output_tokens":2,"total_tokens":6}}}},{{"chunks":["no ","go"],"model":"openai","finish_reason":"stop","usage":{{"input_tokens":4,"output_tokens":2,"total_tokens":6}}}}]}}"#,
                    "\n",
                ),
                other.key,
                blake3::hash(b"png").to_hex(),
                one.key
            )
        );
        let read = Tape::open(&path).unwrap();
        let answers = read.answers(one.key).unwrap();
        assert_eq!(
            answers.iter().map(|answer| answer.reply.clone()).collect::<Vec<_>>(),
            [text("earlier"), text("no go")]
        );
        assert_eq!(
            (answers[0].chunks.as_slice(), answers[1].chunks.as_slice()),
            (&["earlier".to_owned()][..], &chunks[..])
        );
        assert_eq!(read.answers(other.key).unwrap()[0].reply, picture(b"png"));
        assert_eq!(read.answers(CallKey::of("else")).unwrap(), []);
        let call = read.call_of("b", 0).unwrap().unwrap();
        assert_eq!((call.line, call.canonical.as_str()), (3, r#"{"stage":"b","n":1.5}"#));
        assert_eq!(read.call_of("b", 1).unwrap(), None);
    }

    #[test]
    fn a_tape_holds_what_its_last_run_used_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("demo.jsonl");
        let tape = NewTape::begin(&path).unwrap();
        tape.add(&asked("a", "{}"), 0, &picture(b"old"), &[]).unwrap();
        tape.finish().unwrap();
        let before = fs::read_to_string(&path).unwrap();
        let tape = NewTape::begin(&path).unwrap();
        tape.add(&asked("a", "{}"), 0, &picture(b"new"), &[]).unwrap();
        assert_eq!((fs::read_to_string(&path).unwrap(), pictures(&path)), (before, 2), "not before its end");
        tape.finish().unwrap();
        assert_eq!(pictures(&path), 1);
        assert_eq!(Tape::open(&path).unwrap().answers(CallKey::of("{}")).unwrap()[0].reply, picture(b"new"));
        let before = fs::read_to_string(&path).unwrap();
        NewTape::begin(&path).unwrap().finish().unwrap();
        assert_eq!((fs::read_to_string(&path).unwrap(), pictures(&path)), (before, 1), "a run that used nothing");
        let tape = NewTape::begin(&path).unwrap();
        tape.add(&asked("b", "{}"), 0, &text("new"), &[]).unwrap();
        tape.finish().unwrap();
        assert!(!folder_of(&path).exists());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing else is left");
    }

    #[test]
    fn what_is_no_tape_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("demo.jsonl");
        let heading = r#"{"format":"blossom-run tape","version":1}"#;
        let key = "0".repeat(64);
        let line = |rest: &str| format!("{heading}\n{{\"stage\":\"a\",\"key\":\"{key}\",\"request\":{{}},{rest}}}\n");
        for (content, words) in [
            (String::new(), "is no tape: its first line does not say so"),
            ("name: demo\n".to_owned(), "is no tape"),
            (heading.replace('1', "2"), "the tape has format 2, which this version does not know"),
            (format!("{heading}\n{{\"stage\":\"a\""), "line 2 of the tape is broken: EOF while parsing"),
            (format!("{heading}\n\n"), "line 2 of the tape is broken"),
            (line(r#""answers":[]"#), "line 2 of the tape is broken: an answer must have one of"),
            (line(r#""answers":[{"text":"a","chunks":["a","b"]}]"#), "an answer must have one of"),
            (line(r#""answers":[{"txt":"a"}]"#), "unknown field `txt`"),
            (line(r#""answers":[{"text":"a"}]"#).replace(&key, "xyz"), "its key has not 64 hexadecimal digits"),
            (
                line(&format!(
                    r#""answers":[{{"picture":{{"blob":"{key}","media_type":"image/png","width":1,"height":1,"bytes":3}}}}]"#
                )),
                "its picture is not there",
            ),
        ] {
            File::create(&path).unwrap().write_all(content.as_bytes()).unwrap();
            let error = Tape::open(&path).unwrap_err();
            assert!(error.message.contains(words), "{content}: {error}");
            assert!(error.help.contains("--record TAPE"), "{}", error.help);
        }
        assert!(Tape::open(&folder.path().join("none")).unwrap_err().message.contains("the tape can't be read"));
        File::create(&path).unwrap().write_all(b"name: demo\n").unwrap();
        assert!(!NewTape::may_replace(&path) && !NewTape::may_replace(folder.path()));
        assert!(NewTape::may_replace(&folder.path().join("none")));
        File::create(&path).unwrap().write_all(heading.replace('1', "2").as_bytes()).unwrap();
        assert!(NewTape::may_replace(&path), "of whatever version");
    }
}
