//! Rows as they are written, within a transaction of the committer.

use rusqlite::{Connection, OptionalExtension, Result, params};

use crate::model::{AnswerId, AttemptRecord, Content, Cost, Failure, Spent, Usage};

use super::blobs::Digest;
use super::committer::Entry;
use super::encoding::{integer, path};
use super::runs::{InstanceRecord, NewRun, RunEnd, RunId};

/// Writes one entry, and gives the number of its row.
pub(super) fn write(connection: &Connection, entry: &Entry, picture: Option<&Digest>) -> Result<i64> {
    match entry {
        Entry::Begin(run) => begin(connection, run),
        Entry::Sending(run, worst) => sending(connection, *run, *worst),
        Entry::Attempt(run, record) => attempt(connection, *run, record, picture),
        Entry::Verdict(answer, failure) => verdict(connection, *answer, failure),
        Entry::Instance(run, record) => instance(connection, *run, record),
        Entry::End(run, end) => self::end(connection, *run, end),
    }
}

fn begin(connection: &Connection, run: &NewRun) -> Result<i64> {
    let root = run.goes_on.map(|RunId(root)| root);
    connection.execute(
        "INSERT INTO runs(name, root, pipeline, began, about) VALUES(?, ?, ?, ?, ?)",
        params![run.name, root, run.pipeline, run.began.as_millisecond(), run.about.to_string()],
    )?;
    let id = connection.last_insert_rowid();
    connection.execute("UPDATE runs SET root = id WHERE id = ? AND root IS NULL", params![id])?;
    Ok(id)
}

fn end(connection: &Connection, run: RunId, end: &RunEnd) -> Result<i64> {
    connection.execute(
        "UPDATE runs SET ended = ?, outcome = ?, stages = ? WHERE id = ?",
        params![end.at.as_millisecond(), end.outcome.to_string(), end.stages.to_string(), run.0],
    )?;
    Ok(run.0)
}

fn sending(connection: &Connection, run: RunId, worst: Spent) -> Result<i64> {
    let mut statement =
        connection.prepare_cached("INSERT INTO sendings(run, counted, usd, pollen, unpriced) VALUES(?, ?, ?, ?, ?)")?;
    let Cost { usd, pollen, unpriced } = worst.cost;
    statement.insert(params![run.0, integer(worst.tokens), integer(usd.0), integer(pollen.0), integer(unpriced)])
}

fn instance(connection: &Connection, run: RunId, record: &InstanceRecord) -> Result<i64> {
    let mut statement = connection.prepare_cached(
        "INSERT OR REPLACE INTO instances(run, stage, path, item, state, why, attempts) VALUES(?, ?, ?, ?, ?, ?, ?)",
    )?;
    let InstanceRecord { item, state, why, attempts } = record;
    let place = path(&item.path);
    statement.execute(params![
        run.0,
        &*item.stage,
        place,
        item.key.as_deref(),
        state.name(),
        why.to_string(),
        attempts
    ])?;
    Ok(0)
}

/// Its `kind` stays null, since it was answered.
fn verdict(connection: &Connection, AnswerId(answer): AnswerId, failure: &Failure) -> Result<i64> {
    let mut statement = connection.prepare_cached("UPDATE attempts SET failure = ? WHERE id = ? AND kind IS NULL")?;
    statement.execute(params![serde_json::to_string(failure).ok(), answer])?;
    Ok(answer)
}

/// The number of the call, which is written if it is new.
fn call(connection: &Connection, run: RunId, record: &AttemptRecord) -> Result<i64> {
    let key = record.asked.key.bytes();
    let mut known = connection.prepare_cached("SELECT id FROM calls WHERE key = ? AND take = ?")?;
    if let Some(id) = known.query_row(params![key, record.take], |row| row.get(0)).optional()? {
        // A take is made by whoever gets its first answer: requests that failed have made none.
        let mut taken_over = connection.prepare_cached(
            "UPDATE calls SET root = coalesce((SELECT root FROM runs WHERE id = ?2), root) \
             WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM attempts WHERE call = ?1 AND kind IS NULL)",
        )?;
        taken_over.execute(params![id, run.0])?;
        return Ok(id);
    }
    let mut new = connection.prepare_cached(
        "INSERT INTO calls(key, take, root, stage, request) \
         VALUES(?1, ?2, coalesce((SELECT root FROM runs WHERE id = ?3), ?3), ?4, ?5)",
    )?;
    new.insert(params![key, record.take, run.0, &*record.asked.stage, &*record.asked.canonical])
}

fn attempt(connection: &Connection, run: RunId, record: &AttemptRecord, picture: Option<&Digest>) -> Result<i64> {
    if let Some(sending) = record.sending {
        connection.prepare_cached("DELETE FROM sendings WHERE id = ?")?.execute(params![sending])?;
    }
    let call = call(connection, run, record)?;
    let (reply, failure) = (record.outcome.as_ref().ok(), record.outcome.as_ref().err());
    let usage: Option<Usage> = reply.map_or_else(|| failure.and_then(|failure| failure.usage), |reply| reply.usage);
    let (text, info) = match reply.map(|reply| &reply.content) {
        Some(Content::Text(text)) => (Some(text.as_str()), None),
        Some(Content::Image { info, .. }) => (None, Some(info)),
        None => (None, None),
    };
    let Cost { usd, pollen, unpriced } = record.cost;
    let mut statement = connection.prepare_cached(
        "INSERT INTO attempts(call, run, item, provider, asked_model, link, number, began, took, kind, failure, model, finish_reason, \
         request_id, input_tokens, output_tokens, total_tokens, counted, usd, pollen, unpriced, media, width, height, blob, text) \
         VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )?;
    // By place: finding each name among the statement's takes as long as all else that is done here.
    statement.insert(params![
        call,
        run.0,
        record.item.key.as_deref(),
        &*record.lane.provider,
        record.lane.model.as_deref(),
        record.link,
        record.number,
        record.began.as_millisecond(),
        i64::try_from(record.took.as_millis()).unwrap_or(i64::MAX),
        failure.map(|failure| failure.kind.name()),
        failure.and_then(|failure| serde_json::to_string(failure).ok()),
        reply.and_then(|reply| reply.model.as_deref()),
        reply.and_then(|reply| reply.finish_reason.as_deref()),
        reply.and_then(|reply| reply.request_id.as_deref()),
        usage.map(|usage| integer(usage.input_tokens)),
        usage.map(|usage| integer(usage.output_tokens)),
        usage.map(|usage| integer(usage.total_tokens)),
        integer(record.tokens),
        integer(usd.0),
        integer(pollen.0),
        integer(unpriced),
        info.map(|info| info.media_type.mime()),
        info.map(|info| info.width),
        info.map(|info| info.height),
        picture.map(<[u8; 32]>::as_slice),
        text,
    ])
}
