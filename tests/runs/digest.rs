//! The shipped digest over posts as people write them: code, braces, quotes, emoji.

use serde_json::{Value, json};

use crate::cli::Cli;
use crate::scene::prompts;
use crate::support::server::{Reply, Server};

/// A post; no two are the same, and each has what a template might take for its own.
fn post(number: usize) -> Value {
    json!({
        "slug": format!("post-{number}"),
        "title": format!("Nº {number}: \"{{{{braces}}}}\" & <tags> 🦀"),
        "date": "2026-11-01",
        "body": format!(
            "Post {number}.\n\n```rust\nprintln!(\"{{{{}}}} {{x}}\", x = {{ {number} }});\n```\n\n\
             {{{{#each articles}}}}{{{{secret}}}}{{{{/each}}}} \\{{{{ — ‘quotes’, “more”, naïve, 日本語 🎉"
        ),
    })
}

#[test]
fn sixty_posts_come_out_in_order_with_their_braces_as_they_are() {
    let server = Server::start(|request| match request.prompt() {
        prompt if request.path.contains("images") => Reply::picture(&prompt),
        prompt => Reply::chat(format!("An answer {{like}} {{{{no}}}} other: {}", blake3::hash(prompt.as_bytes()))),
    });
    let posts: Vec<Value> = (1..=60).map(post).collect();
    let lines: String = posts.iter().map(|post| post.to_string() + "\n").collect();
    let ran = Cli::new("digest -i articles=posts.jsonl --provider openai --model m --model image=m")
        .file("posts.jsonl", lines)
        .env("OPENAI_BASE_URL", &server.url)
        .env("OPENAI_API_KEY", "a-key-for-this-test")
        .run()
        .exit(0);

    let asked = prompts(&server);
    assert_eq!(asked.len(), 60 + 60 + 1 + 1);
    for post in &posts {
        let (title, body) = (post["title"].as_str().unwrap(), post["body"].as_str().unwrap());
        let own = asked.iter().filter(|prompt| prompt.contains(title) && prompt.contains(body)).count();
        assert_eq!(own, 1, "{title}");
    }
    let summaries: Vec<Value> =
        ran.read("out/summaries.jsonl").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |rows: &[Value], field: &str| rows.iter().map(|row| row[field].clone()).collect::<Vec<_>>();
    assert_eq!(of(&summaries, "slug"), of(&posts, "slug"));
    assert_eq!(of(&summaries, "title"), of(&posts, "title"));
    let report = asked.iter().find(|prompt| prompt.starts_with("Write a report")).unwrap();
    assert!(summaries.iter().all(|row| report.contains(row["summary"].as_str().unwrap())));
    assert!(!ran.read("out/report.md").is_empty() && ran.path("out/cover.png").is_file());
}
