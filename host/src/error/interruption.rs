//! Which errors are a signal's doing and nothing else.

use copal_hooks::{FailureKind, HookFailure};

use super::CopalError;
use crate::edge::lock::LockError;
use crate::edge::remote::RemoteError;
use crate::filters::FilterFailed;
use crate::step::plan::PlanError;
use crate::step::preflight::PreflightError;
use crate::step::prune::PruneError;
use crate::step::restore::RestoreError;
use crate::step::seal::SealError;
use crate::step::snapshots::StoreError;
use crate::step::stage::StageError;
use crate::step::transfer::TransferError;
use crate::step::verify::VerifyError;

impl CopalError {
    /// Whether nothing failed: a signal asked for an end, and this is it.
    pub fn is_interruption(&self) -> bool {
        match self {
            Self::Hook(failure) => of_hook(failure),
            Self::Plan(PlanError::Filter(filter)) => of_filter(filter),
            Self::Plan(error) => matches!(error, PlanError::Interrupted(_)),
            Self::Interrupted(_)
            | Self::Lock(LockError::Interrupted(_))
            | Self::Transfer(TransferError::Interrupted(_))
            | Self::Seal(SealError::Interrupted(_))
            | Self::Verify(VerifyError::Interrupted(_))
            | Self::Restore(RestoreError::Interrupted(_)) => true,
            Self::Stage(stage) | Self::Transfer(TransferError::Stage(stage)) => of_stage(stage),
            Self::RemoteFailed(remote)
            | Self::Preflight(PreflightError::Remote(remote))
            | Self::Transfer(TransferError::Remote(remote))
            | Self::Seal(SealError::Remote(remote))
            | Self::Verify(VerifyError::Remote(remote))
            | Self::Restore(RestoreError::Remote(remote)) => of_remote(remote),
            Self::Store(store)
            | Self::Preflight(PreflightError::Store(store))
            | Self::Verify(VerifyError::Store(store)) => of_store(store),
            Self::Prune(prune) => of_prune(prune),
            _ => false,
        }
    }
}

fn of_prune(prune: &PruneError) -> bool {
    match prune {
        PruneError::Interrupted(_) => true,
        PruneError::Store(store) => of_store(store),
        PruneError::Remote(remote) => of_remote(remote),
        PruneError::NotListed { .. }
        | PruneError::Passed { .. }
        | PruneError::Damaged { .. }
        | PruneError::NotRemoved { .. } => false,
    }
}

fn of_hook(failure: &HookFailure) -> bool {
    failure.kind == FailureKind::Interrupted
}

fn of_filter(filter: &FilterFailed) -> bool {
    match filter {
        FilterFailed::Hook(failure) => of_hook(failure),
        FilterFailed::Rules { .. } => false,
    }
}

fn of_stage(stage: &StageError) -> bool {
    match stage {
        StageError::Filter(filter) => of_filter(filter),
        other => matches!(other, StageError::Interrupted(_)),
    }
}

fn of_store(store: &StoreError) -> bool {
    matches!(store, StoreError::Remote(remote) if of_remote(remote))
}

fn of_remote(remote: &RemoteError) -> bool {
    matches!(remote, RemoteError::Interrupted(_))
}
