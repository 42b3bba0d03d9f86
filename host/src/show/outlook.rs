//! What a run will come to at a destination.

use copal_core::manifest::Totals;
use serde_json::{Value, json};

use super::count;
use crate::outlook::{Basis, Outlook};

/// In lines.
pub(super) fn lines(outlook: &Outlook) -> Vec<String> {
    let forecast = &outlook.forecast;
    let Totals { files, bytes } = forecast.uploaded;
    let uploaded = format!("{}, {bytes}", count(files, "file"));
    let own = forecast.own;
    let mut lines = vec![match outlook.basis {
        Basis::Nothing if outlook.is_mirror => format!(
            "to upload: {uploaded}, if nothing is there yet: no run is known here (a dry run asks there)"
        ),
        Basis::Nothing => format!(
            "to upload: {uploaded}, if it has no snapshot yet: none is known here (a dry run asks there)"
        ),
        Basis::Answer(_) | Basis::History(_) => {
            format!("to upload: {uploaded}, and about {own} of manifest and checksums")
        }
    }];
    let Totals { files, bytes } = forecast.copied;
    if files > 0 {
        let what = if outlook.is_mirror {
            "there already"
        } else if outlook.links {
            "to be hard links to the last snapshot's"
        } else {
            "to be copied by the remote"
        };
        lines.push(format!("{what}: {}, {bytes}", count(files, "file")));
    }
    if let Some(deletions) = outlook.deletions.filter(|deletions| *deletions > 0) {
        lines.push(format!("to be deleted there: {}", count(deletions, "file")));
    }
    let has_last = matches!(outlook.basis, Basis::History(_) | Basis::Answer(Some(_)));
    let copies_nothing = outlook.copies == Some(false) && !outlook.links;
    if copies_nothing && has_last && !outlook.is_mirror {
        lines.push(
            "it copies nothing of its own: what did not change is uploaded each time".to_owned(),
        );
    }
    if let Some(calls) = &forecast.calls {
        lines.push(format!("calls to B2, about: {calls}"));
    }
    if let Basis::History(id) = outlook.basis {
        let last = if outlook.is_mirror { "run" } else { "snapshot" };
        lines.push(format!("(against {id}, the last {last} known here)"));
    }
    lines
}

pub(super) fn to_json(outlooks: &[Outlook]) -> Value {
    let one = |outlook: &Outlook| {
        let forecast = &outlook.forecast;
        let (by, last) = match outlook.basis {
            Basis::Answer(last) => ("destination", last),
            Basis::History(last) => ("history", Some(last)),
            Basis::Nothing => ("nothing", None),
        };
        let mut json = json!({
            "destination": outlook.destination,
            "by": by,
            "last_snapshot": last,
            "copies": outlook.copies,
            "links": outlook.links,
            "upload_files": forecast.uploaded.files,
            "upload_bytes": forecast.uploaded.bytes,
            "copy_files": forecast.copied.files,
            "copy_bytes": forecast.copied.bytes,
            "own_bytes": forecast.own,
            "calls": forecast.calls,
        });
        if let Some(deletions) = outlook.deletions {
            json["delete_files"] = deletions.into();
        }
        json
    };
    outlooks.iter().map(one).collect()
}
