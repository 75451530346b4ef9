//! The verdict on a whole reply.

use crate::model::{Choice, Content, Json, Reply};

use super::json_from_answer;

/// What a reply comes to.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// The text of the reply is the answer, as it is.
    Text,
    /// The text of the reply holds this JSON.
    Json(Json),
    /// The picture of the reply is the answer.
    Image,
    /// The reply is whole, but not what was asked for: why, in one sentence without a full stop.
    Wrong(String),
}

/// So many things that do not fit are named.
const NAMED: usize = 5;

/// Holds a reply against what was asked for.
pub fn judge(choice: &Choice, reply: &Reply) -> Verdict {
    match (choice, &reply.content) {
        (Choice::Text, Content::Text(_)) => Verdict::Text,
        (Choice::Text, Content::Image { .. }) => Verdict::Image,
        (Choice::Json | Choice::Schema(_), Content::Text(text)) => match json_from_answer(text) {
            Ok(json) => fitting(choice, json),
            Err(wrong) => Verdict::Wrong(wrong.to_string()),
        },
        (Choice::Json | Choice::Schema(_), Content::Image { .. }) => {
            Verdict::Wrong("The answer is a picture, not JSON".to_owned())
        }
    }
}

fn fitting(choice: &Choice, json: Json) -> Verdict {
    let Some(schema) = choice.schema() else { return Verdict::Json(json) };
    let value = schema.unwrap(json);
    let misfits = schema.misfits(&value);
    if misfits.is_empty() {
        return Verdict::Json(value);
    }
    let mut words: Vec<&str> = misfits.iter().take(NAMED).map(|misfit| misfit.words.as_str()).collect();
    let more = format!("and {} more", misfits.len().saturating_sub(NAMED));
    if misfits.len() > NAMED {
        words.push(&more);
    }
    Verdict::Wrong(format!("The answer is not as it was asked for: {}", words.join("; ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ImageInfo, MediaType};

    fn reply(content: Content) -> Reply {
        Reply { content, usage: None, model: None, finish_reason: None, request_id: None }
    }

    fn picture() -> Content {
        let info = ImageInfo { media_type: MediaType::Png, width: 1, height: 1 };
        Content::Image { bytes: bytes::Bytes::from_static(b"png"), info }
    }

    #[test]
    fn text_is_taken_as_it_comes() {
        assert_eq!(judge(&Choice::Text, &reply(Content::Text("{not json".into()))), Verdict::Text);
        assert_eq!(judge(&Choice::Text, &reply(picture())), Verdict::Image);
    }

    #[test]
    fn json_is_found_or_the_answer_is_wrong() {
        let answer = reply(Content::Text("Sure!\n```json\n{\"a\": 1}\n```".into()));
        assert_eq!(judge(&Choice::Json, &answer), Verdict::Json(serde_json::json!({"a": 1})));
        assert!(matches!(judge(&Choice::Json, &reply(Content::Text("Sorry".into()))), Verdict::Wrong(_)));
        assert!(matches!(judge(&Choice::Json, &reply(picture())), Verdict::Wrong(_)));
    }
}
