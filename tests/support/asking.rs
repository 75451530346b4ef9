//! Asking a provider directly, without the machinery around a call.

use blossom_run::model::{
    Call, Choice, Content, Failure, FailureKind, ImageParams, KeySource, Message, Piece, ProviderKind,
    ProviderSettings, Reply, Request, Role, TextParams,
};
use blossom_run::provider::{Attempt, Form, HttpClient, Provider, build};
use futures::StreamExt;
use secrecy::SecretString;
use std::sync::Arc;

/// A key that must appear nowhere but in one header.
pub const PLANTED: &str = "sk_planted_0123456789";

/// Settings of a kind at an address.
pub fn settings(kind: ProviderKind, url: &str) -> ProviderSettings {
    let mut settings = ProviderSettings::built_in("openai").unwrap();
    "test".clone_into(&mut settings.name);
    settings.kind = kind;
    settings.base_url = Some(url.to_owned());
    settings.key = KeySource::None;
    settings
}

/// A provider of a kind at an address.
pub fn provider(kind: ProviderKind, url: &str) -> Arc<dyn Provider> {
    build(&settings(kind, url), &HttpClient::new()).unwrap()
}

/// A server compatible with `OpenAI` at an address.
pub fn openai(url: &str) -> Arc<dyn Provider> {
    provider(ProviderKind::Openai, url)
}

/// A call for a text.
pub fn text(provider: &dyn Provider, prompt: &str) -> Call {
    let messages = vec![Message::new(Role::User, prompt)];
    call(provider, Request::Text { messages, params: TextParams::default() })
}

/// A call for a picture.
pub fn image(provider: &dyn Provider, prompt: &str, params: ImageParams) -> Call {
    call(provider, Request::Image { prompt: prompt.to_owned(), params })
}

fn call(provider: &dyn Provider, request: Request) -> Call {
    let (stage, identity) = ("stage".into(), provider.identity().clone());
    Call { stage, provider: identity, model: Some("test-model".into()), request, repeat: vec![], answer: Choice::Text }
}

/// Everything that comes for one attempt, with the planted key.
pub async fn pieces(provider: &dyn Provider, call: &Call, stream: bool) -> Vec<Result<Piece, Failure>> {
    let secret = SecretString::from(PLANTED);
    let attempt = Attempt { stream, secret: Some(&secret), ..Attempt::of(call) };
    provider.send(attempt).collect().await
}

/// What one attempt came to. The contract of pieces is checked on the way: the last is the only end.
pub async fn ask(provider: &dyn Provider, call: &Call, stream: bool) -> Result<Reply, Failure> {
    let mut pieces = pieces(provider, call, stream).await;
    let last = pieces.pop().expect("an end");
    let mut said = String::new();
    for piece in pieces {
        match piece.expect("nothing after a failure") {
            Piece::Alive | Piece::Thinking => {}
            Piece::Text(text) => said.push_str(&text),
            Piece::Whole(_) => panic!("nothing comes after the whole"),
        }
    }
    match last {
        Ok(Piece::Whole(reply)) => {
            if let (false, Content::Text(text)) = (said.is_empty(), &reply.content) {
                assert_eq!(&said, text, "the pieces are the answer");
            }
            Ok(reply)
        }
        Ok(other) => panic!("{other:?} is no end"),
        Err(failure) => {
            let shown = format!("{failure:?}{failure}");
            assert!(!shown.contains("planted"), "the key is shown: {shown}");
            assert!(failure.suggestion.is_some(), "nothing to try: {failure:?}");
            assert!(!failure.message.ends_with('.') && !failure.message.contains('\n'), "{failure:?}");
            Err(failure)
        }
    }
}

/// The text of an answer to `Hello`, or how it failed.
pub async fn hello(url: &str, stream: bool) -> Result<String, Failure> {
    let provider = openai(url);
    let reply = ask(&*provider, &text(&*provider, "Hello"), stream).await?;
    match reply.content {
        Content::Text(text) => Ok(text),
        Content::Image { .. } => panic!("a picture for a text"),
    }
}

/// How `Hello` failed.
pub async fn refused(url: &str, stream: bool) -> Failure {
    hello(url, stream).await.expect_err("a failure")
}

/// The kind of a failure.
pub fn kind(result: Result<Reply, Failure>) -> FailureKind {
    result.expect_err("a failure").kind
}
