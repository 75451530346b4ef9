//! A request before it is sent: which item it is for, and what of it is not known yet.

use crate::support::{Cli, Ran};

const PIPELINE: &str = "\
name: letters
inputs: {langs: {type: items, default: [de, fr]}, texts: {type: items, default: [{slug: a}, {slug: b}, {slug: c}]}}
stages:
  translate: {for_each: {lang: langs, text: texts}, when: 'ne text.slug \"c\"', render: \"{{loop.key}} {{loop.number}}\"}
  rank: {text: 'Rank {{join translate \", \"}}', json: true}
  report: {render: \"{{len rank}}: {{#each rank}}{{this.title}}{{/each}}, {{rank.2.title}}\"}
  scene: {for_each: {part: rank}, when: rank, render: \"{{part.title}}\"}
";

fn show(words: &str) -> Ran {
    Cli::new(&format!("show letters.yaml {words} --offline")).file("letters.yaml", PIPELINE).run()
}

#[test]
fn an_item_is_found_by_its_key_and_by_its_number_over_all_loops() {
    show("translate").exit(0).stderr("").stdout("de/a 1\n");
    show("translate fr/b").exit(0).stderr("").stdout("fr/b 2\n");
    show("translate #5").exit(0).stderr("").stdout("fr/b 2\n");
    for (item, error) in [
        ("#7", "error: `translate` has no item `#7`\n  help: there are 6; `#1` is the first\n"),
        ("#0", "error: `translate` has no item `#0`\n  help: there are 6; `#1` is the first\n"),
        ("de/x", "error: no `text` is called `x`\n  help: there are 3: `a`, `b`, `c`; `#1` is the first\n"),
    ] {
        show(&format!("translate {item}")).exit(2).stdout("").stderr(error);
    }
}

#[test]
fn an_item_that_when_skips_is_shown_with_a_note() {
    let note = "note: a run skips it, since `when: ne text.slug \"c\"` does not hold\n";
    show("translate #3").exit(0).stdout("de/c 3\n").stderr(note);
    show("translate #3 -q").exit(0).stdout("de/c 3\n").stderr("");
}

#[test]
fn what_is_made_of_a_stand_in_is_told() {
    show("report").exit(0).stdout("3: <rank.title><rank.title><rank.title>, <rank.title>\n").stderr(
        "note: `{{len rank}}` counts a stand-in: `rank` is not known before a run\n\
         note: `{{#each rank}}` goes through stand-ins: `rank` is not known before a run\n",
    );
    show("scene").exit(0).stdout("<part.title>\n").stderr(
        "note: `part` is a stand-in: its list comes from `rank`, and is known in a run\n\
         note: whether `when` skips it is known in a run, since that depends on `rank`\n",
    );
    let ran = show("scene #2").exit(2).stdout("");
    assert!(
        ran.stderr.ends_with("help: how many `part` there are is known in a run; `#1` shows the first\n"),
        "{ran:?}"
    );
}

#[test]
fn a_rehearsal_says_that_nothing_is_sent() {
    let ran = show("rank").exit(0).stderr("");
    assert!(ran.stdout.starts_with("answered by the built-in provider; nothing is sent\n{\n"), "{ran:?}");
    assert!(ran.stdout.contains("\"Rank de/a 1, de/b 2, fr/a 1, fr/b 2\""), "{ran:?}");
}

#[test]
fn a_schema_is_shown_as_it_goes_out() {
    let file = "name: sort\nstages: {sort: {text: Sort it, json: [{kind: \"bug | feature\"}]}}\n";
    let show =
        |provider: &str| Cli::new(&format!("show sort.yaml sort {provider}")).file("sort.yaml", file).run().exit(0);
    let shown = show("--provider pollinations").stdout;
    for line in ["\"type\": \"json_schema\"", "\"name\": \"sort\"", "\"strict\": true", "\"items\": {", "\"bug\","] {
        assert!(shown.contains(line), "{shown}");
    }
    assert!(show("--offline").stdout.contains("\"schema\": {"));
}

const TALK: &str = "\
name: talk
inputs: {beats: {type: items, default: [tide, moon, salt]}}
stages:
  plan: {text: Plan it}
  draft: {system: 'You write', text: 'Draft of {{plan}}'}
  critique: {continues: draft, chat: [{user: 'What of {{draft}} is dull?'}]}
  revision: {for_each: {beat: beats}, continues: critique, chat: [{user: 'Again, with {{beat}}'}]}
  turn: {for_each: beat, when: 'ne beat \"moon\"', continues: previous, chat: [{user: 'Of {{beat}}'}]}
  line: {for_each: beat, text: '{{beat}}{{#if previous}} after {{previous}}{{/if}}'}
";

/// The messages of what is shown, a line each.
fn messages(words: &str) -> String {
    let ran = Cli::new(&format!("show talk.yaml {words} --offline")).file("talk.yaml", TALK).run().exit(0);
    let json = ran.stdout.split_once('\n').expect("a head").1;
    let json: serde_json::Value = serde_json::from_str(json).expect("JSON");
    let messages = json["messages"].as_array().expect("messages").iter();
    let text = |part: &serde_json::Value| part.as_str().expect("a text").to_owned();
    let lines = messages.map(|one| format!("{}: {}", text(&one["role"]), text(&one["content"])));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_conversation_is_shown_with_stand_ins_for_its_answers() {
    assert_eq!(
        messages("revision moon"),
        "system: You write\nuser: Draft of <plan>\nassistant: <draft>\nuser: What of <draft> is dull?\n\
         assistant: <critique>\nuser: Again, with moon"
    );
    assert_eq!(messages("turn"), "user: Of tide");
    assert_eq!(messages("turn salt"), "user: Of tide\nassistant: <turn>\nuser: Of salt", "`moon` is skipped");
}

#[test]
fn a_conversation_is_shown_with_the_pictures_of_those_before() {
    let file = "name: talk
stages:
  alt: {text: What is it?, images: sign.png}
  more: {continues: alt, chat: [{user: Tell more}]}
";
    let sign = include_bytes!("../golden/plan/data/sign.png");
    let ran = Cli::new("show talk.yaml more --offline").file("talk.yaml", file).file("sign.png", sign).run().exit(0);
    let shown = ran.stdout.split_once("<alt>").expect("the answer").0;
    assert!(shown.contains("\"<sign.png: image/png, "), "{ran:?}");
}

#[test]
fn the_first_item_has_no_previous() {
    assert_eq!(messages("line"), "user: tide");
    assert_eq!(messages("line #2"), "user: moon after <previous>");
}

#[test]
fn a_graph_has_conversations_and_items_in_turn() {
    let ran = Cli::new("graph talk.yaml").file("talk.yaml", TALK).run().exit(0).stderr("");
    ran.stdout(
        "\
plan      text  once
draft     text  once      <- plan
critique  chat  once      <- draft ..
revision  chat  per beat  <- critique ..
turn      chat  per beat  <- previous ..
line      text  per beat  <- previous

x ..      the conversation of `x` goes on
previous  its own value for the item before: its items go in turn
",
    );
}

#[test]
fn a_plan_counts_what_goes_on_as_unknown() {
    let ran = Cli::new("plan talk.yaml --json --offline").file("talk.yaml", TALK).run().exit(0);
    let json: serde_json::Value = serde_json::from_str(&ran.stdout).expect("JSON");
    let of = |stage: &serde_json::Value| {
        ["to_call", "skipped", "unknown"].map(|name| stage[name].as_u64().expect("a count"))
    };
    let counts: Vec<[u64; 3]> = json["stages"].as_array().expect("stages").iter().map(of).collect();
    assert_eq!(counts, [[1, 0, 0], [0, 0, 1], [0, 0, 1], [0, 0, 3], [1, 1, 1], [1, 0, 2]]);
}

const VALUES: &str = "\
name: values
inputs: {towns: {type: items, default: [{name: Sandau, ports: [a, b]}]}}
stages:
  about: {for_each: {town: towns}, text: 'About {{town.name}}'}
  card: {for_each: town, value: {name: '{{town.name}}', ports: '{{town.ports}}', about: '{{about}}', n: 1}, save: '{{town.name}}.json'}
  port: {for_each: {port_of: card.ports}, render: '{{port_of}} of {{card.name}}'}
";

fn values(command: &str) -> Ran {
    Cli::new(command).file("values.yaml", VALUES).run()
}

#[test]
fn a_value_is_shown_as_it_would_be_put_together() {
    let card = "{\n  \"name\": \"Sandau\",\n  \"ports\": [\n    \"a\",\n    \"b\"\n  ],\n  \"about\": \"<about>\",\n  \"n\": 1\n}\n";
    values("show values.yaml card --offline").exit(0).stderr("").stdout(card);
    values("show values.yaml port --offline")
        .exit(0)
        .stdout("<port_of> of <card.name>\n")
        .stderr("note: `port_of` is a stand-in: its list comes from `card`, and is known in a run\n");
}

const PARTS: &str = "\
name: parts
inputs: {document: {default: a b c d e}}
stages:
  parts: {value: '{{split document words=2}}'}
  note: {for_each: {part: parts}, when: 'ne part \"c d\"', text: 'Sum up {{part}}'}
  head: {render: 'In {{len parts}} parts'}
  all: {text: '{{head}}: {{join parts \"; \"}}'}
  pairs: {value: '{{chunks parts 2}}'}
  tags: {text: 'Tags of {{document}}', json: [string]}
  late: {for_each: {tag: tags}, render: '{{head}} {{tag}}'}
";

#[test]
fn what_is_made_of_values_without_a_call_is_known_before_a_run() {
    let shown = |words: &str| {
        let ran = Cli::new(&format!("show parts.yaml {words} --offline")).file("parts.yaml", PARTS).run();
        assert_eq!((ran.code, &*ran.stderr), (0, ""), "{words}");
        ran.stdout
    };
    let asked = |words: &str| {
        let text = shown(words);
        let json: serde_json::Value = serde_json::from_str(text.split_once('\n').unwrap().1).unwrap();
        json["messages"][0]["content"].as_str().unwrap().to_owned()
    };
    assert_eq!(asked("note"), "Sum up a b");
    assert_eq!(asked("note #3"), "Sum up e");
    assert_eq!(asked("note e"), "Sum up e");
    assert_eq!(asked("all"), "In 3 parts: a b; c d; e");
    assert_eq!(shown("pairs"), "[\n  [\n    \"a b\",\n    \"c d\"\n  ],\n  [\n    \"e\"\n  ]\n]\n");
    let skipped = Cli::new("show parts.yaml note #2 --offline").file("parts.yaml", PARTS).run();
    skipped.exit(2).stderr("error: this item of `note` asks nothing: a run skips it, since its `when` does not hold\n");
    let none = Cli::new("show parts.yaml note #4 --offline").file("parts.yaml", PARTS).run();
    none.exit(2)
        .stdout("")
        .stderr("error: `note` has no item `#4`\n  help: there are 3: `a b`, `c d`, `e`; `#1` is the first\n");
    let asks_first = Cli::new("show parts.yaml late --offline").file("parts.yaml", PARTS).run();
    asks_first.exit(0).stdout("<head> <tag>\n");
}

#[test]
fn a_value_is_free_and_stands_in_the_graph() {
    let line = |text: &str| -> Vec<String> {
        let line = text.lines().find(|line| line.starts_with("card")).expect("a line of its own");
        line.split_whitespace().map(str::to_owned).collect()
    };
    let plan = values("plan values.yaml --offline").exit(0).stdout;
    assert_eq!(line(&plan), ["card", "1", "0", "0", "1"], "one that is not known, and no call: {plan}");
    let graph = values("graph values.yaml").exit(0).stdout;
    assert_eq!(line(&graph)[..2], ["card", "value"], "{graph}");
    assert!(graph.contains("{{town.name}}.json"), "{graph}");
}

#[test]
fn an_item_near_the_beginning_is_found_without_the_rest_of_a_long_list() {
    let file = "name: long\nstages:\n  a: {for_each: {n: 1000000000}, render: 'a{{n}}'}\n  b: {for_each: n, text: 'B {{a}}'}\n";
    for item in ["", "3", "#3"] {
        let run = |command: &str| {
            Cli::new(&format!("{command} long.yaml b {item} --offline")).file("long.yaml", file).run().exit(0).stdout
        };
        let (number, shown) = (if item.is_empty() { 1 } else { 3 }, run("show"));
        assert!(shown.contains(&format!("\"B a{number}\"")), "{shown}");
        assert_eq!(run("why"), format!("b/{number} would be asked: no call of this stage is kept\n"));
    }
}
