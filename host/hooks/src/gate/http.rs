//! Requests over HTTP.

use std::sync::Arc;
use std::time::Duration;

use copal_core::grants::{Capability, Method, Need, Origin};
use http::HeaderName;
use http::request::Parts;
use tokio::task::spawn_blocking;

use super::secrets::Place;
use super::{Answer, Asked, Gate, Pass};
use crate::answer::GuestError;
use crate::gate::pass::Failed;
use crate::outgoing::PATH;
use crate::plural::bytes;
use crate::{Cancel, CapabilityError, FailureKind, HttpRequest, HttpResponse, SecretBytes};

/// How much longer than the deed itself is waited: its own words about a timeout are better.
const PATIENCE: Duration = Duration::from_millis(30);

/// A request that was let through, before its body is there.
pub(crate) struct Granted {
    pass: Arc<Pass>,
    request: HttpRequest,
    /// Thrown when nobody waits for the answer any more.
    given_up: GivenUp,
}

/// Gives a deed up when it is dropped.
struct GivenUp(Cancel);

impl Drop for GivenUp {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

/// Headers that only the host sets: they decide where a request goes and where its body ends.
pub(crate) fn is_host_only(name: &HeaderName) -> bool {
    let name = name.as_str();
    name.starts_with("proxy-")
        || matches!(
            name,
            "connection"
                | "content-length"
                | "expect"
                | "host"
                | "http2-settings"
                | "keep-alive"
                | "te"
                | "trailer"
                | "transfer-encoding"
                | "upgrade"
        )
}

impl Gate {
    /// Lets a request through, or not. Its body is not looked at.
    pub(crate) fn http_send(&mut self, parts: &Parts) -> Answer<Granted> {
        let answer = self.http_pass(parts);
        if let (Ok(Err(refused)), Some(line)) = (&answer, self.ledger.last()) {
            self.refusals.note_http(line, failure(refused));
        }
        answer
    }

    fn http_pass(&mut self, parts: &Parts) -> Answer<Granted> {
        let uri = &parts.uri;
        let scheme = uri.scheme_str().unwrap_or_default();
        let authority = uri.authority().map_or("", |authority| authority.as_str());
        let origin = origin(&format!("{scheme}://{authority}"));
        let method = method(parts.method.as_str());
        let path = path(uri.path_and_query().map_or("", |path| path.as_str()));
        let need = match (&method, &origin) {
            (Ok(method), Ok(origin)) => Ok(Need::Request {
                method: method.clone(),
                origin: origin.clone(),
                private: false,
            }),
            (Err(why), _) | (_, Err(why)) => Err(why.clone()),
        };
        let shown = path.as_deref().unwrap_or("");
        let asked = Asked::of(Capability::Http, "send")
            .with("method", parts.method.as_str())
            .with("url", format!("{scheme}://{authority}{shown}"))
            .needing(need)
            .unless(path.clone().err());
        let pass = match self.pass(asked)? {
            Ok(pass) => pass,
            Err(refused) => return Ok(Err(refused)),
        };
        let (Ok(method), Ok(origin), Ok(path)) = (method, origin, path) else {
            return Ok(Err(GuestError::Invalid("not a request".to_owned())));
        };
        let given_up = self.cancel.child();
        let pass = pass.cancelled_by(given_up.clone());
        Ok(Ok(Granted {
            pass: Arc::new(pass),
            request: self.request(method, origin, path, &parts.headers),
            given_up: GivenUp(given_up),
        }))
    }

    fn request(
        &self,
        method: Method,
        origin: Origin,
        path: String,
        headers: &http::HeaderMap,
    ) -> HttpRequest {
        let private = self.in_force.cover(&Need::Request {
            method: method.clone(),
            origin: origin.clone(),
            private: true,
        });
        let mut secret_headers = Vec::new();
        let mut secret_path = None;
        for bound in self.bound.iter().filter(|bound| bound.origin == origin) {
            match &bound.place {
                Place::Header(name) => {
                    secret_headers.push((name.as_str().to_owned(), bound.value.clone()));
                }
                Place::Path(placeholder) => {
                    let before: &str = secret_path.as_deref().unwrap_or(&path);
                    if before.contains(placeholder) {
                        // It was looked at when it was bound.
                        let value = String::from_utf8_lossy(bound.value.expose());
                        secret_path = Some(before.replace(placeholder, &value));
                    }
                }
            }
        }
        let is_secret = |name: &HeaderName| {
            secret_headers
                .iter()
                .any(|(secret, _)| secret == name.as_str())
        };
        let headers = headers
            .iter()
            .filter(|(name, _)| !is_host_only(name) && !is_secret(name))
            .map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec()))
            .collect();
        HttpRequest {
            method,
            origin,
            path,
            secret_path: secret_path.map(SecretBytes::new),
            private,
            headers,
            secret_headers,
            body: Vec::new(),
        }
    }
}

impl Granted {
    /// Sends it with its body, and waits for the answer at most `wall`.
    pub(crate) async fn send(self, body: Vec<u8>, wall: Duration) -> Answer<HttpResponse> {
        let Self {
            pass,
            mut request,
            given_up: _given_up,
        } = self;
        request.body = body;
        pass.note("body", bytes(request.body.len()));
        let (method, origin) = (request.method.clone(), request.origin.clone());
        let done = {
            let pass = Arc::clone(&pass);
            spawn_blocking(move || pass.run(|host, call| host.http(call, &request)))
        };
        let result = match tokio::time::timeout(wall + PATIENCE, done).await {
            Ok(Ok(result)) => result,
            // The deed's panics are caught in it; this is the runtime, at its end.
            Ok(Err(error)) => Err(Failed::Panicked(error.to_string())),
            Err(_) => Err(Failed::Deed(CapabilityError::TimedOut(format!(
                "no answer within {wall:?} (`http_wall` in its `limits`)"
            )))),
        };
        if let Err(Failed::Deed(CapabilityError::Private(address))) = result {
            let denied = pass.private(method, origin, address);
            pass.give_up(&denied.to_string());
            pass.note_refusal(failure(&denied));
            return Ok(Err(denied));
        }
        pass.end(result, |response| response.status.to_string())
    }

    /// Writes down that it was never sent.
    pub(crate) fn give_up(&self, why: &str) {
        self.pass.give_up(why);
    }
}

/// What a refused request is as the failure of its hook.
fn failure(refused: &GuestError) -> FailureKind {
    match refused {
        GuestError::Denied(denial) => FailureKind::Denied(Box::new(denial.clone())),
        other => FailureKind::Error {
            code: "invalid".to_owned(),
            message: other.to_string(),
        },
    }
}

fn origin(text: &str) -> Result<Origin, String> {
    let shown: String = text.chars().take(300).collect();
    text.parse()
        .map_err(|why| format!("`{}` is nowhere to send to: {why}", shown.escape_debug()))
}

fn method(text: &str) -> Result<Method, String> {
    text.parse()
        .map_err(|why| format!("the method `{}`: {why}", text.escape_debug()))
}

/// Path and query, of printable ASCII alone.
fn path(text: &str) -> Result<String, String> {
    if text.len() > PATH {
        return Err(format!("a path of {} bytes", text.len()));
    }
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("the path holds characters that stand in none; percent-encode them".to_owned());
    }
    Ok(match text.as_bytes().first() {
        Some(b'/') => text.to_owned(),
        _ => format!("/{text}"),
    })
}
