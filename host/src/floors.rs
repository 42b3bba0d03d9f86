//! The floors that hooks of a run stand on: which tree they see, what they may have made of it, and
//! whether what they ask for is done.

use std::path::PathBuf;
use std::sync::Arc;

use copal_core::path::RelPath;
use copal_hooks::Capabilities;

use crate::capability::artifacts::Artifacts;
use crate::capability::host::Host;
use crate::capability::means::Means;
use crate::capability::recorded::Recorded;
use crate::edge::interrupt::Interrupt;
use crate::edge::top::Top;
use crate::step::plan::Plan;

/// What hooks stand on in a phase.
pub struct Floor {
    /// The tree that they see.
    pub view: Host,
    /// What they ask.
    pub capabilities: Arc<dyn Capabilities>,
}

/// What becomes of what hooks ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deeds {
    /// It is done.
    Done,
    /// It is answered, and not done.
    Recorded,
}

impl Deeds {
    /// The floor on which that is so.
    pub fn floor(self, view: Host) -> Floor {
        let capabilities: Arc<dyn Capabilities> = match self {
            Self::Done => Arc::new(view.clone()),
            Self::Recorded => Arc::new(Recorded { host: view.clone() }),
        };
        Floor { view, capabilities }
    }
}

/// The live source, as it was planned; `artifacts` is where copies of it go.
pub fn view_of_source(
    means: &Arc<Means>,
    plan: &Plan,
    artifacts: Arc<Artifacts>,
    interrupt: &Interrupt,
) -> Host {
    Host {
        source: plan.source.clone(),
        is_restored: false,
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
pub fn view_of_tree(
    means: &Arc<Means>,
    tree: Top,
    databases: Vec<RelPath>,
    interrupt: &Interrupt,
) -> Host {
    Host {
        source: tree,
        is_restored: false,
        databases,
        live_databases: Vec::new(),
        left_out: Vec::new(),
        found: Vec::new(),
        artifacts: Arc::new(Artifacts::in_dir(PathBuf::new())),
        means: Arc::clone(means),
        interrupt: interrupt.clone(),
    }
}
