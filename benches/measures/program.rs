//! The program that is measured, run on files made for it.

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

/// A folder with a pipeline file, gone when this is dropped.
#[derive(Debug)]
pub(crate) struct Workspace {
    folder: TempDir,
}

/// What a run came to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ran {
    /// From before the process was started until it had ended.
    pub(crate) wall: Duration,
    /// Just before it was started.
    pub(crate) began: Timestamp,
    /// The most memory that it held, in bytes; 0 where the system does not say.
    pub(crate) peak: u64,
}

impl Workspace {
    /// A folder with `pipeline` in it.
    pub(crate) fn new(pipeline: &str) -> Result<Self> {
        let this = Self { folder: tempfile::Builder::new().prefix("blossom-measures-").tempdir()? };
        this.file("pipeline.yaml", [pipeline])?;
        Ok(this)
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

    /// Runs the pipeline into an empty output folder.
    pub(crate) fn run(&self) -> Result<Ran> {
        let out = self.path("out");
        if out.exists() {
            std::fs::remove_dir_all(&out)?;
        }
        let mut command = self.command();
        command.arg(self.path("pipeline.yaml")).arg("--out").arg(out).args(["--progress", "none", "-q"]);
        self.timed(command)
    }

    /// Checks the pipeline.
    pub(crate) fn check(&self) -> Result<Ran> {
        let mut command = self.command();
        command.arg("check").arg(self.path("pipeline.yaml"));
        self.timed(command)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_blossom-run"));
        command.current_dir(self.folder.path()).stdin(Stdio::null()).stdout(Stdio::null());
        command
    }

    fn timed(&self, mut command: Command) -> Result<Ran> {
        let said = self.path("said.txt");
        command.stderr(File::create(&said)?);
        let began = Timestamp::now();
        let clock = Instant::now();
        let mut child = command.spawn().context("the program can't be started")?;
        let (status, peak) = watched(&mut child)?;
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

fn text_of(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}
