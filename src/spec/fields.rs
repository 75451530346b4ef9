//! A mapping whose keys are taken one by one; what is left at the end is not understood.

use super::node::{Entry, Node};
use super::reader::Reader;
use crate::diag::{Diagnostic, did_you_mean, listed, shortened};
use crate::model::{At, Place};

/// All valid keys are named in a message if there are at most so many.
const FEW: usize = 13;

/// The keys of a kind of mapping.
#[derive(Debug, Clone, Copy)]
pub(super) struct Keys {
    /// What the mapping is called: `a stage`.
    pub(super) owner: &'static str,
    /// What it may say.
    pub(super) own: &'static [&'static str],
    /// What it may say besides, like other mappings.
    pub(super) settings: &'static [&'static str],
}

pub(super) struct Fields<'n> {
    entries: &'n [Entry],
    taken: Vec<bool>,
    keys: Keys,
    place: &'n Place,
}

impl<'n> Fields<'n> {
    /// The entries of `node`, if it is a mapping; says so otherwise.
    pub(super) fn open(node: &'n Node, keys: Keys, reader: &mut Reader<'_>) -> Option<Self> {
        let Some(entries) = node.entries() else {
            reader.expected("a mapping", node);
            return None;
        };
        Some(Self { entries, taken: vec![false; entries.len()], keys, place: &node.place })
    }

    /// Where the whole mapping stands.
    pub(super) fn place(&self) -> &'n Place {
        self.place
    }

    /// The entry with this key, if it is one of the known ones.
    pub(super) fn take(&mut self, key: &str) -> Option<&'n Entry> {
        if !self.keys.all().any(|known| known == key) {
            return None;
        }
        let at = self.entries.iter().position(|entry| entry.key.value == key)?;
        self.taken[at] = true;
        Some(&self.entries[at])
    }

    /// The value of a key, read by `read`; nothing if it is not there, or wrong, which `read` has reported.
    pub(super) fn read<T>(
        &mut self,
        key: &str,
        reader: &mut Reader<'_>,
        read: impl FnOnce(&Node, &mut Reader<'_>) -> Option<T>,
    ) -> Option<T> {
        read(&self.take(key)?.value, reader)
    }

    /// The same with the place of the value.
    pub(super) fn read_at<T>(
        &mut self,
        key: &str,
        reader: &mut Reader<'_>,
        read: impl FnOnce(&Node, &mut Reader<'_>) -> Option<T>,
    ) -> Option<At<T>> {
        let entry = self.take(key)?;
        read(&entry.value, reader).map(|value| At::new(value, entry.value.place.clone()))
    }

    /// Whether the key is there, whatever it says.
    pub(super) fn has(&self, key: &str) -> bool {
        self.entries.iter().any(|entry| entry.key.value == key)
    }

    /// Whether a key that is not known was probably meant to be this one.
    pub(super) fn has_misspelled(&self, key: &str) -> bool {
        self.entries.iter().any(|entry| self.keys.meant(&entry.key.value).as_deref() == Some(key))
    }

    /// Whether nobody has tried to write this key: a misspelled one is told as such.
    pub(super) fn lacks(&self, key: &str) -> bool {
        !self.has(key) && !self.has_misspelled(key)
    }

    /// Reports the keys that nobody took.
    pub(super) fn finish(self, reader: &mut Reader<'_>) {
        self.finish_with(reader, |_| None);
    }

    /// The same, where `special` has words of its own for some of them.
    pub(super) fn finish_with(self, reader: &mut Reader<'_>, special: impl Fn(&At<String>) -> Option<Diagnostic>) {
        for (entry, taken) in self.entries.iter().zip(&self.taken) {
            if !taken {
                reader.push(special(&entry.key).unwrap_or_else(|| self.keys.unknown(&entry.key)));
            }
        }
    }
}

impl Keys {
    /// What there is to say about a key that is not known.
    fn unknown(&self, key: &At<String>) -> Diagnostic {
        let name = shortened(&key.value);
        if name == "needs" {
            return Diagnostic::error("needs", &key.place, "there is no `needs`: naming a stage is enough")
                .help("name the stage in the prompt (`{{summarize}}`) or in `when`; this stage then waits for it");
        }
        let help = match self.meant(&key.value) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => self.list(),
        };
        Diagnostic::error("unknown-key", &key.place, format!("unknown key `{name}`")).help(help)
    }

    /// The key that an unknown one was probably meant to be.
    fn meant(&self, key: &str) -> Option<String> {
        let is_known = self.all().any(|known| known == key);
        if is_known { None } else { did_you_mean(key, self.all()) }
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &'static str> {
        self.own.iter().chain(self.settings).copied()
    }

    /// The keys there are; of a long list its beginning.
    fn list(&self) -> String {
        let all: Vec<&str> = self.all().collect();
        if all.len() <= FEW {
            return format!("{} has {}", self.owner, listed(all));
        }
        let some = listed(["model", "max_tokens", "retry"]);
        if self.own.is_empty() {
            return format!("{} are {some} and more", self.owner);
        }
        format!("{} has {} and more, such as {}", self.owner, listed(self.own.iter().copied()), some)
    }
}
