//! Runs the real program in an empty folder and a clean environment, and compares everything that it says.
#![allow(dead_code, reason = "each test crate uses a part of it")]

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Condvar, LazyLock, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use regex::Regex;
use tempfile::TempDir;

/// A command line to be run.
#[derive(Debug)]
pub(crate) struct Cli {
    folder: Arc<TempDir>,
    args: Vec<String>,
    env: BTreeMap<String, String>,
    stdin: Vec<u8>,
    within: String,
    longest: Option<u32>,
}

/// A command line that is running.
pub(crate) struct Going {
    folder: Arc<TempDir>,
    env: BTreeMap<String, String>,
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: Option<JoinHandle<String>>,
    stderr: Heard,
    listener: JoinHandle<()>,
}

/// What has been said so far, and whether it has been said to the end.
type Heard = Arc<(Mutex<(Vec<u8>, bool)>, Condvar)>;

/// A program that does not say or do what is waited for has failed after this.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a command line came to.
#[derive(Debug)]
pub(crate) struct Ran {
    folder: Arc<TempDir>,
    env: BTreeMap<String, String>,
    /// The exit code; 128 and the signal's number where a signal ended it.
    pub(crate) code: i32,
    /// All of standard output, as it is.
    pub(crate) stdout: String,
    /// All of standard error, redacted.
    pub(crate) stderr: String,
}

impl Cli {
    fn within(folder: &Arc<TempDir>, words: &str) -> Self {
        Self { folder: Arc::clone(folder), ..Self::new(words) }
    }

    /// `blossom-run WORDS`, split at spaces; an argument with a space in it goes through [`Cli::arg`].
    pub(crate) fn new(words: &str) -> Self {
        Self {
            folder: Arc::new(tempfile::tempdir().expect("a folder for the test")),
            args: words.split_whitespace().map(str::to_owned).collect(),
            env: BTreeMap::new(),
            stdin: Vec::new(),
            within: String::new(),
            longest: None,
        }
    }

    /// One more argument.
    pub(crate) fn arg(mut self, arg: &str) -> Self {
        self.args.push(arg.to_owned());
        self
    }

    /// A file in the working directory, with the folders around it.
    pub(crate) fn file(self, path: &str, content: impl AsRef<[u8]>) -> Self {
        let path = self.folder.path().join(path);
        fs::create_dir_all(path.parent().expect("a folder around it")).expect("folders");
        fs::File::create(path).and_then(|mut file| file.write_all(content.as_ref())).expect("a file");
        self
    }

    /// The working directory, where it is a folder of that of the test.
    pub(crate) fn folder(mut self, path: &str) -> Self {
        path.clone_into(&mut self.within);
        self
    }

    /// A variable of the environment; there are none but `PATH`, `HOME` and `NO_COLOR` otherwise.
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.env.insert(name.to_owned(), value.to_owned());
        self
    }

    /// What the program reads from standard input.
    pub(crate) fn stdin(mut self, bytes: impl AsRef<[u8]>) -> Self {
        self.stdin = bytes.as_ref().into();
        self
    }

    /// No file may become longer than so many blocks (of 512 bytes, or of 1024 where the shell counts so), as if the
    /// disk were full from there on.
    #[cfg(unix)]
    pub(crate) fn longest_file(mut self, blocks: u32) -> Self {
        self.longest = Some(blocks);
        self
    }

    /// Where a file of the working directory lies.
    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    /// Runs it to its end.
    pub(crate) fn run(mut self) -> Ran {
        let bytes = std::mem::take(&mut self.stdin);
        let mut going = self.start();
        let mut stdin = going.stdin.take().expect("its standard input");
        // In a thread of its own: the program may not read it all, or write a lot before it does.
        let writer = std::thread::spawn(move || stdin.write_all(&bytes).ok());
        let ran = going.wait();
        writer.join().expect("the writer's end");
        ran
    }

    /// Starts it; its standard input stays open.
    pub(crate) fn start(self) -> Going {
        let mut going = self.start_unread();
        let mut stdout = going.child.stdout.take().expect("its standard output");
        let read = move || {
            let mut text = String::new();
            stdout.read_to_string(&mut text).expect("text on standard output");
            text
        };
        going.stdout = Some(std::thread::spawn(read));
        going
    }

    /// Starts it; nobody reads its standard output yet.
    pub(crate) fn start_unread(self) -> Going {
        self.start_printing_to(Stdio::piped())
    }

    /// Starts it with a standard output that has no room left.
    #[cfg(target_os = "linux")]
    pub(crate) fn start_with_full_disk(self) -> Going {
        let full = fs::OpenOptions::new().write(true).open("/dev/full").expect("a device that is full");
        self.start_printing_to(full.into())
    }

    fn start_printing_to(self, stdout: Stdio) -> Going {
        let mut child = self
            .command()
            .args(&self.args)
            .current_dir(self.folder.path().join(&self.within))
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.folder.path())
            .env("NO_COLOR", "1")
            .envs(&self.env)
            .stdin(Stdio::piped())
            .stdout(stdout)
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program");
        let stdin = child.stdin.take();
        let stderr = Heard::default();
        let listener = listen(child.stderr.take().expect("its standard error"), Arc::clone(&stderr));
        Going { folder: self.folder, env: self.env, child, stdin, stdout: None, stderr, listener }
    }

    fn command(&self) -> Command {
        let program = env!("CARGO_BIN_EXE_blossom-run");
        let Some(blocks) = self.longest else { return Command::new(program) };
        let mut shell = Command::new("sh");
        // Without the trap a write beyond the limit would be the end of the program instead of an error.
        shell.args(["-c", "trap '' XFSZ; ulimit -f \"$0\"; exec \"$@\"", &blocks.to_string(), program]);
        shell
    }

    /// Starts it with a standard output that is closed at the other end.
    pub(crate) fn start_with_broken_pipe(self) -> Going {
        let mut going = self.start_unread();
        drop(going.child.stdout.take());
        going
    }
}

/// Takes down what comes, as it comes.
fn listen(mut from: impl Read + Send + 'static, heard: Heard) -> JoinHandle<()> {
    std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(count @ 1..) = from.read(&mut buffer) {
            heard.0.lock().expect("what was heard").0.extend(&buffer[..count]);
            heard.1.notify_all();
        }
        heard.0.lock().expect("what was heard").1 = true;
        heard.1.notify_all();
    })
}

impl Going {
    /// Writes a line to its standard input.
    pub(crate) fn write(&mut self, line: &str) {
        let stdin = self.stdin.as_mut().expect("an open standard input");
        stdin
            .write_all(line.as_bytes())
            .and_then(|()| stdin.write_all(b"\n"))
            .and_then(|()| stdin.flush())
            .expect("a line");
    }

    /// Ends its standard input.
    pub(crate) fn close(&mut self) {
        self.stdin = None;
    }

    /// Ends it at once, as it stands.
    pub(crate) fn kill(mut self) -> Ran {
        self.child.kill().expect("its end");
        self.wait()
    }

    /// Another command line in the same folder, while this one goes on.
    pub(crate) fn beside(&self, words: &str) -> Cli {
        Cli::within(&self.folder, words)
    }

    /// Sends it a signal: `INT`, `TERM`.
    pub(crate) fn signal(&self, name: &str) {
        let line = format!("kill -{name} {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &line]).status().expect("a shell").success());
    }

    /// Returns once it has said this on standard error.
    pub(crate) fn hear(&self, words: &str) {
        let is_said = |heard: &[u8]| String::from_utf8_lossy(heard).contains(words);
        let (said, bell) = &*self.stderr;
        let said = said.lock().expect("what was heard");
        let waited = bell.wait_timeout_while(said, PATIENCE, |(heard, is_over)| !*is_over && !is_said(heard));
        let (said, _) = waited.expect("what was heard");
        assert!(is_said(&said.0), "`{words}` is not said:\n{}", String::from_utf8_lossy(&said.0));
    }

    /// Where a file of the working directory lies.
    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    /// Waits for its end. What is open of its standard input stays open until then.
    pub(crate) fn wait(mut self) -> Ran {
        let status = self.child.wait().expect("its end");
        self.listener.join().expect("the listener's end");
        let stdout = self.stdout.map(|stdout| stdout.join().expect("text on standard output"));
        let stderr = std::mem::take(&mut self.stderr.0.lock().expect("what was heard").0);
        let stderr = String::from_utf8(stderr).expect("text on standard error");
        Ran {
            code: code(status),
            stdout: stdout.unwrap_or_default(),
            stderr: redacted(&stderr, self.folder.path()),
            folder: self.folder,
            env: self.env,
        }
    }
}

impl Ran {
    /// Another command line in the same folder, after this one.
    pub(crate) fn then(&self, words: &str) -> Cli {
        Cli::within(&self.folder, words)
    }

    /// Standard output, redacted as standard error is.
    pub(crate) fn printed(&self) -> String {
        redacted(&self.stdout, self.folder.path())
    }

    /// Another command line in the same folder and environment.
    pub(crate) fn again(self, words: &str) -> Cli {
        Cli { env: self.env, ..Cli::within(&self.folder, words) }
    }

    /// The exit code is this one.
    #[track_caller]
    pub(crate) fn exit(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    /// All of standard output is this.
    #[track_caller]
    pub(crate) fn stdout(self, text: &str) -> Self {
        assert_eq!(self.stdout, text, "stderr:\n{}", self.stderr);
        self
    }

    /// All of standard error is this, after redaction: `[time]`, `[rate]`, `[run]`, `[dir]`, `[at]`.
    #[track_caller]
    pub(crate) fn stderr(self, text: &str) -> Self {
        assert_eq!(self.stderr, text, "stdout:\n{}", self.stdout);
        self
    }

    /// The text of a file under the working directory.
    #[track_caller]
    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap_or_else(|error| panic!("{path}: {error}\n{}", self.stderr))
    }

    /// Where a file of the working directory lies.
    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    /// All files under the working directory, sorted, with `/`.
    pub(crate) fn files(&self) -> Vec<String> {
        let mut files = Vec::new();
        let mut folders = vec![self.folder.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
                if entry.is_dir() {
                    // What is kept there is another matter.
                    if entry.file_name().is_none_or(|name| name != ".blossom") {
                        folders.push(entry);
                    }
                } else {
                    let path = entry.strip_prefix(self.folder.path()).expect("a path below");
                    files.push(path.to_string_lossy().replace('\\', "/"));
                }
            }
        }
        files.sort();
        files
    }
}

#[cfg(unix)]
fn code(status: std::process::ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt;
    status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(-1)
}

#[cfg(not(unix))]
fn code(status: std::process::ExitStatus) -> i32 {
    status.code().unwrap_or(-1)
}

/// What differs from one run to the next is named here, and nowhere else. Space before it goes too: columns are as
/// wide as what stands in them.
fn redacted(text: &str, folder: &Path) -> String {
    static PATTERNS: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
        [
            (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "[at]"),
            (r"\b\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d UTC)?", "[at]"),
            (r" *\b\d+(\.\d+)?/(s|min)\b", " [rate]"),
            (r" *\b(\d+h\d\dm|\d+m\d\ds|\d+(\.\d+)?m?s)\b", " [time]"),
            (r"\(run [a-z0-9-]+\)", "(run [run])"),
            (r"\b\d{8}-\d{6}-[a-z0-9]{4}\b", "[run]"),
            (r": run [a-z0-9-]+(, [^\n]*)?\n", ": run [run]${1}\n"),
            (r"\b\d{8}-\d{6}-[a-z0-9]{4}\b", "[run]"),
            (r"(each) +(time\n)", "$1 $2"),
        ]
        .into_iter()
        .map(|(pattern, name)| (Regex::new(pattern).expect("a pattern"), name))
        .collect()
    });
    let mut text = text.replace(&*folder.to_string_lossy(), "[dir]");
    for (pattern, name) in PATTERNS.iter() {
        text = pattern.replace_all(&text, *name).into_owned();
    }
    text
}
