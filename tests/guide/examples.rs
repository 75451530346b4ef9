//! The examples, as they stand in `examples/`.

use std::error::Error;

#[path = "../../examples/batches.rs"]
pub(crate) mod batches;
#[path = "../../examples/blocking.rs"]
pub(crate) mod blocking;
#[path = "../../examples/chat.rs"]
pub(crate) mod chat;
#[path = "../../examples/chat_bot.rs"]
pub(crate) mod chat_bot;
#[path = "../../examples/concurrency.rs"]
pub(crate) mod concurrency;
#[path = "../../examples/errors.rs"]
pub(crate) mod errors;
#[path = "../../examples/image.rs"]
pub(crate) mod image;
#[path = "../../examples/many_images.rs"]
pub(crate) mod many_images;
#[path = "../../examples/many_streams.rs"]
pub(crate) mod many_streams;
#[path = "../../examples/many_texts.rs"]
pub(crate) mod many_texts;
#[path = "../../examples/mixed.rs"]
pub(crate) mod mixed;
#[path = "../../examples/partial_failures.rs"]
pub(crate) mod partial_failures;
#[path = "../../examples/pipeline_server.rs"]
pub(crate) mod pipeline_server;
#[path = "../../examples/progress.rs"]
pub(crate) mod progress;
#[path = "../../examples/quick_start.rs"]
pub(crate) mod quick_start;
#[path = "../../examples/retry.rs"]
pub(crate) mod retry;
#[path = "../../examples/run_pipeline.rs"]
pub(crate) mod run_pipeline;
#[path = "../../examples/some_errors.rs"]
pub(crate) mod some_errors;
#[path = "../../examples/stream.rs"]
pub(crate) mod stream;
#[path = "../../examples/stream_words.rs"]
pub(crate) mod stream_words;
#[path = "../../examples/task_group.rs"]
pub(crate) mod task_group;
#[path = "../../examples/text.rs"]
pub(crate) mod text;
#[path = "../../examples/three_stages.rs"]
pub(crate) mod three_stages;
#[path = "../../examples/tidy.rs"]
pub(crate) mod tidy;
#[path = "../../examples/timeout.rs"]
pub(crate) mod timeout;
#[path = "../../examples/tour.rs"]
pub(crate) mod tour;
#[path = "../../examples/web_server.rs"]
pub(crate) mod web_server;
#[path = "../../examples/why_async.rs"]
pub(crate) mod why_async;

/// Runs one as if it were the program.
pub(crate) fn run(name: &str) -> Result<(), Box<dyn Error>> {
    match name {
        "batches" => batches::main()?,
        "blocking" => blocking::main()?,
        "chat" => chat::main()?,
        "chat_bot" => chat_bot::main()?,
        "concurrency" => concurrency::main()?,
        "errors" => errors::main()?,
        "image" => image::main()?,
        "many_images" => many_images::main()?,
        "many_streams" => many_streams::main()?,
        "many_texts" => many_texts::main()?,
        "mixed" => mixed::main()?,
        "partial_failures" => partial_failures::main()?,
        "pipeline_server" => pipeline_server::main()?,
        "progress" => progress::main()?,
        "quick_start" => quick_start::main()?,
        "retry" => retry::main()?,
        "run_pipeline" => run_pipeline::main()?,
        "some_errors" => some_errors::main()?,
        "stream" => stream::main()?,
        "stream_words" => stream_words::main()?,
        "task_group" => task_group::main()?,
        "text" => text::main()?,
        "three_stages" => three_stages::main()?,
        "tidy" => tidy::main()?,
        "timeout" => timeout::main()?,
        "tour" => tour::main()?,
        "web_server" => web_server::main()?,
        "why_async" => why_async::main()?,
        other => panic!("there is no example `{other}`"),
    }
    Ok(())
}
