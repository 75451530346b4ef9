//! The program that is measured, run on files made for it.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use jiff::Timestamp;
use tempfile::TempDir;

use crate::machine::field;

/// How often the memory of a running program is read. What it takes at most never shrinks, so only the growth of the
/// last moment can be missed.
const EVERY: Duration = Duration::from_millis(10);

/// What temporary folders are called by.
const PREFIX: &str = "blossom-measures-";
/// A folder that lies in memory, where there is one.
const IN_MEMORY: &str = "/dev/shm";

/// Where the program lies.
const PROGRAM: &str = env!("CARGO_BIN_EXE_blossom-run");

/// Builds the program as people have it. `cargo bench` builds it with what tests need of its dependencies, such as a clock
/// that can be stopped, and that is slower.
pub(crate) fn build() -> Result<()> {
    let target = Path::new(PROGRAM).ancestors().nth(2).context("the program lies nowhere")?;
    ensure!(target.join("release/blossom-run").exists(), "`--target` and profiles of their own are not measured");
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--release", "--locked", "--quiet", "--bin", "blossom-run", "--manifest-path"]);
    cargo.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")).arg("--target-dir").arg(target);
    // What Cargo tells a benchmark about itself would have crates built anew that look at it.
    for (name, _) in std::env::vars_os() {
        let is_of_package = ["CARGO_PKG_", "CARGO_MANIFEST_"].iter().any(|of| name.to_string_lossy().starts_with(of));
        if is_of_package {
            cargo.env_remove(name);
        }
    }
    ensure!(cargo.status().context("cargo can't be started")?.success(), "the program can't be built");
    Ok(())
}

/// A folder with a pipeline file, gone when this is dropped.
#[derive(Debug)]
pub(crate) struct Workspace {
    folder: TempDir,
    /// Where answers are kept.
    store: PathBuf,
    /// What the store lies in, if that is another folder: it is there for as long as this is.
    store_in: Option<TempDir>,
    is_watched: bool,
}

/// What a run came to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ran {
    /// From before the process was started until it had ended.
    pub(crate) wall: Duration,
    /// Just before it was started.
    pub(crate) began: Timestamp,
    /// The most memory that it held, in bytes; 0 where nobody looked, or the system does not say.
    pub(crate) peak: u64,
}

impl Workspace {
    /// A folder with `pipeline` in it.
    pub(crate) fn new(pipeline: &str) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix(PREFIX).tempdir()?;
        let this = Self { store: folder.path().join("store"), folder, store_in: None, is_watched: false };
        this.file("pipeline.yaml", [pipeline])?;
        Ok(this)
    }

    /// The same, and runs say how much memory they take: looking there takes some time of theirs.
    pub(crate) fn watched(self) -> Self {
        Self { is_watched: true, ..self }
    }

    /// The same with the store in memory, where no disk is waited for; nothing where the system has no such place.
    pub(crate) fn with_store_in_memory(mut self) -> Result<Option<Self>> {
        if !Path::new(IN_MEMORY).is_dir() {
            return Ok(None);
        }
        let place = tempfile::Builder::new().prefix(PREFIX).tempdir_in(IN_MEMORY)?;
        self.store = place.path().join("store");
        self.store_in = Some(place);
        Ok(Some(self))
    }

    /// The same with the store in a folder of somebody else.
    pub(crate) fn with_store_at(mut self, store: PathBuf) -> Self {
        self.store = store;
        self
    }

    /// Writes a file of lines.
    pub(crate) fn file<L: AsRef<str>>(&self, name: &str, lines: impl IntoIterator<Item = L>) -> Result<()> {
        let mut file = std::io::BufWriter::new(File::create(self.path(name))?);
        for line in lines {
            writeln!(file, "{}", line.as_ref())?;
        }
        Ok(file.flush()?)
    }

    /// How many lines a file of the output folder has.
    pub(crate) fn lines_out(&self, name: &str) -> Result<usize> {
        let path = self.path("out").join(name);
        let file = File::open(&path).with_context(|| format!("{} can't be read", path.display()))?;
        Ok(BufReader::new(file).split(b'\n').count())
    }

    /// Runs the pipeline with an empty store.
    pub(crate) fn run(&self) -> Result<Ran> {
        empty(&self.store)?;
        self.run_again()
    }

    /// Runs the pipeline into an empty output folder, with what is kept.
    pub(crate) fn run_again(&self) -> Result<Ran> {
        empty(&self.path("out"))?;
        self.timed(self.running())
    }

    /// The command that runs the pipeline.
    pub(crate) fn running(&self) -> Command {
        let mut command = self.command();
        command.arg(self.path("pipeline.yaml")).arg("--out").arg(self.path("out"));
        command.args(["--progress", "none", "-q"]).arg("--store").arg(&self.store);
        command
    }

    /// The folder in which answers are kept.
    pub(crate) fn store(&self) -> &Path {
        &self.store
    }

    /// The bytes of all files of the output folder but hidden ones, by their names.
    pub(crate) fn outputs(&self) -> Result<BTreeMap<OsString, Vec<u8>>> {
        let mut outputs = BTreeMap::new();
        for entry in std::fs::read_dir(self.path("out"))? {
            let entry = entry?;
            if !entry.file_name().as_encoded_bytes().starts_with(b".") {
                outputs.insert(entry.file_name(), std::fs::read(entry.path())?);
            }
        }
        Ok(outputs)
    }

    /// Checks the pipeline.
    pub(crate) fn check(&self) -> Result<Ran> {
        let mut command = self.command();
        command.arg("check").arg(self.path("pipeline.yaml"));
        self.timed(command)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self) -> Command {
        let mut command = Command::new(PROGRAM);
        command.current_dir(self.folder.path()).stdin(Stdio::null()).stdout(Stdio::null());
        command
    }

    fn timed(&self, mut command: Command) -> Result<Ran> {
        let said = self.path("said.txt");
        command.stderr(File::create(&said)?);
        let began = Timestamp::now();
        let clock = Instant::now();
        let mut child = command.spawn().context("the program can't be started")?;
        let (status, peak) = if self.is_watched { watched(&mut child)? } else { (child.wait()?, 0) };
        let wall = clock.elapsed();
        ensure!(status.success(), "the program ended with {status}:\n{}", text_of(&said));
        Ok(Ran { wall, began, peak })
    }
}

/// Waits for the end of a process and reads its memory meanwhile.
fn watched(child: &mut Child) -> Result<(std::process::ExitStatus, u64)> {
    let status_file = format!("/proc/{}/status", child.id());
    let (ended, peak) = (AtomicBool::new(false), AtomicU64::new(0));
    thread::scope(|scope| {
        let reader = scope.spawn(|| {
            while !ended.load(Ordering::Acquire) {
                let kilobytes = field(&status_file, "VmHWM").and_then(|text| text.trim_end_matches(" kB").parse().ok());
                peak.fetch_max(kilobytes.unwrap_or(0_u64) * 1024, Ordering::Relaxed);
                thread::park_timeout(EVERY);
            }
        });
        let status = child.wait();
        ended.store(true, Ordering::Release);
        reader.thread().unpark();
        Ok((status?, peak.load(Ordering::Relaxed)))
    })
}

fn empty(folder: &Path) -> Result<()> {
    if folder.exists() {
        std::fs::remove_dir_all(folder)?;
    }
    Ok(())
}

fn text_of(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}
