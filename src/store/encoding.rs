//! How plain data stands in the database.

use jiff::Timestamp;

use crate::model::MediaType;

/// A path of indices, so that the order of bytes is the order of paths.
pub(super) fn path(path: &[u64]) -> Vec<u8> {
    path.iter().flat_map(|index| index.to_be_bytes()).collect()
}

/// The path that these bytes were.
pub(super) fn path_of(bytes: &[u8]) -> Vec<u64> {
    bytes
        .chunks_exact(size_of::<u64>())
        .map(|index| index.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
        .collect()
}

pub(super) fn time(millisecond: i64) -> Timestamp {
    Timestamp::from_millisecond(millisecond).unwrap_or_default()
}

/// A count as the database holds it. What is larger than it can hold is as good as endless.
pub(super) fn integer(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

pub(super) fn count(integer: i64) -> u64 {
    u64::try_from(integer).unwrap_or_default()
}

pub(super) fn media(mime: &str) -> Option<MediaType> {
    MediaType::ALL.into_iter().find(|media| media.mime() == mime)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn bytes_are_ordered_as_paths(one: Vec<u64>, other: Vec<u64>) {
            prop_assert_eq!(path(&one).cmp(&path(&other)), one.cmp(&other));
            prop_assert_eq!(path_of(&path(&one)), one);
        }
    }
}
