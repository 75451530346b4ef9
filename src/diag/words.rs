//! Words that messages share: names as people list them, texts cut short, what was probably meant.

use super::suggest::did_you_mean;

/// The longest text that is repeated in a message, in characters.
const LONGEST: usize = 40;

/// Names as people list them, each once: `` `a`, `b` ``.
pub fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let mut told: Vec<String> = Vec::new();
    for name in names {
        let name = format!("`{name}`");
        if !told.contains(&name) {
            told.push(name);
        }
    }
    told.join(", ")
}

/// A text as it is repeated in a message.
pub fn shortened(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// "did you mean `tone`?", if one of the candidates is near.
pub fn meant<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    did_you_mean(name, candidates).map(|meant| format!("did you mean `{meant}`?"))
}

/// The name that was probably meant, else all that there are behind `intro`: "its stages are `a`, `b`". Nothing where
/// there are none.
pub fn meant_or_all<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>, intro: &str) -> Option<String> {
    let candidates: Vec<&str> = candidates.into_iter().collect();
    meant(name, candidates.iter().copied())
        .or_else(|| (!candidates.is_empty()).then(|| format!("{intro} {}", listed(candidates))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_has_each_name_once_and_never_ends_in_nothing() {
        assert_eq!(listed(["a", "b", "a"]), "`a`, `b`");
        assert_eq!(meant_or_all("x", ["tone", "tone"], "its inputs are").as_deref(), Some("its inputs are `tone`"));
        assert_eq!(meant_or_all("tune", ["tone"], "its inputs are").as_deref(), Some("did you mean `tone`?"));
        assert_eq!(meant_or_all("x", [], "its inputs are"), None);
    }

    #[test]
    fn a_long_text_is_cut_at_a_character() {
        assert_eq!(shortened(&"ä".repeat(41)), format!("{}…", "ä".repeat(40)));
        assert_eq!(shortened("short"), "short");
    }
}
