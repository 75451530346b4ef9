//! Cutting a long text into pieces.

use crate::model::Json;

use super::kind::{Kind, as_whole};
use super::{Args, Body, Gives, Helper, Takes};

pub(super) const SPLIT: Helper = Helper {
    name: "split",
    usage: "split TEXT words=1500 [overlap=100]",
    about: "The text in pieces of at most so many words, each with so many of the last words of the piece before it; \
            with `chars=` of so many characters, with `on='---'` at each such text, without pieces that are blank",
    takes: Takes::these(&[Kind::Text])
        .and_named(&[
            ("words", Kind::Size(u32::MAX)),
            ("chars", Kind::Size(u32::MAX)),
            ("on", Kind::Filled),
            ("overlap", Kind::Count(u32::MAX)),
        ])
        .and_agreed(disagreement)
        .and_told(),
    gives: Gives::Texts,
    body: Body::Value(|args| Ok(split(args))),
};

/// Why these arguments do not go together, of which only some may be known.
fn disagreement(named: &[(&str, Option<&Json>)]) -> Option<String> {
    let find = |name: &str| named.iter().find(|(other, _)| *other == name);
    let ways: Vec<&str> = ["words", "chars", "on"].into_iter().filter(|way| find(way).is_some()).collect();
    let [way] = ways.as_slice() else {
        return Some("it takes one of `words=`, `chars=` and `on=`".to_owned());
    };
    let (_, overlap) = find("overlap")?;
    if *way == "on" {
        return Some("pieces have an `overlap=` by `words=` or `chars=` alone".to_owned());
    }
    let (overlap, size) = (as_whole((*overlap)?)?, as_whole(find(way)?.1?)?);
    (overlap >= size).then(|| format!("`overlap={overlap}` is not less than `{way}={size}`, so no piece would be new"))
}

fn split(args: &Args<'_>) -> Json {
    let text = args.text(0);
    let overlap = args.named_count("overlap").unwrap_or(0);
    if let Some(size) = args.named_count("words") {
        by_words(&text, size, overlap).into_iter().map(Json::from).collect()
    } else if let Some(size) = args.named_count("chars") {
        by_characters(&text, size, overlap).into_iter().map(Json::from).collect()
    } else {
        let on = args.named_text("on").unwrap_or_default();
        text.split(&*on).filter(|piece| !piece.trim().is_empty()).map(Json::from).collect()
    }
}

/// Pieces of at most `size` words, which is more than `overlap`. What is between words stays as it is, but for the ends.
fn by_words(text: &str, size: usize, overlap: usize) -> Vec<&str> {
    let mut words: Vec<(usize, usize)> = Vec::new();
    for word in text.split_whitespace() {
        let start = words.last().map_or(0, |(_, end)| *end);
        let start = start + text[start..].find(|c: char| !c.is_whitespace()).unwrap_or_default();
        words.push((start, start + word.len()));
    }
    let mut pieces = Vec::new();
    let mut first = 0;
    while first < words.len() {
        let end = first.saturating_add(size).min(words.len());
        pieces.push(&text[words[first].0..words[end - 1].1]);
        if end == words.len() {
            break;
        }
        first = end - overlap;
    }
    pieces
}

/// Pieces of at most `size` characters, which is more than `overlap`. Each is cut between words, if there is a gap in its
/// second half; nothing is left out.
fn by_characters(text: &str, size: usize, overlap: usize) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut start = 0;
    while start < text.len() {
        let end = forward(text, start, size);
        if end == text.len() {
            pieces.push(&text[start..]);
            break;
        }
        // A piece that ended earlier would let the next one begin no later than itself.
        let least = forward(text, start, (size / 2).max(overlap + 1));
        let cut = last_gap(text, least, end).unwrap_or(end);
        pieces.push(&text[start..cut]);
        start = backward(text, cut, overlap);
    }
    pieces
}

/// The place so many characters behind `from`, or the end.
fn forward(text: &str, from: usize, count: usize) -> usize {
    text[from..].char_indices().nth(count).map_or(text.len(), |(at, _)| from + at)
}

/// The place so many characters before `from`.
fn backward(text: &str, from: usize, count: usize) -> usize {
    match count.checked_sub(1) {
        Some(before) => text[..from].char_indices().rev().nth(before).map_or(0, |(at, _)| at),
        None => from,
    }
}

/// The last place from `least` to `end` that is beside a blank.
fn last_gap(text: &str, least: usize, end: usize) -> Option<usize> {
    if text[end..].starts_with(char::is_whitespace) {
        return Some(end);
    }
    let mut gaps = text[least..end].char_indices().rev().filter(|(_, c)| c.is_whitespace());
    let behind = gaps.next().map(|(at, c)| least + at + c.len_utf8());
    behind.or_else(|| text[..least].ends_with(char::is_whitespace).then_some(least))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn pieces_overlap_by_words() {
        let text = " one two\nthree four  five ";
        assert_eq!(by_words(text, 2, 0), ["one two", "three four", "five"]);
        assert_eq!(by_words(text, 3, 1), ["one two\nthree", "three four  five"]);
        assert_eq!(by_words(text, 9, 8), ["one two\nthree four  five"]);
        assert_eq!(by_words(" \n", 1, 0), [""; 0]);
    }

    #[test]
    fn pieces_are_cut_between_words_where_that_loses_little() {
        assert_eq!(by_characters("the quick brown fox", 10, 0), ["the quick ", "brown fox"]);
        assert_eq!(by_characters("the quick brown fox", 9, 0), ["the quick", " brown ", "fox"]);
        assert_eq!(by_characters("abcdefgh", 3, 1), ["abc", "cde", "efg", "gh"]);
        assert_eq!(by_characters("🌸🌸🌸", 2, 0), ["🌸🌸", "🌸"]);
        assert_eq!(by_characters("", 2, 1), [""; 0]);
    }

    #[test]
    fn arguments_that_do_not_go_together_are_refused() {
        let (one, two) = (Json::from(1), Json::from(2));
        assert!(disagreement(&[]).is_some());
        assert!(disagreement(&[("words", None), ("chars", None)]).is_some());
        assert!(disagreement(&[("on", None), ("overlap", None)]).is_some());
        assert!(disagreement(&[("words", Some(&two)), ("overlap", Some(&two))]).is_some());
        assert!(disagreement(&[("words", Some(&two)), ("overlap", Some(&one))]).is_none());
        assert!(disagreement(&[("words", None), ("overlap", Some(&two))]).is_none(), "its size is known in a run");
    }

    fn texts() -> impl Strategy<Value = String> {
        let part = prop::sample::select(vec!["a", "größe", " ", "\n", "  ", "🌸", "e\u{301}", "\u{a0}", "longer"]);
        prop::collection::vec(part, 0..60).prop_map(|parts| parts.concat())
    }

    proptest! {
        #[test]
        fn every_word_is_in_a_piece_and_no_piece_is_too_long(text in texts(), size in 1..8_usize, overlap in 0..8_usize) {
            let overlap = overlap % size;
            let words: Vec<&str> = text.split_whitespace().collect();
            let pieces: Vec<Vec<&str>> =
                by_words(&text, size, overlap).into_iter().map(|piece| piece.split_whitespace().collect()).collect();
            let mut joined: Vec<&str> = pieces.first().cloned().unwrap_or_default();
            for pair in pieces.windows(2) {
                prop_assert_eq!(pair[0].len(), size);
                prop_assert_eq!(&pair[0][size - overlap..], &pair[1][..overlap]);
                prop_assert!(pair[1].len() > overlap, "each piece has something new");
                joined.extend(&pair[1][overlap..]);
            }
            prop_assert_eq!(joined, words);
        }

        #[test]
        fn every_character_is_in_a_piece_and_no_piece_is_too_long(
            text in texts(), size in 1..12_usize, overlap in 0..12_usize,
        ) {
            let overlap = overlap % size;
            let pieces: Vec<Vec<char>> =
                by_characters(&text, size, overlap).into_iter().map(|piece| piece.chars().collect()).collect();
            let mut joined: Vec<char> = pieces.first().cloned().unwrap_or_default();
            for pair in pieces.windows(2) {
                prop_assert_eq!(&pair[0][pair[0].len() - overlap..], &pair[1][..overlap]);
                prop_assert!(pair[1].len() > overlap, "each piece has something new");
                joined.extend(&pair[1][overlap..]);
            }
            prop_assert!(pieces.iter().all(|piece| piece.len() <= size));
            prop_assert_eq!(joined.into_iter().collect::<String>(), text);
        }

        #[test]
        fn what_a_text_is_cut_at_joins_it_again(text in texts(), on in prop::sample::select(vec![" ", "\n", "a", "🌸"])) {
            let (json, on_json) = (Json::from(text.as_str()), Json::from(on));
            let args = Args { positional: vec![Some(&json)], named: vec![("on", &on_json)] };
            let pieces = split(&args);
            let pieces: Vec<&str> = pieces.as_array().unwrap().iter().filter_map(Json::as_str).collect();
            let blank = |piece: &&str| !piece.trim().is_empty();
            prop_assert_eq!(pieces, text.split(on).filter(blank).collect::<Vec<_>>());
        }
    }
}
