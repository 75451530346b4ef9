//! `models`: what a provider offers.

use anyhow::Result;
use tokio::runtime::Runtime;

use crate::engine;
use crate::model::{KeySource, Price, ProviderKind, ProviderSettings};
use crate::sink::{Exit, Side, table};

use super::args::{ModelsArgs, RequestArgs};
use super::fault::Fault;
use super::inputs::{self, Purpose};
use super::pipeline::{locate, planned};
use super::settings::{Settings, Surroundings};
use super::stdout;

/// The provider that is asked where none is named.
const USUAL: &str = "pollinations";
/// A kind that no pipeline has under this name unless it says so, and whose models are listed all the same.
const LEGACY: &str = "pollinations-legacy";

pub(super) fn models(args: &ModelsArgs) -> Result<Exit> {
    let Some(known) = known(args)? else { return Ok(Exit::Invalid) };
    let name = args.provider.as_deref().unwrap_or_else(|| match args.pipeline {
        Some(_) => known.first().map_or(USUAL, |one| &one.name),
        None => USUAL,
    });
    let Some(settings) = known.iter().find(|one| one.name == name) else {
        let names: Vec<&str> = known.iter().map(|one| one.name.as_str()).collect();
        let help = Fault::nearest(name, &names, "there are");
        return Err(Fault::usage(format!("there is no provider `{name}`"), help).into());
    };
    let models = Runtime::new()?.block_on(engine::models(settings)).map_err(|failure| match Fault::from(failure) {
        // No item has failed: the service could not be asked.
        fault if fault.exit == Exit::Failed => Fault { exit: Exit::Blocked, ..fault },
        fault => fault,
    })?;
    if models.is_empty() {
        stdout::error(&format!("`{name}` lists no models\n"));
    }
    let rows: Vec<Vec<String>> = models
        .into_iter()
        .map(|model| {
            let price = model.price.map(in_words).unwrap_or_default();
            vec![model.name, model.makes.join(", "), price, model.description.unwrap_or_default()]
        })
        .collect();
    let lines: String = table(&[Side::Left; 4], &rows).into_iter().map(|line| line + "\n").collect();
    stdout::print(&lines)?;
    Ok(Exit::Done)
}

/// `0.15 pollen in, 0.6 pollen out`: for a million tokens; `0.01 pollen each`: for a picture.
fn in_words(price: Price) -> String {
    if price.is_free() {
        return "free".to_owned();
    }
    let parts = [(price.input, "in"), (price.output, "out"), (price.image, "each")];
    let parts = parts.into_iter().filter_map(|(amount, what)| Some(format!("{} {what}", price.currency.show(amount?))));
    parts.collect::<Vec<_>>().join(", ")
}

/// Providers that can be asked: those of the pipeline file come first. Nothing where that has mistakes, which have been
/// told by then.
fn known(args: &ModelsArgs) -> Result<Option<Vec<ProviderSettings>>> {
    let Some(pipeline) = &args.pipeline else {
        let mut known: Vec<ProviderSettings> =
            ProviderSettings::BUILT_IN.into_iter().filter_map(ProviderSettings::built_in).collect();
        known.extend(ProviderSettings::built_in(USUAL).map(|usual| ProviderSettings {
            name: LEGACY.to_owned(),
            kind: ProviderKind::PollinationsLegacy,
            key: KeySource::None,
            ..usual
        }));
        return Ok(Some(known));
    };
    let located = locate(pipeline)?;
    let request = inputs::request(&located.file, &RequestArgs::default(), Purpose::Look)?;
    let settings = Settings::of(&args.display, Surroundings::detect());
    Ok(planned(&located, &request, &settings)?.map(|plan| plan.providers.clone()))
}
