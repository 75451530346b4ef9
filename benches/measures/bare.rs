//! What is left when there is no pipeline: the HTTP client in a loop.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context, Result};
use reqwest::Client;
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;

use crate::measure::digest;

/// Calls that have nothing to do with each other.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Calls {
    /// As a pipeline file says it.
    pub(crate) base_url: String,
    /// `Say 1`, `Say 2` and so on.
    pub(crate) count: u32,
    /// How many at once.
    pub(crate) concurrency: u32,
    /// Whether one thread does it all, as in the program.
    pub(crate) one_thread: bool,
}

/// The work of `digest`, stage after stage.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Barriers {
    /// As a pipeline file says it.
    pub(crate) base_url: String,
    /// How many articles.
    pub(crate) items: u32,
    /// How many calls at once.
    pub(crate) concurrency: u32,
}

impl Calls {
    /// Makes them.
    pub(crate) fn run(self) -> Result<()> {
        let runtime = if self.one_thread { one_thread()? } else { runtime()? };
        runtime.block_on(async {
            let prompts = (1..=self.count).map(|n| format!("Say {n}")).collect();
            Stage::new(&self.base_url, self.concurrency)?.answers(prompts).await.map(drop)
        })
    }
}

impl Barriers {
    /// Does all of it.
    pub(crate) fn run(self) -> Result<()> {
        runtime()?.block_on(async {
            let stage = Stage::new(&self.base_url, self.concurrency)?;
            let analyze = (1..=self.items).map(|n| digest::analyze(&digest::body(n))).collect();
            let summarize = stage.answers(analyze).await?.iter().map(|text| digest::summarize(text)).collect();
            let report = digest::report(&stage.answers(summarize).await?);
            stage.answers(vec![report]).await.map(drop)
        })
    }
}

/// A client that leaves the certificates of the system alone, which nothing here needs.
pub(crate) fn client() -> Result<Client> {
    // Fails where it has been done already, which is as good.
    drop(rustls::crypto::ring::default_provider().install_default());
    Ok(Client::builder().no_proxy().tls_certs_only([]).build()?)
}

fn runtime() -> Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread().enable_all().build()?)
}

fn one_thread() -> Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?)
}

struct Stage {
    client: Client,
    url: String,
    concurrency: u32,
}

impl Stage {
    fn new(base_url: &str, concurrency: u32) -> Result<Self> {
        Ok(Self { client: client()?, url: format!("{base_url}/chat/completions"), concurrency })
    }

    /// The answers in the order of the prompts, when all are there.
    async fn answers(&self, prompts: Vec<String>) -> Result<Vec<String>> {
        let prompts: Arc<[String]> = prompts.into();
        let next = Arc::new(AtomicUsize::new(0));
        let mut workers = JoinSet::new();
        for _ in 0..self.concurrency {
            let (client, url) = (self.client.clone(), self.url.clone());
            let (prompts, next) = (Arc::clone(&prompts), Arc::clone(&next));
            workers.spawn(async move {
                let mut answers = Vec::new();
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(prompt) = prompts.get(at) else { return anyhow::Ok(answers) };
                    answers.push((at, ask(&client, &url, prompt).await?));
                }
            });
        }
        let mut all = vec![String::new(); prompts.len()];
        while let Some(answers) = workers.join_next().await {
            for (at, answer) in answers?? {
                all[at] = answer;
            }
        }
        Ok(all)
    }
}

async fn ask(client: &Client, url: &str, prompt: &str) -> Result<String> {
    let body = serde_json::json!({"model": "stub", "messages": [{"role": "user", "content": prompt}]});
    let answer: Answer = client.post(url).json(&body).send().await?.error_for_status()?.json().await?;
    Ok(answer.choices.into_iter().next().context("an answer")?.message.content)
}

#[derive(Deserialize)]
struct Answer {
    choices: Vec<Choice>,
}

#[derive(Deserialize)]
struct Choice {
    message: Message,
}

#[derive(Deserialize)]
struct Message {
    content: String,
}
