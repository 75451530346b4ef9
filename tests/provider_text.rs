//! Texts over the wire: what servers make of the chat API, and what counts as an answer.

mod support;

use blossom_run::model::{Content, Failure, FailureKind, Piece, Usage};
use serde_json::{Value, json};
use support::asking::{ask, hello, openai, pieces, refused, text};
use support::server::{Gate, Reply, Server, chunk};

async fn streamed(reply: Reply) -> Result<String, Failure> {
    let server = Server::start(move |_| reply.clone());
    hello(&server.url, true).await
}

async fn whole(reply: Reply) -> Result<String, Failure> {
    let server = Server::start(move |_| reply.clone());
    hello(&server.url, false).await
}

async fn lines(body: &str) -> Result<String, Failure> {
    streamed(Reply::bytes("text/event-stream", body)).await
}

fn said(text: &str) -> String {
    chunk(json!({"content": text}), Value::Null)
}

fn stop() -> String {
    chunk(json!({}), json!("stop"))
}

#[tokio::test]
async fn a_whole_answer_comes_with_all_that_is_said_of_it() {
    let server = Server::start(|_| Reply::chat("Hi").header("x-request-id", "req-7"));
    let provider = openai(&server.url);
    let reply = ask(&*provider, &text(&*provider, "Hello"), false).await.unwrap();
    assert_eq!(reply.content, Content::Text("Hi".into()));
    assert_eq!(reply.usage, Some(Usage { input_tokens: 9, output_tokens: 12, total_tokens: 21 }));
    assert_eq!(reply.model.as_deref(), Some("test-model"));
    assert_eq!(reply.finish_reason.as_deref(), Some("stop"));
    assert_eq!(reply.request_id.as_deref(), Some("req-7"));
}

#[tokio::test]
async fn a_stream_gives_its_text_as_it_comes() {
    let server = Server::start(|_| Reply::stream(&["Hel", "lo"]));
    let provider = openai(&server.url);
    let pieces = pieces(&*provider, &text(&*provider, "Hello"), true).await;
    let pieces: Vec<Piece> = pieces.into_iter().map(Result::unwrap).filter(|piece| *piece != Piece::Alive).collect();
    assert_eq!(pieces[..2], [Piece::Text("Hel".into()), Piece::Text("lo".into())]);
    let [Piece::Whole(reply)] = &pieces[2..] else { panic!("{pieces:?}") };
    assert_eq!(reply.content, Content::Text("Hello".into()));
    assert_eq!(reply.usage, Some(Usage { input_tokens: 9, output_tokens: 2, total_tokens: 11 }));
}

#[tokio::test]
async fn text_is_there_before_the_stream_ends() {
    let gate = Gate::new();
    let reply = Reply::stream(&["early", "late"]);
    let at = String::from_utf8_lossy(reply.body()).find("late").unwrap() - 60;
    let reply = reply.held_within(at, &gate);
    let server = Server::start(move |_| reply.clone());
    let provider = openai(&server.url);
    let call = text(&*provider, "Hello");
    let attempt = blossom_run::provider::Attempt { stream: true, ..blossom_run::provider::Attempt::of(&call) };
    let mut stream = provider.send(attempt);
    let mut seen = vec![];
    while let Some(piece) = futures::StreamExt::next(&mut stream).await {
        let piece = piece.unwrap();
        if piece == Piece::Text("early".into()) {
            gate.open();
        }
        seen.push(piece);
    }
    assert!(matches!(seen.last(), Some(Piece::Whole(_))));
}

#[tokio::test]
async fn line_endings_comments_marks_and_missing_spaces_are_taken_as_they_come() {
    let (hel, lo, stop) = (said("Hel"), said("lo"), stop());
    let crlf = format!("data: {hel}\r\n\r\ndata: {lo}\r\n\r\ndata: {stop}\r\n\r\ndata: [DONE]\r\n\r\n");
    assert_eq!(lines(&crlf).await.unwrap(), "Hello");
    assert_eq!(lines(&crlf.replace("\r\n", "\r")).await.unwrap(), "Hello");
    assert_eq!(lines(&crlf.replace("data: ", "data:")).await.unwrap(), "Hello");
    assert_eq!(lines(&format!("\u{feff}{crlf}")).await.unwrap(), "Hello");
    assert_eq!(lines(&format!(": welcome\n\n:\n\n{crlf}")).await.unwrap(), "Hello");
    assert_eq!(lines(&crlf.replace("data: {", "event: message\nid: 7\ndata: {")).await.unwrap(), "Hello");
    assert_eq!(lines(&crlf.replace("\r\n\r\n", "\n")).await.unwrap(), "Hello", "without empty lines");
}

#[tokio::test]
async fn letters_may_be_split_across_reads() {
    let reply = Reply::stream(&["Grüße 🌸", "über"]);
    let bytes = reply.body().len();
    assert_eq!(streamed(reply.in_pieces(vec![1; bytes])).await.unwrap(), "Grüße 🌸über");
}

#[tokio::test]
async fn keep_alives_that_are_not_json_say_nothing() {
    let events = ["ping".to_owned(), said("Hi"), "42".to_owned(), "\"x\"".to_owned(), stop(), "[DONE]".to_owned()];
    assert_eq!(streamed(Reply::events(events)).await.unwrap(), "Hi");
    let noise = [b"data: \xff\xfe\n\n".as_slice(), Reply::events([said("Hi"), stop()]).body()].concat();
    assert_eq!(streamed(Reply::bytes("text/event-stream", noise)).await.unwrap(), "Hi");
}

#[tokio::test]
async fn thinking_empty_choices_and_null_content_say_nothing() {
    let events = [
        json!({"choices": [], "prompt_filter_results": []}).to_string(),
        chunk(json!({"role": "assistant", "content": null}), Value::Null),
        chunk(json!({"reasoning_content": "Hm."}), Value::Null),
        json!({"choices": [{"index": 1, "delta": {"content": "another choice"}}]}).to_string(),
        chunk(json!({"content": [{"type": "text", "text": "Hi"}]}), Value::Null),
        stop(),
        "[DONE]".to_owned(),
    ];
    assert_eq!(streamed(Reply::events(events)).await.unwrap(), "Hi");
}

#[tokio::test]
async fn thinking_is_told_as_it_comes() {
    for name in ["reasoning_content", "reasoning"] {
        let events = [chunk(json!({name: "Hm.", "content": null}), Value::Null), said("Hi"), stop()];
        let reply = Reply::events(events);
        let server = Server::start(move |_| reply.clone());
        let provider = openai(&server.url);
        let pieces = pieces(&*provider, &text(&*provider, "Hello"), true).await;
        let pieces: Vec<Piece> =
            pieces.into_iter().map(Result::unwrap).filter(|piece| *piece != Piece::Alive).collect();
        assert_eq!(pieces[..2], [Piece::Thinking, Piece::Text("Hi".into())]);
    }
}

#[tokio::test]
async fn usage_may_stand_anywhere_or_nowhere() {
    let usage = json!({"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3});
    let with = |mut chunk: Value, usage: &Value| {
        chunk["usage"] = usage.clone();
        chunk.to_string()
    };
    let ending = json!({"choices": [{"delta": {"content": "Hi"}, "finish_reason": "stop"}]});
    let plain = ending.to_string();
    let empty = json!({"choices": []});
    let delta = json!({"choices": [{"delta": {}}]});
    for (events, counted) in [
        (vec![with(ending.clone(), &usage)], true),
        (vec![plain.clone(), with(empty, &usage)], true),
        (vec![plain.clone(), with(delta, &usage)], true),
        (vec![with(ending, &Value::Null)], false),
        (vec![plain], false),
    ] {
        let reply = Reply::events(events.iter().map(String::as_str).chain(["[DONE]"]));
        let server = Server::start(move |_| reply.clone());
        let provider = openai(&server.url);
        let reply = ask(&*provider, &text(&*provider, "Hello"), true).await.unwrap();
        assert_eq!(reply.usage.map(|usage| usage.total_tokens), counted.then_some(3), "{events:?}");
    }
}

#[tokio::test]
async fn a_missing_done_is_forgiven_where_a_reason_was_given() {
    assert_eq!(streamed(Reply::events([said("Hi"), stop()])).await.unwrap(), "Hi");
    let cut = streamed(Reply::events([said("Hi")])).await.unwrap_err();
    assert_eq!((cut.kind, cut.partial.as_deref()), (FailureKind::Cut, Some("Hi")));
}

#[tokio::test]
async fn a_text_that_is_told_stands_whatever_becomes_of_the_connection() {
    let usage = json!({"choices": [], "usage": {"total_tokens": 3}}).to_string();
    let reply = Reply::events([said("Hi"), stop(), usage]);
    let within_usage = String::from_utf8_lossy(reply.body()).find("total_tokens").unwrap();
    assert_eq!(streamed(reply.cut_after(within_usage)).await.unwrap(), "Hi");

    // Neither `[DONE]` nor an end of the connection.
    let reply = Reply::events([said("Hi"), stop()]);
    let length = reply.body().len();
    assert_eq!(streamed(reply.held_within(length, &Gate::new())).await.unwrap(), "Hi");
}

#[tokio::test]
async fn an_error_after_a_text_that_is_told_takes_nothing_back() {
    let error = json!({"error": {"message": "Could not count", "code": 500}}).to_string();
    assert_eq!(streamed(Reply::events([said("Hi"), stop(), error.clone()])).await.unwrap(), "Hi");
    let late = chunk(json!({}), json!("error"));
    assert_eq!(streamed(Reply::events([said("Hi"), stop(), late])).await.unwrap(), "Hi");
    let unreadable =
        [format!("data: {}\n\ndata: {}\n\ndata: {{", said("Hi"), stop()).into_bytes(), vec![0xff]].concat();
    assert_eq!(streamed(Reply::bytes("text/event-stream", unreadable)).await.unwrap(), "Hi");

    let cut = Reply::events([said("Once"), chunk(json!({}), json!("length")), error.clone()]);
    assert_eq!(streamed(cut).await.unwrap_err().kind, FailureKind::Length, "a text that was told to be cut is none");
    let nothing = streamed(Reply::events([stop(), error])).await.unwrap_err();
    assert_eq!((nothing.kind, nothing.status), (FailureKind::Server, Some(500)));
}

#[tokio::test]
async fn done_without_a_reason_is_a_cut() {
    let cut = streamed(Reply::events([said("Hi").as_str(), "[DONE]"])).await.unwrap_err();
    assert_eq!((cut.kind, cut.partial.as_deref()), (FailureKind::Cut, Some("Hi")));
    assert_eq!(streamed(Reply::events(["[DONE]"])).await.unwrap_err().kind, FailureKind::Cut);
}

#[tokio::test]
async fn a_connection_that_breaks_is_a_cut_with_what_had_come() {
    let reply = Reply::stream(&["Hel", "lo"]);
    let at = String::from_utf8_lossy(reply.body()).find("lo\"").unwrap();
    for broken in [reply.clone().cut_after(at), reply.in_pieces([at]).reset_after(at)] {
        let failure = streamed(broken).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Cut);
        // A reset may overtake what was sent before it.
        assert!(matches!(failure.partial.as_deref(), Some("Hel") | None), "{failure:?}");
    }
    let short = whole(Reply::chat("Hello").cut_after(20)).await.unwrap_err();
    assert_eq!(short.kind, FailureKind::Cut);
    assert_eq!(whole(Reply::chat("Hello").claiming(9000).cut_after(9000)).await.unwrap_err().kind, FailureKind::Cut);
}

#[tokio::test]
async fn errors_within_a_stream_are_failures_with_what_had_come() {
    let error = json!({"error": {"message": "Upstream died", "code": 502}}).to_string();
    let failure = streamed(Reply::events([said("Hi"), error])).await.unwrap_err();
    assert_eq!(
        (failure.kind, failure.status, failure.partial.as_deref()),
        (FailureKind::Server, Some(502), Some("Hi"))
    );
    assert_eq!(failure.message, "`test` answers 502: Upstream died");

    let slow = json!({"error": {"message": "Too fast", "status": 429, "type": "rate_limit"}}).to_string();
    assert_eq!(streamed(Reply::events([slow])).await.unwrap_err().kind, FailureKind::RateLimited);

    let reason =
        json!({"choices": [{"delta": {}, "finish_reason": "error", "error": {"message": "Boom"}}]}).to_string();
    let failure = streamed(Reply::events([said("Hi"), reason])).await.unwrap_err();
    assert_eq!((failure.kind, failure.message.as_str()), (FailureKind::Server, "`test` answers with an error: Boom"));

    let failure = lines("event: error\ndata: {\"message\": \"Boom\"}\n\n").await.unwrap_err();
    assert_eq!((failure.kind, failure.message.as_str()), (FailureKind::Server, "`test` answers with an error: Boom"));
    assert_eq!(lines("event: error\ndata: Boom\n\n").await.unwrap_err().message, "`test` answers with an error: Boom");
}

#[tokio::test]
async fn a_filter_within_a_stream_is_told_as_one() {
    let failure = streamed(Reply::events([said("Hi"), chunk(json!({}), json!("content_filter"))])).await.unwrap_err();
    assert_eq!((failure.kind, failure.partial.as_deref()), (FailureKind::Moderated, Some("Hi")));
}

#[tokio::test]
async fn a_reason_says_whether_the_text_is_whole() {
    for (reason, kind) in [
        ("STOP", None),
        ("end_turn", None),
        ("out_of_ideas", None),
        ("MAX_TOKENS", Some(FailureKind::Length)),
        ("Content_Filter", Some(FailureKind::Moderated)),
        ("SAFETY", Some(FailureKind::Moderated)),
        ("RECITATION", Some(FailureKind::Moderated)),
        ("PROHIBITED_CONTENT", Some(FailureKind::Moderated)),
        ("BLOCKLIST", Some(FailureKind::Moderated)),
        ("ERROR", Some(FailureKind::Server)),
        ("network_error", Some(FailureKind::Server)),
        ("insufficient_system_resource", Some(FailureKind::Server)),
        ("MALFORMED_FUNCTION_CALL", Some(FailureKind::Server)),
        ("abort", Some(FailureKind::Cut)),
        ("aborted", Some(FailureKind::Cut)),
        ("cancelled", Some(FailureKind::Cut)),
    ] {
        let answer = whole(Reply::chat_ending(json!("Once upon"), json!(reason))).await;
        assert_eq!(answer.err().map(|failure| failure.kind), kind, "{reason}");
        let answer = streamed(Reply::events([said("Once upon"), chunk(json!({}), json!(reason))])).await;
        assert_eq!(answer.err().map(|failure| failure.kind), kind, "{reason}");
    }
}

#[tokio::test]
async fn what_no_model_has_written_is_no_answer() {
    let notice = "⚠️ **IMPORTANT NOTICE** ⚠️ The Pollinations legacy text API is being deprecated for **authenticated users**. Hi";
    for said in ["Streaming response could not be processed.", "Response format not recognized", notice] {
        let failure = streamed(Reply::stream(&[said])).await.unwrap_err();
        assert_eq!((failure.kind, failure.partial.as_deref()), (FailureKind::Garbled, Some(said)));
        assert_eq!(whole(Reply::chat(said)).await.unwrap_err().kind, FailureKind::Garbled);
    }
}

#[tokio::test]
async fn a_stream_may_be_answered_whole_and_under_any_label() {
    assert_eq!(streamed(Reply::chat("Hi")).await.unwrap(), "Hi");
    let mislabelled = Reply::chat("Hi").header("content-type", "text/event-stream");
    assert_eq!(streamed(mislabelled).await.unwrap(), "Hi");
    let stream = Reply::stream(&["Hi"]).header("content-type", "text/plain").in_pieces([1, 2, 1]);
    assert_eq!(streamed(stream).await.unwrap(), "Hi");
    assert_eq!(whole(Reply::stream(&["Hi"])).await.unwrap(), "Hi", "a stream that nobody asked for");
}

#[tokio::test]
async fn fields_that_should_be_there_may_be_missing() {
    for body in [
        json!({"choices": [{"message": {"content": "Hi"}}]}),
        json!({"choices": [{"message": {"content": "Hi"}, "finish_reason": null}], "usage": null, "created": 1.7e12}),
        json!({"choices": [{"message": {"content": [{"type": "text", "text": "H"}, "i"]}, "finish_reason": "whatever"}]}),
        json!({"choices": [{"message": {"content": "Hi", "tool_calls": null}}], "error": null}),
    ] {
        assert_eq!(whole(Reply::json(&body)).await.unwrap(), "Hi", "{body}");
    }
}

#[tokio::test]
async fn an_empty_answer_is_none() {
    for (content, reason, kind) in [
        (Value::Null, json!("stop"), FailureKind::Empty),
        (json!(""), json!("stop"), FailureKind::Empty),
        (json!(" \n"), Value::Null, FailureKind::Empty),
        (Value::Null, json!("length"), FailureKind::Length),
        (json!("Once upon"), json!("length"), FailureKind::Length),
        (Value::Null, json!("content_filter"), FailureKind::Moderated),
        (json!("Once"), json!("content_filter"), FailureKind::Moderated),
    ] {
        let failure = whole(Reply::chat_ending(content.clone(), reason.clone())).await.unwrap_err();
        assert_eq!(failure.kind, kind, "{content} {reason}");
        let events = [chunk(json!({"content": content}), reason.clone()), "[DONE]".to_owned()];
        let failure = streamed(Reply::events(events)).await.unwrap_err();
        // Without a reason, a stream is not even an empty answer.
        let kind = if reason.is_null() { FailureKind::Cut } else { kind };
        assert_eq!(failure.kind, kind, "{content} {reason}");
        assert_eq!(failure.partial.as_deref(), content.as_str().filter(|text| !text.is_empty()));
    }
    assert_eq!(whole(Reply::json(&json!({"choices": []}))).await.unwrap_err().kind, FailureKind::Empty);
    let refusal = json!({"choices": [{"message": {"content": null, "refusal": "I can't"}, "finish_reason": "stop"}]});
    assert_eq!(whole(Reply::json(&refusal)).await.unwrap_err().kind, FailureKind::Moderated);
}

#[tokio::test]
async fn an_answer_without_text_says_what_it_is() {
    let call = json!([{"index": 0, "id": "c1", "type": "function", "function": {"name": "search", "arguments": "{}"}}]);
    for (said, reason, kind, told) in [
        (
            json!({"content": null, "tool_calls": call}),
            "tool_calls",
            FailureKind::WrongAnswer,
            "The model of `test` calls the tool `search` and says nothing",
        ),
        (
            json!({"content": "", "function_call": {"name": "search"}}),
            "function_call",
            FailureKind::WrongAnswer,
            "The model of `test` calls the tool `search` and says nothing",
        ),
        (
            json!({"content": "", "reasoning_content": "Hm."}),
            "stop",
            FailureKind::Empty,
            "The model of `test` thinks, and says nothing",
        ),
        (json!({"reasoning": "Hm."}), "stop", FailureKind::Empty, "The model of `test` thinks, and says nothing"),
        (json!({"content": null}), "stop", FailureKind::Empty, "The answer of `test` is empty"),
    ] {
        let reply = Reply::json(&json!({"choices": [{"message": said, "finish_reason": reason}]}));
        let failure = whole(reply).await.unwrap_err();
        assert_eq!((failure.kind, failure.message.as_str()), (kind, told));
        let failure =
            streamed(Reply::events([chunk(said, Value::Null), chunk(json!({}), json!(reason))])).await.unwrap_err();
        assert_eq!((failure.kind, failure.message.as_str()), (kind, told));
    }
    let both = json!({"message": {"content": "Hi", "tool_calls": call}, "finish_reason": "tool_calls"});
    assert_eq!(whole(Reply::json(&json!({"choices": [both]}))).await.unwrap(), "Hi");
}

#[tokio::test]
async fn an_error_of_a_choice_is_told_with_its_text() {
    for reason in [Value::Null, json!("stop"), json!("error")] {
        let choice =
            json!({"message": {"content": null}, "finish_reason": reason, "error": {"message": "Boom", "code": 502}});
        let failure = whole(Reply::json(&json!({"choices": [choice]}))).await.unwrap_err();
        assert_eq!(
            (failure.kind, failure.message.as_str()),
            (FailureKind::Server, "`test` answers 502: Boom"),
            "{reason}"
        );
        let streaming = json!({"choices": [{"delta": {}, "finish_reason": reason, "error": {"message": "Boom"}}]});
        let failure = streamed(Reply::events([streaming.to_string()])).await.unwrap_err();
        assert_eq!(failure.message, "`test` answers with an error: Boom", "{reason}");
    }
}

#[tokio::test]
async fn one_of_several_answers_is_listened_to() {
    let answer =
        |index: u64, text: &str| json!({"index": index, "message": {"content": text}, "finish_reason": "stop"});
    for (choices, heard) in [
        (json!([answer(1, "B"), answer(0, "A")]), "A"),
        (json!([answer(2, "C"), answer(1, "B")]), "C"),
        (json!([{"message": {"content": "A"}, "finish_reason": "stop"}, answer(1, "B")]), "A"),
    ] {
        assert_eq!(whole(Reply::json(&json!({"choices": choices}))).await.unwrap(), heard);
        assert_eq!(streamed(Reply::events([json!({"choices": choices}).to_string()])).await.unwrap(), heard);
    }
    let piece = |index: u64, text: &str, reason: Value| {
        json!({"choices": [{"index": index, "delta": {"content": text}, "finish_reason": reason}]}).to_string()
    };
    let both = [piece(0, "A", Value::Null), piece(1, "B", json!("stop")), piece(0, "a", json!("stop"))];
    assert_eq!(streamed(Reply::events(both)).await.unwrap(), "Aa");
    let counted_from_one = [piece(1, "A", Value::Null), piece(1, "a", json!("stop"))];
    assert_eq!(streamed(Reply::events(counted_from_one)).await.unwrap(), "Aa");
}

#[tokio::test]
async fn only_text_is_taken_from_the_parts_of_a_message() {
    let parts = json!([
        {"type": "thinking", "text": "Hm."}, {"type": "text", "text": "H"}, {"type": "output_text", "text": "e"},
        {"text": "l"}, "lo", {"type": "image_url", "text": "alt", "image_url": {"url": "x"}},
    ]);
    assert_eq!(whole(Reply::chat_ending(parts.clone(), json!("stop"))).await.unwrap(), "Hello");
    assert_eq!(streamed(Reply::events([chunk(json!({"content": parts}), json!("stop"))])).await.unwrap(), "Hello");
}

#[tokio::test]
async fn a_text_is_counted_by_headers_where_its_body_does_not() {
    let body = json!({"choices": [{"message": {"content": "Hi"}, "finish_reason": "stop"}]});
    for (usage, total) in [(Value::Null, 12), (json!({"total_tokens": "40"}), 40), (json!({"total_tokens": -1}), 12)] {
        let mut body = body.clone();
        body["usage"] = usage;
        let reply =
            Reply::json(&body).header("x-usage-prompt-text-tokens", "7").header("x-usage-completion-text-tokens", "5");
        let server = Server::start(move |_| reply.clone());
        let provider = openai(&server.url);
        let reply = ask(&*provider, &text(&*provider, "Hello"), false).await.unwrap();
        assert_eq!(reply.usage.unwrap().total_tokens, total, "{body}");
    }
}

#[tokio::test]
async fn a_failure_says_what_it_took() {
    let usage = json!({"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7});
    for (content, reason, kind) in [
        ("Once", "length", FailureKind::Length),
        ("", "stop", FailureKind::Empty),
        ("Once", "content_filter", FailureKind::Moderated),
        ("Once", "abort", FailureKind::Cut),
    ] {
        let choice = json!({"message": {"content": content}, "finish_reason": reason});
        let failure = whole(Reply::json(&json!({"choices": [choice], "usage": usage}))).await.unwrap_err();
        assert_eq!((failure.kind, failure.usage.map(|usage| usage.total_tokens)), (kind, Some(7)), "{reason}");
        let last = json!({"choices": [], "usage": usage}).to_string();
        let events = [last.clone(), said(content), chunk(json!({}), json!(reason)), last];
        // What stands is waited for a little; what is broken ends the stream.
        let events = if kind == FailureKind::Cut { &events[..] } else { &events[1..] };
        let failure = streamed(Reply::events(events)).await.unwrap_err();
        assert_eq!((failure.kind, failure.usage.map(|usage| usage.total_tokens)), (kind, Some(7)), "{reason}");
    }
}

#[tokio::test]
async fn what_is_not_the_json_of_the_api_is_garbled() {
    let page = whole(Reply::html("<html><title>Welcome</title></html>")).await.unwrap_err();
    assert_eq!(
        (page.kind, page.message.as_str()),
        (FailureKind::Garbled, "The answer of `test` is a web page, `Welcome`")
    );
    assert!(page.partial.unwrap().contains("<title>"));
    for reply in [
        Reply::bytes("application/json", "{\"choices\": [{\"mess"),
        Reply::bytes("text/plain", "error code: 1033"),
        Reply::bytes("application/octet-stream", [0xff, 0x00, 0x81]),
        Reply::json(&json!({"answer": "Hi"})),
        Reply::json(&json!("Hi")),
    ] {
        assert_eq!(whole(reply.clone()).await.unwrap_err().kind, FailureKind::Garbled, "{reply:?}");
        assert_eq!(streamed(reply).await.unwrap_err().kind, FailureKind::Garbled);
    }
    assert_eq!(whole(Reply::bytes("application/json", "")).await.unwrap_err().kind, FailureKind::Empty);
}

#[tokio::test]
async fn an_error_under_status_200_is_a_failure() {
    let reply = Reply::error(503, "SERVICE_UNAVAILABLE", "Unable to verify balance").status(200);
    let failure = whole(reply).await.unwrap_err();
    assert_eq!((failure.kind, failure.status), (FailureKind::Server, Some(503)));
    let reply =
        Reply::json(&json!({"object": "error", "message": "Too long: maximum context length is 8", "code": 400}));
    assert_eq!(whole(reply).await.unwrap_err().kind, FailureKind::BadRequest);
}

#[tokio::test]
async fn a_text_has_at_most_32_mib() {
    let long = "x".repeat(33 << 20);
    let failure = whole(Reply::chat(long)).await.map(|text| text.len()).unwrap_err();
    assert_eq!(
        (failure.kind, failure.message.as_str()),
        (FailureKind::Garbled, "The answer of `test` is larger than 32 MiB")
    );
    let events = vec![said(&"x".repeat(11 << 20)); 3].into_iter().chain([stop(), stop()]);
    let streaming = streamed(Reply::events(events)).await.map(|text| text.len());
    assert_eq!(streaming.unwrap_err().kind, FailureKind::Garbled);
    assert_eq!(streamed(Reply::events([said(&"x".repeat(1 << 20)), stop()])).await.unwrap().len(), 1 << 20);
}

#[tokio::test]
async fn an_error_that_is_none_takes_no_answer_away() {
    let choices = json!([{"message": {"content": "Hi"}, "finish_reason": "stop"}]);
    for error in [json!({}), json!(null), json!(""), json!({"message": null, "code": null})] {
        assert_eq!(whole(Reply::json(&json!({"choices": choices, "error": error}))).await.unwrap(), "Hi", "{error}");
    }
    let failed = json!({"choices": choices, "error": {"message": null, "code": 500}});
    assert_eq!(whole(Reply::json(&failed)).await.unwrap_err().kind, FailureKind::Server);
    let noise = json!({"detail": "queued"}).to_string();
    assert_eq!(streamed(Reply::events([noise, said("Hi"), stop()])).await.unwrap(), "Hi");
    assert_eq!(whole(Reply::json(&json!({"detail": "No"}))).await.unwrap_err().kind, FailureKind::Server);
}

#[tokio::test]
async fn a_rude_server_is_a_failure_of_the_connection() {
    for reply in [Reply::reset(), Reply::raw(""), Reply::raw("what?\r\n\r\n"), Reply::raw("\x00\x01")] {
        let server = Server::start(move |_| reply.clone());
        let failure = refused(&server.url, true).await;
        assert_eq!(failure.kind, FailureKind::Cut, "what was sent may be paid for");
        assert!(failure.message.starts_with(&format!("`{}` ", server.url)), "{failure}");
        assert_eq!(server.requests().len(), 1, "nothing is sent twice");
    }
    let url = Server::start(|_| Reply::never()).url.clone();
    let failure = refused(&url, false).await;
    assert_eq!(failure.kind, FailureKind::Connect);
    assert_eq!(failure.message, format!("`{url}` can't be reached: connection refused"));
}

#[tokio::test]
async fn dropping_an_attempt_takes_its_request_back() {
    let server = Server::start(|_| Reply::never());
    let provider = openai(&server.url);
    let call = text(&*provider, "Hello");
    let asked = pieces(&*provider, &call, false);
    tokio::select! {
        pieces = asked => panic!("{pieces:?}"),
        () = server.arrived(1) => {}
    }
    server.left(1).await;
}

#[tokio::test]
async fn a_compressed_answer_is_read() {
    let packed = gzip(br#"{"choices":[{"message":{"content":"Hi"}}]}"#);
    let reply = Reply::bytes("application/json", packed.clone()).header("content-encoding", "gzip");
    assert_eq!(whole(reply).await.unwrap(), "Hi");
    let short = Reply::bytes("application/json", &packed[..30]).header("content-encoding", "gzip");
    assert_eq!(whole(short).await.unwrap_err().kind, FailureKind::Cut);
    let stream = Reply::bytes("text/event-stream", gzip(Reply::stream(&["Hel", "lo"]).body()));
    let stream = stream.header("content-encoding", "gzip").in_pieces([20, 200, 7]);
    assert_eq!(streamed(stream).await.unwrap(), "Hello");
}

#[tokio::test]
async fn the_ends_of_events_and_answers_are_taken_as_they_come() {
    let (hi, stop) = (said("Hi"), stop());
    let in_lines = serde_json::to_string_pretty(&serde_json::from_str::<Value>(&hi).unwrap()).unwrap();
    let in_lines = format!("data: {}\n", in_lines.replace('\n', "\ndata: "));
    for body in [
        format!("data: {hi}\n\ndata: {stop}\n\ndata: [DONE]"),
        format!("data: {hi}\n\ndata: {stop}\n\ndata: [DONE]\n"),
        format!("data: {hi}\n\ndata: {stop}\ndata: [DONE]\n"),
        format!("data: {hi}\n\ndata: {stop}"),
        format!("{in_lines}\ndata: {stop}\n\ndata: [DONE]\n\n"),
    ] {
        assert_eq!(lines(&body).await.unwrap(), "Hi", "{body}");
        let old = format!("HTTP/1.0 200 OK\r\ncontent-type: text/event-stream\r\n\r\n{body}");
        assert_eq!(streamed(Reply::raw(old)).await.unwrap(), "Hi", "until the connection is closed");
    }
    let body = String::from_utf8(Reply::chat("Hi").body().to_vec()).unwrap();
    let old = format!("HTTP/1.0 200 OK\r\ncontent-type: application/json\r\n\r\n{body}");
    assert_eq!(whole(Reply::raw(old)).await.unwrap(), "Hi");
}

/// Gzip with stored blocks: made here, so nothing has to be trusted.
fn gzip(body: &[u8]) -> Vec<u8> {
    let mut packed = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255, 1];
    let length = u16::try_from(body.len()).expect("a short body");
    packed.extend(length.to_le_bytes());
    packed.extend((!length).to_le_bytes());
    packed.extend(body);
    packed.extend(crc32(body).to_le_bytes());
    packed.extend(u32::from(length).to_le_bytes());
    packed
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 & 0u32.wrapping_sub(crc & 1)))
    })
}
