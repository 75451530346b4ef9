//! Every shipped template, run by the real program without a service: what it promises is there.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use regex::Regex;

#[path = "support/cli.rs"]
mod support;

use support::{Cli, Ran};

const NAMES: [&str; 12] = [
    "alt-texts",
    "article",
    "catalogue",
    "digest",
    "longread",
    "newsletter",
    "podcast",
    "release-notes",
    "series",
    "storyboard",
    "translations",
    "triage",
];

/// The files that a template promises, and the size of its pictures.
fn promises(command: &str, files: &[&str], size: Option<(u32, u32)>) -> Ran {
    let ran = Cli::new(command).arg("--offline").run().exit(0);
    assert!(!ran.stderr.contains("warning"), "{ran:?}");
    let made: Vec<String> = ran.files().into_iter().filter(|file| file != "out/.blossom-run.lock").collect();
    assert_eq!(made, files.iter().map(|file| format!("out/{file}")).collect::<Vec<_>>());
    for file in files {
        let path = ran.path("out").join(file);
        if Path::new(file).extension().is_some_and(|extension| extension == "png") {
            let picture = image::open(&path).unwrap_or_else(|error| panic!("{file}: {error}"));
            assert_eq!(Some((picture.width(), picture.height())), size, "{file}");
        } else {
            assert!(!fs::read_to_string(&path).expect("a text").trim().is_empty(), "{file} is empty");
            links(&path);
        }
    }
    ran
}

/// What a page links to is there.
fn links(page: &Path) {
    let link = Regex::new(r#"\]\(([^)]+)\)|src="([^"]+)""#).expect("a pattern");
    let text = fs::read_to_string(page).expect("a text");
    for found in link.captures_iter(&text) {
        let target = found.get(1).or_else(|| found.get(2)).expect("a target").as_str();
        let file = page.parent().expect("a folder").join(target);
        assert!(target.starts_with("http") || file.is_file(), "{} links to {target}", page.display());
    }
}

fn shipped(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("pipelines").join(name)
}

#[test]
fn every_folder_is_a_template_and_every_template_is_tested_here() {
    let folders: BTreeSet<String> = fs::read_dir(shipped(""))
        .expect("the templates")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    assert_eq!(folders.iter().map(String::as_str).collect::<Vec<_>>(), NAMES);
    let listed = Cli::new("templates").run().exit(0).stdout;
    let listed: Vec<&str> = listed.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(listed, NAMES);
}

#[test]
fn an_article_has_its_sections_and_their_pictures() {
    let files = ["article.md", "outline.json", "pictures/1.png", "pictures/2.png"];
    let ran = promises("article -i parts=2", &files, Some((1024, 576)));
    let article = ran.read("out/article.md");
    assert_eq!(article.matches("\n## ").count(), 2, "{article}");
    assert_eq!(ran.stdout, article, "the only text is printed as well");
}

#[test]
fn a_catalogue_has_a_page_and_a_picture_for_each_product() {
    let files = ["LQ-104.md", "LQ-117.md", "index.md", "pictures/LQ-104.png", "pictures/LQ-117.png"];
    let ran = promises("catalogue --limit 2", &files, Some((768, 768)));
    assert!(ran.read("out/LQ-117.md").contains("# Brim lamp"));
}

#[test]
fn a_digest_has_a_summary_of_each_article_a_report_and_a_cover() {
    let files = ["cover.png", "report.md", "summaries.jsonl"];
    let ran = promises("digest --limit 2", &files, Some((1024, 512)));
    let rows: Vec<serde_json::Value> = ran
        .read("out/summaries.jsonl")
        .lines()
        .map(|line| serde_json::from_str(line).expect("a row is JSON"))
        .collect();
    assert_eq!(rows.iter().map(|row| &row["slug"]).collect::<Vec<_>>(), ["tool-library", "night-ferry"]);
    let report = ran.read("out/report.md");
    let headings: Vec<&str> = report.lines().filter(|line| line.starts_with('#')).collect();
    assert_eq!(headings.iter().collect::<BTreeSet<_>>().len(), headings.len(), "{report}");
}

#[test]
fn a_newsletter_has_one_digest_and_a_letter_for_each_group() {
    let files = ["digest/cover.png", "members.md", "neighbours.md"];
    let ran = promises("newsletter --limit 2", &files, Some((1024, 512)));
    let letters = ["members", "neighbours"].map(|group| ran.read(&format!("out/{group}.md")));
    assert!(letters.iter().all(|letter| letter.contains("![](digest/cover.png)")), "{ran:?}");
    assert_ne!(letters[0], letters[1]);
}

#[test]
fn a_series_has_an_article_on_each_topic_and_an_index() {
    let ran = Cli::new("series --offline").run().exit(0);
    assert!(!ran.stderr.contains("warning"), "{ran:?}");
    let made: BTreeSet<String> = ran.files().into_iter().filter(|file| file != "out/.blossom-run.lock").collect();
    assert_eq!(made.iter().filter(|file| file.starts_with("out/piece/picture/")).count(), 5, "{made:?}");
    assert_eq!(made.len(), 8, "three pages and what they show: {made:?}");
    for page in ["index.md", "how-to-read-a-tide-table.md", "why-lighthouses-went-out.md"] {
        links(&ran.path("out").join(page));
    }
    assert_eq!(ran.read("out/why-lighthouses-went-out.md").matches("\n## ").count(), 3, "{ran:?}");
}

#[test]
fn release_notes_sort_changes_by_their_kind() {
    let ran = promises("release-notes -i version=3.0.1", &["release-notes-3.0.1.md"], None);
    let notes = ran.read("out/release-notes-3.0.1.md");
    assert!(notes.starts_with("# Drift 3.0.1\n") && notes.contains("## New") && notes.contains("## Fixed"), "{notes}");
}

#[test]
fn a_storyboard_shows_every_scene() {
    let files = ["frames/1.png", "frames/2.png", "script.json", "storyboard.html"];
    let ran = promises("storyboard -i scenes=2", &files, Some((960, 540)));
    let page = ran.read("out/storyboard.html");
    assert_eq!(page.matches("<figure>").count(), 2);
    assert!(page.contains(&format!("<h1>{}</h1>", ran.stdout.trim_end())), "the title is printed, the page is not");
}

#[test]
fn translations_are_every_document_in_every_language() {
    let of = |lang: &str| ["all", "conflicts", "getting-started"].map(|name| format!("{lang}/{name}.md"));
    let glossaries = ["glossary/french.txt", "glossary/german.txt"].map(str::to_owned);
    let files: Vec<String> = [of("french").as_slice(), &of("german"), &glossaries].concat();
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    let ran = promises("translations --limit 2", &files, None);
    assert!(ran.read("out/german/all.md").contains("2 documents, made from 2."), "{ran:?}");
}

#[test]
fn a_longread_is_summarised_part_by_part_and_as_a_whole() {
    let ran = promises("longread -i part_words=400", &["outline.json", "overview.md", "parts.jsonl"], None);
    let outline: serde_json::Value = serde_json::from_str(&ran.read("out/outline.json")).expect("JSON");
    let overview = ran.read("out/overview.md");
    let sections = outline["sections"].as_array().expect("sections");
    assert!(
        sections.iter().all(|section| overview.contains(&format!("\n## {}\n", section["heading"].as_str().unwrap())))
    );
    let parts = ran.read("out/parts.jsonl");
    assert!(overview.contains(&format!(" words, {} parts;", parts.lines().count())), "{overview}");
    assert_eq!(parts.lines().count(), 5, "{parts}");
    assert_eq!(format!("*{}*", ran.stdout.trim_end()), overview.lines().nth(2).expect("a third line"));
}

#[test]
fn a_podcast_is_a_talk_of_two_who_take_turns() {
    let ran = promises("podcast -i turns=5", &["outline.json", "script.md", "show-notes.md", "turns.jsonl"], None);
    let turns: Vec<serde_json::Value> =
        ran.read("out/turns.jsonl").lines().map(|line| serde_json::from_str(line).expect("a row is JSON")).collect();
    let speakers: Vec<&str> = turns.iter().map(|turn| turn["speaker"].as_str().expect("a speaker")).collect();
    assert_eq!(speakers, ["Ada", "Bo", "Ada", "Bo", "Ada"]);
    let script = ran.read("out/script.md");
    assert_eq!(script.lines().filter(|line| line.starts_with("**Ada:** ")).count(), 3, "{script}");
    assert!(ran.read("out/show-notes.md").contains("With Ada, who asks"));
    // Each turn is asked for after all that was said before it.
    let tape = Cli::new("podcast --offline -i turns=4 --record tape.jsonl").run().exit(0).read("tape.jsonl");
    let turns = tape.lines().filter(|line| line.starts_with("{\"stage\":\"turn\""));
    let mut asked: Vec<usize> = turns.map(|line| line.matches("\"role\":\"user\"").count()).collect();
    asked.sort_unstable();
    assert_eq!(asked, [1, 2, 3, 4]);
}

#[test]
fn alt_texts_are_a_row_for_each_picture_and_a_description_where_one_is_wanted() {
    let descriptions = ["dunes", "harbour", "lighthouse"].map(|name| format!("descriptions/{name}.txt"));
    let files = [&["alt-texts.csv"], descriptions.each_ref().map(String::as_str).as_slice()].concat();
    let ran = promises("alt-texts -i long=true", &files, None);
    let rows = ran.read("out/alt-texts.csv");
    let names: Vec<&str> = rows.lines().filter_map(|row| row.split(',').next()).collect();
    assert_eq!(names, ["file", "dunes.jpg", "harbour.jpg", "lighthouse.jpg"]);
    assert!(rows.contains("JPEG of 208 x 130"), "they are looked at: {rows}");
    promises("alt-texts --limit 1", &["alt-texts.csv"], None);
}

#[test]
fn triage_drafts_an_answer_where_the_kind_wants_one_and_reports_every_message() {
    let drafts = ["201", "203", "204", "205", "206", "207", "209", "210"].map(|id| format!("drafts/m-{id}.txt"));
    let files = [&["cases.csv"], drafts.each_ref().map(String::as_str).as_slice(), &["report.md"]].concat();
    let ran = promises("triage", &files, None);
    let report = ran.read("out/report.md");
    assert_eq!(report.lines().filter(|line| line.contains(" | m-")).count(), 10, "{report}");
    let cases = ran.read("out/cases.csv");
    for case in cases.lines().skip(1) {
        let fields: Vec<&str> = case.split(',').collect();
        assert_eq!(fields[1] == "other", fields[4] == "no", "{case}");
        assert!(report.contains(&format!(" | {} | ", fields[0])), "{report}");
    }
}

#[test]
fn every_template_has_a_graph_and_no_mistakes() {
    for name in NAMES {
        let ran = Cli::new("check").arg(name).run().exit(0).stdout("");
        assert_eq!(ran.stderr, format!("{name}: no mistakes\n"));
        let ran = Cli::new("graph").arg(name).run().exit(0).stderr("");
        let pipeline = fs::read_to_string(shipped(name).join("pipeline.yaml")).expect("a pipeline");
        // Below the stages it is said what the signs mean.
        let stages = ran.stdout.lines().take_while(|line| !line.is_empty());
        // Those of a template that it uses stand there.
        let own = stages.filter_map(|line| line.split_whitespace().next()).filter(|stage| !stage.contains('/'));
        for stage in own {
            assert!(pipeline.contains(&format!("\n  {stage}:\n")), "{name}: {stage}");
        }
    }
}

#[test]
fn a_copy_is_the_template_as_it_lies_in_the_repository() {
    for name in NAMES {
        let ran = Cli::new("new").arg(name).arg("copy").run().exit(0);
        let files = ran.files();
        assert!(files.len() > 1, "{name} comes with prompts or data");
        for file in files {
            let original = shipped(name).join(file.strip_prefix("copy/").expect("a file of the copy"));
            assert_eq!(fs::read(ran.path(&file)).ok(), fs::read(&original).ok(), "{}", original.display());
        }
    }
}

/// The comment at the top of a template says how to run it, and with what of one's own.
#[test]
fn every_template_begins_with_how_to_run_and_change_it() {
    let input = Regex::new(r"-i ([a-z_]+)=").expect("a pattern");
    for name in NAMES {
        let pipeline = fs::read_to_string(shipped(name).join("pipeline.yaml")).expect("a pipeline");
        let comment: Vec<&str> = pipeline.lines().take_while(|line| line.starts_with('#')).collect();
        let comment = comment.join("\n");
        assert!(comment.contains(&format!("blossom-run {name} --offline")), "{name}:\n{comment}");
        assert!(input.is_match(&comment), "{name} says what to change:\n{comment}");
        for found in input.captures_iter(&comment) {
            assert!(pipeline.contains(&format!("\n  {}:", &found[1])), "{name} has an input `{}`", &found[1]);
        }
    }
}

/// What a template comes to with the answers on its tape, whichever way the built-in provider answers today.
/// `UPDATE_GOLDEN=1 cargo test` records the tapes anew; read the difference before you commit it.
#[test]
fn every_template_comes_to_the_same_with_the_answers_on_its_tape() {
    let commands = [
        "alt-texts --limit 1",
        "article -i parts=2",
        "catalogue --limit 1",
        "digest --limit 2",
        "longread",
        "newsletter --limit 2",
        "podcast -i turns=4",
        "release-notes",
        "series --limit 1",
        "storyboard -i scenes=2",
        "translations --limit 1",
        "triage --limit 4",
    ];
    assert_eq!(commands.map(|command| command.split(' ').next().unwrap_or_default()), NAMES);
    let is_update = std::env::var_os("UPDATE_GOLDEN").is_some();
    let mut wrong = Vec::new();
    for (command, name) in commands.iter().zip(NAMES) {
        let tape = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tapes").join(format!("{name}.jsonl"));
        let golden = tape.with_extension("txt");
        let run = |flag| Cli::new(command).arg("--offline").arg(flag).arg(&tape.display().to_string()).run();
        if is_update {
            write(&golden, &told(&run("--record").exit(0)));
        }
        let ran = run("--replay").exit(0);
        assert!(!ran.stderr.contains(" calls "), "nothing is sent: {ran:?}");
        let expected = fs::read_to_string(&golden).unwrap_or_default();
        let told = told(&ran);
        if told != expected {
            wrong.push(format!("{name}\n--- expected\n{expected}\n--- told\n{told}"));
        }
    }
    assert!(wrong.is_empty(), "{} differ; `UPDATE_GOLDEN=1` takes them over:\n\n{}", wrong.len(), wrong.join("\n\n"));
}

/// Standard output and all files, pictures as digests.
fn told(ran: &Ran) -> String {
    let files = ran.files().into_iter().filter(|file| file.starts_with("out/") && file != "out/.blossom-run.lock");
    let shown = files.map(|file| {
        let bytes = fs::read(ran.path(&file)).expect("a file");
        let content = String::from_utf8(bytes).unwrap_or_else(|no_text| {
            format!("[{} bytes, {}]\n", no_text.as_bytes().len(), blake3::hash(no_text.as_bytes()))
        });
        format!("==> {file} <==\n{content}")
    });
    format!("==> standard output <==\n{}{}", ran.stdout, shown.collect::<String>())
}

#[expect(clippy::disallowed_methods, reason = "golden files are sources, not outputs of a run")]
fn write(path: &Path, text: &str) {
    fs::write(path, text).expect("write the golden text");
}
