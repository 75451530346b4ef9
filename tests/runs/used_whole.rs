//! What stages of a used pipeline say of their answers, their conversations and their pictures holds wherever it is used.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::cli::Cli;
use crate::scene::{Scene, dedent, prompts};
use crate::support::server::{Reply, Request, Server, picture};

/// A conversation as it arrived, a line for each message.
fn said(request: &Request) -> Vec<String> {
    let json = request.json();
    let text = |content: &Value| content.as_str().or(content[0]["text"].as_str()).unwrap().to_owned();
    let line = |one: &Value| format!("{}: {}", one["role"].as_str().unwrap(), text(&one["content"]));
    json["messages"].as_array().unwrap().iter().map(line).collect()
}

/// The conversations whose last message this is.
fn asked(server: &Server, prompt: &str) -> Vec<Vec<String>> {
    let all = server.requests();
    all.iter().map(said).filter(|said| said.last().unwrap() == &format!("user: {prompt}")).collect()
}

/// The pictures in the last message, as they were sent.
fn shown(request: &Request) -> Vec<String> {
    let json = request.json();
    let last = json["messages"].as_array().and_then(|messages| messages.last()).unwrap();
    let parts = last["content"].as_array().map_or(&[][..], Vec::as_slice);
    let addresses = parts.iter().filter(|part| part["type"] == "image_url");
    addresses.map(|part| part["image_url"]["url"].as_str().unwrap().to_owned()).collect()
}

fn address(bytes: &[u8]) -> String {
    format!("data:image/png;base64,{}", STANDARD.encode(bytes))
}

const SHEET: &str = "
    inputs: {subject: , photo: , mark: , plate: , sign: {default: sign.png}}
    stages:
      facts:
        text: 'Facts {{subject}}'
        images: ['{{photo}}', '{{mark}}', '{{plate}}', '{{sign}}', own.png]
        json: {title: string, score: integer}
        expect:
          - {contains: '{{subject}}', min_chars: '{{facts.score}}0'}
          - holds: and (eq facts.title subject) (gt facts.score 0)
      draft: {text: 'Draft {{facts.title}}', fallback: [{provider: second, model: n}]}
      critique: {continues: draft, chat: [{user: 'Criticise {{subject}}'}]}
      turn:
        for_each: {n: 2}
        continues: previous
        chat: [{user: 'Turn {{n}} of {{subject}} after {{default previous \"nothing\"}}'}]
    outputs: {facts: '{{facts}}', critique: '{{critique}}', turns: '{{turn}}'}
    ";

#[tokio::test]
async fn answers_are_checked_given_back_and_gone_on_with_for_each_item_of_the_user() {
    let second = Server::start(|request| Reply::chat(format!("second {}", request.prompt())));
    let first = Server::start(|request| match said(request).as_slice() {
        [only] if only == "user: Facts Ants" => Reply::chat(json!({"title": "Wasps", "score": 9}).to_string()),
        [facts, ..] if facts.starts_with("user: Facts ") => {
            Reply::chat(json!({"title": facts["user: Facts ".len()..], "score": 1}).to_string())
        }
        [only] if only == "user: Draft Bees" => Reply::error(400, "BAD", "Not that one"),
        _ => Reply::chat(format!("<{}>", request.prompt())),
    });
    let body = "
        inputs:
          topics: {type: items, default: [{name: Ants, photo: a.png}, {name: Bees, photo: b.png}]}
          mark: {default: pictures/mark.png}
        stages:
          sheet:
            for_each: {topic: topics}
            use: parts/sheet.yaml
            with: {subject: '{{topic.name}}', photo: 'pictures/{{topic.photo}}', mark: '{{mark}}', plate: pictures/plate.png}
          page:
            for_each: topic
            render: '{{sheet.facts.title}} {{sheet.facts.score}} {{sheet.critique}} {{join sheet.turns \"+\"}}'
            save: page.jsonl
        ";
    let providers = format!("name: sheet\nproviders: {{second: {{kind: openai, base_url: \"{}\"}}}}\n", second.url);
    let names = ["a", "b", "mark", "plate"].map(|name| format!("pictures/{name}.png"));
    let names = [names.as_slice(), &["parts/sign.png".to_owned(), "parts/own.png".to_owned()]].concat();
    let scene = Scene::new(&first, body).file("parts/sheet.yaml", providers + &dedent(SHEET));
    let scene = names.iter().fold(scene, |scene, name| scene.file(name, picture(name)));
    let ran = scene.run().await.is_done();
    assert_eq!(
        ran.values("page"),
        [
            "Ants 1 <Criticise Ants> <Turn 1 of Ants after nothing>+<Turn 2 of Ants after <Turn 1 of Ants after nothing>>",
            "Bees 1 <Criticise Bees> <Turn 1 of Bees after nothing>+<Turn 2 of Bees after <Turn 1 of Bees after nothing>>",
        ]
    );
    // Each picture comes from the folder of whoever names it.
    let requests = first.requests();
    let bees = requests.iter().find(|request| said(request) == ["user: Facts Bees"]).unwrap();
    let files: Vec<String> = names[1..].iter().map(|name| address(&picture(name))).collect();
    assert_eq!(shown(bees), files);
    assert_eq!(bees.json()["response_format"]["json_schema"]["schema"]["required"], json!(["title", "score"]));
    // A wrong answer is given back, with what the file says of it in its own words.
    let ants: Vec<Vec<String>> =
        requests.iter().map(said).filter(|said| said[0] == "user: Facts Ants" && said.len() == 3).collect();
    assert_eq!(ants.len(), 1, "{:?}", prompts(&first));
    assert_eq!(ants[0][1], format!("assistant: {}", json!({"title": "Wasps", "score": 9})));
    assert!(ants[0][2].contains("`and (eq facts.title subject) (gt facts.score 0)` does not hold"), "{ants:?}");
    assert!(ants[0][2].contains("90"), "as long as ten times its own score: {ants:?}");
    // What the other provider answered is gone on with as well.
    assert_eq!((second.requests().len(), second.request().json()["model"].clone()), (1, json!("n")));
    assert_eq!(
        asked(&first, "Criticise Bees"),
        [["user: Draft Bees", "assistant: second Draft Bees", "user: Criticise Bees"]]
    );
    assert_eq!(asked(&first, "Criticise Ants")[0][1], "assistant: <Draft Ants>");
    let last = asked(&first, "Turn 2 of Bees after <Turn 1 of Bees after nothing>");
    assert_eq!(last[0][0], "user: Turn 1 of Bees after nothing");
    assert_eq!(last[0].len(), 3);
}

#[tokio::test]
async fn pictures_go_into_a_used_pipeline_and_come_out_of_it() {
    let server = Server::start(|request| match request.path.as_str() {
        "/chat/completions" => Reply::chat(request.prompt()),
        _ => Reply::picture(&request.prompt()),
    });
    let used = "
        name: look
        inputs: {shown: {type: json}, path: , all: {type: items}}
        stages:
          back: {image: 'Back of {{path}}', images: '{{shown}}', save: back.png}
          look: {text: 'Look at {{path}}', images: ['{{shown}}', '{{path}}', '{{all}}']}
        outputs: {back: '{{back}}', said: '{{look}}'}
        ";
    let body = "
        stages:
          card: {for_each: {n: 2}, image: 'Card {{n}}'}
          look:
            for_each: n
            use: parts/look.yaml
            with: {shown: '{{card}}', path: '{{card.path}}', all: ['{{card}}']}
          after: {for_each: n, text: 'After {{look.said}}', images: ['{{look.back}}', '{{look.back.path}}']}
        ";
    let ran = Scene::new(&server, body).file("parts/look.yaml", dedent(used)).run().await.is_done();
    let requests = server.requests();
    let of = |prompt: &str| shown(requests.iter().find(|request| request.prompt() == prompt).expect(prompt));
    let card = address(&ran.bytes("card/2.png"));
    assert_eq!(of("Look at card/2.png"), [card.clone(), card.clone(), card]);
    let back = address(&ran.bytes("look/back/2.png"));
    assert_eq!(of("After Look at card/2.png"), [back.clone(), back]);
}

/// What a model answers must not choose among all files of a machine, whatever hands it on.
#[tokio::test]
async fn an_answer_that_is_handed_on_names_no_picture_elsewhere() {
    let server = Server::start(|request| match request.prompt().as_str() {
        "Which?" => Reply::chat(json!(["../secret.png"]).to_string()),
        _ => Reply::chat(request.prompt()),
    });
    let used = "
        name: look
        inputs: {path: }
        stages: {look: {text: 'Look', images: '{{path}}'}}
        ";
    let body = "
        stages:
          which: {text: Which?, json: [string]}
          look: {for_each: {one: which}, use: look.yaml, with: {path: '{{one}}'}, on_error: continue}
        ";
    let ran = Scene::new(&server, body).file("look.yaml", dedent(used)).run().await;
    let failures = ran.failures();
    assert!(failures.iter().any(|(_, why)| why.contains("leads out of the pipeline's folder")), "{failures:?}");
    assert_eq!(prompts(&server), ["Which?"]);
}

#[test]
fn a_request_of_a_used_pipeline_is_shown_with_what_was_said_before() {
    let main = "
        name: main
        stages: {sheet: {for_each: {subject: [Ants, Bees]}, use: sheet.yaml, with: {subject: '{{subject}}'}}}
        ";
    let used = "
        name: sheet
        inputs: {subject: }
        stages:
          draft: {text: 'Draft {{subject}}'}
          critique: {continues: draft, chat: [{user: Criticise it}]}
          turn: {for_each: {n: 2}, continues: previous, chat: [{user: 'Turn {{n}} of {{subject}}'}]}
        ";
    let cli = Cli::new("show main.yaml sheet/critique Bees --offline");
    let ran = cli.file("main.yaml", dedent(main)).file("sheet.yaml", dedent(used)).run().exit(0);
    for said in ["Draft <sheet/subject>", "<sheet/draft>", "Criticise it"] {
        assert!(ran.stdout.contains(said), "{said}: {ran:?}");
    }
    let ran = ran.then("show main.yaml sheet/turn Bees/2 --offline").run().exit(0);
    for said in ["Turn 1 of <sheet/subject>", "<sheet/turn>", "Turn 2 of <sheet/subject>"] {
        assert!(ran.stdout.contains(said), "{said}: {ran:?}");
    }
}
