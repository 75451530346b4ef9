//! What a run would do, before it does it: `plan` and `why` agree with what the run then asks.

use serde_json::Value;

use crate::service::server::{Reply, Server};
use crate::support::{Cli, Ran};

/// Two languages, three texts, of which `when` leaves one out; a list that is answered, and a loop over that.
fn pipeline(url: &str) -> String {
    format!(
        "name: letters\n\
         providers: {{test: {{kind: openai, base_url: \"{url}\"}}}}\n\
         defaults: {{provider: test, model: small}}\n\
         inputs: {{texts: {{type: items, default: texts.jsonl}}}}\n\
         stages:\n\
         \x20 brief: {{for_each: {{text: texts}}, when: 'ne text.slug \"c\"', text: 'Brief {{{{text.body}}}}', max_tokens: 100}}\n\
         \x20 rank: {{text: 'Rank {{{{join brief \", \"}}}}', json: true}}\n\
         \x20 scene: {{for_each: {{part: rank}}, text: 'Scene {{{{part}}}}'}}\n\
         \x20 report: {{render: '{{{{len scene}}}}'}}\n"
    )
}

const TEXTS: &str = r#"{"slug": "a", "body": "one"}
{"slug": "b", "body": "two"}
{"slug": "c", "body": "three"}
{"slug": "d", "body": "one"}
"#;

fn server() -> Server {
    Server::start(|request| match request.prompt() {
        prompt if prompt.starts_with("Rank") => Reply::chat(r#"["x", "y", "x"]"#),
        prompt => Reply::chat(format!("About {prompt}")),
    })
}

fn letters(server: &Server, words: &str) -> Cli {
    Cli::new(words).file("letters.yaml", pipeline(&server.url)).file("texts.jsonl", TEXTS)
}

/// What `plan` counts of each stage: `[items, kept, to call, same call, skipped, unknown]`.
fn counts(ran: &Ran) -> Vec<[u64; 6]> {
    let document: Value = serde_json::from_str(&ran.stdout).expect("JSON");
    let of = |stage: &Value| {
        ["items", "kept", "to_call", "shared", "skipped", "unknown"].map(|name| stage[name].as_u64().expect("a count"))
    };
    document["stages"].as_array().expect("stages").iter().map(of).collect()
}

/// The least and the most calls that `plan` tells.
fn calls(ran: &Ran) -> (u64, Option<u64>) {
    let document: Value = serde_json::from_str(&ran.stdout).expect("JSON");
    let calls = &document["total"]["calls"];
    (calls["least"].as_u64().expect("a count"), calls["most"].as_u64())
}

#[test]
fn a_plan_counts_what_the_run_then_asks() {
    let server = server();
    let plan = letters(&server, "plan letters.yaml --json").run().exit(0).stderr("");
    // The first text and the last ask the same.
    assert_eq!(counts(&plan), [[4, 0, 2, 1, 1, 0], [1, 0, 0, 0, 0, 1], [0; 6], [1, 0, 0, 0, 0, 1]]);
    assert_eq!(calls(&plan), (2, None));
    assert_eq!(server.requests().len(), 0);
    assert_eq!(plan.files(), ["letters.yaml", "texts.jsonl"]);
    assert!(!plan.path(".blossom").exists(), "nothing is written");

    let ran = plan.then("letters.yaml").run().exit(0);
    assert_eq!(server.requests().len(), 2 + 1 + 2);

    let plan = ran.then("plan letters.yaml --json").run().exit(0);
    assert_eq!(counts(&plan), [[4, 3, 0, 0, 1, 0], [1, 1, 0, 0, 0, 0], [3, 3, 0, 0, 0, 0], [1, 0, 0, 0, 0, 0]]);
    assert_eq!(calls(&plan), (0, Some(0)));

    // One row more, and what collects from it.
    let more = format!("{TEXTS}{{\"slug\": \"e\", \"body\": \"four\"}}\n");
    let plan = plan.then("plan letters.yaml --json").file("texts.jsonl", more).run().exit(0);
    assert_eq!(counts(&plan), [[5, 3, 1, 0, 1, 0], [1, 0, 0, 0, 0, 1], [0; 6], [1, 0, 0, 0, 0, 1]]);
    assert_eq!(calls(&plan), (1, None));
    let ran = plan.then("letters.yaml").run().exit(0);
    assert_eq!(server.requests().len(), 5 + 1 + 1, "the scenes are as they were");
    let plan = ran.then("plan letters.yaml --json").run().exit(0);
    assert_eq!(calls(&plan), (0, Some(0)));
}

#[test]
fn another_take_is_counted_as_it_is_made() {
    let server = server();
    let ran = letters(&server, "letters.yaml").run().exit(0);
    for (fresh, expected) in [("--fresh=scene", 2), ("--fresh=scene/x", 1), ("--fresh=brief/a,rank", 1)] {
        let before = server.requests().len() as u64;
        let plan = ran.then("plan letters.yaml --json").arg(fresh).run().exit(0);
        assert_eq!(calls(&plan).0, expected, "{fresh}");
        if calls(&plan).1 == Some(expected) {
            ran.then("letters.yaml").arg(fresh).run().exit(0);
            assert_eq!(server.requests().len() as u64 - before, expected, "{fresh}");
        }
    }
    let plan = ran.then("plan letters.yaml --only rank --limit 1 --json").run().exit(0);
    assert_eq!(
        counts(&plan),
        [[1, 1, 0, 0, 0, 0], [1, 0, 1, 0, 0, 0]],
        "fewer are collected, and that is another call"
    );
}

#[test]
fn a_plan_is_a_table_with_what_it_assumes() {
    let server = server();
    letters(&server, "plan letters.yaml").run().exit(0).stderr("").stdout(
        "letters: 2 calls or more to make, unpriced\n\
         \n\
         stage   items  kept  to call  same call  skipped  unknown     tokens in        tokens out       cost\n\
         brief       4     0        2          1        1        0            45     100 (20..200)   unpriced\n\
         rank        1     0        0          0        0        1      6 (0..6)    1.0k (0..4.0k)   unpriced\n\
         scene      0+     0        0          0        0       0+             ?                 ?          ?\n\
         report      1     0        0          0        0        1\n\
         in all     6+     0        2          1        1       2+  51 (45..51)+  1.1k (20..4.2k)+  unpriced+\n\
         \n\
         Notes\n  \
         how many items `scene` will have is known when `rank` is there: it is in no sum until then\n  \
         an item that is unknown until a run counts as a call in what is expected and in the most, and its request is \
         taken to be as long as others of its stage, else as its template\n  \
         a token of a request is taken to be four bytes\n  \
         no answer of `brief` is kept: half of `max_tokens` is expected, a tenth at least, all of it at most\n  \
         no answer of `rank` is kept, and there is no `max_tokens`: 1000 tokens are expected, 250 at least, 4000 at \
         most\n  \
         the price of `test/small` is not known: its calls are in no cost\n",
    );
    letters(&server, "plan letters.yaml --offline -q").run().exit(0).stderr("").stdout(
        "letters: 2 calls or more to make\n\
         \n\
         stage   items  kept  to call  same call  skipped  unknown     tokens in        tokens out  cost\n\
         brief       4     0        2          1        1        0            45     100 (20..200)    $0\n\
         rank        1     0        0          0        0        1      6 (0..6)    1.0k (0..4.0k)    $0\n\
         scene      0+     0        0          0        0       0+             ?                 ?     ?\n\
         report      1     0        0          0        0        1\n\
         in all     6+     0        2          1        1       2+  51 (45..51)+  1.1k (20..4.2k)+     ?\n",
    );
}

#[test]
fn a_wrong_file_is_told_and_nothing_is_counted() {
    let ran = Cli::new("plan x.yaml").file("x.yaml", "name: x\nstages: {}\n").run().exit(3).stdout("");
    assert!(ran.stderr.starts_with("x.yaml:2:9: error: there are no stages\n"), "{ran:?}");
    Cli::new("why x.yaml a").file("x.yaml", "name: x\nstages: {}\n").run().exit(3).stdout("");
}

#[test]
fn why_tells_what_is_not_known_before_the_first_run() {
    let server = server();
    let why = |words: &str| letters(&server, &format!("why letters.yaml {words}")).run();
    why("brief").exit(0).stderr("").stdout("brief/a would be asked: no call of this stage is kept\n");
    why("brief d").exit(0).stderr("").stdout(
        "brief/d would be asked: no call of this stage is kept\n  another item asks the same: it is asked once for both\n",
    );
    why("brief #3").exit(0).stderr("").stdout("brief/c would be skipped: its `when` is false\n");
    why("rank")
        .exit(0)
        .stderr("")
        .stdout("rank is not known before a run: it names `brief`, which would be asked first\n");
    why("scene")
        .exit(0)
        .stderr("")
        .stdout("scene is not known before a run, nor is `rank`, which its items come from\n");
    why("report").exit(0).stderr("").stdout(
        "report is not known before a run: it names `scene`, which needs `brief`, and that would be asked first\n",
    );
    for (words, error) in [
        ("brif", "error: there is no stage `brif`\n  help: did you mean `brief`?\n"),
        ("rank x", "error: `rank` runs once, it has no items\n  help: leave the item out\n"),
        ("brief #5", "error: `brief` has no item `#5`\n  help: there are 4: `a`, `b`, `c`, `d`; `#1` is the first\n"),
    ] {
        why(words).exit(2).stdout("").stderr(error);
    }
    assert_eq!(server.requests().len(), 0);
}

#[test]
fn why_tells_what_is_kept_and_what_differs() {
    let server = server();
    let ran = letters(&server, "letters.yaml").run().exit(0);
    let why = |words: &str| ran.then(&format!("why letters.yaml {words}")).run().exit(0).stderr("").printed();
    assert_eq!(why("scene x"), "scene/x is kept: the answer of [at] (run [run]) is used; nothing would be asked\n");
    assert_eq!(why("report"), "report makes no call: it is rendered\n");
    assert_eq!(
        why("scene --fresh"),
        "scene is not known before a run, nor is `rank`, which its items come from\n",
        "what comes before it would be asked as well"
    );
    assert_eq!(
        why("rank --fresh=rank"),
        "rank would be asked: `--fresh` is given; the answer of [at] (run [run]) is kept, and stays\n"
    );
    assert_eq!(
        why("brief b --model large"),
        "brief/b would be asked: the nearest call that is kept ([at], run [run]) differs\n  model: small -> large\n"
    );
    let shorter = pipeline(&server.url).replace("Brief {{text.body}}", "Brief {{text.body}} in short");
    let changed = ran.then("why letters.yaml brief a").file("letters.yaml", shorter).run().exit(0).printed();
    assert_eq!(
        changed,
        "brief/a would be asked: the nearest call that is kept ([at], run [run]) differs\n  \
         messages[0]: \"Brief one{+ in short+}\"\n"
    );
}

#[test]
fn why_tells_that_a_kept_answer_would_not_pass_today() {
    let server = server();
    let ran = letters(&server, "letters.yaml --only brief").run().exit(0);
    let stricter = pipeline(&server.url).replace("max_tokens: 100", "max_tokens: 100, json: true");
    let told = ran.then("why letters.yaml brief b").file("letters.yaml", stricter).run().exit(0).printed();
    assert!(
        told.starts_with("brief/b would be asked: the answer of [at] (run [run]) is kept, but fails now\n  "),
        "{told}"
    );
    let plan = ran.then("plan letters.yaml --only brief --json").run().exit(0);
    assert_eq!(counts(&plan), [[4, 0, 2, 1, 1, 0]]);
}

/// Chapters of each book, which are answered, and pictures of their scenes; what collects over one book and over all.
const BOOKS: &str = "\
name: books
inputs: {books: {type: items, default: [{id: x}, {id: y}]}}
stages:
  outline: {for_each: {book: books}, text: 'A JSON list for {{book.id}}', json: true}
  scene: {for_each: {part: outline}, image: 'Scene {{part}} of {{book.id}}', save: '{{book.id}}-{{loop.part.number}}.png'}
  caption: {for_each: part, text: 'Caption {{scene.path}}, {{scene.bytes}} bytes', max_tokens: 50}
  book_list: {for_each: book, text: 'Bind {{join caption \", \"}}'}
  shelf: {text: 'Shelve {{join book_list \", \"}}'}
  label: {for_each: book, when: 'eq book.id \"z\"', text: 'Label {{shelf}}'}
";

#[test]
fn what_is_known_of_one_item_is_known_although_another_is_not() {
    let books = |words: &str| Cli::new(words).file("books.yaml", BOOKS);
    let ran = books("books.yaml --offline --limit 1").run().exit(0);
    let events = ran.then("books.yaml --offline --limit 1 --events - -q --out other").run().exit(0).stdout;
    assert!(!events.contains("attempt_sent"), "all of it is kept, pictures too: {events}");

    let plan = ran.then("plan books.yaml --offline --limit 1 --json").run().exit(0);
    let first = counts(&plan);
    assert_eq!(calls(&plan), (0, Some(0)), "{first:?}");

    let plan = ran.then("plan books.yaml --offline --json").run().exit(0);
    let [scenes, captions] = [first[1][0], first[2][0]];
    assert_eq!(
        counts(&plan),
        [
            [2, 1, 1, 0, 0, 0],
            [scenes, scenes, 0, 0, 0, 0],
            [captions, captions, 0, 0, 0, 0],
            [2, 1, 0, 0, 0, 1],
            [1, 0, 0, 0, 0, 1],
            [2, 0, 0, 0, 2, 0],
        ],
        "the second book is not outlined, so nobody knows what is bound and shelved"
    );
    let told = plan.then("why books.yaml book_list y --offline").run().exit(0).stderr("");
    assert_eq!(
        told.stdout,
        "book_list/y is not known before a run: it names `caption`, which needs `outline`, and that would be asked \
         first\n"
    );
}

#[test]
fn what_is_asked_each_time_is_counted_each_time() {
    let server = server();
    let pipeline = pipeline(&server.url).replace("max_tokens: 100", "max_tokens: 100, reuse: false");
    let cli = |words: &str| Cli::new(words).file("letters.yaml", &pipeline).file("texts.jsonl", TEXTS);
    let plan = cli("plan letters.yaml --only brief --json").run().exit(0);
    assert_eq!((counts(&plan)[0], calls(&plan)), ([4, 0, 3, 0, 1, 0], (3, Some(3))), "two of them ask the same");
    let ran = cli("letters.yaml --only brief").run().exit(0);
    assert_eq!(server.requests().len(), 3);
    let why = ran.then("why letters.yaml brief a").run().exit(0);
    assert!(why.stdout.contains("is kept, but `reuse: false` asks each time\n"), "{why:?}");
}
