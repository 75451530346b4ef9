//! Shipped templates are listed and copied, and nothing is overwritten.

use crate::support::Cli;

#[test]
fn templates_are_listed_with_what_they_do() {
    let ran = Cli::new("templates").run().exit(0).stderr("");
    assert!(ran.stdout.lines().any(|line| line.starts_with("digest ")), "{ran:?}");
    for line in ran.stdout.lines() {
        assert!(line.split_once("  ").is_some_and(|(_, description)| !description.trim().is_empty()), "{line:?}");
    }
}

#[test]
fn a_template_is_copied_with_its_data() {
    let ran = Cli::new("new digest").run().exit(0).stdout("").stderr(
        "Made `digest`. Try it without a service: `blossom-run digest --offline`, then change \
         `digest/pipeline.yaml`.\n",
    );
    let files = ran.files();
    assert!(files.contains(&"digest/pipeline.yaml".to_owned()), "{files:?}");
    assert!(files.iter().any(|file| file.starts_with("digest/data/")), "{files:?}");
    assert!(ran.read("digest/pipeline.yaml").contains("name: digest"));
}

#[test]
fn a_folder_that_is_there_stays_as_it_is() {
    let ran = Cli::new("new digest mine").file("mine/pipeline.yaml", "mine").run().exit(6).stdout("").stderr(
        "error: `mine` already exists, and nothing in it is overwritten\n  \
         help: name another folder: `blossom-run new digest FOLDER`\n",
    );
    assert_eq!(ran.files(), ["mine/pipeline.yaml"]);
    assert_eq!(ran.read("mine/pipeline.yaml"), "mine");
}

#[test]
fn an_unknown_template_suggests_one() {
    let ran = Cli::new("new digset")
        .run()
        .exit(2)
        .stdout("")
        .stderr("error: there is no template `digset`\n  help: did you mean `digest`?\n");
    assert_eq!(ran.files(), Vec::<String>::new());
}

#[test]
fn mistakes_about_a_template_name_its_files_as_templates_has_them() {
    let ran = Cli::new("article -i parts=30").run().exit(3).stdout("");
    assert!(ran.stderr.contains("\n  --> article/pipeline.yaml:"), "{ran:?}");
    assert!(!ran.stderr.contains("/blossom-run-"), "{ran:?}");
}

#[test]
fn every_template_has_no_mistakes() {
    let listed = Cli::new("templates").run().exit(0).stdout;
    let names: Vec<&str> = listed.lines().filter_map(|line| line.split_whitespace().next()).collect();
    let expected: String = names.iter().flat_map(|name| [name, ": no mistakes\n"]).collect();
    let check = names.iter().fold(Cli::new("check --offline"), |cli, name| cli.arg(name));
    check.run().exit(0).stdout("").stderr(&expected);
}
