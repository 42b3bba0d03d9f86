//! Errors in B2's shape: <https://www.backblaze.com/docs/cloud-storage-call-the-native-api>.

use std::fmt::Display;

/// A call that is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct B2Error {
    /// HTTP's status.
    pub status: u16,
    /// B2's code, for programs.
    pub code: &'static str,
    /// A sentence for people.
    pub message: String,
    /// After how many seconds to come back.
    pub retry_after: Option<u32>,
}

impl B2Error {
    pub(crate) fn new(status: u16, code: &'static str, message: impl Display) -> Self {
        Self {
            status,
            code,
            message: message.to_string(),
            retry_after: None,
        }
    }

    pub(crate) fn bad_request(message: impl Display) -> Self {
        Self::new(400, "bad_request", message)
    }

    pub(crate) fn unauthorized(message: impl Display) -> Self {
        Self::new(401, "unauthorized", message)
    }

    pub(crate) fn not_found(message: impl Display) -> Self {
        Self::new(404, "not_found", message)
    }

    pub(crate) fn no_such_bucket(id: &str) -> Self {
        Self::new(400, "bad_bucket_id", format!("bucket {id} does not exist"))
    }

    pub(crate) fn no_such_file(id: &str) -> Self {
        Self::new(400, "file_not_present", format!("file not present: {id}"))
    }

    /// The server's own disk failed it.
    pub(crate) fn broken(error: std::io::Error) -> Self {
        Self::new(500, "internal_error", error)
    }

    pub(crate) fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    pub(crate) fn to_json(&self) -> serde_json::Value {
        serde_json::json!({
            "status": self.status, "code": self.code, "message": self.message,
        })
    }
}
