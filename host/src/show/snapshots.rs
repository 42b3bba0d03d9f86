//! The list of snapshots.

use std::fmt::Write as _;

use copal_core::text::is_harmful;
use serde_json::json;

use super::{Output, count};
use crate::error::CopalError;
use crate::step::snapshots::Known;

/// Prints the sealed snapshots of a name, oldest first.
pub fn print(name: &str, known: &[Known], output: Output) -> Result<(), CopalError> {
    if output.json {
        return super::json(
            &known
                .iter()
                .map(|one| to_json(name, one))
                .collect::<Vec<_>>(),
        );
    }
    let mut text = String::new();
    for Known {
        id,
        manifest,
        pinned,
        pin,
        ..
    } in known
    {
        let what = match manifest {
            Ok(manifest) => {
                let totals = manifest.totals;
                format!("{:>14}  {:>11}", count(totals.files, "file"), totals.bytes)
            }
            Err(error) => format!("damaged: {error}"),
        };
        let note = pin.as_ref().and_then(|pin| pin.note.as_deref());
        let pin = match note {
            Some(note) => {
                let plain = |c: char| if is_harmful(c) { ' ' } else { c };
                format!("  pinned: {}", note.chars().map(plain).collect::<String>())
            }
            None if *pinned => "  pinned".to_owned(),
            None => String::new(),
        };
        writeln!(text, "{name}/{id}  {what}{pin}").expect("a String takes every write");
    }
    super::result(&text)
}

fn to_json(name: &str, known: &Known) -> serde_json::Value {
    let Known { id, manifest, .. } = known;
    let mut told = match manifest {
        Ok(manifest) => json!({
            "name": name,
            "snapshot": id,
            "time": id.time(),
            "state": "sealed",
            "files": manifest.totals.files,
            "bytes": manifest.totals.bytes,
            "run": manifest.run.id,
            "copal": manifest.run.copal,
        }),
        Err(error) => json!({
            "name": name,
            "snapshot": id,
            "time": id.time(),
            "state": "damaged",
            "error": error.to_string(),
        }),
    };
    told["pinned"] = known.pinned.into();
    told["verified"] = known.verified.into();
    if let Some(pin) = &known.pin {
        told["pin"] = json!(pin);
    }
    told
}
