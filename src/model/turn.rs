//! Turns of a conversation, as programs write them.

use super::{Message, Role};

impl Message {
    /// What sets the frame.
    pub fn system(content: impl Into<String>) -> Self {
        Self::new(Role::System, content)
    }

    /// What a person says.
    pub fn user(content: impl Into<String>) -> Self {
        Self::new(Role::User, content)
    }

    /// What the model has said.
    pub fn assistant(content: impl Into<String>) -> Self {
        Self::new(Role::Assistant, content)
    }
}

impl From<&Message> for Message {
    fn from(message: &Message) -> Self {
        message.clone()
    }
}

impl<T: Into<String>> From<(Role, T)> for Message {
    fn from((role, content): (Role, T)) -> Self {
        Self::new(role, content)
    }
}
