//! What a hook does when nothing is expected of it.

use std::collections::BTreeMap;

use copal_hooks::Phase;

use super::spec::{Case, Expect, Given, ReportSpec, SNAPSHOT, Spec, TreeEntry};
use super::{HookTestError, Subject, Tried, case};

/// Paths that filters are often about.
const PATHS: [(&str, u64, u64); 8] = [
    ("audit.log", 3_000_000, 0),
    ("cache/", 0, 0),
    ("cache/models/weights.bin", 700_000_000, 40),
    ("logs/", 0, 0),
    ("logs/app.log.gz", 12_000, 90),
    ("uploads/", 0, 0),
    ("uploads/4711_report.pdf", 250_000, 3),
    ("webui.db", 9_000_000, 0),
];

const DAY: u64 = 86_400;

/// Calls each phase that it exports once, with all that it requests, and expects nothing.
pub fn probe(subject: &Subject<'_>) -> Result<Vec<Tried>, HookTestError> {
    let spec = Spec::default();
    let phases = subject.inspection.phases.iter();
    phases
        .map(|phase| {
            let (case, observed) = case::run(subject, &spec, of(*phase), BTreeMap::new())?;
            Ok(Tried {
                case,
                observed,
                differences: Vec::new(),
            })
        })
        .collect()
}

/// The paths that a filter is probed with.
pub(super) fn tree() -> Vec<TreeEntry> {
    let entry = |(path, size, days): (&str, u64, u64)| TreeEntry {
        path: path.to_owned(),
        kind: None,
        size: copal_core::units::ByteCount(size),
        age: std::time::Duration::from_secs(days * DAY),
        expect: None,
    };
    PATHS.map(entry).into()
}

fn of(phase: Phase) -> Case {
    let is_of_restore = matches!(phase, Phase::PreRestore | Phase::PostRestore | Phase::Drill);
    Case {
        name: phase.name().to_owned(),
        phase,
        config: None,
        grants: None,
        dry_run: false,
        continues: false,
        given: Given {
            snapshot: is_of_restore.then(|| SNAPSHOT.to_owned()),
            databases: vec!["webui.db".to_owned()],
            directories: vec!["uploads".to_owned()],
            ..Given::default()
        },
        report: ReportSpec::default(),
        tree: tree(),
        expect: Expect::default(),
    }
}
