//! A run from its first to its last event: streams are built as named values, then awaited in one loop.

use std::collections::HashMap;
use std::future::poll_fn;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::stream::{BoxStream, SelectAll, select_all};
use futures::{FutureExt, StreamExt};
use tokio::time::Instant;
use tokio_util::task::{AbortOnDropHandle, TaskTracker};

use crate::client::{Client, Events, Halt, HaltReason, RateGate, Slot};
use crate::model::{EventKind, Failure, FailureKind, JsonMap, ProviderIdentity, RunOutcome, StageTally};
use crate::output::OutputFolder;
use crate::plan::{Plan, StageIx};
use crate::store::Held;

use super::asks::Asks;
use super::context::Fixed;
use super::early::fail_early;
use super::fresh::{Fresh, FreshWish};
use super::frontier::Frontier;
use super::instance::{Env, run};
use super::job::{Job, Outcome, Returned, Spent};
use super::journal::Journal;
use super::lists::Stdin;
use super::outputs::{Output, gather};
use super::pictures::Gallery;
use super::queue::{ReadyQueue, ReadyStream};
use super::rows::RowFiles;
use super::settle::Ending;
use super::tape::RunTape;

/// Items opened at a time, before what has come back is looked at; and as many that have come back are settled at a time.
const BATCH: usize = 64;
/// How long whoever is dropped has to write down what it had sent.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// What a run is made of.
#[derive(Debug)]
pub struct RunParts {
    /// What runs.
    pub plan: Arc<Plan>,
    /// Who asks, tells what happens, and can be stopped.
    pub client: Client,
    /// What of each provider is part of a call's key, by its name.
    pub providers: HashMap<String, ProviderIdentity>,
    /// Where files go.
    pub folder: OutputFolder,
    /// The run's own name.
    pub id: Arc<str>,
    /// Whether text is shown as it comes.
    pub show: bool,
    /// Which calls are made anew, though an answer is kept.
    pub fresh: Fresh,
    /// Where the run is written down, if it is.
    pub journal: Option<Journal>,
    /// The tape that it is recorded on, or that answers it, if there is one.
    pub tape: Option<RunTape>,
    /// How much of the time that the plan allows is gone, since the run goes on with others.
    pub time_used: Duration,
    /// How many items of a loop may be open at once, if not as many as usual.
    pub window: Option<NonZeroUsize>,
    /// What is to be told when it begins, a sentence each.
    pub warnings: Vec<String>,
    /// So many bytes of values that are reached from afar are held in memory, and more beside the outputs.
    pub held_in_memory: usize,
    /// What is read in place of standard input: what an earlier run has kept of it.
    pub stdin: Option<PathBuf>,
}

/// How a run ended.
#[derive(Debug)]
pub struct Finished {
    /// The worst of what happened.
    pub outcome: RunOutcome,
    /// What the pipeline returns, as far as it is there.
    pub outputs: Vec<Output>,
    /// What became of each stage that runs, in file order.
    pub stages: Vec<(Arc<str>, StageTally)>,
}

/// Runs a plan to its end. Dropping the future drops what is in flight.
pub async fn execute(parts: RunParts) -> Finished {
    let start = Instant::now();
    let RunParts { plan, client, providers, folder, id, show, fresh, journal, tape, time_used, .. } = parts;
    let (window, held_in_memory, warnings, stdin) = (parts.window, parts.held_in_memory, parts.warnings, parts.stdin);
    let (events, halt) = (client.events().clone(), client.halt().clone());
    announce(&plan, &events, &id, (journal.as_ref(), tape.as_ref())).await;
    for message in warnings {
        events.emit(EventKind::Warning { message }).await;
    }
    // Beside the outputs, where there is room for what is read: a folder for temporary files may lie in memory.
    let copy = folder.scratch("stdin");
    let kept = journal.as_ref().map(|journal| Stdin::kept(journal.stdin()));
    let stdin = kept.unwrap_or_else(|| Stdin::new(copy.path().to_owned())).instead(stdin);
    let file = folder.scratch("held");
    let held = Arc::new(Held::new(file.path().to_owned(), held_in_memory));
    let fixed = tokio::select! {
        fixed = Fixed::read(&plan, &id, &stdin) => fixed.map_err(Some),
        // Whoever waits for standard input may wait forever.
        () = halt.draining() => Err(None),
    };
    let fixed = match fixed {
        Ok(fixed) => fixed,
        Err(wrong) => return fail_early(&plan, (&events, &halt, journal), wrong, start).await,
    };
    let rates = plan.stages.iter().map(|stage| stage.rate.map(|rate| Arc::new(RateGate::new(rate)))).collect();
    let env = Arc::new(Env {
        plan: plan.clone(),
        asks: Asks::Providers(client),
        folder: Some(folder.clone()),
        events,
        halt,
        providers,
        fixed,
        rates,
        show,
        gallery: Some(Gallery::Folder(folder.clone())),
        fresh: FreshWish::new(fresh),
        told_empty: Mutex::default(),
    });

    let (queues, streams): (Vec<ReadyQueue>, Vec<ReadyStream>) =
        plan.stages.iter().map(|stage| ReadyQueue::new(stage.concurrency, stage.waves)).unzip();
    let tracker = TaskTracker::new();
    let flow = flow(&env, &tracker, streams);
    let frontier = Frontier::new(plan.clone(), queues, stdin, &held, window);
    let rows = RowFiles::default();
    let deadline = plan.deadline.map(|after| start + after.saturating_sub(time_used));
    let (ending, was_interrupted) = (None, false);
    let mut going = Run { env: env.clone(), folder, frontier, journal, tape, rows, deadline, ending, was_interrupted };
    going.open_row_files();
    going.go(flow).await;
    tracker.close();
    tracker.wait().await;
    going.finish(start).await
}

async fn announce(plan: &Plan, events: &Events, id: &Arc<str>, (journal, tape): (Option<&Journal>, Option<&RunTape>)) {
    let (run, pipeline, store) = (id.clone(), plan.name.clone(), journal.map(Journal::place));
    let (record, replay) = (tape.and_then(RunTape::recorded), tape.and_then(RunTape::replayed));
    events.emit(EventKind::RunStarted { run, pipeline, store, record, replay }).await;
    for (ix, stage) in plan.stage_ixs().filter(|(ix, _)| plan.runs(*ix)) {
        let instances = plan.known_instances(plan.stage(ix));
        events.emit(EventKind::StagePlanned { stage: stage.name.clone(), kind: stage.kind, instances }).await;
    }
}

/// One buffered stream for each stage, all as one. What a buffer holds is the handle of a spawned task, never the
/// request itself: a buffered future is not polled while its consumer is busy, and its clocks would lie. A stage has as many
/// slots as it may have in flight, and as many items again may be waiting for the disk.
fn flow(env: &Arc<Env>, tracker: &TaskTracker, streams: Vec<ReadyStream>) -> SelectAll<BoxStream<'static, Returned>> {
    let stages = streams.into_iter().enumerate().map(|(ix, ready)| {
        let (env, tracker) = (env.clone(), tracker.clone());
        let concurrency = env.plan.stages[ix].concurrency;
        let spawn = move |(slot, job): (Arc<Slot>, Box<Job>)| {
            let (stage, instance, item) = (job.stage, job.instance, job.item.clone());
            let task = AbortOnDropHandle::new(tracker.spawn(run(env.clone(), job, slot)));
            task.map(move |joined| joined.unwrap_or_else(|_| Returned { stage, instance, item, outcome: panicked() }))
        };
        ready.map(spawn).buffer_unordered(concurrency.saturating_mul(2)).boxed()
    });
    select_all(stages)
}

fn panicked() -> Outcome {
    let failure = Failure::new(FailureKind::Internal, "a task of this program panicked").suggest("please report it");
    Outcome::Failed { failure, spent: Spent::default() }
}

pub(super) fn interrupted(halt: &Halt) -> Option<RunOutcome> {
    match halt.reason()? {
        HaltReason::Interrupted => Some(RunOutcome::Interrupted { terminated: false }),
        HaltReason::Terminated => Some(RunOutcome::Interrupted { terminated: true }),
        HaltReason::Stopped(_) => None,
    }
}

/// What comes next in the loop.
#[expect(clippy::large_enum_variant, reason = "there is one at a time, and most are large")]
enum Step {
    Returned(Option<Returned>),
    ReadMore,
    Halted,
    /// By somebody outside, maybe while the run was ending for a reason of its own.
    Interrupted,
    Aborted,
    TimeIsUp,
}

struct Run {
    env: Arc<Env>,
    folder: OutputFolder,
    frontier: Frontier,
    journal: Option<Journal>,
    tape: Option<RunTape>,
    rows: RowFiles,
    /// When its time is up.
    deadline: Option<Instant>,
    ending: Option<Ending>,
    was_interrupted: bool,
}

impl Run {
    fn open_row_files(&mut self) {
        let plan = &self.env.plan;
        let path = |ix: StageIx| {
            let save = plan.stage(ix).save.as_ref().filter(|save| save.path.is_constant())?;
            save.path.render(&JsonMap::new().into()).ok()
        };
        match RowFiles::open(plan, &self.folder, &path) {
            Ok(rows) => self.rows = rows,
            Err(failure) => self.end(Ending::unwritable(failure)),
        }
    }

    async fn go(&mut self, mut flow: SelectAll<BoxStream<'static, Returned>>) {
        if self.ending.is_none() {
            self.frontier.start();
        }
        self.follow_up().await;
        loop {
            let halt = &self.env.halt;
            let (is_halted, is_stopped) = (halt.is_draining(), self.frontier.is_stopped);
            let step = tokio::select! {
                biased;
                () = halt.aborting() => Step::Aborted,
                () = halt.interrupted(), if !self.was_interrupted => Step::Interrupted,
                () = halt.draining(), if !is_stopped => Step::Halted,
                () = until(self.deadline), if !is_halted => Step::TimeIsUp,
                returned = flow.next() => Step::Returned(returned),
                () = poll_fn(|cx| self.frontier.read(cx, BATCH)), if !is_stopped => Step::ReadMore,
            };
            match step {
                Step::Aborted | Step::Returned(None) => break,
                Step::Halted | Step::Interrupted => {
                    self.was_interrupted |= matches!(step, Step::Interrupted);
                    self.frontier.stop();
                    let reason = self.env.halt.reason().as_ref().map(HaltReason::notice).unwrap_or_default();
                    self.env.events.emit(EventKind::Stopping { reason }).await;
                }
                Step::TimeIsUp => self.end(Ending::out_of_time()),
                Step::Returned(Some(returned)) => {
                    // With all that have come back meanwhile. They are taken first: what becomes ready by one of them
                    // starts after that was told.
                    let more = std::iter::from_fn(|| flow.next().now_or_never().flatten());
                    let more: Vec<Returned> = more.take(BATCH).collect();
                    for returned in std::iter::once(returned).chain(more) {
                        if let Some(ending) = self.frontier.settle(returned) {
                            self.end(ending);
                        }
                    }
                }
                Step::ReadMore => {}
            }
            self.follow_up().await;
        }
        // Whoever had something on the wire writes down that it was sent: it may be paid for.
        if self.env.halt.is_aborting() {
            let ended = async { while flow.next().await.is_some() {} };
            tokio::time::timeout(LAST_WORDS, ended).await.ok();
        }
    }

    /// Hands out what has happened: events, rows, the end.
    async fn follow_up(&mut self) {
        if let Some(ending) = self.frontier.broken_lists() {
            self.end(ending);
        }
        if let Some(failure) = self.frontier.unheld.take() {
            self.end(Ending::unwritable(failure));
        }
        for event in std::mem::take(&mut self.frontier.outbox) {
            if let Some(journal) = &mut self.journal {
                journal.note(&event).await;
            }
            self.env.events.emit(event).await;
        }
        for (stage, row) in std::mem::take(&mut self.frontier.rows_out) {
            if let Err(failure) = self.rows.write(&self.env.plan, &self.folder, stage, row) {
                self.end(Ending::unwritable(failure));
            }
        }
        if self.frontier.is_over && !self.frontier.is_stopped {
            self.frontier.stop();
        }
    }

    /// Ends the run: what is on the wire finishes, nothing else is sent. The first reason is told, the worst counts.
    fn end(&mut self, ending: Ending) {
        self.env.halt.drain(HaltReason::Stopped(ending.reason.as_str().into()));
        self.ending = Some(match self.ending.take() {
            Some(known) => Ending { outcome: known.outcome.or_worse(ending.outcome), ..known },
            None => ending,
        });
    }

    async fn finish(mut self, start: Instant) -> Finished {
        let plan = self.env.plan.clone();
        let mut unwritten = None;
        for (stage, row) in self.frontier.rows_left() {
            if let Err(failure) = self.rows.write(&plan, &self.folder, stage, row) {
                unwritten = Some(failure);
            }
        }
        let rows = std::mem::take(&mut self.rows);
        // Nothing came out, and nothing was to.
        let is_empty =
            |tally: StageTally| tally.not_started == 0 && tally.failed == 0 && tally.skipped_after_failure == 0;
        let (saved, failure) = rows.finish(&plan, |ix| is_empty(self.tally(ix))).await;
        for event in saved {
            self.env.events.emit(event).await;
        }
        let folder = self.folder.finish().await.err().map(|error| Failure::new(FailureKind::Output, error.to_string()));
        let stages = self.stages();
        let (outputs, unread) = gather(&mut self.frontier, &self.env.fixed).await;
        // A run that has seen everything knows whether an item was named that is not there.
        if self.ending.is_none() && !self.env.halt.is_draining() {
            self.env.fresh.tell_unmet(&self.env.events).await;
        }
        let mut outcome = self.outcome(&stages, unwritten.or(failure).or(folder).or(unread));
        if let Some(tape) = &self.tape
            && let Err(failure) = tape.end().await
        {
            outcome = outcome.or_worse(RunOutcome::Unwritable { failure });
        }
        if let Some(journal) = &self.journal
            && let Err(failure) = journal.end(&outcome, &stages).await
        {
            outcome = outcome.or_worse(RunOutcome::Unwritable { failure });
        }
        let took: Duration = start.elapsed();
        self.env.events.emit(EventKind::RunFinished { outcome: outcome.clone(), stages: stages.clone(), took }).await;
        Finished { outcome, outputs, stages }
    }

    fn stages(&self) -> Vec<(Arc<str>, StageTally)> {
        let plan = &self.env.plan;
        let running = plan.stage_ixs().filter(|(ix, _)| plan.runs(*ix));
        running.map(|(ix, stage)| (stage.name.clone(), self.tally(ix))).collect()
    }

    fn tally(&self, ix: StageIx) -> StageTally {
        let mut tally = self.frontier.tallies[ix.0];
        let known = self.env.plan.known_instances(self.env.plan.stage(ix));
        tally.instances = tally.instances.max(known.unwrap_or(0));
        tally.not_started = tally.instances.saturating_sub(tally.instances_ended());
        tally
    }

    /// The worst that holds, as [`RunOutcome::or_worse`] ranks them.
    fn outcome(&self, stages: &[(Arc<str>, StageTally)], unwritten: Option<Failure>) -> RunOutcome {
        let has_failed = stages.iter().any(|(_, tally)| tally.failed > 0);
        let counted = if has_failed { RunOutcome::Failed } else { RunOutcome::Done };
        let ending = self.ending.as_ref().map(|ending| ending.outcome.clone());
        let unwritable = unwritten.map(|failure| RunOutcome::Unwritable { failure });
        [ending, unwritable, interrupted(&self.env.halt)].into_iter().flatten().fold(counted, RunOutcome::or_worse)
    }
}

async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}
