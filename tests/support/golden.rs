//! Golden folders: each `NAME.yaml` with what is told about it in `NAME.txt`, whole.
//!
//! `UPDATE_GOLDEN=1 cargo test` writes the texts anew; read the difference before you commit it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Compares what `tell` says of each file of `folder` with the text beside it, and reports all that differ.
pub(crate) fn check(folder: &str, tell: impl Fn(&Path) -> String) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(folder);
    let files = with_extension(&folder, "yaml");
    assert!(!files.is_empty(), "{} is empty", folder.display());
    let mut wrong = Vec::new();
    for file in &files {
        let expected_path = file.with_extension("txt");
        let told = tell(file);
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            write(&expected_path, &told);
            continue;
        }
        let expected = fs::read_to_string(&expected_path).unwrap_or_default().replace("\r\n", "\n");
        if told != expected {
            wrong.push(format!("{}\n--- expected\n{expected}\n--- told\n{told}", file.display()));
        }
    }
    assert!(wrong.is_empty(), "{} differ; `UPDATE_GOLDEN=1` takes them over:\n\n{}", wrong.len(), wrong.join("\n\n"));
    let orphans: Vec<_> = with_extension(&folder, "txt")
        .into_iter()
        .filter(|text| !files.contains(&text.with_extension("yaml")))
        .collect();
    assert!(orphans.is_empty(), "texts without a file: {orphans:?}");
}

fn with_extension(folder: &Path, extension: &str) -> BTreeSet<PathBuf> {
    fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|found| found == extension))
        .collect()
}

#[expect(clippy::disallowed_methods, reason = "golden files are sources, not outputs of a run")]
fn write(path: &Path, text: &str) {
    fs::write(path, text).expect("write the golden text");
}
