//! A pipeline of two loops and a stage that collects, and its prompts for those who do the same without it.

/// A row of the list, a line of JSON.
pub(crate) fn row(number: u32) -> String {
    serde_json::json!({"id": number, "body": body(number)}).to_string()
}

/// What an article says, the same for the same number.
pub(crate) fn body(number: u32) -> String {
    const WORDS: [&str; 12] = [
        "harbour", "signal", "keeper", "storm", "lantern", "granite", "tide", "engine", "letter", "winter", "glass",
        "shore",
    ];
    let mut random = fastrand::Rng::with_seed(u64::from(number));
    let words: Vec<&str> = (0..30).map(|_| WORDS[random.usize(..WORDS.len())]).collect();
    format!("Article {number}: {}.", words.join(" "))
}

/// The file. Its prompts are those below.
pub(crate) fn pipeline(base_url: &str, concurrency: u32) -> String {
    format!(
        r#"name: digest
inputs:
  articles: {{type: items, default: articles.jsonl}}
providers: {{stub: {{kind: openai, base_url: "{base_url}", concurrency: {concurrency}}}}}
defaults: {{provider: stub, model: stub, concurrency: {concurrency}}}
stages:
  analyze:
    for_each: {{article: articles}}
    text: "Analyze: {{{{article.body}}}}"
  summarize:
    for_each: {{article: articles}}
    text: "Summarize in two sentences: {{{{analyze}}}}"
    save: summaries.jsonl
  report:
    text: "Write a report from:{{{{#each summarize}}}} - {{{{this}}}}{{{{/each}}}}"
    save: report.md"#
    )
}

/// The first stage, per article.
pub(crate) fn analyze(body: &str) -> String {
    format!("Analyze: {body}")
}

/// The second stage, per article.
pub(crate) fn summarize(analysis: &str) -> String {
    format!("Summarize in two sentences: {analysis}")
}

/// The last stage, once.
pub(crate) fn report(summaries: &[String]) -> String {
    let items: String = summaries.iter().flat_map(|summary| [" - ", summary]).collect();
    format!("Write a report from:{items}")
}
