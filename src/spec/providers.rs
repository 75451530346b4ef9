//! `providers`: who answers, and how they are spoken to.

use std::collections::BTreeMap;

use super::fields::{Fields, Keys};
use super::money::prices;
use super::names::{self, Named};
use super::node::{Entry, Node, Value};
use super::pipeline::ProviderSpec;
use super::quantities::{amount, count, duration, rate, share, whole};
use super::reader::Reader;
use super::secrets;
use super::templates::text;
use super::yaml;
use crate::diag::{Diagnostic, listed, shortened};
use crate::model::{AddressError, At, KeySource, OfflineManner, ProviderKind, ProviderSettings, address};

pub(super) const PROVIDER: Keys = Keys {
    owner: "a provider",
    own: &["kind", "base_url", "api_key", "headers", "concurrency", "rate", "tokens_per_minute", "prices"],
    settings: &OFFLINE,
};

/// Keys of the kind `offline` alone.
const OFFLINE: [&str; 4] = ["latency", "jitter", "fail", "seed"];

const API_KEY: Keys = Keys { owner: "`api_key`", own: &["env", "file"], settings: &[] };

/// All providers, each with what could be read of it, or those of `{file: PATH}`.
pub(super) fn providers(node: &Node, reader: &mut Reader<'_>) -> Option<Vec<ProviderSpec>> {
    conceal_keys(node, reader);
    let Some(entries) = node.entries() else {
        let help =
            "write each provider below its name: `local: {kind: openai, base_url: \"http://127.0.0.1:8080/v1\"}`";
        reader.expected_with("a mapping", node, Some(help));
        return None;
    };
    if let Some(file) = entries.iter().find(|entry| entry.key.value == "file" && entry.value.entries().is_none()) {
        return from_file(file, entries, reader);
    }
    Some(each(entries, reader))
}

/// Never shows what looks like a key, wherever an author has put it.
fn conceal_keys(node: &Node, reader: &mut Reader<'_>) {
    match &node.value {
        Value::Text(text, _) if secrets::looks_like_key(text) => reader.conceal(&node.place),
        Value::List(elements) => elements.iter().for_each(|element| conceal_keys(element, reader)),
        Value::Mapping(entries) => entries.iter().for_each(|entry| conceal_keys(&entry.value, reader)),
        _ => {}
    }
}

fn each(entries: &[Entry], reader: &mut Reader<'_>) -> Vec<ProviderSpec> {
    entries.iter().map(|entry| provider(entry, reader)).collect()
}

fn from_file(file: &Entry, entries: &[Entry], reader: &mut Reader<'_>) -> Option<Vec<ProviderSpec>> {
    for other in entries.iter().filter(|other| other.key.value != "file") {
        reader.push(
            Diagnostic::error(
                "key-does-not-fit",
                &other.key.place,
                "`file` stands alone: all providers come from that file",
            )
            .also(&file.key.place, "the file")
            .help("write this provider into the file"),
        );
    }
    let path = text(&file.value, reader)?;
    let (id, source) = reader.read_file(&path, &file.value.place)?;
    let root = yaml::parse(id, &source, reader.found())?;
    conceal_keys(&root, reader);
    let Some(entries) = root.entries() else {
        reader.expected_with("a mapping", &root, Some("write each provider below its name, as in `providers`"));
        return None;
    };
    Some(each(entries, reader))
}

fn provider(entry: &Entry, reader: &mut Reader<'_>) -> ProviderSpec {
    names::check(&entry.key, Named::Provider, reader);
    let settings = Fields::open(&entry.value, PROVIDER, reader).map(|fields| settings(&entry.key, fields, reader));
    ProviderSpec { name: entry.key.clone(), settings: settings.unwrap_or_else(|| unread(&entry.key.value)) }
}

/// In the place of a provider whose kind is not known: the one kind of which nothing more is asked.
fn unread(name: &str) -> ProviderSettings {
    ProviderSettings {
        name: name.to_owned(),
        kind: ProviderKind::Offline,
        base_url: None,
        key: KeySource::None,
        headers: BTreeMap::new(),
        concurrency: None,
        rate: None,
        tokens_per_minute: None,
        prices: BTreeMap::new(),
        offline: OfflineManner::default(),
    }
}

fn settings(name: &At<String>, mut fields: Fields<'_>, reader: &mut Reader<'_>) -> ProviderSettings {
    let built_in = ProviderSettings::built_in(&name.value);
    let kind = match fields.take("kind") {
        Some(kind) => provider_kind(&kind.value, reader).filter(|found| may_be(name, *found, &kind.value, reader)),
        // `pollinations: {concurrency: 2}` speaks of the one that everybody has.
        None => built_in.as_ref().map(|known| known.kind).or(ProviderKind::from_name(&name.value)).or_else(|| {
            if fields.lacks("kind") {
                reader.push(missing_kind(name));
            }
            None
        }),
    };
    let base_url = fields.read("base_url", reader, base_url);
    let key = fields.read("api_key", reader, api_key);
    let headers = fields.read("headers", reader, headers).unwrap_or_default();
    let concurrency = fields.read("concurrency", reader, count(1));
    let rate = fields.read("rate", reader, rate);
    let tokens_per_minute = fields.read("tokens_per_minute", reader, amount);
    let prices = fields.read("prices", reader, prices).unwrap_or_default();
    let offline = offline(&mut fields, kind, reader);
    refuse_address(&mut fields, kind, reader);
    fields.finish(reader);
    let Some(kind) = kind else { return unread(&name.value) };
    let base_url = base_url.or_else(|| built_in.filter(|known| known.kind == kind).and_then(|known| known.base_url));
    let key = key_source(kind, base_url.is_some(), key);
    ProviderSettings {
        name: name.value.clone(),
        kind,
        base_url,
        key,
        headers,
        concurrency,
        rate,
        tokens_per_minute,
        prices,
        offline,
    }
}

/// `--offline` promises that nothing goes over the network, whatever the file says.
fn may_be(name: &At<String>, kind: ProviderKind, node: &Node, reader: &mut Reader<'_>) -> bool {
    let is_fitting = name.value != ProviderKind::Offline.name() || kind == ProviderKind::Offline;
    if !is_fitting {
        let message = format!("`{}` is the built-in provider, and of no other kind", name.value);
        reader.push(
            Diagnostic::error("reserved-name", &node.place, message)
                .also(&name.place, "this name")
                .help("give this provider another name: `--offline` means the built-in one"),
        );
    }
    is_fitting
}

/// The built-in provider is at no address, and sends nothing.
fn refuse_address(fields: &mut Fields<'_>, kind: Option<ProviderKind>, reader: &mut Reader<'_>) {
    let Some(kind @ ProviderKind::Offline) = kind else { return };
    for key in ["base_url", "api_key", "headers"] {
        if let Some(entry) = fields.take(key) {
            let message = format!("`{key}` means nothing for the kind `{}`", kind.name());
            let help = "it is for kinds that go over the network; take it out, or write another `kind`";
            reader.push(Diagnostic::error("key-does-not-fit", &entry.key.place, message).help(help));
        }
    }
}

/// Without `api_key`, a kind's usual variables, but for its own address alone: the key of one service is nothing that
/// another server should be sent. Offline there is nobody to show a key to.
fn key_source(kind: ProviderKind, has_address: bool, written: Option<KeySource>) -> KeySource {
    match (kind, written) {
        (ProviderKind::Offline, _) => KeySource::None,
        (_, Some(source)) => source,
        (ProviderKind::Pollinations | ProviderKind::Openai, None) if !has_address => {
            ProviderSettings::built_in(kind.name()).map_or(KeySource::None, |known| known.key)
        }
        (_, None) => KeySource::None,
    }
}

fn missing_kind(name: &At<String>) -> Diagnostic {
    Diagnostic::error("missing-key", &name.place, format!("the provider `{}` has no `kind`", name.value))
        .help(format!("add `kind`, one of {}", listed(ProviderKind::ALL.map(ProviderKind::name))))
}

fn provider_kind(node: &Node, reader: &mut Reader<'_>) -> Option<ProviderKind> {
    let text = text(node, reader)?;
    let kind = ProviderKind::from_name(&text);
    if kind.is_none() {
        reader.unknown_choice("kind of provider", &text, &node.place, &ProviderKind::ALL.map(ProviderKind::name));
    }
    kind
}

fn base_url(node: &Node, reader: &mut Reader<'_>) -> Option<String> {
    let written = text(node, reader)?;
    match address(&written) {
        Ok(address) => return Some(address.to_owned()),
        Err(AddressError::Credentials) => {
            secrets::refuse(&node.place, "there is a key in this URL", secrets::HELP, reader);
        }
        Err(error) => {
            // What can't be taken apart may hold a password, and what looks like a key is one.
            let is_shown = !matches!(error, AddressError::NotUrl(_)) && !secrets::looks_like_key(&written);
            let shown = if is_shown { format!("`{}`", shortened(&written)) } else { "this".to_owned() };
            reader.push(
                Diagnostic::error("bad-address", &node.place, format!("{shown} {error}"))
                    .help("write a URL like `https://api.example.com/v1`"),
            );
        }
    }
    None
}

/// Where the key is looked for. Whatever else stands here may be a key, and is not shown.
fn api_key(node: &Node, reader: &mut Reader<'_>) -> Option<KeySource> {
    if node.entries().is_none() {
        let help = match node.as_text().and_then(secrets::variable_in) {
            Some(name) => format!("write `api_key: {{env: {name}}}`"),
            None => secrets::HELP.to_owned(),
        };
        match node.value {
            Value::Text(..) | Value::Number(_) => {
                secrets::refuse(&node.place, "a key has no place in this file", &help, reader);
            }
            _ => reader.expected_with("`{env: NAME}` or `{file: PATH}`", node, Some(secrets::HELP)),
        }
        return None;
    }
    let mut fields = Fields::open(node, API_KEY, reader)?;
    let both = fields.has("env") && fields.has("file");
    let neither = !fields.has("env") && !fields.has("file");
    let env = fields.read("env", reader, variable);
    let file = fields.read("file", reader, text);
    let place = fields.place();
    fields.finish(reader);
    if both || neither {
        let message = if both { "a key is found in one place" } else { "this says nowhere where the key is found" };
        reader.push(Diagnostic::error("bad-key-source", place, message).help("write `{env: NAME}` or `{file: PATH}`"));
        return None;
    }
    let from_file = file.map(|path| KeySource::File(reader.folder().join(path)));
    env.map(|name| KeySource::Env(vec![name])).or(from_file)
}

fn variable(node: &Node, reader: &mut Reader<'_>) -> Option<String> {
    let name = text(node, reader)?;
    if let Some(plain) = secrets::variable_in(&name) {
        let help = format!("write `{{env: {plain}}}`");
        reader.push(
            Diagnostic::error("bad-key-source", &node.place, "the name of a variable has no `$` here").help(help),
        );
        return None;
    }
    if !secrets::is_variable(&name) {
        // Somebody may have put the key itself here.
        secrets::refuse(&node.place, "this is not the name of an environment variable", secrets::HELP, reader);
        return None;
    }
    Some(name)
}

fn headers(node: &Node, reader: &mut Reader<'_>) -> Option<BTreeMap<String, String>> {
    let Some(entries) = node.entries() else {
        reader.expected_with("a mapping", node, Some("write `headers: {X-Title: digest}`"));
        return None;
    };
    let mut headers = BTreeMap::new();
    for entry in entries {
        let name = entry.key.value.to_ascii_lowercase();
        let is_token = !name.is_empty()
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte));
        if !is_token {
            let message = format!("`{}` can't be the name of a header", shortened(&entry.key.value));
            reader.push(
                Diagnostic::error("bad-header", &entry.key.place, message)
                    .help("write letters, digits and `-`: `X-Title`"),
            );
            continue;
        }
        let Some(value) = header_value(&name, &entry.value, reader) else { continue };
        if headers.insert(name, value).is_some() {
            let message = format!("the header `{}` is written twice", entry.key.value);
            reader.push(
                Diagnostic::error("duplicate-key", &entry.key.place, message)
                    .help("take one of them out: names of headers that differ in case are the same"),
            );
        }
    }
    Some(headers)
}

fn header_value(name: &str, node: &Node, reader: &mut Reader<'_>) -> Option<String> {
    if let Value::Text(value, _) = &node.value
        && secrets::is_secret_header(name, value)
    {
        secrets::refuse(&node.place, "there is a key in this header", secrets::HELP, reader);
        return None;
    }
    let value = text(node, reader)?;
    if value.chars().any(|c| c.is_control() || !c.is_ascii()) {
        reader.push(
            Diagnostic::error("bad-header", &node.place, "a header has one line of ASCII characters")
                .help("take the other characters out"),
        );
        return None;
    }
    Some(value)
}

/// The keys of the kind `offline`; for other kinds they mean nothing.
fn offline(fields: &mut Fields<'_>, kind: Option<ProviderKind>, reader: &mut Reader<'_>) -> OfflineManner {
    for key in OFFLINE {
        if let (Some(entry), Some(kind)) = (fields.take(key), kind)
            && kind != ProviderKind::Offline
        {
            let message = format!("`{key}` means nothing for the kind `{}`", kind.name());
            reader.push(
                Diagnostic::error("key-does-not-fit", &entry.key.place, message).help("it is for the kind `offline`"),
            );
        }
    }
    OfflineManner {
        latency: fields.read("latency", reader, duration).unwrap_or_default(),
        jitter: fields.read("jitter", reader, duration).unwrap_or_default(),
        fail: fields.read("fail", reader, share).unwrap_or_default(),
        seed: fields
            .read("seed", reader, |node, reader| whole(node, 0..=i64::MAX, reader))
            .and_then(|seed| u64::try_from(seed).ok())
            .unwrap_or_default(),
    }
}
