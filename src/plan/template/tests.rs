//! How templates behave, end to end.

use std::sync::Arc;

use serde_json::json;

use super::*;
use crate::model::Json;

const NAMES: [&str; 12] = [
    "article", "articles", "tone", "title", "report", "outline", "empty", "count", "loop", "previous", "photo",
    "nothing",
];

fn is_name(name: &str) -> bool {
    NAMES.contains(&name)
}

fn values() -> Context {
    let values = json!({
        "article": {"title": "Tulips", "body": "Red <b>&</b> {{tone}}", "tags": ["a", "b"], "First Name": "Ada", "draft": false},
        "articles": [
            {"title": "One", "tone": "own", "tags": ["x", "y"], "n": "9"},
            {"title": "Two", "tone": "own too", "tags": [], "n": 10},
        ],
        "tone": "friendly",
        "title": "Top",
        "report": "A long report",
        "outline": {"sections": [{"head": "I"}, {"head": "II"}], "score": null, "by": {"a": 1, "b": 2}},
        "empty": [],
        "count": 3,
        "loop": {"index": 0, "number": 1, "article": {"index": 4}},
        "photo": {"path": "p/1.png", "width": 1, "height": 2, "media_type": "image/png", "bytes": 3},
        "nothing": null,
    });
    let Json::Object(values) = values else { unreachable!() };
    Context::new(values)
}

fn compile(text: &str) -> Template {
    Template::compile(text, &is_name).unwrap_or_else(|problems| panic!("{text}: {problems:#?}"))
}

fn render(text: &str) -> String {
    compile(text).render(&values()).unwrap_or_else(|problem| panic!("{text}: {problem:?}"))
}

fn fails(text: &str) -> RenderProblem {
    compile(text).render(&values()).expect_err(text)
}

fn missing(text: &str) -> String {
    fails(text).missing.unwrap_or_else(|| panic!("{text}: {:?}", fails(text))).join(".")
}

fn problems(text: &str) -> Vec<(&'static str, String)> {
    let found = Template::compile(text, &is_name).expect_err(text).problems;
    found.into_iter().map(|problem| (problem.code, text[problem.range].to_owned())).collect()
}

fn assert_renders(cases: &[(&str, &str)]) {
    for (text, rendered) in cases {
        assert_eq!(render(text), *rendered, "{text}");
    }
}

#[test]
fn values_print_as_they_are() {
    assert_renders(&[
        ("{{article.title}}!", "Tulips!"),
        ("{{article.body}}", "Red <b>&</b> {{tone}}"),
        ("{{{article.body}}}", "Red <b>&</b> {{tone}}"),
        ("{{count}} {{article.draft}} [{{nothing}}]", "3 false []"),
        ("{{article.tags}} {{outline.by}}", "[\"a\",\"b\"] {\"a\":1,\"b\":2}"),
        ("{{article.tags.1}} {{article.tags.[0]}} {{article/title}}", "b a Tulips"),
        ("{{article.[First Name]}}", "Ada"),
        ("{{photo}} {{photo.width}}", "p/1.png 1"),
        ("{{'a\\nb'}} {{3}} {{true}}", "a\nb 3 true"),
        ("{{loop.index}} {{loop.article.index}}", "0 4"),
    ]);
    let floats = Context::new(serde_json::from_str(r#"{"tone": 1.0, "count": 1e21}"#).unwrap());
    assert_eq!(compile("{{tone}} {{count}}").render(&floats).unwrap(), "1.0 1e+21");
}

#[test]
fn braces_can_be_text() {
    assert_renders(&[
        (r"\{{tone}} {{tone}}", "{{tone}} friendly"),
        (r"\\{{tone}}", r"\friendly"),
        ("{\"a\": {{json tone}}}", "{\"a\": \"friendly\"}"),
        ("a{{! nothing }}b{{!-- {{tone}} --}}c", "abc"),
        ("{ {{tone}} }", "{ friendly }"),
    ]);
}

#[test]
fn whitespace_is_that_of_handlebars() {
    assert_renders(&[
        ("a  {{~tone~}}  b", "afriendlyb"),
        ("{{#if tone}}\nx\n{{/if}}\ny", "x\ny"),
        ("a\n  {{#each article.tags}}\n  - {{this}}\n  {{/each}}\nb", "a\n  - a\n  - b\nb"),
        ("{{#each article.tags}}- {{this}}\n{{/each}}", "- a\n- b\n"),
        ("{{#if tone}}\r\nx\r\n{{else}}\r\ny\r\n{{/if}}\r\n", "x\r\n"),
        ("a {{#if tone}} b {{/if}} c", "a  b  c"),
        ("a\n{{! comment }}\nb", "a\nb"),
        ("{{tone}}\n{{tone}}\n", "friendly\nfriendly\n"),
        ("{{#if tone}}\n{{#if count}}\nx\n{{/if}}\n{{/if}}\n", "x\n"),
        ("{{#if tone}}  {{~else~}}  {{/if}}", ""),
        ("{{#if tone}}\nx\n{{/if}}  ", "x\n"),
        ("{{tone~}}{{! comment }} x", "friendly x"),
        ("{{#if tone}}a{{/if~}}\n{{tone}} {{tone}}", "afriendly friendly"),
    ]);
}

#[test]
fn what_is_missing_is_named() {
    for (text, path) in [
        ("{{article.subtitle}}", "article.subtitle"),
        ("{{upper article.subtitle}}", "article.subtitle"),
        ("{{upper (trim article.subtitle)}}", "article.subtitle"),
        ("{{#if tone}}{{article.subtitle}}{{/if}}", "article.subtitle"),
        ("{{#each article.parts}}x{{/each}}", "article.parts"),
        ("{{#each article.parts}}x{{else}}y{{/each}}", "article.parts"),
        ("{{#with article.parts}}x{{/with}}", "article.parts"),
        ("{{lookup article.parts 1}}", "article.parts"),
        ("{{lookup articles loop.missing}}", "loop.missing"),
        ("{{lookup articles 7}}", "7"),
        ("{{article.tags.7}}", "article.tags.7"),
        ("{{article.tags.first}}", "article.tags.first"),
        ("{{article.title.length}}", "article.title.length"),
        ("{{number count decimals=article.decimals}}", "article.decimals"),
        ("{{#each articles}}{{subtitle}}{{/each}}", "this.subtitle"),
        ("{{#each articles as |a|}}{{a.subtitle}}{{/each}}", "a.subtitle"),
        ("{{#each articles}}{{@key}}{{/each}}", "@key"),
        ("{{previous}}", "previous"),
        ("{{#if article.title}}{{article.title.x}}{{/if}}", "article.title.x"),
        ("{{join article.parts}}", "article.parts"),
        ("{{eq article.subtitle 'x'}}", "article.subtitle"),
    ] {
        assert_eq!(missing(text), path, "{text}");
    }
    assert_eq!(fails("{{article.subtitle}}").message, "`article` has no field `subtitle`");
    assert_eq!(fails("{{article.title.x}}").message, "`article.title` is a text and has no field `x`");
    assert_eq!(fails("{{article.tags.7}}").message, "`article.tags` is a list of 2 and has no `7`");
    assert_eq!(fails("{{previous}}").message, "`previous` is not there");
}

#[test]
fn conditions_and_default_allow_what_is_missing() {
    assert_renders(&[
        ("{{#if article.subtitle}}a{{else}}b{{/if}}", "b"),
        ("{{#if previous}}a{{else}}b{{/if}}", "b"),
        ("{{#if article.tags.first}}a{{else}}b{{/if}}", "b"),
        ("{{#unless previous.x.y}}a{{/unless}}", "a"),
        ("{{#if (eq previous 'x')}}a{{else}}b{{/if}}", "b"),
        ("{{#if (ne previous 'x')}}a{{else}}b{{/if}}", "a"),
        ("{{#if (gt (len previous) 3)}}a{{else}}b{{/if}}", "b"),
        ("{{#if (and tone (not previous))}}a{{/if}}", "a"),
        ("{{#if (or previous.x tone)}}a{{/if}}", "a"),
        ("{{#if (upper previous)}}a{{else}}b{{/if}}", "b"),
        ("{{#if (lookup articles 7)}}a{{else}}b{{/if}}", "b"),
        ("{{#if (first empty)}}a{{else}}b{{/if}}", "b"),
        ("{{#if (default previous nothing)}}a{{else}}b{{/if}}", "b"),
        ("{{#if previous}}a{{else if article.draft}}b{{else if tone}}c{{else}}d{{/if}}", "c"),
        ("{{default previous article.subtitle 'none'}}", "none"),
        ("{{default nothing ''  empty count}}", "3"),
        ("{{default article.draft 'x'}}", "false"),
        ("{{upper (default previous tone)}}", "FRIENDLY"),
        ("{{default (upper previous) tone}}", "friendly"),
        ("{{#if article.title}}{{article.title}}{{/if}}", "Tulips"),
    ]);
    let nothing = fails("{{default previous article.subtitle}}");
    assert!(nothing.nothing && nothing.missing.is_none(), "{nothing:?}");
    assert!(fails("{{#each (default previous empty)}}x{{/each}}").nothing);
    assert!(!fails("{{article.subtitle}}").nothing);
}

#[test]
fn a_name_of_the_file_means_the_same_everywhere() {
    assert_renders(&[
        ("{{#each articles}}{{title}}:{{this.title}} {{/each}}", "Top:One Top:Two "),
        ("{{#each articles}}{{tone}}/{{this.tone}}/{{./tone}} {{/each}}", "friendly/own/own friendly/own too/own too "),
        (
            "{{#each articles}}{{#each tags}}{{this}}{{../title}}{{tone}} {{/each}}{{/each}}",
            "xOnefriendly yOnefriendly ",
        ),
        ("{{#each articles}}{{@root.title}}{{../title}}{{n}} {{/each}}", "TopTop9 TopTop10 "),
        ("{{#with article}}{{draft}} {{title}} {{this.title}}{{/with}}", "false Top Tulips"),
        ("{{#each articles}}{{#if (eq n 10)}}{{n}}{{title}}{{/if}}{{/each}}", "10Top"),
        ("{{#each (lines article.title)}}{{tone}}{{this}}{{/each}}", "friendlyTulips"),
        ("{{#each articles}}{{upper tone}}{{/each}}", "FRIENDLYFRIENDLY"),
        ("{{#each articles}}{{n}}{{else}}{{title}}{{/each}}{{#each empty}}x{{else}}{{title}}{{/each}}", "910Top"),
    ]);
}

#[test]
fn blocks_have_their_own_names() {
    assert_renders(&[
        ("{{#each articles}}{{@index}}{{@first}}{{@last}} {{/each}}", "0truefalse 1falsetrue "),
        ("{{#each outline.by}}{{@key}}={{this}} {{/each}}", "a=1 b=2 "),
        ("{{#each articles}}{{#each tags}}{{@../index}}{{@index}}{{../@index}} {{/each}}{{/each}}", "000 010 "),
        ("{{#each articles as |it i|}}{{i}}{{it.title}}{{it.n}}{{title}} {{/each}}", "0One9Top 1Two10Top "),
        ("{{#each outline.by as |v k|}}{{k}}{{v}} {{/each}}", "a1 b2 "),
        ("{{#each articles as |a|}}{{#each a.tags as |t|}}{{a.title}}{{t}} {{/each}}{{/each}}", "Onex Oney "),
        ("{{#with article as |it|}}{{it.title}}{{/with}}", "Tulips"),
        ("{{#with nothing}}x{{else}}none{{/with}}{{#with nothing}}x{{/with}}", "none"),
        ("{{#each (first articles 1) as |a i|}}{{i}}{{a.title}}{{a.tags.0}}{{this.title}}{{n}}{{/each}}", "0OnexOne9"),
        ("{{#each articles}}{{#if @first}}{{else}}, {{/if}}{{n}}{{/each}}", "9, 10"),
        ("{{#each articles}}{{#with tags}}{{@index}}{{len this}} {{/with}}{{/each}}", "02 "),
        ("{{#each article.tags}}{{.}}{{/each}}", "ab"),
        ("{{#each articles}}{{#each tags}}{{#with ..}}{{n}}{{/with}}{{/each}}{{/each}}", "99"),
        ("{{#each articles as |a|}}{{#each outline.sections as |a|}}{{a.head}}{{/each}}{{/each}}", "IIIIII"),
    ]);
}

#[test]
fn loops_go_through_lists_alone() {
    assert_renders(&[("{{#each empty}}x{{else}}none{{/each}}", "none"), ("{{#each empty}}x{{/each}}", "")]);
    for text in ["{{#each tone}}x{{/each}}", "{{#each count}}x{{else}}y{{/each}}", "{{#each nothing}}x{{/each}}"] {
        let problem = fails(text);
        assert!(problem.message.starts_with("`#each` goes through a list, and "), "{text}: {problem}");
    }
}

#[test]
fn a_bare_name_is_a_value_even_where_a_helper_has_its_name() {
    assert_renders(&[
        ("{{title}}", "Top"),
        ("{{title title}}", "Top"),
        ("{{#if title}}{{upper (title)}}{{/if}}", "TOP"),
        ("{{upper title}}", "TOP"),
        ("{{#each articles}}{{#with this}}{{this.title}}{{/with}}{{/each}}", "OneTwo"),
    ]);
    let names = compile("{{len}} {{#if first}}x{{/if}}");
    assert_eq!(names.uses().iter().map(|found| found.path.concat()).collect::<Vec<_>>(), ["len", "first"]);
    let Json::Object(fields) = json!({"articles": [{"last": "L", "number": 4}]}) else { unreachable!() };
    let template = compile("{{#each articles}}{{last}}{{number}}{{/each}}");
    assert_eq!(template.render(&Context::new(fields)).unwrap(), "L4");
}

#[test]
fn a_value_is_never_rendered_again() {
    let body = r#"{{tone}} {{{x}}} \{{y}} {{#each}} "q" 'q' \n <&>"#;
    let Json::Object(fields) = json!({"article": {"body": body}, "articles": [body]}) else { unreachable!() };
    let values = Context::new(fields);
    assert_eq!(compile("{{article.body}}|").render(&values).unwrap(), format!("{body}|"));
    assert_eq!(compile("{{#each articles}}{{this}}{{/each}}").render(&values).unwrap(), body);
    assert_eq!(compile("{{trim article.body}}").render(&values).unwrap(), body);
}

#[test]
fn a_whole_template_keeps_the_type_of_its_value() {
    for (text, value) in [
        ("{{count}}", json!(3)),
        ("{{~ article.tags ~}}", json!(["a", "b"])),
        ("{{article.draft}}", json!(false)),
        ("{{nothing}}", Json::Null),
        ("{{slice report 2 6}}", json!("long")),
        ("{{len articles}}", json!(2)),
        ("{{default previous count}}", json!(3)),
        ("{{first articles 0}}", json!([])),
        ("{{gt count 2}}", json!(true)),
        (" {{count}}", json!(" 3")),
        ("{{count}}{{count}}", json!("33")),
        ("{{#if count}}{{count}}{{/if}}", json!("3")),
        ("plain", json!("plain")),
    ] {
        assert_eq!(compile(text).evaluate(&values()).unwrap(), value, "{text}");
    }
    assert!(compile("{{count}}").is_whole() && !compile("{{count}}").is_constant());
    assert!(!compile("{{count}}\n").is_whole());
    assert!(!compile("{{#if count}}{{/if}}").is_whole());
    assert!(compile("a \\{{b}} {{! c }}").is_constant());
    assert_eq!(compile("{{previous}}").evaluate(&values()).unwrap_err().missing.unwrap(), ["previous"]);
}

#[test]
fn expressions_need_no_braces() {
    for (text, value) in [
        ("eq article.title 'Tulips'", json!(true)),
        ("{{eq article.title 'Tulips'}}", json!(true)),
        (" {{ count }} ", json!(3)),
        ("article.draft", json!(false)),
        ("not (gt (len article.tags) 3)", json!(true)),
        ("(and tone count)", json!(true)),
        ("title", json!("Top")),
        ("true", json!(true)),
    ] {
        let expression = Template::expression(text, &is_name).unwrap();
        assert!(expression.is_whole());
        assert_eq!(expression.evaluate(&values()).unwrap(), value, "{text}");
    }
    for (text, at) in [
        ("eq article.title 'Tulips' please, now", ","),
        ("{{count}} or {{tone}}", "{{count}} or {{tone}}"),
        ("{{#if count}}x{{/if}}", "{{#if count}}x{{/if}}"),
        ("eq {{count}} 3", "{"),
        ("count > 3", ">"),
        ("count is large", "count"),
        ("", ""),
        ("{{count", "{{"),
    ] {
        let problems = Template::expression(text, &is_name).expect_err(text).problems;
        assert_eq!(problems.iter().map(|problem| &text[problem.range.clone()]).collect::<Vec<_>>(), [at], "{text}");
        assert!(problems[0].help.is_some(), "{text}");
    }
    let expression = Template::expression("eq article.subtitle 'x'", &is_name).unwrap();
    assert!(!expression.uses()[0].lenient);
    assert!(expression.evaluate(&values()).is_err());
}

#[test]
fn a_template_of_one_name_knows_it() {
    for text in ["{{report}}", "{{~report~}}", "{{{ report }}}", "{{@root.report}}"] {
        assert_eq!(compile(text).only_name(), Some("report"), "{text}");
    }
    for text in ["{{report}}.", "{{article.title}}", "{{upper report}}", "{{#if report}}{{/if}}", "report", ""] {
        assert_eq!(compile(text).only_name(), None, "{text}");
    }
}

#[test]
fn a_stand_in_takes_the_place_of_each_value() {
    for (text, rendered) in [
        ("a/{{tone}}-{{upper tone}}.md", Some("a/x-x.md")),
        ("{{! why }}a/{{~ tone ~}} .md", Some("a/x.md")),
        (r"\{{tone}}", Some("{{tone}}")),
        ("plain.md", Some("plain.md")),
        ("{{#if tone}}a{{/if}}.md", None),
    ] {
        assert_eq!(compile(text).with_stand_in("x").as_deref(), rendered, "{text}");
    }
}

#[test]
fn uses_are_known_with_their_place() {
    let shown = |text: &str| -> Vec<String> {
        let template = compile(text);
        let flags = |found: &Use| {
            [
                (found.optional, 'o'),
                (found.lenient, 'l'),
                (found.conditional, 'c'),
                (found.each, 'e'),
                (found.by_index, 'i'),
            ]
            .iter()
            .filter_map(|(set, flag)| set.then_some(*flag))
            .collect::<String>()
        };
        template.uses().iter().map(|found| format!("{} {}", &text[found.range.clone()], flags(found))).collect()
    };
    for (text, uses) in [
        ("{{tone}} {{article.body}}", &["tone ", "article.body "][..]),
        ("{{tone}} {{tone}}", &["tone ", "tone "]),
        ("{{artcle.body}}", &["artcle.body "]),
        ("{{upper (trim tone)}}", &["tone "]),
        ("{{#each articles}}{{tone}}{{n}}{{../title}}{{/each}}", &["articles e", "tone c", "../title c"]),
        ("{{#if article.a}}{{article.b}}{{article.a}}{{/if}}", &["article.a ol", "article.b oc", "article.a olc"]),
        ("{{#if article.a.b}}{{article.a}}{{tone}}{{/if}}", &["article.a.b ol", "article.a olc", "tone c"]),
        ("{{#if tone}}{{else}}{{tone}}{{/if}}", &["tone ol", "tone c"]),
        ("{{#unless tone}}{{else}}{{tone}}{{/unless}}", &["tone ol", "tone olc"]),
        ("{{#if (not tone)}}{{else}}{{tone}}{{/if}}", &["tone ol", "tone olc"]),
        ("{{#if (and tone (gt count 3))}}{{tone}}{{count}}{{/if}}", &["tone ol", "count ol", "tone olc", "count olc"]),
        ("{{#if (or tone count)}}{{tone}}{{/if}}", &["tone ol", "count ol", "tone c"]),
        ("{{#if (eq tone 'x')}}{{tone}}{{/if}}", &["tone ol", "tone olc"]),
        ("{{#if (eq tone null)}}{{tone}}{{/if}}", &["tone ol", "tone c"]),
        ("{{#if (len tone)}}{{tone}}{{/if}}", &["tone ol", "tone olc"]),
        ("{{#if (default tone count)}}{{tone}}{{/if}}", &["tone ol", "count ol", "tone c"]),
        ("{{#if a}}x{{else if tone}}{{tone}}{{/if}}", &["a ol", "tone olc", "tone olc"]),
        ("{{default article.a tone}}", &["article.a ol", "tone ol"]),
        ("{{join articles}}{{len articles}}", &["articles e", "articles "]),
        ("{{#each articles}}{{lookup report @index}}{{/each}}", &["articles e", "report ci"]),
        ("{{@root.tone}} {{article.[First Name]}}", &["@root.tone ", "article.[First Name] "]),
        ("{{#with article}}{{title}}{{/with}}", &["article ", "title c"]),
    ] {
        assert_eq!(shown(text), uses, "{text}");
    }
    assert_eq!(compile("{{article.[First Name]}}").uses()[0].path, ["article", "First Name"]);
    assert_eq!(compile("{{@root.tone}}").uses()[0].path, ["tone"]);
}

#[test]
fn uses_of_elements_lead_back_to_names() {
    let shown = |text: &str| -> Vec<String> {
        let steps = |found: &ElementUse| {
            let steps = found.path.iter().map(|step| match step {
                Step::Field(name) => name.as_str(),
                Step::Element => "*",
            });
            steps.collect::<Vec<_>>().join(".")
        };
        let template = compile(text);
        let uses = template.element_uses().iter();
        uses.map(|found| format!("{} {} {}", &text[found.range.clone()], steps(found), found.lenient)).collect()
    };
    for (text, uses) in [
        ("{{#each articles}}{{n}}{{this}}{{/each}}", &["n articles.*.n false", "this articles.* false"][..]),
        (
            "{{#each articles}}{{#each tags}}{{.}}{{../n}}{{/each}}{{/each}}",
            &["tags articles.*.tags false", ". articles.*.tags.* false", "../n articles.*.n false"],
        ),
        ("{{#with article}}{{draft}}{{/with}}", &["draft article.draft false"]),
        ("{{#each articles as |a i|}}{{a.n}}{{i}}{{/each}}", &["a.n articles.*.n false"]),
        ("{{#each articles}}{{#if n}}{{n}}{{/if}}{{/each}}", &["n articles.*.n true", "n articles.*.n true"]),
        ("{{#each (first articles 3)}}{{n}}{{/each}}", &["n articles.*.n false"]),
        ("{{#each (lines report)}}{{n}}{{/each}}", &[]),
    ] {
        assert_eq!(shown(text), uses, "{text}");
    }
}

#[test]
fn a_field_of_an_element_is_certain_where_no_other_block_is_around() {
    let certain = |text: &str| compile(text).element_uses().last().is_some_and(|found| found.certain);
    for text in [
        "{{#each articles}}{{n}}{{/each}}",
        "{{#each articles as |a|}}{{a.n}}{{/each}}",
        "{{#each articles}}{{#each tags}}{{n}}{{/each}}{{/each}}",
        "{{#with article}}{{n}}{{/with}}",
    ] {
        assert!(certain(text), "{text}");
    }
    for text in [
        "{{#each articles}}{{#if tone}}{{n}}{{/if}}{{/each}}",
        "{{#if tone}}{{#each articles}}{{n}}{{/each}}{{/if}}",
        "{{#each article.tags}}{{#each articles}}{{n}}{{/each}}{{/each}}",
        "{{#each articles}}{{#each tags}}{{../n}}{{/each}}{{/each}}",
    ] {
        assert!(!certain(text), "{text}");
    }
}

#[test]
fn paths_that_can_not_mean_anything_are_refused() {
    for (text, at) in [
        ("{{this}}", "this"),
        ("{{this.title}}", "this.title"),
        ("{{../title}}", "../title"),
        ("{{#each articles}}{{../this}}{{/each}}", "../this"),
        ("{{#each articles}}{{../../title}}{{/each}}", "../../title"),
        ("{{@index}}", "@index"),
        ("{{#with article}}{{@index}}{{/with}}", "@index"),
        ("{{#each articles}}{{@../index}}{{/each}}", "@../index"),
        ("{{@root}}", "@root"),
        ("{{@partial-block}}", "@partial-block"),
        ("{{#each articles as |tone|}}x{{/each}}", "tone"),
        ("{{#each articles as |this|}}x{{/each}}", "this"),
        ("{{#each articles as |a a|}}x{{/each}}", "a"),
        ("{{#if tone as |a|}}x{{/if}}", "a"),
        ("{{#with article as |a b|}}x{{/with}}", "b"),
        ("{{#each articles}}{{else}}{{this}}{{/each}}", "this"),
    ] {
        assert_eq!(problems(text), [(Problem::NAME, at.to_owned())], "{text}");
    }
}

#[test]
fn helpers_are_checked_when_a_template_is_read() {
    for (text, code, at) in [
        ("{{uper tone}}", Problem::UNKNOWN_HELPER, "uper"),
        ("{{article tone}}", Problem::UNKNOWN_HELPER, "article"),
        ("{{upper (uper tone)}}", Problem::UNKNOWN_HELPER, "uper"),
        ("{{get? tone}}", Problem::SYNTAX, "?"),
        ("{{print tone}}", Problem::UNKNOWN_HELPER, "print"),
        ("{{split tone words=5 overlap=5}}", Problem::ARGUMENTS, "split"),
        ("{{split tone}}", Problem::ARGUMENTS, "split"),
        ("{{split tone words=5 on='x'}}", Problem::ARGUMENTS, "split"),
        ("{{split tone words=0}}", Problem::ARGUMENTS, "0"),
        ("{{group articles}}", Problem::ARGUMENTS, "group"),
        ("{{sort articles by='a..b'}}", Problem::ARGUMENTS, "'a..b'"),
        ("{{sort articles desc='yes'}}", Problem::ARGUMENTS, "'yes'"),
        ("{{chunks articles 0}}", Problem::ARGUMENTS, "0"),
        ("{{#each (group articles by='n')}}{{name}}{{/each}}", Problem::FIELD, "name"),
        ("{{log tone}}", Problem::UNSUPPORTED, "log"),
        ("{{if tone 'x'}}", Problem::UNSUPPORTED, "if"),
        ("{{truncate tone}}", Problem::ARGUMENTS, "truncate"),
        ("{{truncate tone 3 4}}", Problem::ARGUMENTS, "4"),
        ("{{truncate tone 'long'}}", Problem::ARGUMENTS, "'long'"),
        ("{{truncate tone -1}}", Problem::ARGUMENTS, "-1"),
        ("{{truncate tone length=3}}", Problem::ARGUMENTS, "truncate"),
        ("{{number count digits=3}}", Problem::ARGUMENTS, "digits"),
        ("{{number count decimals='x'}}", Problem::ARGUMENTS, "'x'"),
        ("{{number count decimals=1 decimals=2}}", Problem::ARGUMENTS, "decimals"),
        ("{{join 'a' ', '}}", Problem::ARGUMENTS, "'a'"),
        ("{{replace tone '' 'x'}}", Problem::ARGUMENTS, "''"),
        ("{{date tone '%!'}}", Problem::ARGUMENTS, "'%!'"),
        ("{{pad count 3 with='ab'}}", Problem::ARGUMENTS, "'ab'"),
        ("{{#if}}x{{/if}}", Problem::ARGUMENTS, "if"),
        ("{{#if tone count}}x{{/if}}", Problem::ARGUMENTS, "count"),
        ("{{#if tone includeZero=true}}x{{/if}}", Problem::ARGUMENTS, "includeZero"),
        ("{{#tone}}x{{/tone}}", Problem::UNSUPPORTED, "tone"),
        ("{{#upper tone}}x{{/upper}}", Problem::UNSUPPORTED, "upper"),
    ] {
        assert_eq!(problems(text)[0], (code, at.to_owned()), "{text}");
    }
    let unknown = Template::compile("{{uper tone}}", &is_name).unwrap_err().problems;
    assert_eq!(unknown[0].help.as_deref(), Some("did you mean `upper`?"));
}

#[test]
fn names_beside_a_mistake_are_read() {
    for (text, names) in [
        ("{{uper tone}} {{tonne}} {{#if tonee}}", &["tone", "tonne", "tonee"][..]),
        ("{{eq tonne}} {{count}}", &["tonne", "count"]),
        ("{{> layout}} {{tonne}}", &["tonne"]),
        ("{{#if eq tonne 'x'}}{{count}}{{/if}}", &["tonne", "count"]),
        ("{{#articles}}{{field}} {{count}}{{/articles}} {{tonne}}", &["count", "tonne"]),
        ("{{the tone of it}} {{tonne}}", &["tonne"]),
        ("{{#each articles}}{{field}} {{/if}}", &["articles"]),
        ("{{tone {{tonne}}", &["tonne"]),
    ] {
        let rejected = Template::compile(text, &is_name).expect_err(text);
        let read: Vec<&str> = rejected.uses.iter().map(|one| one.path[0].as_str()).collect();
        assert_eq!(read, names, "{text}");
    }
}

#[test]
fn helpers_refuse_what_they_can_not_use() {
    for (text, message) in [
        ("{{upper articles}}", "`upper`: argument 1 is a list, not a text; `join` makes one of it"),
        ("{{join tone}}", "`join`: argument 1 is a text, not a list"),
        ("{{truncate tone tone}}", "`truncate`: argument 2 is `friendly`, not a whole number"),
        ("{{gt tone 3}}", "`gt`: `friendly` and `3` have no order"),
        ("{{first empty}}", "`first`: the list is empty"),
        ("{{number count decimals=tone}}", "`number`: `decimals=` is `friendly`, not a whole number"),
    ] {
        assert_eq!(fails(text).message, message, "{text}");
    }
}

#[test]
fn helpers_work_together() {
    assert_renders(&[
        ("{{#each (lines 'a\\nb')}}{{this}};{{/each}}", "a;b;"),
        ("{{join article.tags ', '}}|{{join article.tags}}", "a, b|a\nb"),
        ("{{pad loop.number 3}} {{pad tone 10 with=' '}}", "001   friendly"),
        ("{{slug (truncate article.title 4)}}", "tul"),
        ("{{#if (and (gt count 2) (lt count '10'))}}in{{/if}}", "in"),
        ("{{#each articles}}{{#if (gt n 9.5)}}{{n}}{{/if}}{{/each}}", "10"),
        ("{{basename photo}}", "1.png"),
        ("{{json outline.by indent=2}}", "{\n  \"a\": 1,\n  \"b\": 2\n}"),
        ("{{lookup (lookup articles 1) 'title'}}", "Two"),
        ("{{default nothing 'x'}} {{words report}} {{len report}}", "x 3 13"),
        ("{{replace report ' ' '\\n'}}", "A\nlong\nreport"),
    ]);
}

#[test]
fn every_problem_is_reported_in_order() {
    let text = "{{uper a}} {{#if}}{{/if}} {{this}} {{x";
    let codes: Vec<_> = problems(text).into_iter().map(|(code, _)| code).collect();
    assert_eq!(codes, [Problem::UNKNOWN_HELPER, Problem::ARGUMENTS, Problem::NAME, Problem::SYNTAX]);
}

#[test]
fn templates_can_be_shared_between_threads() {
    fn shared<T: Clone + Send + Sync + std::fmt::Debug + 'static>(_: &T) {}
    let template = compile("{{tone}}");
    shared(&template);
    let values = Arc::new(values());
    let threads = (0..4).map(|_| {
        let (template, values) = (template.clone(), Arc::clone(&values));
        std::thread::spawn(move || template.render(&values).unwrap())
    });
    let rendered: Vec<_> = threads.collect::<Vec<_>>().into_iter().map(|thread| thread.join().unwrap()).collect();
    assert_eq!(rendered, ["friendly"; 4]);
    assert_eq!(format!("{template:?}"), "Template(\"{{tone}}\")");
}

#[test]
fn deep_and_long_templates_are_read_in_bounds() {
    let depth = tree::MAX_DEPTH;
    let nested = format!("{}x{}", "{{#if tone}}".repeat(depth), "{{/if}}".repeat(depth));
    assert_eq!(render(&nested), "x");
    let each = format!("{}x{}", "{{#each article.tags}}".repeat(7), "{{/each}}".repeat(7));
    assert_eq!(render(&each).len(), 128);
    let chain = format!("{{{{#if previous}}}}{}{{{{else}}}}x{{{{/if}}}}", "{{else if previous}}".repeat(depth - 1));
    assert_eq!(render(&chain), "x");
    let deeper = format!("{}x{}", "{{#if tone}}".repeat(5000), "{{/if}}".repeat(5000));
    assert_eq!(problems(&deeper)[0].0, Problem::TOO_DEEP);
    let long = "Word {{tone}} ".repeat(10_000);
    assert_eq!(render(&long).len(), 10_000 * "Word friendly ".len());
    assert_eq!(compile(&long).uses().len(), 10_000);
}

#[test]
fn lists_are_made_of_lists() {
    assert_renders(&[
        ("{{#each (sort articles by='n')}}{{this.title}} {{/each}}", "One Two "),
        ("{{#each (sort articles by='n' desc=true)}}{{this.title}} {{/each}}", "Two One "),
        ("{{#each (where articles 'n' 9)}}{{this.title}} {{/each}}", "One "),
        ("{{#each (sort (where articles 'n' 10) by='title')}}{{this.title}} {{/each}}", "Two "),
        ("{{#each (chunks article.tags 1)}}[{{#each this}}{{this}}{{/each}}]{{/each}}", "[a][b]"),
        (
            "{{#each (group articles by='tone')}}{{key}}: {{#each items}}{{this.title}}{{/each}}; {{/each}}",
            "own: One; own too: Two; ",
        ),
        (
            "{{#each (group articles by='tone') as |one|}}{{one.key}}{{#each one.items}}{{n}}{{/each}} {{/each}}",
            "own9 own too10 ",
        ),
        ("{{#each (unique articles by='tone')}}{{n}}{{/each}}", "910"),
        ("{{join (split report words=2) '|'}}", "A long|report"),
        ("{{join (split report chars=3) '|'}}", "A |lon|g |rep|ort"),
        ("{{join (split report on=' ') '|'}}", "A|long|report"),
        ("{{len (split report words=2 overlap=1)}}", "2"),
    ]);
    assert_eq!(compile("{{split report words=1}}").evaluate(&values()), Ok(json!(["A", "long", "report"])));
    assert_eq!(compile("{{sort (unique article.tags) desc=true}}").evaluate(&values()), Ok(json!(["b", "a"])));
    assert_eq!(
        compile("{{group article.tags by='x'}}").evaluate(&values()).unwrap_err().message,
        "`group` of `article.tags`: item 1 is a text and has no field `x`"
    );
    assert_eq!(
        fails("{{join (split report words=count overlap=3)}}").message,
        "`split` of `report`: `overlap=3` is not less than `words=3`, so no piece would be new"
    );
    assert_eq!(fails("{{sort report}}").message, "`sort` of `report`: argument 1 is a text, not a list");
    assert_eq!(
        fails("{{sort (lines report) by=tone}}").message,
        "`sort` of what `lines` gives: item 1 is a text and has no field `friendly`"
    );
}

#[test]
fn fields_of_items_that_helpers_choose_are_those_of_their_list() {
    let last = |text: &str| {
        let template = compile(text);
        let found = template.element_uses().last().unwrap_or_else(|| panic!("{text}"));
        (described(&found.path), text[found.range.clone()].to_owned(), found.lenient, found.certain)
    };
    let told = |path: &str, written: &str, lenient, certain| (path.to_owned(), written.to_owned(), lenient, certain);
    let of_item = |field: &str| format!("`{field}` of an item of `articles`");
    for (text, path, written, lenient, certain) in [
        ("{{sort articles by='n'}}", "n", "n", false, true),
        ("{{sort articles by='a.b'}}", "a.b", "a.b", false, true),
        ("{{where articles 'n' 3}}", "n", "n", true, false),
        ("{{sort (where articles 'm' 3) by='n'}}", "n", "n", false, false),
        ("{{#if tone}}{{sort articles by='n'}}{{/if}}", "n", "n", false, false),
        ("{{#if (sort articles by='n')}}x{{/if}}", "n", "n", true, true),
        ("{{#each (sort articles by='m')}}{{n}}{{/each}}", "n", "n", false, true),
        ("{{#each (where articles 'm' 3)}}{{n}}{{/each}}", "n", "n", false, false),
        ("{{#each (first articles 2)}}{{n}}{{/each}}", "n", "n", false, false),
        ("{{#each (chunks articles 2)}}{{#each this}}{{n}}{{/each}}{{/each}}", "n", "n", false, true),
        ("{{#each (group articles by='m')}}{{#each items}}{{n}}{{/each}}{{/each}}", "n", "n", false, true),
        ("{{#each (group articles by='m')}}{{key.n}}{{/each}}", "m.n", "key.n", false, true),
    ] {
        assert_eq!(last(text), told(&of_item(path), written, lenient, certain), "{text}");
    }
}
