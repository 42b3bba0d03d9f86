//! The list of snapshots.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use copal_core::contents::Held;
use copal_core::snapshot::SnapshotId;
use copal_core::text::is_harmful;
use copal_core::verification::Verification;
use jiff::Timestamp;
use serde_json::json;

use super::verify::{ReadSoFar, time};
use super::{Output, count};
use crate::error::CopalError;
use crate::record::Ended;
use crate::step::snapshots::{Known, contents_of};

/// When each snapshot was last drilled, and how that ended, as far as this machine knows.
pub type Drills = BTreeMap<SnapshotId, (Timestamp, Ended)>;

/// Prints the sealed snapshots of a name, oldest first.
pub fn print(
    name: &str,
    known: &[Known],
    drills: &Drills,
    output: Output,
) -> Result<(), CopalError> {
    let held = contents_of(known).each();
    let each = known.iter().zip(&held);
    if output.json {
        let each = each.map(|(one, held)| {
            let mut told = to_json(name, one, held);
            if let Some((at, outcome)) = drills.get(&one.id) {
                told["drill"] = json!({ "at": at, "outcome": outcome });
            }
            told
        });
        return super::json(&each.collect::<Vec<_>>());
    }
    let mut text = String::new();
    for (one, held) in each {
        let Known {
            id,
            manifest,
            pinned,
            pin,
            ..
        } = one;
        let what = match manifest {
            Ok(manifest) => {
                let totals = manifest.totals;
                let (files, bytes) = (count(totals.files, "file"), totals.bytes);
                format!("{files:>14}  {bytes:>11}  adds {:>11}", held.adds)
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
        let state = state(one);
        let drill = match drills.get(id) {
            Some((at, Ended::Failed)) => {
                format!("  drill failed {} (`copal history` has why)", time(*at))
            }
            _ => String::new(),
        };
        let unclear = one
            .unclear
            .iter()
            .map(|what| format!("  can't read {what}"));
        let unclear: String = unclear.collect();
        writeln!(text, "{name}/{id}  {what}{state}{drill}{pin}{unclear}")
            .expect("a String takes every write");
    }
    super::result(&text)
}

/// What is known beside that it is sealed.
fn state(known: &Known) -> String {
    let last = readable(known);
    let last_time = last.map(|it| format!(" {} ({})", time(it.at), it.how));
    let last_time = last_time.unwrap_or_default();
    if known.damaged {
        let files = last.map_or(0, |it| it.damaged_files as u64);
        return match files {
            0 => "  damaged".to_owned(),
            files => format!("  damaged: {},{last_time}", count(files, "file")),
        };
    }
    if known.verified {
        return format!("  verified{last_time}");
    }
    String::new()
}

/// What the last verifications found, where their note can be read.
fn readable(known: &Known) -> Option<&Verification> {
    let last = known.verification.as_ref();
    last.filter(|last| !last.is_unreadable())
}

fn to_json(name: &str, known: &Known, held: &Held) -> serde_json::Value {
    let Known { id, manifest, .. } = known;
    let state = match (known.damaged, known.verified) {
        (true, _) => "damaged",
        (false, true) => "verified",
        (false, false) => "sealed",
    };
    let mut told = match manifest {
        Ok(manifest) => json!({
            "name": name,
            "snapshot": id,
            "time": id.time(),
            "state": state,
            "files": manifest.totals.files,
            "bytes": manifest.totals.bytes,
            "adds_bytes": held.adds,
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
    if !known.unclear.is_empty() {
        told["unreadable_notes"] = json!(known.unclear);
    }
    told["pinned"] = known.pinned.into();
    told["verified"] = known.verified.into();
    if let (Ok(manifest), Some(last)) = (manifest, readable(known)) {
        let so_far = ReadSoFar::of(last, manifest.totals.files);
        told["verification"] = json!({
            "at": last.at,
            "how": last.how,
            "compared": last.compared,
            "damaged_files": last.damaged_files,
            "damaged": last.damaged,
            "never_read_files": so_far.never,
            "oldest_read": so_far.oldest,
        });
    }
    if let Some(pin) = &known.pin {
        told["pin"] = json!(pin);
    }
    told
}
