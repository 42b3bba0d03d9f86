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
        Basis::Nothing => format!(
            "to upload: {uploaded}, if it has no snapshot yet: none is known here (a dry run asks there)"
        ),
        Basis::Answer(_) | Basis::History(_) => {
            format!("to upload: {uploaded}, and about {own} of manifest and checksums")
        }
    }];
    let Totals { files, bytes } = forecast.copied;
    if files > 0 {
        let how = if outlook.links {
            "to be hard links to the last snapshot's"
        } else {
            "to be copied by the remote"
        };
        lines.push(format!("{how}: {}, {bytes}", count(files, "file")));
    }
    let has_last = matches!(outlook.basis, Basis::History(_) | Basis::Answer(Some(_)));
    if outlook.copies == Some(false) && !outlook.links && has_last {
        lines.push(
            "it copies nothing of its own: what did not change is uploaded each time".to_owned(),
        );
    }
    if let Some(calls) = &forecast.calls {
        lines.push(format!("calls to B2, about: {calls}"));
    }
    if let Basis::History(id) = outlook.basis {
        lines.push(format!("(against {id}, the last snapshot known here)"));
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
        json!({
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
        })
    };
    outlooks.iter().map(one).collect()
}
