//! `chat`: a list of messages, each a role and what it says.

use super::fields::{Fields, Keys};
use super::node::Node;
use super::pipeline::{MessageSpec, TextSpec};
use super::reader::Reader;
use super::templates::template_or_file;
use crate::diag::{Diagnostic, meant, shortened};
use crate::model::{At, Role};

const ROLES: [Role; 3] = [Role::System, Role::User, Role::Assistant];

const SHORT: Keys = Keys { owner: "a message", own: &["user", "assistant", "system"], settings: &[] };
const LONG: Keys = Keys { owner: "a message", own: &["role", "content"], settings: &[] };

const EXAMPLE: &str = "write a list of messages: `- user: Hello`";

/// The messages that can be read.
pub(super) fn chat(node: &Node, reader: &mut Reader<'_>) -> Vec<MessageSpec> {
    let Some(elements) = node.elements() else {
        reader.expected_with("a list", node, Some(EXAMPLE));
        return Vec::new();
    };
    let messages: Vec<_> = elements.iter().map(|element| message(element, reader)).collect();
    let is_whole = messages.iter().all(Option::is_some);
    let messages: Vec<MessageSpec> = messages.into_iter().flatten().collect();
    if is_whole && !messages.iter().any(|message| message.role.value == Role::User) {
        reader.push(
            Diagnostic::error(
                "chat-without-user",
                &node.place,
                "no message of this chat is by `user`: there is nothing to answer",
            )
            .help("add one: `- user: Hello`"),
        );
    }
    messages
}

fn message(node: &Node, reader: &mut Reader<'_>) -> Option<MessageSpec> {
    let Some(entries) = node.entries() else {
        reader.expected_with("a message", node, Some("write `user: Hello`"));
        return None;
    };
    if entries.iter().any(|entry| ["role", "content"].contains(&entry.key.value.as_str())) {
        return long(node, reader);
    }
    let mut fields = Fields::open(node, SHORT, reader)?;
    let mut said: Vec<_> = ROLES
        .into_iter()
        .filter_map(|role| fields.take(role.name()).map(|entry| (At::new(role, entry.key.place.clone()), &entry.value)))
        .collect();
    said.sort_by_key(|(role, _)| role.place.span.start);
    fields
        .finish_with(reader, |key| images_in_message(key).or_else(|| (entries.len() == 1).then(|| unknown_role(key))));
    if let [(first, _), (second, _), ..] = said.as_slice() {
        reader.push(
            Diagnostic::error("two-roles", &second.place, "a message has one role")
                .also(&first.place, "one role here")
                .help(format!("begin another message here: `- {}: ..`", second.value.name())),
        );
        return None;
    }
    let (role, content) = said.pop()?;
    let text = template_or_file(content, reader).unwrap_or_else(|| TextSpec::unread(&content.place));
    Some(MessageSpec { role, content: text })
}

/// `{role, content}`
fn long(node: &Node, reader: &mut Reader<'_>) -> Option<MessageSpec> {
    let mut fields = Fields::open(node, LONG, reader)?;
    for key in ["role", "content"] {
        if fields.lacks(key) {
            reader.push(
                Diagnostic::error("missing-key", fields.place(), format!("this message has no `{key}`"))
                    .help("write `{role: user, content: Hello}`, or short `user: Hello`"),
            );
        }
    }
    let role = fields.read_at("role", reader, role);
    let content = fields.read("content", reader, template_or_file);
    fields.finish_with(reader, images_in_message);
    Some(MessageSpec { role: role?, content: content? })
}

fn role(node: &Node, reader: &mut Reader<'_>) -> Option<Role> {
    let Some(text) = node.as_text() else {
        reader.expected_with("a role", node, Some("write `user`, `assistant` or `system`"));
        return None;
    };
    let role = ROLES.into_iter().find(|role| role.name() == text);
    if role.is_none() && !reader.refuse_template(node) {
        reader.push(unknown_role(&At::new(text.to_owned(), node.place.clone())));
    }
    role
}

/// Pictures are the stage's, and not a message's.
fn images_in_message(key: &At<String>) -> Option<Diagnostic> {
    let error = || Diagnostic::error("unknown-key", &key.place, "a message has no `images`");
    (key.value == "images")
        .then(|| error().help("write `images` beside `chat`: the pictures go along with the last message of `user`"))
}

fn unknown_role(name: &At<String>) -> Diagnostic {
    let help =
        meant(&name.value, ROLES.map(Role::name)).unwrap_or_else(|| "write `user`, `assistant` or `system`".to_owned());
    let message = format!("`{}` is not a role", shortened(&name.value));
    Diagnostic::error("unknown-role", &name.place, message).help(help)
}
