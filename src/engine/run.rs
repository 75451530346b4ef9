//! A plan is run.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;

use crate::client::{
    Client, Environment, EventStream, Events, Halt, Keep, NothingKept, Prices, Purse, Recording, Replaying, StoreKeep,
};
use crate::exec::{Finished, Fresh, Journal, RunParts, RunTape, execute};
use crate::model::{Failure, FailureKind, Json};
use crate::output::OutputFolder;
use crate::plan::{Input, InputValue, Plan};
use crate::store::{HELD_IN_MEMORY, NewRun, NewTape, RunId, Store, Tape, Used};

use super::fallbacks::without_key;
use super::money::{KnownPrices, refuse_unpriced};
use super::providers::{identities, members};

/// Events that may lie unread before whoever tells them has to wait.
const UNREAD: usize = 4096;

/// How a plan is run.
#[derive(Debug)]
pub struct RunOptions {
    /// The output folder; it is made if it is not there.
    pub out: PathBuf,
    /// At most so many requests on the wire, over all providers.
    pub concurrency: Option<u32>,
    /// Whether text is told of as it comes.
    pub stream: bool,
    /// What calls cost, as [`prices`](super::prices) finds out; without it, as far as that is known without asking.
    pub prices: Option<KnownPrices>,
    /// Whether calls without a known price are made although the cost is limited.
    pub allow_unpriced: bool,
    /// How many items of a loop may be open at once, that is read and not at their end in every stage. Without it there
    /// are 1024, or eight times the largest concurrency of a stage.
    pub window: Option<NonZeroUsize>,
    /// So many bytes of values that are collected, or needed in a later pass, are held in memory; more lie in a file in
    /// the output folder while the run lasts. With 0 all do.
    pub held_in_memory: usize,
    /// Where answers are kept, and used again; without it nothing is kept.
    pub store: Option<Kept>,
    /// Which calls are made anew, though an answer is kept.
    pub fresh: Fresh,
    /// The tape that it is recorded on, or that answers it, if there is one.
    pub tape: Option<TapeUse>,
    /// A file that is read in place of standard input.
    pub stdin: Option<PathBuf>,
}

/// What a tape is used for.
#[derive(Debug)]
pub enum TapeUse {
    /// What the run uses is put on it: answers that were kept, and those that come.
    Record(NewTape),
    /// It answers, and nothing else does: no store is read or written, nothing is sent.
    Replay(Tape),
}

/// Where a run is written down.
#[derive(Debug, Clone)]
pub struct Kept {
    /// The store.
    pub store: Store,
    /// The first run of the line that this one goes on with, if it does: they share a budget, and `--fresh`.
    pub goes_on: Option<RunId>,
    /// What it takes to run it again, for whoever wants to.
    pub about: Json,
}

impl Default for RunOptions {
    fn default() -> Self {
        Self {
            out: PathBuf::from("out"),
            concurrency: None,
            stream: false,
            prices: None,
            allow_unpriced: false,
            window: None,
            held_in_memory: HELD_IN_MEMORY,
            store: None,
            fresh: Fresh::default(),
            tape: None,
            stdin: None,
        }
    }
}

/// A run that is ready to go. It goes while [`Running::finish`] is awaited.
#[derive(Debug)]
pub struct Running {
    parts: RunParts,
    halt: Halt,
}

impl Running {
    /// The brake of this run.
    pub fn halt(&self) -> Halt {
        self.halt.clone()
    }

    /// The run's own name.
    pub fn id(&self) -> &str {
        &self.parts.id
    }

    /// Runs to the end. Its events must be read meanwhile, or their stream dropped. Dropping this future drops what is
    /// in flight. It may be moved to another thread meanwhile, as the handlers of web servers are.
    pub async fn finish(self) -> Finished {
        // It has the state of the whole run in it, which would lie in the future of every caller.
        Box::pin(execute(self.parts)).await
    }
}

/// Makes a plan ready to run: the output folder is opened and locked, providers are made.
///
/// # Errors
/// An input has no value, the cost is limited and a model has no known price, the output folder can't be had, or a provider can't be spoken to as it is described.
pub fn run(plan: Arc<Plan>, options: RunOptions) -> Result<(Running, EventStream), Failure> {
    refuse_missing(&plan)?;
    let RunOptions { out, concurrency, stream: show, prices, allow_unpriced, .. } = options;
    let RunOptions { window, held_in_memory, store, fresh, tape, stdin, .. } = options;
    let id: Arc<str> = new_id().into();
    let unwritable = |message: String| Failure::new(FailureKind::Output, message);
    let folder = OutputFolder::open(&out, &id).map_err(|error| unwritable(error.to_string()))?;
    let members = members(&plan.providers)?;
    let providers = identities(&members);
    let KnownPrices { prices, mut warnings } =
        prices.unwrap_or_else(|| KnownPrices { prices: Prices::of(&members), warnings: Vec::new() });
    // What is replayed costs nothing.
    let is_replayed = matches!(tape, Some(TapeUse::Replay(_)));
    let allow_unpriced = allow_unpriced || is_replayed;
    if !is_replayed {
        warnings.extend(without_key(&plan, &members, &Environment::process()));
    }
    if !allow_unpriced {
        refuse_unpriced(&plan, &prices, |name| providers.get(name))?;
    }
    let used = match &store {
        Some(Kept { store, goes_on: Some(root), .. }) => store.used(*root)?,
        _ => Used::default(),
    };
    let purse = Purse::new(prices, plan.budget, used.spent, allow_unpriced);
    let (events, stream) = Events::channel(UNREAD);
    let halt = Halt::new();
    let (keep, journal, tape) = keeping(&plan, &id, store, tape)?;
    let client = Client::new(members, concurrency, keep, events, halt.clone()).with_purse(purse);
    let time_used = used.time;
    let parts = RunParts {
        plan,
        client,
        providers,
        folder,
        id,
        show,
        fresh,
        journal,
        tape,
        time_used,
        window,
        warnings,
        held_in_memory,
        stdin,
    };
    Ok((Running { parts, halt }, stream))
}

/// Where answers are kept and come from, what writes the run down, and its tape.
type Keeping = (Arc<dyn Keep>, Option<Journal>, Option<RunTape>);

fn keeping(plan: &Plan, id: &str, store: Option<Kept>, tape: Option<TapeUse>) -> Result<Keeping, Failure> {
    Ok(match tape {
        Some(TapeUse::Replay(tape)) => {
            let name = tape.path().display().to_string().into();
            (Arc::new(Replaying::new(tape)), None, Some(RunTape::Replayed(name)))
        }
        Some(TapeUse::Record(tape)) => {
            let (keep, journal) = begin(plan, id, store)?;
            let tape = Arc::new(tape);
            (Arc::new(Recording::new(keep, tape.clone())), journal, Some(RunTape::Recorded(tape)))
        }
        None => {
            let (keep, journal) = begin(plan, id, store)?;
            (keep, journal, None)
        }
    })
}

/// Writes down that the run begins.
fn begin(plan: &Plan, id: &str, kept: Option<Kept>) -> Result<(Arc<dyn Keep>, Option<Journal>), Failure> {
    let Some(Kept { store, goes_on, about }) = kept else { return Ok((Arc::new(NothingKept), None)) };
    let lock = store.lock(id)?;
    let (name, pipeline) = (id.to_owned(), plan.name.to_string());
    let run = store.begin(NewRun { name, goes_on, pipeline, began: Timestamp::now(), about })?;
    let keep = StoreKeep::new(store.clone(), run, goes_on.unwrap_or(run));
    Ok((Arc::new(keep), Some(Journal::new(store, (run, id.into()), lock))))
}

/// A plan that was checked without being meant to run may lack inputs.
fn refuse_missing(plan: &Plan) -> Result<(), Failure> {
    match plan.inputs.iter().find(|input| matches!(input.value, InputValue::Missing)) {
        None => Ok(()),
        Some(Input { name, .. }) => {
            let message = format!("the input `{name}` has no value");
            Err(Failure::new(FailureKind::BadRequest, message).suggest("give it one, and check the file to be run"))
        }
    }
}

/// A name that sorts by time, and that no other run has.
fn new_id() -> String {
    let now = jiff::Timestamp::now().strftime("%Y%m%d-%H%M%S").to_string();
    let tail: String = std::iter::repeat_with(fastrand::alphanumeric).map(|c| c.to_ascii_lowercase()).take(4).collect();
    format!("{now}-{tail}")
}
