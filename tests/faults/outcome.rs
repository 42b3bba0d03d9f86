//! One trial among many, of which each is told by itself.

use std::time::Duration;

use crate::app::LiveApp;

/// Makes one, and repairs what it left if it failed.
pub(crate) fn attempt(
    app: &mut LiveApp<'_>,
    trial: impl FnOnce(&mut LiveApp<'_>) -> Result<Duration, String>,
) -> Result<Duration, String> {
    let outcome = trial(app);
    if outcome.is_err() {
        app.mend();
    }
    outcome
}
