//! Lists of models, in the shapes in which services give them.

use super::ModelInfo;
use super::errors::{self, Speaker};
use super::message::HttpHead;
use super::prices::listed_price;
use super::said::Said;
use crate::model::{Failure, FailureKind, Json};

/// Reads a list: `{"data": [..]}`, `{"models": [..]}`, or the list itself, of names or of objects. `makes` is what its
/// models make where they do not say.
pub(super) fn decode(
    head: &HttpHead,
    body: &[u8],
    makes: Option<&str>,
    speaker: Speaker<'_>,
) -> Result<Vec<ModelInfo>, Failure> {
    let Ok(json) = serde_json::from_slice::<Json>(body) else {
        return Err(errors::not_json(head, body, speaker));
    };
    if errors::is_error(&Said::from(&json)) {
        return Err(errors::in_band(head, &json, speaker));
    }
    let list = json.as_array().or_else(|| ["data", "models"].iter().find_map(|name| json.get(*name)?.as_array()));
    let list = list.ok_or_else(|| {
        Failure::new(FailureKind::Garbled, format!("The answer of `{}` is no list of models", speaker.name))
            .suggest("check `base_url`")
    })?;
    Ok(list.iter().filter_map(|entry| model(entry, makes)).collect())
}

fn model(entry: &Json, makes: Option<&str>) -> Option<ModelInfo> {
    let text = |name: &str| entry.get(name).and_then(Json::as_str).map(str::trim).filter(|text| !text.is_empty());
    // Pollinations writes `name`; `OpenAI` writes `id`, and some of its followers a `name` for people beside it.
    let name = entry.as_str().or_else(|| text("id")).or_else(|| text("name"))?;
    let said = entry.get("output_modalities").and_then(Json::as_array);
    let said = said.map(|list| list.iter().filter_map(Json::as_str).map(str::to_owned).collect::<Vec<_>>());
    let makes = said.filter(|list| !list.is_empty()).unwrap_or_else(|| makes.map(str::to_owned).into_iter().collect());
    let aliases = entry.get("aliases").and_then(Json::as_array).into_iter().flatten();
    let aliases = aliases.filter_map(Json::as_str).map(str::to_owned).collect();
    Some(ModelInfo {
        name: name.to_owned(),
        makes,
        description: text("description").or(text("title")).map(str::to_owned),
        aliases,
        price: listed_price(entry),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPEAKER: Speaker<'_> = Speaker { name: "p", model: None, secret: None, headers: &[], form: None };

    fn read(body: &str) -> Result<Vec<(String, Vec<String>)>, FailureKind> {
        let head =
            HttpHead { status: 200, headers: vec![], at: "2026-11-22T10:00:00Z".parse().unwrap(), elsewhere: None };
        let list = decode(&head, body.as_bytes(), Some("image"), SPEAKER).map_err(|failure| failure.kind)?;
        Ok(list.into_iter().map(|model| (model.name, model.makes)).collect())
    }

    #[test]
    fn names_and_objects_are_read() {
        let one = |name: &str, makes: &str| Ok(vec![(name.to_owned(), vec![makes.to_owned()])]);
        assert_eq!(read(r#"["flux"]"#), one("flux", "image"));
        assert_eq!(read(r#"[{"name": "veo", "output_modalities": ["video"]}]"#), one("veo", "video"));
        assert_eq!(read(r#"{"object": "list", "data": [{"id": "gpt", "object": "model"}]}"#), one("gpt", "image"));
        assert_eq!(read(r#"{"models": [{"name": "llama"}, 7, {}]}"#), one("llama", "image"));
    }

    #[test]
    fn what_is_no_list_is_a_failure() {
        assert_eq!(read(r#"{"object": "list"}"#), Err(FailureKind::Garbled));
        assert_eq!(read("<html>"), Err(FailureKind::Garbled));
        assert_eq!(read(r#"{"error": {"message": "no"}}"#), Err(FailureKind::Server));
    }
}
