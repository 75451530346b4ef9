//! `stages`: each of them one kind, and what stands beside it.

use super::chat::chat;
use super::continues::continues;
use super::expect::{self, expect};
use super::fields::{Fields, Keys};
use super::for_each::for_each;
use super::names::{self, Named};
use super::node::{Entry, Node};
use super::outputs::save;
use super::pipeline::{KindSpec, SettingsSpec, StageSpec, TextSpec};
use super::reader::Reader;
use super::settings::{self, Fit, check_fit, misfit};
use super::templates::{expression, template_or_file, text};
use super::used::{refuse_stand_in, refuse_with, used};
use super::value::value;
use crate::diag::Diagnostic;
use crate::model::{At, Place, StageKindName};

/// What a stage says.
pub(super) const STAGE: Keys = Keys {
    owner: "a stage",
    own: &[
        "text",
        "chat",
        "image",
        "render",
        "value",
        "use",
        "with",
        "description",
        "for_each",
        "when",
        "continues",
        "expect",
        "save",
    ],
    settings: &settings::ALL,
};

/// All stages, if there are any.
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
    Some(entries.iter().map(|entry| stage(entry, reader)).collect())
}

/// A stage with what could be read of it: others may name it, whatever is wrong in it.
fn stage(entry: &Entry, reader: &mut Reader<'_>) -> StageSpec {
    names::check(&entry.key, Named::Value, reader);
    let mut spec = StageSpec {
        name: entry.key.clone(),
        description: None,
        kind: None,
        for_each: None,
        when: None,
        continues: None,
        expect: Vec::new(),
        save: None,
        settings: SettingsSpec::default(),
        inherits: Vec::new(),
    };
    if entry.value.entries().is_none() {
        let help = format!("write what it does: `{}: {{text: ..}}`", entry.key.value);
        reader.expected_with("a mapping", &entry.value, Some(&help));
    } else if let Some(fields) = Fields::open(&entry.value, STAGE, reader) {
        read(&mut spec, fields, reader);
    }
    spec
}

fn read(spec: &mut StageSpec, mut fields: Fields<'_>, reader: &mut Reader<'_>) {
    let kind = kind(&spec.name, &mut fields, reader);
    spec.description = fields.read("description", reader, text);
    spec.for_each = fields.take("for_each").map(|entry| for_each(&entry.value, reader));
    spec.when = fields.read("when", reader, expression);
    let continued = fields.take("continues");
    let expected = fields.take("expect");
    spec.expect = expected.map(|entry| expect(&entry.value, reader)).unwrap_or_default();
    spec.save = fields.read("save", reader, save);
    spec.settings = settings::settings(&mut fields, reader);
    fields.finish(reader);
    if let Some((kind, place)) = kind {
        if let KindSpec::Use(_) = kind {
            refuse_stand_in(&mut spec.settings, reader);
        }
        check_fit(&spec.settings, kind.name(), &place, reader);
        spec.continues = continued.and_then(|entry| continues(entry, kind.name(), &place, reader));
        match expected.filter(|_| !kind.name().asks()) {
            Some(entry) => reader.push(misfit("expect", &entry.key.place, Fit::Calls, (kind.name(), &place))),
            None => expect::check_fit(&spec.expect, kind.name(), &place, reader),
        }
        spec.kind = Some(kind);
    }
}

/// The one kind of a stage, and where its key stands.
fn kind(name: &At<String>, fields: &mut Fields<'_>, reader: &mut Reader<'_>) -> Option<(KindSpec, Place)> {
    let with = fields.take("with");
    let mut written: Vec<(StageKindName, &Entry)> =
        StageKindName::ALL.into_iter().filter_map(|kind| Some((kind, fields.take(kind.name())?))).collect();
    written.sort_by_key(|(_, entry)| entry.key.place.span.start);
    let Some((kind, first)) = written.first() else {
        let is_tried = StageKindName::ALL.iter().any(|kind| fields.has_misspelled(kind.name()));
        if !is_tried {
            let message = format!("the stage `{}` does nothing", name.value);
            reader.push(Diagnostic::error("no-kind", &name.place, message).help(
                "add one of `text: PROMPT`, `chat: [..]`, `image: PROMPT`, `render: TEMPLATE`, `value: JSON` and `use: FILE`",
            ));
        }
        return None;
    };
    for (_, second) in &written[1..] {
        let message = format!("the stage `{}` is `{}` and `{}`", name.value, first.key.value, second.key.value);
        reader.push(
            Diagnostic::error("two-kinds", &second.key.place, message)
                .also(&first.key.place, "one kind here")
                .help("make two stages of it: the second can name the first"),
        );
    }
    if written.len() > 1 {
        return None;
    }
    let written = &first.value;
    if let Some(with) = with.filter(|_| *kind != StageKindName::Use) {
        refuse_with(with, reader);
    }
    let mut text = || template_or_file(written, reader).unwrap_or_else(|| TextSpec::unread(&written.place));
    let kind = match kind {
        StageKindName::Text => KindSpec::Text(text()),
        StageKindName::Chat => KindSpec::Chat(chat(written, reader)),
        StageKindName::Image => KindSpec::Image(text()),
        StageKindName::Render => KindSpec::Render(text()),
        StageKindName::Value => KindSpec::Value(value(written, reader)),
        StageKindName::Use => KindSpec::Use(used(written, with, reader)),
    };
    Some((kind, first.key.place.clone()))
}
