//! Of which instances another take is wanted than those that are kept.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::client::Events;
use crate::model::{EventKind, ItemRef};

/// Which calls are made anew, though an answer is kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Fresh {
    /// None.
    #[default]
    Nothing,
    /// All.
    Everything,
    /// Those of stages, or of single items of a stage by their key.
    Only(Vec<Target>),
}

/// A stage, or one of its items by its key.
pub type Target = (Arc<str>, Option<Arc<str>>);

/// What is wanted anew, and whether anything has come that it means.
#[derive(Debug)]
pub(super) struct FreshWish {
    fresh: Fresh,
    /// One for each that is named.
    met: Vec<AtomicBool>,
}

impl Fresh {
    /// Whether an instance is among them.
    pub fn covers(&self, item: &ItemRef) -> bool {
        match self {
            Self::Nothing => false,
            Self::Everything => true,
            Self::Only(named) => named.iter().any(|target| means(target, item)),
        }
    }
}

impl FreshWish {
    pub(super) fn new(fresh: Fresh) -> Self {
        let count = if let Fresh::Only(named) = &fresh { named.len() } else { 0 };
        Self { fresh, met: std::iter::repeat_with(AtomicBool::default).take(count).collect() }
    }

    /// Whether an instance that asks is among them.
    pub(super) fn covers(&self, item: &ItemRef) -> bool {
        if let Fresh::Only(named) = &self.fresh {
            for (_, met) in named.iter().zip(&self.met).filter(|(target, _)| means(target, item)) {
                met.store(true, Ordering::Relaxed);
            }
        }
        self.fresh.covers(item)
    }

    /// Warns of items that were named, and did not ask.
    pub(super) async fn tell_unmet(&self, events: &Events) {
        for named in self.unmet() {
            let message = format!("another take of `{named}` is wanted, and no such item has asked for anything");
            events.emit(EventKind::Warning { message }).await;
        }
    }

    /// Items that were named, and did not ask: somebody has mistyped them.
    fn unmet(&self) -> Vec<String> {
        let Fresh::Only(named) = &self.fresh else { return Vec::new() };
        let unmet = named.iter().zip(&self.met).filter(|(_, met)| !met.load(Ordering::Relaxed));
        unmet.filter_map(|((stage, key), _)| Some(format!("{stage}/{}", key.as_deref()?))).collect()
    }
}

fn means((stage, key): &Target, item: &ItemRef) -> bool {
    **stage == *item.stage && key.as_ref().is_none_or(|key| item.key.as_ref() == Some(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stage_covers_its_items_and_an_item_itself() {
        let item = |stage: &str, key: &str| ItemRef { stage: stage.into(), key: Some(key.into()), path: [0].into() };
        let fresh = Fresh::Only(vec![("a".into(), None), ("b".into(), Some("de/x".into()))]);
        let covered =
            [item("a", "1"), item("b", "de/x"), item("b", "x"), item("c", "1")].map(|item| fresh.covers(&item));
        assert_eq!(covered, [true, true, false, false]);
        let wish = FreshWish::new(Fresh::Only(vec![("b".into(), Some("y".into())), ("b".into(), Some("x".into()))]));
        assert!(wish.covers(&item("b", "x")) && !wish.covers(&item("b", "z")));
        assert_eq!(wish.unmet(), ["b/y"]);
        assert!(Fresh::Everything.covers(&item("c", "1")) && !Fresh::default().covers(&item("a", "1")));
    }
}
