//! `copal plan`

use clap::Args;
use copal_hooks::RunInfo;
use jiff::Timestamp;

use super::Global;
use super::conclude::or_the_signal;
use super::ending::Exit;
use super::open::{JobArgs, state};
use crate::capability::means::Means;
use crate::edge::interrupt::Interrupt;
use crate::error::CopalError;
use crate::hooks::Hooks;
use crate::outlook::by_history;
use crate::show;
use crate::step::plan::plan;
use crate::step::{preflight, services};

#[derive(Debug, Args)]
pub(super) struct PlanArgs {
    #[command(flatten)]
    job: JobArgs,
}

pub(super) fn run(args: &PlanArgs, global: &Global) -> Result<Exit, CopalError> {
    let job = args.job.job(global)?;
    let interrupt = Interrupt::listen().map_err(CopalError::Signals)?;
    let info = RunInfo {
        run_id: "plan".to_owned(),
        dry_run: true,
        ..RunInfo::default()
    };
    let hooks = Hooks::load(&job.config, &job.base, info)?;
    let state = state()?;
    let means = Means::of(&job, &state);
    let mut plan = plan(&job, &hooks, &means, &state, Timestamp::now(), &interrupt)
        .map_err(|error| or_the_signal(error.into(), &interrupt))?;
    services::refuse(&job, &means)?;
    plan.services = services::look(&job, &hooks, &means);
    let outlooks = by_history(&job, &plan, &state, Timestamp::now());
    show::plan::print(&job, &hooks, &plan, &outlooks, global.output())?;
    preflight::check_room(&plan, &job.staging(&state))?;
    Ok(Exit::Done)
}
