//! What an instance says after a conversation that went before, and what is carried on from it.

use crate::model::{Conversation, Failure, FailureKind, Json, Message, Picture, Role};
use crate::plan::{Continued, Continues, System, TextWork, Work};

use super::context::Unrendered;
use super::request::Requests;

impl Requests<'_> {
    /// What was said before, and what the stage itself says up to the answer.
    pub(super) fn said(&self, work: &TextWork) -> Result<(Conversation, Vec<Message>), Unrendered> {
        let mut own = self.messages(work)?;
        let before = match (work.continues, self.before) {
            (None, _) | (Some(Continued { from: Continues::Previous, .. }), None) => Conversation::default(),
            (Some(Continued { from: Continues::Stage(_), .. }), None) => {
                return Err(Unrendered::Fail(lost(&self.stage.name)));
            }
            (Some(Continued { system, .. }), Some(before)) => {
                let has_system = system != System::Kept && own.first().is_some_and(|(at, _)| *at == 0);
                match has_system.then(|| own.remove(0).1) {
                    Some(own) if system == System::Replaced => before.framed(vec![own]),
                    _ => before.clone(),
                }
            }
        };
        Ok((before, own.into_iter().map(|(_, message)| message).collect()))
    }

    /// All that is said up to the answer, with the pictures that the stage shows.
    pub(super) fn talk(&self, work: &TextWork, pictures: Vec<Picture>) -> Result<Conversation, Unrendered> {
        let (before, mut own) = self.said(work)?;
        Message::show(&mut own, pictures);
        Ok(if work.continues.is_some() && self.before.is_some() { before.and(own) } else { Conversation::begin(own) })
    }

    /// What is carried on where a value stands in for an answer: what could be asked, then that value.
    pub(super) fn talk_instead(&self, value: &Json, pictures: Vec<Picture>) -> Option<Conversation> {
        let Work::Text(work) = &self.stage.work else { return None };
        let said = || self.talk(work, pictures).ok().or_else(|| self.before.cloned()).unwrap_or_default();
        let answer = match value {
            Json::String(text) => text.clone(),
            other => other.to_string(),
        };
        self.stage.is_continued.then(|| said().answered(&answer))
    }

    /// The messages of the stage itself, each with its place among them. Of `system`, an empty one is none.
    fn messages(&self, work: &TextWork) -> Result<Vec<(usize, Message)>, Unrendered> {
        let mut messages = Vec::with_capacity(work.messages.len());
        for (at, (role, template)) in work.messages.iter().enumerate() {
            let content = self.renderer.text(template)?;
            match (role, content.trim().is_empty()) {
                (Role::System, true) => {}
                (Role::User | Role::Assistant, true) => {
                    return Err(super::request::empty(&format!("the message of `{}`", role.name())));
                }
                (_, false) => messages.push((at, Message::new(*role, content))),
            }
        }
        Ok(messages)
    }
}

fn lost(stage: &str) -> Failure {
    let message = format!("the conversation that `{stage}` goes on with is not there");
    Failure::new(FailureKind::Internal, message).suggest("please report it")
}
