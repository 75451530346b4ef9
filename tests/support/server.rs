//! A server on this machine that answers as it is told: right, slow, wrong, cut off or rude.
//!
//! ```ignore
//! let server = Server::start(|request| match request.attempt {
//!     1 => Reply::error(503, "SERVICE_UNAVAILABLE", "Not now"),
//!     _ => Reply::chat(format!("You said {}", request.prompt())),
//! });
//! // ... requests to `server.url` ...
//! assert_eq!(server.count("You there?"), 2);
//! ```
//!
//! It runs in a thread of its own, so that tests with a paused clock, and tests of the program, can use it. Nothing in
//! it waits for time: what is to be slow is held by a [`Gate`] until the test opens it.

mod reply;
mod request;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use tokio::net::tcp::ReadHalf;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

pub use reply::{Reply, chunk, picture};
pub use request::Request;

type Handler = dyn Fn(&Request) -> Reply + Send + Sync;

/// Opens once, for all that wait before it.
#[derive(Clone, Debug)]
pub struct Gate(watch::Sender<bool>);

impl Default for Gate {
    fn default() -> Self {
        Self(watch::Sender::new(false))
    }
}

impl Gate {
    /// A closed one.
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets everyone through, now and later.
    pub fn open(&self) {
        self.0.send_replace(true);
    }

    /// Returns once it is open.
    pub async fn passed(&self) {
        self.0.subscribe().wait_for(|open| *open).await.unwrap();
    }
}

#[derive(Default)]
struct Log {
    requests: Vec<Request>,
    attempts: HashMap<String, usize>,
    in_flight: usize,
    peak: usize,
    connections: usize,
}

struct Shared {
    handler: Box<Handler>,
    log: Mutex<Log>,
    arrived: watch::Sender<usize>,
    left: watch::Sender<usize>,
}

/// A running server; it ends when it is dropped.
pub struct Server {
    /// `http://127.0.0.1:PORT`, without a slash at the end.
    pub url: String,
    shared: Arc<Shared>,
    stop: Gate,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Server {
    /// Starts one that gives each request to `handler`, in the order in which they arrive.
    pub fn start(handler: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let shared = Arc::new(Shared {
            handler: Box::new(handler),
            log: Mutex::default(),
            arrived: watch::Sender::new(0),
            left: watch::Sender::new(0),
        });
        let stop = Gate::new();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
        let served = serve(listener, Arc::clone(&shared), stop.clone());
        let thread = std::thread::spawn(move || runtime.block_on(served));
        Self { url, shared, stop, thread: Some(thread) }
    }

    /// All requests so far, in the order in which they arrived.
    pub fn requests(&self) -> Vec<Request> {
        self.shared.log.lock().unwrap().requests.clone()
    }

    /// The only request so far.
    pub fn request(&self) -> Request {
        let requests = self.requests();
        assert_eq!(requests.len(), 1, "one request");
        requests[0].clone()
    }

    /// How many requests had this prompt or this path.
    pub fn count(&self, prompt_or_path: &str) -> usize {
        let log = self.shared.log.lock().unwrap();
        log.requests
            .iter()
            .filter(|request| request.path == prompt_or_path || request.prompt() == prompt_or_path)
            .count()
    }

    /// The most requests that were on the wire at once.
    pub fn peak(&self) -> usize {
        self.shared.log.lock().unwrap().peak
    }

    /// How many connections have been opened.
    pub fn connections(&self) -> usize {
        self.shared.log.lock().unwrap().connections
    }

    /// Returns once so many requests in all have arrived.
    pub async fn arrived(&self, count: usize) {
        self.shared.arrived.subscribe().wait_for(|arrived| *arrived >= count).await.unwrap();
    }

    /// Returns once so many connections in all have been closed, by whichever side.
    pub async fn left(&self, count: usize) {
        self.shared.left.subscribe().wait_for(|left| *left >= count).await.unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.open();
        if let Some(thread) = self.thread.take() {
            // A panic in a handler has been printed where it happened, and has closed its connection.
            thread.join().ok();
        }
    }
}

async fn serve(listener: std::net::TcpListener, shared: Arc<Shared>, stop: Gate) {
    let listener = TcpListener::from_std(listener).unwrap();
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((stream, _)) = accepted else { continue };
                shared.log.lock().unwrap().connections += 1;
                connections.spawn(connection(stream, Arc::clone(&shared)));
            }
            Some(_) = connections.join_next() => {}
            () = stop.passed() => return,
        }
    }
}

/// Counts a request as one in flight for as long as it lives.
struct Flight<'a>(&'a Shared);

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        self.0.log.lock().unwrap().in_flight -= 1;
    }
}

/// Counts a connection as left when it ends, a panic included.
struct Connected<'a>(&'a Shared);

impl Drop for Connected<'_> {
    fn drop(&mut self) {
        self.0.left.send_modify(|left| *left += 1);
    }
}

async fn connection(mut stream: TcpStream, shared: Arc<Shared>) {
    let _connected = Connected(&shared);
    stream.set_nodelay(true).ok();
    let (mut reader, mut writer) = stream.split();
    let mut rest = Vec::new();
    while let Some(request) = Request::read(&mut reader, &mut rest).await {
        let (reply, flight) = answer(request, &shared);
        let is_kept = tokio::select! {
            is_kept = reply.write(&mut writer) => is_kept,
            // The other side has hung up: nothing is to be held for it.
            () = hung_up(&mut reader) => false,
        };
        drop(flight);
        if !is_kept {
            break;
        }
    }
}

fn answer(mut request: Request, shared: &Shared) -> (Reply, Flight<'_>) {
    let flight = {
        let mut log = shared.log.lock().unwrap();
        request.number = log.requests.len() + 1;
        let attempts = log.attempts.entry(format!("{}\n{}", request.path, request.prompt())).or_default();
        *attempts += 1;
        request.attempt = *attempts;
        log.in_flight += 1;
        log.peak = log.peak.max(log.in_flight);
        log.requests.push(request.clone());
        Flight(shared)
    };
    shared.arrived.send_modify(|arrived| *arrived += 1);
    ((shared.handler)(&request), flight)
}

/// Returns when the other side closes.
async fn hung_up(reader: &mut ReadHalf<'_>) {
    match reader.peek(&mut [0]).await {
        Ok(0) | Err(_) => {}
        // Something more is there already: it is read after this answer.
        Ok(_) => std::future::pending().await,
    }
}
