//! Which errors say that a service is not back: the one table of exit code 5, and of what hooks are told of it.

use super::CopalError;
use crate::step::swap::SwapError;

impl CopalError {
    /// Whether a service that was held may be down still: the one that must wake somebody.
    pub fn service_is_down(&self) -> bool {
        match self {
            Self::Holds(error) => error.is_down(),
            Self::Swap(error) => of_swap(error),
            Self::NoConfig { .. }
            | Self::NoPlace { .. }
            | Self::ConfigUnreadable { .. }
            | Self::Config(_)
            | Self::RcloneOptions(_)
            | Self::Remote(_)
            | Self::Name { .. }
            | Self::NoState
            | Self::NoDestination
            | Self::Signals(_)
            | Self::Json(_)
            | Self::NotServed(_)
            | Self::Output(_)
            | Self::Unwritable { .. }
            | Self::UnreadMark { .. }
            | Self::NoForm
            | Self::Metrics(_)
            | Self::Lock(_)
            | Self::Hooks(_)
            | Self::Hook(_)
            | Self::HookCommand(_)
            | Self::Plan(_)
            | Self::Preflight(_)
            | Self::Staging(_)
            | Self::Stage(_)
            | Self::Transfer(_)
            | Self::Seal(_)
            | Self::Prune(_)
            | Self::NoRetention
            | Self::MirrorsAlone
            | Self::Store(_)
            | Self::RemoteFailed(_)
            | Self::Verify(_)
            | Self::Damaged { .. }
            | Self::LastDamaged { .. }
            | Self::Unsound { .. }
            | Self::Outrun(_)
            | Self::Missed(_)
            | Self::Shrunk(_)
            | Self::LeftOut { .. }
            | Self::LeftBehind(_)
            | Self::Unfinished(_)
            | Self::OldTree(_)
            | Self::Scratch { .. }
            | Self::Restore(_)
            | Self::NoSuchPath { .. }
            | Self::Mirror(_)
            | Self::MirrorInPlace(_)
            | Self::OtherSchema(_)
            | Self::NotThere(_)
            | Self::CantHold(_)
            | Self::Init(_)
            | Self::Check(_)
            | Self::History(_)
            | Self::Log(_)
            | Self::When { .. }
            | Self::Schedule(_)
            | Self::Interrupted(_) => false,
        }
    }
}

/// Between two trees nothing may be started.
fn of_swap(error: &SwapError) -> bool {
    match error {
        SwapError::Between { .. } => true,
        SwapError::NotBegun(error) => error.is_down(),
        SwapError::Unreadable { .. }
        | SwapError::NotADirectory(_)
        | SwapError::MountPoint(_)
        | SwapError::MountedIn { .. }
        | SwapError::ParentNotWritable { .. }
        | SwapError::HoldsCopal(_)
        | SwapError::HoldsBackups(_)
        | SwapError::Beside { .. }
        | SwapError::NotNoted { .. }
        | SwapError::Untouched { .. }
        | SwapError::Vacant { .. } => false,
    }
}
