//! One instance from its condition to its saved value. This is what a spawned task does.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::client::{Answer, Ask, Events, Halt, RateGate, Slot, Unanswered};
use crate::model::{
    Advice, Choice, Content, Conversation, EventKind, Failure, FailureKind, Json, LaneRef, OnError, ProviderIdentity,
    Reply, Request, Value,
};
use crate::output::{OutputFolder, SafePath};
use crate::plan::{Asking, ImageWork, OnErrorPlan, Plan, Shown, Stage, StageIx, TextWork, Work};

use super::asks::Asks;
use super::context::{Fixed, Renderer, Unrendered, names};
use super::expected::terms;
use super::fresh::FreshWish;
use super::job::{Done, Job, Outcome, Returned, SavedRow, Seen, Spent};
use super::lists::list_of;
use super::pictures::{Gallery, pictures};
use super::request::{Asked, Requests};
use super::row_place::{unrendered_with_row, with_row};
use super::save;

/// What all instances of a run share.
#[derive(Debug)]
pub(super) struct Env {
    pub(super) plan: Arc<Plan>,
    pub(super) asks: Asks,
    /// None where nothing is written.
    pub(super) folder: Option<OutputFolder>,
    pub(super) events: Events,
    pub(super) halt: Halt,
    /// What of each provider is part of a call's key, by its name.
    pub(super) providers: HashMap<String, ProviderIdentity>,
    pub(super) fixed: Fixed,
    /// By stage.
    pub(super) rates: Vec<Option<Arc<RateGate>>>,
    /// Whether text is shown as it comes.
    pub(super) show: bool,
    /// Where pictures lie that are shown to others.
    pub(super) gallery: Option<Gallery>,
    /// Which calls are made anew.
    pub(super) fresh: FreshWish,
    /// Stages that collect, and what they collect of which nothing came out: each pair is told once.
    pub(super) told_empty: Mutex<BTreeSet<(StageIx, StageIx)>>,
}

/// A value with what it took to get it.
pub(super) struct Made {
    pub(super) value: Value,
    pub(super) said: Option<Conversation>,
    pub(super) row: Option<SavedRow>,
    pub(super) saved: Option<Arc<str>>,
    pub(super) spent: Spent,
    pub(super) reused: bool,
    pub(super) lane: Option<LaneRef>,
}

/// Why there is no value.
pub(super) enum Unmade {
    Skip(crate::model::SkipReason),
    Fail { failure: Box<Failure>, spent: Spent },
    Unwritable(Failure),
}

impl From<Unrendered> for Unmade {
    fn from(unrendered: Unrendered) -> Self {
        match unrendered {
            Unrendered::Skip(reason) => Self::Skip(reason),
            Unrendered::Fail(failure) => Self::Fail { failure: failure.into(), spent: Spent::default() },
        }
    }
}

impl From<Failure> for Unmade {
    fn from(failure: Failure) -> Self {
        Self::Fail { failure: failure.into(), spent: Spent::default() }
    }
}

impl From<Unanswered> for Unmade {
    fn from(unanswered: Unanswered) -> Self {
        let Unanswered { failure, attempts, usage, cost } = unanswered;
        Self::Fail { failure: failure.into(), spent: Spent { attempts, usage, cost } }
    }
}

/// Runs one instance, with the slot of its stage that it holds.
pub(super) async fn run(env: Arc<Env>, job: Box<Job>, slot: Arc<Slot>) -> Returned {
    let outcome = match read_collections(&env, &job).await {
        Ok(()) => Instance::new(&env, &job, &slot).outcome().await,
        Err(failure) => unread(failure),
    };
    Returned { stage: job.stage, instance: job.instance, item: job.item, outcome }
}

/// Reads the lists that an instance sees, and tells of those that turn out empty.
async fn read_collections(env: &Env, job: &Job) -> Result<(), Failure> {
    for (name, seen) in &job.seen {
        let Seen::All(collection) = seen else { continue };
        collection.read().await?;
        let is_new = || {
            let mut told = env.told_empty.lock().unwrap_or_else(PoisonError::into_inner);
            told.insert((job.stage, collection.stage()))
        };
        if collection.is_empty() && is_new() {
            let message = format!("`{}` collects `{name}`, of which nothing came out", job.item.stage);
            env.events.emit(EventKind::Warning { message }).await;
        }
    }
    Ok(())
}

/// What lies on the disk and can't be read ends the run.
fn unread(failure: Failure) -> Outcome {
    match failure.kind {
        FailureKind::Internal => Outcome::Failed { failure, spent: Spent::default() },
        _ => Outcome::Unwritable(failure),
    }
}

struct Instance<'a> {
    env: &'a Env,
    job: &'a Job,
    stage: &'a Stage,
    slot: &'a Arc<Slot>,
    renderer: Renderer<'a>,
}

impl<'a> Instance<'a> {
    fn new(env: &'a Env, job: &'a Job, slot: &'a Arc<Slot>) -> Self {
        let stage = env.plan.stage(job.stage);
        let context = names(&env.plan, stage, job, &env.fixed).into();
        Self { env, job, stage, slot, renderer: Renderer::new(context, job) }
    }

    async fn outcome(&self) -> Outcome {
        match self.renderer.holds(self.stage) {
            Ok(true) => {}
            Ok(false) => return Outcome::Skipped(crate::model::SkipReason::When),
            Err(unrendered) => return self.unmade(unrendered.into(), None).await,
        }
        if let Some(rate) = &self.env.rates[self.job.stage.0] {
            tokio::select! {
                () = rate.pass() => {}
                () = self.env.halt.draining() => {}
            }
        }
        if self.env.halt.is_draining() {
            return Outcome::Interrupted { spent: Spent::default() };
        }
        self.env.events.emit(EventKind::Started { item: self.job.item.clone() }).await;
        let start = Instant::now();
        let place = match self.target().reserve(&self.renderer) {
            Ok(place) => place,
            Err(unmade) => return self.unmade(unmade, None).await,
        };
        match self.make(place.clone()).await {
            Ok(made) => Outcome::Done(done(made, start.elapsed())),
            Err(unmade) => self.unmade(unmade, place).await,
        }
    }

    /// Makes the value and saves it, in a place of its own if it has one already.
    async fn make(&self, place: Option<SafePath>) -> Result<Made, Unmade> {
        let mut made = match &self.stage.work {
            Work::Render(template) => unasked(Value::Text(self.renderer.text(template)?.into())),
            Work::Value(template) => unasked(value_of(self.typed(self.renderer.json(template)?)?)),
            Work::Text(work) => self.ask_text(work).await?,
            Work::Image(work) => return self.ask_image(work, place).await,
        };
        self.check_lists(&made)?;
        self.save(&mut made, place).await?;
        Ok(made)
    }

    /// An input of a used pipeline has the type that it says there.
    fn typed(&self, value: Json) -> Result<Json, Failure> {
        let Some(input) = &self.stage.input else { return Ok(value) };
        input.read(value).map_err(|(message, help)| {
            let failure = Failure { suggestion: help, ..Failure::new(FailureKind::Template, message) };
            with_row(failure, &self.env.plan, &self.job.around, self.stage.work.templates())
        })
    }

    /// Lists that loops are made of must be lists.
    fn check_lists(&self, made: &Made) -> Result<(), Unmade> {
        if self.stage.lists.is_empty() {
            return Ok(());
        }
        let value = made.value.to_json();
        for path in &self.stage.lists {
            list_of(&value, self.stage, path)
                .map_err(|failure| Unmade::Fail { failure: failure.into(), spent: made.spent })?;
        }
        Ok(())
    }

    fn target(&self) -> save::Target<'a> {
        let (folder, gallery) = (self.env.folder.as_ref(), self.env.gallery.as_ref());
        save::Target { stage: self.stage, job: self.job, folder, gallery }
    }

    async fn save(&self, made: &mut Made, place: Option<SafePath>) -> Result<(), Unmade> {
        let Some(save) = &self.stage.save else { return Ok(()) };
        let spent = made.spent;
        let own = || self.renderer_with_own(&made.value);
        let saved = self.target().save(save, place, &made.value, own).await;
        match saved.map_err(|unmade| with_spent(unmade, spent))? {
            save::Saved::Row(row) => made.row = Some(row),
            save::Saved::File(path) => made.saved = Some(path),
        }
        Ok(())
    }

    /// In `save` and `row` the stage's own name is its answer.
    fn renderer_with_own(&self, value: &Value) -> Renderer<'a> {
        let mut names = names(&self.env.plan, self.stage, self.job, &self.env.fixed);
        names.insert(self.stage.name.to_string(), value.to_json());
        Renderer::new(names.into(), self.job)
    }

    async fn showing(&self, asked: Asked, images: &[Shown]) -> Result<Asked, Unrendered> {
        let shown = asked.showing(images, &self.renderer, self.env.gallery.as_ref()).await;
        let templates = images.iter().map(|image| &image.template);
        shown.map_err(|why| unrendered_with_row(why, &self.env.plan, &self.job.around, templates))
    }

    async fn ask_text(&self, work: &TextWork) -> Result<Made, Unmade> {
        let stream = work.asking.stream.unwrap_or(self.env.show);
        let show = self.env.show && work.answer == Choice::Text;
        let asked = self.requests().text(work)?;
        let mut asked = self.showing(asked, &work.images).await?;
        let before = asked.before.take();
        let ask = self.ask(&work.asking, asked, (stream, show))?;
        let answer = self.env.asks.ask(&ask).await?;
        let value = match (&answer.json, &answer.reply.content) {
            (Some(json), _) => Value::Json(Arc::new(json.clone())),
            (None, Content::Text(text)) => Value::Text(text.as_str().into()),
            (None, Content::Image { .. }) => {
                return Err(Unmade::Fail {
                    failure: wrong_content("a picture", "a text").into(),
                    spent: spent(&answer),
                });
            }
        };
        // As it came: what an answer is read as may change, and what goes on from it is not asked anew for that.
        let said = before.and_then(|before| said(&before, &ask.call.request, &answer));
        Ok(Made { said, ..made(value, &answer) })
    }

    async fn ask_image(&self, work: &ImageWork, place: Option<SafePath>) -> Result<Made, Unmade> {
        let asked = self.requests().image(work)?;
        let asked = self.showing(asked, &work.images).await?;
        let ask = self.ask(&work.asking, asked, (false, false))?;
        let answer = self.env.asks.ask(&ask).await?;
        let spent = spent(&answer);
        let Reply { content: Content::Image { bytes, info }, .. } = &answer.reply else {
            return Err(Unmade::Fail { failure: wrong_content("a text", "a picture").into(), spent });
        };
        let picture = save::Picture { bytes: bytes.clone(), info: *info };
        let own = |value: &Value| self.renderer_with_own(value);
        let saved = self.target().save_picture(picture, place, &self.renderer, own).await;
        let (value, row, path) = saved.map_err(|unmade| with_spent(unmade, spent))?;
        Ok(Made { row, saved: Some(path), ..made(value, &answer) })
    }

    fn requests(&self) -> Requests<'_> {
        Requests {
            plan: &self.env.plan,
            stage: self.stage,
            around: &self.job.around,
            renderer: &self.renderer,
            providers: &self.env.providers,
            before: self.job.before.as_ref(),
        }
    }

    fn ask(&self, asking: &Asking, asked: Asked, (stream, show): (bool, bool)) -> Result<Box<Ask>, Unmade> {
        let fallbacks = self.requests().fallbacks(asking, &asked);
        let names = || names(&self.env.plan, self.stage, self.job, &self.env.fixed);
        let terms = terms(asking, fallbacks, &self.renderer, (&self.stage.name, names))?;
        Ok(Box::new(Ask {
            call: asked.call,
            provider: asked.provider,
            retry: asking.retry.clone(),
            rate: self.env.rates[self.job.stage.0].clone(),
            slot: Some(self.slot.clone()),
            reuse: asking.reuse,
            fresh: self.env.fresh.covers(&self.job.item),
            clocks: asking.clocks.clone(),
            stream,
            show,
            order: self.job.order.clone(),
            item: self.job.item.clone(),
            terms,
        }))
    }

    /// What a missing value means: `on_error` may put another in its place.
    async fn unmade(&self, unmade: Unmade, place: Option<SafePath>) -> Outcome {
        let (failure, spent) = match unmade {
            Unmade::Skip(reason) => return Outcome::Skipped(reason),
            Unmade::Unwritable(failure) => return Outcome::Unwritable(failure),
            Unmade::Fail { failure, spent } => (*failure, spent),
        };
        match failure.kind {
            FailureKind::Interrupted => return Outcome::Interrupted { spent },
            FailureKind::Store => return Outcome::Unwritable(failure),
            // Nothing is known of what this call comes to: no value may stand in for it.
            FailureKind::NotRecorded => return Outcome::Failed { failure, spent },
            _ => {}
        }
        if failure.advice() == Advice::Block {
            return Outcome::Blocked { failure, spent };
        }
        match &self.stage.on_error {
            OnErrorPlan::Value(template) => match self.renderer.json(template) {
                Ok(value) => self.replace(value, place, (failure, spent)).await,
                // What went wrong first is what a person must know, and what it took.
                Err(_) => Outcome::Failed { failure, spent },
            },
            OnErrorPlan::Simply(OnError::Stop | OnError::Continue) => Outcome::Failed { failure, spent },
        }
    }

    async fn replace(&self, value: Json, place: Option<SafePath>, (failure, spent): (Failure, Spent)) -> Outcome {
        let shown = match &self.stage.work {
            Work::Text(work) if self.stage.is_continued => {
                pictures(&work.images, &self.renderer, self.env.gallery.as_ref()).await.unwrap_or_default()
            }
            _ => Vec::new(),
        };
        let said = self.requests().talk_instead(&value, shown);
        let mut made = Made { said, spent, ..unasked(value_of(value)) };
        // What stands in for a picture has no bytes to be a file of.
        if self.stage.has_own_file() && matches!(self.stage.work, Work::Image(_)) {
            return Outcome::Replaced { value: made.value, said: None, row: None, failure, spent };
        }
        match self.save(&mut made, place).await {
            Ok(()) => Outcome::Replaced { value: made.value, said: made.said, row: made.row, failure, spent },
            Err(Unmade::Unwritable(failure)) => Outcome::Unwritable(failure),
            // Why there is no value says more than why its stand-in has no place.
            Err(Unmade::Skip(_) | Unmade::Fail { .. }) => Outcome::Failed { failure, spent },
        }
    }
}

fn done(made: Made, took: Duration) -> Done {
    let Made { value, said, row, saved, spent, reused, lane } = made;
    Done { value, said, row, spent, reused, lane, took, saved }
}

/// A value for which nobody was asked.
fn unasked(value: Value) -> Made {
    Made { value, said: None, row: None, saved: None, spent: Spent::default(), reused: false, lane: None }
}

fn value_of(json: Json) -> Value {
    match json {
        Json::String(text) => Value::Text(text.into()),
        other => Value::Json(Arc::new(other)),
    }
}

fn made(value: Value, answer: &Answer) -> Made {
    let (spent, reused, lane) = (spent(answer), answer.kept, answer.lane.clone());
    Made { value, said: None, row: None, saved: None, spent, reused, lane }
}

/// What was said once a request is answered; nothing for a picture.
fn said(before: &Conversation, request: &Request, answer: &Answer) -> Option<Conversation> {
    match (request, &answer.reply.content) {
        (Request::Text { messages, .. }, Content::Text(text)) => Some(before.grown(messages).answered(text)),
        _ => None,
    }
}

fn spent(answer: &Answer) -> Spent {
    Spent { attempts: answer.attempts, usage: answer.usage, cost: answer.cost }
}

fn with_spent(unmade: Unmade, spent: Spent) -> Unmade {
    match unmade {
        Unmade::Fail { failure, .. } => Unmade::Fail { failure, spent },
        other => other,
    }
}

fn wrong_content(found: &str, wanted: &str) -> Failure {
    Failure::new(FailureKind::Garbled, format!("the provider answered with {found} instead of {wanted}"))
        .suggest("name a model that makes what the stage asks for")
}
