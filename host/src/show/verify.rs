//! What a verification found.

use serde_json::json;

use super::{Output, count};
use crate::error::CopalError;
use crate::step::verify::Verified;

/// Prints a verification that could be done; what is damaged is an error's to tell.
pub fn print(verified: &Verified, output: Output) -> Result<(), CopalError> {
    let Verified {
        manifest,
        compared,
        differences,
    } = verified;
    if output.json {
        return super::json(&json!({
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
        "{}/{} is as it was sealed: {files}, {bytes} (compared: {compared})\n",
        manifest.name, manifest.id
    ))
}
