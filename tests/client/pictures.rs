//! Pictures that go along with a call, and pictures that come back.

use std::io::{Cursor, Write};
use std::path::Path;
use std::sync::Arc;

use blossom_run::model::{EventKind, FailureKind, ImageParams, MediaType, Picture, PictureFile, ProviderKind, Request};

use crate::support::{Desk, DeskBuilder, Memory, Scripted, Step, ask, painted, reply, settings, whole};

fn png() -> Vec<u8> {
    let mut bytes = Cursor::new(vec![]);
    let made = image::RgbImage::from_fn(4, 3, |x, y| image::Rgb([u8::try_from(x * 60 + y * 5).unwrap(), 9, 90]));
    made.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

/// Whole as far as its marks and its checksums go, and nothing but zeros between them.
fn broken() -> Vec<u8> {
    let mut bytes = png();
    let data = bytes.windows(4).position(|name| name == b"IDAT").unwrap();
    let end = bytes.windows(4).position(|name| name == b"IEND").unwrap() - 8;
    bytes[data + 4..end].fill(0);
    let sum = crc32fast::hash(&bytes[data..end]);
    bytes[end..end + 4].copy_from_slice(&sum.to_be_bytes());
    bytes
}

fn file(place: &Path) -> Picture {
    let bytes = std::fs::read(place).unwrap();
    Picture::File(PictureFile {
        digest: *blake3::hash(&bytes).as_bytes(),
        media_type: MediaType::Png,
        bytes: bytes.len() as u64,
        name: "a.png".into(),
        place: place.into(),
        content: None,
    })
}

fn showing(prompt: &str, pictures: Vec<Picture>) -> blossom_run::client::Ask {
    let mut asked = ask(prompt);
    asked.call.request.show(pictures);
    asked
}

/// For a picture, of a service that is not built in: that one need not prove what it makes.
fn painting(prompt: &str) -> blossom_run::client::Ask {
    let mut asked = ask(prompt);
    asked.call.request = Request::Image { prompt: prompt.into(), params: ImageParams::default() };
    asked.call.provider.kind = ProviderKind::Openai;
    asked
}

#[tokio::test(start_paused = true)]
async fn the_bytes_are_there_when_the_request_goes_out_and_not_before() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("a.png");
    std::fs::File::create(&place).and_then(|mut file| file.write_all(&png())).unwrap();
    let provider = Arc::new(Scripted::new(|_| vec![whole("seen")]));
    let asked = showing("a", vec![file(&place), Picture::Url("https://a.example/b.png".into())]);
    Desk::of(&provider).ask(&asked).await.unwrap();
    let sent = provider.pictures();
    assert_eq!(sent[0][0].file().unwrap().content.as_deref(), Some(&png()[..]));
    assert_eq!(sent[0][1], Picture::Url("https://a.example/b.png".into()));
    assert!(asked.call.request.pictures().all(|one| one.file().is_none_or(|file| file.content.is_none())));
}

#[tokio::test(start_paused = true)]
async fn a_file_that_has_changed_is_not_sent_for_what_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("a.png");
    std::fs::File::create(&place).and_then(|mut file| file.write_all(&png())).unwrap();
    let asked = showing("a", vec![file(&place)]);
    std::fs::File::options().append(true).open(&place).and_then(|mut file| file.write_all(b"!")).unwrap();
    let provider = Arc::new(Scripted::new(|_| vec![whole("seen")]));
    let unanswered = Desk::of(&provider).ask(&asked).await.unwrap_err();
    assert_eq!(unanswered.failure.message, "the picture `a.png` has changed since the run came to it");
    std::fs::remove_file(&place).unwrap();
    let unanswered = Desk::of(&provider).ask(&asked).await.unwrap_err();
    assert!(unanswered.failure.message.starts_with("the picture `a.png` can no longer be read"));
    assert_eq!((unanswered.attempts, provider.sent().len()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_picture_that_can_not_be_decoded_is_a_failed_attempt_with_its_usage() {
    let provider = Arc::new(Scripted::new(|seen| match seen.number {
        1 => vec![Step::Whole(painted(&broken()))],
        _ => vec![Step::Whole(painted(&png()))],
    }));
    let desk = Desk::of(&provider);
    let answer = desk.ask(&painting("a")).await.unwrap();
    assert_eq!((answer.reply, answer.attempts), (painted(&png()), 2));
    assert_eq!(answer.usage.unwrap().total_tokens, 2 * reply("").usage.unwrap().total_tokens, "both were paid for");
    let failed: Vec<_> = desk
        .events()
        .await
        .into_iter()
        .filter_map(|kind| match kind {
            EventKind::AttemptFailed { failure, .. } => Some(failure.kind),
            _ => None,
        })
        .collect();
    assert_eq!(failed, [FailureKind::Garbled]);
}

#[tokio::test(start_paused = true)]
async fn a_kept_picture_that_can_not_be_decoded_is_no_answer() {
    let provider = Arc::new(Scripted::new(|_| vec![Step::Whole(painted(&png()))]));
    let keep = Arc::new(Memory::default());
    let asked = painting("a");
    keep.kept.lock().unwrap().insert(asked.call.key(), painted(&broken()));
    let desk = DeskBuilder::default().member(settings("p"), &provider).keep(keep.clone()).build();
    let answer = desk.ask(&asked).await.unwrap();
    assert_eq!((answer.kept, answer.reply), (false, painted(&png())));
    assert_eq!(keep.kept.lock().unwrap()[&asked.call.key()], painted(&png()));
}
