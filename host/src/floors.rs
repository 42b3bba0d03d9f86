//! The floors that hooks of a run stand on: which tree they see, and what they may have made of it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use copal_core::path::RelPath;

use crate::calls::Floor;
use crate::capability::artifacts::Artifacts;
use crate::capability::host::Host;
use crate::capability::means::Means;
use crate::capability::recorded::Recorded;
use crate::edge::interrupt::Interrupt;
use crate::step::plan::Plan;

/// The live source, as it was planned; `artifacts` is where copies of it go.
pub fn source(
    means: &Arc<Means>,
    plan: &Plan,
    artifacts: Arc<Artifacts>,
    interrupt: &Interrupt,
) -> Host {
    Host {
        source: plan.source.clone(),
        databases: plan.to_copy(),
        live_databases: plan.live(),
        left_out: plan.walked.left_out.clone(),
        found: plan.walked.kept.clone(),
        artifacts,
        means: Arc::clone(means),
        interrupt: interrupt.clone(),
    }
}

/// A tree that is only looked at: the source of a run that has no plan, a restored copy.
pub fn tree(
    means: &Arc<Means>,
    tree: &Path,
    databases: Vec<RelPath>,
    interrupt: &Interrupt,
) -> Host {
    Host {
        source: tree.to_owned(),
        databases,
        live_databases: Vec::new(),
        left_out: Vec::new(),
        found: Vec::new(),
        artifacts: Arc::new(Artifacts::in_dir(PathBuf::new())),
        means: Arc::clone(means),
        interrupt: interrupt.clone(),
    }
}

/// Deeds are done.
pub fn real(host: Host) -> Floor {
    Arc::new(host)
}

/// Deeds are answered and not done.
pub fn recorded(host: Host) -> Floor {
    Arc::new(Recorded { host })
}
