//! Single checks on a whole reply.

use crate::model::{Check, Content, ImageInfo, Json, Reply};

use super::blank::seen;

/// So much of an answer is shown in a sentence about it, in characters.
const SHOWN: usize = 60;

/// What is wrong with a reply, as the rest of a sentence about it each: `has 3 words, and must have at least 5`. `json` is
/// what was found in it, where JSON was asked for; texts are looked at as they came.
pub fn objections(checks: &[Check], reply: &Reply, json: Option<&Json>) -> Vec<String> {
    let look = |check: &Check| match &reply.content {
        Content::Text(text) => of_text(check, text, json),
        Content::Image { bytes, info } => of_picture(check, bytes, info),
    };
    checks.iter().filter_map(look).collect()
}

/// One sentence of them without a full stop; nothing where there are none.
pub fn sentence(objections: &[String], reply: &Reply) -> Option<String> {
    let what = match &reply.content {
        Content::Text(_) => "The answer",
        Content::Image { .. } => "The picture",
    };
    (!objections.is_empty()).then(|| format!("{what} {}", objections.join("; it ")))
}

fn of_text(check: &Check, text: &str, json: Option<&Json>) -> Option<String> {
    let chars = || text.chars().count() as u64;
    let words = || text.split_whitespace().count() as u64;
    match check {
        Check::Contains(part) => (!text.contains(part.as_str())).then(|| format!("does not contain `{part}`")),
        Check::NotContains(part) => {
            text.contains(part.as_str()).then(|| format!("contains `{part}`, which it must not"))
        }
        Check::Matches(pattern) => {
            (!pattern.occurs_in(text)).then(|| format!("does not match the regular expression `{}`", pattern.text()))
        }
        Check::MinChars(least) => too_few(chars(), *least, "character"),
        Check::MaxChars(most) => too_many(chars(), *most, "character"),
        Check::MinWords(least) => too_few(words(), *least, "word"),
        Check::MaxWords(most) => too_many(words(), *most, "word"),
        Check::OneOf(choices) => none_of(choices, text, json),
        Check::MinWidth(_) | Check::MinHeight(_) | Check::MaxBytes(_) | Check::NotBlank => {
            Some("is a text, and a picture was asked for".to_owned())
        }
    }
}

fn of_picture(check: &Check, bytes: &[u8], info: &ImageInfo) -> Option<String> {
    let side = |found: u32, least: u64, how: &str| match u64::from(found) {
        0 => Some(format!("does not say how {how} it is, and must have at least {least} pixels")),
        found => (found < least).then(|| format!("is {found} pixels {how}, and must have at least {least}")),
    };
    match check {
        Check::MinWidth(least) => side(info.width, *least, "wide"),
        Check::MinHeight(least) => side(info.height, *least, "high"),
        Check::MaxBytes(most) => too_many(bytes.len() as u64, *most, "byte"),
        Check::NotBlank => seen(bytes, info.media_type).err(),
        _ => Some("is a picture, and a text was asked for".to_owned()),
    }
}

fn too_few(found: u64, least: u64, what: &str) -> Option<String> {
    (found < least).then(|| format!("has {}, and must have at least {least}", counted(found, what)))
}

fn too_many(found: u64, most: u64, what: &str) -> Option<String> {
    (found > most).then(|| format!("has {}, and must have at most {most}", counted(found, what)))
}

fn counted(count: u64, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

/// A text is one of them to the letter, since what follows compares it so; JSON is, if it is the text itself in quotes.
fn none_of(choices: &[String], text: &str, json: Option<&Json>) -> Option<String> {
    let said = json.and_then(Json::as_str);
    let is_one = |choice: &String| choice == text || said == Some(choice.as_str());
    if choices.iter().any(is_one) {
        return None;
    }
    let list: Vec<String> = choices.iter().map(|choice| format!("`{choice}`")).collect();
    let is_one_but_for_blanks = choices.iter().any(|choice| choice == text.trim());
    Some(if is_one_but_for_blanks {
        format!("has blanks or line breaks around it, and must be one of {} to the letter", list.join(", "))
    } else {
        format!("is `{}`, and must be one of {}", shortened(text), list.join(", "))
    })
}

fn shortened(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{} ..", &line[..end]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{MediaType, Pattern};

    fn reply(content: Content) -> Reply {
        Reply { content, usage: None, model: None, finish_reason: None, request_id: None }
    }

    fn of_text(check: Check, text: &str) -> Option<String> {
        objections(&[check], &reply(Content::Text(text.into())), None).pop()
    }

    #[test]
    fn lengths_are_counted_in_characters_and_words() {
        assert_eq!(of_text(Check::MaxChars(4), "Gilã"), None);
        assert_eq!(of_text(Check::MaxChars(3), "Gilã").as_deref(), Some("has 4 characters, and must have at most 3"));
        assert_eq!(of_text(Check::MinChars(2), "ã").as_deref(), Some("has 1 character, and must have at least 2"));
        assert_eq!(
            of_text(Check::MinWords(3), " two\nwords ").as_deref(),
            Some("has 2 words, and must have at least 3")
        );
        assert_eq!(of_text(Check::MaxWords(2), " two\nwords "), None);
    }

    #[test]
    fn parts_and_patterns_are_looked_for_anywhere() {
        assert_eq!(of_text(Check::Contains("b c".into()), "a b c d"), None);
        assert_eq!(of_text(Check::Contains("B".into()), "a b").as_deref(), Some("does not contain `B`"));
        assert_eq!(of_text(Check::NotContains("b".into()), "a b").as_deref(), Some("contains `b`, which it must not"));
        let pattern = || Check::Matches(Pattern::new(r"^\d+$").unwrap());
        assert_eq!(of_text(pattern(), "12"), None);
        assert_eq!(of_text(pattern(), "12 ").as_deref(), Some(r"does not match the regular expression `^\d+$`"));
    }

    #[test]
    fn one_of_is_to_the_letter_and_takes_a_text_of_json() {
        let choices = || Check::OneOf(vec!["bug".into(), "praise".into()]);
        assert_eq!(of_text(choices(), "bug"), None);
        assert_eq!(of_text(choices(), "Bug").as_deref(), Some("is `Bug`, and must be one of `bug`, `praise`"));
        assert_eq!(
            of_text(choices(), "bug\n").as_deref(),
            Some("has blanks or line breaks around it, and must be one of `bug`, `praise` to the letter")
        );
        let quoted = reply(Content::Text("\"bug\"\n".into()));
        assert_eq!(objections(&[choices()], &quoted, Some(&"bug".into())), [""; 0]);
        assert_eq!(objections(&[choices()], &quoted, Some(&"bad".into())).len(), 1);
    }

    #[test]
    fn pictures_are_measured() {
        let info = ImageInfo { media_type: MediaType::Png, width: 4, height: 0 };
        let picture = reply(Content::Image { bytes: bytes::Bytes::from_static(b"12345"), info });
        let told = objections(
            &[Check::MinWidth(5), Check::MinHeight(5), Check::MaxBytes(4), Check::MinWidth(4)],
            &picture,
            None,
        );
        assert_eq!(
            sentence(&told, &picture).as_deref(),
            Some(
                "The picture is 4 pixels wide, and must have at least 5; it does not say how high it is, and must have \
                 at least 5 pixels; it has 5 bytes, and must have at most 4"
            )
        );
        assert_eq!(sentence(&[], &picture), None);
    }
}
