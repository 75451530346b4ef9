//! Pictures that models are shown, and what is made of pictures that come back.

use std::io::Cursor;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use blossom_run::model::EventKind;
use image::{ImageFormat, Rgb, RgbImage};

use crate::cli::{Cli, Ran};
use crate::scene::{Scene, dedent, echo, prompts};
use crate::support::server::{Reply, Request, Server, picture};

/// A picture in some format, another for each number.
fn made(number: u8, format: ImageFormat) -> Vec<u8> {
    let pixels = RgbImage::from_fn(16, 12, |x, y| Rgb([u8::try_from(x * 10 + y).unwrap(), number, 90]));
    let mut bytes = Cursor::new(vec![]);
    pixels.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

pub(crate) fn png(number: u8) -> Vec<u8> {
    made(number, ImageFormat::Png)
}

fn address(media_type: &str, bytes: &[u8]) -> String {
    format!("data:{media_type};base64,{}", STANDARD.encode(bytes))
}

/// The addresses of pictures in the last message.
fn shown(request: &Request) -> Vec<String> {
    let json = request.json();
    let last = json["messages"].as_array().and_then(|messages| messages.last()).unwrap();
    let parts = last["content"].as_array().map_or(&[][..], Vec::as_slice);
    let addresses = parts.iter().filter(|part| part["type"] == "image_url");
    addresses.map(|part| part["image_url"]["url"].as_str().unwrap().to_owned()).collect()
}

fn warnings(events: &[EventKind]) -> Vec<&str> {
    let warnings = events.iter().filter_map(|kind| match kind {
        EventKind::Warning { message } => Some(message.as_str()),
        _ => None,
    });
    warnings.collect()
}

#[tokio::test]
async fn files_are_sent_with_their_bytes_and_addresses_as_they_are() {
    let server = echo();
    let (jpeg, webp) = (made(2, ImageFormat::Jpeg), made(3, ImageFormat::WebP));
    let body = "
        stages:
          look:
            system: Be brief.
            text: What are these?
            images: [photos/a.png, photos/b, \"https://a.example/c.png?d=e|f\", photos/d.webp]
        ";
    let scene = Scene::new(&server, body).file("photos/a.png", png(1)).file("photos/b", &jpeg);
    scene.file("photos/d.webp", &webp).run().await.is_done();
    let request = server.request();
    assert_eq!(
        shown(&request),
        [
            address("image/png", &png(1)),
            address("image/jpeg", &jpeg),
            "https://a.example/c.png?d=e|f".to_owned(),
            address("image/webp", &webp),
        ]
    );
    let messages = &request.json()["messages"];
    assert_eq!(
        (&messages[0]["content"], &messages[1]["content"][0]["text"]),
        (&"Be brief.".into(), &"What are these?".into())
    );
}

#[tokio::test]
async fn in_a_chat_they_go_with_the_last_message_of_the_user() {
    let server = echo();
    let body = "
        stages:
          talk:
            chat: [user: Hello, assistant: Hi, user: What is it?]
            images: a.png
        ";
    Scene::new(&server, body).file("a.png", png(1)).run().await.is_done();
    let messages = server.request().json()["messages"].clone();
    assert_eq!((&messages[0]["content"], &messages[1]["content"]), (&"Hello".into(), &"Hi".into()));
    assert_eq!(shown(&server.request()), [address("image/png", &png(1))]);
}

#[tokio::test]
async fn a_conversation_goes_on_with_its_pictures_where_a_value_stands_in_too() {
    let server = Server::start(|request| match request.prompt().as_str() {
        "Refuse" => Reply::error(400, "BAD_REQUEST", "no"),
        prompt => Reply::chat(prompt),
    });
    let body = "
        stages:
          alt: {text: What is it?, images: a.png}
          more: {continues: alt, chat: [{user: More}]}
          refused: {text: Refuse, images: a.png, on_error: {value: A sign}}
          then: {continues: refused, chat: [{user: Then}]}
        ";
    Scene::new(&server, body).file("a.png", png(1)).run().await.is_done();
    for prompt in ["More", "Then"] {
        let requests = server.requests();
        let request = requests.iter().find(|request| request.prompt() == prompt).unwrap();
        let first = &request.json()["messages"][0]["content"];
        assert_eq!(first[1]["image_url"]["url"], address("image/png", &png(1)), "{prompt}: {first}");
    }
}

/// Pictures for pictures, and each prompt back for texts.
fn studio() -> Server {
    Server::start(|request| match request.path.as_str() {
        "/chat/completions" => Reply::chat(request.prompt()),
        _ => Reply::picture(&request.prompt()),
    })
}

#[tokio::test]
async fn a_picture_of_a_stage_is_shown_as_it_was_saved() {
    let server = studio();
    let body = "
        stages:
          hero: {image: A fox, save: art/hero.webp}
          card: {for_each: {n: 3}, image: 'Card {{n}}'}
          caption: {text: Caption, images: '{{hero}}'}
          each: {for_each: n, text: 'Look {{n}}', images: ['{{card}}', '{{hero.path}}']}
          all: {text: All, images: '{{card}}'}
          last: {for_each: n, text: 'Last {{n}} of {{all}}', images: '{{card}}'}
        ";
    let ran = Scene::new(&server, body).run().await.is_done();
    let webp = address("image/webp", &ran.bytes("art/hero.webp"));
    let card = |n: u32| address("image/png", &ran.bytes(&format!("card/{n}.png")));
    let of = |prompt: &str| {
        let requests = server.requests();
        shown(requests.iter().find(|request| request.prompt() == prompt).unwrap())
    };
    assert_eq!(of("Caption"), std::slice::from_ref(&webp));
    assert_eq!(of("Look 2"), [card(2), webp]);
    assert_eq!(of("All"), [card(1), card(2), card(3)]);
    assert_eq!(of("Last 3 of All"), [card(3)], "in another pass");
}

#[tokio::test]
async fn what_stands_in_for_a_picture_is_a_file_beside_the_pipeline() {
    let server = Server::start(|request| match request.path.as_str() {
        "/chat/completions" => Reply::chat("seen"),
        _ => Reply::error(400, "BAD_REQUEST", "No"),
    });
    let body = "
        stages:
          hero: {image: A fox, on_error: {value: {path: none.png}}}
          caption: {text: Caption, images: '{{hero}}', save: caption.txt}
        ";
    Scene::new(&server, body).file("none.png", png(7)).run().await.is_done();
    let asked = server.requests();
    assert_eq!(shown(asked.last().unwrap()), [address("image/png", &png(7))]);
}

#[tokio::test]
async fn a_list_of_no_pictures_shows_none_and_a_missing_path_fails_its_item() {
    let server = echo();
    let rows = "{\"id\":\"a\",\"photos\":[]}\n{\"id\":\"b\",\"photos\":[\"a.png\",\"https://a.example/c.png\"]}\n\
                {\"id\":\"c\",\"photos\":\"\"}\n{\"id\":\"d\",\"photos\":[\"gone.png\"]}\n{\"id\":\"e\",\"photos\":[7]}\n";
    let body = "
        inputs: {rows: {type: items, default: rows.jsonl}}
        stages:
          look: {for_each: {row: rows}, text: 'Look {{row.id}}', images: '{{row.photos}}', save: look.jsonl}
        ";
    let scene = Scene::new(&server, body).defaults("on_error: continue");
    let ran = scene.file("rows.jsonl", rows).file("a.png", png(1)).run().await.has_failed();
    assert_eq!(prompts(&server), ["Look a", "Look b"]);
    let failures = ran.failures();
    let of = |key: &str| failures.iter().find(|(name, _)| name == key).unwrap().1.as_str();
    assert!(of("look/c").ends_with("/rows.jsonl:3: this picture has no path"), "{failures:?}");
    assert!(of("look/d").ends_with("/rows.jsonl:4: there is no picture `gone.png`"), "{failures:?}");
    assert!(of("look/e").ends_with("/rows.jsonl:5: `7` is no picture"), "{failures:?}");
    let asked = server.requests();
    let a = asked.iter().find(|request| request.prompt() == "Look a").unwrap();
    assert_eq!(a.json()["messages"][0]["content"], "Look a", "a message without pictures is a text as ever");
}

#[tokio::test]
async fn no_answer_chooses_a_file_outside_to_stand_in_for_a_picture() {
    let server = Server::start(|request| match request.prompt().as_str() {
        "inside" => Reply::chat("{\"path\": \"a.png\"}"),
        "outside" => Reply::chat("{\"path\": \"../secret.png\"}"),
        "Paint" => Reply::error(400, "BAD_REQUEST", "No"),
        _ => Reply::chat("seen"),
    });
    for stand_in in ["{path: '{{choose.path}}'}", "'{{choose}}'"] {
        let body = format!(
            "
            stages:
              choose: {{for_each: {{way: [inside, outside]}}, text: '{{{{way}}}}', json: true}}
              hero: {{for_each: way, image: Paint, on_error: {{value: {stand_in}}}}}
              look: {{for_each: way, text: 'Look {{{{way}}}}', images: '{{{{hero}}}}', on_error: continue}}
            "
        );
        let ran = Scene::new(&server, &body).file("a.png", png(1)).run().await.has_failed();
        assert_eq!(ran.counts("look"), "2: 1 done, 1 failed", "{stand_in}");
        let failures = ran.failures();
        let why = "`../secret.png` leads out of the pipeline's folder, and an answer names it";
        assert_eq!(failures.iter().map(|(_, why)| why.as_str()).collect::<Vec<_>>(), [why], "{stand_in}");
    }
}

#[tokio::test]
async fn a_picture_that_is_part_of_a_row_is_told_with_the_line_of_that() {
    let server = echo();
    let body = "
        inputs: {rows: {type: items, default: rows.jsonl}}
        stages:
          each: {for_each: {row: rows}, render: '{{row.id}}'}
          part: {for_each: {photo: row.photos}, text: Part, images: ['{{photo}}']}
        ";
    let scene = Scene::new(&server, body).defaults("on_error: continue").file("a.png", png(1));
    let rows = "{\"id\":1,\"photos\":[\"a.png\"]}\n{\"id\":2,\"photos\":[\"a.png\",\"gone.png\"]}\n";
    let failures = scene.file("rows.jsonl", rows).run().await.has_failed().failures();
    assert!(failures[0].1.ends_with("/rows.jsonl:2: there is no picture `gone.png`"), "{failures:?}");
}

#[tokio::test]
async fn no_answer_chooses_a_file_outside() {
    let server = Server::start(|request| match request.prompt().as_str() {
        "inside" => Reply::chat("{\"path\": \"a.png\"}"),
        "outside" => Reply::chat("{\"path\": \"../secret.png\"}"),
        "root" => Reply::chat("{\"path\": \"/etc/secret.png\"}"),
        _ => Reply::chat("seen"),
    });
    for named in ["choose.path", "put.path.0", "written"] {
        let body = format!(
            "
            stages:
              choose: {{for_each: {{way: [inside, outside, root]}}, text: '{{{{way}}}}', json: true}}
              put: {{for_each: way, value: {{path: ['{{{{choose.path}}}}']}}}}
              written: {{for_each: way, render: '{{{{choose.path}}}}'}}
              look: {{for_each: way, text: 'Look {{{{way}}}}', images: '{{{{{named}}}}}', save: look.jsonl}}
            "
        );
        let scene = Scene::new(&server, &body).defaults("on_error: continue").file("a.png", png(1));
        let ran = scene.run().await.has_failed();
        assert_eq!(ran.counts("look"), "3: 1 done, 2 failed", "{named}");
        let mut failures: Vec<String> = ran.failures().into_iter().map(|(_, message)| message).collect();
        failures.sort();
        assert_eq!(
            failures,
            [
                "`../secret.png` leads out of the pipeline's folder, and an answer names it",
                "`/etc/secret.png` leads out of the pipeline's folder, and an answer names it",
            ]
        );
    }
}

#[tokio::test]
async fn what_is_too_large_is_not_sent() {
    let server = echo();
    let mut large = png(1);
    large.resize(7_000_000, 0);
    let body = "
        inputs: {photos: {type: items, default: 'photos/*.png'}}
        stages:
          each: {for_each: {photo: photos}, text: 'Look {{photo.stem}}', images: '{{photo.path}}', save: each.jsonl}
          all: {text: All, images: '{{photos}}'}
        ";
    let mut huge = png(2);
    huge.resize(10_000_001, 0);
    let scene = Scene::new(&server, body).defaults("on_error: continue").file("photos/a.png", &large);
    let ran = scene.file("photos/b.png", &large).file("photos/c.png", huge).run().await.has_failed();
    assert_eq!(prompts(&server), ["Look a", "Look b"]);
    assert!(
        ran.failures()
            .contains(&("each/c.png".into(), "`photos/c.png` has 10.1 MB, and a picture may have 10 MB".into()))
    );
    let body = body
        .replace("photos/*", "photos/[ab]*")
        .replace("images: '{{photos}}'", "images: ['{{photos}}', photos/a.png]");
    let scene = Scene::new(&server, &body).defaults("on_error: continue").file("photos/a.png", &large);
    let ran = scene.file("photos/b.png", &large).run().await.has_failed();
    let message = "the pictures of one request have 21 MB together, and 14 MB are allowed";
    assert_eq!(ran.failures(), [("all".into(), message.into())]);
}

#[tokio::test]
async fn references_of_pictures_go_as_a_form_to_servers_like_openai() {
    let server = Server::start(|request| Reply::picture(&request.number.to_string()));
    let body = "
        stages:
          night: {image: The same at night, images: a.png, width: 4, height: 3, save: night.png}
          both: {image: Both, images: [a.png, '{{night}}'], extra: {style: vivid}}
        ";
    let ran = Scene::new(&server, body).file("a.png", png(1)).run().await.is_done();
    let asked = server.requests();
    let text = |at: usize| String::from_utf8_lossy(&asked[at].body).into_owned();
    for request in &asked {
        assert_eq!((request.method.as_str(), request.path.as_str()), ("POST", "/images/edits"));
        assert!(request.header("content-type").unwrap().starts_with("multipart/form-data; boundary=blossom-"));
    }
    let holds = |at: usize, bytes: &[u8]| asked[at].body.windows(bytes.len()).any(|window| window == bytes);
    assert!(text(0).contains("name=\"prompt\"\r\n\r\nThe same at night\r\n"), "{}", text(0));
    assert!(text(0).contains("name=\"size\"\r\n\r\n4x3\r\n") && holds(0, &png(1)));
    assert!(text(0).contains("name=\"image\"; filename=\"image-1.png\"\r\nContent-Type: image/png\r\n"));
    assert!(
        text(1).contains("name=\"style\"\r\n\r\nvivid\r\n")
            && text(1).contains("name=\"image[]\"; filename=\"image-2.png\"")
    );
    assert!(holds(1, &png(1)) && holds(1, &ran.bytes("night.png")), "each with all of its bytes");
}

const ALT: &str = "
    name: alt
    inputs: {photos: {type: items, default: 'photos/*.png'}}
    providers: {test: {kind: openai, base_url: 'SERVER'}}
    defaults: {provider: test, model: m, retry: 1}
    stages:
      alt: {for_each: {photo: photos}, text: Alt text, images: '{{photo.path}}', save: {path: alt.jsonl, row: {alt: '{{alt}}'}}}
    ";

/// Tells of each picture how many bytes came.
fn counting() -> Server {
    Server::start(|request| Reply::chat(format!("{} characters", shown(request)[0].len())))
}

fn alt(server: &Server) -> Ran {
    let file = dedent(ALT).replace("SERVER", &server.url);
    let cli = Cli::new("alt.yaml").file("alt.yaml", file).file("photos/a.png", png(1));
    cli.file("photos/b.png", png(2)).file("photos/c.png", made(3, ImageFormat::Jpeg)).run().exit(0)
}

#[test]
fn another_name_asks_nothing_and_another_byte_asks_again() {
    let server = counting();
    let ran = alt(&server);
    assert_eq!(server.requests().len(), 3);
    let before = ran.read("out/alt.jsonl");
    std::fs::rename(ran.path("photos/a.png"), ran.path("photos/other.png")).unwrap();
    let ran = ran.again("alt.yaml").run().exit(0);
    assert_eq!(server.requests().len(), 3, "the bytes are what they were");
    assert_ne!(ran.read("out/alt.jsonl"), before, "in another order");
    // What stands behind the end of a PNG changes nothing but its bytes.
    let changed = [png(2), b"!".to_vec()].concat();
    let ran = ran.again("why alt.yaml alt b.png").file("photos/b.png", changed).run().exit(0);
    let digest = |bytes: &[u8]| blake3::hash(bytes).to_hex()[..12].to_owned();
    let length = png(2).len();
    let line = format!(
        "  messages[0].images[0]: image/png, {length} bytes ({}) -> image/png, {} bytes ({})\n",
        digest(&png(2)),
        length + 1,
        digest(&[png(2), b"!".to_vec()].concat())
    );
    assert!(ran.stdout.contains(&line), "{}\n{line}", ran.stdout);
    ran.again("alt.yaml").run().exit(0);
    assert_eq!(server.requests().len(), 4);
}

#[test]
fn a_request_is_shown_with_names_and_without_bytes() {
    let server = counting();
    let ran = alt(&server).again("show alt.yaml alt c.png").run().exit(0);
    let shown = format!("\"url\": \"<photos/c.png: image/jpeg, {} bytes>\"", made(3, ImageFormat::Jpeg).len());
    assert!(ran.stdout.contains(&shown), "{}", ran.stdout);
    assert!(!ran.stdout.contains("base64"), "{}", ran.stdout);
}

#[test]
fn paths_on_the_command_line_are_relative_to_where_it_is_written() {
    let server = counting();
    let file = dedent(ALT).replace("SERVER", &server.url);
    let cli = Cli::new("../alt.yaml -i photos=mine/*.png").folder("here").file("alt.yaml", file);
    cli.file("here/mine/a.png", png(1)).run().exit(0);
    assert_eq!(shown(&server.request()), [address("image/png", &png(1))]);
}

#[test]
fn a_plan_knows_pictures_that_are_kept_although_nothing_is_written() {
    let server = studio();
    let body = "
        name: kept
        providers: {test: {kind: openai, base_url: 'SERVER'}}
        defaults: {provider: test, model: m, retry: 1}
        stages:
          hero: {image: A fox, save: hero.jpg}
          caption: {text: Caption, images: '{{hero}}', save: caption.txt}
        ";
    let file = dedent(body).replace("SERVER", &server.url);
    let ran = Cli::new("kept.yaml").file("kept.yaml", file).run().exit(0);
    assert_eq!(server.requests().len(), 2);
    std::fs::remove_dir_all(ran.path("out")).unwrap();
    let ran = ran.again("plan kept.yaml").run().exit(0);
    assert!(ran.stdout.contains("no calls to make, 2 kept"), "{}", ran.stdout);
    let ran = ran.again("why kept.yaml caption").run().exit(0);
    assert!(ran.stdout.contains("caption is kept"), "{}", ran.stdout);
    let ran = ran.again("kept.yaml").run().exit(0);
    assert_eq!(server.requests().len(), 2, "{}", ran.stderr);
    assert!(ran.path("out/hero.jpg").exists());
}

#[tokio::test]
async fn a_picture_that_can_not_be_decoded_is_asked_for_again() {
    // Whole as far as its marks and its checksums go, and nothing but zeros between them.
    let mut broken = png(5);
    let data = broken.windows(4).position(|name| name == b"IDAT").unwrap();
    let end = broken.windows(4).position(|name| name == b"IEND").unwrap() - 8;
    broken[data + 4..end].fill(0);
    let sum = crc32fast::hash(&broken[data..end]);
    broken[end..end + 4].copy_from_slice(&sum.to_be_bytes());
    let server = Server::start(move |request| match request.attempt {
        1 => Reply::bytes("image/jpeg", broken.clone()),
        _ => Reply::picture("whole"),
    });
    let ran = Scene::new(&server, "stages: {hero: {image: A fox, save: hero.png}}").run().await.is_done();
    assert_eq!(ran.bytes("hero.png"), picture("whole"));
    let reasons: Vec<&str> = ran
        .events
        .iter()
        .filter_map(|kind| match kind {
            EventKind::AttemptFailed { failure, retry_in: Some(_), .. } => Some(failure.message.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(reasons.len(), 1);
    assert!(reasons[0].starts_with("The picture can't be decoded, though it begins as image/png"), "{reasons:?}");
}

#[tokio::test]
async fn one_picture_for_three_prompts_is_none() {
    let server = Server::start(|request| match request.attempt {
        1 => Reply::picture("the same"),
        _ => Reply::picture(&request.prompt()),
    });
    let body = "stages: {hero: {for_each: {n: 3}, image: 'Fox {{n}}', concurrency: 1, save: 'hero/{{n}}.png'}}";
    let ran = Scene::new(&server, body).run().await.is_done();
    assert_eq!(ran.bytes("hero/2.png"), picture("the same"), "twice may be a whim");
    assert_eq!(ran.bytes("hero/3.png"), picture("Fox 3"));
    assert_eq!(server.requests().len(), 4);
}

#[tokio::test]
async fn blank_pictures_and_other_sizes_are_told_and_taken() {
    let server = Server::start(|request| {
        let blank = RgbImage::from_pixel(8, 8, Rgb([u8::try_from(request.number).unwrap(), 0, 0]));
        let mut bytes = Cursor::new(vec![]);
        blank.write_to(&mut bytes, ImageFormat::Png).unwrap();
        Reply::bytes("image/png", bytes.into_inner())
    });
    let body = "stages: {hero: {for_each: {n: 2}, image: 'Fox {{n}}', concurrency: 1, width: 8, height: '{{n}}6'}}";
    let ran = Scene::new(&server, body).run().await.is_done();
    assert_eq!(
        warnings(&ran.events),
        [
            "hero/1: the picture has 8 x 8 pixels, and 8 x 16 was asked for",
            "hero/1: the picture is blank: all of it has one colour",
            "hero/2: the picture has 8 x 8 pixels, and 8 x 26 was asked for",
            "hero/2: the picture is blank: all of it has one colour",
        ]
    );
    let body = "stages: {hero: {for_each: {n: 6}, image: 'Fox {{n}}', width: 64, height: 48, transparent: true}}";
    let ran = Scene::offline("", body).run().await.is_done();
    assert_eq!(warnings(&ran.events), [""; 0], "what is built in never gives rise to doubts");
}

#[tokio::test]
async fn the_built_in_provider_says_what_it_was_shown() {
    let body = "
        inputs: {photos: {type: items, default: 'photos/*.png'}}
        stages:
          alt: {for_each: {photo: photos}, text: 'Alt text, in at most 15 words', images: '{{photo.path}}', save: alt.jsonl}
          again: {for_each: photo, image: The same, images: '{{photo}}', width: 96, height: 64}
        ";
    let scene = || Scene::offline("", body).file("photos/a.png", png(1)).file("photos/b.png", png(2));
    let ran = scene().run().await.is_done();
    let (first, second) = (ran.values("alt"), png(1).len());
    assert!(first[0].starts_with(&format!("[offline] Shown a PNG of 16 x 12 pixels ({second} bytes, ")), "{first:?}");
    assert_ne!(first[0], first[1]);
    assert_ne!(ran.bytes("again/a.png.png"), ran.bytes("again/b.png.png"));
    let again = scene().run().await.is_done();
    assert_eq!(again.values("alt"), first);
    assert_eq!(again.bytes("again/a.png.png"), ran.bytes("again/a.png.png"));
}
