//! Resume: whatever was attempted to hold is released, in reverse order, whatever happened before.
//!
//! No capability of this version takes holds, so there is nothing to release yet. The bracket
//! around the staging stands: `backup.rs` calls this exactly once for each pause it attempts.

use super::stage::{StageError, Staged};

/// Everything is staged and the app runs.
#[derive(Debug)]
pub struct Resumed {
    /// What was staged.
    pub staged: Staged,
}

/// Releases all holds, then passes on what staging came to.
pub fn resume<E: From<StageError>>(staged: Result<Staged, E>) -> Result<Resumed, E> {
    staged.map(|staged| Resumed { staged })
}
