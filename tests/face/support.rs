//! Clients of servers on this machine.

use std::sync::Arc;

use blossom_run::client::Environment;
use blossom_run::model::RetryPolicy;
use blossom_run::{Blossom, BlossomBuilder};

use crate::scripted::{Scripted, Seen, Step};
use crate::service::server::{Gate, Reply, Server};

/// An environment that holds nothing.
pub(crate) fn nothing() -> Environment {
    Environment::fixed::<&str, &str>([])
}

/// A server compatible with `openai`, without a key.
pub(crate) fn at(server: &Server) -> BlossomBuilder {
    Blossom::builder()
        .provider("openai")
        .base_url(&server.url)
        .model("test-model")
        .environment(nothing())
        .retry(at_once())
}

/// The same for Pollinations.
pub(crate) fn pollinations(server: &Server) -> BlossomBuilder {
    Blossom::builder().provider("pollinations").base_url(&server.url).environment(nothing()).retry(at_once())
}

/// Held where this piece of its text begins.
pub(crate) fn held_before(reply: Reply, text: &str, gate: &Gate) -> Reply {
    let at_byte = place_of(&reply, text);
    reply.held_within(at_byte, gate)
}

/// Where the event with this piece of text begins in the body of a stream.
pub(crate) fn place_of(reply: &Reply, text: &str) -> usize {
    let body = String::from_utf8_lossy(reply.body());
    let said = body.find(text).expect("the text is there");
    body[..said].rfind("data: ").expect("an event holds it")
}

/// Three attempts without a pause.
pub(crate) fn at_once() -> RetryPolicy {
    RetryPolicy { backoff: std::time::Duration::ZERO, jitter: false, ..RetryPolicy::default() }
}

/// A service that plays by a script, for a paused clock.
pub(crate) fn played(script: impl Fn(&Seen) -> Vec<Step> + Send + Sync + 'static) -> (Arc<Scripted>, BlossomBuilder) {
    let service = Arc::new(Scripted::new(script));
    let retry = RetryPolicy { jitter: false, ..RetryPolicy::default() };
    let builder = Blossom::builder().service(service.clone()).environment(nothing()).retry(retry);
    (service, builder)
}
