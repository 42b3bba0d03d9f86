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
    /// A line of rclone's own log format, `2026/11/24 03:00:00 DEBUG : text`: so it writes to standard error until its
    /// log is taken over.
    pub(crate) fn of_stderr(line: &str) -> Option<Self> {
        let mut words = line.splitn(4, ' ');
        let (day, time) = (words.next()?, words.next()?);
        let is_time = |word: &str, separator: char| {
            let mut parts = word.split(separator);
            let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
            parts.by_ref().take(3).all(digits) && parts.next().is_none()
        };
        if !is_time(day, '/') || !is_time(time, ':') {
            return None;
        }
        let level = match words.next()? {
            "DEBUG" => LogLevel::Debug,
            "INFO" => LogLevel::Info,
            "NOTICE" | "NOTICE:" => LogLevel::Notice,
            "WARNING" | "WARNING:" => LogLevel::Warning,
            _ => return None,
        };
        let text = words.next()?.trim_start().trim_start_matches(": ");
        Some(Self {
            level,
            group: String::new(),
            object: String::new(),
            text: text.to_owned(),
        })
    }

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_rclone_writes_before_its_log_is_taken_over_keeps_its_level_and_echoes_no_call() {
        let echo = r#"2026/11/28 05:51:06 DEBUG : rc: "copal/set-options": reply map[]: <nil>"#;
        let echo = LogLine::of_stderr(echo).unwrap();
        assert!(
            echo.level == LogLevel::Debug && echo.echoes_a_call(),
            "{echo:?}"
        );
        let notice = LogLine::of_stderr("2026/11/28 05:51:06 NOTICE: a word").unwrap();
        assert_eq!((notice.level, &*notice.text), (LogLevel::Notice, "a word"));
        for other in [
            "panic: it is over",
            "",
            "2026/11/28 05:51:06 ERROR : no",
            "a b DEBUG : c",
        ] {
            assert_eq!(LogLine::of_stderr(other), None, "{other}");
        }
    }
}
