//! What is known of an error that a hook made.

use copal_hooks::{FailureKind, HookFailure, Phase};

use super::CopalError;
use crate::filters::FilterFailed;
use crate::step::plan::PlanError;
use crate::step::stage::StageError;
use crate::step::transfer::TransferError;

impl CopalError {
    /// The filter hook that failed, where that is what it was.
    pub fn failed_filter(&self) -> Option<&HookFailure> {
        let (Self::Plan(PlanError::Filter(failed))
        | Self::Stage(StageError::Filter(failed))
        | Self::Transfer(TransferError::Stage(StageError::Filter(failed)))) = self
        else {
            return None;
        };
        match failed {
            FilterFailed::Hook(failure) => Some(failure),
            FilterFailed::Rules { .. } => None,
        }
    }

    /// The hook that failed, where that is what it was.
    fn failed_hook(&self) -> Option<&HookFailure> {
        match self {
            Self::Hook(failure) => Some(failure),
            _ => self.failed_filter(),
        }
    }

    /// Whether a hook failed in a phase of a backup before there is a snapshot, otherwise than by a denial.
    pub fn is_of_a_hook_before_the_seal(&self) -> bool {
        if matches!(self, Self::CantHold(_)) {
            return true;
        }
        self.failed_hook().is_some_and(|failure| {
            let before = [Phase::PreBackup, Phase::Filter, Phase::Staged];
            before.contains(&failure.phase) && !matches!(failure.kind, FailureKind::Denied(_))
        })
    }

    /// The functions that a hook was in when it trapped, innermost first.
    pub fn backtrace(&self) -> &[String] {
        match self.failed_hook().map(|failure| &failure.kind) {
            Some(FailureKind::Trap { backtrace, .. }) => backtrace,
            _ => &[],
        }
    }

    /// The last lines that a hook logged before it trapped: the text of its panic or exception.
    pub fn last_words(&self) -> &[String] {
        const SHOWN: usize = 20;
        match self.failed_hook() {
            Some(failure) if matches!(failure.kind, FailureKind::Trap { .. }) => {
                let words = &failure.last_words;
                &words[words.len().saturating_sub(SHOWN)..]
            }
            _ => &[],
        }
    }
}
