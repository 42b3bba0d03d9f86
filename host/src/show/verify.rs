//! What a verification found.

/// As `copal history` shows times.
pub(super) use copal_core::text::second as time;
use copal_core::verification::Verification;
use jiff::Timestamp;
use serde_json::json;

use super::{Output, count};
use crate::error::CopalError;
use crate::step::verify::{Depth, Verified};

/// Prints a verification that could be done; what is damaged is an error's to tell.
pub fn print(
    verified: &Verified,
    known: Option<&Verification>,
    output: Output,
) -> Result<(), CopalError> {
    let Verified {
        manifest,
        compared,
        differences,
        depth,
        read,
    } = verified;
    let so_far = known.map(|known| ReadSoFar::of(known, manifest.totals.files));
    if output.json {
        return super::json(&json!({
            "how": depth.closeness(),
            "read_files": read.files,
            "read_bytes": read.bytes,
            "never_read_files": so_far.map(|it| it.never),
            "oldest_read": so_far.and_then(|it| it.oldest),
            "name": manifest.name,
            "snapshot": manifest.id,
            "sound": differences.is_empty(),
            "compared": compared,
            "files": manifest.totals.files,
            "bytes": manifest.totals.bytes,
            "differences": differences.iter().map(ToString::to_string).collect::<Vec<_>>(),
        }));
    }
    if !differences.is_empty() {
        return Ok(());
    }
    let (files, bytes) = (count(manifest.totals.files, "file"), manifest.totals.bytes);
    super::result(&format!(
        "{}/{} is as it was sealed: {files}, {bytes} (compared: {compared})\n{}",
        manifest.name,
        manifest.id,
        match (depth, so_far) {
            (Depth::Sample(_), Some(so_far)) => format!("  {}\n", so_far.told()),
            _ => String::new(),
        }
    ))
}

/// How much of a snapshot was ever read back.
#[derive(Debug, Clone, Copy)]
pub(super) struct ReadSoFar {
    /// How many files never were.
    pub(super) never: u64,
    /// When the file was, of the others, for which it is longest ago.
    pub(super) oldest: Option<Timestamp>,
}

impl ReadSoFar {
    pub(super) fn of(known: &Verification, files: u64) -> Self {
        let read = known.read.iter().map(|part| part.files as u64);
        let read = read.fold(0, u64::saturating_add);
        Self {
            never: files.saturating_sub(read),
            oldest: known.read.iter().map(|part| part.at).min(),
        }
    }

    fn told(self) -> String {
        let oldest = self.oldest.map(time).unwrap_or_default();
        match self.never {
            0 => format!("all files were read back since {oldest}"),
            never => format!(
                "{} never read back; the others since {oldest}",
                count(never, "file")
            ),
        }
    }
}
