//! `defaults`: settings for every stage, and for those of a kind.

use super::fields::{Fields, Keys};
use super::node::Node;
use super::pipeline::{DefaultsSpec, SettingsSpec};
use super::reader::Reader;
use super::settings::{self, check_fit};
use crate::diag::Diagnostic;
use crate::model::{Place, StageKindName};

pub(super) const DEFAULTS: Keys =
    Keys { owner: "`defaults`", own: &["text", "chat", "image"], settings: &settings::POLICIES };

const OF_KIND: Keys = Keys { owner: "defaults of a kind", own: &[], settings: &settings::ALL };

/// Keys of a stage that are about this one stage.
const OF_ONE_STAGE: [&str; 10] =
    ["description", "for_each", "when", "continues", "expect", "save", "render", "value", "use", "with"];

pub(super) fn defaults(node: &Node, reader: &mut Reader<'_>) -> Option<DefaultsSpec> {
    let mut fields = Fields::open(node, DEFAULTS, reader)?;
    let all = settings::settings(&mut fields, reader);
    let text = of_kind(StageKindName::Text, &mut fields, reader);
    let chat = of_kind(StageKindName::Chat, &mut fields, reader);
    let image = of_kind(StageKindName::Image, &mut fields, reader);
    fields.finish_with(reader, |key| {
        if settings::ALL.contains(&key.value.as_str()) {
            let message = format!("`{}` is not for every kind of stage", key.value);
            let help = format!("put it below the kinds that it is for: `text: {{{}: ..}}`", key.value);
            return Some(Diagnostic::error("key-does-not-fit", &key.place, message).help(help));
        }
        of_one_stage(&key.value, &key.place)
    });
    Some(DefaultsSpec { all, text, chat, image })
}

fn of_kind(kind: StageKindName, fields: &mut Fields<'_>, reader: &mut Reader<'_>) -> SettingsSpec {
    let Some(entry) = fields.take(kind.name()) else { return SettingsSpec::default() };
    let Some(mut fields) = Fields::open(&entry.value, OF_KIND, reader) else { return SettingsSpec::default() };
    let spec = settings::settings(&mut fields, reader);
    fields.finish_with(reader, |key| of_one_stage(&key.value, &key.place));
    check_fit(&spec, kind, &entry.key.place, reader);
    spec
}

fn of_one_stage(key: &str, place: &Place) -> Option<Diagnostic> {
    OF_ONE_STAGE.contains(&key).then(|| {
        Diagnostic::error("key-does-not-fit", place, format!("`{key}` is about one stage, and no default"))
            .help("write it in each stage that it is meant for")
    })
}
