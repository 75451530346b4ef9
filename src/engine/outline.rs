//! What a pipeline file says, part by part, so that two states of it can be told apart: how it is laid out does not count.

use std::path::Path;

use crate::diag::{Diagnostics, SourceFiles};
use crate::model::{Json, JsonMap};
use crate::spec;

/// So much of a digest is enough to see that something has changed.
const DIGITS: usize = 16;
/// So deep are pipelines looked into that use others.
const MOST_DEEP: usize = 8;

/// The digest of each stage, and of each other key at the top: `{"stages": {"report": ".."}, "inputs": ".."}`. A text that
/// stands in a file of its own counts as what it says. Empty where the file can't be read.
pub fn outline(file: &Path) -> Json {
    let values = spec::read_values(file, &mut SourceFiles::default(), &mut Diagnostics::default()).unwrap_or_default();
    let folder = file.parent().unwrap_or(Path::new(""));
    let parts = values.into_iter().map(|one| {
        let part = match one.value.value {
            Json::Object(stages) if one.name.value == "stages" => {
                Json::Object(stages.into_iter().map(|(name, stage)| (name, digest(&stage, folder))).collect())
            }
            other => digest(&other, folder),
        };
        (one.name.value, part)
    });
    Json::Object(parts.collect())
}

fn digest(value: &Json, folder: &Path) -> Json {
    let mut hasher = blake3::Hasher::new();
    hasher.update(value.to_string().as_bytes());
    add_files(value, folder, &mut hasher, MOST_DEEP);
    Json::from(&hasher.finalize().to_hex()[..DIGITS])
}

/// The texts that are named as `{file: ..}`, and what a stage with `use: FILE` uses; `most` files deep, should these
/// use each other.
fn add_files(value: &Json, folder: &Path, hasher: &mut blake3::Hasher, most: usize) {
    match value {
        Json::Object(fields) => {
            if let Some(path) = fields.get("file").and_then(Json::as_str)
                && fields.len() == 1
            {
                hasher.update(&std::fs::read(folder.join(path)).unwrap_or_default());
            }
            if let Some(used) = fields.get("use").and_then(Json::as_str).filter(|_| most > 0) {
                add_used(&folder.join(used), hasher, most - 1);
            }
            fields.values().for_each(|value| add_files(value, folder, hasher, most));
        }
        Json::Array(items) => items.iter().for_each(|item| add_files(item, folder, hasher, most)),
        _ => {}
    }
}

/// What a used pipeline says, however it is laid out. A shipped template says what this program ships.
fn add_used(file: &Path, hasher: &mut blake3::Hasher, most: usize) {
    let file = if file.is_dir() { file.join(spec::FILE_NAME) } else { file.to_owned() };
    let values = spec::read_values(&file, &mut SourceFiles::default(), &mut Diagnostics::default()).unwrap_or_default();
    let folder = file.parent().unwrap_or(Path::new(""));
    for one in &values {
        hasher.update(one.name.value.as_bytes());
        hasher.update(one.value.value.to_string().as_bytes());
        add_files(&one.value.value, folder, hasher, most);
    }
}

/// The parts that differ between two outlines, as people call them: `stage summarize`, `inputs`.
pub fn changed_parts(before: &Json, now: &Json) -> Vec<String> {
    let none = JsonMap::new();
    let map = |outline: &Json, name: &str| match name {
        "" => outline.as_object().cloned(),
        name => outline.get(name).and_then(Json::as_object).cloned(),
    };
    let differing = |name: &str| -> Vec<String> {
        let [before, now] = [before, now].map(|outline| map(outline, name).unwrap_or_else(|| none.clone()));
        let mut keys: Vec<&String> =
            now.iter().filter(|(key, part)| before.get(*key) != Some(part)).map(|(key, _)| key).collect();
        keys.extend(before.keys().filter(|key| !now.contains_key(*key)));
        keys.into_iter().cloned().collect()
    };
    let others = differing("").into_iter().filter(|key| key != "stages").map(|key| format!("`{key}`"));
    differing("stages").into_iter().map(|stage| format!("stage `{stage}`")).chain(others).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_laid_out_otherwise_has_not_changed() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::io::Write::write_all(&mut std::fs::File::create(&path).unwrap(), text.as_bytes()).unwrap();
            path
        };
        write("b.md", "one");
        let file = write("p.yaml", "name: p\nstages:\n  a: {text: hello}\n  b:\n    text: {file: b.md}\n");
        let before = outline(&file);
        write("p.yaml", "# a comment\nname: 'p'\nstages: {a: {text: \"hello\"}, b: {text: {file: b.md}}}\n");
        assert_eq!(changed_parts(&before, &outline(&file)), Vec::<String>::new());
        write("b.md", "two");
        write("p.yaml", "name: p\ninputs: {x: 1}\nstages: {b: {text: {file: b.md}}}\n");
        assert_eq!(changed_parts(&before, &outline(&file)), ["stage `b`", "stage `a`", "`inputs`"]);
        write("used.yaml", "name: used\nstages: {a: {use: used.yaml}, b: {text: one}}\n");
        write("p.yaml", "name: p\nstages: {a: {text: a}, b: {use: used.yaml}}\n");
        let before = outline(&file);
        write("used.yaml", "name: used\nstages: {a: {use: used.yaml}, b: {text: two}}\n");
        assert_eq!(changed_parts(&before, &outline(&file)), ["stage `b`"]);
    }
}
