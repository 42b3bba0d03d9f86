//! What can go wrong with rclone, sorted by what a person would do about it.

use std::sync::Arc;
use std::time::Duration;

use crate::attempt::NO_REASON;
use crate::options::OptionProblem;
use crate::remote::InvalidRemote;

/// The sort of a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// A file or directory is not there.
    NotFound,
    /// The request was wrong; a fault of the caller's.
    BadRequest,
    /// No section of the configuration has this name, or no backend.
    UnknownRemote,
    /// The remote refuses the key, the password or the permission.
    Auth,
    /// The remote refuses, since this machine's clock is wrong.
    Clock,
    /// The remote's own limit on space or transactions is reached.
    Quota,
    /// A local disk is full.
    DiskFull,
    /// A local file or directory may not be read or written.
    PermissionDenied,
    /// The remote could not be reached.
    Network,
    /// rclone's configuration is encrypted, and there is no password, or a wrong one.
    ConfigLocked,
    /// rclone's configuration can't be read or understood.
    ConfigUnreadable,
    /// The call or job was cancelled.
    Cancelled,
    /// No answer within the deadline.
    Timeout,
    /// The worker process is gone.
    WorkerDied,
    /// The worker's answer made no sense.
    Protocol,
    /// Anything else.
    Other,
}

impl ErrorKind {
    /// Whether trying again could help.
    pub(crate) fn may_pass(self) -> bool {
        matches!(self, Self::Network | Self::NotFound | Self::Other)
    }
}

/// A file that a copy could not bring over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileProblem {
    /// Relative to the source of the copy.
    pub path: String,
    /// In rclone's words where it gave any.
    pub why: String,
}

/// A failure of rclone or of the process that it runs in. Every text in it is free of secrets.
#[derive(Clone, Debug, thiserror::Error)]
pub enum RcloneError {
    /// rclone answered with an error.
    #[error("{message}")]
    Call {
        /// The method of rclone's remote control.
        method: String,
        /// What sort of error it is.
        kind: ErrorKind,
        /// rclone's words.
        message: String,
    },
    /// A copy ended, and not all of its files arrived.
    #[error("{}", describe_copy(message, files))]
    Copy {
        /// What sort of error ended it.
        kind: ErrorKind,
        /// rclone's words; may be empty where `files` says it all.
        message: String,
        /// Each file that is known to be missing or unreadable.
        files: Vec<FileProblem>,
    },
    /// No answer came in time. The call was asked to stop; the worker lives.
    #[error("rclone did not answer `{method}` within {} s", deadline.as_secs_f32())]
    Timeout {
        /// The method of rclone's remote control.
        method: String,
        /// How long was waited.
        deadline: Duration,
    },
    /// The worker process is gone, and with it whatever it was doing.
    #[error("the rclone worker ended unexpectedly ({status}){}", told(last_stderr))]
    WorkerDied {
        /// How it ended: `exit status: 1`, `signal: 9 (SIGKILL)`.
        status: String,
        /// The last lines that it wrote, if any.
        last_stderr: String,
    },
    /// The worker process could not be started.
    #[error("the rclone worker can't be started: {0}")]
    Spawn(Arc<std::io::Error>),
    /// The names of the files to copy could not be handed over.
    #[error("the list of files can't be written: {0}")]
    FileList(Arc<std::io::Error>),
    /// Options that rclone or Copal does not take.
    #[error("{}", describe_options(.0))]
    Options(Vec<OptionProblem>),
    /// A text that names no remote.
    #[error(transparent)]
    Remote(#[from] InvalidRemote),
    /// The worker said something that can't be understood.
    #[error("the rclone worker's answer to `{method}` makes no sense: {why}")]
    Protocol {
        /// The method that was called.
        method: String,
        /// What is wrong with the answer.
        why: String,
    },
}

impl RcloneError {
    /// Whether it is that files are gone, or can't be read where they lie. What a server refuses, it may refuse of all.
    pub fn is_of_single_files(&self) -> bool {
        // Go's words for EIO, as of a bad sector.
        let is_of_disk = |why: &str| why.contains("input/output error");
        match (self.kind(), self) {
            (ErrorKind::NotFound | ErrorKind::PermissionDenied, _) => true,
            (ErrorKind::Other, Self::Copy { files, .. }) if !files.is_empty() => files
                .iter()
                .all(|file| file.why == NO_REASON || is_of_disk(&file.why)),
            (ErrorKind::Other, Self::Call { message, .. } | Self::Copy { message, .. }) => {
                is_of_disk(message)
            }
            _ => false,
        }
    }

    /// What sort of failure this is.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Call { kind, .. } | Self::Copy { kind, .. } => *kind,
            Self::Timeout { .. } => ErrorKind::Timeout,
            Self::WorkerDied { .. } | Self::Spawn(_) => ErrorKind::WorkerDied,
            Self::FileList(error) => classify(0, &error.to_string()),
            Self::Options(_) | Self::Remote(_) => ErrorKind::BadRequest,
            Self::Protocol { .. } => ErrorKind::Protocol,
        }
    }
}

fn describe_copy(message: &str, files: &[FileProblem]) -> String {
    const SHOWN: usize = 5;
    let named = files.iter().take(SHOWN);
    let mut texts: Vec<_> = named
        .map(|FileProblem { path, why }| format!("{path}: {why}"))
        .collect();
    if !message.is_empty() {
        texts.insert(0, message.to_owned());
    }
    if files.len() > SHOWN {
        texts.push(format!("and {} more", files.len() - SHOWN));
    }
    texts.join("; ")
}

fn describe_options(problems: &[OptionProblem]) -> String {
    let texts: Vec<_> = problems.iter().map(ToString::to_string).collect();
    texts.join("; ")
}

/// What is said where rclone counted errors and their reasons are nowhere.
pub(crate) fn untold(errors: u64) -> String {
    format!("rclone counted {errors} errors and told none of them")
}

fn told(stderr: &str) -> String {
    if stderr.is_empty() {
        String::new()
    } else {
        format!(": {stderr}")
    }
}

/// Substrings of rclone's error texts, in lower case; the first that is found decides.
const SIGNS: &[(&str, ErrorKind)] = &[
    ("context canceled", ErrorKind::Cancelled),
    (
        "didn't find section in config file",
        ErrorKind::UnknownRemote,
    ),
    ("didn't find backend called", ErrorKind::UnknownRemote),
    ("unable to decrypt configuration", ErrorKind::ConfigLocked),
    ("password command failed", ErrorKind::ConfigLocked),
    ("password-command returned empty", ErrorKind::ConfigLocked),
    ("incorrect password", ErrorKind::ConfigLocked),
    ("failed to load config file", ErrorKind::ConfigUnreadable),
    ("no space left on device", ErrorKind::DiskFull),
    ("file too big for remaining disk space", ErrorKind::DiskFull),
    ("disk quota exceeded", ErrorKind::DiskFull),
    ("cap_exceeded", ErrorKind::Quota),
    ("quotaexceeded", ErrorKind::Quota),
    ("quota exceeded", ErrorKind::Quota),
    ("quota has been exceeded", ErrorKind::Quota),
    ("insufficient storage", ErrorKind::Quota),
    ("insufficient_space", ErrorKind::Quota),
    ("file not found", ErrorKind::NotFound),
    ("directory not found", ErrorKind::NotFound),
    ("object not found", ErrorKind::NotFound),
    ("no such file or directory", ErrorKind::NotFound),
    ("nosuchbucket", ErrorKind::NotFound),
    ("requesttimetooskewed", ErrorKind::Clock),
    ("permission denied (publickey", ErrorKind::Auth),
    ("unable to authenticate", ErrorKind::Auth),
    ("unauthorized", ErrorKind::Auth),
    ("invalid_grant", ErrorKind::Auth),
    ("invalidaccesskeyid", ErrorKind::Auth),
    ("signaturedoesnotmatch", ErrorKind::Auth),
    ("accessdenied", ErrorKind::Auth),
    ("access denied", ErrorKind::Auth),
    ("authenticationfailed", ErrorKind::Auth),
    ("bad_auth_token", ErrorKind::Auth),
    ("statuscode: 403", ErrorKind::Auth),
    ("403 forbidden", ErrorKind::Auth),
    ("permission denied", ErrorKind::PermissionDenied),
    ("operation not permitted", ErrorKind::PermissionDenied),
    ("read-only file system", ErrorKind::PermissionDenied),
    ("connection refused", ErrorKind::Network),
    ("connection reset", ErrorKind::Network),
    ("no such host", ErrorKind::Network),
    ("no route to host", ErrorKind::Network),
    ("network is unreachable", ErrorKind::Network),
    ("server misbehaving", ErrorKind::Network),
    ("i/o timeout", ErrorKind::Network),
    ("deadline exceeded", ErrorKind::Network),
    ("tls:", ErrorKind::Network),
    ("x509:", ErrorKind::Network),
    ("unexpected eof", ErrorKind::Network),
    ("dial tcp", ErrorKind::Network),
    ("couldn't find method", ErrorKind::BadRequest),
];

/// Sorts an error of rclone's by its HTTP status (0 where there is none) and its text.
pub(crate) fn classify(status: u16, message: &str) -> ErrorKind {
    let lower = message.to_ascii_lowercase();
    let sign = SIGNS.iter().find(|(sign, _)| lower.contains(sign));
    match (status, sign) {
        (400, _) => ErrorKind::BadRequest,
        (_, Some(&(_, kind))) => kind,
        (404, None) => ErrorKind::NotFound,
        _ => ErrorKind::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Texts as rclone 1.76 gave them.
    #[test]
    fn rclones_errors_are_sorted_by_what_to_do_about_them() {
        use ErrorKind::*;
        let table = [
            (404, "directory not found", NotFound),
            (404, "couldn't find method \"a/b\"", BadRequest),
            (400, "Didn't find key \"fs\" in input", BadRequest),
            (
                500,
                "didn't find section in config file (\"nope\")",
                UnknownRemote,
            ),
            (500, "didn't find backend called \"nope\"", UnknownRemote),
            (500, "Unknown 401  (401 unauthorized)", Auth),
            (
                500,
                "operation error S3: ListObjectsV2, https response error StatusCode: 403, api error InvalidAccessKeyId",
                Auth,
            ),
            (
                500,
                "couldn't connect SSH: ssh: handshake failed: ssh: unable to authenticate",
                Auth,
            ),
            (
                500,
                "operation error S3: PutObject, https response error StatusCode: 403, api error RequestTimeTooSkewed",
                Clock,
            ),
            (500, "Usage cap exceeded (403 cap_exceeded)", Quota),
            (500, "googleapi: Error 403: x, storageQuotaExceeded", Quota),
            (500, "write /mnt/x: no space left on device", DiskFull),
            (500, "open /srv/x: permission denied", PermissionDenied),
            (
                500,
                "dial tcp 127.0.0.1:1: connect: connection refused",
                Network,
            ),
            (500, "dial tcp: lookup nope.invalid: no such host", Network),
            (
                500,
                "panic received: fatal error: Failed to load config file \"/c\": unable to decrypt configuration and not allowed to ask for password",
                ConfigLocked,
            ),
            (
                500,
                "Failed to load config file \"/c\": open /c: permission denied",
                ConfigUnreadable,
            ),
            (500, "context canceled", Cancelled),
            (500, "something new", Other),
        ];
        for (status, text, kind) in table {
            assert_eq!(classify(status, text), kind, "{text}");
        }
    }

    #[test]
    fn a_failed_copy_names_a_few_files_and_counts_the_rest() {
        let problem = |path: &str| FileProblem {
            path: path.into(),
            why: "permission denied".into(),
        };
        let error = RcloneError::Copy {
            kind: ErrorKind::PermissionDenied,
            message: String::new(),
            files: ["a", "b", "c", "d", "e", "f", "g"].map(problem).to_vec(),
        };
        let text = error.to_string();
        assert!(text.starts_with("a: permission denied; b: "), "{text}");
        assert!(text.ends_with("; and 2 more"), "{text}");
    }
}
