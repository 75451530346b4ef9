//! Names of files after what people call things: safe, and unlike each other.

use std::collections::HashMap;

use super::claims::Fold;
use super::path::file_name;

/// The names that are taken in one folder. Of a name 16 bytes are kept, and how often it was asked for.
#[derive(Debug, Default)]
pub struct FileNames {
    taken: HashMap<Fold, u64>,
}

impl FileNames {
    /// A name for `key` that nobody has: `KEY`, then `KEY-2`. It is made safe first, since keys that differ may be one
    /// name.
    pub fn take(&mut self, key: &str) -> String {
        let name = file_name(key);
        let mut candidate = name.clone();
        loop {
            let count = self.taken.entry(Fold::of(&candidate)).or_insert(0);
            *count += 1;
            if *count == 1 {
                return candidate;
            }
            candidate = format!("{name}-{count}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_keys_are_numbered() {
        let mut names = FileNames::default();
        let taken = ["a", "A", "a", "a-2", "b"].map(|key| names.take(key));
        assert_eq!(taken, ["a", "A-2", "a-3", "a-2-2", "b"]);
    }

    #[test]
    fn keys_that_are_one_name_are_numbered_too() {
        let mut names = FileNames::default();
        let taken = ["a/b", "a-b", "con", "_con", "..", ".", "ſ", "s"].map(|key| names.take(key));
        assert_eq!(taken, ["a-b", "a-b-2", "_con", "_con-2", "_", "_-2", "ſ", "s-2"]);
    }
}
