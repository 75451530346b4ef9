//! A line of runs: a run and those that go on with it. They share a budget and a deadline.

use std::time::Duration;

use rusqlite::params;

use crate::model::{Amount, Cost, Spent};

use super::encoding::count;
use super::error::StoreError;
use super::folder::Store;
use super::runs::RunId;

/// What a line of runs has used so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Used {
    /// Requests, tokens and money.
    pub spent: Spent,
    /// How long its runs went on, without what lies between them.
    pub time: Duration,
}

const SUMS: &str = "
SELECT count(*), coalesce(sum(counted), 0), coalesce(sum(usd), 0), coalesce(sum(pollen), 0),
       coalesce(sum(unpriced), 0)
FROM (SELECT run, counted, usd, pollen, unpriced FROM attempts
      UNION ALL SELECT run, counted, usd, pollen, unpriced FROM sendings)
WHERE run IN (SELECT id FROM runs WHERE root = ?)";

/// A run that died has no end; what is last known of it is the end of its last request.
const TIMES: &str = "
SELECT r.began, coalesce(r.ended, (SELECT max(a.began + a.took) FROM attempts a WHERE a.run = r.id), r.began)
FROM runs r WHERE r.root = ?";

impl Store {
    /// What the line of runs that began with `root` has used so far. What is not committed yet is not counted.
    ///
    /// # Errors
    /// The store can't be read.
    pub fn used(&self, root: RunId) -> Result<Used, StoreError> {
        let reader = self.reader();
        let wrong = |error: rusqlite::Error| self.wrong(&error);
        let sums = reader.query_row(SUMS, params![root.0], |row| {
            let number = |column: usize| row.get::<_, i64>(column).map(count);
            let cost = Cost { usd: Amount(number(2)?), pollen: Amount(number(3)?), unpriced: number(4)? };
            Ok(Spent { calls: number(0)?, tokens: number(1)?, cost })
        });
        let mut times = reader.prepare(TIMES).map_err(wrong)?;
        let spans = times.query_map(params![root.0], |row| Ok(row.get::<_, i64>(1)? - row.get::<_, i64>(0)?));
        let milliseconds: i64 = spans.and_then(|spans| spans.sum::<Result<i64, _>>()).map_err(wrong)?;
        Ok(Used { spent: sums.map_err(wrong)?, time: Duration::from_millis(count(milliseconds)) })
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::super::runs::{NewRun, RunEnd};
    use super::super::sample::{answered, refused};
    use super::*;
    use crate::model::Json;

    fn begin(store: &Store, name: &str, goes_on: Option<RunId>, began: i64) -> RunId {
        let began = Timestamp::from_millisecond(began).unwrap();
        store.begin(NewRun { name: name.into(), goes_on, pipeline: "p".into(), began, about: Json::Null }).unwrap()
    }

    #[test]
    fn a_line_of_runs_is_summed_up_and_others_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let root = begin(&store, "a", None, 1_000);
        let other = begin(&store, "b", None, 0);
        let next = begin(&store, "c", Some(root), 9_000);
        futures::executor::block_on(async {
            store.note(root, refused("x", 1_000, 500));
            store.keep(root, answered("x", "y", 1_500, 500)).await.unwrap();
            store.keep(other, answered("z", "y", 0, 500)).await.unwrap();
            store.keep(next, answered("u", "y", 9_100, 500)).await.unwrap();
            let end =
                RunEnd { at: Timestamp::from_millisecond(10_000).unwrap(), outcome: Json::Null, stages: Json::Null };
            store.end(next, end).await.unwrap();
        });
        let used = store.used(root).unwrap();
        assert_eq!((used.spent.calls, used.spent.tokens), (3, 2 * 7));
        assert_eq!(used.spent.cost.usd, Amount(2 * 5));
        assert_eq!(used.time, Duration::from_secs(2), "the first has died after its last answer");
    }
}
