//! Turns of a conversation, as programs write them.

use super::{Message, Role};

impl Message {
    /// What sets the frame.
    pub fn system(content: impl Into<String>) -> Self {
        Self::of(Role::System, content)
    }

    /// What a person says.
    pub fn user(content: impl Into<String>) -> Self {
        Self::of(Role::User, content)
    }

    /// What the model has said.
    pub fn assistant(content: impl Into<String>) -> Self {
        Self::of(Role::Assistant, content)
    }

    fn of(role: Role, content: impl Into<String>) -> Self {
        Self { role, content: content.into() }
    }
}

impl From<&Message> for Message {
    fn from(message: &Message) -> Self {
        message.clone()
    }
}

impl<T: Into<String>> From<(Role, T)> for Message {
    fn from((role, content): (Role, T)) -> Self {
        Self::of(role, content)
    }
}
