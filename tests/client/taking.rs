//! Which answer of a store is used: how old it may be, and whether another take is wanted.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use blossom_run::client::StoreKeep;
use blossom_run::model::{Asked, AttemptRecord, Content, Cost, FailureKind, Json, LaneRef, Reuse};
use blossom_run::store::{NewRun, RunId, Store};

use crate::support::{Desk, DeskBuilder, Scripted, Seen, ask, fail, reply, settings, whole};

fn begin(store: &Store, name: &str, goes_on: Option<RunId>) -> RunId {
    let began = Timestamp::now();
    store.begin(NewRun { name: name.into(), goes_on, pipeline: "p".into(), began, about: Json::Null }).unwrap()
}

/// A desk of a run, whose provider answers with this text.
fn desk(store: &Store, run: RunId, root: RunId, text: &'static str) -> (Desk, Arc<Scripted>) {
    let provider = Arc::new(Scripted::new(move |_: &Seen| vec![whole(text)]));
    let keep = Arc::new(StoreKeep::new(store.clone(), run, root));
    (DeskBuilder::default().member(settings("p"), &provider).keep(keep).build(), provider)
}

async fn said(desk: &Desk, fresh: bool, reuse: Reuse) -> (String, bool) {
    let mut asked = ask("a");
    (asked.fresh, asked.reuse) = (fresh, reuse);
    let answer = desk.ask(&asked).await.unwrap();
    let Content::Text(text) = answer.reply.content else { panic!("a picture") };
    (text, answer.kept)
}

#[tokio::test]
async fn a_fresh_take_is_made_once_in_a_line_of_runs() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let mut first = None;
    for (name, root, fresh, text, expected) in [
        ("first", None, false, "one", ("one", false)),
        ("again", None, false, "-", ("one", true)),
        ("fresh", None, true, "two", ("two", false)),
        ("plain", None, false, "-", ("two", true)),
        // What was made in the first run is old for another line, and not for its own.
        ("goes on", Some("plain"), true, "three", ("three", false)),
        ("goes on again", Some("plain"), true, "-", ("three", true)),
        ("later", None, false, "-", ("three", true)),
    ] {
        let goes_on = root.and(first);
        let run = begin(&store, name, goes_on);
        if name == "plain" {
            first = Some(run);
        }
        let (desk, _) = desk(&store, run, goes_on.unwrap_or(run), text);
        let (answer, kept) = said(&desk, fresh, Reuse::Always).await;
        assert_eq!((&*answer, kept), expected, "{name}");
    }
}

#[tokio::test]
async fn a_take_is_made_by_whoever_is_answered_first() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let failed = begin(&store, "failed", None);
    let provider = Arc::new(Scripted::new(|_: &Seen| vec![fail(FailureKind::BadRequest)]));
    let keep = Arc::new(StoreKeep::new(store.clone(), failed, failed));
    let failing = DeskBuilder::default().member(settings("p"), &provider).keep(keep).build();
    failing.ask(&ask("a")).await.unwrap_err();
    let fresh = begin(&store, "fresh", None);
    assert_eq!(said(&desk(&store, fresh, fresh, "one").0, true, Reuse::Always).await, ("one".to_owned(), false));
    let goes_on = begin(&store, "goes on", Some(fresh));
    let (answer, kept) = said(&desk(&store, goes_on, fresh, "-").0, true, Reuse::Always).await;
    assert_eq!((&*answer, kept), ("one", true), "what failed before has made no take");
}

#[tokio::test]
async fn an_answer_may_be_too_old() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let run = begin(&store, "first", None);
    let hour = Duration::from_secs(3600);
    let asked = ask("a");
    let record = AttemptRecord {
        asked: Asked::of(&asked.call),
        take: 0,
        item: asked.item,
        lane: LaneRef { provider: "p".into(), model: None },
        link: 0,
        number: 1,
        began: Timestamp::now() - 2 * hour,
        took: Duration::from_secs(1),
        outcome: Ok(reply("old")),
        tokens: 0,
        cost: Cost::default(),
        sending: None,
        chunks: Vec::new(),
    };
    store.keep(run, record).await.unwrap();
    let (desk, provider) = desk(&store, run, run, "new");
    assert_eq!(said(&desk, false, Reuse::For(3 * hour)).await, ("old".to_owned(), true));
    assert_eq!(said(&desk, false, Reuse::For(hour)).await, ("new".to_owned(), false));
    assert_eq!(said(&desk, false, Reuse::For(hour)).await, ("new".to_owned(), true), "that is young enough");
    assert_eq!(said(&desk, false, Reuse::Never).await, ("new".to_owned(), false));
    assert_eq!(provider.prompts().len(), 2);
}
