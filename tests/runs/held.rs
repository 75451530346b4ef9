//! Values that are reached from afar lie in memory or on the disk: nobody can tell which.

use std::fs;

use blossom_run::model::RunOutcome;

use crate::scene::{Ran, Scene, echo};
use crate::support::server::Server;

/// Collections of all and of parts, a later pass, loops over answers and absent ones, what is returned.
const BODY: &str = r#"
    inputs:
      shops:
        type: items
        default:
          - {id: a, rows: [1, 2, 3]}
          - {id: b, rows: []}
          - {id: c, rows: [4]}
          - {id: d, rows: [5, 6]}
    stages:
      tell:
        for_each: {shop: shops, row: shop.rows}
        text: "{{shop.id}}{{row}}"
        when: ne row 2
      weigh:
        for_each: {shop: shops}
        json: true
        text: '{"shop": "{{shop.id}}", "all": [0.1, -3, "{{len tell}}"]}'
        when: ne shop.id "d"
      each:
        for_each: {shop: shops, part: weigh.all}
        render: "{{shop.id}}:{{part}}"
        save: each.jsonl
      again:
        for_each: {shop: shops, row: shop.rows}
        render: "{{tell}} of {{len tally}}, {{#if each}}{{len each}}{{else}}none{{/if}}"
        save: again.jsonl
      tally:
        render: "{{#each tell}}{{this}} {{/each}}{{#each weigh}}{{this.shop}}{{/each}}"
        save: tally.txt
      page:
        for_each: {shop: shops}
        render: "{{#each again}}<{{this}}>{{/each}}"
        save: page.jsonl
    outputs:
      tell: "{{tell}}"
      weigh: "{{weigh}}"
    "#;

async fn run(server: &Server, held_in_memory: usize) -> Ran {
    Scene::new(server, BODY).window(1).held_in_memory(held_in_memory).run().await.is_done()
}

#[tokio::test]
async fn what_lies_on_the_disk_is_what_would_lie_in_memory() {
    let server = echo();
    let (in_memory, some, on_disk) = (run(&server, usize::MAX).await, run(&server, 500).await, run(&server, 0).await);
    assert_eq!(in_memory.text("tally.txt"), "a1 a3 c4 d5 d6 abc\n");
    assert_eq!(in_memory.values("page").len(), 4);
    for other in [&some, &on_disk] {
        assert_eq!(other.files(), in_memory.files());
        for file in in_memory.files() {
            assert_eq!(other.text(&file), in_memory.text(&file), "{file}");
        }
        for output in ["tell", "weigh"] {
            assert_eq!(other.output(output), in_memory.output(output), "{output}");
        }
    }
}

#[tokio::test]
async fn nothing_of_it_is_left_in_the_output_folder() {
    let ran = run(&echo(), 0).await;
    let hidden: Vec<String> = fs::read_dir(ran.out())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.contains("held"))
        .collect();
    assert_eq!(hidden, [""; 0]);
}

#[tokio::test]
async fn a_run_ends_where_values_can_not_be_held() {
    let server = echo();
    let going = Scene::new(&server, BODY).held_in_memory(0).start();
    let taken = format!(".held.{}-scratch.part", going.id());
    fs::create_dir(going.out().join(&taken)).unwrap();
    let ran = going.play(async {}).await;
    let RunOutcome::Unwritable { failure } = &ran.outcome else { panic!("{:?}", ran.outcome) };
    assert!(failure.message.starts_with("values that are still needed can't be held: "), "{}", failure.message);
    assert!(failure.message.contains(&taken), "{}", failure.message);
    assert_eq!(failure.suggestion.as_deref(), Some("look at the output folder, or name another with `--out DIR`"));
    assert_eq!(ran.failures(), [], "no item is to blame");
}
