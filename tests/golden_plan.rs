//! What is told about a pipeline that can be read and can't run, word for word: `tests/golden/plan`.
//!
//! A file may begin with the command that it is for: `# blossom-run check FILE -i tone=dry`. Without one it is run.

use std::fs;
use std::path::Path;

use blossom_run::diag::{DrawStyle, draw};
use blossom_run::engine::{self, Request};

#[path = "support/golden.rs"]
mod golden;

#[test]
fn every_mistake_of_a_pipeline_is_told_at_its_word_and_with_what_to_try() {
    golden::check("plan", tell);
}

/// Everything that is told about a pipeline before its first call, and that there would be none if nothing were wrong.
fn tell(path: &Path) -> String {
    let folder = path.parent().expect("a folder");
    let checked = engine::check(&request(path));
    let mut drawn: Vec<String> =
        checked.diagnostics.iter().map(|one| draw(one, &checked.files, DrawStyle::PLAIN)).collect();
    assert_eq!(checked.plan.is_some(), !checked.diagnostics.has_errors(), "a plan is there if it can run");
    if checked.plan.is_some() {
        drawn.push("It can run.".to_owned());
    }
    // Files are named with their folder, which is another on each machine.
    (drawn.join("\n\n") + "\n").replace(&format!("{}/", folder.display()), "")
}

fn request(path: &Path) -> Request {
    let folder = path.parent().expect("a folder");
    let text = fs::read_to_string(path).expect("a text");
    let command = text.lines().next().and_then(|line| line.strip_prefix("# blossom-run ")).unwrap_or_default();
    let mut request =
        Request { file: path.to_owned(), working_dir: folder.to_owned(), to_run: true, ..Request::default() };
    let mut words = command.split_whitespace();
    while let Some(word) = words.next() {
        match word {
            "check" => request.to_run = false,
            "FILE" => {}
            option => {
                let value = words.next().expect("a value").to_owned();
                match option {
                    "-i" => {
                        let (name, value) = value.split_once('=').expect("a name and a value");
                        request.inputs.push((name.to_owned(), value.to_owned()));
                    }
                    "--only" => request.only.push(value),
                    "--provider" => request.provider = Some(value),
                    other => panic!("`{other}` in the first line of {}", path.display()),
                }
            }
        }
    }
    request
}
