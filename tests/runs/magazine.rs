//! All that answers can be built on, in one pipeline: structure, branches, joining, conversations, another file, pages.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::cli::Cli;

const MAGAZINE: &str = r##"
name: magazine
inputs: {articles: {type: items, default: articles.jsonl}}
stages:
  classify:
    for_each: {article: articles}
    text: "Classify this.\n\nTitle: {{article.title}}\n\n{{truncate article.body 500}}"
    json: {kind: "release | essay", topic: string, tags: [string]}
  release:
    for_each: article
    when: eq classify.kind 'release'
    chat: [{system: You write release notes.}, {user: "Release notes about {{classify.topic}}: {{article.body}}"}]
  essay:
    for_each: article
    when: eq classify.kind 'essay'
    chat: [{system: You retell essays.}, {user: "An essay about {{classify.topic}}: {{article.body}}"}]
  draft: {for_each: article, text: "Give this a headline:\n\n{{default release essay}}", expect: {min_chars: 5}}
  critique: {for_each: article, continues: draft, chat: [{user: Name three weak points.}]}
  revision: {for_each: article, continues: critique, chat: [{user: "Write it again, with these mended."}]}
  illustration: {for_each: article, use: illustrate.yaml, with: {text: "{{truncate revision 200}}"}}
  page:
    for_each: article
    render: "# {{article.title}}\n\n![{{illustration.caption}}](../{{illustration.picture}})\n\n{{revision}}\n"
    save: "pages/{{article.slug}}.md"
"##;

const ILLUSTRATE: &str = r#"
name: illustrate
inputs: {text: {description: What it is about}}
stages:
  idea: {text: "One object that stands for this: {{text}}"}
  picture: {image: "A drawing of {{idea}}", width: 64, height: 64, save: "{{file_key}}.png"}
  caption: {text: "A caption for {{idea}}"}
outputs: {picture: "{{picture}}", caption: "{{caption}}"}
"#;

const COUNT: usize = 12;

#[test]
fn articles_become_pages() {
    let rows = (0..COUNT).map(|n| {
        let body =
            format!("The lamp of tower {n} was lit by {} keepers, who wrote down the weather of each night.", n + 2);
        format!("{}\n", serde_json::json!({"slug": format!("tower-{n}"), "title": format!("Tower {n}"), "body": body}))
    });
    let cli = Cli::new("magazine.yaml --offline --out out --json").file("magazine.yaml", MAGAZINE.trim_start());
    let cli = cli.file("illustrate.yaml", ILLUSTRATE.trim_start()).file("articles.jsonl", rows.collect::<String>());
    let ran = cli.run().exit(0);
    let told: Value = serde_json::from_str(&ran.stdout).unwrap();
    let tally = |stage: &str, what: &str| {
        let stages = told["stages"].as_array().unwrap();
        stages.iter().find(|one| one["name"] == stage).unwrap()["tally"][what].as_u64().unwrap()
    };
    let (releases, essays) = (tally("release", "done"), tally("essay", "done"));
    assert!(releases > 0 && essays > 0, "both kinds are there: {releases} and {essays}");
    assert_eq!((releases, essays), (tally("essay", "skipped"), tally("release", "skipped")));
    assert_eq!((releases + essays, tally("page", "done")), (COUNT as u64, COUNT as u64));
    let mut pictures = BTreeSet::new();
    for n in 0..COUNT {
        let page = ran.read(&format!("out/pages/tower-{n}.md"));
        assert!(page.starts_with(&format!("# Tower {n}\n\n![")), "{page}");
        let (_, rest) = page.split_once("](../").unwrap();
        let (picture, text) = rest.split_once(")\n\n").unwrap();
        assert!(text.trim().len() > 20, "{page}");
        assert!(ran.path(&format!("out/{picture}")).is_file(), "{picture}");
        pictures.insert(picture.to_owned());
    }
    assert_eq!(pictures.len(), COUNT, "each has a file of its own");
}
