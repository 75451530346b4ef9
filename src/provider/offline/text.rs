//! What a call for a text is answered with: sentences, or JSON in the shape that is asked for.

use std::ops::Range;

use super::answer::{self, Question};
use super::ask::Ask;
use super::dice::Dice;
use super::prose::Prose;
use super::shape::Shape;
use super::{fill, sketch, spoken};
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
    let question = Question { system: said(Role::System).collect::<Vec<_>>().join("\n"), prompt, earlier, params };
    let must = call.answer == Choice::Json;
    let sketched = if must { sketch::find(prompt) } else { sketch::find_json(prompt) };
    if !must && sketched.is_none() {
        return Ok(answer::write(&question, &mut dice.clone()));
    }
    // What describes the answer is nothing to be quoted.
    let without = |place: Range<usize>| format!("{} {}", &prompt[..place.start], &prompt[place.end..]);
    let (shape, rest) = if let Some(found) = sketched {
        let rest = without(found.place);
        (Shape::of(&found.sketch, &rest), rest)
    } else if let Some(spoken) = spoken::find(prompt) {
        (spoken.shape, without(spoken.place))
    } else {
        let shape = sketch::find(&question.system).map(|found| Shape::of(&found.sketch, prompt));
        let spoken = || spoken::find(&question.system).map(|spoken| spoken.shape);
        (shape.or_else(spoken).unwrap_or_else(|| Shape::guess(prompt)), prompt.to_owned())
    };
    let material = Prose::read(Ask::read(&question.system, &rest).material).without_orders();
    match fill::fill(&shape, &material, question.room(), dice) {
        Some(json) => Ok(json),
        None if must => {
            Err(Failure::new(FailureKind::Length, "The answer hit `max_tokens`").suggest("raise `max_tokens`"))
        }
        None => Ok(answer::write(&question, &mut dice.clone())),
    }
}
