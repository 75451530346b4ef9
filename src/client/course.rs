//! The course of one call at one provider: the only attempt loop. Each gate is a method.

use std::borrow::Cow;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use jiff::Timestamp;
use secrecy::SecretString;
use tokio::time::{Instant, sleep};

use crate::model::{
    AnswerId, Asked, AttemptRecord, Call, CallKey, Content, EventKind, Failure, FailureKind, Json, LaneRef, Price,
    Reply, Request, Spent, Usage,
};
use crate::provider::{Attempt, Form, Redactor};

use super::account::Account;
use super::admission::{LaneId, Wish};
use super::advice::{Next, Patience, end_of, is_refusal};
use super::budget::Reservation;
use super::clock::{Clock, Running};
use super::feedback::{Wrongs, is_fixed};
use super::lane::Standing;
use super::length::estimated_tokens;
use super::outlet::Outlet;
use super::permit::Permit;
use super::purse::settle;
use super::service::Service;
use super::verdict::{verdict_in_time, with_limit};
use super::wire::Wire;
use super::{Answer, Ask, Client, excerpt};

/// Whom a call goes to, and what is known of it there.
#[derive(Debug)]
pub(super) struct Way<'a> {
    pub(super) service: &'a Service,
    pub(super) secret: Option<&'a SecretString>,
    /// What is asked there.
    pub(super) call: Cow<'a, Call>,
    /// How many others were to be asked before this one.
    pub(super) link: u32,
    /// The wrong answers that it begins with.
    pub(super) wrongs: Wrongs,
    /// Where its text is handed out as it comes.
    pub(super) outlet: Option<&'a Outlet>,
}

impl<'a> Way<'a> {
    /// What is asked after its wrong answers, and what the seed of that is drawn from.
    fn next(&self, key: CallKey) -> (Cow<'a, Call>, CallKey) {
        self.wrongs.next(&self.call, key, self.service.provider.takes_seed())
    }
}

/// A call on its way.
#[derive(Debug)]
pub(super) struct Course<'a, 'b> {
    client: &'a Client,
    ask: &'a Ask,
    asked: &'a Asked,
    /// Which take of the call is asked for, from 0.
    take: u32,
    way: Way<'a>,
    /// What is asked now: the call with what is said to its wrong answers.
    call: Cow<'a, Call>,
    /// What its seed is drawn from.
    drawn: CallKey,
    lane: LaneRef,
    lane_id: LaneId,
    /// Requests sent here.
    sent: u32,
    /// How often the lane has refused it.
    refusals: u32,
    /// What it costs, if that is known.
    price: Option<Price>,
    /// What it has come to so far, here and elsewhere.
    account: &'b mut Account,
}

/// When a request was sent, how long it took, and what it took of the budget.
struct Sent {
    began: Timestamp,
    took: Duration,
    taken: Spent,
    sending: Option<i64>,
    /// The pieces of its answer, where they are wanted.
    chunks: Vec<String>,
}

impl<'a, 'b> Course<'a, 'b> {
    pub(super) fn new(
        client: &'a Client,
        ask: &'a Ask,
        (asked, take): (&'a Asked, u32),
        way: Way<'a>,
        account: &'b mut Account,
    ) -> Self {
        let (lane_id, lane) = client.lane(way.service, &way.call, way.secret);
        let price = client.purse().price(&way.service.name, &way.call);
        let (call, drawn) = way.next(asked.key.take(take));
        let (sent, refusals) = (0, 0);
        Self { client, ask, asked, take, way, call, drawn, lane, lane_id, sent, refusals, price, account }
    }

    /// To the end, whichever.
    pub(super) async fn run(&mut self) -> Result<Answer, Failure> {
        loop {
            let (reservation, permit) = self.admission().await?;
            match self.send(reservation, permit).await {
                Ok((reply, sent)) => {
                    if let Some(answer) = self.take(reply, sent).await? {
                        return Ok(answer);
                    }
                }
                // Boxed: it is seldom needed, and the future of every call would be larger.
                Err((failure, next)) => Box::pin(self.wait(failure, next)).await?,
            }
        }
    }

    /// What it can take at most is set aside before it waits for its turn, so that no permit lies idle meanwhile.
    async fn admission(&self) -> Result<(Reservation<'a>, Permit<'a>), Failure> {
        self.unless_over(pin!(self.ask.hold_slot())).await?;
        let reservation = self.reservation().await?;
        Ok((reservation, self.permit().await?))
    }

    /// Waits until the budget has room for it.
    async fn reservation(&self) -> Result<Reservation<'a>, Failure> {
        let purse = self.client.purse();
        let reserved = self.unless_over(pin!(purse.reserve(&self.way.service.name, &self.call, self.price))).await?;
        if let Some(news) = purse.news() {
            self.tell(news).await;
        }
        reserved.map_err(|failure| self.account.after_last(failure))
    }

    /// Waits for its turn: the run's ceiling, the lane with its pauses, the provider's rates.
    async fn permit(&self) -> Result<Permit<'a>, Failure> {
        let wish = Wish {
            lane: self.lane_id,
            order: self.ask.order.clone(),
            standing: Standing { left: self.patience().attempts_left(), refusals: self.refusals },
            spacing: self.way.service.provider.spacing(&self.call),
            tokens: estimated_tokens(&self.call),
        };
        if let Some(rate) = self.ask.rate.as_ref().filter(|_| self.account.sent > 0) {
            self.unless_over(pin!(rate.pass())).await?;
        }
        self.unless_over(pin!(self.client.permits().acquire(wish))).await
    }

    /// Sends one request, and gives the permit and the slot back as soon as the answer has arrived: that it waits for the
    /// disk then keeps nobody else from sending.
    async fn send(
        &mut self,
        mut reservation: Reservation<'_>,
        mut permit: Permit<'_>,
    ) -> Result<(Reply, Sent), (Failure, Next)> {
        let ready = self.client.about_to_send(&self.call, reservation.worst()).await;
        let (loaded, sending) = ready.map_err(|failure| (failure.clone(), Next::GiveUp(failure)))?;
        self.sent += 1;
        self.account.send(self.ask.clocks.total);
        reservation.sent();
        let (began, start) = (Timestamp::now(), Instant::now());
        let (call, attempt) = (self.asked.key.take(self.take), self.account.sent);
        self.tell(EventKind::AttemptSent { item: self.ask.item.clone(), call, attempt, lane: self.lane.clone() }).await;
        let form = self.way.service.forms.of(&self.call);
        let outcome = self.exchange(loaded.as_deref(), &mut permit, form).await;
        let took = start.elapsed();
        let (outcome, chunks) = match outcome {
            Ok((reply, chunks)) => {
                let reply = self.clean(reply);
                // What was cleaned did not come in these pieces.
                let is_clean = matches!(&reply.content, Content::Text(text) if *text == chunks.concat());
                (Ok(reply), if is_clean { chunks } else { Vec::new() })
            }
            Err(failure) => (Err(with_limit(self.shown(failure), &self.call)), Vec::new()),
        };
        let usage = outcome.as_ref().map_or_else(|failure| failure.usage, |reply| reply.usage);
        self.account.usage = Usage::sum(self.account.usage, usage);
        let taken = settle(reservation, &self.call, self.price, &outcome);
        self.account.cost = self.account.cost.plus(taken.cost);
        let sent = Sent { began, took, taken, sending, chunks };
        let mut news = None;
        if let Err(failure) = &outcome {
            // Before the permit goes to someone else: that one need not try.
            self.way.service.note(failure);
            news = self.way.service.forms.note(&self.call, form, &self.way.service.name, failure);
            self.client.store().note(self.record(&sent, Err(failure.clone())));
        }
        let aftermath = permit.finish(end_of(&outcome));
        if outcome.is_ok() {
            self.ask.give_slot_back();
        }
        for news in aftermath.news.into_iter().chain(news) {
            self.tell(news).await;
        }
        outcome.map(|reply| (reply, sent)).map_err(|failure| {
            self.refusals += u32::from(is_refusal(&failure));
            let next = self.patience().next(&failure, aftermath.silence);
            (failure, next)
        })
    }

    /// One request under its clocks, dropped where the run is.
    async fn exchange(
        &self,
        loaded: Option<&Call>,
        permit: &mut Permit<'_>,
        form: Form,
    ) -> Result<(Reply, Vec<String>), Failure> {
        let (service, secret, checks) = (self.way.service, self.way.secret, &self.ask.terms.checks);
        let stream = self.ask.stream && matches!(self.call.request, Request::Text { .. });
        let clocks = Running::start(&self.ask.clocks, stream, self.account.total());
        let wire = Wire {
            provider: &*service.provider,
            attempt: Attempt {
                call: loaded.unwrap_or(&self.call),
                key: self.drawn,
                number: self.account.sent,
                stream,
                form,
                checks,
                secret,
            },
            ask: self.ask,
            events: self.client.events(),
            outlet: self.way.outlet,
            hides: if stream { service.hides(secret) } else { None },
            keep_chunks: stream && self.client.store().wants_chunks(),
        };
        tokio::select! {
            biased;
            () = self.client.halt().aborting() => Err(self.interrupted("Dropped while it was on the wire")),
            outcome = wire.exchange(permit, clocks) => outcome,
        }
    }

    /// Tells of a failed attempt and waits for the next one, if there is to be one.
    async fn wait(&mut self, failure: Failure, next: Next) -> Result<(), Failure> {
        let retry_in = match &next {
            _ if self.client.halt().is_draining() => None,
            Next::GiveUp(_) => None,
            Next::Pause(pause) | Next::Lane(pause) => Some(*pause),
        };
        self.tell_failed(failure.clone(), retry_in).await;
        self.account.last = Some(failure.into());
        match next {
            Next::GiveUp(failure) => Err(failure),
            Next::Pause(pause) => self.unless_over(pin!(sleep(pause))).await,
            Next::Lane(_) => Ok(()),
        }
    }

    /// Has the answer kept, and only then looks at it. A wrong one changes what is asked next; nothing comes back then.
    async fn take(&mut self, reply: Reply, sent: Sent) -> Result<Option<Answer>, Failure> {
        let kept = self.client.store().hand_over(self.record(&sent, Ok(reply.clone()))).await;
        let id = kept.map_err(|failure| self.shown(failure))?;
        match verdict_in_time(&self.way.call, &self.ask.terms, &reply).await {
            Ok(json) => Ok(Some(self.answer(reply, json, id))),
            Err(failure) => {
                let why = failure.message.clone();
                let failure = self.shown(failure);
                if let Some(id) = id {
                    self.client.store().judged(id, &failure);
                }
                if let Some(failure) = self.hopeless(&failure, &reply) {
                    self.tell_failed(failure.clone(), None).await;
                    return Err(failure);
                }
                self.way.wrongs.add(&reply, &why);
                (self.call, self.drawn) = self.way.next(self.asked.key.take(self.take));
                Box::pin(self.wait(failure, Next::Pause(Duration::ZERO))).await?;
                Ok(None)
            }
        }
    }

    fn answer(&self, reply: Reply, json: Option<Json>, id: Option<AnswerId>) -> Answer {
        let Account { sent: attempts, usage, cost, .. } = *self.account;
        let lane = Some(self.lane.clone());
        Answer { reply, lane, json, attempts, kept: false, id, usage, cost }
    }

    /// What a wrong answer comes to where nothing else can be asked here.
    fn hopeless(&self, failure: &Failure, reply: &Reply) -> Option<Failure> {
        let is_text = matches!(reply.content, Content::Text(_));
        let is_mixed_up = is_text != matches!(self.call.request, Request::Text { .. });
        let is_wrong = failure.kind == FailureKind::WrongAnswer && !is_mixed_up;
        if !is_wrong || !self.ask.terms.feedback || !self.patience().may_go_on() {
            return Some(failure.clone());
        }
        let request = &self.way.call.request;
        let again = match request {
            Request::Text { .. } => None,
            _ if is_fixed(request) => Some("with the `seed` that the file names the same picture would come again"),
            _ if !self.way.service.provider.takes_seed() => {
                Some("this service takes no seed, and would be asked the same again")
            }
            Request::Image { .. } => None,
        };
        again.map(|why| Failure { message: format!("{}; {why}", failure.message), ..failure.clone() })
    }

    /// What is written down of the last request.
    fn record(&self, sent: &Sent, outcome: Result<Reply, Failure>) -> AttemptRecord {
        AttemptRecord {
            asked: self.asked.clone(),
            take: self.take,
            item: self.ask.item.clone(),
            lane: self.lane.clone(),
            link: self.way.link,
            number: self.account.sent,
            began: sent.began,
            took: sent.took,
            outcome,
            tokens: sent.taken.tokens,
            cost: sent.taken.cost,
            sending: sent.sending,
            chunks: sent.chunks.clone(),
        }
    }

    /// An answer as it may be kept.
    fn clean(&self, reply: Reply) -> Reply {
        match self.way.service.hides(self.way.secret) {
            Some(hides) => hides.clean_reply(reply),
            None => reply,
        }
    }

    /// Waits, unless the run is drained, the provider is blocked, or the total time is up.
    async fn unless_over<T>(&self, mut wait: Pin<&mut impl Future<Output = T>>) -> Result<T, Failure> {
        let is_over = self.client.halt().is_draining() || self.way.service.is_blocked() || self.account.is_over();
        // Most need not wait, and need not listen to what could end it.
        if !is_over && let Poll::Ready(value) = poll_fn(|cx| Poll::Ready(wait.as_mut().poll(cx))).await {
            return Ok(value);
        }
        tokio::select! {
            biased;
            () = self.client.halt().draining() => Err(self.interrupted("Not sent")),
            failure = self.way.service.blocked() => Err(failure),
            limit = self.account.time_is_up() => Err(self.too_late(limit)),
            value = wait => Ok(value),
        }
    }

    /// What others have come to is told of them.
    fn too_late(&self, limit: Duration) -> Failure {
        let failure = Clock::Total.failure(limit);
        if self.sent > 0 { self.account.after_last(failure) } else { failure }
    }

    fn interrupted(&self, what: &str) -> Failure {
        let reason = self.client.halt().reason().map_or_else(|| "the run ends".to_owned(), |reason| reason.to_string());
        let failure = Failure::new(FailureKind::Interrupted, format!("{what}: {reason}"));
        self.account.after_last(failure).suggest("run it again")
    }

    /// A failure as it may leave this room: a model that was told a key, or a server that repeats it, can put it
    /// anywhere.
    fn shown(&self, failure: Failure) -> Failure {
        let headers = self.way.service.settings.headers.values().map(String::as_str);
        let failure = Redactor::new(self.way.secret, headers).clean(failure);
        Failure { partial: failure.partial.as_deref().map(excerpt), ..failure }
    }

    fn patience(&self) -> Patience<'_> {
        let has_spoken = self.way.outlet.is_some_and(Outlet::has_spoken);
        Patience { retry: &self.ask.retry, sent: self.sent, total: self.account.total(), has_spoken }
    }

    fn tell(&self, kind: EventKind) -> impl Future<Output = ()> + use<> {
        self.client.events().emit(kind)
    }

    async fn tell_failed(&self, failure: Failure, retry_in: Option<Duration>) {
        let (item, attempt) = (self.ask.item.clone(), self.account.sent);
        self.tell(EventKind::AttemptFailed { item, attempt, failure, retry_in }).await;
    }
}
