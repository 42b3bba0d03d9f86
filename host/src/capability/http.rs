//! Outgoing requests over HTTP.
//!
//! Configuration: `limits` (`http_body`, `http_wall`). Grant: `http`, origins with methods
//! ([`Need::Request`](copal_core::grants::Need::Request)). Both are read in `copal-core`.
//!
//! A name is looked up once, its addresses are judged, and what was judged is what is connected to.
//! Nothing is followed, nothing is remembered, and no proxy of the environment is asked.

mod lookup;

use std::io::{self, Read};
use std::net::{IpAddr, SocketAddr};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use copal_core::grants::{Host, is_private};
use copal_core::units::ByteCount;
use copal_hooks::{Call, CapabilityError, HttpRequest, HttpResponse};
use ureq::Agent;
use ureq::http::request::Builder;
use ureq::http::{HeaderName, HeaderValue, Request, Uri};
use ureq::tls::{RootCerts, TlsConfig};
use ureq::unversioned::transport::DefaultConnector;

pub use self::lookup::Lookup;
use self::lookup::Pinned;

/// Between two looks at whether the answer is still wanted.
const LOOK: Duration = Duration::from_millis(20);

/// Sends a request, and waits for the whole answer.
pub(super) fn send(
    lookup: &Lookup,
    call: &Call<'_>,
    request: &HttpRequest,
) -> Result<HttpResponse, CapabilityError> {
    let limits = Limits::of(call);
    limits.check_request(request)?;
    let (lookup, request) = (lookup.clone(), request.clone());
    within(limits, call, move |deadline| {
        exchange(&lookup, &request, limits, deadline)
    })
}

/// In a dry run nothing is sent. Where the name leads is looked up all the same: whether a real run would
/// be refused the request is what one wants to know before it.
pub(super) fn recorded_send(
    lookup: &Lookup,
    call: &Call<'_>,
    request: &HttpRequest,
) -> Result<HttpResponse, CapabilityError> {
    let limits = Limits::of(call);
    limits.check_request(request)?;
    message(request)?;
    let (lookup, request) = (lookup.clone(), request.clone());
    within(limits, call, move |_| addresses(&lookup, &request))?;
    Ok(HttpResponse {
        status: 200,
        headers: Vec::new(),
        body: Vec::new(),
    })
}

/// Waits for what is done until a deadline, or gives it up.
fn within<T: Send + 'static>(
    limits: Limits,
    call: &Call<'_>,
    what: impl FnOnce(Instant) -> Result<T, CapabilityError> + Send + 'static,
) -> Result<T, CapabilityError> {
    let deadline = Instant::now() + limits.wall;
    // On a thread of its own: neither looking a name up nor waiting for a byte can be interrupted.
    // One that is given up ends with its own deadline at the latest.
    let (answer, waiting) = mpsc::channel();
    thread::spawn(move || {
        // Nobody listens any more where it was given up.
        drop(answer.send(what(deadline)));
    });
    loop {
        match waiting.recv_timeout(LOOK) {
            Ok(answer) => return answer,
            Err(RecvTimeoutError::Disconnected) => {
                return Err(CapabilityError::Failed(
                    "the request failed in Copal itself".to_owned(),
                ));
            }
            Err(RecvTimeoutError::Timeout) if call.cancel.is_cancelled() => {
                return Err(CapabilityError::Interrupted);
            }
            Err(RecvTimeoutError::Timeout) if Instant::now() >= deadline + LOOK => {
                return Err(limits.timed_out());
            }
            Err(RecvTimeoutError::Timeout) => {}
        }
    }
}

#[derive(Clone, Copy)]
struct Limits {
    body: ByteCount,
    wall: Duration,
}

impl Limits {
    fn of(call: &Call<'_>) -> Self {
        Self {
            body: call.limits.http_body,
            wall: call.limits.http_wall,
        }
    }

    fn check_request(self, request: &HttpRequest) -> Result<(), CapabilityError> {
        if request.body.len() as u64 > self.body.0 {
            return Err(CapabilityError::Invalid(format!(
                "a body of {} bytes is more than {} (`http_body` in its `limits`)",
                request.body.len(),
                self.body
            )));
        }
        Ok(())
    }

    fn timed_out(self) -> CapabilityError {
        let wall = self.wall;
        CapabilityError::TimedOut(format!(
            "no answer within {wall:?} (`http_wall` in its `limits`)"
        ))
    }
}

fn exchange(
    lookup: &Lookup,
    request: &HttpRequest,
    limits: Limits,
    deadline: Instant,
) -> Result<HttpResponse, CapabilityError> {
    let addresses = addresses(lookup, request)?;
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() {
        return Err(limits.timed_out());
    }
    let to = request.origin.to_string();
    let failed = |error: ureq::Error| match error {
        ureq::Error::Timeout(_) => limits.timed_out(),
        error => CapabilityError::Failed(format!("{to}: {error}")),
    };
    let (agent, message) = (agent(addresses, left), message(request)?);
    let answer = if has_body(request) {
        let message = message.body(request.body.as_slice());
        message
            .map_err(ureq::Error::from)
            .and_then(|message| agent.run(message))
    } else {
        let message = message.body(());
        message
            .map_err(ureq::Error::from)
            .and_then(|message| agent.run(message))
    };
    let answer = answer.map_err(failed)?;
    let (parts, body) = answer.into_parts();
    let mut read = Vec::new();
    let mut reader = body.into_reader().take(limits.body.0 + 1);
    reader
        .read_to_end(&mut read)
        .map_err(|error| match error.kind() {
            io::ErrorKind::TimedOut => limits.timed_out(),
            _ if Instant::now() >= deadline => limits.timed_out(),
            _ => CapabilityError::Failed(format!("{to}: the answer broke off: {error}")),
        })?;
    if read.len() as u64 > limits.body.0 {
        let most = limits.body;
        return Err(CapabilityError::Failed(format!(
            "{to}: the body of the answer is more than {most} (`http_body` in the hook's `limits`)"
        )));
    }
    let headers = parts.headers.iter();
    Ok(HttpResponse {
        status: parts.status.as_u16(),
        headers: headers
            .map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec()))
            .collect(),
        body: read,
    })
}

/// The addresses that may be connected to.
fn addresses(lookup: &Lookup, request: &HttpRequest) -> Result<Vec<SocketAddr>, CapabilityError> {
    let found = match request.origin.host() {
        Host::Address(address) => vec![*address],
        Host::Name(name) => lookup.addresses(name).map_err(|error| {
            CapabilityError::Failed(format!(
                "{}: can't look the name up: {error}",
                request.origin
            ))
        })?,
    };
    let may_be_private = request.private || request.origin.is_private_by_name();
    let is_fine = |address: &IpAddr| may_be_private || is_private(*address).is_none();
    let (fine, refused): (Vec<_>, Vec<_>) = found.into_iter().partition(is_fine);
    match (fine.is_empty(), refused.first()) {
        (true, Some(private)) => Err(CapabilityError::Private(*private)),
        (true, None) => Err(CapabilityError::Failed(format!(
            "{}: the name has no address",
            request.origin
        ))),
        _ => {
            let port = request.origin.port();
            Ok(fine
                .into_iter()
                .map(|address| SocketAddr::new(address, port))
                .collect())
        }
    }
}

/// One that connects to these addresses alone. It serves one request: nothing of it is left over.
fn agent(addresses: Vec<SocketAddr>, wall: Duration) -> Agent {
    let tls = TlsConfig::builder()
        .root_certs(RootCerts::PlatformVerifier)
        .build();
    let config = Agent::config_builder()
        .tls_config(tls)
        .proxy(None)
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .allow_non_standard_methods(true)
        .timeout_global(Some(wall))
        .user_agent(concat!("copal/", env!("CARGO_PKG_VERSION")))
        .accept_encoding("identity")
        .build();
    Agent::with_parts(config, DefaultConnector::default(), Pinned(addresses))
}

/// The request as it leaves, before its body.
fn message(request: &HttpRequest) -> Result<Builder, CapabilityError> {
    let invalid = |what: &str| CapabilityError::Invalid(format!("{what} can't be sent"));
    let uri = Uri::try_from(request.url().expose()).map_err(|_| invalid("the URL"))?;
    let mut message = Request::builder().method(request.method.as_str()).uri(uri);
    let headers = message
        .headers_mut()
        .ok_or_else(|| invalid("the request"))?;
    for (name, value) in &request.headers {
        let header = (
            HeaderName::from_bytes(name.as_bytes()),
            HeaderValue::from_bytes(value),
        );
        let (Ok(name), Ok(value)) = header else {
            return Err(invalid(&format!("the header `{}`", name.escape_debug())));
        };
        headers.append(name, value);
    }
    for (name, value) in &request.secret_headers {
        let header = (
            HeaderName::from_bytes(name.as_bytes()),
            HeaderValue::from_bytes(value.expose()),
        );
        let (Ok(name), Ok(mut value)) = header else {
            return Err(invalid(&format!("the header `{}`", name.escape_debug())));
        };
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    Ok(message)
}

/// A request that needs no body and has none is sent without a length.
fn has_body(request: &HttpRequest) -> bool {
    !request.body.is_empty() || matches!(request.method.as_str(), "POST" | "PUT" | "PATCH")
}

#[cfg(test)]
#[path = "http_tests.rs"]
mod tests;
