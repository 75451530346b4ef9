//! The way of a call from one provider to the next: whoever is asked first, then its fallbacks, within one total time and
//! one budget. What comes of it is kept under the key of the first call.

use std::borrow::Cow;
use std::fmt::Write as _;

use crate::model::{Advice, Asked, Call, EventKind, Failure, FailureKind, LaneRef};

use super::account::Account;
use super::course::{Course, Way};
use super::feedback::{Earlier, Wrongs};
use super::outlet::Outlet;
use super::{Answer, Ask, Client, Unanswered};

/// Somebody who was asked, and what came of it.
#[derive(Debug)]
struct Tried {
    who: LaneRef,
    failure: Failure,
    /// Whether a request was sent there.
    is_asked: bool,
}

/// A call that nobody has answered yet.
#[derive(Debug)]
pub(super) struct Route<'a> {
    pub(super) client: &'a Client,
    pub(super) ask: &'a Ask,
    pub(super) asked: &'a Asked,
    /// Which take of the call is asked for, from 0.
    pub(super) take: u32,
    /// Where its text is handed out as it comes.
    pub(super) outlet: Option<&'a Outlet>,
}

impl<'a> Route<'a> {
    /// Asks one after the other, until there is a good answer. Each is told of the wrong ones that it has given before.
    pub(super) async fn run(self, earlier: Earlier, account: &mut Account) -> Result<Answer, Unanswered> {
        let mut tried: Vec<Tried> = Vec::new();
        let ask = self.ask;
        let others = ask.terms.fallbacks.iter().map(|other| (&*other.provider, Cow::Owned(other.call(&ask.call))));
        let links = std::iter::once((&*ask.provider, Cow::Borrowed(&ask.call))).chain(others);
        for (link, ((provider, call), wrongs)) in (0..).zip(links.zip(earlier.each())) {
            let lane = LaneRef { provider: provider.into(), model: call.model.as_deref().map(Into::into) };
            if let Some(last) = tried.last() {
                self.fall_back(last, &lane).await;
            }
            // In a place of its own: it is by far the largest part of a task, and would be moved with it.
            let sent_before = account.sent;
            let course = Box::pin(self.course((link, provider, call), wrongs, account));
            match course.await {
                Ok(answer) => return Ok(answer),
                Err(failure) => {
                    let has_spoken = self.outlet.is_some_and(Outlet::has_spoken);
                    let may_go_on = is_worth_elsewhere(failure.kind) && !account.is_over() && !has_spoken;
                    tried.push(Tried { who: lane, failure, is_asked: account.sent > sent_before });
                    if !may_go_on {
                        break;
                    }
                }
            }
        }
        Err(account.unanswered(told(tried)))
    }

    /// All attempts of one of them.
    async fn course(
        &self,
        (link, provider, call): (u32, &str, Cow<'a, Call>),
        wrongs: Wrongs,
        account: &mut Account,
    ) -> Result<Answer, Failure> {
        let service = self.client.service(provider)?;
        service.provider.supports(&call)?;
        let secret = self.client.secret(service).await?;
        let way = Way { service, secret, call, link, wrongs, outlet: self.outlet };
        Course::new(self.client, self.ask, (self.asked, self.take), way, account).run().await
    }

    async fn fall_back(&self, last: &Tried, lane: &LaneRef) {
        if !self.client.halt().is_draining() {
            let (item, from, lane) = (self.ask.item.clone(), last.who.clone(), lane.clone());
            self.client.events().emit(EventKind::FellBack { item, from, lane }).await;
        }
    }
}

/// Whether another provider may do what this one did not. What has to do with the run itself is the same everywhere, and
/// so is an answer that is longer than the file allows.
fn is_worth_elsewhere(kind: FailureKind) -> bool {
    match kind {
        FailureKind::Connect
        | FailureKind::Timeout
        | FailureKind::RateLimited
        | FailureKind::Server
        | FailureKind::Cut
        | FailureKind::Empty
        | FailureKind::Garbled
        | FailureKind::Placeholder
        | FailureKind::BadRequest
        | FailureKind::NotFound
        | FailureKind::FormRefused
        | FailureKind::Moderated
        | FailureKind::ModelForbidden
        | FailureKind::WrongAnswer
        | FailureKind::KeyMissing
        | FailureKind::KeyRefused
        | FailureKind::BalanceGone
        | FailureKind::Away => true,
        FailureKind::Length
        | FailureKind::Template
        | FailureKind::Output
        | FailureKind::Store
        | FailureKind::NotRecorded
        | FailureKind::BudgetUsedUp
        | FailureKind::Unpriced
        | FailureKind::DeadlinePassed
        | FailureKind::Interrupted
        | FailureKind::Internal => false,
    }
}

/// Whether a failure is about the run, and not about who was asked.
fn is_of_run(kind: FailureKind) -> bool {
    !is_worth_elsewhere(kind) && kind != FailureKind::Length
}

/// Whether one was left out since its provider has refused another one for a reason that holds for all of its models: what
/// it is said to have failed with is what that one was told.
fn is_left_out(one: &Tried, before: &[Tried]) -> bool {
    let refused = |other: &Tried| other.who.provider == one.who.provider && other.failure.kind == one.failure.kind;
    !one.is_asked && before.iter().any(refused)
}

/// What all of them came to. Where one of them has failed for this item alone, the next item may do better there: only if
/// every one is blocked, the call is.
fn told(mut tried: Vec<Tried>) -> Failure {
    if tried.len() == 1
        && let Some(only) = tried.pop()
    {
        return only.failure;
    }
    // What is the same everywhere speaks for itself, and so does what ends the run.
    if let Some(last) = tried.pop_if(|last| is_of_run(last.failure.kind)) {
        return last.failure;
    }
    let blocked = |one: &Tried| one.failure.advice() == Advice::Block;
    let at = tried.iter().rposition(|one| !blocked(one)).unwrap_or(tried.len().saturating_sub(1));
    let mut message = String::new();
    for (number, one) in tried.iter().enumerate() {
        let Tried { who, failure, .. } = one;
        if is_left_out(one, &tried[..number]) {
            continue;
        }
        if number > 0 {
            let model = who.model.as_ref().map(|model| format!("/{model}")).unwrap_or_default();
            _ = write!(message, "; then `{}{model}`: ", who.provider);
        }
        message.push_str(&failure.message);
    }
    let partial = tried.iter().rev().find_map(|one| one.failure.partial.clone());
    match tried.into_iter().nth(at) {
        Some(Tried { failure, .. }) => Failure { message, partial, ..failure },
        None => Failure::new(FailureKind::Internal, "Nobody was asked"),
    }
}
