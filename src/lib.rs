//! Make for generated content: a YAML file of text, chat and image stages, compiled into a checked plan and run
//! without barriers.
//!
//! ```text
//! pipeline.yaml --spec::load--> PipelineSpec --plan::compile--> Plan --exec--> RunEvent... --sink--> terminal, JSON lines, tally
//!                    |                            |             |  |                                              |
//!                    v                            v             |  v                                              v
//!              Diagnostics: all of them, each at its place      |  output: files that appear whole            exit code
//!                                                               v
//!                        store: answers kept <-- client: gates, clocks, the only attempt loop --check--> a verdict
//!                                                               |
//!                                                               v
//!                                         provider: a call becomes a request, a reply becomes an answer
//! ```
//!
//! A program that has no pipeline asks directly, with the same permits, retries and clocks:
//!
//! ```
//! use blossom_run::Blossom;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), blossom_run::Error> {
//! let blossom = Blossom::builder().provider("offline").build()?;
//! let answer = blossom.text("Name a colour").max_tokens(200).await?;
//! println!("{answer}");
//! let mut story = blossom.text("Tell me a short story").stream();
//! while let Some(piece) = story.next().await {
//!     print!("{}", piece?);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! The program of the same name is the first user of this library. What it does with a file, another program can do:
//!
//! ```
//! use blossom_run::engine::{self, Request, RunOptions};
//! use blossom_run::sink::Hub;
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! let file = "pipelines/release-notes/pipeline.yaml".into();
//! let checked = engine::check(&Request { file, offline: true, to_run: true, ..Request::default() });
//! let plan = checked.plan.ok_or("there are mistakes in the file")?;
//!
//! # let out = folder.path().to_owned();
//! let (running, events) = engine::run(plan, RunOptions { out, ..RunOptions::default() })?;
//! let (watched, finished) = tokio::join!(Hub::new().run(events), running.finish());
//! println!("{} items in {:?}", watched.tally.total().done, watched.tally.took());
//! for output in finished.outputs {
//!     println!("{}: {}", output.name, output.value);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Nouns
//!
//! - [`engine::Request`]: a pipeline file, and what is said beside it. [`engine::check`] gives a [`plan::Plan`], or
//!   [`diag::Diagnostics`] that say everything that is wrong and where.
//! - [`engine::Running`]: a run that is ready to go; [`engine::Halt`] is its brake, [`engine::Finished`] what it came to.
//! - [`model::RunEvent`]: something that happened. [`sink::Hub`] folds events into a [`sink::Tally`] and shows them to each
//!   [`sink::Watcher`].
//! - [`Blossom`]: texts, conversations and pictures without a pipeline; [`blocking`] is the same without a runtime, and
//!   [`Error`] what goes wrong there.
//! - [`client::Client`]: calls without a pipeline, with the same permits, retries and clocks.
//! - [`provider::Provider`]: the seam for another service.
//!
//! Each module's page says what it is for, what its nouns are, and what it must not do. How they may name each other is in
//! `ARCHITECTURE.md`.

pub mod check;
#[doc(hidden)]
pub mod cli;
pub mod client;
pub mod diag;
pub mod engine;
pub mod exec;
pub mod model;
pub mod output;
pub mod plan;
pub mod provider;
pub mod sink;
pub mod source;
pub mod spec;
pub mod store;

pub use client::{Blossom, BlossomBuilder, Error, ImageAnswer, ImageAsk, TextAnswer, TextAsk, TextStream, blocking};
pub use model::Message;
