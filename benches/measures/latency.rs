//! How long the server takes, drawn from what it is asked.

use std::f64::consts::TAU;
use std::time::Duration;

use anyhow::Result;
use serde::{Deserialize, Serialize};

/// The time that an answer takes.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) enum Latency {
    /// Always the same.
    Fixed(Duration),
    /// As services answer: most soon, some late. Drawn from the seed and the prompt, so that a prompt takes as long
    /// whoever asks it and whenever.
    LogNormal {
        /// The mean of all.
        mean: Duration,
        /// The spread of the logarithm.
        sigma: f64,
        /// Another seed gives other times.
        seed: u64,
    },
}

impl Latency {
    /// For the prompt with this hash.
    pub(crate) fn draw(self, prompt: u64) -> Duration {
        match self {
            Self::Fixed(time) => time,
            Self::LogNormal { mean, sigma, seed } => {
                let mut random = fastrand::Rng::with_seed(seed ^ prompt);
                // Box and Muller; `1 - x` keeps zero out of the logarithm.
                let normal = (-2.0 * (1.0 - random.f64()).ln()).sqrt() * (TAU * random.f64()).cos();
                // The mean of a lognormal lies above its median by this half variance.
                mean.mul_f64((sigma * normal - sigma * sigma / 2.0).exp())
            }
        }
    }

    /// Waits so long. The runtime's timer adds a millisecond on average, which would be a fiftieth of what is drawn here
    /// and no part of its sum: a thread sleeps to the tenth of that. Fixed times stand beside a loop that waits as long.
    pub(crate) async fn wait(self, time: Duration) -> Result<()> {
        match self {
            Self::Fixed(Duration::ZERO) => {}
            Self::Fixed(_) => tokio::time::sleep(time).await,
            Self::LogNormal { .. } => tokio::task::spawn_blocking(move || std::thread::sleep(time)).await?,
        }
        Ok(())
    }
}
