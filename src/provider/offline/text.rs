//! What a call for a text is answered with: sentences, or JSON in the shape that is asked for.

use std::ops::Range;

use super::answer::{self, Question};
use super::ask::Ask;
use super::dice::Dice;
use super::prose::{MARK, Prose};
use super::shape::Shape;
use super::sketch::Found;
use super::{fill, instance, pieces, shown, sketch, spoken};
use crate::model::{Call, Choice, Failure, FailureKind, Request, Role};
use crate::provider::service::OFFLINE;

/// The text for a call: sentences, or JSON where that is asked for.
pub(super) fn write(call: &Call, dice: &Dice) -> Result<String, Failure> {
    let Request::Text { messages, params } = &call.request else { return Ok(OFFLINE.to_owned()) };
    let prompt = call.request.prompt();
    let said =
        |role| messages.iter().filter(move |message| message.role == role).map(|message| message.content.as_str());
    let mut earlier: Vec<&str> = said(Role::User).collect();
    earlier.pop();
    let mut talk: Vec<&str> = messages
        .iter()
        .filter(|message| message.role != Role::System && !message.content.starts_with(MARK))
        .map(|message| message.content.as_str())
        .collect();
    talk.pop();
    let system = said(Role::System).collect::<Vec<_>>().join("\n");
    let shown = shown::sentence(call);
    let question = Question { system, prompt, earlier, talk, shown, params };
    if let Some(schema) = call.answer.schema() {
        // What shows the shape in words too is nothing to be quoted.
        let (_, rest) = shape_of(&question, sketch::find(prompt));
        let material = Prose::read(Ask::read(&question.system, &rest).material).without_orders();
        return instance::write(schema, &material, prompt, question.room(), dice);
    }
    let must = call.answer == Choice::Json;
    let sketched = if must { sketch::find(prompt) } else { sketch::find_json(prompt) };
    if !must && sketched.is_none() {
        return Ok(answer::write(&question, &mut dice.clone()));
    }
    let (shape, rest) = shape_of(&question, sketched);
    let ask = Ask::read(&question.system, &rest);
    // What describes a picture alone brings nothing to quote but what it is.
    let material = match (question.shown.as_str(), ask.brings) {
        ("", _) => ask.material.to_owned(),
        (shown, true) => format!("{shown} {}", ask.material),
        (shown, false) => shown.to_owned(),
    };
    let material = Prose::read(&material).without_orders();
    match fill::fill(&shape, &material, question.room(), dice) {
        Some(json) => Ok(json),
        None if must => {
            Err(Failure::new(FailureKind::Length, "The answer hit `max_tokens`").suggest("raise `max_tokens`"))
        }
        None => Ok(answer::write(&question, &mut dice.clone())),
    }
}

/// The shape that is asked for, and the prompt without what describes it: that is nothing to be quoted.
fn shape_of(question: &Question<'_>, sketched: Option<Found>) -> (Shape, String) {
    let prompt = question.prompt;
    if let Some(found) = sketched {
        let start = pieces::led_up(prompt, found.place.start);
        let rest = without(prompt, start..found.place.end);
        let shape = Shape::of(&found.sketch, &rest);
        let of = prompt[..found.place.start].trim_end().to_lowercase();
        let listed = ["array of", "list of"].iter().any(|words| of.ends_with(words));
        return (if listed { Shape::List(Box::new(shape), None) } else { shape }, rest);
    }
    if let Some(spoken) = spoken::find(prompt) {
        return (spoken.shape, without(prompt, spoken.place));
    }
    let system = &question.system;
    let sketched = sketch::find(system).map(|found| Shape::of(&found.sketch, prompt));
    let shape = sketched.or_else(|| spoken::find(system).map(|spoken| spoken.shape));
    (shape.unwrap_or_else(|| Shape::guess(prompt)), prompt.to_owned())
}

fn without(prompt: &str, place: Range<usize>) -> String {
    let after = prompt[place.end..].trim_start_matches([' ', '.', ',', '`']);
    let joined = ["for:", "from:", "about:"].iter().find_map(|word| after.strip_prefix(word));
    format!("{} {}", prompt[..place.start].trim_end(), joined.map_or(after, str::trim_start)).trim().to_owned()
}
