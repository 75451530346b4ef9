//! The course of one call: the only attempt loop. Each gate is a method.

use std::time::Duration;

use jiff::Timestamp;
use secrecy::SecretString;
use tokio::time::{Instant, sleep};

use crate::model::{
    Advice, Asked, AttemptRecord, CallKey, Content, Cost, EventKind, Failure, FailureKind, LaneRef, Price, Reply,
    Request, RetryPolicy, Spent, Units, Usage,
};
use crate::provider::{Attempt, Redactor};

use super::admission::{End, LaneId, Wish};
use super::budget::Reservation;
use super::clock::{Clock, Running, time_is_up};
use super::lane::Standing;
use super::length::estimated_tokens;
use super::outlet::Outlet;
use super::permit::Permit;
use super::purse::settle;
use super::service::Service;
use super::verdict::verdict;
use super::wire::Wire;
use super::{Answer, Ask, Client, Unanswered, excerpt};

/// A call on its way.
#[derive(Debug)]
pub(super) struct Course<'a> {
    client: &'a Client,
    service: &'a Service,
    ask: &'a Ask,
    asked: &'a Asked,
    /// Which take of the call is asked for, from 0.
    take: u32,
    key: CallKey,
    secret: Option<&'a SecretString>,
    /// Where its text is handed out as it comes.
    outlet: Option<&'a Outlet>,
    lane: LaneRef,
    lane_id: LaneId,
    /// Requests sent.
    sent: u32,
    /// How often the lane has refused it.
    refusals: u32,
    /// When the total time is up, and how long it is; from the first request on.
    total: Option<(Instant, Duration)>,
    /// Why the last attempt failed.
    last: Option<Failure>,
    /// What all attempts took so far, as far as the provider says.
    usage: Option<Usage>,
    /// What it costs, if that is known.
    price: Option<Price>,
    /// What all attempts cost so far.
    cost: Cost,
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

/// What comes after a failed attempt.
enum Next {
    /// Nothing; this is what the call has come to.
    GiveUp(Failure),
    /// The same again: after a pause of its own, or when the lane lets it (which is silent for so long).
    Pause(Duration),
    Lane(Duration),
}

impl<'a> Course<'a> {
    pub(super) fn new(
        client: &'a Client,
        service: &'a Service,
        ask: &'a Ask,
        (asked, take): (&'a Asked, u32),
        secret: Option<&'a SecretString>,
        outlet: Option<&'a Outlet>,
    ) -> Self {
        let (lane_id, lane) = client.lane(service, &ask.call, secret);
        let (sent, refusals, total, last, usage) = (0, 0, None, None, None);
        let key = asked.key.take(take);
        let price = client.purse().price(&ask.provider, &ask.call);
        let cost = Cost::NOTHING;
        Self {
            client,
            service,
            ask,
            asked,
            take,
            key,
            secret,
            outlet,
            lane,
            lane_id,
            sent,
            refusals,
            total,
            last,
            usage,
            price,
            cost,
        }
    }

    /// To the end, whichever.
    pub(super) async fn run(mut self) -> Result<Answer, Unanswered> {
        loop {
            let (reservation, permit) = match self.admission().await {
                Ok(admitted) => admitted,
                Err(failure) => return Err(self.unanswered(failure)),
            };
            match self.send(reservation, permit).await {
                Ok((reply, sent)) => return self.keep(reply, sent).await,
                Err((failure, next)) => {
                    if let Err(failure) = self.wait(failure, next).await {
                        return Err(self.unanswered(failure));
                    }
                }
            }
        }
    }

    /// What it can take at most is set aside before it waits for its turn, so that no permit lies idle meanwhile.
    async fn admission(&self) -> Result<(Reservation<'a>, Permit<'a>), Failure> {
        let reservation = self.reservation().await?;
        Ok((reservation, self.permit().await?))
    }

    /// Waits until the budget has room for it.
    async fn reservation(&self) -> Result<Reservation<'a>, Failure> {
        let purse = self.client.purse();
        let reserved = self.unless_over(purse.reserve(&self.ask.provider, &self.ask.call, self.price)).await?;
        if let Some(news) = purse.news() {
            self.tell(news).await;
        }
        reserved.map_err(|failure| self.after_last(failure))
    }

    /// Waits for its turn: the run's ceiling, the lane with its pauses, the provider's rates.
    async fn permit(&self) -> Result<Permit<'a>, Failure> {
        let wish = Wish {
            lane: self.lane_id,
            order: self.ask.order.clone(),
            standing: Standing { left: self.attempts_left(), refusals: self.refusals },
            spacing: self.service.provider.spacing(&self.ask.call),
            tokens: estimated_tokens(&self.ask.call),
        };
        if let Some(rate) = self.ask.rate.as_ref().filter(|_| self.sent > 0) {
            self.unless_over(rate.pass()).await?;
        }
        self.unless_over(self.client.permits().acquire(wish)).await
    }

    /// Sends one request, and gives the permit back as soon as the answer has arrived.
    async fn send(
        &mut self,
        mut reservation: Reservation<'_>,
        mut permit: Permit<'_>,
    ) -> Result<(Reply, Sent), (Failure, Next)> {
        let sending = self.client.written_down(reservation.worst()).await;
        let sending = sending.map_err(|failure| (failure.clone(), Next::GiveUp(failure)))?;
        self.sent += 1;
        reservation.sent();
        let (began, start) = (Timestamp::now(), Instant::now());
        let (call, attempt) = (self.key, self.sent);
        self.tell(EventKind::AttemptSent { item: self.ask.item.clone(), call, attempt, lane: self.lane.clone() }).await;
        let stream = self.ask.stream && matches!(self.ask.call.request, Request::Text { .. });
        if self.total.is_none() {
            self.total = self.ask.clocks.total.map(|limit| (Instant::now() + limit, limit));
        }
        let clocks = Running::start(&self.ask.clocks, stream, self.total);
        let wire = Wire {
            provider: &*self.service.provider,
            attempt: Attempt { call: &self.ask.call, key: self.key, number: self.sent, stream, secret: self.secret },
            ask: self.ask,
            events: self.client.events(),
            outlet: self.outlet,
            hides: if stream { self.service.hides(self.secret) } else { None },
            keep_chunks: stream && self.client.store().wants_chunks(),
        };
        let outcome = tokio::select! {
            biased;
            () = self.client.halt().aborting() => Err(self.interrupted("Dropped while it was on the wire")),
            outcome = wire.exchange(&mut permit, clocks) => outcome,
        };
        let took = start.elapsed();
        let (outcome, chunks) = match outcome {
            Ok((reply, chunks)) => {
                let reply = self.clean(reply);
                // What was cleaned did not come in these pieces.
                let is_clean = matches!(&reply.content, Content::Text(text) if *text == chunks.concat());
                (Ok(reply), if is_clean { chunks } else { Vec::new() })
            }
            Err(failure) => (Err(self.shown(failure)), Vec::new()),
        };
        let usage = outcome.as_ref().map_or_else(|failure| failure.usage, |reply| reply.usage);
        self.usage = Usage::sum(self.usage, usage);
        let taken = settle(reservation, &self.ask.call, self.price, &outcome);
        self.cost = self.cost.plus(taken.cost);
        let sent = Sent { began, took, taken, sending, chunks };
        if let Err(failure) = &outcome {
            // Before the permit goes to someone else: that one need not try.
            self.service.note(failure);
            self.client.store().note(self.record(&sent, Err(failure.clone())));
        }
        let aftermath = permit.finish(end_of(&outcome));
        for news in aftermath.news {
            self.tell(news).await;
        }
        outcome.map(|reply| (reply, sent)).map_err(|failure| {
            let next = self.next(&failure, aftermath.silence);
            (failure, next)
        })
    }

    /// The advice on a failed attempt, and the delay before the next one.
    fn next(&mut self, failure: &Failure, silence: Duration) -> Next {
        let is_refused = is_refusal(failure);
        self.refusals += u32::from(is_refused);
        // What was handed out can't be taken back: another answer would begin anew.
        if failure.advice() != Advice::Retry || self.outlet.is_some_and(Outlet::has_spoken) {
            return Next::GiveUp(failure.clone());
        }
        if self.attempts_left() == 0 {
            return Next::GiveUp(if is_refused { too_often(failure) } else { failure.clone() });
        }
        let pause = if is_refused { silence } else { own_pause(&self.ask.retry, self.sent).max(asked_pause(failure)) };
        match self.total {
            Some((end, _)) if Instant::now() >= end => Next::GiveUp(failure.clone()),
            Some((end, limit)) if Instant::now() + pause >= end => Next::GiveUp(too_long(failure, pause, limit)),
            _ if is_refused => Next::Lane(pause),
            _ => Next::Pause(pause),
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
        self.last = Some(failure);
        match next {
            Next::GiveUp(failure) => Err(failure),
            Next::Pause(pause) => self.unless_over(sleep(pause)).await,
            Next::Lane(_) => Ok(()),
        }
    }

    /// Has the answer kept, and only then looks at it.
    async fn keep(&self, reply: Reply, sent: Sent) -> Result<Answer, Unanswered> {
        let id = match self.client.store().hand_over(self.record(&sent, Ok(reply.clone()))).await {
            Ok(id) => id,
            Err(failure) => return Err(self.unanswered(self.shown(failure))),
        };
        match verdict(&self.ask.call, &reply) {
            Ok(json) => {
                let Self { sent: attempts, usage, cost, .. } = *self;
                Ok(Answer { reply, json, attempts, kept: false, id, usage, cost })
            }
            Err(failure) => {
                let failure = self.shown(failure);
                self.tell_failed(failure.clone(), None).await;
                Err(self.unanswered(failure))
            }
        }
    }

    /// What is written down of the last request.
    fn record(&self, sent: &Sent, outcome: Result<Reply, Failure>) -> AttemptRecord {
        AttemptRecord {
            asked: self.asked.clone(),
            take: self.take,
            item: self.ask.item.clone(),
            provider: self.service.name.clone(),
            number: self.sent,
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
        match self.service.hides(self.secret) {
            Some(hides) => hides.clean_reply(reply),
            None => reply,
        }
    }

    /// Waits, unless the run is drained, the provider is blocked, or the total time is up.
    async fn unless_over<T>(&self, wait: impl Future<Output = T>) -> Result<T, Failure> {
        tokio::select! {
            biased;
            () = self.client.halt().draining() => Err(self.interrupted("Not sent")),
            failure = self.service.blocked() => Err(failure),
            limit = time_is_up(self.total) => Err(self.after_last(Clock::Total.failure(limit))),
            value = wait => Ok(value),
        }
    }

    fn interrupted(&self, what: &str) -> Failure {
        let reason = self.client.halt().reason().map_or_else(|| "the run ends".to_owned(), |reason| reason.to_string());
        let failure = Failure::new(FailureKind::Interrupted, format!("{what}: {reason}"));
        self.after_last(failure).suggest("run it again")
    }

    /// Adds what the last attempt came to.
    fn after_last(&self, mut failure: Failure) -> Failure {
        if let Some(last) = &self.last {
            failure.message = format!("{}; the last attempt: {}", failure.message, last.message);
            failure.partial.clone_from(&last.partial);
        }
        failure
    }

    /// A failure as it may leave this room: a model that was told a key, or a server that repeats it, can put it
    /// anywhere.
    fn shown(&self, failure: Failure) -> Failure {
        let headers = self.service.settings.headers.values().map(String::as_str);
        let failure = Redactor::new(self.secret, headers).clean(failure);
        Failure { partial: failure.partial.as_deref().map(excerpt), ..failure }
    }

    fn attempts_left(&self) -> u32 {
        self.ask.retry.attempts.max(1).saturating_sub(self.sent)
    }

    fn unanswered(&self, failure: Failure) -> Unanswered {
        Unanswered { failure, attempts: self.sent, usage: self.usage, cost: self.cost }
    }

    async fn tell(&self, kind: EventKind) {
        self.client.events().emit(kind).await;
    }

    async fn tell_failed(&self, failure: Failure, retry_in: Option<Duration>) {
        let (item, attempt) = (self.ask.item.clone(), self.sent);
        self.tell(EventKind::AttemptFailed { item, attempt, failure, retry_in }).await;
    }
}

/// Whether the server says "not now": too many at once, or too fast.
fn is_refusal(failure: &Failure) -> bool {
    match failure.kind {
        FailureKind::RateLimited | FailureKind::Placeholder => true,
        FailureKind::Away => false,
        _ => failure.status == Some(503) && failure.retry_after.is_some(),
    }
}

fn end_of(outcome: &Result<Reply, Failure>) -> End {
    match outcome {
        Ok(reply) => End::Answered(reply.usage),
        Err(failure) if is_refusal(failure) => End::Refused(failure.retry_after),
        Err(failure) => failure.usage.map_or(End::Other, End::Failed),
    }
}

/// The pause that the policy asks for after so many attempts.
fn own_pause(policy: &RetryPolicy, sent: u32) -> Duration {
    let pause = policy.pause_after(sent);
    if policy.jitter { pause.mul_f64(0.5 + fastrand::f64() / 2.0) } else { pause }
}

fn asked_pause(failure: &Failure) -> Duration {
    failure.retry_after.unwrap_or_default()
}

fn too_often(failure: &Failure) -> Failure {
    match failure.suggestion {
        Some(_) => failure.clone(),
        None => failure.clone().suggest("send fewer at once with `concurrency`, or allow more attempts with `retry`"),
    }
}

fn too_long(failure: &Failure, pause: Duration, limit: Duration) -> Failure {
    let (pause, limit) = (Units::show_duration(pause), Units::show_duration(limit));
    failure.clone().suggest(format!(
        "the next attempt would have to wait {pause}, which is more than is left of `timeout: {{total: {limit}}}`; allow more, or try later"
    ))
}
