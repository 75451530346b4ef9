//! What of a run's outputs goes to standard output.

use crate::engine::Output;
use crate::model::{Json, plain_text};

/// The outputs as they are printed: texts and values that are not saved, lists that are not saved as JSON lines. A saved
/// text is printed too if it is the only text, lists aside. Several stand under headings. What was `shown` already is
/// left out.
pub(super) fn printed(outputs: &[Output], shown: impl Fn(&str) -> bool) -> String {
    let only_text = {
        let mut texts = outputs.iter().filter(|output| is_text(output));
        texts.next().filter(|_| texts.next().is_none()).map(|output| output.name.as_str())
    };
    let pieces: Vec<&Output> = outputs
        .iter()
        .filter(|output| output.stage_saved.is_none() || only_text == Some(output.name.as_str()))
        .filter(|output| !is_nothing(&output.value))
        .collect();
    // Headings count what was shown as well: whoever has read it wants to know what the rest is.
    let with_heading = pieces.len() > 1;
    let left = pieces.into_iter().filter(|output| !was_shown(&output.value, &shown));
    let texts: Vec<String> = left
        .map(|piece| {
            let heading = if with_heading { format!("==> {} <==\n", piece.name) } else { String::new() };
            heading + &printed_one(piece)
        })
        .collect();
    texts.join("\n")
}

/// Whether it is a text that was shown, or a list of such texts.
fn was_shown(value: &Json, shown: impl Fn(&str) -> bool) -> bool {
    match value {
        Json::Array(items) => items.iter().all(|item| item.as_str().is_some_and(&shown)),
        value => value.as_str().is_some_and(shown),
    }
}

/// One output: a text as it would be saved, a list as JSON lines, anything else as JSON. It ends with a line break.
pub(super) fn printed_one(output: &Output) -> String {
    match &output.value {
        Json::Array(items) => items.iter().map(Json::to_string).map(|line| line + "\n").collect(),
        Json::Object(_) => format!("{:#}\n", output.value),
        value => {
            // As in a file: one line break at the end, however many there were.
            let text = plain_text(value);
            if text.is_empty() { text } else { format!("{}\n", text.trim_end_matches('\n')) }
        }
    }
}

fn is_text(output: &Output) -> bool {
    !output.is_list && output.value.is_string()
}

/// A stage that was skipped has nothing to print, and no heading either.
fn is_nothing(value: &Json) -> bool {
    match value {
        Json::Null => true,
        Json::Array(items) => items.is_empty(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn output(name: &str, value: Json, saved: Option<&str>) -> Output {
        let is_list = value.is_array();
        Output { name: name.to_owned(), value, stage_saved: saved.map(str::to_owned), is_list }
    }

    fn all(outputs: &[Output]) -> String {
        printed(outputs, |_| false)
    }

    #[test]
    fn a_text_is_printed_as_it_is() {
        assert_eq!(all(&[output("story", json!("Once\n\nmore"), None)]), "Once\n\nmore\n");
        assert_eq!(all(&[output("story", json!("Once\n\n"), None)]), "Once\n");
    }

    #[test]
    fn a_saved_text_is_printed_if_it_is_the_only_one() {
        let report = || output("report", json!("All is well"), Some("report.md"));
        let cover = output("cover", json!({"path": "cover.png"}), Some("cover.png"));
        let rows = output("rows", json!([1, 2]), Some("rows.jsonl"));
        assert_eq!(all(&[report(), cover, rows]), "All is well\n");
        assert_eq!(all(&[report(), output("letter", json!("Dear"), Some("letter.md"))]), "");
    }

    #[test]
    fn a_text_that_is_not_saved_goes_before_saved_ones() {
        let outputs = [output("report", json!("All is well"), Some("report.md")), output("note", json!("Hm"), None)];
        assert_eq!(all(&outputs), "Hm\n");
    }

    #[test]
    fn a_list_is_json_lines() {
        assert_eq!(all(&[output("words", json!(["a\nb", {"c": 1}]), None)]), "\"a\\nb\"\n{\"c\":1}\n");
        assert_eq!(all(&[output("words", json!([]), None)]), "");
    }

    #[test]
    fn several_stand_under_headings() {
        let outputs = [
            output("story", json!("Once"), None),
            output("words", json!(["a"]), None),
            output("facts", json!({"a": 1}), None),
            output("skipped", json!(null), None),
        ];
        assert_eq!(all(&outputs), "==> story <==\nOnce\n\n==> words <==\n\"a\"\n\n==> facts <==\n{\n  \"a\": 1\n}\n");
    }

    #[test]
    fn what_was_shown_is_not_repeated() {
        let outputs = [output("story", json!("Once"), None), output("moral", json!("Be good"), None)];
        assert_eq!(printed(&outputs, |text| text == "Once"), "==> moral <==\nBe good\n");
        assert_eq!(printed(&outputs, |_| true), "");
        let lists = [output("stories", json!(["Once", "Twice"]), None)];
        assert_eq!(printed(&lists, |text| text == "Once"), "\"Once\"\n\"Twice\"\n");
        assert_eq!(printed(&lists, |_| true), "");
    }

    #[test]
    fn numbers_and_truth_are_printed_plainly() {
        assert_eq!(all(&[output("count", json!(3), None)]), "3\n");
    }
}
