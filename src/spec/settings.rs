//! What stages and `defaults` may say alike, and which kinds each key is for.

use super::answer::answer;
use super::fallback::fallback;
use super::fields::Fields;
use super::images::images;
use super::node::{Node, Value, to_json_map};
use super::pipeline::{Maybe, SettingsSpec};
use super::policies::{max_failures, on_error, retry, reuse, timeout, waves};
use super::quantities::{amount, count, number, rate, truth, whole};
use super::reader::Reader;
use super::secrets;
use super::templates::{maybe, template_or_file, text};
use crate::diag::Diagnostic;
use crate::model::{JsonMap, Place, StageKindName};

/// Which kinds a key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fit {
    All,
    Calls,
    Texts,
    Images,
}

impl Fit {
    fn has(self, kind: StageKindName) -> bool {
        match self {
            Self::All => true,
            Self::Calls => kind.asks(),
            Self::Texts => kind.speaks(),
            Self::Images => kind == StageKindName::Image,
        }
    }

    fn help(self) -> &'static str {
        match self {
            Self::All => "it fits every stage",
            Self::Calls => "it is for stages that make calls: `text`, `chat` and `image`",
            Self::Texts => "it is for `text` and `chat`",
            Self::Images => "it is for `image`",
        }
    }
}

/// Every key of [`SettingsSpec`], those of [`POLICIES`] first.
const SETTINGS: [(&str, Fit); 29] = [
    ("provider", Fit::Calls),
    ("model", Fit::Calls),
    ("concurrency", Fit::Calls),
    ("rate", Fit::Calls),
    ("waves", Fit::Calls),
    ("retry", Fit::Calls),
    ("timeout", Fit::Calls),
    ("stream", Fit::Texts),
    ("on_error", Fit::All),
    ("max_failures", Fit::All),
    ("reuse", Fit::Calls),
    ("feedback", Fit::Calls),
    ("fallback", Fit::Calls),
    ("system", Fit::Texts),
    ("images", Fit::Calls),
    ("max_tokens", Fit::Texts),
    ("temperature", Fit::Texts),
    ("top_p", Fit::Texts),
    ("seed", Fit::Calls),
    ("stop", Fit::Texts),
    ("reasoning_effort", Fit::Texts),
    ("json", Fit::Texts),
    ("schema", Fit::Texts),
    ("width", Fit::Images),
    ("height", Fit::Images),
    ("negative_prompt", Fit::Images),
    ("quality", Fit::Images),
    ("transparent", Fit::Images),
    ("extra", Fit::Calls),
];

/// The keys of all settings.
pub(super) const ALL: [&str; SETTINGS.len()] = names();
/// The keys of the settings that may be defaults of every kind: how calls are made, not what is asked.
pub(super) const POLICIES: [&str; 13] = names();

/// The first keys of the table.
const fn names<const N: usize>() -> [&'static str; N] {
    let mut names = [""; N];
    let mut at = 0;
    while at < N {
        names[at] = SETTINGS[at].0;
        at += 1;
    }
    names
}

/// Takes every setting out of `fields`; those that are not among its known keys are left where they are.
pub(super) fn settings(fields: &mut Fields<'_>, reader: &mut Reader<'_>) -> SettingsSpec {
    let mut spec = SettingsSpec::default();
    for (key, _) in SETTINGS {
        if let Some(entry) = fields.take(key) {
            spec.keys.insert(key, entry.key.place.clone());
        }
    }
    policies(&mut spec, fields, reader);
    parameters(&mut spec, fields, reader);
    spec.has_unread_model = spec.model.is_none() && !fields.lacks("model");
    spec
}

fn policies(spec: &mut SettingsSpec, fields: &mut Fields<'_>, reader: &mut Reader<'_>) {
    spec.provider = fields.read("provider", reader, |node, reader| maybe(node, reader, text));
    spec.model = fields.read("model", reader, |node, reader| maybe(node, reader, text));
    spec.concurrency = fields.read_at("concurrency", reader, count(1));
    spec.rate = fields.read_at("rate", reader, rate);
    spec.waves = fields.read_at("waves", reader, waves);
    spec.retry = fields.read_at("retry", reader, retry);
    spec.timeout = fields.read_at("timeout", reader, timeout);
    spec.stream = fields.read_at("stream", reader, truth);
    spec.on_error = fields.read_at("on_error", reader, on_error);
    spec.max_failures = fields.read_at("max_failures", reader, max_failures);
    spec.reuse = fields.read_at("reuse", reader, reuse);
    spec.feedback = fields.read_at("feedback", reader, truth);
    spec.fallback = fields.read_at("fallback", reader, fallback);
}

fn parameters(spec: &mut SettingsSpec, fields: &mut Fields<'_>, reader: &mut Reader<'_>) {
    spec.system = fields.read("system", reader, template_or_file);
    spec.images = fields.read_at("images", reader, images);
    spec.max_tokens = fields.read("max_tokens", reader, |node, reader| maybe(node, reader, amount));
    spec.temperature = fields.read("temperature", reader, |node, reader| maybe(node, reader, number(0.0..=2.0)));
    spec.top_p = fields.read_at("top_p", reader, number(0.0..=1.0));
    spec.seed = fields.read("seed", reader, seed);
    spec.stop = fields.read_at("stop", reader, stop);
    spec.reasoning_effort = fields.read_at("reasoning_effort", reader, text);
    spec.answer = answer(fields, reader);
    spec.width = fields.read("width", reader, |node, reader| maybe(node, reader, count(1)));
    spec.height = fields.read("height", reader, |node, reader| maybe(node, reader, count(1)));
    spec.negative_prompt = fields.read_at("negative_prompt", reader, text);
    spec.quality = fields.read_at("quality", reader, text);
    spec.transparent = fields.read_at("transparent", reader, truth);
    spec.extra = fields.read_at("extra", reader, extra);
}

fn seed(node: &Node, reader: &mut Reader<'_>) -> Option<Maybe<i64>> {
    maybe(node, reader, |node, reader| whole(node, i64::MIN..=i64::MAX, reader))
}

/// One text, or one to four of them.
fn stop(node: &Node, reader: &mut Reader<'_>) -> Option<Vec<String>> {
    let Some(elements) = node.elements() else {
        return stop_text(node, reader).map(|one| vec![one]);
    };
    let texts: Vec<_> = elements.iter().map(|element| stop_text(element, reader)).collect();
    if !(1..=4).contains(&texts.len()) {
        let message = format!("{} texts are out of range", texts.len());
        reader.push(Diagnostic::error("out-of-range", &node.place, message).help("write one to four texts"));
        return None;
    }
    texts.into_iter().collect()
}

/// A line end is a fine place to stop, so blanks are no empty text here.
fn stop_text(node: &Node, reader: &mut Reader<'_>) -> Option<String> {
    match node.as_text() {
        Some(blank) if !blank.is_empty() && blank.trim().is_empty() => Some(blank.to_owned()),
        _ => text(node, reader),
    }
}

fn extra(node: &Node, reader: &mut Reader<'_>) -> Option<JsonMap> {
    let Some(entries) = node.entries() else {
        reader.expected("a mapping", node);
        return None;
    };
    if refuse_keys("", node, reader) || reader.refuse_template(node) {
        return None;
    }
    Some(to_json_map(entries))
}

/// Whether there is a key of a service in what is sent as it is; `name` is what `node` is called there.
fn refuse_keys(name: &str, node: &Node, reader: &mut Reader<'_>) -> bool {
    let mut any = false;
    match &node.value {
        Value::Text(text, _) if secrets::is_secret_field(name, text) => {
            secrets::refuse(&node.place, "there is a key in `extra`", secrets::HELP, reader);
            any = true;
        }
        Value::List(elements) => {
            for element in elements.iter() {
                any |= refuse_keys(name, element, reader);
            }
        }
        Value::Mapping(entries) => {
            for entry in entries.iter() {
                any |= refuse_keys(&entry.key.value, &entry.value, reader);
            }
        }
        _ => {}
    }
    any
}

const OF_USED: &str = "its stages take it from the `defaults` of their own file, then from those of this one";

/// Reports the settings that mean nothing for `kind`, which is named at `place`.
pub(super) fn check_fit(spec: &SettingsSpec, kind: StageKindName, place: &Place, reader: &mut Reader<'_>) {
    for (key, fit) in SETTINGS {
        let Some(key_place) = spec.keys.get(key).filter(|_| !fit.has(kind)) else { continue };
        let told = misfit(key, key_place, fit, (kind, place));
        reader.push(if kind == StageKindName::Use { told.help(OF_USED) } else { told });
    }
}

/// That a key means nothing for `kind`, which is named at `place`.
pub(super) fn misfit(key: &str, at: &Place, fit: Fit, (kind, place): (StageKindName, &Place)) -> Diagnostic {
    let message = format!("`{key}` means nothing for `{}`", kind.name());
    Diagnostic::error("key-does-not-fit", at, message)
        .also(place, format!("`{}` stands here", kind.name()))
        .help(fit.help())
}
