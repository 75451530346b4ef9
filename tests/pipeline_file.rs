//! A pipeline file with everything that it may say, and what is read from it.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use blossom_run::diag::{DrawStyle, SourceFiles, draw};
use blossom_run::model::{
    Amount, Budget, FailureLimit, FileId, InputKind, KeySource, Price, ProviderKind, Rate, Reuse, Role, Units,
};
use blossom_run::spec::{
    self, ForEachSpec, InputDefault, JsonSpec, KindSpec, LoopSourceSpec, Maybe, OnErrorSpec, PipelineSpec,
    SettingsSpec, StageSpec,
};
use proptest::prelude::*;
use serde_json::json;

const FULL: &str = r#"
name: digest
description: Analyse and summarise.
deadline: 30m

inputs:
  tone: friendly
  topic:
  count: {type: integer, default: 3, min: 1, max: 9, description: How many}
  size: {options: [512, 1024], default: 512}
  voice: {type: choice, options: [calm, no], default: no}
  slug: {type: string, pattern: '^[a-z]+$', default: abc}
  outline: {default: {file: files/outline.md}}
  articles: {type: items, default: data/articles.jsonl}
  langs: [en, de]

providers:
  local:
    kind: openai
    base_url: http://127.0.0.1:8080/v1/
    api_key: {env: LOCAL_KEY}
    concurrency: 32
    rate: 100/s
    tokens_per_minute: 90k
    headers: {X-Title: digest}
  own: {kind: openai, base_url: "https://example.com/v1"}
  from-file: {kind: pollinations, api_key: {file: key.txt}}
  pollinations: {concurrency: 2}
  rehearsal: {kind: offline, latency: 200ms, jitter: 50ms, fail: 2%, seed: 7}

defaults:
  provider: local
  model: small
  concurrency: 8
  retry: 3
  timeout: 60s
  text: {temperature: 0.5}
  image: {model: flux, timeout: {attempt: 3m}}

stages:
  outline_of:
    text: {file: files/prompt.md}
    json: true
    system: Be brief.
  analyze:
    description: Reads one article.
    for_each: {article: articles, lang: langs, n: 3, kind: [a, {b: 1}], part: outline_of.sections}
    text: |
      Analyze {{article.body}}
        in {{lang}}
    when: "{{eq article.kind 'news'}}"
    provider: "{{lang}}_server"
    model: big
    concurrency: 16
    rate: 60/min
    waves: {size: 5, pause: 500ms}
    retry: {attempts: 5, backoff: 40s, jitter: false}
    timeout: {attempt: 60s, first_token: 10s, idle: 1m, total: 5m}
    stream: true
    on_error: {value: {text: "none for {{article.id}}", list: [1]}}
    max_failures: 5%
    max_tokens: 2k
    temperature: "{{heat}}"
    top_p: 0.9
    seed: 7
    stop: [END, "\n"]
    reasoning_effort: low
    extra: {user: me, nested: [1, null]}
    save: {path: "rows/{{article.slug}}.jsonl", row: {slug: "{{article.slug}}", n: 1}}
  talk:
    for_each: article
    chat:
      - system: You are {{tone}}.
      - {role: user, content: "Hello"}
      - assistant: Hi
      - user: {file: files/prompt.md}
    when: true
    on_error: continue
    max_failures: 10
  cover:
    image: "Cover for {{talk}}"
    width: 1024
    height: "{{size}}"
    negative_prompt: rain
    quality: high
    transparent: false
    seed: "{{count}}"
    save: cover.png
  page:
    render: "{{outline_of}}"
    on_error: stop

outputs:
  page: "{{page}}"
  all: {cover: "{{cover}}", tone: fixed}
"#;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/pipeline_file")
}

fn read(text: &str) -> PipelineSpec {
    let mut files = SourceFiles::default();
    let (pipeline, diagnostics) = spec::parse("full.yaml", &folder(), text, &mut files);
    let told: Vec<String> = diagnostics
        .iter()
        .map(|one| format!("{:?}: {} ({:?})", files.line_column(&one.place), one.message, one.help))
        .collect();
    assert!(told.is_empty(), "{told:#?}");
    pipeline.expect("a pipeline")
}

fn stage<'p>(pipeline: &'p PipelineSpec, name: &str) -> &'p StageSpec {
    pipeline.stages.iter().find(|stage| stage.name.value == name).expect(name)
}

#[test]
fn inputs_keep_their_order_types_and_defaults() {
    let pipeline = read(FULL);
    let names: Vec<&str> = pipeline.inputs.iter().map(|input| input.name.value.as_str()).collect();
    assert_eq!(names, ["tone", "topic", "count", "size", "voice", "slug", "outline", "articles", "langs"]);
    let kinds: Vec<_> = pipeline.inputs.iter().map(|input| input.kind.as_ref().map(|kind| kind.value)).collect();
    let choice = Some(InputKind::Choice);
    let string = Some(InputKind::String);
    assert_eq!(
        kinds,
        [None, None, Some(InputKind::Integer), choice, choice, string, None, Some(InputKind::Items), None]
    );
    let defaults: Vec<_> =
        pipeline.inputs.iter().map(|input| input.default.as_ref().map(|default| default.value.clone())).collect();
    let value = |value| Some(InputDefault::Value(value));
    let outline = InputDefault::File { path: "files/outline.md".into(), file: FileId(1), text: "An outline\n".into() };
    assert_eq!(
        defaults,
        [
            value(json!("friendly")),
            None,
            value(json!(3)),
            value(json!("512")),
            value(json!("no")),
            value(json!("abc")),
            Some(outline),
            value(json!("data/articles.jsonl")),
            value(json!(["en", "de"])),
        ]
    );
    let options: Vec<&str> = pipeline.inputs[3].options.iter().map(|option| option.value.as_str()).collect();
    assert_eq!(options, ["512", "1024"]);
}

#[test]
fn a_key_goes_to_no_server_that_it_is_not_for() {
    let pipeline = read(FULL);
    let settings =
        |name: &str| &pipeline.providers.iter().find(|provider| provider.name.value == name).expect(name).settings;
    let local = settings("local");
    assert_eq!(local.kind, ProviderKind::Openai);
    assert_eq!(local.base_url.as_deref(), Some("http://127.0.0.1:8080/v1"));
    assert_eq!(local.key, KeySource::Env(vec!["LOCAL_KEY".to_owned()]));
    assert_eq!((local.concurrency, local.tokens_per_minute), (Some(32), Some(90_000)));
    assert_eq!(local.rate, Some(Rate { count: 100, per: Duration::from_secs(1) }));
    assert_eq!(local.headers.get("x-title").map(String::as_str), Some("digest"));

    assert_eq!(settings("own").key, KeySource::None, "the key of OpenAI is for OpenAI alone");
    assert_eq!(settings("from-file").key, KeySource::File(folder().join("key.txt")));
    let pollinations = settings("pollinations");
    assert_eq!(pollinations.kind, ProviderKind::Pollinations);
    assert!(matches!(&pollinations.key, KeySource::Env(names) if names[0] == "POLLINATIONS_API_KEY"));
    let rehearsal = &settings("rehearsal").offline;
    assert_eq!((rehearsal.latency, rehearsal.jitter), (Duration::from_millis(200), Duration::from_millis(50)));
    assert_eq!((rehearsal.fail, rehearsal.seed), (Units::share("2%").expect("a share"), 7));
}

#[test]
fn loops_name_lists_paths_and_numbers() {
    let pipeline = read(FULL);
    let Some(ForEachSpec::Loops(loops)) = &stage(&pipeline, "analyze").for_each else { panic!("loops") };
    let sources: Vec<_> = loops.iter().map(|one| (one.variable.value.as_str(), one.source.value.clone())).collect();
    let path = |parts: &[&str]| LoopSourceSpec::Path(parts.iter().map(|part| (*part).to_owned()).collect());
    assert_eq!(
        sources,
        [
            ("article", path(&["articles"])),
            ("lang", path(&["langs"])),
            ("n", LoopSourceSpec::Count(3)),
            ("kind", LoopSourceSpec::List(vec![json!("a"), json!({"b": 1})])),
            ("part", path(&["outline_of", "sections"])),
        ]
    );
    assert!(matches!(&stage(&pipeline, "talk").for_each, Some(ForEachSpec::Join(name)) if name.value == "article"));
}

#[test]
fn settings_are_read_with_their_units() {
    let pipeline = read(FULL);
    let settings = &stage(&pipeline, "analyze").settings;
    assert!(matches!(&settings.provider, Some(Maybe::Template(text)) if &*text.text == "{{lang}}_server"));
    assert!(matches!(&settings.model, Some(Maybe::Plain(model)) if model.value == "big"));
    assert_eq!(settings.rate.as_ref().expect("a rate").value, Rate { count: 60, per: Duration::from_secs(60) });
    let waves = settings.waves.as_ref().expect("waves").value;
    assert_eq!((waves.size, waves.pause), (5, Duration::from_millis(500)));
    let retry = &settings.retry.as_ref().expect("retry").value;
    assert_eq!((retry.attempts, retry.factor, retry.jitter), (5, 2.0, false));
    assert_eq!(retry.max_backoff, Duration::from_secs(40), "no shorter than the first pause");
    let timeout = &settings.timeout.as_ref().expect("clocks").value;
    assert_eq!((timeout.first_token, timeout.total), (Some(Duration::from_secs(10)), Some(Duration::from_secs(300))));
    assert!(matches!(&settings.on_error.as_ref().expect("a value").value, OnErrorSpec::Value(JsonSpec::Mapping(_))));
    assert_eq!(settings.max_failures.as_ref().expect("a limit").value, FailureLimit::Share(0.05));
    assert!(matches!(&settings.max_tokens, Some(Maybe::Plain(amount)) if amount.value == 2_000));
    assert!(matches!(&settings.temperature, Some(Maybe::Template(_))));
    assert_eq!(settings.stop.as_ref().expect("texts").value, ["END", "\n"]);
    assert_eq!(json!(settings.extra.as_ref().expect("extra").value), json!({"user": "me", "nested": [1, null]}));
    let keys: Vec<&str> = settings.keys.keys().copied().collect();
    assert_eq!(keys.len(), 17, "{keys:?}");
    assert_eq!(pipeline.defaults.all.keys.len(), 5);
    assert!(matches!(&pipeline.defaults.image.model, Some(Maybe::Plain(model)) if model.value == "flux"));
    assert!(matches!(&pipeline.defaults.text.temperature, Some(Maybe::Plain(heat)) if heat.value.to_string() == "0.5"));
}

#[test]
fn texts_lead_back_to_where_they_stand() {
    let pipeline = read(FULL);
    let analyze = stage(&pipeline, "analyze");
    let Some(KindSpec::Text(prompt)) = &analyze.kind else { panic!("a text") };
    let found = |map: &spec::TextMap, text: &str, word: &str| {
        let at = text.find(word).expect(word);
        FULL[map.place(at..at + word.len()).span].to_owned()
    };
    assert_eq!(&*prompt.text, "Analyze {{article.body}}\n  in {{lang}}\n");
    for word in ["{{article.body}}", "{{lang}}", "lang"] {
        assert_eq!(found(&prompt.map, &prompt.text, word), word);
    }
    let when = analyze.when.as_ref().expect("a condition");
    assert_eq!(&*when.text, "eq article.kind 'news'");
    assert_eq!(found(&when.map, &when.text, "article.kind"), "article.kind");
    let save = analyze.save.as_ref().expect("a path");
    assert_eq!(found(&save.path.map, &save.path.text, "article.slug"), "article.slug");
    assert_eq!(save.row.as_ref().expect("a row").len(), 2);
    assert_eq!(&*stage(&pipeline, "talk").when.as_ref().expect("a condition").text, "true");
}

#[test]
fn a_prompt_file_is_read_once_and_pointed_into() {
    let pipeline = read(FULL);
    let Some(KindSpec::Text(prompt)) = &stage(&pipeline, "outline_of").kind else { panic!("a text") };
    assert_eq!(&*prompt.text, "Outline {{topic}}.\nIn ten lines.\n", "without a mark, with plain line ends");
    let at = prompt.text.find("{{topic}}").expect("a template");
    let place = prompt.map.place(at..at + 9);
    assert_eq!((place.file.0, place.span), (2, at..at + 9));
    let Some(KindSpec::Chat(messages)) = &stage(&pipeline, "talk").kind else { panic!("a chat") };
    assert_eq!(messages[3].content.map.whole().file.0, 2, "the same file");
    let roles: Vec<Role> = messages.iter().map(|message| message.role.value).collect();
    assert_eq!(roles, [Role::System, Role::User, Role::Assistant, Role::User]);
}

#[test]
fn outputs_have_a_long_and_a_short_form() {
    let pipeline = read(FULL);
    let outputs = pipeline.outputs.as_ref().expect("outputs");
    assert!(matches!(&outputs[0].value, JsonSpec::Template(text) if &*text.text == "{{page}}"));
    assert!(matches!(&outputs[1].value, JsonSpec::Mapping(fields) if fields.len() == 2));
    let short = "name: x\nstages: {a: {text: Hello}}\noutputs: [a]\n";
    let outputs = read(short).outputs.expect("outputs");
    let JsonSpec::Template(text) = &outputs[0].value else { panic!("a template") };
    assert_eq!((&*text.text, &short[text.map.place(2..3).span]), ("{{a}}", "a"));
}

#[test]
fn with_a_mistake_in_a_setting_the_names_are_still_there() {
    let mut files = SourceFiles::default();
    let text = "name: x\nstages:\n  a: {text: Hello, concurrency: four}\n";
    let (pipeline, diagnostics) = spec::parse("x.yaml", Path::new("."), text, &mut files);
    assert!(diagnostics.has_errors());
    let settings = &pipeline.expect("a pipeline").stages[0].settings;
    assert!(settings.concurrency.is_none() && settings.keys.contains_key("concurrency"));
    let text = "name: x\nstages:\n  a: {text: Hello}\n  b: {}\n";
    let stages = spec::parse("x.yaml", Path::new("."), text, &mut files).0.expect("a pipeline").stages;
    assert!(stages[1].kind.is_none(), "`b` can be named by others");
    let text = "name: x\ninputs: 5\nstages: {a: {text: Hello}}\n";
    assert!(spec::parse("x.yaml", Path::new("."), text, &mut files).0.expect("a pipeline").unread.names);
}

#[test]
fn a_file_is_loaded_with_plain_line_ends_and_its_folder() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("x.yaml");
    let mut file = std::fs::File::create(&path).expect("a file");
    let text = "\u{feff}name: x\r\nstages:\r\n  a:\r\n    text: |\r\n      One {{b}}\r\n      two\r\n    widht: 5\r\n";
    file.write_all(text.as_bytes()).expect("bytes");
    let loaded = spec::load(&path).expect("a text");
    let told: Vec<_> = loaded.diagnostics.iter().map(|one| loaded.files.line_column(&one.place)).collect();
    assert_eq!(told, [(7, 5)]);
    let pipeline = loaded.pipeline.expect("a pipeline");
    assert_eq!(pipeline.folder, folder.path());
    let Some(KindSpec::Text(prompt)) = &pipeline.stages[0].kind else { panic!("a text") };
    assert_eq!(&*prompt.text, "One {{b}}\ntwo\n");
    assert_eq!(loaded.files.slice(&prompt.map.place(4..9)), "{{b}}");
    assert!(matches!(spec::load(folder.path()), Err(spec::LoadError::Folder(_))));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn a_damaged_file_is_told_about_and_breaks_nothing(
        from in 0usize..FULL.len(),
        length in 0usize..60,
        instead in "[ \n\t{}\\[\\]:,#&*!|>'\"%@`<a-z0-9é🙂-]{0,12}",
    ) {
        let boundary = |at: usize| (0..=at.min(FULL.len())).rev().find(|at| FULL.is_char_boundary(*at)).unwrap_or(0);
        let damaged = format!("{}{instead}{}", &FULL[..boundary(from)], &FULL[boundary(from + length)..]);
        let mut files = SourceFiles::default();
        let (pipeline, diagnostics) = spec::parse("full.yaml", &folder(), &damaged, &mut files);
        prop_assert!(pipeline.is_some() || diagnostics.has_errors());
        for one in diagnostics.iter() {
            prop_assert!(one.place.span.end <= files.get(one.place.file).text().len());
            prop_assert!(draw(one, &files, DrawStyle::PLAIN).starts_with(files.get(one.place.file).name()));
        }
    }
}

#[test]
fn money_is_read_as_its_digits_say() {
    let spec = read(
        "name: a\nbudget: {calls: 500, tokens: 200k, cost: 2.50}\n\
         providers: {house: {kind: openai, prices: {gpt: {input: 0.15, output: .6}, flux: {image: 1e-2}}}}\n\
         defaults: {reuse: 30d}\n\
         stages: {b: {text: c, reuse: false, max_tokens: 5}, d: {text: c, reuse: true, max_tokens: 5}}\n",
    );
    let amount = |text: &str| Some(text.parse::<Amount>().unwrap());
    let budget = Budget { calls: Some(500), tokens: Some(200_000), cost: amount("2.5") };
    assert_eq!(spec.budget.unwrap().value, budget);
    let prices = &spec.providers[0].settings.prices;
    let price = Price { input: amount("0.15"), output: amount("0.6"), ..Price::default() };
    assert_eq!((prices["gpt"], prices["flux"].image), (price, amount("0.01")));
    let reuse = |settings: &SettingsSpec| settings.reuse.as_ref().unwrap().value;
    assert_eq!(reuse(&spec.defaults.all), Reuse::For(Duration::from_secs(30 * 86_400)));
    assert_eq!(
        spec.stages.iter().map(|stage| reuse(&stage.settings)).collect::<Vec<_>>(),
        [Reuse::Never, Reuse::Always]
    );
}
