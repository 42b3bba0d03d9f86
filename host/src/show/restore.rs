//! What a restore came to.

use std::path::Path;

use copal_core::manifest::Manifest;
use serde_json::json;

use super::{Output, count};
use crate::error::CopalError;
use crate::step::restore::Restored;

/// Prints a restore that succeeded.
pub fn print(
    manifest: &Manifest,
    to: &Path,
    restored: &Restored,
    output: Output,
) -> Result<(), CopalError> {
    let foreign = restored.owners.not_permitted;
    if output.json {
        return super::json(&json!({
            "name": manifest.name,
            "snapshot": manifest.id,
            "to": to.display().to_string(),
            "files": restored.files,
            "bytes": restored.bytes,
            "owners_not_restored": foreign,
        }));
    }
    let mut text = format!(
        "restored {}/{} to {}: {}, {}, every checksum right\n",
        manifest.name,
        manifest.id,
        to.display(),
        count(restored.files, "file"),
        restored.bytes
    );
    if foreign > 0 {
        let entries = if foreign == 1 {
            "one entry".to_owned()
        } else {
            format!("{foreign} entries")
        };
        text += "  owners: ";
        text += &entries;
        text += " now belong to you, since only root may give files away
";
    }
    super::result(&text)
}
