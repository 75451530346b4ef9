//! A streamed text as it may be shown: without keys, though these can come in pieces. It delays what could be the beginning of
//! one, and tells nobody itself.

use std::borrow::Cow;

use crate::provider::Redactor;

/// Pieces that have come and can't be shown yet.
#[derive(Debug)]
pub(super) struct Veil<'a> {
    hides: Option<&'a Redactor>,
    held: Vec<String>,
}

impl<'a> Veil<'a> {
    /// Over nothing, where nothing is to be hidden.
    pub(super) fn new(hides: Option<&'a Redactor>) -> Self {
        Self { hides, held: Vec::new() }
    }

    /// The pieces that can be shown now that this one is there: as they came, or one in which something is hidden.
    pub(super) fn show(&mut self, piece: &str) -> Vec<String> {
        self.held.push(piece.to_owned());
        let Some(hides) = self.hides else { return std::mem::take(&mut self.held) };
        let text = self.held.concat();
        let (shown, open) = hides.so_far(&text);
        let ready = text.len() - open;
        if let Cow::Owned(shown) = shown {
            self.held = Some(text[ready..].to_owned()).filter(|rest| !rest.is_empty()).into_iter().collect();
            return vec![shown];
        }
        let ends = self.held.iter().scan(0, |end, piece| {
            *end += piece.len();
            Some(*end)
        });
        let whole = ends.take_while(|end| *end <= ready).count();
        self.held.drain(..whole).collect()
    }

    /// What is left at the end.
    pub(super) fn rest(&mut self) -> Vec<String> {
        let held = std::mem::take(&mut self.held);
        let text = held.concat();
        match self.hides.map_or(Cow::Borrowed(text.as_str()), |hides| hides.at_end(&text)) {
            Cow::Borrowed(_) => held,
            Cow::Owned(shown) => vec![shown],
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use secrecy::SecretString;

    use super::*;

    const KEY: &str = "sk_0123_sk_0124";

    fn redactor() -> Redactor {
        Redactor::new(Some(&SecretString::from(KEY)), [])
    }

    #[test]
    fn pieces_stay_what_they_are_and_come_a_little_later() {
        let redactor = redactor();
        let mut veil = Veil::new(Some(&redactor));
        assert_eq!(veil.show("it is"), [""; 0], "it could go on with the rest of a key");
        assert_eq!(veil.show(" late"), ["it is", " late"]);
        assert_eq!(veil.show(" s"), [""; 0]);
        assert_eq!(veil.rest(), [" s"]);
        assert_eq!(Veil::new(None).show("it is"), ["it is"]);
    }

    proptest! {
        #[test]
        fn a_key_is_hidden_however_it_is_cut(
            before in "[ks_0-3]{0,9}", after in "[ks_0-3]{0,9}", cuts in prop::collection::vec(0_usize..40, 0..8),
        ) {
            let text = format!("{before}{KEY}{after}");
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(text.len())).chain([0, text.len()]).collect();
            cuts.sort_unstable();
            let redactor = redactor();
        let mut veil = Veil::new(Some(&redactor));
            let mut shown: Vec<String> = cuts.windows(2).flat_map(|cut| veil.show(&text[cut[0]..cut[1]])).collect();
            shown.extend(veil.rest());
            let shown = shown.concat();
            prop_assert!(!shown.contains(KEY), "{shown}");
            prop_assert!(shown.contains("[key]"), "{shown}");
        }
    }
}
