//! A provider that plays by a script, and a client around it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::future::{BoxFuture, FutureExt};
use futures::stream::{self, BoxStream, StreamExt};
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use tokio::time::{Instant, sleep};

use blossom_run::client::{
    Answer, Ask, Client, Environment, EventStream, Events, Halt, Keep, LookUp, Member, NothingKept, Prices, Purse,
    Standing, Terms, Unanswered,
};
use blossom_run::model::{
    AnswerId, AttemptRecord, Budget, Call, CallKey, Choice, Clocks, Content, EventKind, Failure, FailureKind,
    ImageInfo, ItemRef, KeptAnswer, KeySource, MediaType, Message, Order, Picture, Piece, ProviderIdentity,
    ProviderKind, ProviderSettings, Reply, Request, RetryPolicy, Reuse, Role, Spent, TextParams, Usage,
};
use blossom_run::provider::{Attempt, ModelInfo, Provider, RequestView};

pub(crate) const SECOND: Duration = Duration::from_secs(1);

/// What a scripted provider does, one after another; after the last the stream ends.
#[derive(Clone)]
pub(crate) enum Step {
    Wait(Duration),
    Alive,
    Thinking,
    Text(&'static str),
    Whole(Reply),
    Fail(Failure),
    Hang,
}

/// What the script is told of a request.
pub(crate) struct Seen {
    pub(crate) prompt: String,
    pub(crate) number: u32,
    /// How many requests the server has, this one included.
    pub(crate) at_once: u32,
}

/// A request that was sent.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sent {
    pub(crate) prompt: String,
    pub(crate) number: u32,
    pub(crate) after: Duration,
    pub(crate) secret: Option<String>,
    pub(crate) stream: bool,
}

type Script = Box<dyn Fn(&Seen) -> Vec<Step> + Send + Sync>;

pub(crate) struct Scripted {
    identity: ProviderIdentity,
    script: Script,
    pub(crate) ceiling: u32,
    pub(crate) over_all: Option<u32>,
    pub(crate) spacing: Option<Duration>,
    pub(crate) unsupported: Option<Failure>,
    begun: Instant,
    at_once: Arc<AtomicU32>,
    pub(crate) peak: AtomicU32,
    sent: Mutex<Vec<Sent>>,
    pictures: Mutex<Vec<Vec<Picture>>>,
}

impl fmt::Debug for Scripted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Scripted")
    }
}

impl Scripted {
    pub(crate) fn new(script: impl Fn(&Seen) -> Vec<Step> + Send + Sync + 'static) -> Self {
        Self {
            identity: identity(),
            script: Box::new(script),
            ceiling: 8,
            over_all: None,
            spacing: None,
            unsupported: None,
            begun: Instant::now(),
            at_once: Arc::default(),
            peak: AtomicU32::new(0),
            sent: Mutex::default(),
            pictures: Mutex::default(),
        }
    }

    /// A server of which no price is known.
    pub(crate) fn unpriced(script: impl Fn(&Seen) -> Vec<Step> + Send + Sync + 'static) -> Self {
        let identity = ProviderIdentity { kind: ProviderKind::Openai, address: "http://127.0.0.1:1/v1".into() };
        Self { identity, ..Self::new(script) }
    }

    pub(crate) fn sent(&self) -> Vec<Sent> {
        self.sent.lock().unwrap().clone()
    }

    /// The pictures of each request, as they were when it was sent.
    pub(crate) fn pictures(&self) -> Vec<Vec<Picture>> {
        self.pictures.lock().unwrap().clone()
    }

    pub(crate) fn prompts(&self) -> Vec<String> {
        self.sent().into_iter().map(|sent| sent.prompt).collect()
    }

    /// When requests were sent, in milliseconds from the start.
    pub(crate) fn times(&self) -> Vec<u128> {
        self.sent().into_iter().map(|sent| sent.after.as_millis()).collect()
    }

    pub(crate) fn at_once(&self) -> u32 {
        self.at_once.load(SeqCst)
    }
}

/// A request that the server has, until it is dropped.
struct OnWire(Arc<AtomicU32>);

impl Drop for OnWire {
    fn drop(&mut self) {
        self.0.fetch_sub(1, SeqCst);
    }
}

impl Provider for Scripted {
    fn identity(&self) -> &ProviderIdentity {
        &self.identity
    }

    fn ceiling(&self, _secret: Option<&SecretString>) -> u32 {
        self.ceiling
    }

    fn at_once(&self, _secret: Option<&SecretString>) -> Option<u32> {
        self.over_all
    }

    fn spacing(&self, _call: &Call) -> Option<Duration> {
        self.spacing
    }

    fn supports(&self, _call: &Call) -> Result<(), Failure> {
        self.unsupported.clone().map_or(Ok(()), Err)
    }

    fn view(&self, _attempt: Attempt<'_>) -> RequestView {
        RequestView { method: "-", url: String::new(), body: String::new() }
    }

    fn send<'a>(&'a self, attempt: Attempt<'a>) -> BoxStream<'a, Result<Piece, Failure>> {
        let at_once = self.at_once.fetch_add(1, SeqCst) + 1;
        self.peak.fetch_max(at_once, SeqCst);
        let prompt = attempt.call.request.prompt().to_owned();
        self.pictures.lock().unwrap().push(attempt.call.request.pictures().cloned().collect());
        self.sent.lock().unwrap().push(Sent {
            prompt: prompt.clone(),
            number: attempt.number,
            after: self.begun.elapsed(),
            secret: attempt.secret.map(|secret| secret.expose_secret().to_owned()),
            stream: attempt.stream,
        });
        let steps = (self.script)(&Seen { prompt, number: attempt.number, at_once });
        let on_wire = OnWire(Arc::clone(&self.at_once));
        stream::unfold((steps.into_iter(), on_wire), async |(mut steps, on_wire)| {
            loop {
                let piece = match steps.next()? {
                    Step::Wait(time) => {
                        sleep(time).await;
                        continue;
                    }
                    Step::Alive => Ok(Piece::Alive),
                    Step::Thinking => Ok(Piece::Thinking),
                    Step::Text(text) => Ok(Piece::Text(text.to_owned())),
                    Step::Whole(reply) => Ok(Piece::Whole(reply)),
                    Step::Fail(failure) => Err(failure),
                    Step::Hang => std::future::pending().await,
                };
                return Some((piece, (steps, on_wire)));
            }
        })
        .boxed()
    }

    fn models<'a>(&'a self, _secret: Option<&'a SecretString>) -> BoxStream<'a, Result<ModelInfo, Failure>> {
        stream::empty().boxed()
    }
}

pub(crate) fn identity() -> ProviderIdentity {
    ProviderIdentity { kind: ProviderKind::Offline, address: "scripted".into() }
}

pub(crate) fn reply(text: &str) -> Reply {
    Reply {
        content: Content::Text(text.to_owned()),
        usage: Some(Usage { input_tokens: 1, output_tokens: 2, total_tokens: 3 }),
        model: None,
        finish_reason: Some("stop".into()),
        request_id: None,
    }
}

/// The same with a picture.
pub(crate) fn painted(bytes: &[u8]) -> Reply {
    let info = ImageInfo { media_type: MediaType::Png, width: 4, height: 3 };
    Reply { content: Content::Image { bytes: bytes.to_vec().into(), info }, ..reply("") }
}

pub(crate) fn whole(text: &str) -> Step {
    Step::Whole(reply(text))
}

pub(crate) fn fail(kind: FailureKind) -> Step {
    Step::Fail(Failure::new(kind, format!("{kind:?}")))
}

pub(crate) fn refused(after: Option<Duration>) -> Step {
    let failure = Failure::new(FailureKind::RateLimited, "Too many requests");
    Step::Fail(Failure { status: Some(429), retry_after: after, ..failure })
}

pub(crate) fn settings(name: &str) -> ProviderSettings {
    ProviderSettings { name: name.into(), key: KeySource::None, ..ProviderSettings::built_in("offline").unwrap() }
}

pub(crate) fn ask(prompt: &str) -> Ask {
    Ask {
        rate: None,
        slot: None,
        call: Call {
            stage: "stage".into(),
            provider: identity(),
            model: Some("m".into()),
            request: Request::Text { messages: vec![Message::new(Role::User, prompt)], params: TextParams::default() },
            repeat: vec![],
            answer: Choice::Text,
        },
        provider: "p".into(),
        retry: RetryPolicy { jitter: false, ..RetryPolicy::default() },
        clocks: Clocks::default(),
        reuse: Reuse::Always,
        fresh: false,
        stream: false,
        show: false,
        terms: Terms::default(),
        order: Order::arrival(0),
        item: ItemRef { stage: "stage".into(), key: Some(prompt.into()), path: [].into() },
    }
}

/// A client, and everything around it that a test looks at.
pub(crate) struct Desk {
    pub(crate) client: Client,
    pub(crate) halt: Halt,
    stream: EventStream,
}

#[derive(Default)]
pub(crate) struct DeskBuilder {
    members: Vec<Member>,
    ceiling: Option<u32>,
    keep: Option<Arc<dyn Keep>>,
    variables: BTreeMap<String, String>,
    money: Option<(Budget, Spent, bool)>,
}

impl DeskBuilder {
    pub(crate) fn member(mut self, settings: ProviderSettings, provider: &Arc<Scripted>) -> Self {
        self.members.push(Member { settings, provider: Arc::<Scripted>::clone(provider) });
        self
    }

    pub(crate) fn ceiling(mut self, ceiling: u32) -> Self {
        self.ceiling = Some(ceiling);
        self
    }

    pub(crate) fn keep(mut self, keep: Arc<dyn Keep>) -> Self {
        self.keep = Some(keep);
        self
    }

    /// A budget, what is spent of it, and whether calls without a price are let through.
    pub(crate) fn money(mut self, budget: Budget, spent: Spent, allow_unpriced: bool) -> Self {
        self.money = Some((budget, spent, allow_unpriced));
        self
    }

    pub(crate) fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.insert(name.into(), value.into());
        self
    }

    pub(crate) fn build(self) -> Desk {
        let (events, stream) = Events::channel(100_000);
        let halt = Halt::new();
        let keep = self.keep.unwrap_or_else(|| Arc::new(NothingKept));
        let environment = Environment::fixed(self.variables);
        let prices = Prices::of(&self.members);
        let (budget, spent, allow_unpriced) = self.money.unwrap_or_default();
        let purse = Purse::new(prices, budget, spent, allow_unpriced);
        let client = Client::with_environment(self.members, self.ceiling, keep, events, halt.clone(), environment)
            .with_purse(purse);
        Desk { client, halt, stream }
    }
}

impl Desk {
    /// One scripted provider that is called `p`.
    pub(crate) fn of(provider: &Arc<Scripted>) -> Self {
        DeskBuilder::default().member(settings("p"), provider).build()
    }

    pub(crate) async fn ask(&self, ask: &Ask) -> Result<Answer, Unanswered> {
        self.client.ask(ask).await
    }

    /// All that was told so far, and then nothing more.
    pub(crate) async fn events(self) -> Vec<EventKind> {
        let Self { client, halt, stream } = self;
        drop((client, halt));
        stream.map(|event| event.kind).collect().await
    }
}

/// A keep in memory that notes what is done with it, and may take its time.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    pub(crate) kept: Mutex<BTreeMap<CallKey, Reply>>,
    /// Requests that brought no answer.
    pub(crate) noted: Mutex<Vec<AttemptRecord>>,
    pub(crate) delay: Duration,
    pub(crate) broken: Option<Failure>,
}

impl Keep for Memory {
    fn look_up<'a>(&'a self, look_up: LookUp<'a>) -> BoxFuture<'a, Result<Standing, Failure>> {
        let kept = self.kept.lock().unwrap().get(&look_up.asked.key).cloned();
        let answer = kept.filter(|_| look_up.before.is_none());
        let answer = answer.map(|reply| KeptAnswer { id: AnswerId(1), at: Timestamp::UNIX_EPOCH, lane: None, reply });
        async { Ok(Standing { take: 0, answer }) }.boxed()
    }

    fn hand_over(&self, record: AttemptRecord) -> BoxFuture<'_, Result<Option<AnswerId>, Failure>> {
        async move {
            sleep(self.delay).await;
            self.kept.lock().unwrap().insert(record.asked.key, record.outcome?);
            self.broken.clone().map_or(Ok(Some(AnswerId(1))), Err)
        }
        .boxed()
    }

    fn note(&self, record: AttemptRecord) {
        self.noted.lock().unwrap().push(record);
    }
}
