//! An example, run from its `main` in a process of its own: this very test binary, which is told to be that program.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio, exit};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use blossom_run::model::Json;
use tempfile::TempDir;

use crate::examples;
use crate::support::server::Server;

/// Names the program to be.
const PROGRAM: &str = "GUIDE_PROGRAM";
/// What a program prints comes after this line; before it is what a test binary says of itself.
const BEGIN: &str = "-- the program begins --\n";
/// A program that does not come to its end has failed after this.
const PATIENCE: Duration = Duration::from_secs(60);

/// The program that is asked for; nothing, where none is.
#[test]
fn the_program_that_is_asked_for() {
    let Ok(name) = std::env::var(PROGRAM) else { return };
    print!("{BEGIN}");
    // As Rust's own `main` does.
    let code = examples::run(&name).map_or_else(
        |error| {
            eprintln!("Error: {error:?}");
            1
        },
        |()| 0,
    );
    exit(code);
}

/// An example that is about to run, in a folder of its own and a clean environment.
pub(crate) struct Program {
    name: &'static str,
    folder: TempDir,
    args: Vec<PathBuf>,
    env: BTreeMap<&'static str, String>,
    stdin: String,
}

/// One that is running.
pub(crate) struct Going {
    folder: TempDir,
    child: Child,
    stdout: ChildStdout,
}

/// What it came to.
pub(crate) struct Said {
    folder: TempDir,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Program {
    /// It asks whom it asks when nobody says: Pollinations, without a key.
    pub(crate) fn new(name: &'static str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { name, folder, args: Vec::new(), env: BTreeMap::new(), stdin: String::new() }
    }

    /// It asks the built-in provider.
    pub(crate) fn offline(name: &'static str) -> Self {
        Self::new(name).env("BLOSSOM_PROVIDER", "offline")
    }

    /// It asks this server, with a key.
    pub(crate) fn asking(name: &'static str, server: &Server) -> Self {
        let program = Self::new(name).env("BLOSSOM_PROVIDER", "openai").env("BLOSSOM_MODEL", "test-model");
        program.env("OPENAI_BASE_URL", &server.url).env("OPENAI_API_KEY", "sk_test")
    }

    pub(crate) fn env(mut self, name: &'static str, value: &str) -> Self {
        self.env.insert(name, value.to_owned());
        self
    }

    /// Its one argument: a file.
    pub(crate) fn arg(mut self, file: impl Into<PathBuf>) -> Self {
        self.args.push(file.into());
        self
    }

    /// A file in its folder, which is its argument.
    pub(crate) fn with_file(self, name: &str, text: &str) -> Self {
        let path = self.folder.path().join(name);
        fs::write(&path, text).unwrap();
        self.arg(path)
    }

    pub(crate) fn stdin(mut self, text: &str) -> Self {
        text.clone_into(&mut self.stdin);
        self
    }

    /// Starts it.
    pub(crate) fn start(self) -> Going {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(&self.args)
            .args(["process::the_program_that_is_asked_for", "--exact", "--nocapture", "--test-threads=2"])
            .current_dir(self.folder.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.folder.path())
            .env(PROGRAM, self.name)
            .envs(&self.env)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(self.stdin.as_bytes()).unwrap();
        let stdout = child.stdout.take().unwrap();
        let mut going = Going { folder: self.folder, child, stdout };
        going.hear(BEGIN);
        going
    }

    /// Runs it to a good end.
    #[track_caller]
    pub(crate) fn run(self) -> Said {
        let (code, said) = self.start().end();
        assert_eq!(code, Some(0), "{}\n{}", said.stdout, said.stderr);
        said
    }

    /// Runs it to an end that is not good.
    #[track_caller]
    pub(crate) fn fail(self) -> Said {
        let (code, said) = self.start().end();
        assert_eq!(code, Some(1), "{}\n{}", said.stdout, said.stderr);
        said
    }
}

impl Going {
    /// Reads what it prints, up to these words and not beyond. Gives it.
    #[track_caller]
    pub(crate) fn hear(&mut self, words: &str) -> String {
        let mut heard = Vec::new();
        let mut byte = [0];
        while !heard.ends_with(words.as_bytes()) {
            assert_eq!(
                self.stdout.read(&mut byte).unwrap(),
                1,
                "`{words}` is not said: {:?}",
                String::from_utf8(heard)
            );
            heard.extend(byte);
        }
        String::from_utf8(heard).unwrap()
    }

    /// Waits for its end. Gives its exit code, and what it has said since.
    pub(crate) fn end(mut self) -> (Option<i32>, Said) {
        let stderr = read_to_end(self.child.stderr.take().unwrap());
        let stdout = read_to_end(self.stdout);
        let Ok(stdout) = stdout.recv_timeout(PATIENCE) else {
            self.child.kill().unwrap();
            panic!("it does not come to its end");
        };
        let code = self.child.wait().unwrap().code();
        (code, Said { folder: self.folder, stdout, stderr: stderr.recv().unwrap() })
    }

    /// The address of a server that prints it.
    pub(crate) fn address(&mut self) -> String {
        self.hear("http://");
        self.hear("\n").trim_end().to_owned()
    }

    /// Ends it at once.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

fn read_to_end(mut from: impl Read + Send + 'static) -> Receiver<String> {
    let (told, heard) = channel();
    std::thread::spawn(move || {
        let mut text = String::new();
        from.read_to_string(&mut text).unwrap();
        told.send(text).ok();
    });
    heard
}

impl Said {
    /// A file in its folder.
    pub(crate) fn file(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    /// The size of a picture in its folder.
    #[track_caller]
    pub(crate) fn size(&self, path: &str) -> (u32, u32) {
        image::image_dimensions(self.file(path)).unwrap_or_else(|error| panic!("{path}: {error}: {}", self.stdout))
    }
}

/// Sends a request to a server on this machine. Gives the status and the JSON of its answer.
pub(crate) fn http(address: &str, method: &str, target: &str, body: &str) -> (u16, Json) {
    let mut stream = TcpStream::connect(address).unwrap();
    let length = body.len();
    let head = format!(
        "{method} {target} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {length}\r\n\r\n"
    );
    stream.write_all((head + body).as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, serde_json::from_str(body).unwrap_or_default())
}
