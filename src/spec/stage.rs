//! `stages`: each of them one kind, and what stands beside it.

use super::chat::chat;
use super::fields::{Fields, Keys};
use super::for_each::for_each;
use super::names::{self, Named};
use super::node::{Entry, Node};
use super::outputs::save;
use super::pipeline::{KindSpec, StageSpec};
use super::reader::Reader;
use super::settings::{self, check_fit};
use super::templates::{expression, template_or_file, text};
use crate::diag::Diagnostic;
use crate::model::{At, Place};

const KINDS: [&str; 4] = ["text", "chat", "image", "render"];

/// Kinds that the language has and the program does not do yet.
const LATER_KINDS: [&str; 2] = ["value", "use"];

pub(super) const STAGE: Keys = Keys {
    owner: "a stage",
    own: &["text", "chat", "image", "render", "description", "for_each", "when", "save"],
    settings: &settings::ALL,
    later: &["value", "use", "with", "continues", "images", "schema", "expect", "feedback", "fallback", "reuse"],
};

/// All stages, if every one of them could be read.
pub(super) fn stages(node: &Node, reader: &mut Reader<'_>) -> Option<Vec<StageSpec>> {
    let Some(entries) = node.entries() else {
        reader.expected_with("a mapping", node, Some("write each stage below its name: `summarize: {text: ..}`"));
        return None;
    };
    if entries.is_empty() {
        reader.push(
            Diagnostic::error("missing-key", &node.place, "there are no stages")
                .help("write at least one: `summarize: {text: ..}`"),
        );
        return None;
    }
    let stages: Vec<_> = entries.iter().map(|entry| stage(entry, reader)).collect();
    stages.into_iter().collect()
}

fn stage(entry: &Entry, reader: &mut Reader<'_>) -> Option<StageSpec> {
    let named = names::check(&entry.key, Named::Value, reader);
    if entry.value.entries().is_none() {
        let help = format!("write what it does: `{}: {{text: ..}}`", entry.key.value);
        reader.expected_with("a mapping", &entry.value, Some(&help));
        return None;
    }
    let mut fields = Fields::open(&entry.value, STAGE, reader)?;
    let kind = kind(&entry.key, &mut fields, reader);
    let description = fields.read("description", reader, text);
    let for_each = fields.take("for_each").map(|entry| for_each(&entry.value, reader));
    let when = fields.read("when", reader, expression);
    let save = fields.read("save", reader, save);
    let settings = settings::settings(&mut fields, reader);
    fields.finish(reader);
    let (kind, kind_place) = kind?;
    check_fit(&settings, kind.name(), &kind_place, reader);
    // Without its loops a stage is another one.
    let for_each = match for_each {
        Some(read) => Some(read?),
        None => None,
    };
    named.then(|| StageSpec { name: entry.key.clone(), description, kind, for_each, when, save, settings })
}

/// The one kind of a stage, and where its key stands.
fn kind(name: &At<String>, fields: &mut Fields<'_>, reader: &mut Reader<'_>) -> Option<(KindSpec, Place)> {
    let mut written: Vec<&Entry> = KINDS.iter().filter_map(|kind| fields.take(kind)).collect();
    written.sort_by_key(|entry| entry.key.place.span.start);
    let Some(first) = written.first() else {
        if !LATER_KINDS.iter().any(|kind| fields.has(kind)) {
            let message = format!("the stage `{}` does nothing", name.value);
            reader.push(
                Diagnostic::error("no-kind", &name.place, message)
                    .help("add one of `text: PROMPT`, `chat: [..]`, `image: PROMPT` and `render: TEMPLATE`"),
            );
        }
        return None;
    };
    for second in &written[1..] {
        let message = format!("the stage `{}` is `{}` and `{}`", name.value, first.key.value, second.key.value);
        reader.push(
            Diagnostic::error("two-kinds", &second.key.place, message)
                .also(&first.key.place, "one kind here")
                .help("make two stages of it: the second can name the first"),
        );
    }
    let value = &first.value;
    let kind = match first.key.value.as_str() {
        "text" => KindSpec::Text(template_or_file(value, reader)?),
        "chat" => KindSpec::Chat(chat(value, reader)?),
        "image" => KindSpec::Image(template_or_file(value, reader)?),
        _ => KindSpec::Render(template_or_file(value, reader)?),
    };
    Some((kind, first.key.place.clone()))
}
