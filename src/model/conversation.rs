//! A conversation that others go on with.

use std::fmt;
use std::sync::Arc;

use super::{Message, Role};

/// What was said so far: messages as they were asked, and answers that were accepted. Conversations that go on from one
/// another share what they have in common, so that cloning one is cheap however long it is.
#[derive(Clone, Default)]
pub struct Conversation {
    frame: Arc<[Message]>,
    last: Option<Arc<Said>>,
}

/// Some messages, and those before them.
struct Said {
    before: Option<Arc<Said>>,
    messages: Vec<Message>,
}

impl Conversation {
    /// One that begins with these messages. Those by `system` before all others are its frame.
    pub fn begin(mut messages: Vec<Message>) -> Self {
        let turns = messages.iter().position(|one| one.role != Role::System).unwrap_or(messages.len());
        let turns = messages.split_off(turns);
        Self::new(messages, turns)
    }

    /// One of a frame, and what was said in it.
    pub fn new(frame: Vec<Message>, turns: Vec<Message>) -> Self {
        Self { frame: frame.into(), last: None }.and(turns)
    }

    /// The same turns with another frame.
    #[must_use]
    pub fn framed(&self, frame: Vec<Message>) -> Self {
        Self { frame: frame.into(), last: self.last.clone() }
    }

    /// The same with more messages.
    #[must_use]
    pub fn and(&self, messages: Vec<Message>) -> Self {
        if messages.is_empty() {
            return self.clone();
        }
        let said = Said { before: self.last.clone(), messages };
        Self { frame: self.frame.clone(), last: Some(Arc::new(said)) }
    }

    /// The same with an answer. One that says nothing is no turn: services refuse such.
    #[must_use]
    pub fn answered(&self, answer: &str) -> Self {
        if answer.trim().is_empty() {
            return self.clone();
        }
        self.and(vec![Message::assistant(answer)])
    }

    /// What it begins with: messages by `system` before all turns.
    pub fn frame(&self) -> &[Message] {
        &self.frame
    }

    /// What was said in it, in order.
    pub fn turns(&self) -> impl Iterator<Item = &Message> {
        let said = std::iter::successors(self.last.as_deref(), |said| said.before.as_deref());
        let parts: Vec<&[Message]> = said.map(|said| said.messages.as_slice()).collect();
        parts.into_iter().rev().flatten()
    }

    /// What is said in it once `messages` are, which it begins like.
    #[must_use]
    pub fn grown(&self, messages: &[Message]) -> Self {
        match self.frame.len() + self.turns().count() {
            0 => Self::begin(messages.to_vec()),
            known => self.and(messages.get(known..).unwrap_or_default().to_vec()),
        }
    }

    /// All of it, as it is sent.
    pub fn messages(&self) -> Vec<Message> {
        self.frame.iter().chain(self.turns()).cloned().collect()
    }
}

impl PartialEq for Conversation {
    fn eq(&self, other: &Self) -> bool {
        self.frame == other.frame && self.turns().eq(other.turns())
    }
}

impl fmt::Debug for Conversation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.frame.iter().chain(self.turns())).finish()
    }
}

impl Drop for Said {
    /// One after the other: a conversation may be longer than a stack is deep.
    fn drop(&mut self) {
        let mut next = self.before.take();
        while let Some(said) = next {
            next = Arc::into_inner(said).and_then(|mut said| said.before.take());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(role: Role, content: &str) -> Message {
        Message::new(role, content)
    }

    fn words(conversation: &Conversation) -> Vec<String> {
        let words = conversation.messages().into_iter();
        words.map(|one| format!("{}: {}", one.role.name(), one.content)).collect()
    }

    #[test]
    fn what_goes_on_shares_what_was_said_and_changes_none_of_it() {
        let begun = Conversation::begin(vec![message(Role::System, "brief"), message(Role::User, "a")]);
        let answered = begun.answered("b");
        let stricter = answered.framed(vec![message(Role::System, "strict")]);
        let gone_on = stricter.and(vec![message(Role::System, "now"), message(Role::User, "c")]);
        assert_eq!(words(&begun), ["system: brief", "user: a"]);
        assert_eq!(words(&answered), ["system: brief", "user: a", "assistant: b"]);
        assert_eq!(words(&gone_on), ["system: strict", "user: a", "assistant: b", "system: now", "user: c"]);
        assert_eq!(gone_on.answered(" \n"), gone_on);
        assert_eq!(stricter.grown(&gone_on.messages()), gone_on);
        assert_eq!(Conversation::default().grown(&gone_on.messages()), gone_on);
    }

    #[test]
    fn one_longer_than_a_stack_is_deep_can_be_dropped() {
        let mut talk = Conversation::default();
        for number in 0..300_000 {
            talk = talk.and(vec![message(Role::User, &number.to_string())]);
        }
        assert_eq!(talk.turns().count(), 300_000);
        drop(talk);
    }
}
