//! The ledger of a run: what it may take, what it has taken, and what is set aside for requests that are under way.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::model::{Amount, Budget, BudgetPart, Currency, EventKind, Failure, FailureKind, Spent};

/// Holds a run to its budget, first come first served, however many ask at once: what is set aside and what is settled
/// never pass a limit together, as long as nothing takes more than was set aside for it.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    budget: Budget,
    book: Mutex<Book>,
}

#[derive(Debug, Default)]
struct Book {
    used: Spent,
    held: Spent,
    /// Requests that something is set aside for.
    holders: u64,
    /// Who waits, first come first.
    queue: VecDeque<(u64, Arc<Notify>)>,
    last_number: u64,
    /// Once a request did not fit with nothing under way: from then on nobody's does.
    exhausted: Option<Failure>,
    /// What has not been told yet.
    news: Option<EventKind>,
}

/// What a request may take at most, set aside for it. Dropped without being settled, it counts as taken if the request
/// was sent, and is given back if not.
#[derive(Debug)]
pub(super) struct Reservation<'a> {
    ledger: &'a Ledger,
    worst: Spent,
    is_sent: bool,
    is_open: bool,
}

/// A place in the queue, left when it is dropped.
struct Place<'a> {
    ledger: &'a Ledger,
    number: u64,
    bell: Arc<Notify>,
}

impl Ledger {
    /// A ledger that begins with what earlier runs have used.
    pub(super) fn new(budget: Budget, spent: Spent) -> Self {
        Self { budget, book: Mutex::new(Book { used: spent, ..Book::default() }) }
    }

    pub(super) fn budget(&self) -> &Budget {
        &self.budget
    }

    /// What has been used so far.
    pub(super) fn used(&self) -> Spent {
        self.book().used
    }

    /// What happened to the budget and has not been told.
    pub(super) fn news(&self) -> Option<EventKind> {
        self.book().news.take()
    }

    /// Sets the most that a request can take aside. Waits while it does not fit and others, which may take less than was
    /// set aside for them, are under way.
    ///
    /// # Errors
    /// Nothing is under way, and it does not fit; or that has happened before.
    pub(super) async fn reserve(&self, worst: Spent) -> Result<Reservation<'_>, Failure> {
        if let Some(reservation) = self.at_once(worst) {
            return Ok(reservation);
        }
        let place = self.join();
        loop {
            if let Some(decided) = self.look(&place, worst) {
                return decided;
            }
            place.bell.notified().await;
        }
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What fits is set aside at once where nobody waits.
    fn at_once(&self, worst: Spent) -> Option<Reservation<'_>> {
        let mut book = self.book();
        let may_go = book.exhausted.is_none() && book.queue.is_empty();
        if may_go { self.set_aside(&mut book, worst).ok() } else { None }
    }

    /// Sets so much aside, unless a limit would be passed by it.
    fn set_aside(&self, book: &mut Book, worst: Spent) -> Result<Reservation<'_>, Lack> {
        if let Some(lack) = lacking(&self.budget, book.used.plus(book.held).plus(worst)) {
            return Err(lack);
        }
        book.held = book.held.plus(worst);
        book.holders += 1;
        Ok(Reservation { ledger: self, worst, is_sent: false, is_open: true })
    }

    fn join(&self) -> Place<'_> {
        let mut book = self.book();
        book.last_number += 1;
        let (number, bell) = (book.last_number, Arc::new(Notify::new()));
        book.queue.push_back((number, Arc::clone(&bell)));
        Place { ledger: self, number, bell }
    }

    /// Decides on whoever is first; nothing for others, and while there is something to wait for.
    fn look(&self, place: &Place<'_>, worst: Spent) -> Option<Result<Reservation<'_>, Failure>> {
        let mut book = self.book();
        if let Some(failure) = &book.exhausted {
            return Some(Err(failure.clone()));
        }
        if book.queue.front().is_none_or(|(number, _)| *number != place.number) {
            return None;
        }
        let lack = match self.set_aside(&mut book, worst) {
            Ok(reservation) => return Some(Ok(reservation)),
            Err(lack) => lack,
        };
        if book.holders > 0 {
            return None;
        }
        let failure = used_up(&self.budget, lack, book.used, worst);
        book.news = Some(EventKind::BudgetExhausted { limit: lack.part(), used: book.used });
        book.exhausted = Some(failure.clone());
        book.queue.iter().for_each(|(_, bell)| bell.notify_one());
        Some(Err(failure))
    }

    fn leave(&self, number: u64) {
        let mut book = self.book();
        book.queue.retain(|(other, _)| *other != number);
        book.wake();
    }

    fn close(&self, worst: Spent, taken: Spent) {
        let mut book = self.book();
        book.held = book.held.minus(worst);
        book.used = book.used.plus(taken);
        book.holders -= 1;
        book.wake();
    }
}

impl Book {
    /// Whoever is first looks again.
    fn wake(&self) {
        if let Some((_, bell)) = self.queue.front() {
            bell.notify_one();
        }
    }
}

impl Reservation<'_> {
    /// What is set aside.
    pub(super) fn worst(&self) -> Spent {
        self.worst
    }

    /// The request goes out: from now on it counts.
    pub(super) fn sent(&mut self) {
        self.is_sent = true;
    }

    /// The request has come to its end, and took this.
    pub(super) fn settle(mut self, taken: Spent) {
        self.is_open = false;
        self.ledger.close(self.worst, taken);
    }
}

impl Drop for Reservation<'_> {
    fn drop(&mut self) {
        if self.is_open {
            self.ledger.close(self.worst, if self.is_sent { self.worst } else { Spent::default() });
        }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.ledger.leave(self.number);
    }
}

impl fmt::Debug for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Place").field("number", &self.number).finish_non_exhaustive()
    }
}

/// A limit that is passed.
#[derive(Debug, Clone, Copy)]
enum Lack {
    Calls,
    Tokens,
    Cost(Currency),
}

impl Lack {
    fn part(self) -> BudgetPart {
        match self {
            Self::Calls => BudgetPart::Calls,
            Self::Tokens => BudgetPart::Tokens,
            Self::Cost(_) => BudgetPart::Cost,
        }
    }
}

/// The first limit that `total` would pass.
fn lacking(budget: &Budget, total: Spent) -> Option<Lack> {
    let is_passed = |limit: Option<u64>, count: u64| limit.is_some_and(|limit| count > limit);
    if is_passed(budget.calls, total.calls) {
        return Some(Lack::Calls);
    }
    if is_passed(budget.tokens, total.tokens) {
        return Some(Lack::Tokens);
    }
    let limit = budget.cost?;
    Currency::ALL.into_iter().find(|currency| total.cost.amount(*currency) > limit).map(Lack::Cost)
}

fn used_up(budget: &Budget, lack: Lack, used: Spent, worst: Spent) -> Failure {
    let (message, higher) = match lack {
        Lack::Calls => {
            let limit = budget.calls.unwrap_or_default();
            (format!("The budget of {limit} calls is used up: {} are made", used.calls), "`budget` or `--max-calls`")
        }
        Lack::Tokens => {
            let (limit, next) = (budget.tokens.unwrap_or_default(), worst.tokens);
            let message = match used.tokens {
                0 => format!("The budget of {limit} tokens is too small: the next call could take {next}"),
                used => format!(
                    "The budget of {limit} tokens is used up: {used} are used, and the next call could take {next}"
                ),
            };
            (message, "`budget: {tokens: ..}`")
        }
        Lack::Cost(currency) => {
            let show = |amount| currency.show(amount);
            let (limit, next) = (show(budget.cost.unwrap_or_default()), show(worst.cost.amount(currency)));
            let used = used.cost.amount(currency);
            let message = if used == Amount::ZERO {
                format!("The budget of {limit} is too small: the next call could cost {next}")
            } else {
                let used = show(used);
                format!("The budget of {limit} is used up: {used} is spent, and the next call could cost {next}")
            };
            (message, "`budget` or `--max-cost`")
        }
    };
    Failure::new(FailureKind::BudgetUsedUp, message)
        .suggest(format!("run it again with a higher {higher}; it goes on from there"))
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;
    use proptest::prelude::*;

    use super::*;
    use crate::model::{Amount, Cost};

    fn taking(tokens: u64, usd: u64, pollen: u64) -> Spent {
        let cost = Cost { usd: Amount(usd), pollen: Amount(pollen), ..Cost::NOTHING };
        Spent { calls: 1, tokens, cost }
    }

    fn tokens(limit: u64) -> Ledger {
        Ledger::new(Budget { tokens: Some(limit), ..Budget::default() }, Spent::default())
    }

    #[tokio::test]
    async fn what_does_not_fit_waits_until_another_takes_less_than_it_could() {
        let ledger = tokens(100);
        let first = ledger.reserve(taking(80, 0, 0)).await.unwrap();
        let mut second = std::pin::pin!(ledger.reserve(taking(80, 0, 0)));
        assert!(second.as_mut().now_or_never().is_none());
        first.settle(taking(20, 0, 0));
        second.await.unwrap().settle(taking(80, 0, 0));
        assert_eq!((ledger.used().tokens, ledger.used().calls), (100, 2));
    }

    #[tokio::test]
    async fn nobody_overtakes_whoever_came_first() {
        let ledger = tokens(100);
        let holder = ledger.reserve(taking(50, 0, 0)).await.unwrap();
        let mut large = Box::pin(ledger.reserve(taking(90, 0, 0)));
        assert!(large.as_mut().now_or_never().is_none());
        let mut small = std::pin::pin!(ledger.reserve(taking(5, 0, 0)));
        assert!(small.as_mut().now_or_never().is_none());
        drop(large);
        drop(small.await.unwrap());
        drop(holder);
        assert_eq!(ledger.used(), Spent::default());
    }

    #[tokio::test]
    async fn a_request_that_was_dropped_on_the_wire_may_have_taken_everything() {
        let ledger = tokens(100);
        let mut sent = ledger.reserve(taking(60, 0, 0)).await.unwrap();
        sent.sent();
        drop(sent);
        assert_eq!(ledger.used(), taking(60, 0, 0));
    }

    #[tokio::test]
    async fn a_run_goes_on_from_what_earlier_ones_have_used() {
        let spent = Spent { calls: 500, ..Spent::default() };
        let ledger = Ledger::new(Budget { calls: Some(500), ..Budget::default() }, spent);
        let failure = ledger.reserve(taking(0, 0, 0)).await.unwrap_err();
        assert_eq!(failure.message, "The budget of 500 calls is used up: 500 are made");
        assert_eq!(
            failure.suggestion.unwrap(),
            "run it again with a higher `budget` or `--max-calls`; it goes on from there"
        );
        assert_eq!(ledger.news(), Some(EventKind::BudgetExhausted { limit: BudgetPart::Calls, used: spent }));
        assert!(ledger.reserve(taking(0, 0, 0)).await.is_err());
        assert_eq!(ledger.news(), None, "it is told once");
    }

    #[tokio::test]
    async fn once_it_is_used_up_nothing_goes_that_would_still_fit() {
        let ledger = tokens(100);
        ledger.reserve(taking(60, 0, 0)).await.unwrap().settle(taking(60, 0, 0));
        ledger.reserve(taking(60, 0, 0)).await.unwrap_err();
        ledger.reserve(taking(5, 0, 0)).await.unwrap_err();
    }

    #[tokio::test]
    async fn each_currency_has_the_limit_for_itself() {
        let limit: Amount = "2.50".parse().unwrap();
        let ledger = Ledger::new(Budget { cost: Some(limit), ..Budget::default() }, Spent::default());
        ledger.reserve(taking(0, limit.0, 0)).await.unwrap().settle(taking(0, limit.0, 0));
        ledger.reserve(taking(0, 0, limit.0)).await.unwrap().settle(taking(0, 0, 1_000_000_000_000));
        let failure = ledger.reserve(taking(0, 0, 2_000_000_000_000)).await.unwrap_err();
        let told = "The budget of 2.5 pollen is used up: 1 pollen is spent, and the next call could cost 2 pollen";
        assert_eq!(failure.message, told);
    }

    #[derive(Debug, Clone)]
    enum Deed {
        Ask(Spent),
        /// One of those under way, by its number modulo how many there are, takes this share (in percent) of its worst.
        Settle(usize, u64),
        /// One under way is dropped, sent or not.
        Drop(usize, bool),
        /// One that waits leaves.
        Leave(usize),
    }

    fn deeds() -> impl Strategy<Value = Vec<Deed>> {
        let worst = (0_u64..60, 0_u64..60, 0_u64..60).prop_map(|(tokens, usd, pollen)| taking(tokens, usd, pollen));
        let deed = prop_oneof![
            4 => worst.prop_map(Deed::Ask),
            3 => (any::<usize>(), 0_u64..=100).prop_map(|(which, share)| Deed::Settle(which, share)),
            1 => (any::<usize>(), any::<bool>()).prop_map(|(which, sent)| Deed::Drop(which, sent)),
            1 => any::<usize>().prop_map(Deed::Leave),
        ];
        prop::collection::vec(deed, 1..80)
    }

    type Waiting<'a> = futures::future::BoxFuture<'a, Result<Reservation<'a>, Failure>>;

    /// Polls everyone who waits until nobody has anything more to do.
    fn pick_up<'a>(waiting: &mut Vec<Waiting<'a>>, under_way: &mut Vec<Reservation<'a>>, refused: &mut u32) {
        let mut at = 0;
        while at < waiting.len() {
            match (&mut waiting[at]).now_or_never() {
                None => at += 1,
                Some(decided) => {
                    drop(waiting.remove(at));
                    match decided {
                        Ok(reservation) => under_way.push(reservation),
                        Err(_) => *refused += 1,
                    }
                    at = 0;
                }
            }
        }
    }

    fn share_of(worst: Spent, percent: u64) -> Spent {
        let part = |amount: Amount| Amount(amount.0 * percent / 100);
        let cost = Cost { usd: part(worst.cost.usd), pollen: part(worst.cost.pollen), ..Cost::NOTHING };
        Spent { calls: 1, tokens: worst.tokens * percent / 100, cost }
    }

    proptest! {
        #[test]
        fn limits_hold_and_nobody_waits_forever(
            calls in prop::option::of(1_u64..30), limit in prop::option::of(1_u64..200),
            cost in prop::option::of(1_u64..200), deeds in deeds(),
        ) {
            let budget = Budget { calls, tokens: limit, cost: cost.map(Amount) };
            let ledger = Ledger::new(budget, Spent::default());
            let (mut waiting, mut under_way, mut refused) = (Vec::<Waiting<'_>>::new(), Vec::new(), 0);
            for deed in deeds {
                match deed {
                    Deed::Ask(worst) => waiting.push(ledger.reserve(worst).boxed()),
                    Deed::Settle(which, share) if !under_way.is_empty() => {
                        let which = which % under_way.len();
                        let one: Reservation<'_> = under_way.swap_remove(which);
                        let taken = share_of(one.worst, share);
                        one.settle(taken);
                    }
                    Deed::Drop(which, sent) if !under_way.is_empty() => {
                        let which = which % under_way.len();
                        let mut one = under_way.swap_remove(which);
                        if sent {
                            one.sent();
                        }
                        drop(one);
                    }
                    Deed::Leave(which) if !waiting.is_empty() => {
                        let which = which % waiting.len();
                        drop(waiting.remove(which));
                    }
                    Deed::Settle(..) | Deed::Drop(..) | Deed::Leave(_) => {}
                }
                pick_up(&mut waiting, &mut under_way, &mut refused);
                let book = ledger.book();
                prop_assert!(lacking(&budget, book.used.plus(book.held)).is_none());
                prop_assert_eq!(book.holders, under_way.len() as u64);
                drop(book);
                prop_assert!(waiting.is_empty() || !under_way.is_empty(), "someone waits for nobody");
            }
            while !waiting.is_empty() || !under_way.is_empty() {
                let one = under_way.pop().expect("whoever waits waits for someone");
                let worst = one.worst;
                one.settle(worst);
                pick_up(&mut waiting, &mut under_way, &mut refused);
            }
            prop_assert!(lacking(&budget, ledger.used()).is_none());
            prop_assert_eq!(ledger.book().held, Spent::default());
        }
    }
}
