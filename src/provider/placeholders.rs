//! Pictures that stand in for the one asked for: the anonymous host answers 200 with a branded picture when it is asked
//! too fast, and the picture changes over the years. It is known by the digest of those that were reported, and by what no
//! model does: the same bytes for other prompts.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use indexmap::IndexMap;

/// So many pictures are remembered while they have come once or twice; what is older is forgotten.
const REMEMBERED: usize = 1024;

/// MD5 of pictures that were reported as placeholders: `pollinations/pollinations#7207`, January 2026.
const REPORTED: [&str; 1] = ["2090a5dc21c32952cbf8496339752bd1"];

/// What has been seen, of one provider.
#[derive(Debug)]
pub(super) struct Placeholders {
    /// So many prompts with the same picture make it a placeholder.
    prompts: usize,
    reported: &'static [&'static str],
    memory: Mutex<Memory>,
}

#[derive(Debug, Default)]
struct Memory {
    /// From the digest of a picture to the digests of its prompts, oldest picture first.
    seen: IndexMap<blake3::Hash, Vec<blake3::Hash>>,
    known: HashSet<blake3::Hash>,
}

impl Placeholders {
    /// Nothing has been seen.
    pub(super) fn new(prompts: usize) -> Self {
        Self { prompts, reported: &REPORTED, memory: Mutex::default() }
    }

    /// Whether this picture was reported, or is one that came, or now comes, for too many prompts.
    pub(super) fn has(&self, picture: &[u8], prompt: &[u8]) -> bool {
        let digest = format!("{:x}", md5::compute(picture));
        if self.reported.contains(&digest.as_str()) {
            return true;
        }
        let (picture, prompt) = (blake3::hash(picture), blake3::hash(prompt));
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        if memory.known.contains(&picture) {
            return true;
        }
        let prompts = memory.seen.entry(picture).or_default();
        if !prompts.contains(&prompt) {
            prompts.push(prompt);
        }
        if prompts.len() >= self.prompts {
            memory.seen.shift_remove(&picture);
            memory.known.insert(picture);
            return true;
        }
        if memory.seen.len() > REMEMBERED {
            memory.seen.shift_remove_index(0);
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_of_so_many_prompts_tells() {
        let seen = Placeholders::new(3);
        let asked = |prompt: &str| seen.has(b"the same", prompt.as_bytes());
        assert_eq!(["a", "b", "a", "b", "c", "a"].map(asked), [false, false, false, false, true, true]);
        assert!(!seen.has(b"another", b"a"));
        let quick = Placeholders::new(2);
        assert_eq!(
            ["a", "a", "b", "a"].map(|prompt| quick.has(b"the same", prompt.as_bytes())),
            [false, false, true, true]
        );
    }

    #[test]
    fn one_that_was_reported_tells_at_once() {
        let seen = Placeholders { reported: &["5d41402abc4b2a76b9719d911017c592"], ..Placeholders::new(3) };
        assert!(seen.has(b"hello", b"a") && !seen.has(b"hello!", b"a"));
    }

    #[test]
    fn memory_is_bounded() {
        let seen = Placeholders::new(3);
        for number in 0..3 * REMEMBERED {
            assert!(!seen.has(number.to_string().as_bytes(), b"a"));
        }
        assert!(seen.memory.lock().unwrap().seen.len() <= REMEMBERED);
    }
}
