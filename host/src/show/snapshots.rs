//! The list of snapshots.

use std::fmt::Write as _;

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
    for Known { id, manifest } in known {
        let what = match manifest {
            Ok(manifest) => {
                let totals = manifest.totals;
                format!("{:>14}  {:>11}", count(totals.files, "file"), totals.bytes)
            }
            Err(error) => format!("damaged: {error}"),
        };
        writeln!(text, "{name}/{id}  {what}").expect("a String takes every write");
    }
    super::result(&text)
}

fn to_json(name: &str, Known { id, manifest }: &Known) -> serde_json::Value {
    match manifest {
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
    }
}
