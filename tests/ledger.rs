//! The ledger adds up, whatever happens: random pipelines against the built-in provider, which fails now and then. Every
//! instance is accounted for, rows are in the order of items, and when and in which order things come back changes no
//! byte of what is written. What is kept of one run is all that the next one needs.
#![expect(clippy::unwrap_used, reason = "a helper of tests fails where it stands")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::num::NonZeroUsize;
use std::path::Path;
use std::time::Duration;

use blossom_run::engine::{self, Kept, Request, RunOptions, Store};
use blossom_run::model::{EventKind, ItemRef, Json, RunOutcome, SkipReason, StageTally};
use futures::StreamExt;
use proptest::prelude::*;

/// A run that waits for itself fails after this, instead of hanging.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a failed instance of a stage means.
#[derive(Debug, Clone, Copy, PartialEq)]
enum OnError {
    Stop,
    Continue,
    Value,
}

#[derive(Debug, Clone)]
struct Stage {
    /// How many of the two nested loops it runs in.
    depth: usize,
    /// Earlier stages by index, and whether it can do without.
    refs: Vec<(usize, bool)>,
    /// Runs where the innermost index is another than this.
    skips: Option<u64>,
    on_error: OnError,
    kind: Kind,
    is_json: bool,
    /// Names its own value for the item before.
    previous: bool,
    /// Goes on with the conversation of an earlier stage by its index, or if that is its own, with that of the item before.
    continues: Option<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Call,
    Render,
    Value,
}

#[derive(Debug, Clone)]
struct Pipeline {
    /// How many inner items each outer one has.
    lists: Vec<u8>,
    from_file: bool,
    /// The inner list is the value of a stage.
    from_value: bool,
    stages: Vec<Stage>,
}

/// How a run goes, which must not matter.
#[derive(Debug, Clone, Copy)]
struct Timing {
    latency: u64,
    jitter: u64,
    concurrency: u32,
    window: usize,
}

impl Pipeline {
    fn rows(&self) -> String {
        let row = |(outer, inner): (usize, &u8)| {
            let tags: Vec<String> = (0..*inner).map(|tag| format!("tag {tag}")).collect();
            serde_json::json!({"id": format!("item {outer}"), "tags": tags}).to_string() + "\n"
        };
        self.lists.iter().enumerate().map(row).collect()
    }

    fn yaml(&self, timing: Timing) -> String {
        let Timing { latency, jitter, .. } = timing;
        let list = if self.from_file {
            "rows.jsonl".to_owned()
        } else {
            format!("[{}]", self.rows().trim_end().replace('\n', ", "))
        };
        let mut yaml = format!(
            "name: ledger\nproviders:\n  p: {{kind: offline, fail: 30%, latency: {latency}ms, jitter: {jitter}ms}}\n\
             defaults: {{provider: p, retry: {{attempts: 2, backoff: 1ms}}}}\n\
             inputs:\n  rows: {{type: items, default: {list}}}\nstages:\n"
        );
        let inner = if self.from_value {
            yaml.push_str("  tags: {for_each: {o: rows}, value: \"{{o.tags}}\", save: tags.jsonl}\n");
            "    for_each: {o: rows, i: tags}\n"
        } else {
            "    for_each: {o: rows, i: o.tags}\n"
        };
        for (ix, stage) in self.stages.iter().enumerate() {
            let (text, from) = (self.template(ix), stage.continues.filter(|from| *from != ix));
            match (stage.kind, stage.continues) {
                (Kind::Call, Some(_)) => {
                    let from = from.map_or_else(|| "previous".to_owned(), |from| format!("s{from}"));
                    writeln!(yaml, "  s{ix}:\n    chat: [{{user: \"{text}\"}}]\n    continues: {from}").unwrap();
                }
                (Kind::Call, None) => writeln!(yaml, "  s{ix}:\n    text: \"{text}\"").unwrap(),
                (Kind::Render, _) => writeln!(yaml, "  s{ix}:\n    render: \"{text}\"").unwrap(),
                (Kind::Value, _) => {
                    writeln!(yaml, "  s{ix}:\n    value: {{said: \"{text}\", by: [{ix}]}}").unwrap();
                }
            }
            if stage.kind == Kind::Call && stage.is_json {
                yaml.push_str("    json: true\n");
            }
            yaml.push_str(["", "    for_each: {o: rows}\n", inner][stage.depth]);
            if let (Some(index), 1..) = (stage.skips, stage.depth) {
                writeln!(yaml, "    when: ne loop.index {index}").unwrap();
            }
            yaml.push_str(match stage.on_error {
                OnError::Stop => "",
                OnError::Continue => "    on_error: continue\n",
                OnError::Value => "    on_error: {value: stands in}\n",
            });
            let at = ["", "{{loop.o.index}}", "{{loop.o.index}} {{loop.i.index}}"][stage.depth];
            writeln!(yaml, "    save: {{path: s{ix}.jsonl, row: {{at: \"{at}\", value: \"{{{{json s{ix}}}}}\"}}}}")
                .unwrap();
        }
        yaml
    }

    fn template(&self, ix: usize) -> String {
        let stage = &self.stages[ix];
        let mut text = format!("Say {ix}");
        text.push_str(["", " of {{o.id}}", " of {{o.id}} and {{i}}"][stage.depth]);
        for (other, is_optional) in &stage.refs {
            let is_list = self.stages[*other].depth > stage.depth;
            let value = if is_list {
                format!(" {{{{#each s{other}}}}}<{{{{json this}}}}>{{{{/each}}}}")
            } else {
                format!(" {{{{json s{other}}}}}")
            };
            if *is_optional {
                write!(text, "{{{{#if s{other}}}}}{value}{{{{/if}}}}").unwrap();
            } else {
                text.push_str(&value);
            }
        }
        if stage.previous {
            text.push_str("{{#if previous}} after {{json previous}}{{/if}}");
        }
        text
    }

    /// Whether a failure may end it before its end, which is a matter of time.
    fn may_stop(&self) -> bool {
        self.stages.iter().any(|stage| stage.on_error == OnError::Stop)
    }
}

struct Ran {
    outcome: RunOutcome,
    stages: BTreeMap<String, StageTally>,
    events: Vec<EventKind>,
    files: BTreeMap<String, String>,
    yaml: String,
}

fn run(pipeline: &Pipeline, timing: Timing, folder: &Path, store: Option<&Store>) -> Ran {
    fs::create_dir_all(folder).unwrap();
    let write = |name: &str, text: &str| {
        fs::File::create(folder.join(name)).and_then(|mut file| std::io::Write::write_all(&mut file, text.as_bytes()))
    };
    let yaml = pipeline.yaml(timing);
    write("random.yaml", &yaml).unwrap();
    write("rows.jsonl", &pipeline.rows()).unwrap();
    let checked = engine::check(&Request { file: folder.join("random.yaml"), to_run: true, ..Request::default() });
    let messages: Vec<String> = checked.diagnostics.iter().map(|one| one.message.clone()).collect();
    let plan = checked.plan.unwrap_or_else(|| panic!("{messages:?}\n{yaml}"));
    let out = folder.join("out");
    let kept = store.map(|store| Kept { store: store.clone(), goes_on: None, about: Json::Null });
    let options = RunOptions {
        out: out.clone(),
        concurrency: Some(timing.concurrency),
        window: NonZeroUsize::new(timing.window),
        store: kept,
        ..RunOptions::default()
    };
    let (finished, events) = patiently(&yaml, move || {
        // Pauses that a busy service asks for pass at once.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let (running, events) = engine::run(plan, options).unwrap();
            tokio::join!(running.finish(), events.map(|event| event.kind).collect::<Vec<_>>())
        })
    });
    let read = |ix: usize| {
        let name = format!("s{ix}.jsonl");
        fs::read_to_string(out.join(&name)).ok().map(|text| (name, text))
    };
    Ran {
        outcome: finished.outcome,
        stages: finished.stages.iter().map(|(name, tally)| (name.to_string(), *tally)).collect(),
        events,
        files: (0..pipeline.stages.len()).filter_map(read).collect(),
        yaml,
    }
}

/// Does it on a thread of its own, and gives up on what never ends.
fn patiently<T: Send + 'static>(yaml: &str, what: impl FnOnce() -> T + Send + 'static) -> T {
    let (done, waiting) = std::sync::mpsc::channel();
    std::thread::spawn(move || done.send(what()).ok());
    waiting.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("it waits for itself, or has panicked:\n{yaml}"))
}

/// The counts of each stage as the events tell them.
fn told(events: &[EventKind]) -> BTreeMap<String, StageTally> {
    let mut told: BTreeMap<String, StageTally> = BTreeMap::new();
    let mut reused: Vec<ItemRef> = Vec::new();
    for event in events {
        let (item, count): (&ItemRef, fn(&mut StageTally) -> &mut u64) = match event {
            EventKind::Reused { item, .. } => {
                reused.push(item.clone());
                continue;
            }
            EventKind::Done { item, .. } if reused.contains(item) => (item, |tally| &mut tally.reused),
            EventKind::Done { item, .. } => (item, |tally| &mut tally.done),
            EventKind::Replaced { item, .. } => (item, |tally| &mut tally.replaced),
            EventKind::Failed { item, .. } => (item, |tally| &mut tally.failed),
            EventKind::Skipped { item, reason: SkipReason::Failed { .. } } => {
                (item, |tally| &mut tally.skipped_after_failure)
            }
            EventKind::Skipped { item, .. } => (item, |tally| &mut tally.skipped),
            _ => continue,
        };
        *count(told.entry(item.stage.to_string()).or_default()) += 1;
    }
    told
}

fn adds_up(ran: &Ran) -> Result<(), TestCaseError> {
    let told = told(&ran.events);
    for (name, tally) in &ran.stages {
        let StageTally { instances, done, reused, replaced, skipped, skipped_after_failure, failed, not_started } =
            *tally;
        let sum = done + reused + replaced + skipped + skipped_after_failure + failed + not_started;
        prop_assert_eq!(instances, sum, "{}: {:?}\n{}", name, tally, ran.yaml);
        let counted = StageTally { instances, not_started, ..told.get(name).copied().unwrap_or_default() };
        prop_assert_eq!(*tally, counted, "{} is told otherwise\n{}", name, ran.yaml);
    }
    let failed = ran.stages.values().any(|tally| tally.failed > 0);
    let left = ran.stages.values().any(|tally| tally.not_started > 0);
    prop_assert_eq!(&ran.outcome, if failed { &RunOutcome::Failed } else { &RunOutcome::Done });
    prop_assert!(failed || !left, "something was not started, and nothing failed\n{}", ran.yaml);
    Ok(())
}

fn rows_are_in_order(ran: &Ran) -> Result<(), TestCaseError> {
    for (name, text) in &ran.files {
        let at = |line: &str| -> Vec<u64> {
            let row: Json = serde_json::from_str(line).unwrap();
            row["at"].to_string().trim_matches('"').split_whitespace().map(|index| index.parse().unwrap()).collect()
        };
        let places: Vec<Vec<u64>> = text.lines().map(at).collect();
        prop_assert!(places.is_sorted(), "{}: {:?}\n{}", name, places, ran.yaml);
        let values = ran.stages[name.trim_end_matches(".jsonl")];
        prop_assert_eq!(places.len() as u64, values.done + values.reused + values.replaced, "{}\n{}", name, ran.yaml);
    }
    Ok(())
}

fn pipelines() -> impl Strategy<Value = Pipeline> {
    let on_error = prop::sample::select(vec![OnError::Continue, OnError::Continue, OnError::Value, OnError::Stop]);
    let stage = (
        0..3_usize,
        prop::collection::vec((any::<prop::sample::Index>(), any::<bool>()), 0..3),
        prop::option::weighted(0.3, 0..3_u64),
        on_error,
        prop::sample::select(vec![Kind::Call, Kind::Call, Kind::Call, Kind::Render, Kind::Value]),
        prop::bool::weighted(0.2),
        (prop::bool::weighted(0.3), prop::option::weighted(0.4, any::<prop::sample::Index>())),
    );
    let stages = prop::collection::vec(stage, 1..7).prop_map(|drawn| {
        let talks: Vec<(usize, bool)> = drawn.iter().map(|stage| (stage.0, stage.4 == Kind::Call)).collect();
        let stages = drawn.into_iter().enumerate().map(|(at, (depth, refs, skips, on_error, kind, is_json, talk))| {
            let refs = refs.into_iter().filter(|_| at > 0).map(|(ix, optional)| (ix.index(at), optional));
            let mut refs: Vec<(usize, bool)> = refs.collect();
            refs.sort_unstable();
            refs.dedup_by_key(|(ix, _)| *ix);
            let goes_on = |ix: &usize| if *ix == at { depth > 0 } else { talks[*ix].1 && talks[*ix].0 <= depth };
            let from: Vec<usize> = (0..=at).filter(goes_on).collect();
            let continues =
                talk.1.filter(|_| kind == Kind::Call && !from.is_empty()).map(|ix| from[ix.index(from.len())]);
            let previous = talk.0 && depth > 0;
            Stage { depth, refs, skips, on_error, kind, is_json, previous, continues }
        });
        stages.collect()
    });
    let drawn = (prop::collection::vec(0..4_u8, 0..6), any::<bool>(), any::<bool>(), stages);
    drawn.prop_map(|(lists, from_file, from_value, stages)| Pipeline { lists, from_file, from_value, stages })
}

fn timings() -> impl Strategy<Value = Timing> {
    (0..3_u64, 0..4_u64, 1..9_u32, 1..5_usize).prop_map(|(latency, jitter, concurrency, window)| Timing {
        latency,
        jitter,
        concurrency,
        window,
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_instance_is_accounted_for_and_timing_changes_no_byte(
        pipeline in pipelines(), one in timings(), other in timings(),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("store")).unwrap();
        let first = run(&pipeline, one, &folder.path().join("first"), Some(&store));
        adds_up(&first)?;
        rows_are_in_order(&first)?;
        let second = run(&pipeline, other, &folder.path().join("second"), None);
        adds_up(&second)?;
        rows_are_in_order(&second)?;
        let again = run(&pipeline, other, &folder.path().join("again"), Some(&store));
        adds_up(&again)?;
        rows_are_in_order(&again)?;
        if !pipeline.may_stop() {
            prop_assert_eq!(&first.files, &second.files, "{}", first.yaml);
            prop_assert_eq!(&first.files, &again.files, "what was kept is another\n{}", first.yaml);
            let asked_again = again.stages.iter().find(|(name, tally)| {
                let ix = name.strip_prefix('s').and_then(|ix| ix.parse::<usize>().ok());
                ix.is_some_and(|ix| pipeline.stages[ix].kind == Kind::Call) && tally.done > 0
            });
            prop_assert!(asked_again.is_none(), "{:?}\n{}", asked_again, first.yaml);
        }
    }
}
