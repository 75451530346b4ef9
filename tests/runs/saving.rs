//! What lies in the output folder: files by name and by bytes, rows, and paths that nobody may write twice.

use serde_json::json;

use crate::scene::{Scene, echo, prompts};
use crate::support::server::{Reply, Server};

const JPEG: [u8; 3] = [0xff, 0xd8, 0xff];
const PNG: [u8; 4] = [0x89, b'P', b'N', b'G'];

/// A picture of 6 x 5 pixels as JPEG.
fn jpeg() -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(vec![]);
    image::RgbImage::from_pixel(6, 5, image::Rgb([200, 30, 90]))
        .write_to(&mut bytes, image::ImageFormat::Jpeg)
        .unwrap();
    bytes.into_inner()
}

/// Answers with pictures, whatever they are called on the way.
fn painter() -> Server {
    Server::start(|request| match request.prompt() {
        prompt if prompt.contains("jpeg") => Reply::bytes("image/png", jpeg()),
        prompt if request.path.contains("images") => Reply::picture(&prompt),
        prompt => Reply::chat(prompt),
    })
}

#[tokio::test]
async fn a_picture_gets_the_extension_of_its_bytes() {
    let server = painter();
    let body = "
        stages:
          cover: {image: A cover in png}
          back: {image: A back in jpeg, save: art/back}
          page: {render: '{{cover}} {{back}} {{back.width}}x{{back.height}} {{back.media_type}}', save: page.md}
        ";
    let ran = Scene::new(&server, body).run().await.is_done();
    assert_eq!(ran.files(), ["art/back.jpg", "cover.png", "page.md"]);
    assert!(ran.bytes("art/back.jpg").starts_with(&JPEG) && ran.bytes("cover.png").starts_with(&PNG));
    assert_eq!(ran.text("page.md"), "cover.png art/back.jpg 6x5 image/jpeg\n");
}

#[tokio::test]
async fn a_picture_is_converted_to_the_extension_that_is_asked_for() {
    let server = painter();
    let body = "
        stages:
          cover: {image: A cover in jpeg, save: cover.png}
          back: {image: A back in png, save: back.jpeg}
          kept: {image: A kept one in jpeg, save: kept.jpg}
        ";
    let ran = Scene::new(&server, body).run().await.is_done();
    assert!(ran.bytes("cover.png").starts_with(&PNG));
    assert!(ran.bytes("back.jpeg").starts_with(&JPEG));
    assert_eq!(ran.bytes("kept.jpg"), jpeg(), "what is right already is not touched");
}

#[tokio::test]
async fn names_of_pictures_are_safe_and_each_another() {
    let server = painter();
    let body = "
        inputs:
          keys: [a/b, a-b, '..', '.', con., aux, COM1, 'a b.']
        stages:
          photo: {for_each: {key: keys}, image: 'Photo {{loop.number}} in png'}
        ";
    let ran = Scene::new(&server, body).run().await.is_done();
    let names = ["_-2", "_", "_COM1", "_aux", "_con", "a b", "a-b-2", "a-b"];
    assert_eq!(ran.files(), names.map(|name| format!("photo/{name}.png")));
}

#[tokio::test]
async fn pictures_of_a_loop_are_named_after_their_items() {
    let server = painter();
    let body = "
        inputs:
          towns: {type: items, default: [{name: Ulm}, {name: Ulm}, {name: ulm}, {name: 'a/b: c.d'}]}
        stages:
          photo: {for_each: {town: towns}, image: 'Photo {{loop.number}} of {{town.name}}'}
          list: {render: '{{join photo}}', save: list.txt}
        ";
    let ran = Scene::new(&server, body).run().await.is_done();
    let photos: Vec<String> = ran.files().into_iter().filter(|file| file.starts_with("photo/")).collect();
    assert_eq!(
        ran.text("list.txt").lines().take(3).collect::<Vec<_>>(),
        ["photo/Ulm.png", "photo/Ulm-2.png", "photo/ulm-3.png"]
    );
    assert_eq!(photos.len(), 4, "{photos:?}");
    assert!(photos.iter().any(|photo| photo.starts_with("photo/a-b") && photo.ends_with("c.d.png")), "{photos:?}");
}

#[tokio::test]
async fn pictures_that_rows_name_have_names_of_their_own() {
    let server = painter();
    let body = "
        inputs:
          towns: {type: items, default: [{name: Ulm}, {name: Ulm}]}
        stages:
          photo: {for_each: {town: towns}, image: 'Photo {{loop.number}} in png', save: photos.jsonl}
        ";
    let ran = Scene::new(&server, body).run().await.is_done();
    assert_eq!(ran.files(), ["photo/Ulm-2.png", "photo/Ulm.png", "photos.jsonl"]);
}

#[tokio::test]
async fn a_slash_out_of_a_value_makes_no_folder() {
    let server = echo();
    let body = r"
        inputs:
          titles: {type: items, default: ['a/b', 'x/../up', 'c\d']}
        stages:
          page: {for_each: {title: titles}, text: 'Page {{title}}', save: 'pages/{{title}}.md'}
        ";
    let ran = Scene::new(&server, body).run().await.is_done();
    assert_eq!(ran.files(), ["pages/a-b.md", "pages/c-d.md", "pages/x-..-up.md"]);
    assert_eq!(ran.text("pages/a-b.md"), "Page a/b\n", "in the text itself it stays");
}

#[tokio::test]
async fn an_answer_can_not_lead_out_of_the_folder() {
    let server = Server::start(|_| Reply::chat(".."));
    let body = "
        stages:
          place: {text: Where}
          page: {render: Here, save: '{{place}}/page.md'}
        ";
    let ran = Scene::new(&server, body).run().await.has_failed();
    assert_eq!(ran.files(), Vec::<String>::new());
    assert!(ran.failures()[0].1.starts_with("`../page.md` can't be saved"), "{:?}", ran.failures());
}

#[tokio::test]
async fn nothing_is_asked_for_an_answer_that_has_no_place_to_go() {
    let server = Server::start(|request| match request.prompt().as_str() {
        "Where" => Reply::chat(".."),
        prompt if request.path.contains("images") => Reply::picture(prompt),
        _ => Reply::chat("here"),
    });
    let body = "
        stages:
          where: {text: Where}
          out: {text: A page outside, save: '{{where}}/page.md'}
          picture: {image: A picture outside, save: '{{where}}/page.png'}
          rows: {text: Rows outside, save: '{{where}}/rows.jsonl'}
          same: {for_each: {n: 2}, text: 'Page {{n}} of two', save: 'same-{{where}}-.md', concurrency: 1}
        ";
    let scene = Scene::new(&server, body).defaults("on_error: continue");
    let ran = scene.run().await.has_failed();
    assert_eq!(prompts(&server), ["Page 1 of two", "Where"]);
    assert_eq!(ran.failures().len(), 4, "{:?}", ran.failures());
    assert_eq!(ran.files(), ["same-..-.md"]);
}

#[tokio::test]
async fn json_is_saved_for_people_to_read() {
    let server = Server::start(|_| Reply::chat("```json\n{\"title\":\"Tides\",\"parts\":[1,2]}\n```"));
    let body = "
        stages:
          outline: {text: Outline, json: true, save: outline.json}
          note: {render: '{{outline.title}}', save: note.json}
        ";
    let ran = Scene::new(&server, body).run().await.is_done();
    assert_eq!(ran.text("outline.json"), "{\n  \"title\": \"Tides\",\n  \"parts\": [\n    1,\n    2\n  ]\n}\n");
    assert_eq!(ran.text("note.json"), "\"Tides\"\n");
    assert_eq!(*ran.output("outline"), json!({"title": "Tides", "parts": [1, 2]}));
}

#[tokio::test]
async fn a_text_ends_with_one_line_break() {
    let server = Server::start(|request| Reply::chat(format!("{}\n\n\n", request.prompt())));
    let body = "
        stages:
          letter: {text: Dear all, save: letter.md}
        ";
    let ran = Scene::new(&server, body).run().await.is_done();
    assert_eq!(ran.text("letter.md"), "Dear all\n");
}

#[tokio::test]
async fn a_table_has_the_columns_that_are_asked_for_with_what_needs_quotes_in_quotes() {
    let server = echo();
    let body = r#"
        inputs:
          towns: {type: items, default: [{id: ulm, size: 3}, {id: 'say "hi", all', size: null}]}
        stages:
          motto:
            for_each: {town: towns}
            text: "Motto,\nof {{town.id}}"
            save: {path: mottos.csv, row: {id: '{{town.id}}', size: '{{town.size}}', motto: '{{motto}}'}}
          plain: {for_each: town, text: 'Plain {{loop.number}}', save: plain.csv}
        "#;
    let ran = Scene::new(&server, body).run().await.is_done();
    assert_eq!(
        ran.text("mottos.csv"),
        "id,size,motto\nulm,3,\"Motto,\nof ulm\"\n\"say \"\"hi\"\", all\",,\"Motto,\nof say \"\"hi\"\", all\"\n"
    );
    assert_eq!(ran.text("plain.csv"), "key,plain\nulm,Plain 1\n\"say \"\"hi\"\", all\",Plain 2\n");
}

#[tokio::test]
async fn a_picture_in_a_table_is_its_path() {
    let server = painter();
    let body = "
        stages:
          photo: {for_each: {n: 1}, image: A photo in png}
          list: {for_each: n, render: x, save: {path: list.csv, row: {n: '{{n}}', photo: '{{photo}}'}}}
        ";
    let ran = Scene::new(&server, body).run().await.is_done();
    assert_eq!(ran.text("list.csv"), "n,photo\n1,photo/1.png\n");
}

#[tokio::test]
async fn a_row_keeps_the_types_of_its_values() {
    let server = echo();
    let body = "
        inputs:
          towns: {type: items, default: [{id: ulm, size: 3, tags: [a]}]}
        stages:
          motto:
            for_each: {town: towns}
            text: Motto
            save: {path: rows.jsonl, row: {size: '{{town.size}}', tags: '{{town.tags}}', text: 'of {{town.size}}', whole: '{{motto}}'}}
        ";
    let ran = Scene::new(&server, body).run().await.is_done();
    assert_eq!(ran.rows("rows.jsonl"), [json!({"size": 3, "tags": ["a"], "text": "of 3", "whole": "Motto"})]);
}

#[tokio::test]
async fn two_items_with_one_path_fail_before_anything_is_overwritten() {
    let server = Server::start(|request| Reply::chat(if request.prompt().ends_with('3') { "other" } else { "same" }));
    let body = "
        stages:
          title: {for_each: {n: 3}, text: 'Title {{n}}', concurrency: 1}
          page: {for_each: n, render: 'Page {{n}}', save: 'pages/{{title}}.md', on_error: continue}
        ";
    let ran = Scene::new(&server, body).run().await.has_failed();
    assert_eq!(ran.files(), ["pages/other.md", "pages/same.md"]);
    assert_eq!(ran.counts("page"), "3: 2 done, 1 failed");
    let failures = ran.failures();
    let lost = if ran.text("pages/same.md") == "Page 1\n" { "page/2" } else { "page/1" };
    assert_eq!(failures[0].0, lost, "the first to come has it");
    assert!(failures[0].1.contains("writes `pages/same.md`, which"), "{failures:?}");
}

#[tokio::test]
async fn rows_of_an_earlier_run_stay_where_none_come_out() {
    let server = Server::start(|_| Reply::error(400, "BAD_REQUEST", "no"));
    let body = "
        inputs:
          none: {type: items, default: []}
        stages:
          page: {for_each: {n: 2}, text: 'Page {{n}}', save: pages.jsonl, on_error: continue}
          empty: {for_each: {one: none}, text: 'Empty {{one}}', save: empty.jsonl}
        ";
    let scene = Scene::new(&server, body).file("out/pages.jsonl", "old").file("out/empty.jsonl", "old");
    let ran = scene.run().await.has_failed();
    assert_eq!(ran.text("pages.jsonl"), "old", "a run that failed has nothing to put in its place");
    assert_eq!(ran.text("empty.jsonl"), "", "an empty list is a list");
}

#[tokio::test]
async fn a_file_of_an_earlier_run_is_replaced_and_others_stay() {
    let server = echo();
    let body = "
        stages:
          page: {text: Page, save: page.md}
        ";
    let scene = Scene::new(&server, body).file("out/page.md", "old").file("out/other.md", "older");
    let ran = scene.file("out/.page.md.dead-run.part", "left over").run().await.is_done();
    assert_eq!((ran.text("page.md"), ran.text("other.md")), ("Page\n".to_owned(), "older".to_owned()));
    assert!(!ran.out().join(".page.md.dead-run.part").exists(), "what a dead run has left is removed");
}

#[test]
fn rows_of_an_earlier_run_stay_where_what_they_are_made_of_has_failed() {
    let pipeline = "name: rows
providers: {gone: {kind: openai, base_url: 'http://127.0.0.1:1/v1'}}
defaults: {provider: gone, model: m, retry: {attempts: 1}, on_error: continue}
stages:
  say: {for_each: {n: 2}, text: 'Say {{n}}'}
  polish: {for_each: {n: 2}, render: '{{say}}!', save: rows.jsonl}
  none: {for_each: {n: 2}, render: '{{n}}', when: '{{eq n 3}}', save: none.jsonl}
";
    let cli = crate::cli::Cli::new("rows.yaml").file("rows.yaml", pipeline);
    let ran = cli.file("out/rows.jsonl", "of yesterday\n").file("out/none.jsonl", "of yesterday\n").run().exit(4);
    assert_eq!(ran.read("out/rows.jsonl"), "of yesterday\n");
    assert_eq!(ran.read("out/none.jsonl"), "", "nothing was to come out");
}
