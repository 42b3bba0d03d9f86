//! `copal metrics`

use clap::Args;

use super::Global;
use super::ending::Exit;
use super::open::{configured, state};
use crate::edge::history::History;
use crate::error::CopalError;
use crate::{metrics, show};

/// There is nothing to say but which configuration.
#[derive(Debug, Args)]
pub(super) struct MetricsArgs {}

pub(super) fn run(_: &MetricsArgs, global: &Global) -> Result<Exit, CopalError> {
    let job = configured(global)?;
    let metrics = metrics::of(&job, &History::of(&state()?))?;
    if global.json {
        show::json(&metrics)?;
    } else {
        show::result(&metrics.to_text())?;
    }
    Ok(Exit::Done)
}
