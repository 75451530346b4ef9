//! Who goes next: all that wait for a permit, over all lanes, in the order of their precedence.
//!
//! Plain state that is told the time. A request goes when the run's ceiling, its lane and its provider's pace all let it;
//! nobody holds one of these while waiting for another, so nobody stands in the way of what could go.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use crate::model::{EventKind, LaneRef, Order, ProviderSettings, Usage};

use super::lane::{Lane, LaneReport, Passage, Standing, When};
use super::pace::{Spacer, TokenWindow};

/// A lane, by its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct LaneId(usize);

/// What someone who wants to send has to say.
#[derive(Debug, Clone)]
pub(super) struct Wish {
    pub(super) lane: LaneId,
    pub(super) order: Order,
    pub(super) standing: Standing,
    /// For how long the provider wants nothing else after it.
    pub(super) spacing: Option<Duration>,
    /// What it will take, in tokens, as far as can be guessed.
    pub(super) tokens: u64,
}

/// A place among those who wait.
#[derive(Debug, Clone)]
pub(super) struct Ticket {
    lane: LaneId,
    seat: Seat,
}

/// Precedence; among equals, the order of arrival.
type Seat = (Order, u64);

/// A request that may be sent, or is.
#[derive(Debug)]
pub(super) struct Granted {
    lane: LaneId,
    passage: Passage,
    tokens: Option<u64>,
}

/// What came of a request.
#[derive(Debug, Clone, Copy)]
pub(super) enum End {
    /// A whole answer.
    Answered(Option<Usage>),
    /// The server refused it for now, and may have said for how long.
    Refused(Option<Duration>),
    /// No answer, and it took this all the same.
    Failed(Usage),
    /// Nothing that says anything about the lane; or it was never sent.
    Other,
}

/// What the end of a request means for others.
#[derive(Debug, Default)]
pub(super) struct Aftermath {
    pub(super) news: Vec<EventKind>,
    /// How long its lane is silent from now on.
    pub(super) silence: Duration,
}

/// All that wait and all that are on the wire.
#[derive(Debug)]
pub(super) struct Admission {
    ceiling: Option<u32>,
    on_wire: u32,
    paces: Vec<Pace>,
    queues: Vec<Queue>,
    /// Permits that have not been picked up yet, by the number of their seat.
    granted: HashMap<u64, Granted>,
    arrivals: u64,
    alarm: Option<Alarm>,
}

/// The pace of one provider, over all its lanes.
#[derive(Debug)]
struct Pace {
    /// At most so many requests on the wire.
    ceiling: Option<u32>,
    on_wire: u32,
    rate: Option<Spacer>,
    /// Until when it wants to be left alone by requests that are spaced.
    spaced_until: Option<Instant>,
    tokens: Option<TokenWindow>,
}

/// A lane and those who wait for it.
#[derive(Debug)]
struct Queue {
    provider: usize,
    lane: Lane,
    waiting: BTreeMap<Seat, Waiting>,
    /// Those of them that go alone.
    alone: BTreeSet<Seat>,
}

#[derive(Debug)]
struct Waiting {
    wish: Wish,
    since: Instant,
    bell: Arc<Notify>,
}

/// One of those who wait looks again when it is time, on behalf of all.
#[derive(Debug, Clone, PartialEq)]
struct Alarm {
    number: u64,
    at: Instant,
}

impl Admission {
    /// For these providers; at most `ceiling` requests on the wire over all of them.
    pub(super) fn new<'a>(providers: impl IntoIterator<Item = &'a ProviderSettings>, ceiling: Option<u32>) -> Self {
        let pace = |settings: &ProviderSettings| Pace {
            ceiling: settings.concurrency.map(|ceiling| ceiling.max(1)),
            on_wire: 0,
            rate: settings.rate.map(|rate| Spacer::new(rate.spacing())),
            spaced_until: None,
            tokens: settings.tokens_per_minute.map(TokenWindow::new),
        };
        Self {
            ceiling: ceiling.map(|ceiling| ceiling.max(1)),
            on_wire: 0,
            paces: providers.into_iter().map(pace).collect(),
            queues: Vec::new(),
            granted: HashMap::new(),
            arrivals: 0,
            alarm: None,
        }
    }

    /// The lane of this name, made with this ceiling if there is none yet. `provider` counts as in [`Admission::new`].
    pub(super) fn lane(&mut self, provider: usize, name: &LaneRef, ceiling: u32) -> LaneId {
        let known = self.queues.iter().position(|queue| queue.lane.name() == name);
        LaneId(known.unwrap_or_else(|| {
            let lane = Lane::new(name.clone(), ceiling);
            self.queues.push(Queue { provider, lane, waiting: BTreeMap::new(), alone: BTreeSet::new() });
            self.queues.len() - 1
        }))
    }

    /// A provider that takes no more than so many requests at once over all its lanes, unless its settings say how many.
    pub(super) fn bound(&mut self, provider: usize, ceiling: u32) {
        self.paces[provider].ceiling.get_or_insert(ceiling.max(1));
    }

    pub(super) fn reports(&self) -> Vec<LaneReport> {
        self.queues.iter().map(|queue| queue.lane.report().clone()).collect()
    }

    /// Waits from now on; `bell` is rung when it is worth looking again.
    pub(super) fn join(&mut self, wish: Wish, bell: Arc<Notify>, now: Instant) -> Ticket {
        self.arrivals += 1;
        let (lane, seat) = (wish.lane, (wish.order.clone(), self.arrivals));
        self.queues[lane.0].insert(seat.clone(), Waiting { wish, since: now, bell });
        self.admit(now);
        Ticket { lane, seat }
    }

    /// The permit, if it has been granted.
    pub(super) fn pick_up(&mut self, ticket: &Ticket) -> Option<Granted> {
        self.granted.remove(&ticket.seat.1)
    }

    /// The permit, if it has been granted; else when to look again at the latest, if it is this one's task.
    pub(super) fn look(&mut self, ticket: &Ticket, now: Instant) -> Result<Granted, Option<Instant>> {
        self.admit(now);
        let alarm = self.alarm.as_ref().filter(|alarm| alarm.number == ticket.seat.1).map(|alarm| alarm.at);
        self.pick_up(ticket).ok_or(alarm)
    }

    /// Waits no more, or does not want its permit after all.
    pub(super) fn withdraw(&mut self, ticket: &Ticket, now: Instant) {
        self.queues[ticket.lane.0].remove(&ticket.seat);
        match self.pick_up(ticket) {
            Some(granted) => drop(self.leave(&granted, End::Other, now)),
            None => self.admit(now),
        }
    }

    /// The server has begun to answer.
    pub(super) fn accept(&mut self, granted: &Granted, now: Instant) -> Option<EventKind> {
        let news = self.queues[granted.lane.0].lane.accept(&granted.passage);
        self.admit(now);
        news
    }

    /// A request is no longer on the wire.
    pub(super) fn leave(&mut self, granted: &Granted, end: End, now: Instant) -> Aftermath {
        let Queue { provider, lane, .. } = &mut self.queues[granted.lane.0];
        let mut aftermath = Aftermath::default();
        match end {
            End::Answered(_) => lane.succeed(&granted.passage),
            End::Refused(asked) => {
                aftermath.news = lane.refuse(&granted.passage, asked, now);
                aftermath.silence = lane.silence(now);
            }
            End::Failed(_) | End::Other => {}
        }
        lane.leave(&granted.passage, now);
        self.on_wire -= 1;
        let pace = &mut self.paces[*provider];
        pace.on_wire -= 1;
        if let (Some(window), Some(id)) = (&mut pace.tokens, granted.tokens) {
            match end {
                End::Answered(Some(usage)) | End::Failed(usage) => window.settle(id, usage.total_tokens),
                End::Refused(_) => window.settle(id, 0),
                End::Answered(None) | End::Other => {}
            }
        }
        self.admit(now);
        aftermath
    }

    /// Gives permits to all who may go now, and sets the alarm for the next.
    fn admit(&mut self, now: Instant) {
        let mut next = None;
        while self.ceiling.is_none_or(|ceiling| self.on_wire < ceiling) {
            let candidates = self.queues.iter().enumerate().filter_map(|(index, queue)| {
                let (seat, when) = queue.candidate(&self.paces[queue.provider], now)?;
                Some((LaneId(index), seat, when))
            });
            let mut first: Option<(LaneId, &Seat)> = None;
            next = None;
            for (lane, seat, when) in candidates {
                match when {
                    When::Now if first.is_none_or(|(_, best)| seat < best) => first = Some((lane, seat)),
                    When::At(at) if next.as_ref().is_none_or(|alarm: &Alarm| at < alarm.at) => {
                        next = Some(Alarm { number: seat.1, at });
                    }
                    _ => {}
                }
            }
            let Some((lane, seat)) = first else { break };
            let seat = seat.clone();
            self.grant(lane, &seat, now);
        }
        self.set_alarm(next);
    }

    fn grant(&mut self, lane: LaneId, seat: &Seat, now: Instant) {
        let queue = &mut self.queues[lane.0];
        let Some(Waiting { wish, since, bell }) = queue.remove(seat) else { return };
        queue.lane.waited(now.saturating_duration_since(since));
        let passage = queue.lane.send(wish.standing, now);
        let tokens = self.paces[queue.provider].take(&wish, now);
        self.on_wire += 1;
        self.granted.insert(seat.1, Granted { lane, passage, tokens });
        bell.notify_one();
    }

    fn set_alarm(&mut self, next: Option<Alarm>) {
        if self.alarm == next {
            return;
        }
        self.alarm = next;
        let Some(alarm) = &self.alarm else { return };
        let keeper = self.queues.iter().flat_map(|queue| &queue.waiting).find(|(seat, _)| seat.1 == alarm.number);
        if let Some((_, waiting)) = keeper {
            waiting.bell.notify_one();
        }
    }
}

impl Queue {
    fn insert(&mut self, seat: Seat, waiting: Waiting) {
        if waiting.wish.standing.goes_alone() {
            self.alone.insert(seat.clone());
        }
        self.waiting.insert(seat, waiting);
    }

    fn remove(&mut self, seat: &Seat) -> Option<Waiting> {
        self.alone.remove(seat);
        self.waiting.remove(seat)
    }

    /// Who goes next through this lane, and when. Whoever goes alone would never come to it behind others.
    fn candidate(&self, pace: &Pace, now: Instant) -> Option<(&Seat, When)> {
        let (seat, waiting) = match self.alone.first() {
            _ if self.lane.wants_probe() => self.prober(),
            Some(seat) => self.waiting.get_key_value(seat),
            None => self.waiting.first_key_value(),
        }?;
        let when = match self.lane.when(waiting.wish.standing, now) {
            When::Later => When::Later,
            When::Now if pace.is_full() => When::Later,
            When::Now => pace.ready_at(&waiting.wish, now).map_or(When::Now, When::At),
            When::At(at) => When::At(pace.ready_at(&waiting.wish, now).map_or(at, |ready| ready.max(at))),
        };
        Some((seat, when))
    }

    /// A probe may well be refused: it is made by whoever can best afford it, so that no item pays for all of them.
    fn prober(&self) -> Option<(&Seat, &Waiting)> {
        self.waiting.iter().max_by_key(|(seat, waiting)| {
            let Standing { left, refusals } = waiting.wish.standing;
            (Reverse(refusals), left, Reverse(*seat))
        })
    }
}

impl Pace {
    fn is_full(&self) -> bool {
        self.ceiling.is_some_and(|ceiling| self.on_wire >= ceiling)
    }

    /// When a request may start, if not now.
    fn ready_at(&self, wish: &Wish, now: Instant) -> Option<Instant> {
        let rate = self.rate.as_ref().and_then(Spacer::ready_at);
        let spaced = wish.spacing.and(self.spaced_until);
        let tokens = self.tokens.as_ref().and_then(|window| window.ready_at(now, wish.tokens));
        [rate, spaced, tokens].into_iter().flatten().max().filter(|at| *at > now)
    }

    /// A request starts; the number is that of its tokens.
    fn take(&mut self, wish: &Wish, now: Instant) -> Option<u64> {
        self.on_wire += 1;
        if let Some(rate) = &mut self.rate {
            rate.take(now);
        }
        if let Some(spacing) = wish.spacing {
            self.spaced_until = Some(now + spacing);
        }
        self.tokens.as_mut().map(|window| window.take(now, wish.tokens))
    }
}

#[cfg(test)]
mod tests {
    use std::ops::Range;

    use futures::FutureExt;
    use proptest::prelude::*;

    use super::*;

    const LANES: usize = 3;

    #[derive(Debug, Clone)]
    enum Deed {
        Join {
            lane: usize,
            depth: u32,
            index: u64,
            standing: Standing,
        },
        /// The request on the wire, by its number modulo how many there are, comes to an end.
        End(usize, Ending),
        /// One that waits leaves.
        Leave(usize),
        /// A request ends, and whoever is next leaves before it has picked up its permit.
        LeaveGranted,
        Pass(Duration),
    }

    #[derive(Debug, Clone, Copy)]
    enum Ending {
        Answered,
        Refused,
        Other,
    }

    fn deeds(endings: impl Strategy<Value = Ending>, refusals: Range<u32>) -> impl Strategy<Value = Vec<Deed>> {
        let join =
            (0..LANES, 0_u32..3, 0_u64..10, 1_u32..4, refusals).prop_map(|(lane, depth, index, left, refusals)| {
                Deed::Join { lane, depth, index, standing: Standing { left, refusals } }
            });
        let deed = prop_oneof![
            4 => join,
            4 => (any::<usize>(), endings).prop_map(|(which, ending)| Deed::End(which, ending)),
            1 => any::<usize>().prop_map(Deed::Leave),
            1 => Just(Deed::LeaveGranted),
            1 => (0_u64..5_000).prop_map(|ms| Deed::Pass(Duration::from_millis(ms))),
        ];
        prop::collection::vec(deed, 1..120)
    }

    /// All that a test knows of the desk from outside.
    struct World {
        admission: Admission,
        lanes: Vec<LaneId>,
        waiting: Vec<(Ticket, Arc<Notify>)>,
        wire: Vec<Granted>,
        now: Instant,
    }

    impl World {
        fn new(ceiling: Option<u32>, concurrency: Option<u32>, limits: [u32; LANES]) -> Self {
            let settings = ProviderSettings { concurrency, ..ProviderSettings::built_in("offline").unwrap() };
            let mut admission = Admission::new([&settings], ceiling);
            let lane = |(index, limit): (usize, u32)| {
                let model = Some(index.to_string().into());
                admission.lane(0, &LaneRef { provider: "p".into(), model }, limit)
            };
            let lanes = limits.into_iter().enumerate().map(lane).collect();
            Self { admission, lanes, waiting: vec![], wire: vec![], now: Instant::now() }
        }

        fn act(&mut self, deed: &Deed) {
            match deed {
                Deed::Join { lane, depth, index, standing } => {
                    let order = Order { depth: *depth, path: [*index].into() };
                    let wish = Wish { lane: self.lanes[*lane], order, standing: *standing, spacing: None, tokens: 0 };
                    let bell = Arc::new(Notify::new());
                    let ticket = self.admission.join(wish, Arc::clone(&bell), self.now);
                    bell.notify_one();
                    self.waiting.push((ticket, bell));
                }
                Deed::End(which, ending) if !self.wire.is_empty() => {
                    let granted = self.wire.swap_remove(which % self.wire.len());
                    let end = match ending {
                        Ending::Answered => End::Answered(None),
                        Ending::Refused => End::Refused(None),
                        Ending::Other => End::Other,
                    };
                    if matches!(ending, Ending::Answered) {
                        self.admission.accept(&granted, self.now);
                    }
                    self.admission.leave(&granted, end, self.now);
                }
                Deed::Leave(which) if !self.waiting.is_empty() => {
                    let (ticket, _) = self.waiting.swap_remove(which % self.waiting.len());
                    self.admission.withdraw(&ticket, self.now);
                }
                Deed::LeaveGranted if !self.wire.is_empty() && !self.waiting.is_empty() => {
                    let granted = self.wire.swap_remove(0);
                    self.admission.leave(&granted, End::Other, self.now);
                    let next = (0..self.waiting.len()).min_by_key(|at| self.waiting[*at].0.seat.clone()).unwrap();
                    let (ticket, _) = self.waiting.swap_remove(next);
                    self.admission.withdraw(&ticket, self.now);
                }
                Deed::Pass(time) => self.now += *time,
                Deed::End(..) | Deed::Leave(_) | Deed::LeaveGranted => {}
            }
            self.pick_up();
        }

        /// Whoever's bell was rung, or whose alarm it is, looks; nobody else does.
        fn pick_up(&mut self) {
            loop {
                let now = self.now;
                let due = self.admission.alarm.clone().filter(|alarm| alarm.at <= now).map(|alarm| alarm.number);
                let rung = self
                    .waiting
                    .iter()
                    .position(|(ticket, bell)| bell.notified().now_or_never().is_some() || due == Some(ticket.seat.1));
                let Some(rung) = rung else { return };
                if let Ok(granted) = self.admission.look(&self.waiting[rung].0, now) {
                    self.wire.push(granted);
                    self.waiting.swap_remove(rung);
                }
            }
        }

        fn on_wire(&self, lane: LaneId) -> usize {
            self.wire.iter().filter(|granted| granted.lane == lane).count()
        }

        /// Everything ends well and nobody new comes: nobody is left behind.
        fn settle(&mut self) {
            for _ in 0..10_000 {
                if self.waiting.is_empty() && self.wire.is_empty() {
                    return;
                }
                self.act(&Deed::End(0, Ending::Answered));
                self.act(&Deed::Pass(Duration::from_secs(1)));
            }
        }
    }

    fn any_ending() -> impl Strategy<Value = Ending> {
        prop_oneof![3 => Just(Ending::Answered), 2 => Just(Ending::Refused), 1 => Just(Ending::Other)]
    }

    proptest! {
        #[test]
        fn limits_hold_and_no_permit_is_lost(
            ceiling in prop::option::of(1_u32..6), concurrency in prop::option::of(1_u32..6),
            limits in [1_u32..6, 1_u32..6, 1_u32..6], deeds in deeds(any_ending(), 0..4),
        ) {
            let mut world = World::new(ceiling, concurrency, limits);
            for deed in &deeds {
                world.act(deed);
                for ceiling in [ceiling, concurrency].into_iter().flatten() {
                    prop_assert!(world.wire.len() <= ceiling as usize);
                }
                for (lane, limit) in world.lanes.iter().zip(limits) {
                    prop_assert!(world.on_wire(*lane) <= limit as usize);
                }
                prop_assert_eq!(world.admission.on_wire as usize, world.wire.len());
            }
            world.settle();
            prop_assert_eq!((world.waiting.len(), world.wire.len(), world.admission.granted.len()), (0, 0, 0));
            prop_assert_eq!(world.admission.on_wire, 0);
        }

        #[test]
        fn nobody_waits_while_there_is_room_and_the_first_in_order_goes_first(
            ceiling in prop::option::of(1_u32..6), concurrency in prop::option::of(1_u32..6),
            limits in [1_u32..6, 1_u32..6, 1_u32..6],
            deeds in deeds(prop_oneof![Just(Ending::Answered), Just(Ending::Other)], 0..2),
        ) {
            let mut world = World::new(ceiling, concurrency, limits);
            for deed in &deeds {
                let before: Vec<u64> = world.waiting.iter().map(|(ticket, _)| ticket.seat.1).collect();
                let mut seats: BTreeMap<u64, Ticket> =
                    world.waiting.iter().map(|(ticket, _)| (ticket.seat.1, ticket.clone())).collect();
                world.act(deed);
                let mut ceilings = [ceiling, concurrency].into_iter().flatten();
                let is_full = ceilings.any(|ceiling| world.wire.len() == ceiling as usize);
                for (ticket, _) in &world.waiting {
                    let lane_is_full = world.on_wire(ticket.lane) == limits[ticket.lane.0] as usize;
                    prop_assert!(is_full || lane_is_full);
                    seats.remove(&ticket.seat.1);
                }
                // What is no longer waiting went (or left) before all of its lane that still wait.
                if !matches!(deed, Deed::Leave(_) | Deed::LeaveGranted) {
                    for gone in before.iter().filter_map(|number| seats.get(number)) {
                        let overtaken = world.waiting.iter().find(|(ticket, _)| {
                            before.contains(&ticket.seat.1) && ticket.lane == gone.lane && ticket.seat < gone.seat
                        });
                        prop_assert!(overtaken.is_none());
                    }
                }
            }
        }
    }
}
