//! Things that come in any order and leave in the order of their places.

use std::collections::BTreeMap;
use std::ops::Bound;

type Place = Box<[u64]>;

/// Orders things by the path of their place in a tree of loops, and gives each as soon as nothing can come before it.
///
/// The places under a prefix are numbered from 0 without gaps, so under a prefix that is still open a place may go when
/// all with a lower number have gone. The root (the empty path) is open from the start. Whoever closes a prefix has
/// named every place under it.
#[derive(Debug)]
pub(super) struct InOrder<T> {
    places: BTreeMap<Place, State<T>>,
    /// The last in order of the places that have left.
    last: Option<Place>,
    /// How many things are here.
    held: usize,
}

#[derive(Debug)]
enum State<T> {
    /// To be settled; `next` is the lowest number of a place under it that may still be open.
    Open {
        next: u64,
    },
    Settled(T),
    /// Nothing came to this place, nor to its neighbours up to that of this number: a long row of them is one.
    Nothing {
        through: u64,
    },
}

/// A place was settled twice, or after something behind it had left.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TooLate;

impl<T> Default for InOrder<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> InOrder<T> {
    pub(super) fn new() -> Self {
        let root = (Place::default(), State::Open { next: 0 });
        Self { places: BTreeMap::from([root]), last: None, held: 0 }
    }

    /// `place` will be settled; until then nothing behind it leaves.
    pub(super) fn expect(&mut self, place: &[u64]) {
        if !self.is_past(place) && !self.places.contains_key(place) && !self.is_settled(place) {
            self.places.insert(place.into(), State::Open { next: 0 });
        }
    }

    /// `place` has come to this, and nothing comes to it any more.
    pub(super) fn settle(&mut self, place: &[u64], thing: Option<T>) -> Result<(), TooLate> {
        if self.is_settled(place) || (self.is_past(place) && !self.places.contains_key(place)) {
            // That nothing came is no news.
            return if thing.is_some() { Err(TooLate) } else { Ok(()) };
        }
        match thing {
            Some(thing) => {
                self.held += 1;
                self.places.insert(place.into(), State::Settled(thing));
            }
            None => self.settle_empty(place),
        }
        Ok(())
    }

    /// Nothing came to `place`: it joins its neighbours, unless anything else stands between them.
    fn settle_empty(&mut self, place: &[u64]) {
        self.places.remove(place);
        let mut through = number(place);
        let behind = self.places.range::<[u64], _>((Bound::Excluded(place), Bound::Unbounded)).next();
        if let Some((next, State::Nothing { through: end })) = behind
            && are_neighbours(place, through, next)
        {
            through = *end;
            let next = next.clone();
            self.places.remove(&next);
        }
        let before = self.places.range_mut::<[u64], _>((Bound::Unbounded, Bound::Excluded(place))).next_back();
        if let Some((previous, State::Nothing { through: end })) = before
            && are_neighbours(previous, *end, place)
        {
            *end = through;
            return;
        }
        self.places.insert(place.into(), State::Nothing { through });
    }

    fn is_settled(&self, place: &[u64]) -> bool {
        match self.places.range::<[u64], _>((Bound::Unbounded, Bound::Included(place))).next_back() {
            Some((known, State::Settled(_))) => **known == *place,
            Some((known, State::Nothing { through })) => {
                **known == *place || (are_siblings(known, place) && number(place) <= *through)
            }
            Some((_, State::Open { .. })) | None => false,
        }
    }

    /// How many things wait here for what comes before them.
    pub(super) fn held(&self) -> usize {
        self.held
    }

    /// Whether a place is behind one that waits here: nothing that is here waits for it.
    pub(super) fn is_behind_held(&self, place: &[u64]) -> bool {
        let mut before = self.places.range::<[u64], _>((Bound::Unbounded, Bound::Excluded(place)));
        before.any(|(_, state)| matches!(state, State::Settled(_)))
    }

    /// The next thing, if nothing can come before it.
    pub(super) fn next(&mut self) -> Option<T> {
        while let Some(place) = self.front() {
            if let Some(thing) = self.leave(place) {
                return Some(thing);
            }
        }
        None
    }

    /// Everything that is settled, whatever is still open.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = T> {
        std::mem::take(&mut self.places).into_values().filter_map(|state| match state {
            State::Settled(thing) => Some(thing),
            State::Open { .. } | State::Nothing { .. } => None,
        })
    }

    fn is_past(&self, place: &[u64]) -> bool {
        self.last.as_deref().is_some_and(|last| place <= last)
    }

    /// The first settled place, if nothing can come before it.
    fn front(&self) -> Option<Place> {
        let (mut place, mut state) = self.places.first_key_value()?;
        loop {
            let State::Open { next } = state else { return Some(place.clone()) };
            let behind = (Bound::Excluded(&**place), Bound::Unbounded);
            let (inner, inner_state) = self.places.range::<[u64], _>(behind).next()?;
            let number = inner.strip_prefix(&**place)?.first()?;
            let direct = inner.len() == place.len() + 1;
            // Under a lower number everything is named: that prefix is closed.
            if number > next || (number == next && !direct) {
                return None;
            }
            (place, state) = (inner, inner_state);
        }
    }

    fn leave(&mut self, mut place: Place) -> Option<T> {
        let state = self.places.remove(&place);
        if let (Some(State::Nothing { through }), Some(number)) = (&state, place.last_mut()) {
            *number = *through;
        }
        if let Some((number, outer)) = place.split_last()
            && let Some(State::Open { next }) = self.places.get_mut(outer)
        {
            *next = (*next).max(number + 1);
        }
        // A prefix leaves after what was under it, and stands before it.
        self.last = self.last.take().max(Some(place));
        match state {
            Some(State::Settled(thing)) => {
                self.held -= 1;
                Some(thing)
            }
            _ => None,
        }
    }
}

/// The number of a place under the prefix that it stands in.
fn number(place: &[u64]) -> u64 {
    place.last().copied().unwrap_or(0)
}

/// Whether two places stand in the same prefix.
fn are_siblings(one: &[u64], other: &[u64]) -> bool {
    one.len() == other.len() && !one.is_empty() && one[..one.len() - 1] == other[..other.len() - 1]
}

/// Whether `next` follows right after the place of this number beside `place`.
fn are_neighbours(place: &[u64], last: u64, next: &[u64]) -> bool {
    are_siblings(place, next) && last.checked_add(1) == Some(number(next))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, Clone)]
    enum Step {
        Expect(Vec<u64>),
        Settle(Vec<u64>, bool),
    }

    /// A tree of two loops: of each outer item, which inner ones have a row.
    fn steps(tree: &[Vec<bool>]) -> Vec<(Step, Vec<usize>)> {
        let mut steps: Vec<(Step, Vec<usize>)> = Vec::new();
        for (outer, inner) in (0u64..).zip(tree) {
            let named: Vec<usize> = (steps.len()..).take(inner.len()).collect();
            let leaf = |number: u64| vec![outer, number];
            steps.extend((0u64..).zip(inner).map(|(number, _)| (Step::Expect(leaf(number)), Vec::new())));
            steps.extend((0u64..).zip(inner).map(|(number, has)| (Step::Settle(leaf(number), *has), Vec::new())));
            steps.push((Step::Expect(vec![outer]), Vec::new()));
            steps.push((Step::Settle(vec![outer], false), named));
        }
        steps
    }

    /// The steps in the order of `keys`, each after those that it needs.
    fn shuffled(steps: &[(Step, Vec<usize>)], keys: &[u32]) -> Vec<Step> {
        let mut left: Vec<usize> = (0..steps.len()).collect();
        left.sort_by_key(|at| keys.get(*at).copied().unwrap_or(0));
        let mut done = Vec::new();
        let mut order = Vec::new();
        while let Some(position) = left.iter().position(|at| steps[*at].1.iter().all(|need| done.contains(need))) {
            let at = left.remove(position);
            done.push(at);
            order.push(steps[at].0.clone());
        }
        order
    }

    fn play(steps: &[Step]) -> (Vec<Vec<u64>>, Vec<Vec<u64>>) {
        let mut in_order = InOrder::new();
        let mut early = Vec::new();
        for step in steps {
            match step {
                Step::Expect(place) => in_order.expect(place),
                Step::Settle(place, has) => in_order.settle(place, has.then(|| place.clone())).unwrap(),
            }
            early.extend(std::iter::from_fn(|| in_order.next()));
        }
        (early, in_order.drain().collect())
    }

    proptest! {
        #[test]
        fn whatever_the_order_things_leave_in_the_order_of_their_places(
            tree in proptest::collection::vec(proptest::collection::vec(any::<bool>(), 0..4), 0..4),
            keys in proptest::collection::vec(any::<u32>(), 64),
            cut in 0usize..64,
        ) {
            let all = shuffled(&steps(&tree), &keys);
            let mut places: Vec<Vec<u64>> = all.iter().filter_map(|step| match step {
                Step::Settle(place, true) => Some(place.clone()),
                _ => None,
            }).collect();
            places.sort();
            let (early, rest) = play(&all);
            prop_assert_eq!(&early, &places, "all is settled, so all has left");
            prop_assert!(rest.is_empty());

            let (mut early, rest) = play(&all[..cut.min(all.len())]);
            early.extend(rest);
            prop_assert!(early.is_sorted(), "{:?}", early);
        }
    }

    #[test]
    fn nothing_is_held_that_can_go() {
        let mut in_order = InOrder::new();
        in_order.expect(&[0]);
        for number in 0..1000 {
            in_order.expect(&[0, number]);
            in_order.settle(&[0, number], Some(number)).unwrap();
            assert_eq!(in_order.next(), Some(number));
        }
        assert_eq!(in_order.places.len(), 2, "the root and the open prefix");
    }

    #[test]
    fn what_came_to_nothing_behind_an_open_place_is_one() {
        let mut in_order = InOrder::new();
        in_order.expect(&[0]);
        // From both ends, so that a run grows in front and behind, and two of them meet.
        let inwards = (1..500).flat_map(|number| [number, 1000 - number]).chain([500]);
        for number in inwards {
            in_order.expect(&[number]);
            in_order.settle(&[number], None).unwrap();
        }
        assert_eq!(in_order.places.len(), 3, "the root, the open place and the others");
        in_order.expect(&[700]);
        assert_eq!(in_order.settle(&[700], Some(700)), Err(TooLate));
        in_order.settle(&[1000], Some(1000)).unwrap();
        assert_eq!(in_order.next(), None);
        in_order.settle(&[0], Some(0)).unwrap();
        assert_eq!([in_order.next(), in_order.next(), in_order.next()], [Some(0), Some(1000), None]);
        assert_eq!(in_order.places.len(), 1, "the root");
        assert_eq!(in_order.settle(&[700], Some(700)), Err(TooLate));
    }

    #[test]
    fn an_open_place_holds_back_what_is_behind_it() {
        let mut in_order = InOrder::new();
        in_order.expect(&[0]);
        in_order.settle(&[1], Some(1)).unwrap();
        assert_eq!(in_order.next(), None);
        in_order.settle(&[0], None).unwrap();
        assert_eq!(in_order.next(), Some(1));
    }

    #[test]
    fn a_stage_without_loops_has_the_root_as_its_place() {
        let mut in_order = InOrder::new();
        in_order.expect(&[]);
        assert_eq!(in_order.next(), None);
        in_order.settle(&[], Some("row")).unwrap();
        assert_eq!(in_order.next(), Some("row"));
    }

    #[test]
    fn what_comes_twice_is_refused() {
        let mut in_order = InOrder::new();
        in_order.settle(&[0], Some(0)).unwrap();
        assert_eq!(in_order.settle(&[0], Some(0)), Err(TooLate));
        assert_eq!(in_order.next(), Some(0));
        assert_eq!(in_order.settle(&[0], Some(0)), Err(TooLate));
        assert_eq!(in_order.settle(&[0], None), Ok(()));
    }
}
