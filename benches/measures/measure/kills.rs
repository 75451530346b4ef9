//! What dies in between costs what was in flight, and nothing else.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use rusqlite::Connection;
use tempfile::TempDir;

use crate::child::Server;
use crate::latency::Latency;
use crate::program::Workspace;
use crate::stub::Stats;
use crate::table::{Goal, Row, time};

use super::digest;

const ITEMS: u32 = 300;
const CALLS: u32 = 2 * ITEMS + 1;
const CONCURRENCY: u32 = 8;
/// So long that a hundred lives of the program are needed.
const MEAN: Duration = Duration::from_millis(20);

/// A digest that is to be killed, beside one that was left alone.
struct Scene {
    server: Server,
    workspace: Workspace,
    sent: Stats,
}

impl Scene {
    fn new(seed: u64) -> Result<Self> {
        let server = Server::start(Latency::LogNormal { mean: MEAN, sigma: 0.5, seed })?;
        let workspace = Workspace::new(&digest::pipeline(&server.base_url(), CONCURRENCY))?;
        workspace.file("articles.jsonl", (1..=ITEMS).map(digest::row))?;
        Ok(Self { server, workspace, sent: Stats::default() })
    }

    /// Adds what has been asked since the last time.
    fn count(&mut self) -> Result<()> {
        let more = self.server.take_stats()?;
        self.sent.requests += more.requests;
        self.sent.distinct.extend(more.distinct);
        Ok(())
    }

    /// Answers that are kept.
    fn kept(&self) -> Result<u32> {
        let path = self.workspace.store().join("store.db");
        if !path.exists() {
            return Ok(0);
        }
        let count = Connection::open(path)?.query_row("SELECT count(*) FROM attempts", [], |row| row.get(0));
        // One that died before it had made its tables has kept nothing.
        Ok(count.unwrap_or(0))
    }

    /// Runs to the end, and sees to it that all is as if nothing had happened.
    fn end(&mut self) -> Result<Duration> {
        let before = self.kept()?;
        self.count()?;
        let sent_before = self.sent.requests;
        let wall = self.workspace.run_again()?.wall;
        self.count()?;
        ensure!(self.sent.distinct.len() == CALLS as usize, "{} calls were made", self.sent.distinct.len());
        ensure!(self.kept()? == CALLS, "{} answers are kept", self.kept()?);
        let last = self.sent.requests - sent_before;
        ensure!(last == CALLS - before, "{last} calls were made at the end, though {before} were kept");
        let calm = Workspace::new(&digest::pipeline(&self.server.base_url(), CONCURRENCY))?;
        calm.file("articles.jsonl", (1..=ITEMS).map(digest::row))?;
        calm.run()?;
        ensure!(calm.outputs()? == self.workspace.outputs()?, "the outputs are others than those of a run left alone");
        Ok(wall)
    }
}

/// A hundred kills at moments that nobody chose.
pub(crate) fn kills() -> Result<Vec<Row>> {
    const KILLS: u32 = 100;
    let mut random = fastrand::Rng::with_seed(1);
    let mut scene = Scene::new(1)?;
    let (mut lost, mut most, mut with_loss) = (0, 0, 0);
    for kill in 1..=KILLS {
        let mut process = scene.workspace.running().stderr(Stdio::null()).spawn()?;
        // A hundred lives share the work: few calls each, some of them none at all.
        sleep(Duration::from_micros(random.u64(0..70_000)));
        process.kill()?;
        process.wait()?;
        settled(&scene.server)?;
        scene.count()?;
        let in_flight = scene.sent.requests - scene.kept()? - lost;
        ensure!(in_flight <= 2 * CONCURRENCY, "kill {kill} has lost {in_flight} calls");
        lost += in_flight;
        most = most.max(in_flight);
        with_loss += u32::from(in_flight > 0);
    }
    let kept = scene.kept()?;
    let wall = scene.end()?;
    ensure!(scene.sent.requests - CALLS == lost, "{} calls were made twice", scene.sent.requests - CALLS);
    Ok(vec![Row {
        measure: format!("`kills`: {KILLS} kills of a digest over {ITEMS} items, {CONCURRENCY} calls at once"),
        figure: format!(
            "{lost} calls made again, at most {most} after one kill; {with_loss} kills hit calls in flight"
        ),
        beside: format!("{CALLS} calls; {kept} were kept when the last run began, which took {}", time(wall)),
        ratio: Some(f64::from(scene.sent.requests) / f64::from(CALLS)),
        goal: Goal::Words(format!("at most {} after a kill, the same outputs", 2 * CONCURRENCY), true),
    }])
}

/// Lets the server see that connections have ended.
fn settled(server: &Server) -> Result<()> {
    let begun = Instant::now();
    let mut before = server.stats()?;
    while begun.elapsed() < Duration::from_secs(5) {
        sleep(Duration::from_millis(2));
        let now = server.stats()?;
        if now.requests == before.requests {
            return Ok(());
        }
        before = now;
    }
    Ok(())
}

/// A disk that is full at moments that nobody chose.
pub(crate) fn full() -> Result<Vec<Row>> {
    const TIMES: u32 = 20;
    let mut random = fastrand::Rng::with_seed(2);
    let (mut ended, mut asked, mut kept_in_all, mut how) = (0, 0, 0, "");
    for seed in 0..u64::from(TIMES) {
        let mut scene = Scene::new(seed)?;
        let kilobytes = random.u32(150..6_000);
        let disk = Disk::mount(kilobytes)?;
        how = if disk.is_some() { "a small disk in memory" } else { "a limit on the length of files" };
        if let Some(disk) = &disk {
            scene.workspace = scene.workspace.with_store_at(disk.store());
        }
        let mut command = match &disk {
            Some(_) => scene.workspace.running(),
            None => limited(&scene.workspace.running(), kilobytes),
        };
        let said = command.output()?;
        scene.count()?;
        let sentence = String::from_utf8_lossy(&said.stderr);
        if said.status.success() {
            // It had room enough.
            continue;
        }
        ensure!(said.status.code() == Some(6), "it ended with {}: {sentence}", said.status);
        ensure!(sentence.contains("the store can't be "), "it says another thing: {sentence}");
        ended += 1;
        asked += scene.sent.requests;
        if let Some(disk) = &disk {
            disk.grow()?;
        }
        kept_in_all += scene.kept()?;
        let lost = scene.sent.requests - scene.kept()?;
        ensure!(lost <= 2 * CONCURRENCY, "{lost} calls were lost with {kilobytes} KiB");
        scene.end()?;
    }
    Ok(vec![Row {
        measure: format!("`full`: a digest over {ITEMS} items, {how}, {TIMES} times"),
        figure: format!("{ended} runs ended with exit code 6, {} calls made again", asked - kept_in_all),
        beside: format!("{asked} calls until then"),
        ratio: None,
        goal: Goal::Words("the same outputs at the end".to_owned(), ended > 0),
    }])
}

/// The same command where no file may be longer than this.
fn limited(command: &Command, kilobytes: u32) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("trap '' XFSZ; ulimit -f {}; exec \"$0\" \"$@\"", kilobytes * 2)]);
    shell.arg(command.get_program()).args(command.get_args()).stdin(Stdio::null()).stdout(Stdio::null());
    if let Some(folder) = command.get_current_dir() {
        shell.current_dir(folder);
    }
    shell
}

/// A disk of a few kilobytes, where this process may mount one.
struct Disk(TempDir);

impl Disk {
    fn mount(kilobytes: u32) -> Result<Option<Self>> {
        let place = tempfile::Builder::new().prefix("blossom-measures-").tempdir()?;
        let options = format!("size={kilobytes}k");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &options, "tmpfs"])
            .arg(place.path())
            .stderr(Stdio::null())
            .status();
        Ok(mounted.is_ok_and(|status| status.success()).then_some(Self(place)))
    }

    fn store(&self) -> PathBuf {
        self.0.path().join("store")
    }

    fn grow(&self) -> Result<()> {
        let status = Command::new("mount").args(["-o", "remount,size=64m"]).arg(self.0.path()).status();
        ensure!(status.context("mount")?.success(), "the disk can't be made larger");
        Ok(())
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // A folder that is still mounted can't be removed, which is seen.
        drop(Command::new("umount").arg(self.0.path()).status());
    }
}
