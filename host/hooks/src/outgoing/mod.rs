//! `wasi:http`, as far as the gate lets it: requests and answers are buffered, and what sends them is
//! the host's deed.

mod body;
mod bounds;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use tokio::sync::Semaphore;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

use self::body::{Buffered, Collected};
pub(crate) use self::bounds::{HEADERS, PATH, add_to_linker};
use crate::answer::GuestError;
use crate::budget::Budget;
use crate::gate::{Answer, Gate, Granted, is_host_only};
use crate::watch::Watch;
use crate::{HttpResponse, Limits};

type Io = Box<dyn Future<Output = Result<(), Error>> + Send>;
type Sent = Box<dyn Future<Output = Result<(Response<WasiBody>, Io), Error>> + Send>;

impl WasiHttpHooks for Gate {
    /// A guest may say how long its body is, and is held to it; the host says it anew.
    fn is_forbidden_header(&mut self, name: &HeaderName) -> bool {
        is_host_only(name) && name != http::header::CONTENT_LENGTH
    }

    /// Judged with the rest of the origin.
    fn is_supported_scheme(&mut self, _: &http::uri::Scheme) -> bool {
        true
    }

    /// The host's deed does.
    fn set_host_header(&mut self) -> bool {
        false
    }

    /// With the next, how much of a body waits until it is sent.
    fn p2_outgoing_body_buffer_chunks(&mut self) -> usize {
        1
    }

    fn p2_outgoing_body_chunk_size(&mut self) -> usize {
        CHUNK
    }

    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
        _: Io,
    ) -> Sent {
        let (parts, body) = request.into_parts();
        let watch = self.watch.clone();
        let granted = match told(&watch, self.http_send(&parts)) {
            Ok(granted) => granted,
            Err(error) => return Box::new(async { Err(error) }),
        };
        let limits = self.limits;
        let room = (Arc::clone(&self.line), self.budget.clone());
        let wall = wall(&limits, options);
        Box::new(exchange(granted, body, (limits, wall), room, watch))
    }
}

/// How much of a request's body its guest may write at once.
const CHUNK: usize = 4 * 1024;

/// How long one request may take: as long as its owner says, or less if the hook wishes.
fn wall(limits: &Limits, options: Option<RequestOptions>) -> Duration {
    let wished = options.and_then(|options| options.first_byte_timeout);
    wished.map_or(limits.http_wall, |wished| wished.min(limits.http_wall))
}

async fn exchange(
    granted: Granted,
    body: WasiBody,
    (limits, wall): (Limits, Duration),
    (line, budget): (Arc<Semaphore>, Budget),
    watch: Watch,
) -> Result<(Response<WasiBody>, Io), Error> {
    let most = limits.http_body.0;
    let (body, _share) = match body::collect(body, most, &budget).await {
        Collected::Whole(body, share) => (body, share),
        Collected::TooLarge => {
            granted.give_up(&format!(
                "its body is larger than {} (`http_body` in its `limits`)",
                limits.http_body
            ));
            return Err(Error::HttpRequestBodySize(Some(most)));
        }
        Collected::Broken(why) => {
            granted.give_up("the hook gave its body up");
            return Err(why);
        }
    };
    // Closed with the instance, when nobody waits any more.
    let _turn = line.acquire().await;
    let response = told(&watch, granted.send(body, wall).await)?;
    let headers = response.headers.iter();
    let headers: usize = headers.map(|(name, value)| name.len() + value.len()).sum();
    if headers > HEADERS {
        let size = u32::try_from(headers).ok();
        return Err(Error::HttpResponseHeaderSectionSize(size));
    }
    let Some(share) = budget.take(response.body.len() as u64) else {
        return Err(Error::HttpResponseBodySize(Some(most)));
    };
    let response = into_wasi(response, |body| Buffered::new(body, share))
        .map_err(|error| Error::InternalError(Some(error.to_string())))?;
    let io: Io = Box::new(async { Ok(()) });
    Ok((response, io))
}

fn into_wasi(
    response: HttpResponse,
    hold: impl FnOnce(Bytes) -> Buffered,
) -> Result<Response<WasiBody>, http::Error> {
    let body = hold(response.body.into());
    let mut built = Response::new(body.map_err(|never| match never {}).boxed_unsync());
    *built.status_mut() = StatusCode::from_u16(response.status)?;
    for (name, value) in response.headers {
        let name = HeaderName::from_bytes(name.as_bytes())?;
        built
            .headers_mut()
            .try_append(name, HeaderValue::from_bytes(&value)?)
            .map_err(http::Error::from)?;
    }
    Ok(built)
}

/// An answer of the gate in the words of `wasi:http`. An end of the guest, which can't travel this
/// way, is left to its watch.
fn told<T>(watch: &Watch, answer: Answer<T>) -> Result<T, Error> {
    let error = match answer {
        Ok(Ok(value)) => return Ok(value),
        Ok(Err(error)) => error,
        Err(stop) => {
            let text = stop.to_string();
            watch.stop(stop);
            GuestError::Failed(text)
        }
    };
    Err(match error {
        GuestError::Denied(_) => Error::HttpRequestDenied,
        GuestError::TimedOut(_) => Error::HttpResponseTimeout,
        GuestError::Missing(_) | GuestError::Invalid(_) | GuestError::Failed(_) => {
            Error::InternalError(Some(error.to_string()))
        }
    })
}
