//! `continues`: the stage whose conversation comes first.

use super::node::Entry;
use super::reader::Reader;
use super::templates::text;
use crate::diag::Diagnostic;
use crate::model::{At, Place, StageKindName};

/// The name that is written, for a stage of this kind, which stands at `place`.
pub(super) fn continues(
    entry: &Entry,
    kind: StageKindName,
    place: &Place,
    reader: &mut Reader<'_>,
) -> Option<At<String>> {
    if kind != StageKindName::Chat {
        let message = format!("`continues` means nothing for `{}`", kind.name());
        let help = match kind {
            StageKindName::Text => "write the prompt as a chat: `chat: [{user: ..}]`",
            _ => "it is for `chat`: a conversation goes on there",
        };
        let told = Diagnostic::error("key-does-not-fit", &entry.key.place, message)
            .also(place, format!("`{}` stands here", kind.name()))
            .help(help);
        reader.push(told);
        return None;
    }
    let name = text(&entry.value, reader)?;
    Some(At::new(name.trim().to_owned(), entry.value.place.clone()))
}
