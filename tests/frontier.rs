//! Random pipelines against a plain, sequential interpreter: what each instance saw must be what the language says,
//! whatever runs beside what, in which pass, and in which order it comes back.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use blossom_run::engine::{self, Request, RunOptions};
use proptest::prelude::*;
use serde_json::{Value as Json, json};

/// A loop: over a list of its own, or over the `tags` of an item of the loop around.
#[derive(Debug, Clone)]
struct Loop {
    parent: Option<usize>,
    of_tags: bool,
    /// How many items, and how many tags each has.
    tags: Vec<u8>,
}

#[derive(Debug, Clone)]
struct Stage {
    innermost: Option<usize>,
    /// Earlier stages by index, and whether it can do without.
    refs: Vec<(usize, bool)>,
    /// Runs where the innermost index modulo this is not 0.
    when: Option<u64>,
    /// Fails where the innermost index is this.
    fails: Option<u64>,
    concurrency: u8,
}

#[derive(Debug, Clone)]
struct Pipeline {
    loops: Vec<Loop>,
    stages: Vec<Stage>,
}

impl Pipeline {
    fn chain(&self, innermost: Option<usize>) -> Vec<usize> {
        let mut chain: Vec<usize> = std::iter::successors(innermost, |ix| self.loops[*ix].parent).collect();
        chain.reverse();
        chain
    }

    fn items(&self, ix: usize) -> Vec<Json> {
        let one = &self.loops[ix];
        let item = |(at, tags): (usize, &u8)| {
            let tags: Vec<String> = (0..*tags).map(|tag| format!("t{tag}")).collect();
            json!({"id": format!("l{ix}i{at}"), "tags": tags})
        };
        one.tags.iter().enumerate().map(item).collect()
    }

    /// Whether `ix` is a value where `from` names it, and not a list.
    fn is_value(&self, from: usize, ix: usize) -> bool {
        let (mine, theirs) = (self.chain(self.stages[from].innermost), self.chain(self.stages[ix].innermost));
        mine.starts_with(&theirs)
    }

    fn yaml(&self) -> String {
        let mut yaml = "name: random\ndefaults: {on_error: continue}\ninputs:\n  nothing: {type: string, default: \"\"}\n".to_owned();
        for (ix, one) in self.loops.iter().enumerate().filter(|(_, one)| !one.of_tags) {
            let items = Json::Array(self.items(ix));
            writeln!(yaml, "  list{ix}: {{type: items, default: {items}}}", items = items).unwrap();
            let _ = one;
        }
        yaml.push_str("stages:\n");
        for (ix, stage) in self.stages.iter().enumerate() {
            writeln!(yaml, "  s{ix}:").unwrap();
            writeln!(yaml, "    render: \"{}\"", self.template(ix)).unwrap();
            let chain = self.chain(stage.innermost);
            if !chain.is_empty() {
                let entries: Vec<String> = chain.iter().map(|at| self.entry(*at)).collect();
                writeln!(yaml, "    for_each: {{{}}}", entries.join(", ")).unwrap();
            }
            if let (Some(modulo), Some(_)) = (stage.when, stage.innermost) {
                let holds: Vec<String> = (0..8).filter(|n| n % modulo != 0).map(|n| format!("(eq loop.index {n})")).collect();
                writeln!(yaml, "    when: or {} false", holds.join(" ")).unwrap();
            }
            writeln!(yaml, "    concurrency: {}", stage.concurrency).unwrap();
            writeln!(yaml, "    save: {{path: s{ix}.jsonl, row: {{value: \"{{{{s{ix}}}}}\"}}}}").unwrap();
        }
        yaml
    }

    fn entry(&self, ix: usize) -> String {
        match (self.loops[ix].of_tags, self.loops[ix].parent) {
            (true, Some(parent)) => format!("v{ix}: v{parent}.tags"),
            _ => format!("v{ix}: list{ix}"),
        }
    }

    fn template(&self, ix: usize) -> String {
        let stage = &self.stages[ix];
        let mut text = format!("s{ix}(");
        for at in self.chain(stage.innermost) {
            let name = if self.loops[at].of_tags { format!("v{at}") } else { format!("v{at}.id") };
            write!(text, "{{{{{name}}}}} ").unwrap();
        }
        for (other, optional) in &stage.refs {
            let value = if self.is_value(ix, *other) {
                format!("{{{{s{other}}}}};")
            } else {
                format!("{{{{#each s{other}}}}}<{{{{this}}}}>{{{{/each}}}};")
            };
            if *optional {
                write!(text, "{{{{#if s{other}}}}}{value}{{{{/if}}}}").unwrap();
            } else {
                text.push_str(&value);
            }
        }
        if let (Some(index), Some(at)) = (stage.fails, stage.innermost) {
            let name = format!("v{at}");
            write!(text, "{{{{#if (eq loop.index {index})}}}}{{{{number {name}}}}}{{{{/if}}}}").unwrap();
        }
        text.push(')');
        text
    }
}

/// What became of an instance, by the plainest reading of the language.
#[derive(Debug, Clone, PartialEq)]
enum Outcome {
    Value(String),
    Nothing,
}

type Outcomes = Vec<BTreeMap<Vec<u64>, Outcome>>;

/// Runs stage after stage, item after item.
fn interpret(pipeline: &Pipeline) -> Outcomes {
    let mut outcomes: Outcomes = Vec::new();
    for ix in 0..pipeline.stages.len() {
        let mut of_stage = BTreeMap::new();
        let chain = pipeline.chain(pipeline.stages[ix].innermost);
        let mut open: Vec<(Vec<u64>, Vec<Json>)> = vec![(vec![], vec![])];
        for at in &chain {
            let mut next = Vec::new();
            for (path, items) in open {
                let list = if pipeline.loops[*at].of_tags {
                    items.last().unwrap()["tags"].as_array().unwrap().clone()
                } else {
                    pipeline.items(*at)
                };
                for (index, item) in (0..).zip(list) {
                    next.push(([&path[..], &[index]].concat(), [&items[..], &[item]].concat()));
                }
            }
            open = next;
        }
        for (path, items) in open {
            of_stage.insert(path.clone(), instance(pipeline, &outcomes, ix, &path, &items));
        }
        outcomes.push(of_stage);
    }
    outcomes
}

fn instance(pipeline: &Pipeline, outcomes: &Outcomes, ix: usize, path: &[u64], items: &[Json]) -> Outcome {
    let stage = &pipeline.stages[ix];
    let mut text = format!("s{ix}(");
    for item in items {
        let name = item.get("id").unwrap_or(item).as_str().unwrap();
        write!(text, "{name} ").unwrap();
    }
    let mine = pipeline.chain(stage.innermost);
    for (other, optional) in &stage.refs {
        let theirs = pipeline.chain(pipeline.stages[*other].innermost);
        if mine.starts_with(&theirs) {
            match (&outcomes[*other][&path[..theirs.len()]], optional) {
                (Outcome::Value(value), _) => write!(text, "{value};").unwrap(),
                (Outcome::Nothing, true) => {}
                (Outcome::Nothing, false) => return Outcome::Nothing,
            }
            continue;
        }
        let shared = mine.iter().zip(&theirs).take_while(|(a, b)| a == b).count();
        let values: Vec<&String> = outcomes[*other]
            .iter()
            .filter(|(at, _)| at[..shared] == path[..shared])
            .filter_map(|(_, outcome)| if let Outcome::Value(value) = outcome { Some(value) } else { None })
            .collect();
        if *optional && values.is_empty() {
            continue;
        }
        values.iter().for_each(|value| write!(text, "<{value}>").unwrap());
        text.push(';');
    }
    let index = path.last().copied();
    if let (Some(index), Some(modulo)) = (index, stage.when)
        && index % modulo == 0
    {
        return Outcome::Nothing;
    }
    if index.is_some() && index == stage.fails {
        return Outcome::Nothing;
    }
    text.push(')');
    Outcome::Value(text)
}

fn run(pipeline: &Pipeline, folder: &Path) -> Vec<Vec<String>> {
    let file = folder.join("random.yaml");
    std::fs::File::create(&file).and_then(|mut open| std::io::Write::write_all(&mut open, pipeline.yaml().as_bytes())).unwrap();
    let checked = engine::check(&Request { file, offline: true, to_run: true, ..Request::default() });
    let messages: Vec<String> = checked.diagnostics.iter().map(|one| one.message.clone()).collect();
    let plan = checked.plan.unwrap_or_else(|| panic!("{messages:?}\n{}", pipeline.yaml()));
    let out = folder.join("out");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let finished = runtime.block_on(async {
        let (running, events) = engine::run(plan, RunOptions { out: out.clone(), ..RunOptions::default() }).unwrap();
        drop(events);
        running.finish().await
    });
    for (name, tally) in &finished.stages {
        assert_eq!(tally.instances, tally.instances_ended(), "{name}: {tally:?}\n{}", pipeline.yaml());
    }
    let rows = |ix: usize| -> Vec<String> {
        let text = std::fs::read_to_string(out.join(format!("s{ix}.jsonl"))).unwrap();
        text.lines().map(|line| serde_json::from_str::<Json>(line).unwrap()["value"].as_str().unwrap().to_owned()).collect()
    };
    (0..pipeline.stages.len()).map(rows).collect()
}

fn pipelines() -> impl Strategy<Value = Pipeline> {
    let one = (any::<prop::sample::Index>(), 0..3_u8, prop::collection::vec(0..3_u8, 0..4));
    let loops = prop::collection::vec(one, 1..4).prop_map(|drawn| {
        let mut loops: Vec<Loop> = Vec::new();
        for (at, (parent, kind, tags)) in drawn.into_iter().enumerate() {
            // A third stand alone, a third nest a list of their own, a third go through the tags of the item around.
            let parent = (at > 0 && kind > 0).then(|| parent.index(at));
            let of_tags = kind == 2 && parent.is_some_and(|parent| !loops[parent].of_tags);
            let parent = parent.filter(|parent| of_tags || !loops[*parent].of_tags);
            loops.push(Loop { parent, of_tags, tags });
        }
        loops
    });
    loops.prop_flat_map(|loops| {
        let count = loops.len();
        let stage = (
            prop::option::weighted(0.75, 0..count),
            prop::collection::vec((any::<prop::sample::Index>(), any::<bool>()), 0..4),
            prop::option::weighted(0.25, 2..4_u64),
            prop::option::weighted(0.2, 0..3_u64),
            1..4_u8,
        );
        (Just(loops), prop::collection::vec(stage, 1..8)).prop_map(|(loops, drawn)| {
            let stages = drawn.into_iter().enumerate().map(|(at, (innermost, refs, when, fails, concurrency))| {
                let mut refs: Vec<(usize, bool)> =
                    refs.into_iter().filter(|_| at > 0).map(|(ix, optional)| (ix.index(at), optional)).collect();
                refs.sort_unstable();
                refs.dedup_by_key(|(ix, _)| *ix);
                Stage { innermost, refs, when, fails, concurrency }
            });
            Pipeline { stages: stages.collect(), loops }
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn every_instance_sees_what_the_language_says(pipeline in pipelines()) {
        let folder = tempfile::tempdir().unwrap();
        let rows = run(&pipeline, folder.path());
        for (ix, of_stage) in interpret(&pipeline).into_iter().enumerate() {
            let expected: Vec<String> = of_stage
                .into_values()
                .filter_map(|outcome| if let Outcome::Value(value) = outcome { Some(value) } else { None })
                .collect();
            prop_assert_eq!(&rows[ix], &expected, "s{} of\n{}", ix, pipeline.yaml());
        }
    }
}
