//! Random pipelines against a plain, sequential interpreter: what each instance saw must be what the language says,
//! whatever runs beside what, in which pass, and in which order it comes back. Calls go over real sockets to a server
//! that gives each prompt back, and of a conversation a digest of all that was said.
#![expect(clippy::unwrap_used, reason = "a helper of tests fails where it stands")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::num::NonZeroUsize;
use std::path::Path;
use std::time::Duration;

use blossom_run::engine::{self, Request, RunOptions};
use proptest::prelude::*;
use serde_json::{Value as Json, json};
use support::server::{Reply, Server};

#[path = "support/mod.rs"]
mod support;

/// A run that waits for itself fails after this, instead of hanging.
const PATIENCE: Duration = Duration::from_secs(30);

/// Where the items of a loop come from.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Source {
    /// An input.
    Input,
    /// The `tags` of an item of the loop around.
    Tags,
    /// The value of a stage that runs in the loop around: none of its items is there where that has none.
    Stage {
        /// The server answers it, or it is put together.
        is_call: bool,
        /// It runs where the index of the loop around modulo this is not 0.
        when: Option<u64>,
    },
}

#[derive(Debug, Clone)]
struct Loop {
    parent: Option<usize>,
    source: Source,
    /// How many items there are, and how many tags each has.
    tags: Vec<u8>,
}

#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is drawn for itself")]
struct Stage {
    innermost: Option<usize>,
    /// Earlier stages by index, and whether it can do without.
    refs: Vec<(usize, bool)>,
    /// Runs where the innermost index modulo this is not 0.
    when: Option<u64>,
    /// Fails where the innermost index is this.
    fails: Option<u64>,
    /// A value stands in for what fails.
    replaced: bool,
    concurrency: u8,
    /// Asks the server, or makes its text itself.
    is_call: bool,
    /// Its text is a field of JSON that it puts together.
    is_value: bool,
    /// Names its own value for the item before.
    previous: bool,
    continues: Continues,
    /// Has a `system` of its own.
    system: bool,
}

/// Which conversation comes first.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Continues {
    Nothing,
    /// That of an earlier stage.
    Stage(usize),
    /// That of the item before.
    Previous,
}

#[derive(Debug, Clone)]
struct Pipeline {
    loops: Vec<Loop>,
    stages: Vec<Stage>,
    /// There is a `system` in the defaults.
    system: bool,
    /// How many items of a loop may be open at once. Most lists are longer.
    window: usize,
    /// So many bytes of values are held in memory, and the others on the disk.
    held_in_memory: usize,
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

    fn yaml(&self, url: &str) -> String {
        let mut yaml = format!(
            "name: random\nproviders:\n  echo: {{kind: openai, base_url: \"{url}\"}}\n\
             defaults: {{provider: echo, model: m, on_error: continue, retry: 1{}}}\ninputs:\n  unused: text\n",
            if self.system { ", text: {system: house}, chat: {system: house}" } else { "" }
        );
        for (ix, _) in self.loops.iter().enumerate().filter(|(_, one)| one.source == Source::Input) {
            writeln!(yaml, "  list{ix}: {{type: items, default: {}}}", Json::Array(self.items(ix))).unwrap();
        }
        yaml.push_str("stages:\n");
        for (ix, one) in self.loops.iter().enumerate() {
            let Source::Stage { is_call, when } = one.source else { continue };
            let list = json!({"list": self.items(ix)});
            let does = if is_call { format!("json: true\n    text: '{list}'") } else { format!("value: {list}") };
            writeln!(yaml, "  made{ix}:\n    {does}").unwrap();
            yaml.push_str(&self.placed(one.parent, when));
        }
        for (ix, stage) in self.stages.iter().enumerate() {
            writeln!(yaml, "  s{ix}:").unwrap();
            if stage.is_call {
                writeln!(yaml, "    concurrency: {}", stage.concurrency).unwrap();
            }
            let text = self.template(ix);
            match stage.continues {
                Continues::Nothing if stage.is_value => {
                    writeln!(yaml, "    value: {{text: \"{text}\", of: [1, \"{{{{unused}}}}\"]}}").unwrap();
                }
                Continues::Nothing => {
                    writeln!(yaml, "    {}: \"{text}\"", if stage.is_call { "text" } else { "render" }).unwrap();
                }
                Continues::Stage(other) => {
                    writeln!(yaml, "    chat: [{{user: \"{text}\"}}]\n    continues: s{other}").unwrap();
                }
                Continues::Previous => {
                    writeln!(yaml, "    chat: [{{user: \"{text}\"}}]\n    continues: previous").unwrap();
                }
            }
            if stage.system {
                writeln!(yaml, "    system: system {ix}").unwrap();
            }
            if stage.replaced {
                let instead = if stage.is_value { format!("{{text: instead{ix}}}") } else { format!("instead{ix}") };
                writeln!(yaml, "    on_error: {{value: {instead}}}").unwrap();
            }
            yaml.push_str(&self.placed(stage.innermost, stage.when));
            let own = self.text_of(ix, &format!("s{ix}"));
            writeln!(yaml, "    save: {{path: s{ix}.jsonl, row: {{value: \"{{{{{own}}}}}\"}}}}").unwrap();
        }
        yaml
    }

    /// Where the text of a stage is, whose value is called `name`.
    fn text_of(&self, ix: usize, name: &str) -> String {
        format!("{name}{}", if self.stages[ix].is_value { ".text" } else { "" })
    }

    /// `for_each` and `when`.
    fn placed(&self, innermost: Option<usize>, when: Option<u64>) -> String {
        let mut yaml = String::new();
        let entries: Vec<String> = self.chain(innermost).iter().map(|at| self.entry(*at)).collect();
        if !entries.is_empty() {
            writeln!(yaml, "    for_each: {{{}}}", entries.join(", ")).unwrap();
        }
        if let (Some(modulo), Some(_)) = (when, innermost) {
            let holds: Vec<String> =
                (0..8).filter(|n| n % modulo != 0).map(|n| format!("(eq loop.index {n})")).collect();
            writeln!(yaml, "    when: or {} false", holds.join(" ")).unwrap();
        }
        yaml
    }

    fn entry(&self, ix: usize) -> String {
        match (self.loops[ix].source, self.loops[ix].parent) {
            (Source::Tags, Some(parent)) => format!("v{ix}: v{parent}.tags"),
            (Source::Stage { .. }, _) => format!("v{ix}: made{ix}.list"),
            _ => format!("v{ix}: list{ix}"),
        }
    }

    /// The items of a loop for one item of the loop around; nothing if there is no list.
    fn list(&self, ix: usize, path: &[u64], items: &[Json]) -> Option<Vec<Json>> {
        match self.loops[ix].source {
            Source::Input => Some(self.items(ix)),
            Source::Tags => items.last()?["tags"].as_array().cloned(),
            Source::Stage { when, .. } => match (path.last(), when) {
                (Some(index), Some(modulo)) if index % modulo == 0 => None,
                _ => Some(self.items(ix)),
            },
        }
    }

    fn template(&self, ix: usize) -> String {
        let stage = &self.stages[ix];
        let mut text = format!("s{ix}(");
        for at in self.chain(stage.innermost) {
            let name = if self.loops[at].source == Source::Tags { format!("v{at}") } else { format!("v{at}.id") };
            write!(text, "{{{{{name}}}}} ").unwrap();
        }
        for (other, optional) in &stage.refs {
            let value = if self.is_value(ix, *other) {
                format!("{{{{{}}}}};", self.text_of(*other, &format!("s{other}")))
            } else {
                format!("{{{{#each s{other}}}}}<{{{{{}}}}}>{{{{/each}}}};", self.text_of(*other, "this"))
            };
            if *optional {
                write!(text, "{{{{#if s{other}}}}}{value}{{{{/if}}}}").unwrap();
            } else {
                text.push_str(&value);
            }
        }
        if stage.previous {
            // As much of it as tells which item it is of.
            let (words, before) = (self.chain(stage.innermost).len(), self.text_of(ix, "previous"));
            write!(text, "{{{{#if previous}}}}~{{{{words {before} {words}}}}}{{{{/if}}}}").unwrap();
        }
        if let (Some(index), Some(at)) = (stage.fails, stage.innermost) {
            let breaks = if stage.is_call { "REFUSE".to_owned() } else { format!("{{{{number v{at}}}}}") };
            write!(text, "{{{{#if (eq loop.index {index})}}}}{breaks}{{{{/if}}}}").unwrap();
        }
        text.push(')');
        text
    }
}

/// What became of an instance, by the plainest reading of the language.
#[derive(Debug, Clone, PartialEq)]
enum Outcome {
    Value(String, Talk),
    Nothing,
}

/// A conversation: its `system`, and who said what.
#[derive(Debug, Clone, Default, PartialEq)]
struct Talk {
    system: Option<String>,
    turns: Vec<(&'static str, String)>,
}

impl Talk {
    /// What the server answers.
    fn answer(&self) -> String {
        let system = self.system.iter().map(|text| ("system", text.clone()));
        answer(&system.chain(self.turns.iter().cloned()).collect::<Vec<_>>())
    }
}

/// The last message, with a digest of all if there are others before it.
fn answer(messages: &[(&str, String)]) -> String {
    let last = messages.last().map_or("", |(_, text)| text);
    if messages.len() == 1 {
        return last.to_owned();
    }
    let all: Vec<String> = messages.iter().map(|(role, text)| format!("{role}: {text}")).collect();
    format!("{last} #{}", &blake3::hash(all.join("\n").as_bytes()).to_hex()[..8])
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
                let list = pipeline.list(*at, &path, &items);
                for (index, item) in (0..).zip(list.unwrap_or_default()) {
                    next.push(([&path[..], &[index]].concat(), [&items[..], &[item]].concat()));
                }
            }
            open = next;
        }
        let mut before: Option<(Vec<u64>, (String, Talk))> = None;
        for (path, items) in open {
            let list = path[..path.len().saturating_sub(1)].to_vec();
            let previous = before.as_ref().filter(|(of, _)| *of == list).map(|(_, previous)| previous);
            let outcome = instance(pipeline, &outcomes, (ix, previous), &path, &items);
            if let Outcome::Value(value, talk) = &outcome {
                before = Some((list, (value.clone(), talk.clone())));
            }
            of_stage.insert(path.clone(), outcome);
        }
        outcomes.push(of_stage);
    }
    outcomes
}

fn instance(
    pipeline: &Pipeline,
    outcomes: &Outcomes,
    (ix, previous): (usize, Option<&(String, Talk)>),
    path: &[u64],
    items: &[Json],
) -> Outcome {
    let stage = &pipeline.stages[ix];
    let before = match stage.continues {
        Continues::Nothing => None,
        Continues::Previous => previous.map(|(_, talk)| talk.clone()),
        Continues::Stage(other) => {
            let len = pipeline.chain(pipeline.stages[other].innermost).len();
            let Outcome::Value(_, talk) = &outcomes[other][&path[..len]] else { return Outcome::Nothing };
            Some(talk.clone())
        }
    };
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
                (Outcome::Value(value, _), _) => write!(text, "{value};").unwrap(),
                (Outcome::Nothing, true) => {}
                (Outcome::Nothing, false) => return Outcome::Nothing,
            }
            continue;
        }
        let shared = mine.iter().zip(&theirs).take_while(|(a, b)| a == b).count();
        // A loop without a list, just under what both share, leaves nothing to collect.
        if pipeline.list(theirs[shared], &path[..shared], &items[..shared]).is_none() {
            if *optional {
                continue;
            }
            return Outcome::Nothing;
        }
        let values: Vec<&String> = outcomes[*other]
            .iter()
            .filter(|(at, _)| at[..shared] == path[..shared])
            .filter_map(|(_, outcome)| if let Outcome::Value(value, _) = outcome { Some(value) } else { None })
            .collect();
        if *optional && values.is_empty() {
            continue;
        }
        for value in values {
            write!(text, "<{value}>").unwrap();
        }
        text.push(';');
    }
    let index = path.last().copied();
    if let (Some(index), Some(modulo)) = (index, stage.when)
        && index % modulo == 0
    {
        return Outcome::Nothing;
    }
    if let (true, Some((value, _))) = (stage.previous, previous) {
        let words: Vec<&str> = value.split_whitespace().take(path.len()).collect();
        write!(text, "~{}", words.join(" ")).unwrap();
    }
    let has_failed = index.is_some() && index == stage.fails;
    if has_failed && !stage.replaced {
        return Outcome::Nothing;
    }
    text.push_str(if has_failed && stage.is_call { "REFUSE)" } else { ")" });
    let mut talk =
        before.unwrap_or_else(|| Talk { system: pipeline.system.then(|| "house".to_owned()), turns: Vec::new() });
    if stage.system {
        talk.system = Some(format!("system {ix}"));
    }
    talk.turns.push(("user", text.clone()));
    let value = match (has_failed, stage.is_call) {
        (true, _) => format!("instead{ix}"),
        (false, true) => talk.answer(),
        (false, false) => text,
    };
    talk.turns.push(("assistant", value.clone()));
    Outcome::Value(value, talk)
}

fn run(pipeline: &Pipeline, folder: &Path) -> Vec<Vec<String>> {
    let server = Server::start(|request| {
        let prompt = request.prompt();
        if prompt.contains("REFUSE") {
            return Reply::error(400, "BAD_REQUEST", "refused");
        }
        let json = request.json();
        let said = json["messages"].as_array().unwrap().iter();
        let text = |part: &Json| part.as_str().unwrap().to_owned();
        let said: Vec<(String, String)> = said.map(|one| (text(&one["role"]), text(&one["content"]))).collect();
        let said: Vec<(&str, String)> = said.iter().map(|(role, text)| (role.as_str(), text.clone())).collect();
        Reply::chat(answer(&said))
    });
    let yaml = pipeline.yaml(&server.url);
    let file = folder.join("random.yaml");
    std::fs::File::create(&file).and_then(|mut open| std::io::Write::write_all(&mut open, yaml.as_bytes())).unwrap();
    let checked = engine::check(&Request { file, to_run: true, ..Request::default() });
    let messages: Vec<String> = checked.diagnostics.iter().map(|one| one.message.clone()).collect();
    let plan = checked.plan.unwrap_or_else(|| panic!("{messages:?}\n{yaml}"));
    let out = folder.join("out");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let finished = runtime.block_on(async {
        let window = NonZeroUsize::new(pipeline.window);
        let held_in_memory = pipeline.held_in_memory;
        let options = RunOptions { out: out.clone(), window, held_in_memory, ..RunOptions::default() };
        let (running, events) = engine::run(plan, options).unwrap();
        drop(events);
        tokio::time::timeout(PATIENCE, running.finish()).await
    });
    let finished =
        finished.unwrap_or_else(|_| panic!("it waits for itself, at {} open items:\n{yaml}", pipeline.window));
    for (name, tally) in &finished.stages {
        assert_eq!(tally.instances, tally.instances_ended(), "{name}: {tally:?}\n{yaml}");
    }
    let rows = |ix: usize| -> Vec<String> {
        // A stage of which nothing came out, and something failed, writes no file.
        let text = std::fs::read_to_string(out.join(format!("s{ix}.jsonl"))).unwrap_or_default();
        text.lines()
            .map(|line| serde_json::from_str::<Json>(line).unwrap()["value"].as_str().unwrap().to_owned())
            .collect()
    };
    (0..pipeline.stages.len()).map(rows).collect()
}

fn pipelines() -> impl Strategy<Value = Pipeline> {
    let when = prop::option::weighted(0.5, 2..4_u64);
    let one = (any::<prop::sample::Index>(), 0..5_u8, when, prop::collection::vec(0..3_u8, 0..6));
    let loops = prop::collection::vec(one, 1..4).prop_map(|drawn| {
        let mut loops: Vec<Loop> = Vec::new();
        for (at, (parent, kind, when, tags)) in drawn.into_iter().enumerate() {
            let parent = (at > 0 && kind > 0).then(|| parent.index(at));
            let source = match kind {
                2 if parent.is_some_and(|parent| loops[parent].source != Source::Tags) => Source::Tags,
                3 | 4 => Source::Stage { is_call: kind == 3, when },
                _ => Source::Input,
            };
            loops.push(Loop { parent, source, tags });
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
            prop::bool::weighted(0.3),
            1..4_u8,
            (any::<bool>(), any::<bool>()),
            (prop::bool::weighted(0.3), 0..4_u8, any::<prop::sample::Index>(), prop::bool::weighted(0.2)),
        );
        let held_in_memory = prop_oneof![Just(0), Just(1000), Just(usize::MAX)];
        let stages = prop::collection::vec(stage, 1..8);
        let drawn = (Just(loops), stages, 1..4_usize, held_in_memory, prop::bool::weighted(0.3));
        drawn.prop_map(|(loops, drawn, window, held_in_memory, system)| {
            let mut pipeline = Pipeline { stages: Vec::new(), loops, system, window, held_in_memory };
            for (at, (innermost, refs, when, fails, replaced, concurrency, (is_call, is_value), talk)) in
                drawn.into_iter().enumerate()
            {
                let mut refs: Vec<(usize, bool)> =
                    refs.into_iter().filter(|_| at > 0).map(|(ix, optional)| (ix.index(at), optional)).collect();
                refs.sort_unstable();
                refs.dedup_by_key(|(ix, _)| *ix);
                let (previous, kind, other, system) = talk;
                let (previous, system) = (previous && innermost.is_some(), system && is_call);
                let continues = Continues::Nothing;
                let is_value = is_value && !is_call;
                let stage = Stage {
                    innermost,
                    refs,
                    when,
                    fails,
                    replaced,
                    concurrency,
                    is_call,
                    is_value,
                    previous,
                    continues,
                    system,
                };
                pipeline.stages.push(stage);
                let is_talk = |ix: &usize| pipeline.stages[*ix].is_call && pipeline.is_value(at, *ix);
                let talks: Vec<usize> = (0..at).filter(is_talk).collect();
                pipeline.stages[at].continues = match kind {
                    1 if is_call && innermost.is_some() => Continues::Previous,
                    2 | 3 if is_call && !talks.is_empty() => Continues::Stage(talks[other.index(talks.len())]),
                    _ => Continues::Nothing,
                };
            }
            pipeline
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 192, failure_persistence: None, max_shrink_time: 120_000, ..ProptestConfig::default()
    })]

    #[test]
    fn every_instance_sees_what_the_language_says(pipeline in pipelines()) {
        let folder = tempfile::tempdir().unwrap();
        let rows = run(&pipeline, folder.path());
        for (ix, of_stage) in interpret(&pipeline).into_iter().enumerate() {
            let expected: Vec<String> = of_stage
                .into_values()
                .filter_map(|outcome| if let Outcome::Value(value, _) = outcome { Some(value) } else { None })
                .collect();
            prop_assert_eq!(&rows[ix], &expected, "s{} of\n{}", ix, pipeline.yaml("URL"));
        }
    }
}
