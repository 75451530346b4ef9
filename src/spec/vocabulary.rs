//! Every key that a pipeline file may have, for the documentation and for programs that help to write one.

use super::defaults::DEFAULTS;
use super::document::PIPELINE;
use super::expect;
use super::fallback::FALLBACK;
use super::inputs::INPUT;
use super::money::{BUDGET, PRICE};
use super::outputs::SAVE;
use super::policies::{RETRY, TIMEOUT, WAVES};
use super::providers::PROVIDER;
use super::stage::STAGE;

/// The keys of the mappings that a pipeline file is made of, each as messages call it: `a stage` has `text`, `when`, ..
pub fn vocabulary() -> Vec<(&'static str, Vec<&'static str>)> {
    [PIPELINE, INPUT, PROVIDER, DEFAULTS, STAGE, SAVE, RETRY, TIMEOUT, WAVES, FALLBACK, BUDGET, PRICE]
        .iter()
        .map(|keys| (keys.owner, keys.all().collect()))
        .chain([("`expect`", expect::names().collect())])
        .collect()
}
