//! This program in a process of its own: as the server, or as the bare loop.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use reqwest::Method;
use serde::{Deserialize, Serialize};

use crate::bare;
use crate::latency::Latency;
use crate::stub::{self, Stats};

/// What stands before a task on the command line.
pub(crate) const FLAG: &str = "--child";

/// What a process of its own is to do.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Task {
    /// Answer requests until standard input ends.
    Serve(Latency),
    /// Make calls that have nothing to do with each other.
    Calls(bare::Calls),
    /// Two stages over a list and one after them, each beginning when the one before has ended.
    Barriers(bare::Barriers),
}

/// Does what `task` says, as a child.
pub(crate) fn perform(task: &str) -> Result<()> {
    match serde_json::from_str(task)? {
        Task::Serve(latency) => stub::serve(latency),
        Task::Calls(calls) => calls.run(),
        Task::Barriers(barriers) => barriers.run(),
    }
}

/// Does a task in a process of its own and waits for it.
pub(crate) fn timed(task: &Task) -> Result<Duration> {
    let mut command = command(task)?;
    let began = Instant::now();
    let status = command.status()?;
    let wall = began.elapsed();
    ensure!(status.success(), "the loop beside it failed: {status}");
    Ok(wall)
}

fn command(task: &Task) -> Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg(FLAG).arg(serde_json::to_string(task)?);
    Ok(command)
}

/// The server, running until this is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    process: Child,
    /// The server ends when its standard input does, so it does not outlive this program however that ends.
    input: Option<ChildStdin>,
    address: String,
}

impl Server {
    /// Starts one on a free port.
    pub(crate) fn start(latency: Latency) -> Result<Self> {
        let mut process = command(&Task::Serve(latency))?
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("the server")?;
        let input = process.stdin.take();
        let mut address = String::new();
        BufReader::new(process.stdout.take().context("the server's output")?).read_line(&mut address)?;
        Ok(Self { process, input, address: address.trim().to_owned() })
    }

    /// What a pipeline file calls `base_url`.
    pub(crate) fn base_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// What has been asked since the last time, which is forgotten then.
    pub(crate) fn take_stats(&self) -> Result<Stats> {
        self.ask_stats(Method::DELETE)
    }

    /// What has been asked since they were taken.
    pub(crate) fn stats(&self) -> Result<Stats> {
        self.ask_stats(Method::GET)
    }

    fn ask_stats(&self, method: Method) -> Result<Stats> {
        let url = format!("http://{}/stats", self.address);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            Ok(bare::client()?.request(method, url).send().await?.error_for_status()?.json().await?)
        })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.input.take());
        // It has nothing left to say; what matters is that it has gone.
        drop(self.process.wait());
    }
}
