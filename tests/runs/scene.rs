//! A pipeline in a folder of its own, run through the library, and all that came of it.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use blossom_run::engine::{self, EventStream, Finished, Request, RunOptions, Running};
use blossom_run::model::{EventKind, Failure, ItemRef, Json, RunOutcome, SkipReason, StageTally};
use futures::StreamExt;
use tempfile::TempDir;
use tokio::sync::watch;

use crate::support::server::{self, Gate, Reply, Server};

/// A test that waits for what never comes fails after this, instead of hanging.
const PATIENCE: Duration = Duration::from_secs(60);

/// A pipeline that is about to run.
pub(crate) struct Scene {
    folder: TempDir,
    providers: String,
    defaults: String,
    body: String,
    options: RunOptions,
}

/// A run that is ready to go.
pub(crate) struct Going {
    folder: TempDir,
    running: Running,
    events: EventStream,
    told: Told,
}

/// What has been told so far, for steps that wait for it.
#[derive(Clone)]
pub(crate) struct Told {
    events: Arc<Mutex<Vec<EventKind>>>,
    count: Arc<watch::Sender<usize>>,
}

/// What a run came to.
pub(crate) struct Ran {
    folder: TempDir,
    pub(crate) outcome: RunOutcome,
    pub(crate) events: Vec<EventKind>,
    stages: BTreeMap<String, StageTally>,
    outputs: BTreeMap<String, Json>,
}

/// Gives each prompt back.
pub(crate) fn echo() -> Server {
    Server::start(|request| Reply::chat(request.prompt()))
}

/// Gives each prompt back, one of them only when the gate opens.
pub(crate) fn echo_holding(prompt: &'static str, gate: &Gate) -> Server {
    let gate = gate.clone();
    Server::start(move |request| {
        let reply = Reply::chat(request.prompt());
        if request.prompt() == prompt { reply.held_by(&gate) } else { reply }
    })
}

/// Returns once this has been asked.
pub(crate) async fn asked(server: &Server, prompt: &str) {
    loop {
        // Counted before it is looked for: what comes in between ends the waiting.
        let seen = server.requests().len();
        if server.count(prompt) > 0 {
            return;
        }
        server.arrived(seen + 1).await;
    }
}

/// All prompts so far, sorted.
pub(crate) fn prompts(server: &Server) -> Vec<String> {
    let mut prompts: Vec<String> = server.requests().iter().map(server::Request::prompt).collect();
    prompts.sort();
    prompts
}

/// Gives up on what never comes.
pub(crate) async fn patiently<T>(future: impl Future<Output = T>) -> T {
    // The clock of the test itself may be paused, so that it can't say how long this has taken.
    let (over, expired) = std::sync::mpsc::channel::<()>();
    let alarm = Gate::new();
    let ringing = alarm.clone();
    std::thread::spawn(move || {
        if expired.recv_timeout(PATIENCE).is_err_and(|error| error == std::sync::mpsc::RecvTimeoutError::Timeout) {
            ringing.open();
        }
    });
    let value = tokio::select! {
        value = future => value,
        () = alarm.passed() => panic!("what this waits for never comes"),
    };
    drop(over);
    value
}

impl Scene {
    /// A pipeline whose stages ask `server`, and try thrice with hardly a pause. The body is indented as the test is.
    pub(crate) fn new(server: &Server, body: &str) -> Self {
        let mut scene = Self::offline("", body);
        scene.providers = format!("test: {{kind: openai, base_url: \"{}\"", server.url);
        "provider: test, model: m, retry: {attempts: 3, backoff: 1ms, max_backoff: 1ms}"
            .clone_into(&mut scene.defaults);
        scene
    }

    /// A pipeline whose stages ask the provider that is built in, which behaves in this `manner`.
    pub(crate) fn offline(manner: &str, body: &str) -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            providers: format!("test: {{kind: offline{manner}"),
            defaults: "provider: test".to_owned(),
            body: dedent(body),
            options: RunOptions::default(),
        }
    }

    /// More settings of the provider.
    pub(crate) fn provider(mut self, settings: &str) -> Self {
        self.providers.push_str(", ");
        self.providers.push_str(settings);
        self
    }

    /// More defaults.
    pub(crate) fn defaults(mut self, defaults: &str) -> Self {
        self.defaults.push_str(", ");
        self.defaults.push_str(defaults);
        self
    }

    /// A file beside the pipeline's.
    pub(crate) fn file(self, path: &str, content: impl AsRef<[u8]>) -> Self {
        write(&self.folder.path().join(path), content.as_ref());
        self
    }

    /// `--concurrency`.
    pub(crate) fn concurrency(mut self, ceiling: u32) -> Self {
        self.options.concurrency = Some(ceiling);
        self
    }

    /// How many items of a loop may be open at once.
    pub(crate) fn window(mut self, items: usize) -> Self {
        self.options.window = NonZeroUsize::new(items);
        self
    }

    /// So many bytes of values that are reached from afar are held in memory.
    pub(crate) fn held_in_memory(mut self, bytes: usize) -> Self {
        self.options.held_in_memory = bytes;
        self
    }

    fn yaml(&self) -> String {
        let Self { providers, defaults, body, .. } = self;
        format!("name: scene\nproviders:\n  {providers}}}\ndefaults: {{{defaults}}}\n{body}")
    }

    /// Checks the pipeline, and makes it ready to go.
    pub(crate) fn start(self) -> Going {
        let yaml = self.yaml();
        let file = self.folder.path().join("scene.yaml");
        write(&file, yaml.as_bytes());
        let checked = engine::check(&Request { file, to_run: true, ..Request::default() });
        let messages: Vec<String> = checked.diagnostics.iter().map(|one| one.message.clone()).collect();
        let plan = checked.plan.unwrap_or_else(|| panic!("{messages:#?}\n{yaml}"));
        let options = RunOptions { out: self.folder.path().join("out"), ..self.options };
        let (running, events) = engine::run(plan, options).unwrap();
        Going { folder: self.folder, running, events, told: Told::new() }
    }

    /// Runs it to the end while `steps` are taken.
    pub(crate) async fn play(self, steps: impl Future<Output = ()>) -> Ran {
        self.start().play(steps).await
    }

    /// Runs it to the end.
    pub(crate) async fn run(self) -> Ran {
        self.play(async {}).await
    }
}

impl Going {
    /// The run's own name.
    pub(crate) fn id(&self) -> &str {
        self.running.id()
    }

    /// The output folder.
    pub(crate) fn out(&self) -> PathBuf {
        self.folder.path().join("out")
    }

    /// What is told, as it is told.
    pub(crate) fn told(&self) -> Told {
        self.told.clone()
    }

    /// Runs to the end while `steps` are taken.
    pub(crate) async fn play(self, steps: impl Future<Output = ()>) -> Ran {
        let Self { folder, running, events, told } = self;
        let listen = events.for_each(async |event| told.add(event.kind));
        let (finished, (), ()) = patiently(async { tokio::join!(running.finish(), listen, steps) }).await;
        Ran::new(folder, finished, std::mem::take(&mut *told.events.lock().unwrap()))
    }
}

impl Told {
    fn new() -> Self {
        Self { events: Arc::default(), count: Arc::new(watch::Sender::new(0)) }
    }

    fn add(&self, kind: EventKind) {
        self.events.lock().unwrap().push(kind);
        self.count.send_modify(|count| *count += 1);
    }

    /// Returns once so many events of this kind have been told.
    pub(crate) async fn until(&self, count: usize, is: impl Fn(&EventKind) -> bool) {
        let enough = |_: &usize| self.events.lock().unwrap().iter().filter(|kind| is(kind)).count() >= count;
        self.count.subscribe().wait_for(enough).await.unwrap();
    }

    /// Returns once so many instances have come out.
    pub(crate) async fn done(&self, count: usize) {
        self.until(count, |kind| matches!(kind, EventKind::Done { .. })).await;
    }
}

impl Ran {
    fn new(folder: TempDir, finished: Finished, events: Vec<EventKind>) -> Self {
        for (name, tally) in &finished.stages {
            let ended = tally.instances_ended() + tally.not_started;
            assert_eq!(tally.instances, ended, "`{name}` has instances of which nothing became: {tally:?}");
        }
        let Some(EventKind::RunFinished { outcome, stages, .. }) = events.last() else {
            panic!("the last event is another: {:?}", events.last());
        };
        assert_eq!((outcome, stages), (&finished.outcome, &finished.stages), "the last event says how it ended");
        Self {
            folder,
            events,
            outcome: finished.outcome,
            stages: finished.stages.into_iter().map(|(name, tally)| (name.to_string(), tally)).collect(),
            outputs: finished.outputs.into_iter().map(|output| (output.name, output.value)).collect(),
        }
    }

    /// It came to its end, and everything came out, was replaced or was skipped.
    #[track_caller]
    pub(crate) fn is_done(self) -> Self {
        assert_eq!(self.outcome, RunOutcome::Done, "{:#?}", self.failures());
        self
    }

    /// It ended since items failed.
    #[track_caller]
    pub(crate) fn has_failed(self) -> Self {
        assert_eq!(self.outcome, RunOutcome::Failed, "{:#?}", self.failures());
        self
    }

    /// What stands in the way.
    #[track_caller]
    pub(crate) fn blocked_by(&self) -> &Failure {
        match &self.outcome {
            RunOutcome::Blocked { failure } => failure,
            other => panic!("{other:?}"),
        }
    }

    /// What became of a stage's instances.
    pub(crate) fn tally(&self, stage: &str) -> StageTally {
        self.stages[stage]
    }

    /// The same in words, what is zero left out.
    pub(crate) fn counts(&self, stage: &str) -> String {
        let StageTally { instances, done, reused, replaced, skipped, skipped_after_failure, failed, not_started } =
            self.tally(stage);
        let parts = [
            (done, "done"),
            (reused, "reused"),
            (replaced, "replaced"),
            (skipped, "skipped"),
            (skipped_after_failure, "skipped after failure"),
            (failed, "failed"),
            (not_started, "not started"),
        ];
        let parts: Vec<String> =
            parts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
        format!("{instances}: {}", parts.join(", "))
    }

    /// What the pipeline returns under this name.
    pub(crate) fn output(&self, name: &str) -> &Json {
        &self.outputs[name]
    }

    /// Items that failed, and why.
    pub(crate) fn failures(&self) -> Vec<(String, String)> {
        let failed = self.events.iter().filter_map(|kind| match kind {
            EventKind::Failed { item, failure, .. } => Some((name(item), failure.message.clone())),
            _ => None,
        });
        failed.collect()
    }

    /// Items that were skipped, and why: `when`, `absent NAME`, `failed NAME`.
    pub(crate) fn skipped(&self) -> Vec<(String, String)> {
        let skipped = self.events.iter().filter_map(|kind| match kind {
            EventKind::Skipped { item, reason } => Some((name(item), why(reason))),
            _ => None,
        });
        let mut skipped: Vec<_> = skipped.collect();
        skipped.sort();
        skipped
    }

    /// Why the run stopped before its end.
    pub(crate) fn stopping(&self) -> Option<&str> {
        self.events.iter().find_map(|kind| match kind {
            EventKind::Stopping { reason } => Some(reason.as_str()),
            _ => None,
        })
    }

    /// How long it took, by the clock of the test.
    pub(crate) fn took(&self) -> Duration {
        match self.events.last() {
            Some(EventKind::RunFinished { took, .. }) => *took,
            other => panic!("{other:?}"),
        }
    }

    /// The output folder.
    pub(crate) fn out(&self) -> PathBuf {
        self.folder.path().join("out")
    }

    /// The text of a file in it.
    #[track_caller]
    pub(crate) fn text(&self, path: &str) -> String {
        fs::read_to_string(self.out().join(path)).unwrap_or_else(|error| panic!("{path}: {error}: {:?}", self.files()))
    }

    /// The bytes of a file in it.
    #[track_caller]
    pub(crate) fn bytes(&self, path: &str) -> Vec<u8> {
        fs::read(self.out().join(path)).unwrap_or_else(|error| panic!("{path}: {error}: {:?}", self.files()))
    }

    /// The rows of a file in it.
    #[track_caller]
    pub(crate) fn rows(&self, path: &str) -> Vec<Json> {
        self.text(path).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// What a stage that is saved to `STAGE.jsonl` came to, item after item.
    #[track_caller]
    pub(crate) fn values(&self, stage: &str) -> Vec<String> {
        let rows = self.rows(&format!("{stage}.jsonl"));
        rows.iter().map(|row| row[stage].as_str().map_or_else(|| row[stage].to_string(), str::to_owned)).collect()
    }

    /// All files of the output folder with `/`, sorted; the lock is none of them.
    pub(crate) fn files(&self) -> Vec<String> {
        files(&self.out())
    }
}

fn name(item: &ItemRef) -> String {
    item.key.as_ref().map_or_else(|| item.stage.to_string(), |key| format!("{}/{key}", item.stage))
}

fn why(reason: &SkipReason) -> String {
    match reason {
        SkipReason::When => "when".to_owned(),
        SkipReason::Absent { stage } => format!("absent {stage}"),
        SkipReason::Failed { stage } => format!("failed {stage}"),
        SkipReason::Unknown { stage } => format!("unknown {stage}"),
    }
}

/// All files under a folder but hidden ones, with `/`, sorted.
pub(crate) fn files(root: &Path) -> Vec<String> {
    let mut files = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else {
                files.push(path.strip_prefix(root).unwrap().to_string_lossy().replace('\\', "/"));
            }
        }
    }
    files.retain(|file| !file.starts_with('.'));
    files.sort();
    files
}

fn write(path: &Path, bytes: &[u8]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::File::create(path).and_then(|mut file| file.write_all(bytes)).unwrap();
}

/// A text without the indentation of the code around it.
pub(crate) fn dedent(text: &str) -> String {
    let lines = || text.lines().filter(|line| !line.trim().is_empty());
    let margin = lines().map(|line| line.len() - line.trim_start().len()).min().unwrap_or(0);
    text.lines().map(|line| line.get(margin..).unwrap_or_default()).fold(String::new(), |text, line| text + line + "\n")
}
