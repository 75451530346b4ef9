//! What answers of a stage were like: how long, how many tokens, how much time.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, named_params, params};

use crate::model::{AnswerId, ProviderIdentity, Usage};

use super::encoding::{count, time};
use super::error::StoreError;
use super::folder::Store;

/// How far values lie apart: what a tenth of them does not reach, their mean, and what a tenth of them is above.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Spread {
    /// The tenth percentile.
    pub low: u64,
    /// The mean, rounded.
    pub mean: u64,
    /// The ninetieth percentile.
    pub high: u64,
}

impl Spread {
    /// That of these values; nothing without any.
    pub fn of(mut values: Vec<u64>) -> Option<Self> {
        let last = values.len().checked_sub(1)?;
        values.sort_unstable();
        let sum: u128 = values.iter().copied().map(u128::from).sum();
        let many = values.len() as u128;
        let mean = u64::try_from((sum + many / 2) / many).unwrap_or(u64::MAX);
        let at = |tenths: usize| values[(last * tenths + 5) / 10];
        Some(Self { low: at(1), mean, high: at(9) })
    }
}

/// What the latest answers of a stage were like.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StageStatistics {
    /// How many were looked at.
    pub answers: u64,
    /// Tokens of the request, of those where the provider has told.
    pub input_tokens: Option<Spread>,
    /// Tokens of the answer, thinking included.
    pub output_tokens: Option<Spread>,
    /// Length of answered texts, in bytes.
    pub length: Option<Spread>,
    /// Time of the request that was answered, in milliseconds.
    pub took: Option<Spread>,
}

/// Where an answer comes from.
#[derive(Debug, Clone, PartialEq)]
pub struct Origin {
    /// The run that asked; nothing if it was pruned.
    pub run: Option<String>,
    /// When the answer had come.
    pub at: Timestamp,
}

/// Newest first, so that no more is read than is wanted.
const LATEST: &str = "
SELECT a.took, a.input_tokens, a.output_tokens, a.total_tokens, octet_length(a.text)
FROM attempts a CROSS JOIN calls c ON c.id = a.call
WHERE a.kind IS NULL AND c.stage = :stage AND json_extract(c.request, '$.provider.kind') = :kind
  AND json_extract(c.request, '$.provider.address') = :address
ORDER BY a.id DESC LIMIT :latest";

const CALLS: &str = "
SELECT c.request, a.id
FROM attempts a CROSS JOIN calls c ON c.id = a.call
WHERE a.kind IS NULL AND c.stage = :stage
ORDER BY a.id DESC LIMIT :latest";

const LAST: &str = "
SELECT c.request, a.id
FROM attempts a CROSS JOIN calls c ON c.id = a.call
WHERE a.kind IS NULL AND c.stage = :stage AND a.item IS :item
ORDER BY a.id DESC LIMIT 1";

const ORIGIN: &str = "
SELECT r.name, a.began + a.took FROM attempts a LEFT JOIN runs r ON r.id = a.run WHERE a.id = ?";

impl Store {
    /// What the latest answers of a provider to a stage of this name were like, so many of them at most.
    ///
    /// # Errors
    /// The store can't be read.
    pub fn statistics(
        &self,
        stage: &str,
        provider: &ProviderIdentity,
        latest: u32,
    ) -> Result<StageStatistics, StoreError> {
        let reader = self.reader();
        let wrong = |error: rusqlite::Error| self.wrong(&error);
        let mut statement = reader.prepare_cached(LATEST).map_err(wrong)?;
        let values = named_params! {
            ":stage": stage, ":kind": provider.kind.name(), ":address": provider.address, ":latest": latest,
        };
        let rows = statement.query_map(values, One::read).map_err(wrong)?;
        let found: Vec<One> = rows.collect::<Result<_, _>>().map_err(wrong)?;
        let of = |figure: fn(&One) -> Option<u64>| Spread::of(found.iter().filter_map(figure).collect());
        let output = |usage: Usage| usage.output_tokens.max(usage.total_tokens.saturating_sub(usage.input_tokens));
        let output_tokens = Spread::of(found.iter().filter_map(|one| one.usage.map(output)).collect());
        Ok(StageStatistics {
            answers: found.len() as u64,
            input_tokens: of(|one| one.usage.map(|usage| usage.input_tokens)),
            output_tokens,
            length: of(|one| one.length),
            took: of(|one| Some(one.took)),
        })
    }

    /// The latest calls of a stage of this name that were answered, in their canonical form, each with its answer.
    ///
    /// # Errors
    /// The store can't be read.
    pub fn calls_of(&self, stage: &str, latest: u32) -> Result<Vec<(String, AnswerId)>, StoreError> {
        let reader = self.reader();
        let wrong = |error: rusqlite::Error| self.wrong(&error);
        let mut statement = reader.prepare_cached(CALLS).map_err(wrong)?;
        let values = named_params! { ":stage": stage, ":latest": latest };
        let rows = statement.query_map(values, |row| Ok((row.get(0)?, AnswerId(row.get(1)?)))).map_err(wrong)?;
        rows.collect::<Result<_, _>>().map_err(wrong)
    }

    /// The call that was answered last for an item of a stage, as in [`Store::calls_of`].
    ///
    /// # Errors
    /// The store can't be read.
    pub fn last_call_of(&self, stage: &str, item: Option<&str>) -> Result<Option<(String, AnswerId)>, StoreError> {
        let values = named_params! { ":stage": stage, ":item": item };
        let read = |row: &Row<'_>| Ok((row.get(0)?, AnswerId(row.get(1)?)));
        self.reader().query_row(LAST, values, read).optional().map_err(|error| self.wrong(&error))
    }

    /// Where an answer comes from; nothing if there is none of this number.
    ///
    /// # Errors
    /// The store can't be read.
    pub fn origin(&self, answer: AnswerId) -> Result<Option<Origin>, StoreError> {
        let read = |row: &Row<'_>| Ok(Origin { run: row.get(0)?, at: time(row.get(1)?) });
        let found = self.reader().query_row(ORIGIN, params![answer.0], read).optional();
        found.map_err(|error| self.wrong(&error))
    }
}

/// One answer.
struct One {
    took: u64,
    usage: Option<Usage>,
    length: Option<u64>,
}

impl One {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let number = |column: usize| row.get::<_, Option<i64>>(column).map(|value| value.map(count));
        let usage = match (number(1)?, number(2)?, number(3)?) {
            (Some(input_tokens), Some(output_tokens), Some(total_tokens)) => {
                Some(Usage { input_tokens, output_tokens, total_tokens })
            }
            _ => None,
        };
        Ok(Self { took: number(0)?.unwrap_or_default(), usage, length: number(4)? })
    }
}

#[cfg(test)]
mod tests {
    use super::super::runs::NewRun;
    use super::super::sample::{answered, refused};
    use super::*;
    use crate::model::{Asked, CallKey, Json, ProviderKind};

    #[test]
    fn a_spread_leaves_the_extremes_out() {
        assert_eq!(Spread::of(vec![]), None);
        assert_eq!(Spread::of(vec![7]), Some(Spread { low: 7, mean: 7, high: 7 }));
        let values = (0..=100).rev().collect();
        assert_eq!(Spread::of(values), Some(Spread { low: 10, mean: 50, high: 90 }));
        assert_eq!(Spread::of(vec![u64::MAX, u64::MAX]).map(|spread| spread.mean), Some(u64::MAX));
    }

    #[test]
    fn the_latest_answers_of_a_stage_and_a_provider_count() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let began = Timestamp::from_millisecond(0).unwrap();
        let run = NewRun { name: "r".into(), goes_on: None, pipeline: "p".into(), began, about: Json::Null };
        let run = store.begin(run).unwrap();
        let of = |address: &str, prompt: &str| {
            let canonical = format!(r#"{{"provider":{{"kind":"openai","address":"{address}"}},"prompt":"{prompt}"}}"#);
            Asked { stage: "stage".into(), key: CallKey::of(&canonical), canonical: canonical.into() }
        };
        let last = futures::executor::block_on(async {
            for (address, prompt, text, took) in
                [("here", "a", "1", 900), ("here", "b", "four", 10), ("there", "c", "1", 900), ("here", "d", "12", 30)]
            {
                let record = answered(prompt, text, 0, took);
                store.keep(run, crate::model::AttemptRecord { asked: of(address, prompt), ..record }).await.unwrap();
            }
            store.note(run, crate::model::AttemptRecord { asked: of("here", "e"), ..refused("e", 0, 500) });
            store.keep(run, crate::model::AttemptRecord { asked: of("else", "f"), ..answered("f", "x", 5, 1) }).await
        });
        let provider = ProviderIdentity { kind: ProviderKind::Openai, address: "here".into() };
        let found = store.statistics("stage", &provider, 2).unwrap();
        assert_eq!(found.answers, 2);
        assert_eq!(found.took, Some(Spread { low: 10, mean: 20, high: 30 }));
        assert_eq!(found.length, Some(Spread { low: 2, mean: 3, high: 4 }));
        assert_eq!(found.output_tokens, Some(Spread { low: 4, mean: 4, high: 4 }));
        assert_eq!(store.statistics("other", &provider, 2).unwrap(), StageStatistics::default());

        let calls = store.calls_of("stage", 3).unwrap();
        let prompts: Vec<&str> = calls.iter().map(|(call, _)| &call[call.len() - 3..call.len() - 2]).collect();
        assert_eq!(prompts, ["f", "d", "c"], "the latest first, and none that was refused");
        let origin = store.origin(AnswerId(last.unwrap())).unwrap().unwrap();
        assert_eq!((origin.run.as_deref(), origin.at.as_millisecond()), (Some("r"), 6));
        assert_eq!(store.origin(AnswerId(999)).unwrap(), None);
    }
}
