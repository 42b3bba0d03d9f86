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
    /// Path and query as the hook wrote them and as they are shown, beginning with a slash:
    /// `/backups?x=1`, `/ping/{check}`. Printable ASCII.
    pub path: String,
    /// The same with the owner's secrets in their places, where there are any.
    pub secret_path: Option<SecretBytes>,
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
    /// All of where it goes, as it is to be sent and not to be shown: `https://ntfy.sh/backups?x=1`. No
    /// user, no fragment.
    pub fn url(&self) -> SecretBytes {
        let path = self.secret_path.as_ref();
        let path = path.map_or(self.path.as_bytes(), SecretBytes::expose);
        SecretBytes::new([self.origin.to_string().as_bytes(), path].concat())
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
