//! What holds for every template and every value.

use handlebars::Handlebars;
use proptest::prelude::*;
use serde_json::json;

use super::expression::{ExprKind, read_value};
use super::*;
use crate::model::{Json, JsonMap};

/// Text that tries to be markup.
fn hostile() -> impl Strategy<Value = String> {
    let bits = prop_oneof![
        Just("{{".to_owned()),
        Just("}}".to_owned()),
        Just("{{{".to_owned()),
        Just("\\".to_owned()),
        Just("{{x}}".to_owned()),
        Just("{{#if x}}".to_owned()),
        Just("\"".to_owned()),
        Just("'".to_owned()),
        Just("\n".to_owned()),
        Just("🌸".to_owned()),
        Just("<&>".to_owned()),
        Just(" ".to_owned()),
        ".{0,4}",
    ];
    prop::collection::vec(bits, 0..12).prop_map(|bits| bits.concat())
}

/// Text that is nearly a template.
fn template_like() -> impl Strategy<Value = String> {
    let bits = prop::sample::select(vec![
        "{{",
        "}}",
        "{{{",
        "}}}",
        "{{#if ",
        "{{#each ",
        "{{#with ",
        "{{/if}}",
        "{{/each}}",
        "{{/with}}",
        "{{else}}",
        "{{else if ",
        "{{^}}",
        "{{!",
        "--",
        "{{~",
        "~}}",
        "x",
        "x.y",
        "this",
        "../x",
        "@index",
        "@root.x",
        "(",
        ")",
        " ",
        "'",
        "\"",
        "'a b'",
        "3",
        "-1.5",
        "upper ",
        "eq ",
        "default ",
        "len ",
        "as |a i|",
        "a.b",
        "|",
        "=",
        "indent=2",
        "[First Name]",
        ".",
        "/",
        "\\",
        "\n",
        "é",
        "🌸",
        "text ",
        "{{> p}}",
        "{{{{raw}}}}",
        "{",
        "}",
        "“",
        "\u{a0}",
    ]);
    prop::collection::vec(bits, 0..24).prop_map(|bits| bits.concat())
}

/// A template in which everything is in its place, of values that are always there. Comments, blanks at
/// the very end and `~}}` of a block's end are left out: there the crate trims too much, or too little.
fn well_formed() -> impl Strategy<Value = String> {
    let text = prop::sample::select(vec!["a", " ", "\n", "  \n", "\n  ", "b c", "\r\n", "\t", "é ", "}"]);
    let leaf = prop_oneof![
        4 => text.prop_map(str::to_owned),
        2 => prop::sample::select(vec!["{{x}}", "{{~x}}", "{{x~}}", "{{~x~}}", "{{{x}}}"]).prop_map(str::to_owned),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        let some = prop::collection::vec(inner, 0..4).prop_map(|parts| parts.concat());
        let tilde = prop::sample::select(vec!["", "~"]);
        prop_oneof![
            (some.clone(), some.clone(), tilde.clone(), tilde)
                .prop_map(|(a, b, t, u)| { format!("{{{{{t}#if x}}}}{a}{{{{{u}else{t}}}}}{b}{{{{/if}}}}") }),
            some.clone().prop_map(|a| format!("{{{{#each l}}}}{a}{{{{/each}}}}")),
            some,
        ]
    })
}

fn map(value: &Json) -> JsonMap {
    value.as_object().cloned().unwrap_or_default()
}

proptest! {
    #[test]
    fn values_come_out_byte_for_byte(value in hostile(), field in hostile()) {
        let names = Context::new(map(&json!({"x": value, "l": [{"f": field}, {"f": value}]})));
        let text = "<{{x}}|{{#each l}}{{f}},{{this.f}};{{/each}}{{default x 'none'}}>";
        let template = Template::compile(text, &|name| name == "x" || name == "l").unwrap();
        let shown = if value.is_empty() { "none" } else { &value };
        let expected = format!("<{value}|{field},{field};{value},{value};{shown}>");
        prop_assert_eq!(template.render(&names).unwrap(), expected);
        let whole = Template::compile("{{x}}", &|name| name == "x").unwrap();
        prop_assert_eq!(whole.evaluate(&names).unwrap(), Json::String(value.clone()));
        prop_assert_eq!(whole.render(&names).unwrap(), value);
    }

    #[test]
    fn text_arguments_come_out_as_they_were_written(value in hostile()) {
        let literal = value.replace('\\', "\\\\").replace('\'', "\\'");
        let template = Template::compile(&format!("{{{{default x '{literal}'}}}}"), &|_| true).unwrap();
        let rendered = template.render(&Context::new(JsonMap::new()));
        match rendered {
            Ok(text) => prop_assert_eq!(text, value),
            Err(problem) => prop_assert!(problem.nothing && value.is_empty()),
        }
    }

    #[test]
    fn reading_never_panics_and_points_into_the_text(text in prop_oneof![template_like(), ".{0,40}"]) {
        for read in [Template::compile, Template::expression] {
            match read(&text, &|name| name == "x" || name == "a") {
                Ok(template) => {
                    for found in template.uses() {
                        let written = &text[found.range.clone()];
                        let again = read_value(written, 0..written.len()).unwrap();
                        prop_assert_eq!(&again.range, &(0..written.len()));
                        let ExprKind::Path(path) = again.kind else { panic!("{written}") };
                        prop_assert_eq!(&path.segments, &found.path);
                    }
                    // Whatever happens, it is an answer.
                    let values = Context::new(map(&json!({"x": {"y": [1, "2"]}, "a": "text"})));
                    let rendered = template.render(&values).is_ok();
                    prop_assert_eq!(rendered, template.evaluate(&values).is_ok());
                }
                Err(rejected) => {
                    prop_assert!(!rejected.problems.is_empty());
                    for problem in rejected.problems {
                        prop_assert!(text.get(problem.range.clone()).is_some(), "{:?}", problem);
                        prop_assert!(!problem.message.is_empty());
                    }
                }
            }
        }
    }

    #[test]
    fn text_without_braces_is_constant(text in "[^{\\\\]{0,60}") {
        let template = Template::compile(&text, &|_| false).unwrap();
        prop_assert!(template.is_constant());
        prop_assert_eq!(template.render(&Context::new(JsonMap::new())).unwrap(), text);
    }

    #[test]
    fn whitespace_agrees_with_the_parser_of_the_crate(text in well_formed()) {
        let inner = json!({"x": "X", "l": [{"x": "Y", "l": []}]});
        let values = json!({"x": "X", "l": [inner, {"x": "Z", "l": [inner, inner]}]});
        let mut theirs = Handlebars::new();
        theirs.register_escape_fn(handlebars::no_escape);
        let text = text + ".";
        let expected = theirs.render_template(&text, &values).unwrap();
        let ours = Template::compile(&text, &|_| false).unwrap();
        prop_assert_eq!(ours.render(&Context::new(map(&values))).unwrap(), expected, "{:?}", text);
    }
}
