//! The file of `--events`: it replaces one of an earlier run, and nothing else.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Read};
use std::path::{Path, PathBuf};

use crate::plan::Plan;
use crate::sink::Printer;

use super::fault::Fault;

/// Longer than how every file of events begins.
const BEGINNING: u64 = 16;

/// Opens it, before anything is called.
///
/// # Errors
/// It can't be written, or something else would be lost: a file of another kind, or one that the run itself writes.
pub(super) fn open(path: &Path, out: &Path, plan: &Plan) -> Result<Printer, Fault> {
    let shown = path.display();
    if !may_be_replaced(path) {
        let message = format!("`--events`: `{shown}` already exists, and is not a file of events");
        return Err(Fault::usage(message, "name another file: `--events events.jsonl`"));
    }
    if is_output(path, out, plan) {
        let message = format!("`--events`: `{shown}` is a file that the run itself writes");
        return Err(Fault::usage(message, "name another file: `--events events.jsonl`"));
    }
    let file = File::create(path).map_err(|error| {
        let help = "name a file in an existing folder: `--events events.jsonl`";
        Fault::unwritable(format!("events can't be written to `{shown}`: {error}"), Some(help.to_owned()))
    })?;
    Ok(Printer::new(BufWriter::new(file)))
}

/// Whether nothing is lost with it: it is not there, empty, a device or a pipe, or of an earlier run.
fn may_be_replaced(path: &Path) -> bool {
    if !path.is_file() {
        return true;
    }
    let mut first = Vec::new();
    let read = File::open(path).map(|file| BufReader::new(file.take(BEGINNING)).read_until(b',', &mut first));
    // What can't be read can't be written either, which is told then.
    read.is_err() || first.is_empty() || first == b"{\"seq\":1,"
}

/// Whether a stage is saved to it, as far as its path is known.
pub(super) fn is_output(path: &Path, out: &Path, plan: &Plan) -> bool {
    let (Some(path), Some(out)) = (full(path), full(out)) else { return false };
    let Ok(inside) = path.strip_prefix(&out) else { return false };
    let inside = inside.to_string_lossy().replace('\\', "/");
    plan.stages.iter().filter_map(|stage| stage.save.as_ref()).any(|save| {
        let text = save.path.text().trim();
        let before = text.split("{{").next().unwrap_or_default();
        let after = text.rsplit("}}").next().unwrap_or_default();
        if before == text { inside == text } else { inside.starts_with(before) && inside.ends_with(after) }
    })
}

/// The path as it is opened: the folders before what is not there yet are followed to where they lead.
fn full(path: &Path) -> Option<PathBuf> {
    let whole = std::path::absolute(path).ok()?;
    let there = whole.ancestors().find_map(|folder| Some((folder, folder.canonicalize().ok()?)));
    let (folder, real) = there?;
    Some(real.join(whole.strip_prefix(folder).ok()?))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn only_events_are_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        assert!(may_be_replaced(&path));
        for (content, may) in
            [("", true), ("{\"seq\":1,\"at\":..", true), ("{\"sequel\":1,", false), ("name: a\n", false)]
        {
            File::create(&path).unwrap().write_all(content.as_bytes()).unwrap();
            assert_eq!(may_be_replaced(&path), may, "{content}");
        }
        assert!(may_be_replaced(folder.path()), "a folder is told when it is opened");
    }
}
