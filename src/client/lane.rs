//! A lane: one provider's one model, and how much of it at once the server has shown to bear.
//!
//! Plain state that is told the time; who waits for it is [`Admission`](super::admission::Admission)'s affair.
//!
//! After a refusal (429 and its like) the lane is silent for a while, then sends one probe, then goes on at half of what
//! it had on the wire at once, and grows by one for each full round of successes. Requests that were on the wire when it
//! slowed down belong to the same burst, and their refusals change nothing more. Half may still be too much for the
//! server. So that this costs no item more than one attempt, an item that was refused once is sent only at a level that
//! has *held*: as many at once as the server is known to have borne. Items that were never refused find out about the
//! levels above it. Where a burst was refused as a whole nothing is known, and an item with an attempt to spare may try
//! one level more.
//!
//! What has held is seen from here, where answers are still on their way that the server is done with: it may be more
//! than the server bears. An item that was refused again, and has one attempt left, is sent alone.

use std::time::Duration;

use tokio::time::Instant;

use crate::model::{EventKind, LaneRef};

/// The pause after a refusal that names no time; it doubles with each refusal in a row.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest pause that no server has named.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// By so much a pause must grow to be told again: the refusals of one burst name the same time, a moment apart.
const NOTICEABLE: Duration = Duration::from_millis(500);

/// What a lane was like, for the summary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaneReport {
    /// Which.
    pub lane: LaneRef,
    /// The limit that it began with, and that it never passes.
    pub ceiling: u32,
    /// The limit now.
    pub limit: u32,
    /// The lowest limit that it had.
    pub lowest: u32,
    /// The most requests that were on the wire at once.
    pub peak: u32,
    /// Requests sent.
    pub sent: u64,
    /// Requests that the server refused.
    pub refused: u64,
    /// How often it paused.
    pub pauses: u64,
    /// For how long it sent nothing, since the server had refused.
    pub paused: Duration,
    /// How long requests waited for their permit, all of them together.
    pub waited: Duration,
}

/// When something may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    Now,
    /// Not before this.
    At(Instant),
    /// When something else has come to an end.
    Later,
}

/// What the lane must know of an item that wants to go.
#[derive(Debug, Clone, Copy)]
pub(super) struct Standing {
    /// Attempts left, this one included.
    pub(super) left: u32,
    /// How often this lane has refused it.
    pub(super) refusals: u32,
}

impl Standing {
    /// Whether it is sent when nothing else is on the wire, and nothing else is sent with it.
    pub(super) fn goes_alone(self) -> bool {
        self.left == 1 && self.refusals > 1
    }
}

/// A request of a lane that has a permit.
#[derive(Debug, Clone, Copy)]
pub(super) struct Passage {
    /// How many slow-downs there were before it.
    epoch: u64,
    /// How many were on the wire with it, itself included.
    level: u32,
    /// Whether its item was refused before.
    once_refused: bool,
    is_alone: bool,
    is_probe: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Open,
    /// Silent until then; after that it waits for a probe.
    Paused {
        since: Instant,
        until: Instant,
    },
    /// The probe is on the wire.
    Probing,
}

#[derive(Debug)]
pub(super) struct Lane {
    phase: Phase,
    on_wire: u32,
    /// The most that were on the wire at once since the last slow-down.
    busiest: u32,
    /// Of these, how many are of items that were refused before.
    careful: u32,
    /// Whether one is on the wire that goes alone.
    is_alone: bool,
    /// As many at once as the server is known to have borne.
    held: u32,
    /// Whether `held` is the least that can be, since nothing of a burst got through.
    is_guess: bool,
    epoch: u64,
    /// Of the requests on the wire at the last slow-down, those that were not refused so far.
    survivors: u32,
    /// Pauses in a row, without a round of successes in between.
    in_a_row: u32,
    /// Successes since the lane slowed down or the pauses were forgotten.
    calm: u32,
    /// Successes at the limit since it last changed.
    round: u32,
    report: LaneReport,
}

impl Lane {
    pub(super) fn new(lane: LaneRef, ceiling: u32) -> Self {
        let ceiling = ceiling.max(1);
        Self {
            phase: Phase::Open,
            on_wire: 0,
            busiest: 0,
            careful: 0,
            is_alone: false,
            held: ceiling,
            is_guess: false,
            epoch: 0,
            survivors: 0,
            in_a_row: 0,
            calm: 0,
            round: 0,
            report: LaneReport {
                lane,
                ceiling,
                limit: ceiling,
                lowest: ceiling,
                peak: 0,
                sent: 0,
                refused: 0,
                pauses: 0,
                paused: Duration::ZERO,
                waited: Duration::ZERO,
            },
        }
    }

    pub(super) fn report(&self) -> &LaneReport {
        &self.report
    }

    pub(super) fn name(&self) -> &LaneRef {
        &self.report.lane
    }

    /// Whether the next to go is a probe, for which any item will do.
    pub(super) fn wants_probe(&self) -> bool {
        matches!(self.phase, Phase::Paused { .. })
    }

    /// When an item may go.
    pub(super) fn when(&self, item: Standing, now: Instant) -> When {
        match self.phase {
            Phase::Probing => When::Later,
            Phase::Paused { until, .. } if until > now => When::At(until),
            Phase::Paused { .. } => self.room(self.report.ceiling, item),
            Phase::Open => self.room(self.report.limit, item),
        }
    }

    fn room(&self, limit: u32, item: Standing) -> When {
        // What is being careful must not be overtaken either: the server does not know who came first.
        let is_careful = item.refusals > 0 || self.careful > 0;
        let may_try = self.is_guess && item.left > 1 && self.calm >= self.held;
        let limit = match item.goes_alone() {
            _ if self.is_alone => 0,
            true => 1,
            false if is_careful => limit.min(self.held + u32::from(may_try)),
            false => limit,
        };
        if self.on_wire < limit { When::Now } else { When::Later }
    }

    /// A request goes out; [`Lane::when`] has said that it may.
    pub(super) fn send(&mut self, item: Standing, now: Instant) -> Passage {
        let (once_refused, is_alone) = (item.refusals > 0, item.goes_alone());
        self.on_wire += 1;
        self.busiest = self.busiest.max(self.on_wire);
        self.careful += u32::from(once_refused);
        self.is_alone |= is_alone;
        self.report.sent += 1;
        self.report.peak = self.report.peak.max(self.on_wire);
        let is_probe = self.wants_probe();
        if let Phase::Paused { since, .. } = self.phase {
            self.report.paused += now.saturating_duration_since(since);
            self.phase = Phase::Probing;
        }
        Passage { epoch: self.epoch, level: self.on_wire, once_refused, is_alone, is_probe }
    }

    /// Counts time that a request waited for its permit.
    pub(super) fn waited(&mut self, time: Duration) {
        self.report.waited += time;
    }

    /// A request has not been refused: the server has begun to answer.
    pub(super) fn accept(&mut self, passage: &Passage) -> Option<EventKind> {
        if !passage.is_probe || self.phase != Phase::Probing {
            return None;
        }
        self.phase = Phase::Open;
        Some(EventKind::LaneOpened { lane: self.name().clone(), limit: self.report.limit })
    }

    /// A request has been answered. It is still on the wire.
    pub(super) fn succeed(&mut self, passage: &Passage) {
        if passage.epoch != self.epoch {
            return;
        }
        self.held = self.held.max(passage.level);
        self.calm = self.calm.saturating_add(1);
        if self.calm >= self.report.limit {
            self.in_a_row = 0;
        }
        if self.on_wire < self.report.limit {
            return;
        }
        self.round += 1;
        if self.round >= self.report.limit && self.report.limit < self.report.ceiling {
            self.report.limit += 1;
            self.round = 0;
        }
    }

    /// A request has been refused. It is still on the wire.
    pub(super) fn refuse(&mut self, passage: &Passage, asked: Option<Duration>, now: Instant) -> Vec<EventKind> {
        self.report.refused += 1;
        let asked = asked.filter(|pause| !pause.is_zero());
        if passage.epoch != self.epoch {
            self.survivors = self.survivors.saturating_sub(1);
            self.note_survivors();
            return self.prolong(asked, now).into_iter().collect();
        }
        self.survivors = self.on_wire.saturating_sub(1);
        // A request that was alone on the wire says nothing about how many may be.
        if self.survivors > 0 {
            self.note_survivors();
        }
        self.epoch += 1;
        self.calm = 0;
        self.round = 0;
        let slowed = (!passage.is_probe).then(|| self.halve());
        self.busiest = 0;
        slowed.into_iter().chain([self.pause(asked, now)]).collect()
    }

    fn note_survivors(&mut self) {
        self.held = self.held.min(self.survivors.max(1));
        self.is_guess = self.survivors == 0;
    }

    /// A refused probe says "not yet", not "fewer": it does not come here.
    fn halve(&mut self) -> EventKind {
        // A limit that was never reached is none that the server has refused. One request alone says nothing of it.
        let had = if self.busiest > 1 { self.report.limit.min(self.busiest) } else { self.report.limit };
        self.report.limit = (had / 2).max(1);
        self.report.lowest = self.report.lowest.min(self.report.limit);
        EventKind::LaneSlowed { lane: self.name().clone(), limit: self.report.limit }
    }

    fn pause(&mut self, asked: Option<Duration>, now: Instant) -> EventKind {
        let own = FIRST_PAUSE.saturating_mul(1 << self.in_a_row.min(16)).min(LONGEST_PAUSE);
        let pause = asked.unwrap_or(own);
        self.in_a_row += 1;
        self.report.pauses += 1;
        self.phase = Phase::Paused { since: now, until: now + pause };
        EventKind::LanePaused { lane: self.name().clone(), pause, asked: asked.is_some() }
    }

    /// Another refusal of the same burst may name a longer time.
    fn prolong(&mut self, asked: Option<Duration>, now: Instant) -> Option<EventKind> {
        let (pause, Phase::Paused { until, .. }) = (asked?, &mut self.phase) else { return None };
        let longer = now + pause;
        if longer <= *until {
            return None;
        }
        let is_noticeable = longer.saturating_duration_since(*until) >= NOTICEABLE;
        *until = longer;
        is_noticeable.then(|| EventKind::LanePaused { lane: self.name().clone(), pause, asked: true })
    }

    /// A request is no longer on the wire, whatever came of it. A probe that brought no answer is followed by another.
    pub(super) fn leave(&mut self, passage: &Passage, now: Instant) {
        self.on_wire -= 1;
        self.careful -= u32::from(passage.once_refused);
        self.is_alone &= !passage.is_alone;
        if passage.is_probe && passage.epoch == self.epoch && self.phase == Phase::Probing {
            self.phase = Phase::Paused { since: now, until: now };
        }
    }

    /// How long it is silent from now on.
    pub(super) fn silence(&self, now: Instant) -> Duration {
        match self.phase {
            Phase::Paused { until, .. } => until.saturating_duration_since(now),
            Phase::Open | Phase::Probing => Duration::ZERO,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRESH: Standing = Standing { left: 3, refusals: 0 };
    const REFUSED: Standing = Standing { left: 2, refusals: 1 };
    const LAST: Standing = Standing { left: 1, refusals: 1 };
    const ALONE: Standing = Standing { left: 1, refusals: 2 };

    fn lane(ceiling: u32) -> Lane {
        Lane::new(LaneRef { provider: "p".into(), model: None }, ceiling)
    }

    fn fill(lane: &mut Lane, now: Instant) -> Vec<Passage> {
        std::iter::from_fn(|| (lane.when(FRESH, now) == When::Now).then(|| lane.send(FRESH, now))).collect()
    }

    fn refuse(lane: &mut Lane, passage: &Passage, asked: Option<Duration>, now: Instant) -> Vec<EventKind> {
        let news = lane.refuse(passage, asked, now);
        lane.leave(passage, now);
        news
    }

    fn succeed(lane: &mut Lane, passage: &Passage, now: Instant) -> Option<EventKind> {
        let news = lane.accept(passage);
        lane.succeed(passage);
        lane.leave(passage, now);
        news
    }

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_burst_is_one_slow_down() {
        let (mut lane, now) = (lane(32), Instant::now());
        let burst = fill(&mut lane, now);
        assert_eq!(burst.len(), 32);
        let news = refuse(&mut lane, &burst[4], None, now);
        let name = lane.name().clone();
        assert_eq!(
            news,
            [
                EventKind::LaneSlowed { lane: name.clone(), limit: 16 },
                EventKind::LanePaused { lane: name, pause: SECOND, asked: false },
            ]
        );
        for passage in &burst[5..] {
            assert_eq!(refuse(&mut lane, passage, None, now), []);
        }
        assert_eq!((lane.report.limit, lane.held, lane.on_wire), (16, 4, 4));
        assert_eq!(lane.when(FRESH, now), When::At(now + SECOND));
    }

    #[test]
    fn half_is_half_of_what_was_on_the_wire() {
        let (mut lane, now) = (lane(256), Instant::now());
        let wire: Vec<_> = (0..24).map(|_| lane.send(FRESH, now)).collect();
        wire[..20].iter().for_each(|passage| drop(succeed(&mut lane, passage, now)));
        refuse(&mut lane, &wire[20], None, now);
        assert_eq!(lane.report.limit, 12);
    }

    #[test]
    fn one_probe_opens_the_lane_at_half() {
        let (mut lane, now) = (lane(8), Instant::now());
        for passage in fill(&mut lane, now) {
            refuse(&mut lane, &passage, Some(5 * SECOND), now);
        }
        let later = now + 5 * SECOND;
        assert_eq!(lane.when(FRESH, later - SECOND), When::At(later));
        let probe = lane.send(FRESH, later);
        assert_eq!(lane.when(FRESH, later), When::Later);
        assert!(matches!(succeed(&mut lane, &probe, later), Some(EventKind::LaneOpened { limit: 4, .. })));
        assert_eq!(fill(&mut lane, later).len(), 4);
        assert_eq!((lane.report.pauses, lane.report.paused), (1, 5 * SECOND));
    }

    #[test]
    fn refused_probes_double_the_pause_and_a_round_of_successes_forgets_it() {
        let (mut lane, mut now) = (lane(2), Instant::now());
        let mut pauses = vec![];
        for _ in 0..9 {
            let probe = lane.send(FRESH, now);
            refuse(&mut lane, &probe, None, now);
            pauses.push(lane.silence(now).as_secs());
            now += lane.silence(now);
        }
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
        assert_eq!(lane.report.limit, 1);
        let probe = lane.send(FRESH, now);
        succeed(&mut lane, &probe, now);
        let next = lane.send(FRESH, now);
        refuse(&mut lane, &next, None, now);
        assert_eq!(lane.silence(now), SECOND);
    }

    #[test]
    fn a_full_round_of_successes_adds_one_up_to_the_ceiling() {
        let (mut lane, now) = (lane(4), Instant::now());
        let first = lane.send(FRESH, now);
        refuse(&mut lane, &first, None, now);
        let probe = lane.send(FRESH, now + SECOND);
        succeed(&mut lane, &probe, now);
        let mut limits = vec![];
        for _ in 0..12 {
            let wire = fill(&mut lane, now);
            limits.push(lane.report.limit);
            for passage in wire {
                succeed(&mut lane, &passage, now);
                let refill = lane.send(FRESH, now);
                lane.leave(&refill, now);
            }
        }
        assert_eq!(limits.first(), Some(&2));
        assert!(limits.is_sorted() && limits.windows(2).all(|pair| pair[1] - pair[0] <= 1), "{limits:?}");
    }

    #[test]
    fn successes_below_the_limit_add_nothing() {
        let (mut lane, now) = (lane(8), Instant::now());
        for passage in fill(&mut lane, now) {
            refuse(&mut lane, &passage, None, now);
        }
        for _ in 0..100 {
            let passage = lane.send(FRESH, now + SECOND);
            succeed(&mut lane, &passage, now + SECOND);
        }
        assert_eq!(lane.report.limit, 4);
    }

    #[test]
    fn what_was_refused_once_goes_only_where_the_lane_has_held() {
        let (mut lane, now) = (lane(32), Instant::now());
        let burst = fill(&mut lane, now);
        for passage in &burst[4..] {
            refuse(&mut lane, passage, None, now);
        }
        let later = now + SECOND;
        assert_eq!(lane.when(REFUSED, later), When::Later, "as many are on the wire as have held");
        assert_eq!(lane.when(FRESH, later), When::Now, "what was never refused may try");
        succeed(&mut lane, &burst[0], later);
        let probe = lane.send(REFUSED, later);
        succeed(&mut lane, &probe, later);
        let careful = lane.send(REFUSED, later);
        assert_eq!(lane.when(FRESH, later), When::Later, "nobody overtakes a careful one");
        succeed(&mut lane, &careful, later);
        assert_eq!(lane.when(FRESH, later), When::Now);
    }

    #[test]
    fn after_a_burst_without_a_survivor_levels_are_tried_one_by_one() {
        let (mut lane, now) = (lane(32), Instant::now());
        for passage in fill(&mut lane, now) {
            refuse(&mut lane, &passage, None, now);
        }
        let later = now + SECOND;
        let probe = lane.send(REFUSED, later);
        succeed(&mut lane, &probe, later);
        let mut levels = vec![];
        for _ in 0..4 {
            let wire: Vec<_> =
                std::iter::from_fn(|| (lane.when(REFUSED, later) == When::Now).then(|| lane.send(REFUSED, later)))
                    .collect();
            levels.push(wire.len());
            assert_eq!(lane.when(LAST, later), When::Later);
            for passage in &wire {
                succeed(&mut lane, passage, later);
            }
        }
        assert_eq!(levels, [2, 3, 4, 5]);
    }

    #[test]
    fn a_last_attempt_after_two_refusals_goes_alone() {
        let (mut lane, now) = (lane(8), Instant::now());
        let other = lane.send(FRESH, now);
        assert_eq!(lane.when(ALONE, now), When::Later);
        succeed(&mut lane, &other, now);
        assert_eq!(lane.when(ALONE, now), When::Now);
        let alone = lane.send(ALONE, now);
        assert_eq!((lane.when(FRESH, now), lane.when(ALONE, now)), (When::Later, When::Later));
        succeed(&mut lane, &alone, now);
        assert_eq!(lane.when(FRESH, now), When::Now);
    }

    #[test]
    fn a_probe_without_an_answer_is_followed_by_another() {
        let (mut lane, now) = (lane(4), Instant::now());
        let first = lane.send(FRESH, now);
        refuse(&mut lane, &first, None, now);
        let later = now + SECOND;
        let probe = lane.send(FRESH, later);
        lane.leave(&probe, later);
        assert!(lane.wants_probe());
        assert_eq!(lane.when(FRESH, later), When::Now);
    }

    #[test]
    fn the_longest_time_that_a_burst_names_counts() {
        let (mut lane, now) = (lane(3), Instant::now());
        let burst = fill(&mut lane, now);
        refuse(&mut lane, &burst[0], Some(SECOND), now);
        assert_eq!(refuse(&mut lane, &burst[1], Some(9 * SECOND), now).len(), 1);
        assert_eq!(refuse(&mut lane, &burst[2], Some(2 * SECOND), now), []);
        assert_eq!(lane.silence(now), 9 * SECOND);
    }

    #[test]
    fn refusals_that_name_the_same_time_a_moment_apart_are_told_once() {
        let (mut lane, now) = (lane(3), Instant::now());
        let burst = fill(&mut lane, now);
        refuse(&mut lane, &burst[0], Some(SECOND), now);
        let moment = Duration::from_millis(3);
        assert_eq!(refuse(&mut lane, &burst[1], Some(SECOND), now + moment), []);
        assert_eq!(lane.silence(now), SECOND + moment);
    }

    #[test]
    fn a_ceiling_is_one_at_least() {
        assert_eq!(lane(0).report.ceiling, 1);
    }
}
