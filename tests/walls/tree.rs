//! The files under `src`.

use std::fs;
use std::path::Path;

const SRC: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src");

/// A file of Rust.
#[derive(Debug)]
pub(crate) struct SourceFile {
    /// Under `src`, with `/`.
    pub(crate) path: String,
    /// The module it is, from the root.
    pub(crate) module: Vec<String>,
    /// The folder right under `src` that it lies in.
    pub(crate) room: Option<String>,
    pub(crate) text: String,
}

impl SourceFile {
    fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path).expect("a source file is text");
        let inner = path.strip_prefix(SRC).expect("it lies under src");
        let parts: Vec<String> = inner.iter().map(|part| part.to_string_lossy().into_owned()).collect();
        let mut module = parts.clone();
        let name = module.pop().expect("a file has a name");
        if !["mod.rs", "lib.rs", "main.rs"].contains(&name.as_str()) {
            module.push(name.trim_end_matches(".rs").to_owned());
        }
        let room = (parts.len() > 1).then(|| parts[0].clone());
        Self { path: parts.join("/"), module, room, text }
    }

    /// The last part of its path.
    pub(crate) fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }

    /// Lines before its tests; a file of nothing but tests has none.
    pub(crate) fn production_lines(&self) -> usize {
        if self.module.iter().any(|part| part == "tests") {
            return 0;
        }
        let lines: Vec<&str> = self.text.lines().collect();
        let opens_tests =
            |pair: &[&str]| pair[0] == "#[cfg(test)]" && pair[1].starts_with("mod ") && pair[1].ends_with('{');
        lines.windows(2).position(opens_tests).unwrap_or(lines.len())
    }
}

/// All files of Rust under `src`, sorted by path.
pub(crate) fn source_files() -> Vec<SourceFile> {
    let mut files = Vec::new();
    let mut folders = vec![Path::new(SRC).to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of sources can be read") {
            let path = entry.expect("an entry can be read").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(SourceFile::read(&path));
            }
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(files.len() > 2, "`src` has hardly any files: is it read at all?");
    files
}

/// The folders right under `src` that hold Rust.
pub(crate) fn rooms_on_disk() -> Vec<String> {
    let mut rooms: Vec<String> = source_files().into_iter().filter_map(|file| file.room).collect();
    rooms.dedup();
    rooms
}

#[test]
fn lines_are_counted_up_to_the_tests() {
    let file = |path: &str, text: &str| SourceFile {
        path: path.to_owned(),
        module: path.trim_end_matches(".rs").split('/').map(str::to_owned).collect(),
        room: None,
        text: text.to_owned(),
    };
    let text = "//! A file.\n#[cfg(test)]\nmod support;\n\nfn f() {}\n\n#[cfg(test)]\nmod tests {\n}\n";
    assert_eq!(file("room/noun.rs", text).production_lines(), 6);
    assert_eq!(file("room/noun.rs", "//! A file.\n").production_lines(), 1);
    assert_eq!(file("room/tests.rs", text).production_lines(), 0);
}
