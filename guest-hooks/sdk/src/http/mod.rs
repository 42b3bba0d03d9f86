//! Requests over HTTP, as far as the owner granted them (`http`). Not for filters.
//!
//! ```no_run
//! # fn main() -> Result<(), copal_hook_sdk::Error> {
//! use copal_hook_sdk::http;
//!
//! let response = http::post("https://ntfy.sh/backups")
//!     .header("title", "Backup")
//!     .secret_header("authorization", "Bearer ", "token")
//!     .body("All is well.")
//!     .send()?
//!     .ok()?;
//! assert!(response.status < 300);
//! # Ok(())
//! # }
//! ```
//!
//! A redirect is an answer like any other: Copal follows none. Bodies are whole before and after
//! they travel, and may have 8 MiB unless configured otherwise.

mod bindings;
mod response;
mod send;
mod url;

use std::time::Duration;

use serde::Serialize;

use crate::{Error, secrets};

pub use response::Response;

use url::Url;

/// A request that asks for something.
pub fn get(url: &str) -> Request {
    Request::new("GET", url)
}

/// A request that asks for an answer's headers alone.
pub fn head(url: &str) -> Request {
    Request::new("HEAD", url)
}

/// A request that hands something over.
pub fn post(url: &str) -> Request {
    Request::new("POST", url)
}

/// A request that puts something in a place.
pub fn put(url: &str) -> Request {
    Request::new("PUT", url)
}

/// A request that takes something away.
pub fn delete(url: &str) -> Request {
    Request::new("DELETE", url)
}

/// A request in the making.
#[derive(Debug, Clone)]
#[must_use = "it is `send` that sends it"]
pub struct Request {
    method: String,
    url: String,
    headers: Vec<(String, Vec<u8>)>,
    secrets: Vec<SecretHeader>,
    secrets_in_path: Vec<String>,
    body: Result<Vec<u8>, Error>,
    timeout: Option<Duration>,
}

/// A header whose value this component never sees.
#[derive(Debug, Clone)]
struct SecretHeader {
    header: String,
    prefix: String,
    secret: String,
}

impl Request {
    /// A request with a method of one's own: `PATCH`.
    pub fn new(method: &str, url: &str) -> Self {
        Self {
            method: method.to_owned(),
            url: url.to_owned(),
            headers: Vec::new(),
            secrets: Vec::new(),
            secrets_in_path: Vec::new(),
            body: Ok(Vec::new()),
            timeout: None,
        }
    }

    /// Adds a header.
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        let header = (name.to_ascii_lowercase(), value.as_ref().to_vec());
        self.headers.push(header);
        self
    }

    /// Has Copal set a header to `prefix` followed by the secret of that name as the request leaves
    /// (grant: `secrets`). Later requests of the same call to the same origin carry it too.
    pub fn secret_header(mut self, header: &str, prefix: &str, secret: &str) -> Self {
        self.secrets.push(SecretHeader {
            header: header.to_owned(),
            prefix: prefix.to_owned(),
            secret: secret.to_owned(),
        });
        self
    }

    /// Has Copal write the secret of that name in the place of `{name}` in the URL's path or query as the
    /// request leaves (grant: `secrets`), and in later requests of the same call to the same origin.
    pub fn secret_in_path(mut self, secret: &str) -> Self {
        self.secrets_in_path.push(secret.to_owned());
        self
    }

    /// Gives it a body.
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = Ok(body.into());
        self
    }

    /// Gives it a body of JSON, and the header that says so.
    pub fn json(mut self, value: &impl Serialize) -> Self {
        self.body = serde_json::to_vec(value)
            .map_err(|error| Error::Invalid(format!("a body that can't be JSON: {error}")));
        self.header("content-type", "application/json")
    }

    /// How long to wait for an answer, where that is less than what the owner allows.
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.timeout = Some(limit);
        self
    }

    /// Sends it and waits for the answer, whatever its status.
    ///
    /// Errors: `invalid` for a URL, method or header that is none; `denied` where the owner's
    /// grants do not cover it; `timed-out`; `failed` where no answer came. They name the origin
    /// and nothing behind it, since a URL can be a secret of its own.
    pub fn send(self) -> Result<Response, Error> {
        let url = Url::parse(&self.url)?;
        let origin = url.origin();
        for SecretHeader {
            header,
            prefix,
            secret,
        } in &self.secrets
        {
            secrets::bind_header(secret, &origin, header, prefix)?;
        }
        for secret in &self.secrets_in_path {
            secrets::bind_path(secret, &origin)?;
        }
        let response = send::send(&self.method, &url, &self.headers, &self.body?, self.timeout)?;
        let is_secretive = !self.secrets.is_empty() || !self.secrets_in_path.is_empty();
        Ok(if is_secretive {
            response.unquoted()
        } else {
            response
        })
    }
}
