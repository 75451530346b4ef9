//! The thread that drives requests while others wait for them.

use std::sync::mpsc::sync_channel;
use std::thread::{self, JoinHandle};

use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

use crate::model::{Failure, FailureKind};

use super::super::Error;

/// A runtime on a thread of its own. When it is dropped, both have come to their end.
#[derive(Debug)]
pub(super) struct Desk {
    runtime: Handle,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Desk {
    pub(super) fn start() -> Result<Self, Error> {
        let (stop, stopped) = oneshot::channel::<()>();
        let (tell, told) = sync_channel(1);
        let work = move || match Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => {
                tell.send(Ok(runtime.handle().clone())).ok();
                // It ends by being dropped.
                runtime.block_on(stopped).ok();
                // A name that is still being looked up holds nobody.
                runtime.shutdown_background();
            }
            Err(error) => {
                tell.send(Err(error)).ok();
            }
        };
        let thread =
            thread::Builder::new().name("blossom".to_owned()).spawn(work).map_err(|error| no_thread(&error))?;
        let runtime = told.recv().map_err(|error| no_thread(&error))?.map_err(|error| no_thread(&error))?;
        Ok(Self { runtime, stop: Some(stop), thread: Some(thread) })
    }

    /// Has something done there, and waits for it on this thread.
    pub(super) fn wait_for<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, Error> {
        let (tell, told) = sync_channel(1);
        drop(self.runtime.spawn(async move { tell.send(work.await).ok() }));
        told.recv().map_err(|error| no_thread(&error))
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            // One that has panicked has said so.
            thread.join().ok();
        }
    }
}

fn no_thread(error: &dyn std::error::Error) -> Error {
    let message = format!("There is no thread to ask on: {error}");
    Failure::new(FailureKind::Internal, message).suggest("look at how many threads this process may have").into()
}
