//! `plan`: what a run would do and cost.

use std::path::Path;
use std::sync::Arc;

use anyhow::Result;
use tokio::runtime::{Builder, Runtime};

use crate::engine::{self, Forecast, ForecastOptions, Fresh, Request, Store};
use crate::model::Failure;
use crate::plan::Plan;
use crate::sink::Exit;

use super::ahead_args::{LookingArgs, PlanArgs};
use super::fault::Fault;
use super::inputs::{self, Purpose};
use super::keeping;
use super::pipeline::{Located, locate, planned};
use super::plan_text as text;
use super::settings::{Settings, Surroundings};
use super::stdout;

pub(super) fn plan(args: &PlanArgs) -> Result<Exit> {
    let settings = Settings::of(&args.looking.display, Surroundings::detect());
    let Some(ahead) = Ahead::of(&args.pipeline, &args.looking, &settings)? else { return Ok(Exit::Invalid) };
    let runtime = runtime()?;
    let forecast: Result<Forecast, Failure> = runtime.block_on(async {
        let known = engine::prices(&ahead.plan, true).await?;
        let price = |provider: &str, model: Option<&str>, is_image| known.prices.find(provider, model, is_image);
        let options = ForecastOptions { store: ahead.store.as_ref(), fresh: &ahead.fresh, price: &price };
        let mut forecast = engine::forecast(&ahead.plan, options).await?;
        forecast.notes.extend(known.warnings);
        Ok(forecast)
    });
    runtime.shutdown_background();
    let forecast = forecast.map_err(Fault::from)?;
    let shown =
        if args.json { serde_json::to_string_pretty(&forecast)? + "\n" } else { text::forecast(&forecast, &settings) };
    stdout::print(&shown)?;
    Ok(Exit::Done)
}

/// What is looked at ahead of a run.
pub(super) struct Ahead {
    pub(super) plan: Arc<Plan>,
    /// What is kept, if there is a store.
    pub(super) store: Option<Store>,
    pub(super) fresh: Fresh,
    /// A shipped template lies in a folder that goes with this, and its lists are read from there.
    _located: Located,
}

impl Ahead {
    /// Nothing where the file has mistakes; these have been told by then.
    pub(super) fn of(pipeline: &str, args: &LookingArgs, settings: &Settings) -> Result<Option<Self>> {
        let located = locate(pipeline)?;
        let request = Request {
            only: args.only.clone(),
            limit: args.limit,
            ..inputs::request(&located.file, &args.request, Purpose::Use)?
        };
        let Some(plan) = planned(&located, &request, settings)? else { return Ok(None) };
        inputs::one_reader(&args.request, &plan)?;
        let fresh = keeping::fresh(args.fresh.as_deref(), &plan)?;
        let store = existing(args.store.as_deref())?;
        Ok(Some(Self { plan, store, fresh, _located: located }))
    }
}

/// The store that a run would use, if it is there; none is made.
fn existing(flag: Option<&Path>) -> Result<Option<Store>, Fault> {
    Ok(Store::open_to_read(&keeping::place(flag))?)
}

/// What it runs on. One thread will do: little is waited for, and files are read on threads of their own.
pub(super) fn runtime() -> Result<Runtime> {
    Ok(Builder::new_current_thread().enable_all().build()?)
}
