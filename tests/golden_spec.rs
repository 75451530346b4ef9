//! What is told about mistakes in a pipeline file, word for word: `tests/golden/spec`.

use std::fs;
use std::path::Path;

use blossom_run::diag::{DrawStyle, SourceFiles, draw};
use blossom_run::spec;

#[path = "support/golden.rs"]
mod golden;

#[test]
fn every_mistake_is_told_where_it_stands_and_with_what_to_try() {
    golden::check("spec", tell);
}

/// Everything that is told about a file, as `check` prints it.
fn tell(path: &Path) -> String {
    let name = path.file_name().expect("a name").to_string_lossy();
    let folder = path.parent().expect("a folder");
    let text = fs::read_to_string(path).expect("a text");
    let mut files = SourceFiles::default();
    let (_, diagnostics) = spec::parse(&name, folder, &text, &mut files);
    let drawn: Vec<String> = diagnostics.iter().map(|one| draw(one, &files, DrawStyle::PLAIN)).collect();
    // Files beside the pipeline are named with their folder, which is another on each machine.
    (drawn.join("\n\n") + "\n").replace(&format!("{}/", folder.display()), "")
}
