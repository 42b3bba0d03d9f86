//! Requests over HTTP.

use copal_core::grants::{Method, Origin};

use super::SecretBytes;

/// A request that a hook wants to have sent, found granted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpRequest {
    /// The method: `GET`.
    pub method: Method,
    /// Where it goes.
    pub origin: Origin,
    /// Path and query, beginning with a slash: `/backups?x=1`. Printable ASCII.
    pub path: String,
    /// Whether the host's name may lead to a private address.
    pub private: bool,
    /// Headers of the hook's, names in lower case. None of those that only the host sets (`host`,
    /// `content-length`, …).
    pub headers: Vec<(String, Vec<u8>)>,
    /// Headers that hold secrets of the owner's; they take the place of the hook's of the same name.
    pub secret_headers: Vec<(String, SecretBytes)>,
    /// The whole body.
    pub body: Vec<u8>,
}

impl HttpRequest {
    /// All of where it goes: `https://ntfy.sh/backups?x=1`. No user, no fragment.
    pub fn url(&self) -> String {
        format!("{}{}", self.origin, self.path)
    }
}

/// The answer to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpResponse {
    /// The status: 200.
    pub status: u16,
    /// Its headers, names in lower case.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The whole body.
    pub body: Vec<u8>,
}
