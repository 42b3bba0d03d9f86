//! What is told.

use copal_hook_sdk::report::Outcome;
use copal_hook_sdk::{Report, run};
use serde::Serialize;

/// The JSON that a webhook gets. What is unknown is left out.
#[derive(Debug, Serialize)]
pub(crate) struct Notice {
    /// For people: `Copal: backup failed`.
    pub(crate) title: String,
    /// `succeeded`, `warned`, `failed`, `interrupted`, `abandoned`.
    outcome: &'static str,
    /// The run's identifier.
    run: String,
    /// Whether the run only told what it would do.
    dry_run: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    snapshot: Option<String>,
    /// What failed or fell short.
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    files: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    duration_ms: Option<u64>,
}

impl Notice {
    pub(crate) fn of(title: &str, report: &Report) -> Self {
        let (outcome, words) = match report.outcome() {
            Outcome::Succeeded => ("succeeded", "backup succeeded"),
            Outcome::Warned => ("warned", "backup sealed, but fell short"),
            Outcome::Failed => ("failed", "backup failed"),
            Outcome::Interrupted => ("interrupted", "backup interrupted"),
            Outcome::Abandoned => ("abandoned", "backup was killed"),
        };
        Self {
            title: format!("{title}: {words}"),
            outcome,
            run: run::id(),
            dry_run: run::is_dry(),
            snapshot: report.snapshot(),
            message: report.message(),
            files: report.counter("files"),
            bytes: report.counter("bytes"),
            duration_ms: report.counter("duration-ms"),
        }
    }

    /// The body of an ntfy message.
    pub(crate) fn text(&self) -> String {
        let mut lines = Vec::new();
        lines.extend(self.message.clone());
        if let Some(snapshot) = &self.snapshot {
            lines.push(format!("snapshot {snapshot}"));
        }
        if let (Some(files), Some(bytes)) = (self.files, self.bytes) {
            lines.push(format!("{files} files, {bytes} bytes"));
        }
        lines.push(format!("run {}", self.run));
        lines.join("\n")
    }

    /// ntfy's priorities: `default`, `high`.
    pub(crate) fn priority(&self) -> &'static str {
        match self.outcome {
            "failed" | "abandoned" => "high",
            _ => "default",
        }
    }

    /// ntfy shows these as pictures.
    pub(crate) fn tags(&self) -> &'static str {
        match self.outcome {
            "succeeded" => "white_check_mark",
            "failed" | "abandoned" => "rotating_light",
            _ => "warning",
        }
    }
}
