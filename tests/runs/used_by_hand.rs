//! A pipeline that is used does what its stages do where they are written out.

use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use crate::scene::{Ran, Scene, echo, prompts};

/// A stage of the used pipeline: the loops that it runs in, and what its prompt names.
#[derive(Debug, Clone)]
struct Part {
    loops: &'static str,
    names: Vec<&'static str>,
    has_condition: bool,
}

const STAGES: [&str; 4] = ["first", "second", "third", "fourth"];

fn part(at: usize) -> impl Strategy<Value = Part> {
    let names: Vec<&str> = STAGES[..at].iter().copied().chain(["subject", "about", "rows", "fixed"]).collect();
    let count = names.len();
    let loops = select(vec!["", "row: rows", "row: rows, n: 2", "n: 2"]);
    (loops, subsequence(names, 0..count), any::<bool>()).prop_map(|(loops, names, has_condition)| Part {
        loops,
        names,
        has_condition,
    })
}

fn parts() -> impl Strategy<Value = Vec<Part>> {
    let fourth = part(3);
    (part(0), part(1), part(2), fourth).prop_filter_map("`n` stands in one place", |(one, two, three, four)| {
        let parts = vec![one, two, three, four];
        let nests: Vec<&str> = parts.iter().map(|part| part.loops).filter(|loops| loops.contains("n:")).collect();
        nests.windows(2).all(|pair| pair[0] == pair[1]).then_some(parts)
    })
}

/// The stages as they are written, with what `of` makes of each name, and `around` before their loops.
fn written(parts: &[Part], around: &str, of: &dyn Fn(&str) -> String) -> String {
    let stage = |(name, part): (&str, &Part)| {
        let loops: Vec<&str> = [around, part.loops].into_iter().filter(|loops| !loops.is_empty()).collect();
        let for_each = if loops.is_empty() { String::new() } else { format!("for_each: {{{}}}, ", loops.join(", ")) };
        let row = if part.loops.contains("row") { " {{row}}" } else { "" };
        let words: Vec<String> = part.names.iter().map(|name| of(name)).collect();
        let when = if part.has_condition { format!("when: \"ne {} 'B'\", ", of("about?")) } else { String::new() };
        format!("  {name}: {{{for_each}{when}text: '{name}{row} {}'}}\n", words.join(" "))
    };
    STAGES.into_iter().zip(parts).map(stage).collect()
}

async fn asked(body: &str, used: Option<String>) -> (Vec<String>, Ran) {
    let server = echo();
    let scene = Scene::new(&server, body);
    let scene = match used {
        Some(used) => scene.file("used.yaml", used),
        None => scene,
    };
    let ran = scene.run().await.is_done();
    // Two instances with one call ask once or twice, as they meet in flight or not.
    let mut prompts = prompts(&server);
    prompts.dedup();
    (prompts, ran)
}

const INPUTS: &str =
    "inputs: {letters: {type: items, default: [A, B, C]}, rows: {type: items, default: [x, y]}, tone: dry}\n";

async fn compare(parts: &[Part]) {
    let plain = |name: &str| match name {
        "about?" => "about".to_owned(),
        name => format!("{{{{json {name}}}}}"),
    };
    let used = format!(
        "name: used\ninputs: {{subject: , about: {{type: json}}, rows: {{type: items}}, fixed: }}\nstages:\n{}\
         outputs: [first, second, third, fourth]\n",
        written(parts, "", &plain)
    );
    let inlined = format!(
        "{INPUTS}stages:\n  \
           up: {{for_each: {{letter: letters}}, text: 'up {{{{letter}}}}'}}\n  \
           used: {{for_each: letter, use: used.yaml, \
             with: {{subject: '{{{{up}}}} {{{{tone}}}}', about: '{{{{letter}}}}', rows: '{{{{rows}}}}', fixed: '{{{{upper tone}}}}'}}}}\n"
    );
    let by_hand = |name: &str| match name {
        "subject" => "{{json subject}}".to_owned(),
        "about?" => "letter".to_owned(),
        "about" => "{{json letter}}".to_owned(),
        "fixed" => "{{json fixed}}".to_owned(),
        name => format!("{{{{json {name}}}}}"),
    };
    let hand = format!(
        "{INPUTS}stages:\n  \
           up: {{for_each: {{letter: letters}}, text: 'up {{{{letter}}}}'}}\n  \
           subject: {{for_each: letter, value: '{{{{up}}}} {{{{tone}}}}'}}\n  \
           fixed: {{value: '{{{{upper tone}}}}'}}\n{}",
        written(parts, "letter: letters", &by_hand)
    );
    let ((of_used, one), (by_hand, other)) = (asked(&inlined, Some(used)).await, asked(&hand, None).await);
    assert_eq!(of_used, by_hand, "{inlined}\n{hand}");
    for stage in STAGES {
        let (one, other) = (one.tally(&format!("used/{stage}")), other.tally(stage));
        assert_eq!((one.instances, one.skipped), (other.instances, other.skipped), "{stage}\n{inlined}\n{hand}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn a_used_pipeline_asks_what_its_stages_ask_by_hand(parts in parts()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(compare(&parts));
    }
}
