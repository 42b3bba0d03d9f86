//! The way through `wasi:http`.

use std::time::Duration;

use super::bindings::wasi::http::outgoing_handler;
use super::bindings::wasi::http::types::{
    ErrorCode, Fields, IncomingBody, IncomingResponse, Method, OutgoingBody, OutgoingRequest,
    RequestOptions, Scheme,
};
use super::bindings::wasi::io::streams::StreamError;
use super::response::Response;
use super::url::Url;
use crate::{Denial, Error};

/// The most that `blocking-write-and-flush` takes at once.
const WRITE: usize = 4096;

/// How much to ask for at once.
const READ: u64 = 64 << 10;

pub(super) fn send(
    method: &str,
    url: &Url<'_>,
    headers: &[(String, Vec<u8>)],
    body: &[u8],
    timeout: Option<Duration>,
) -> Result<Response, Error> {
    let to = Addressee {
        method: method.to_ascii_uppercase(),
        origin: url.origin(),
    };
    let (request, outgoing) = to.request(url, headers)?;
    let options = timeout.map(options);
    let future = outgoing_handler::handle(request, options).map_err(|code| to.error(&code))?;
    to.write(outgoing, body)?;
    future.subscribe().block();
    match future.get() {
        Some(Ok(Ok(response))) => to.read(&response),
        Some(Ok(Err(code))) => Err(to.error(&code)),
        Some(Err(())) | None => Err(to.failed("the answer could not be had")),
    }
}

/// Who is asked how; what errors name.
struct Addressee {
    method: String,
    origin: String,
}

impl Addressee {
    fn request(
        &self,
        url: &Url<'_>,
        headers: &[(String, Vec<u8>)],
    ) -> Result<(OutgoingRequest, OutgoingBody), Error> {
        let fields = Fields::from_list(headers)
            .map_err(|error| self.invalid(&format!("its headers can't be sent: {error}")))?;
        let request = OutgoingRequest::new(fields);
        let scheme = if url.secure {
            Scheme::Https
        } else {
            Scheme::Http
        };
        let set = request
            .set_method(&named(&self.method))
            .and_then(|()| request.set_scheme(Some(&scheme)))
            .and_then(|()| request.set_authority(Some(url.authority)))
            .and_then(|()| request.set_path_with_query(Some(&url.path_and_query)));
        set.map_err(|()| self.invalid("its method or its URL can't be sent"))?;
        let body = request
            .body()
            .map_err(|()| self.invalid("it has no body to write"))?;
        Ok((request, body))
    }

    fn write(&self, outgoing: OutgoingBody, body: &[u8]) -> Result<(), Error> {
        let stream = outgoing
            .write()
            .map_err(|()| self.failed("its body could not be sent"))?;
        for chunk in body.chunks(WRITE) {
            // Whoever does not want the body says why in the answer.
            if stream.blocking_write_and_flush(chunk).is_err() {
                break;
            }
        }
        drop(stream);
        OutgoingBody::finish(outgoing, None).map_err(|code| self.error(&code))
    }

    fn read(&self, response: &IncomingResponse) -> Result<Response, Error> {
        let status = response.status();
        let headers = response.headers().entries();
        let unreadable = |()| self.failed("its answer could not be read");
        let incoming = response.consume().map_err(unreadable)?;
        let body = self.read_body(&incoming)?;
        Ok(Response {
            status,
            headers,
            body,
            origin: self.origin.clone(),
            is_quoted: true,
        })
    }

    fn read_body(&self, incoming: &IncomingBody) -> Result<Vec<u8>, Error> {
        let stream = incoming
            .stream()
            .map_err(|()| self.failed("its answer could not be read"))?;
        let mut body = Vec::new();
        loop {
            match stream.blocking_read(READ) {
                Ok(bytes) => body.extend_from_slice(&bytes),
                Err(StreamError::Closed) => return Ok(body),
                Err(StreamError::LastOperationFailed(error)) => {
                    return Err(self.failed(&error.to_debug_string()));
                }
            }
        }
    }

    fn error(&self, code: &ErrorCode) -> Error {
        match code {
            ErrorCode::HttpRequestDenied | ErrorCode::DestinationIpProhibited => self.denied(),
            ErrorCode::DnsTimeout
            | ErrorCode::ConnectionTimeout
            | ErrorCode::ConnectionReadTimeout
            | ErrorCode::ConnectionWriteTimeout
            | ErrorCode::HttpResponseTimeout => Error::TimedOut(self.about(&what(code))),
            ErrorCode::HttpRequestMethodInvalid
            | ErrorCode::HttpRequestUriInvalid
            | ErrorCode::HttpRequestUriTooLong => self.invalid(&what(code)),
            _ => self.failed(&what(code)),
        }
    }

    /// Copal knows the denial by what was asked, and adds the line that would grant it.
    fn denied(&self) -> Error {
        Error::Denied(Denial {
            capability: "http".into(),
            requested: format!("{} {}", self.method, self.origin),
            remedy: String::new(),
        })
    }

    fn invalid(&self, why: &str) -> Error {
        Error::Invalid(self.about(why))
    }

    fn failed(&self, why: &str) -> Error {
        Error::Failed(self.about(why))
    }

    fn about(&self, why: &str) -> String {
        format!("{} {}: {why}", self.method, self.origin)
    }
}

/// `connection-refused` as its name, and what is told beside it.
fn what(code: &ErrorCode) -> String {
    match code {
        ErrorCode::InternalError(Some(why)) => why.clone(),
        ErrorCode::InternalError(None) => "no reason was given".into(),
        ErrorCode::ConnectionRefused => "the connection was refused".into(),
        ErrorCode::ConnectionTerminated => "the connection was cut".into(),
        ErrorCode::DnsError(_) | ErrorCode::DestinationNotFound => "no such host".into(),
        ErrorCode::TlsCertificateError => "its certificate is not trusted".into(),
        ErrorCode::HttpResponseIncomplete => "the answer was cut short".into(),
        ErrorCode::HttpResponseBodySize(_) => "the answer is too large".into(),
        ErrorCode::HttpRequestBodySize(_) => "the request is too large".into(),
        ErrorCode::HttpResponseTimeout
        | ErrorCode::ConnectionTimeout
        | ErrorCode::ConnectionReadTimeout => "no answer came in time".into(),
        other => format!("{other:?}"),
    }
}

fn options(timeout: Duration) -> RequestOptions {
    let options = RequestOptions::new();
    let nanoseconds = u64::try_from(timeout.as_nanos()).unwrap_or(u64::MAX);
    // A host that knows no such limit has one of its own.
    let _known = options.set_connect_timeout(Some(nanoseconds));
    let _known = options.set_first_byte_timeout(Some(nanoseconds));
    let _known = options.set_between_bytes_timeout(Some(nanoseconds));
    options
}

fn named(method: &str) -> Method {
    match method {
        "GET" => Method::Get,
        "HEAD" => Method::Head,
        "POST" => Method::Post,
        "PUT" => Method::Put,
        "DELETE" => Method::Delete,
        "CONNECT" => Method::Connect,
        "OPTIONS" => Method::Options,
        "TRACE" => Method::Trace,
        "PATCH" => Method::Patch,
        other => Method::Other(other.to_owned()),
    }
}
