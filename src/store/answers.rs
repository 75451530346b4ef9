//! Answers that are kept, as they are looked up.

use rusqlite::{OptionalExtension, Row, params};

use jiff::Timestamp;

use crate::model::{AnswerId, Asked, Content, ImageInfo, KeptAnswer, LaneRef, Reply, Usage};

use super::encoding::{count, media, time};
use super::error::StoreError;
use super::folder::Store;
use super::runs::RunId;

/// Where a call stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// The number of its latest take that was answered, from 0; 0 if none was.
    pub take: u32,
    /// The first run of the line of runs that made this take.
    pub made_by: Option<RunId>,
    /// The latest answer of that take, of those asked for.
    pub answer: Option<KeptAnswer>,
}

const LATEST: &str = "
SELECT c.take, c.root, a.id, a.began + a.took, a.text, a.blob, a.media, a.width, a.height, a.model, a.finish_reason,
       a.request_id, a.input_tokens, a.output_tokens, a.total_tokens, a.provider, a.asked_model
FROM calls c JOIN attempts a ON a.call = c.id
WHERE c.key = ? AND a.kind IS NULL AND a.id < ?
ORDER BY c.take DESC, a.id DESC LIMIT 1";

impl Store {
    /// Looks a call up: its latest take, and the latest answer of that, before one that is known already.
    ///
    /// # Errors
    /// The store can't be read.
    pub fn look_up(&self, asked: &Asked, before: Option<AnswerId>) -> Result<Found, StoreError> {
        let before = before.map_or(i64::MAX, |AnswerId(id)| id);
        let found = if self.known().may_have(&asked.key) { self.latest(asked, before)? } else { None };
        Ok(found.unwrap_or(Found { take: 0, made_by: None, answer: None }))
    }

    fn latest(&self, asked: &Asked, mut before: i64) -> Result<Option<Found>, StoreError> {
        loop {
            let raw = {
                let reader = self.reader();
                let mut statement = reader.prepare_cached(LATEST).map_err(|error| self.wrong(&error))?;
                let values = params![asked.key.bytes(), before];
                statement.query_row(values, Raw::read).optional().map_err(|error| self.wrong(&error))?
            };
            let Some(raw) = raw else { return Ok(None) };
            before = raw.id;
            let (take, made_by) = (raw.take, Some(RunId(raw.root)));
            // A picture that was lost is as if it had never come.
            if let Some(answer) = raw.answer(self) {
                return Ok(Some(Found { take, made_by, answer: Some(answer) }));
            }
        }
    }
}

struct Raw {
    take: u32,
    root: i64,
    id: i64,
    at: Timestamp,
    text: Option<String>,
    picture: Option<(Vec<u8>, ImageInfo)>,
    model: Option<String>,
    finish_reason: Option<String>,
    request_id: Option<String>,
    usage: Option<Usage>,
    lane: LaneRef,
}

impl Raw {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let blob: Option<Vec<u8>> = row.get(5)?;
        let mime: Option<String> = row.get(6)?;
        let (width, height) = (row.get::<_, Option<u32>>(7)?, row.get::<_, Option<u32>>(8)?);
        let info = mime.as_deref().and_then(media).map(|media_type| ImageInfo {
            media_type,
            width: width.unwrap_or_default(),
            height: height.unwrap_or_default(),
        });
        let tokens = |column: usize| row.get::<_, Option<i64>>(column);
        let usage = match (tokens(12)?, tokens(13)?, tokens(14)?) {
            (Some(input), Some(output), Some(total)) => {
                Some(Usage { input_tokens: count(input), output_tokens: count(output), total_tokens: count(total) })
            }
            _ => None,
        };
        Ok(Self {
            take: row.get(0)?,
            root: row.get(1)?,
            id: row.get(2)?,
            at: time(row.get(3)?),
            text: row.get(4)?,
            picture: blob.zip(info),
            model: row.get(9)?,
            finish_reason: row.get(10)?,
            request_id: row.get(11)?,
            usage,
            lane: lane(row, [15, 16])?,
        })
    }

    fn answer(self, store: &Store) -> Option<KeptAnswer> {
        let content = match (self.text, self.picture) {
            (Some(text), _) => Content::Text(text),
            (None, Some((digest, info))) => Content::Image { bytes: store.blobs().get(&digest)?, info },
            (None, None) => return None,
        };
        let Self { model, finish_reason, request_id, usage, .. } = self;
        let reply = Reply { content, usage, model, finish_reason, request_id };
        Some(KeptAnswer { id: AnswerId(self.id), at: self.at, lane: Some(self.lane), reply })
    }
}

/// Who was asked: the columns of a provider and of its model.
pub(super) fn lane(row: &Row<'_>, [provider, model]: [usize; 2]) -> rusqlite::Result<LaneRef> {
    let model: Option<String> = row.get(model)?;
    Ok(LaneRef { provider: row.get::<_, String>(provider)?.into(), model: model.map(Into::into) })
}
