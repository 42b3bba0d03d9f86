//! Lengths of time, as people write them.

use std::time::Duration;

use jiff::SignedDuration;

/// Reads `30m`, `1h 30m`, `90s`.
pub(super) fn length(text: &str) -> Result<Duration, String> {
    let signed: Result<SignedDuration, _> = text.parse();
    let length = signed.map_err(|_| "this is not a length of time, such as `30m`".to_owned())?;
    Duration::try_from(length).map_err(|_| "it can't be less than nothing".to_owned())
}
