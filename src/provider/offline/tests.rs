use std::collections::BTreeSet;
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt as _;

use super::Offline;
use crate::model::{
    Call, Choice, Content, Failure, FailureKind, ImageParams, Json, Message, OfflineManner, Piece, ProviderSettings,
    Reply, Request, Role, TextParams, Usage,
};
use crate::provider::{Attempt, Provider};

fn offline(change: impl FnOnce(&mut OfflineManner)) -> Offline {
    let mut settings = ProviderSettings::built_in("offline").unwrap();
    change(&mut settings.offline);
    Offline::new(&settings)
}

fn plain() -> Offline {
    offline(|_| {})
}

fn call(request: Request) -> Call {
    Call {
        stage: "stage".into(),
        provider: plain().identity().clone(),
        model: Some("offline".into()),
        request,
        repeat: vec![],
        answer: Choice::Text,
    }
}

fn text_call(prompt: &str) -> Call {
    let messages = vec![Message::new(Role::User, prompt)];
    call(Request::Text { messages, params: TextParams::default() })
}

fn json_call(prompt: &str) -> Call {
    Call { answer: Choice::Json, ..text_call(prompt) }
}

fn image_call(prompt: &str, width: u32, height: u32) -> Call {
    let params = ImageParams { width: Some(width), height: Some(height), ..ImageParams::default() };
    call(Request::Image { prompt: prompt.to_owned(), params })
}

async fn pieces(offline: &Offline, call: &Call, number: u32, stream: bool) -> Vec<Result<Piece, Failure>> {
    let attempt = Attempt { number, stream, ..Attempt::of(call) };
    offline.send(attempt).collect().await
}

async fn reply(offline: &Offline, call: &Call) -> Reply {
    match pieces(offline, call, 1, false).await.pop() {
        Some(Ok(Piece::Whole(reply))) => reply,
        other => panic!("{other:?}"),
    }
}

async fn text(call: &Call) -> String {
    match reply(&plain(), call).await.content {
        Content::Text(text) => text,
        Content::Image { .. } => panic!("a picture"),
    }
}

async fn picture(offline: &Offline, call: &Call) -> Bytes {
    match reply(offline, call).await.content {
        Content::Image { bytes, .. } => bytes,
        Content::Text(text) => panic!("{text}"),
    }
}

const STORY: &str = "Summarize: The ferry to the island stopped at noon because of the ice. The harbour master had seen \
    nothing like it since 1987. Crews broke the ice near the quay twice a day. Nobody on the island ran out of bread.";

#[tokio::test]
async fn the_same_call_has_the_same_answer_and_another_call_another() {
    assert_eq!(text(&text_call(STORY)).await, text(&text_call(STORY)).await);
    assert_ne!(text(&text_call(STORY)).await, text(&text_call("Summarize: The bakery opened again.")).await);
    let answers: BTreeSet<Bytes> = [
        picture(&plain(), &image_call("a ferry", 64, 64)).await,
        picture(&plain(), &image_call("a ferry", 64, 64)).await,
        picture(&plain(), &image_call("a bakery", 64, 64)).await,
        picture(&offline(|manner| manner.seed = 1), &image_call("a ferry", 64, 64)).await,
    ]
    .into();
    assert_eq!(answers.len(), 3);
}

/// What an answer is made of may only change knowingly: recorded runs and expected outputs depend on it.
#[tokio::test]
async fn answers_are_stable() {
    let story = text(&text_call(STORY)).await;
    let scenes =
        text(&json_call("Plan 3 scenes: {\"scenes\": [{title, brief}]} for: The ice is late. The ferry waits.")).await;
    let png = picture(&plain(), &image_call("A quiet harbour in winter", 160, 120)).await;
    let pixels = image::load_from_memory(&png).unwrap().into_rgb8().into_raw();
    let expected = (
        "[offline] The ferry to the island stopped at noon because of the ice. Crews broke the ice near the quay twice a \
         day. Nobody on the island ran out of bread.",
        "78a4a257cfea12db",
        "e33a6e58b26ef9db",
    );
    let digest = |bytes: &[u8]| blake3::hash(bytes).to_hex()[..16].to_owned();
    assert_eq!((story.as_str(), digest(scenes.as_bytes()).as_str(), digest(&pixels).as_str()), expected, "{scenes}");
}

#[tokio::test]
async fn a_repeated_question_has_another_answer() {
    let once = Call { repeat: vec!["1".into()], ..text_call(STORY) };
    let twice = Call { repeat: vec!["2".into()], ..text_call(STORY) };
    assert_ne!(text(&once).await, text(&twice).await);
}

#[tokio::test]
async fn json_takes_the_shape_that_the_prompt_shows() {
    let prompt = "Plan an article of 3 sections about bees in cities. Answer as JSON: {\"title\": \"..\", \"sections\": [{\"title\": \"..\", \"brief\": \"..\"}]}";
    let json: Json = serde_json::from_str(&text(&json_call(prompt)).await).unwrap();
    assert!(json["title"].is_string());
    let sections = json["sections"].as_array().unwrap();
    assert_eq!(sections.len(), 3);
    assert!(sections.iter().all(|section| section["title"].is_string() && section["brief"].is_string()));
    // The same without `json`: the prompt asks for it all the same.
    assert!(serde_json::from_str::<Json>(&text(&text_call(prompt)).await).is_ok());
    let free: Json = serde_json::from_str(&text(&json_call("Tell me about bees")).await).unwrap();
    assert!(free["items"].is_array());
}

#[tokio::test]
async fn json_takes_the_keys_that_the_prompt_names() {
    let ask = async |prompt: &str| serde_json::from_str::<Json>(&text(&json_call(prompt)).await).unwrap();
    let book = ask("Plan a book about bees. Answer as JSON with chapters (title, summary).").await;
    let chapters = book["chapters"].as_array().unwrap();
    assert_eq!(chapters.len(), 3, "{book}");
    assert!(chapters.iter().all(|chapter| chapter["title"].is_string() && chapter["summary"].is_string()), "{book}");
    assert!(!book.to_string().contains("JSON"), "{book}");
    let verdict = ask("JSON with keys sentiment (positive|negative|neutral) and confidence: I love it").await;
    assert!(["positive", "negative", "neutral"].contains(&verdict["sentiment"].as_str().unwrap()), "{verdict}");
    assert!(verdict["confidence"].is_f64(), "{verdict}");
    let wares = ask("A JSON list of 5 objects with name and price, for a shop of lamps").await;
    assert_eq!(wares.as_array().unwrap().len(), 5, "{wares}");
    assert!(wares[4]["name"].is_string() && wares[4]["price"].is_number(), "{wares}");
    let sketched = ask("Return JSON: {title, tags: [..], score (0-10)} for a song about rain").await;
    assert!((0..=10).contains(&sketched["score"].as_i64().unwrap()), "{sketched}");
}

#[tokio::test]
async fn json_that_can_not_fit_is_a_failure_and_no_half_answer() {
    let mut short = json_call("Answer as {title, text}: bees");
    if let Request::Text { params, .. } = &mut short.request {
        params.max_tokens = Some(3);
    }
    let end = pieces(&plain(), &short, 1, false).await.pop();
    assert!(matches!(end, Some(Err(Failure { kind: FailureKind::Length, .. }))), "{end:?}");
}

#[tokio::test]
async fn pictures_are_pngs_of_the_size_asked_for() {
    let prompts = ["hills", "sea", "town", "pattern", "moon", "map", "garden", "", "花 🎉"];
    let sizes = [(1, 1), (7, 3), (64, 64), (200, 40), (40, 200)];
    for (prompt, (width, height)) in prompts.into_iter().flat_map(|prompt| sizes.map(|size| (prompt, size))) {
        let png = picture(&plain(), &image_call(prompt, width, height)).await;
        let decoded = image::load_from_memory(&png).unwrap();
        assert_eq!((decoded.width(), decoded.height()), (width, height), "{prompt}");
        assert!(png.windows(7).any(|window| window == b"offline"), "{prompt}");
    }
}

#[tokio::test]
async fn pictures_differ_whatever_script_their_prompt_is_in() {
    let prompts =
        ["雪の中の赤い狐", "雪の中の青い狐", "Рыжая лиса", "Рыжая кошка", "ثعلب", "🦊", "🦉", "a red fox", "a red owl"];
    let mut pictures = BTreeSet::new();
    for prompt in prompts {
        pictures.insert(picture(&plain(), &image_call(prompt, 96, 96)).await);
    }
    assert_eq!(pictures.len(), prompts.len());
}

#[tokio::test]
async fn what_is_cut_out_stands_alone() {
    let mut call = image_call("a red fox", 120, 120);
    if let Request::Image { params, .. } = &mut call.request {
        params.transparent = true;
    }
    let decoded = image::load_from_memory(&picture(&plain(), &call).await).unwrap().into_rgba8();
    let empty = decoded.pixels().filter(|pixel| pixel[3] == 0).count();
    assert!(empty > 120 * 120 / 2 && empty < 120 * 120, "{empty}");
}

#[tokio::test]
async fn a_conversation_can_be_summarized() {
    let said = [
        (Role::User, "Which harbours freeze in winter?"),
        (Role::Assistant, "[offline] On “Which harbours freeze in winter?”: a model would answer this."),
        (Role::User, "Does the ferry to Sellan stop then?"),
        (Role::Assistant, "The ferry stops when the ice is a hand thick."),
        (Role::User, "Please summarize our talk"),
    ];
    let messages = said.map(|(role, content)| Message::new(role, content)).to_vec();
    let text = text(&call(Request::Text { messages, params: TextParams::default() })).await;
    assert!(text.contains("harbours freeze") && text.contains("a hand thick"), "{text}");
}

#[tokio::test]
async fn a_transparent_picture_leaves_its_ground_out() {
    let mut call = image_call("garden flowers", 200, 200);
    if let Request::Image { params, .. } = &mut call.request {
        params.transparent = true;
    }
    let decoded = image::load_from_memory(&picture(&plain(), &call).await).unwrap().into_rgba8();
    assert!(decoded.pixels().any(|pixel| pixel[3] == 0));
    assert!(decoded.pixels().any(|pixel| pixel[3] == 255));
}

#[tokio::test]
async fn too_large_a_picture_is_refused() {
    let end = pieces(&plain(), &image_call("sea", 4097, 10), 1, false).await.pop();
    assert!(matches!(end, Some(Err(Failure { kind: FailureKind::BadRequest, .. }))), "{end:?}");
    assert!(plain().supports(&image_call("sea", 0, 10)).is_err());
    assert!(plain().supports(&image_call("sea", 4096, 4096)).is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_stream_spreads_its_pieces_over_the_latency() {
    let slow = offline(|manner| manner.latency = Duration::from_secs(4));
    let start = tokio::time::Instant::now();
    let call = text_call(STORY);
    let mut came = pieces(&slow, &call, 1, true).await;
    let Some(Ok(Piece::Whole(reply))) = came.pop() else { panic!("{came:?}") };
    let took = start.elapsed();
    assert!((Duration::from_millis(3900)..=Duration::from_millis(4200)).contains(&took), "{took:?}");
    let text: String = came
        .into_iter()
        .filter_map(|piece| if let Ok(Piece::Text(text)) = piece { Some(text) } else { None })
        .collect();
    assert_eq!(reply.content, Content::Text(text));
}

#[tokio::test(start_paused = true)]
async fn rehearsed_failures_pass_with_another_attempt() {
    let shaky = offline(|manner| manner.fail = 0.5);
    let (mut failed, mut mended) = (0, 0);
    for number in 0..60 {
        let call = text_call(&format!("Prompt {number}"));
        if matches!(pieces(&shaky, &call, 1, true).await.pop(), Some(Err(_))) {
            failed += 1;
            mended += usize::from(matches!(pieces(&shaky, &call, 2, true).await.pop(), Some(Ok(Piece::Whole(_)))));
        }
    }
    assert!((15..45).contains(&failed), "{failed}");
    assert!(mended > 0 && mended < failed, "{mended} of {failed}");
}

#[tokio::test]
async fn usage_counts_four_bytes_to_a_token() {
    let reply = reply(&plain(), &text_call("Hello, you")).await;
    let Content::Text(text) = &reply.content else { panic!() };
    let output_tokens = text.len().div_ceil(4) as u64;
    assert_eq!(reply.usage, Some(Usage { input_tokens: 3, output_tokens, total_tokens: 3 + output_tokens }));
}

#[tokio::test]
async fn the_view_and_the_models_are_plain() {
    let call = text_call("Hello");
    let view = plain().view(Attempt::of(&call));
    assert_eq!((view.method, view.url.as_str()), ("-", "offline"));
    let body: Json = serde_json::from_str(&view.body).unwrap();
    assert_eq!(body["messages"][0]["content"], "Hello");
    let models: Vec<_> = plain().models(None).collect().await;
    assert_eq!(models[0].as_ref().unwrap().name, "offline");
}
