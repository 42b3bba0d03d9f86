//! That somebody wants a snapshot to stay.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What lies beside a pinned snapshot's manifest. That it lies there is what counts: one that nobody can
/// read pins as well.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pin {
    /// Since when.
    pub since: Timestamp,
    /// Why, in its owner's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}
