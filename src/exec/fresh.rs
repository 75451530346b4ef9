//! Of which instances another take is wanted than those that are kept.

use std::sync::Arc;

use crate::model::ItemRef;

/// Which calls are made anew, though an answer is kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Fresh {
    /// None.
    #[default]
    Nothing,
    /// All.
    Everything,
    /// Those of stages, or of single items of a stage by their key.
    Only(Vec<(Arc<str>, Option<Arc<str>>)>),
}

impl Fresh {
    /// Whether an instance is among them.
    pub fn covers(&self, item: &ItemRef) -> bool {
        match self {
            Self::Nothing => false,
            Self::Everything => true,
            Self::Only(named) => named.iter().any(|(stage, key)| {
                **stage == *item.stage && key.as_ref().is_none_or(|key| item.key.as_ref() == Some(key))
            }),
        }
    }
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
        assert!(Fresh::Everything.covers(&item("c", "1")) && !Fresh::default().covers(&item("a", "1")));
    }
}
