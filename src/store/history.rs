//! What happened: runs, what they asked for, and what became of their instances.

use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, named_params, params};

use crate::model::{Amount, Cost, Failure, Json, LaneRef, Usage};

use super::answers::lane;
use super::encoding::{count, time};
use super::error::StoreError;
use super::folder::Store;
use super::runs::{InstanceState, RunId};

/// A run, as it is remembered.
#[derive(Debug, Clone, PartialEq)]
pub struct KeptRun {
    /// Its number.
    pub id: RunId,
    /// Its name.
    pub name: String,
    /// The first run of the line that it goes on with; itself, if it goes on with none.
    pub root: RunId,
    /// The pipeline's name.
    pub pipeline: String,
    /// When it began.
    pub began: Timestamp,
    /// When it ended; nothing if it goes on, or has died.
    pub ended: Option<Timestamp>,
    /// How it ended, as it was written down.
    pub outcome: Option<Json>,
    /// What it takes to run it again.
    pub about: Json,
    /// What became of its stages, as it was written down.
    pub stages: Option<Json>,
    /// Whether it goes on at this moment.
    pub is_going_on: bool,
}

/// What requests took together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Requests {
    /// Requests on the wire.
    pub sent: u64,
    /// Those that were answered.
    pub answered: u64,
    /// Those of them that a fallback answered, and whose answer was taken.
    pub fallbacks: u64,
    /// Tokens, as far as providers have told.
    pub usage: Usage,
    /// Money, as far as prices were known.
    pub cost: Cost,
}

/// An instance that did not come out.
#[derive(Debug, Clone, PartialEq)]
pub struct KeptInstance {
    /// Its stage.
    pub stage: String,
    /// Its item, as people call it; nothing outside of loops.
    pub item: Option<String>,
    /// What became of it.
    pub state: InstanceState,
    /// Why: a failure, or the reason of a skip.
    pub why: Json,
    /// Requests sent for it.
    pub attempts: u64,
}

/// A request that was sent.
#[derive(Debug, Clone, PartialEq)]
pub struct KeptAttempt {
    /// The run that sent it; empty if it was pruned.
    pub run: String,
    /// Which of its call's, from 1.
    pub number: u64,
    /// Which take of the call, from 0.
    pub take: u64,
    /// Who was asked; without a model where none was sent, or where a store of an older format did not say.
    pub lane: LaneRef,
    /// When it was sent.
    pub began: Timestamp,
    /// Until its end.
    pub took: Duration,
    /// Why it brought no answer, or why its answer was not taken.
    pub failure: Option<Failure>,
    /// What was asked: a call in its canonical form.
    pub request: String,
    /// The text that was answered.
    pub text: Option<String>,
    /// The file with the picture that was answered.
    pub picture: Option<std::path::PathBuf>,
    /// The model that answered, as the service says.
    pub model: Option<String>,
    /// Why it ended.
    pub finish_reason: Option<String>,
    /// Tokens, if the provider has told.
    pub usage: Option<Usage>,
    /// What it has cost.
    pub cost: Cost,
}

const RUNS: &str = "SELECT id, name, root, pipeline, began, ended, outcome, about, stages FROM runs";

const ATTEMPTS: &str = "
SELECT coalesce(r.name, ''), a.number, c.take, a.provider, a.began, a.took, a.failure, c.request, a.text, a.blob, a.model,
       a.finish_reason, a.input_tokens, a.output_tokens, a.total_tokens, a.usd, a.pollen, a.unpriced, a.asked_model
FROM attempts a JOIN calls c ON c.id = a.call LEFT JOIN runs r ON r.id = a.run
WHERE c.stage = :stage AND a.item IS :item";

impl Store {
    /// All runs, the latest first.
    ///
    /// # Errors
    /// The store can't be read.
    pub fn runs(&self) -> Result<Vec<KeptRun>, StoreError> {
        let reader = self.reader();
        let wrong = |error: rusqlite::Error| self.wrong(&error);
        let mut statement = reader.prepare(&format!("{RUNS} ORDER BY id DESC")).map_err(wrong)?;
        let runs = statement.query_map([], |row| self.run(row)).map_err(wrong)?;
        runs.collect::<Result<_, _>>().map_err(wrong)
    }

    fn run(&self, row: &Row<'_>) -> rusqlite::Result<KeptRun> {
        let json = |text: Option<String>| text.and_then(|text| serde_json::from_str(&text).ok());
        let name: String = row.get(1)?;
        let ended: Option<i64> = row.get(5)?;
        Ok(KeptRun {
            id: RunId(row.get(0)?),
            root: RunId(row.get(2)?),
            pipeline: row.get(3)?,
            began: time(row.get(4)?),
            ended: ended.map(time),
            outcome: json(row.get(6)?),
            about: json(row.get(7)?).unwrap_or_default(),
            stages: json(row.get(8)?),
            is_going_on: ended.is_none() && self.is_going_on(&name),
            name,
        })
    }

    /// What the requests of a run took, for each stage, by its name.
    ///
    /// # Errors
    /// The store can't be read.
    pub fn requests(&self, run: RunId) -> Result<Vec<(String, Requests)>, StoreError> {
        let reader = self.reader();
        let wrong = |error: rusqlite::Error| self.wrong(&error);
        let mut statement = reader
            .prepare(
                "SELECT c.stage, count(*), sum(a.kind IS NULL), sum(a.input_tokens), sum(a.output_tokens), \
                 sum(a.total_tokens), sum(a.usd), sum(a.pollen), sum(a.unpriced), \
                 sum(a.link > 0 AND a.kind IS NULL AND a.failure IS NULL) \
                 FROM attempts a JOIN calls c ON c.id = a.call WHERE a.run = ? GROUP BY c.stage",
            )
            .map_err(wrong)?;
        let sums = statement.query_map(params![run.0], |row| {
            let number = |column: usize| row.get::<_, Option<i64>>(column).map(|sum| count(sum.unwrap_or_default()));
            let usage = Usage { input_tokens: number(3)?, output_tokens: number(4)?, total_tokens: number(5)? };
            let cost = Cost { usd: Amount(number(6)?), pollen: Amount(number(7)?), unpriced: number(8)? };
            let (sent, answered, fallbacks) = (number(1)?, number(2)?, number(9)?);
            Ok((row.get(0)?, Requests { sent, answered, fallbacks, usage, cost }))
        });
        sums.and_then(Iterator::collect).map_err(wrong)
    }

    /// Hands on the instances of a run that did not come out, of one stage or all, in the order of their items.
    ///
    /// # Errors
    /// The store can't be read.
    pub fn instances(
        &self,
        run: RunId,
        stage: Option<&str>,
        mut each: impl FnMut(KeptInstance),
    ) -> Result<(), StoreError> {
        let reader = self.reader();
        let wrong = |error: rusqlite::Error| self.wrong(&error);
        let mut statement = reader
            .prepare(
                "SELECT stage, item, state, why, attempts FROM instances \
                 WHERE run = :run AND (:stage IS NULL OR stage = :stage) ORDER BY stage, path",
            )
            .map_err(wrong)?;
        let rows = statement.query_map(named_params! {":run": run.0, ":stage": stage}, |row| {
            Ok(KeptInstance {
                stage: row.get(0)?,
                item: row.get(1)?,
                state: InstanceState::from_name(&row.get::<_, String>(2)?).unwrap_or(InstanceState::Failed),
                why: serde_json::from_str(&row.get::<_, String>(3)?).unwrap_or_default(),
                attempts: count(row.get(4)?),
            })
        });
        for instance in rows.map_err(wrong)? {
            each(instance.map_err(wrong)?);
        }
        Ok(())
    }

    /// The requests that a run sent for an item of a stage, in the order in which they came back.
    ///
    /// # Errors
    /// The store can't be read.
    pub fn attempts(&self, run: RunId, stage: &str, item: Option<&str>) -> Result<Vec<KeptAttempt>, StoreError> {
        let reader = self.reader();
        let wrong = |error: rusqlite::Error| self.wrong(&error);
        let mut statement = reader.prepare(&format!("{ATTEMPTS} AND a.run = :run ORDER BY a.id")).map_err(wrong)?;
        let values = named_params! {":run": run.0, ":stage": stage, ":item": item};
        let rows = statement.query_map(values, |row| self.attempt(row)).map_err(wrong)?;
        rows.collect::<Result<_, _>>().map_err(wrong)
    }

    /// The latest answer for an item of a stage that runs of the same pipeline had before this one, or runs that were
    /// pruned since.
    ///
    /// # Errors
    /// The store can't be read.
    pub fn earlier_answer(
        &self,
        run: &KeptRun,
        stage: &str,
        item: Option<&str>,
    ) -> Result<Option<KeptAttempt>, StoreError> {
        let reader = self.reader();
        let wrong = |error: rusqlite::Error| self.wrong(&error);
        let earlier = "a.run < :run AND a.kind IS NULL AND coalesce(r.pipeline, :pipeline) = :pipeline";
        let sql = format!("{ATTEMPTS} AND {earlier} ORDER BY a.id DESC LIMIT 1");
        let mut statement = reader.prepare(&sql).map_err(wrong)?;
        let values = named_params! {":run": run.id.0, ":pipeline": run.pipeline, ":stage": stage, ":item": item};
        statement.query_row(values, |row| self.attempt(row)).optional().map_err(wrong)
    }

    fn attempt(&self, row: &Row<'_>) -> rusqlite::Result<KeptAttempt> {
        let number = |column: usize| row.get::<_, Option<i64>>(column).map(|number| number.map(count));
        let failure: Option<String> = row.get(6)?;
        let blob: Option<Vec<u8>> = row.get(9)?;
        let usage = match (number(12)?, number(13)?, number(14)?) {
            (Some(input_tokens), Some(output_tokens), Some(total_tokens)) => {
                Some(Usage { input_tokens, output_tokens, total_tokens })
            }
            _ => None,
        };
        let sum = |column: usize| number(column).map(Option::unwrap_or_default);
        Ok(KeptAttempt {
            run: row.get(0)?,
            number: sum(1)?,
            take: sum(2)?,
            lane: lane(row, [3, 18])?,
            began: time(row.get(4)?),
            took: Duration::from_millis(sum(5)?),
            failure: failure.and_then(|failure| serde_json::from_str(&failure).ok()),
            request: row.get(7)?,
            text: row.get(8)?,
            picture: blob.map(|digest| self.blobs().path(&digest)),
            model: row.get(10)?,
            finish_reason: row.get(11)?,
            usage,
            cost: Cost { usd: Amount(sum(15)?), pollen: Amount(sum(16)?), unpriced: sum(17)? },
        })
    }
}
