//! What an instance says after a conversation that went before, and what is carried on from it.

use crate::model::{Conversation, Failure, FailureKind, Json, Message, Role};
use crate::plan::{Continues, System, TextWork, Work};

use super::context::Unrendered;
use super::request::Requests;

impl Requests<'_> {
    /// All that is said up to the answer.
    pub(super) fn talk(&self, work: &TextWork) -> Result<Conversation, Unrendered> {
        let mut own = self.messages(work)?;
        let Some(continued) = work.continues else { return Ok(Conversation::begin(messages(own))) };
        let Some(before) = self.before else {
            return match continued.from {
                Continues::Previous => Ok(Conversation::begin(messages(own))),
                Continues::Stage(_) => Err(Unrendered::Fail(lost(&self.stage.name))),
            };
        };
        let has_system = continued.system != System::Kept && own.first().is_some_and(|(at, _)| *at == 0);
        let system = has_system.then(|| own.remove(0).1);
        Ok(match system {
            Some(system) if continued.system == System::Replaced => before.framed(vec![system]),
            _ => before.clone(),
        }
        .and(messages(own)))
    }

    /// What the stage itself says up to the answer.
    pub(super) fn own_messages(&self, work: &TextWork) -> Result<Vec<Message>, Unrendered> {
        self.messages(work).map(messages)
    }

    /// What is carried on where a value stands in for an answer: what could be asked, then that value.
    pub(super) fn talk_instead(&self, value: &Json) -> Option<Conversation> {
        let Work::Text(work) = &self.stage.work else { return None };
        let said = || self.talk(work).ok().or_else(|| self.before.cloned()).unwrap_or_default();
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
                (_, false) => messages.push((at, Message { role: *role, content })),
            }
        }
        Ok(messages)
    }
}

fn messages(placed: Vec<(usize, Message)>) -> Vec<Message> {
    placed.into_iter().map(|(_, message)| message).collect()
}

fn lost(stage: &str) -> Failure {
    let message = format!("the conversation that `{stage}` goes on with is not there");
    Failure::new(FailureKind::Internal, message).suggest("please report it")
}
