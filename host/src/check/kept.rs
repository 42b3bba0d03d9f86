//! The files besides the snapshots that the owner wants of runs: a log, metrics. Without them a run falls short.

use std::path::Path;

use copal_core::config::LogFile;

use super::finding::Findings;
use super::{Checked, Part};
use crate::edge::{log, metrics_file};

/// Those that the configuration names. The usual log lies in Copal's state directory.
pub(super) fn look(checked: &Checked<'_>, findings: &mut Findings) {
    let job = checked.job;
    if let LogFile::At(path) = &job.config.log().file {
        let file = path.resolve(&job.base);
        match log::look(&file) {
            Ok(()) => findings.well(Part::Log, None, writable(&file)),
            Err(error) => findings.warning(Part::Log, None, error),
        }
    }
    if let Some(path) = job.config.metrics_file() {
        let file = path.resolve(&job.base);
        match metrics_file::look(&file, job.name()) {
            Ok(()) => findings.well(Part::Metrics, None, writable(&file)),
            Err(error) => findings.warning(Part::Metrics, None, error),
        }
    }
}

fn writable(file: &Path) -> String {
    format!("`{}` can be written", file.display())
}
