//! The way of a text to whoever asked for it, piece by piece, while it still comes.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use tokio::sync::mpsc;

/// Where the text of one question is handed out. One piece may lie there; with a second one, whoever says it waits.
#[derive(Debug)]
pub(super) struct Outlet {
    sender: mpsc::Sender<String>,
    has_spoken: AtomicBool,
}

impl Outlet {
    /// Both ends.
    pub(super) fn channel() -> (Self, mpsc::Receiver<String>) {
        let (sender, receiver) = mpsc::channel(1);
        (Self { sender, has_spoken: AtomicBool::new(false) }, receiver)
    }

    /// Hands out a piece.
    pub(super) async fn say(&self, text: String) {
        self.has_spoken.store(true, Relaxed);
        // Who does not listen any more drops the question too.
        self.sender.send(text).await.ok();
    }

    /// Whether anything was handed out.
    pub(super) fn has_spoken(&self) -> bool {
        self.has_spoken.load(Relaxed)
    }
}
