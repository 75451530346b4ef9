//! The name that was probably meant.

/// Longer names are not compared: nobody mistypes a whole sentence into a key.
const LONGEST: usize = 64;

/// The candidate that `name` was probably meant to be: one that differs in case or in `-` and `_` alone, one that it is
/// the beginning of (or the other way round), or one that is a few slips of the finger away.
pub fn did_you_mean<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let wanted = plain(name);
    let length = wanted.chars().count();
    if length == 0 || length > LONGEST {
        return None;
    }
    let slips = (length / 3).clamp(1, 3);
    candidates
        .into_iter()
        .filter(|candidate| *candidate != name && candidate.len() <= LONGEST)
        .filter_map(|candidate| distance(&wanted, &plain(candidate), slips).map(|far| (far, candidate)))
        .min_by_key(|(far, _)| *far)
        .map(|(_, candidate)| candidate.to_owned())
}

/// 0 for the same letters, then slips of the finger; a shared beginning counts as if it were just within reach.
fn distance(wanted: &str, candidate: &str, slips: usize) -> Option<usize> {
    let far = strsim::damerau_levenshtein(wanted, candidate);
    if far <= slips && far < wanted.chars().count() {
        return Some(far);
    }
    let shared = wanted.chars().zip(candidate.chars()).take_while(|(a, b)| a == b).count();
    let (shorter, longer) = (wanted.len().min(candidate.len()), wanted.len().max(candidate.len()));
    let begins = shared >= 3 && shared == shorter || shared >= 4 && shared * 2 >= longer;
    begins.then_some(slips + 1)
}

fn plain(name: &str) -> String {
    name.chars().map(|c| if c == '-' { '_' } else { c }).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_case_dashes_and_beginnings() {
        let known = ["text", "chat", "image", "temperature", "max_tokens", "top_p", "summarize", "retry"];
        let meant = |name| did_you_mean(name, known);
        for (name, candidate) in [
            ("sumarize", "summarize"),
            ("txet", "text"),
            ("Image", "image"),
            ("max-tokens", "max_tokens"),
            ("maxTokens", "max_tokens"),
            ("temp", "temperature"),
            ("images", "image"),
            ("topp", "top_p"),
            ("retries", "retry"),
        ] {
            assert_eq!(meant(name).as_deref(), Some(candidate), "{name}");
        }
        for name in ["", "x", "needs", "colour", &"long".repeat(50)] {
            assert_eq!(meant(name), None, "{name}");
        }
    }

    #[test]
    fn the_nearest_wins_and_a_name_is_not_its_own_suggestion() {
        assert_eq!(did_you_mean("tone", ["tune", "tones"]).as_deref(), Some("tune"));
        assert_eq!(did_you_mean("tone", ["tone"]), None);
        assert_eq!(did_you_mean("a", ["b"]), None, "one letter is no hint");
    }
}
