//! The client: what it is put together from, and the way of a question to its course.

use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;
use tokio::time::Instant;

use crate::model::{AnswerId, Asked, Call, CallKey, Cost, EventKind, Failure, FailureKind, LaneRef, Reuse, Spent};

use super::account::Account;
use super::admission::{Admission, LaneId};
use super::feedback::Earlier;
use super::gate::pass;
use super::joint::{Joint, Part, Told};
use super::keep::{LookUp, Standing};
use super::outlet::Outlet;
use super::permit::Permits;
use super::pictures::loaded;
use super::route::Route;
use super::service::Service;
use super::verdict::verdict_in_time;
use super::{Answer, Ask, Environment, Events, Halt, Keep, LaneReport, Member, Purse, Unanswered, excerpt};

/// Asks providers, within their limits and those of the run. Clones share all of it.
#[derive(Debug, Clone)]
pub struct Client {
    shared: Arc<Shared>,
    purse: Arc<Purse>,
}

#[derive(Debug)]
struct Shared {
    services: Vec<Service>,
    permits: Permits,
    keep: Arc<dyn Keep>,
    joint: Joint,
    events: Events,
    halt: Halt,
    environment: Environment,
}

/// What is kept of a call.
enum Kept {
    Answer(Box<Answer>),
    /// Nothing good; the take that is asked for, and the wrong answers of it.
    Nothing {
        take: u32,
        earlier: Earlier,
    },
}

impl Client {
    /// A client of these providers, with at most `ceiling` requests on the wire over all of them. Keys are looked for in
    /// the environment of this process.
    pub fn new(members: Vec<Member>, ceiling: Option<u32>, keep: Arc<dyn Keep>, events: Events, halt: Halt) -> Self {
        Self::with_environment(members, ceiling, keep, events, halt, Environment::process())
    }

    /// The same with the environment that keys are looked for in.
    pub fn with_environment(
        members: Vec<Member>,
        ceiling: Option<u32>,
        keep: Arc<dyn Keep>,
        events: Events,
        halt: Halt,
        environment: Environment,
    ) -> Self {
        let permits = Permits::new(Admission::new(members.iter().map(|member| &member.settings), ceiling));
        let services = members.into_iter().map(Service::new).collect();
        let shared = Arc::new(Shared { services, permits, keep, joint: Joint::default(), events, halt, environment });
        Self { shared, purse: Arc::default() }
    }

    /// The same with a purse of its own, for this one and its clones.
    #[must_use]
    pub fn with_purse(self, purse: Purse) -> Self {
        Self { purse: Arc::new(purse), ..self }
    }

    /// The same for a program that lives on: a refused key or an empty balance fails the questions that meet it, and not
    /// all that come after them. To be said before there are clones.
    #[must_use]
    pub fn lasting(mut self) -> Self {
        if let Some(shared) = Arc::get_mut(&mut self.shared) {
            shared.services.iter_mut().for_each(Service::forgive);
        }
        self
    }

    /// Asks until there is a good answer, or no point in asking. Dropping it takes the question back, and with it a
    /// request that is on the wire.
    ///
    /// # Errors
    /// [`Unanswered`] says why, and what was tried.
    pub async fn ask(&self, ask: &Ask) -> Result<Answer, Unanswered> {
        let asked = Asked::of(&ask.call);
        if ask.reuse == Reuse::Never {
            return self.ask_alone(ask, &asked, None, &mut Account::new()).await;
        }
        // Its time runs from when it waits for a request, whoever has sent it.
        let mut running = None;
        loop {
            match self.shared.joint.join((asked.key, ask.fresh)) {
                Part::Lead(lead, begun) => {
                    let outcome = self.ask_alone(ask, &asked, None, &mut Account::joint(begun, running)).await;
                    lead.tell(&outcome, ask);
                    return outcome;
                }
                Part::Follow(follow) => {
                    ask.give_slot_back();
                    if let Some(told) = follow.outcome(ask.clocks.total, &mut running).await.map_err(unsent)?
                        && let Some(outcome) = Box::pin(self.joined(ask, asked.key, told, running)).await
                    {
                        return outcome;
                    }
                }
            }
        }
    }

    /// What somebody else has asked for at the same time: it was paid for once. Nothing where that was on other terms, so
    /// that it says nothing about these, or where it was given up sooner than here.
    async fn joined(
        &self,
        ask: &Ask,
        key: CallKey,
        told: Told,
        running: Option<(Instant, Duration)>,
    ) -> Option<Result<Answer, Unanswered>> {
        let is_same = told.is_for(ask);
        match told.outcome {
            Ok(answer) => {
                let json = if is_same {
                    answer.json.clone()
                } else {
                    verdict_in_time(&ask.call, &ask.terms, &answer.reply).await.ok()?
                };
                let (item, lane) = (ask.item.clone(), answer.lane.clone());
                self.shared.events.emit(EventKind::Reused { item, call: key, lane }).await;
                Some(Ok(Answer { attempts: 0, kept: true, usage: None, cost: Cost::NOTHING, json, ..answer }))
            }
            Err(unanswered) if is_of_the_answer(unanswered.failure.kind) && !is_same => None,
            Err(_) if told.is_impatient_beside(ask, running) => None,
            Err(unanswered) => Some(Err(unsent(unanswered.failure))),
        }
    }

    /// The same, and hands out the text as it comes. It is sent again only as long as nothing has been handed out, and is
    /// never joined with others: they would wait for whoever takes the text.
    ///
    /// # Errors
    /// As for [`Client::ask`].
    pub(super) async fn ask_aloud(&self, ask: &Ask, outlet: &Outlet) -> Result<Answer, Unanswered> {
        self.ask_alone(ask, &Asked::of(&ask.call), Some(outlet), &mut Account::new()).await
    }

    async fn ask_alone(
        &self,
        ask: &Ask,
        asked: &Asked,
        outlet: Option<&Outlet>,
        account: &mut Account,
    ) -> Result<Answer, Unanswered> {
        match self.kept(ask, asked).await.map_err(unsent)? {
            Kept::Answer(answer) => {
                ask.give_slot_back();
                Ok(*answer)
            }
            Kept::Nothing { take, earlier } => {
                Route { client: self, ask, asked, take, outlet }.run(earlier, account).await
            }
        }
    }

    /// The good answer that is kept, if there is one: what [`Client::ask`] would use. Nothing is sent, and no key is needed.
    ///
    /// # Errors
    /// What is kept can't be read, or there is nothing and the provider can't answer such a call.
    pub async fn look_up(&self, ask: &Ask) -> Result<Option<Answer>, Unanswered> {
        if let Kept::Answer(answer) = self.kept(ask, &Asked::of(&ask.call)).await.map_err(unsent)? {
            return Ok(Some(*answer));
        }
        self.service(&ask.provider).and_then(|service| service.provider.supports(&ask.call)).map_err(unsent)?;
        Ok(None)
    }

    /// What each lane was like, in the order in which they were first used.
    pub fn lanes(&self) -> Vec<LaneReport> {
        self.shared.permits.reports()
    }

    /// A good answer that is kept already: the latest that passes. One that does not pass is no answer.
    async fn kept(&self, ask: &Ask, asked: &Asked) -> Result<Kept, Failure> {
        let (mut before, mut first_take, mut wrong) = (None, None, None);
        let mut earlier = Earlier::default();
        loop {
            let look_up = LookUp { asked, reuse: ask.reuse, fresh: ask.fresh, before, take: first_take };
            let Standing { take, answer } = match (self.shared.keep.look_up(look_up).await, wrong.take()) {
                // It was wrong when it was recorded too, and then it was not asked for again.
                (Err(failure), Some(wrong)) if failure.kind == FailureKind::NotRecorded => return Err(wrong),
                (standing, known) => {
                    wrong = known;
                    standing?
                }
            };
            let first = *first_take.get_or_insert(take);
            // Answers of an earlier take stay where they are.
            let Some(kept) = answer.filter(|_| take == first) else {
                return Ok(Kept::Nothing { take: first, earlier });
            };
            before = Some(kept.id);
            let passed = match verdict_in_time(&ask.call, &ask.terms, &kept.reply).await {
                Ok(json) => pass(ask, &kept.reply, &self.shared.events).await.map(|()| json),
                Err(failure) => Err(failure),
            };
            match passed {
                Ok(json) => {
                    self.show_again(ask, asked, kept.id).await;
                    let call = asked.key.take(take);
                    let (item, lane) = (ask.item.clone(), kept.lane.clone());
                    self.shared.events.emit(EventKind::Reused { item, call, lane }).await;
                    let (id, reply) = (self.shared.keep.has_places().then_some(kept.id), kept.reply);
                    let (usage, cost) = (None, Cost::NOTHING);
                    return Ok(Kept::Answer(Box::new(Answer {
                        reply,
                        lane: kept.lane,
                        json,
                        attempts: 0,
                        kept: true,
                        id,
                        usage,
                        cost,
                    })));
                }
                // It is no answer's fault: the next one would be as bad.
                Err(failure) if failure.kind == FailureKind::Template => return Err(failure),
                Err(failure) => {
                    if failure.kind == FailureKind::WrongAnswer && ask.terms.feedback {
                        earlier.add(ask, kept.lane.as_ref(), &kept.reply, &failure.message);
                    }
                    // The latest is the one that its run has told of.
                    wrong.get_or_insert_with(|| {
                        let partial = failure.partial.as_deref().map(excerpt);
                        Failure { partial, usage: None, ..failure }
                    });
                }
            }
        }
    }

    /// Makes a request ready to go out: its pictures are read, and where something is limited it is written down, since
    /// whoever is killed has taken it all the same.
    pub(super) async fn about_to_send(
        &self,
        call: &Call,
        worst: Spent,
    ) -> Result<(Option<Box<Call>>, Option<i64>), Failure> {
        let loaded = loaded(call).await?;
        Ok((loaded, if self.purse.is_limited() { self.shared.keep.sending(worst).await? } else { None }))
    }

    /// Tells of a text as if it came now, where it is kept so.
    async fn show_again(&self, ask: &Ask, asked: &Asked, id: AnswerId) {
        if ask.show {
            for text in self.shared.keep.chunks(asked, id) {
                let (item, text) = (ask.item.clone(), text.into());
                self.shared.events.emit(EventKind::Chunk { item, attempt: 1, text }).await;
            }
        }
    }

    /// The key of a service; nothing where it needs none.
    pub(super) async fn secret<'s>(&self, service: &'s Service) -> Result<Option<&'s SecretString>, Failure> {
        service.secret(&self.shared.environment, &self.shared.events).await
    }

    pub(super) fn service(&self, name: &str) -> Result<&Service, Failure> {
        self.shared.services.iter().find(|service| &*service.name == name).ok_or_else(|| {
            Failure::new(FailureKind::Internal, format!("The client knows no provider `{name}`"))
                .suggest("this is a fault of the program: please report it")
        })
    }

    /// The lane of a call, with the ceiling of its provider.
    pub(super) fn lane(&self, service: &Service, call: &Call, secret: Option<&SecretString>) -> (LaneId, LaneRef) {
        let lane = LaneRef { provider: Arc::clone(&service.name), model: call.model.as_deref().map(Into::into) };
        let index = self.shared.services.iter().position(|other| other.name == service.name).unwrap_or_default();
        if let Some(at_once) = service.provider.at_once(secret) {
            self.shared.permits.bound(index, at_once);
        }
        let ceiling = service.settings.concurrency.unwrap_or_else(|| service.provider.ceiling(secret));
        (self.shared.permits.lane(index, &lane, ceiling), lane)
    }

    pub(super) fn permits(&self) -> &Permits {
        &self.shared.permits
    }

    pub(super) fn store(&self) -> &dyn Keep {
        &*self.shared.keep
    }

    /// What it may spend, and has spent.
    pub fn purse(&self) -> &Purse {
        &self.purse
    }

    /// Where it tells what happens.
    pub fn events(&self) -> &Events {
        &self.shared.events
    }

    /// What ends it before its end.
    pub fn halt(&self) -> &Halt {
        &self.shared.halt
    }
}

/// Whether a failure is about what the answer had to be, and so about the terms of whoever asked.
fn is_of_the_answer(kind: FailureKind) -> bool {
    matches!(kind, FailureKind::WrongAnswer | FailureKind::Template)
}

fn unsent(failure: Failure) -> Unanswered {
    Unanswered { failure, attempts: 0, usage: None, cost: Cost::NOTHING }
}
