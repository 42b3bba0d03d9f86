//! rclone's log lines on their way into tracing.

use serde::{Deserialize, Serialize};

/// How much rclone is to say, and how grave a line is.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub enum LogLevel {
    /// What rclone does and why, request by request.
    Debug,
    /// A line for every file.
    Info,
    /// What a user should know; rclone's own default.
    #[default]
    Notice,
    /// What may be wrong.
    Warning,
    /// What is wrong, and worse.
    Error,
}

impl LogLevel {
    /// Go's numbers for levels: -4 debug, 0 info, 2 notice, 4 warning, 8 error, more for worse.
    pub(crate) fn from_slog(level: i32) -> Self {
        match level {
            ..0 => Self::Debug,
            0..2 => Self::Info,
            2..4 => Self::Notice,
            4..8 => Self::Warning,
            8.. => Self::Error,
        }
    }

    /// The value of rclone's option `log_level`.
    pub(crate) fn as_option(self) -> &'static str {
        match self {
            Self::Debug => "DEBUG",
            Self::Info => "INFO",
            Self::Notice => "NOTICE",
            Self::Warning => "WARNING",
            Self::Error => "ERROR",
        }
    }
}

/// One line of rclone's log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LogLine {
    pub(crate) level: LogLevel,
    /// The stats group of the job that it belongs to, where rclone tells; else empty.
    pub(crate) group: String,
    /// The path or the remote that it speaks of; may be empty.
    pub(crate) object: String,
    pub(crate) text: String,
}

impl LogLine {
    /// Whether rclone prints a whole request or reply here, which may hold passwords. Errors of
    /// calls come back as errors, so nothing is lost.
    pub(crate) fn echoes_a_call(&self) -> bool {
        self.object.is_empty() && self.text.starts_with("rc: ")
    }

    /// Hands the line to tracing, under the target `rclone`.
    pub(crate) fn trace(&self) {
        let Self { object, text, .. } = self;
        match self.level {
            LogLevel::Debug => tracing::debug!(target: "rclone", object, "{text}"),
            LogLevel::Info | LogLevel::Notice => tracing::info!(target: "rclone", object, "{text}"),
            LogLevel::Warning => tracing::warn!(target: "rclone", object, "{text}"),
            LogLevel::Error => tracing::error!(target: "rclone", object, "{text}"),
        }
    }
}
