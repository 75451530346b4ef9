//! Pipelines that use others: what arrives, what comes out, what is counted, and what is asked again.

use serde_json::json;

use crate::cli::Cli;
use crate::scene::{Scene, dedent, echo, prompts};
use crate::support::server::{Reply, Server};

const ILLUSTRATE: &str = "
    name: illustrate
    inputs:
      subject:
      places: {type: items, default: [left, right]}
    stages:
      brief: {text: 'Brief {{subject}}', save: brief.md}
      view: {for_each: {place: places}, text: '{{place}} of {{brief}} {{loop.place.number}} {{loop.key}}'}
      whole: {render: '{{join view \"; \"}}'}
    ";

fn illustrate() -> String {
    dedent(ILLUSTRATE)
}

#[tokio::test]
async fn what_is_used_runs_for_each_item_of_its_user_and_is_counted_by_name() {
    let server = echo();
    let body = "
        inputs: {articles: {type: items, default: [{id: a, title: Ants}, {id: b, title: Bees}]}}
        stages:
          illustrate:
            for_each: {article: articles}
            use: illustrate.yaml
            with: {subject: '{{article.title}} {{loop.number}}'}
          page: {for_each: article, render: '{{illustrate.brief}} = {{illustrate.whole}}', save: page.jsonl}
        ";
    let ran = Scene::new(&server, body).file("illustrate.yaml", illustrate()).run().await.is_done();
    assert_eq!(
        ran.values("page"),
        [
            "Brief Ants 1 = left of Brief Ants 1 1 a/left; right of Brief Ants 1 2 a/right",
            "Brief Bees 2 = left of Brief Bees 2 1 b/left; right of Brief Bees 2 2 b/right",
        ]
    );
    assert_eq!(ran.files(), ["page.jsonl"], "what is used saves nothing");
    let counts = ["illustrate/subject", "illustrate/brief", "illustrate/view", "illustrate/whole", "illustrate"]
        .map(|stage| ran.counts(stage));
    assert_eq!(counts, ["2: 2 done", "2: 2 done", "4: 4 done", "2: 2 done", "2: 2 done"]);
    assert_eq!(server.requests().len(), 6);
}

#[tokio::test]
async fn a_name_in_with_means_what_it_means_to_the_stage_that_says_it() {
    let server = echo();
    let used = "
        name: list
        inputs: {lines: {type: items}, about: {type: json}, note: }
        stages:
          line: {for_each: {one: lines}, text: '{{one}} {{about.0}} {{note}}'}
          all: {render: '{{#each line}}{{this}}, {{/each}}{{len about}}'}
        outputs: {all: '{{all}}'}
        ";
    let body = "
        inputs: {letters: {type: items, default: [x, y]}}
        stages:
          upper: {for_each: {letter: letters}, text: 'Up {{letter}}'}
          last: {text: last}
          list: {use: list.yaml, with: {lines: '{{upper}}', about: '{{upper}}', note: '{{last}}'}}
          again: {for_each: letter, use: list.yaml, with: {lines: ['{{letter}}', z], about: ['{{upper}}'], note: n}}
          page: {render: '{{list.all}} | {{#each again}}{{all}} {{/each}}', save: page.md}
        ";
    let ran = Scene::new(&server, body).file("list.yaml", dedent(used)).run().await.is_done();
    let expected = "Up x Up x last, Up y Up x last, 2 | x Up x n, z Up x n, 1 y Up y n, z Up y n, 1 \n";
    assert_eq!(ran.text("page.md"), expected);
}

#[tokio::test]
async fn a_list_of_the_users_is_read_as_it_is_needed() {
    let server = echo();
    let rows = (0..3000).fold(String::new(), |rows, n| rows + &format!("{{\"id\": {n}}}\n"));
    let used = "
        name: count
        inputs: {rows: {type: items}}
        stages:
          each: {for_each: {row: rows}, render: '{{row.id}}'}
          sum: {text: '{{len each}} {{last each}}'}
        ";
    let body = "
        inputs: {all: {type: items, default: data/all.jsonl}}
        stages:
          count: {use: parts/count.yaml, with: {rows: '{{all}}'}}
          named: {use: parts/count.yaml, with: {rows: data/few.jsonl}}
        outputs: {one: '{{count.sum}}', other: '{{named.sum}}'}
        ";
    let scene = Scene::new(&server, body).file("parts/count.yaml", dedent(used)).file("data/all.jsonl", rows);
    let ran = scene.file("data/few.jsonl", "{\"id\": 7}\n").window(16).run().await.is_done();
    assert_eq!((ran.output("one"), ran.output("other")), (&json!("3000 2999"), &json!("1 7")));
    assert!(!ran.events.iter().any(|one| format!("{one:?}").contains("count/rows")), "nothing is made of the list");
}

#[tokio::test]
async fn a_condition_of_the_user_holds_for_all_that_it_uses() {
    let server = echo();
    let used = "
        name: used
        inputs: {subject: }
        stages:
          first: {text: 'First {{subject}}'}
          inner: {for_each: {n: 2}, text: '{{n}} {{first}}', when: ne n 1}
        ";
    let body = "
        inputs: {letters: {type: items, default: [x, y, z]}}
        stages:
          sort: {for_each: {letter: letters}, text: 'Sort {{letter}}'}
          used:
            for_each: letter
            when: and (eq sort 'Sort y') (eq loop.index 1) (eq loop.key 'y')
            use: used.yaml
            with: {subject: '{{letter}}'}
          after: {for_each: letter, render: '{{used.inner.0}}', save: after.jsonl}
        ";
    let ran = Scene::new(&server, body).file("used.yaml", dedent(used)).run().await.is_done();
    assert_eq!(prompts(&server), ["2 First y", "First y", "Sort x", "Sort y", "Sort z"]);
    assert_eq!(ran.counts("used/inner"), "6: 1 done, 5 skipped");
    assert_eq!(ran.counts("used/subject"), "3: 1 done, 2 skipped");
    assert_eq!(ran.values("after"), ["2 First y"]);
    let of_first = ran.skipped().into_iter().filter(|(item, _)| item.starts_with("used/subject"));
    assert_eq!(of_first.map(|(_, why)| why).collect::<Vec<_>>(), ["when", "when"]);
}

#[tokio::test]
async fn failures_and_defaults_are_those_of_the_file_and_then_of_its_user() {
    let server = Server::start(|request| match request.prompt().as_str() {
        "bad x" => Reply::error(400, "BAD_REQUEST", "no"),
        prompt => Reply::chat(format!("{prompt} ({})", request.json()["messages"][0]["content"].as_str().unwrap())),
    });
    let used = "
        name: used
        inputs: {letter: }
        defaults: {text: {model: big}}
        stages:
          bad: {text: 'bad {{letter}}'}
          good: {text: 'good {{letter}}', model: huge, system: 'Be {{letter}}.'}
        outputs: {good: '{{good}}', bad: '{{default bad \"none\"}}'}
        ";
    let body = "
        inputs: {letters: {type: items, default: [x, y]}, letter_of: user}
        stages:
          used: {for_each: {one: letters}, use: used.yaml, with: {letter: '{{one}}'}, on_error: continue}
          page: {for_each: one, render: '{{used.good}} {{used.bad}}', save: page.jsonl}
        ";
    let scene = Scene::new(&server, body).file("used.yaml", dedent(used));
    let ran = scene.defaults("text: {system: 'From the {{letter_of}}.'}").run().await.has_failed();
    let expected = ["good x (Be x.) none", "good y (Be y.) bad y (From the user.)"];
    assert_eq!(ran.values("page"), expected);
    assert_eq!(ran.counts("used/bad"), "2: 1 done, 1 failed");
    let models: Vec<String> = server.requests().iter().map(|one| one.json()["model"].to_string()).collect();
    assert_eq!(models.iter().filter(|model| *model == "\"big\"").count(), 2, "{models:?}");
    assert_eq!(models.iter().filter(|model| *model == "\"huge\"").count(), 2, "{models:?}");
}

#[tokio::test]
async fn equal_names_of_two_files_are_two_things() {
    let (mine, theirs) = (echo(), Server::start(|request| Reply::chat(format!("theirs: {}", request.prompt()))));
    let used = format!(
        "name: used\ninputs: {{report: , tone: wet, who: test}}\n\
         providers: {{test: {{kind: openai, base_url: \"{}\", concurrency: 1}}}}\n\
         stages:\n  \
           again: {{text: '{{{{tone}}}} {{{{report}}}}', provider: test}}\n  \
           summary: {{for_each: {{letter: 2}}, text: '{{{{letter}}}} {{{{again}}}}', provider: '{{{{who}}}}'}}\n  \
           other: {{text: 'other {{{{tone}}}}'}}\n",
        theirs.url
    );
    let body = "
        inputs: {letters: {type: items, default: [x]}, tone: dry}
        stages:
          summary: {for_each: {letter: letters}, text: '{{letter}} {{tone}}'}
          report: {text: 'Report {{join summary}}'}
          again: {for_each: letter, use: used.yaml, with: {report: '{{report}}'}}
          more: {use: used.yaml, with: {report: more}}
          page: {for_each: letter, render: '{{summary}} {{json again.summary}} {{again.other}}', save: page.jsonl}
        ";
    let ran = Scene::new(&mine, body).file("used.yaml", used).run().await.is_done();
    let expected = "x dry [\"theirs: 1 theirs: wet Report x dry\",\"theirs: 2 theirs: wet Report x dry\"] other wet";
    assert_eq!(ran.values("page"), [expected]);
    assert_eq!(prompts(&mine), ["Report x dry", "other wet", "other wet", "x dry"]);
    assert_eq!(theirs.peak(), 1, "two uses of a file share the limits of its providers");
}

#[tokio::test]
async fn what_is_used_may_use_others_with_files_of_their_own() {
    let server = echo();
    let inner = "
        name: inner
        inputs: {rows: {type: items, default: data/rows.csv}, voice: {default: {file: voice.txt}}}
        stages:
          line: {for_each: {row: rows}, text: {file: prompts/line.md}}
        ";
    let middle = "
        name: middle
        inputs: {voices: {type: items}}
        stages:
          inner: {for_each: {voice: voices}, use: deep/inner.yaml, with: {voice: '{{voice}}!'}}
          own: {use: deep/inner.yaml}
        outputs: {all: '{{#each inner}}{{join line \" \"}}; {{/each}}{{join own.line \" \"}}'}
        ";
    let body = "
        stages:
          outer: {for_each: {n: 2}, use: parts/middle.yaml, with: {voices: ['{{n}}', b]}}
        outputs: {all: '{{#each outer}}{{all}} / {{/each}}'}
        ";
    let scene = Scene::new(&server, body)
        .file("parts/middle.yaml", dedent(middle))
        .file("parts/deep/inner.yaml", dedent(inner))
        .file("parts/deep/voice.txt", "soft")
        .file("parts/deep/prompts/line.md", "{{row.name}}{{voice}}")
        .file("parts/deep/data/rows.csv", "name\nr\ns\n");
    let ran = scene.run().await.is_done();
    assert_eq!(ran.output("all"), &json!("r1! s1!; rb! sb!; rsoft ssoft / r2! s2!; rb! sb!; rsoft ssoft / "));
    assert_eq!(ran.counts("outer/inner/line"), "8: 6 done, 2 reused", "what is the same is asked once");
    assert_eq!(ran.counts("outer/own/line"), "4: 4 done", "nothing of it depends on the item");
}

#[tokio::test]
async fn an_input_has_its_type_in_a_run_as_well() {
    let server = echo();
    let used = "
        name: used
        inputs:
          size: {type: integer, min: 2}
          kind: {type: choice, options: [x, y]}
          name: {pattern: '^[a-z]+$'}
        stages:
          one: {text: '{{kind}} {{size}} {{name}} {{#if (gt size 2)}}large{{/if}}', on_error: continue}
        ";
    let body = "
        inputs: {rows: {type: items, default: rows.csv}}
        stages:
          used:
            for_each: {row: rows}
            use: used.yaml
            with: {size: '{{row.size}}', kind: '{{row.kind}}', name: '{{row.name}}'}
            on_error: continue
        ";
    let ran = Scene::new(&server, body)
        .file("used.yaml", dedent(used))
        .file("rows.csv", "size,kind,name\n3,x,a\n1,x,b\n2,z,c\n4,y,7\n")
        .run()
        .await
        .has_failed();
    let mut failures = ran.failures();
    failures.sort();
    let within = |why: &str| why.split_once("/rows.csv:").map(|(_, rest)| rest.to_owned()).expect("the row's place");
    let words: Vec<String> = failures.iter().map(|(item, why)| format!("{item}: {}", within(why))).collect();
    assert_eq!(
        words,
        [
            "used/kind/c: 4: `z` is not an option of `kind`",
            "used/name/7: 5: `name` does not match `^[a-z]+$`",
            "used/size/b: 3: `size` is 1, and must be at least 2",
        ]
    );
    assert_eq!(prompts(&server), ["x 3 a large"]);
}

#[tokio::test]
async fn a_picture_without_save_has_the_name_of_its_stage() {
    let used = "
        name: used
        inputs: {subject: }
        stages:
          cover: {image: '{{subject}}', width: 64, height: 64}
          tile: {for_each: {n: 2}, image: '{{subject}} {{n}}', width: 64, height: 64}
        ";
    let body = "
        stages:
          used: {use: used.yaml, with: {subject: Ants}}
          each: {for_each: {letter: [x, y]}, use: used.yaml, with: {subject: '{{letter}}'}}
          page: {render: '{{used.cover}} {{#each each}}{{tile.1}}{{/each}}', save: page.md}
        ";
    let ran = Scene::offline("", body).file("used.yaml", dedent(used)).run().await.is_done();
    assert_eq!(ran.text("page.md"), "used/cover.png each/tile/x/2.pngeach/tile/y/2.png\n");
    let mut expected = vec!["page.md", "used/cover.png", "used/tile/1.png", "used/tile/2.png"];
    expected.extend(["each/cover/x.png", "each/cover/y.png", "each/tile/x/1.png", "each/tile/x/2.png"]);
    expected.extend(["each/tile/y/1.png", "each/tile/y/2.png"]);
    expected.sort_unstable();
    assert_eq!(ran.files(), expected);
}

#[tokio::test]
async fn the_same_request_is_made_for_each_item_that_it_does_not_depend_on() {
    let server = echo();
    let used = "
        name: used
        inputs: {subject: , fixed: }
        stages:
          one: {text: 'One {{fixed}}'}
          two: {text: 'Two {{subject}}'}
        ";
    let body = "
        inputs: {tone: dry}
        stages:
          first: {text: first}
          used: {for_each: {n: 3}, use: used.yaml, with: {fixed: 'so {{first}}', subject: '{{n}} {{first}}'}}
        ";
    Scene::new(&server, body).file("used.yaml", dedent(used)).run().await.is_done();
    let one = "One so first";
    assert_eq!(prompts(&server), [one, one, one, "Two 1 first", "Two 2 first", "Two 3 first", "first"]);
}

fn cli(words: &str, server: &Server) -> Cli {
    let used = "
        name: used
        inputs: {subject: }
        stages:
          brief: {text: 'Brief {{subject}}', save: brief.md}
          cover: {for_each: {n: 2}, text: '{{n}} {{brief}}'}
        ";
    let body = "
        inputs: {letters: {type: items, default: [x, y]}}
        stages:
          used: {for_each: {letter: letters}, use: parts/used.yaml, with: {subject: '{{letter}}'}}
          page: {for_each: letter, render: '{{used.brief}} {{join used.cover}}', save: page.jsonl}
        ";
    let head = format!(
        "name: user\nproviders:\n  test: {{kind: openai, base_url: \"{}\"}}\n\
         defaults: {{provider: test, model: m, retry: {{attempts: 1}}}}\n",
        server.url
    );
    Cli::new(words).file("user.yaml", head + &dedent(body)).file("parts/used.yaml", dedent(used))
}

#[test]
fn what_is_missing_of_a_used_pipeline_is_asked_for_again_and_nothing_else() {
    let server = Server::start(|request| match request.prompt().as_str() {
        "2 Brief y" if request.attempt == 1 => Reply::error(400, "BAD_REQUEST", "no"),
        prompt => Reply::chat(prompt),
    });
    let first = cli("user.yaml", &server).run().exit(4);
    assert!(first.stderr.contains("used/cover"), "{first:?}");
    let asked = server.requests().len();
    let again = first.again("resume").run().exit(0);
    assert_eq!(prompts(&server)[..].len(), asked + 1, "{again:?}");
    assert_eq!(again.read("out/page.jsonl").lines().count(), 2);
    let fresh = again.again("user.yaml --fresh=used/cover/y/2,used/brief/x --only used/cover").run().exit(0);
    assert_eq!(server.requests().len(), asked + 3, "{fresh:?}");
    let runs = fresh.again("runs").run().exit(0);
    assert!(runs.stdout.contains("user"), "{runs:?}");
    let wrong = runs.again("user.yaml --fresh=used/covr").run().exit(2);
    assert!(wrong.stderr.contains("there is no stage `used/covr`"), "{wrong:?}");
    let all = wrong.again("user.yaml --fresh=used").run().exit(0);
    assert_eq!(server.requests().len(), asked + 3 + 6, "{all:?}");
}

#[test]
fn a_stage_of_a_used_pipeline_can_be_looked_at() {
    let server = echo();
    let shown = cli("show user.yaml used/cover y/2", &server).run().exit(0);
    assert!(shown.stdout.contains("2 <used/brief>"), "{shown:?}");
    let graph = shown.again("graph user.yaml").run().exit(0);
    assert!(graph.stdout.contains("used/cover    text    per letter, used/n"), "{graph:?}");
    let drawn = graph.again("graph user.yaml --format mermaid").run().exit(0);
    assert!(drawn.stdout.contains("subgraph"), "{drawn:?}");
    let drawn = drawn.again("graph user.yaml --format dot").run().exit(0);
    assert!(drawn.stdout.contains("subgraph"), "{drawn:?}");
    assert_eq!(server.requests().len(), 0);
}
