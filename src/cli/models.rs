//! `models`: what a provider offers.

use anyhow::Result;
use tokio::runtime::Runtime;

use crate::engine;
use crate::model::ProviderSettings;
use crate::sink::{Exit, Side, table};

use super::args::ModelsArgs;
use super::fault::Fault;
use super::stdout;

pub(super) fn models(args: &ModelsArgs) -> Result<Exit> {
    known(&args.provider)?;
    let models = Runtime::new()?.block_on(engine::models(&args.provider)).map_err(Fault::from)?;
    let rows: Vec<Vec<String>> = models
        .into_iter()
        .map(|model| vec![model.name, model.makes.join(", "), model.description.unwrap_or_default()])
        .collect();
    let lines: String = table(&[Side::Left; 3], &rows).into_iter().map(|line| line + "\n").collect();
    stdout::print(&lines)?;
    Ok(Exit::Done)
}

/// A name that is no provider's is wrong usage; a service that does not answer is not.
fn known(name: &str) -> Result<(), Fault> {
    if ProviderSettings::built_in(name).is_some() {
        return Ok(());
    }
    let help = Fault::nearest(name, &ProviderSettings::BUILT_IN, "the built-in ones are");
    Err(Fault::usage(format!("there is no provider `{name}`"), help))
}
