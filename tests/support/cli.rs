//! Runs the real program in an empty folder and a clean environment, and compares everything that it says.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use regex::Regex;
use tempfile::TempDir;

/// A command line to be run.
#[derive(Debug)]
pub(crate) struct Cli {
    folder: TempDir,
    args: Vec<String>,
    env: BTreeMap<String, String>,
    stdin: Vec<u8>,
}

/// What a command line came to.
#[derive(Debug)]
pub(crate) struct Ran {
    folder: TempDir,
    /// The exit code; 128 and the signal's number where a signal ended it.
    pub(crate) code: i32,
    /// All of standard output, as it is.
    pub(crate) stdout: String,
    /// All of standard error, redacted.
    pub(crate) stderr: String,
}

impl Cli {
    /// `blossom-run WORDS`, split at spaces; an argument with a space in it goes through [`Cli::arg`].
    pub(crate) fn new(words: &str) -> Self {
        Self {
            folder: tempfile::tempdir().expect("a folder for the test"),
            args: words.split_whitespace().map(str::to_owned).collect(),
            env: BTreeMap::new(),
            stdin: Vec::new(),
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

    /// Runs it to its end.
    pub(crate) fn run(self) -> Ran {
        let mut child = Command::new(env!("CARGO_BIN_EXE_blossom-run"))
            .args(&self.args)
            .current_dir(self.folder.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.folder.path())
            .env("NO_COLOR", "1")
            .envs(&self.env)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program");
        let mut stdin = child.stdin.take().expect("its standard input");
        let bytes = self.stdin;
        // In a thread of its own: the program may not read it all, or write a lot before it does.
        let writer = std::thread::spawn(move || stdin.write_all(&bytes).ok());
        let output = child.wait_with_output().expect("its end");
        writer.join().expect("the writer's end");
        let stderr = String::from_utf8(output.stderr).expect("text on standard error");
        Ran {
            code: code(output.status),
            stdout: String::from_utf8(output.stdout).expect("text on standard output"),
            stderr: redacted(&stderr, self.folder.path()),
            folder: self.folder,
        }
    }
}

impl Ran {
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
                    folders.push(entry);
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
            (r" *\b\d+(\.\d+)?/(s|min)\b", " [rate]"),
            (r" *\b(\d+h\d\dm|\d+m\d\ds|\d+(\.\d+)?m?s)\b", " [time]"),
            (r"\(run [a-z0-9-]+\)", "(run [run])"),
            (r": run [a-z0-9-]+\n", ": run [run]\n"),
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
