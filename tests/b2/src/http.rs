//! HTTP/1.1: which call a request is, its body, and the way back.

mod incoming;
mod outgoing;
mod route;

use std::sync::Arc;

use http::header::{HeaderMap, HeaderName, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use serde_json::Value;

use crate::auth;
use crate::call::Call;
use crate::content::Content;
use crate::dispatch::{Answer, dispatch};
use crate::download::{self, Download};
use crate::encoding::decode;
use crate::error::B2Error;
use crate::faults::Fault;
use crate::large;
use crate::server::Shared;
use crate::state::Info;
use crate::upload::{self, Upload};

use incoming::{Broken, Line, drain, receive, whole};
use outgoing::Outgoing;
use route::Route;

/// The connection ends here, without an answer.
#[derive(Debug)]
pub(crate) struct HangUp;

impl std::fmt::Display for HangUp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the connection is dropped as ordered")
    }
}

impl std::error::Error for HangUp {}

/// Answers one request.
pub(crate) async fn serve(
    shared: Arc<Shared>,
    request: Request<Incoming>,
) -> Result<Response<Outgoing>, HangUp> {
    let Some(route) = Route::of(&request) else {
        let error = B2Error::not_found(format!("no such call: {}", request.uri().path()));
        return Ok(refusal(&shared, &error));
    };
    let call = route.call();
    shared.counters().called(call);
    let name = route.name(&request);
    let fault = shared.faults().take(call, name.as_deref());
    let mode = header(request.headers(), "x-bz-test-mode").map(str::to_owned);
    let (latency, up, down) = {
        let pace = shared.pace();
        (pace.before(call), pace.up, pace.down)
    };
    tokio::time::sleep(latency).await;

    let slow = match fault {
        Some(Fault::Slow(speed)) => Some(speed),
        _ => None,
    };
    let line = Line {
        per_second: slow.or(up),
        hang_up_after: match fault {
            Some(Fault::HangUpInRequest(after)) => Some(after),
            _ => None,
        },
    };
    let refused = match fault {
        Some(Fault::Refuse(refusal)) => Some(refusal),
        _ => mode.and_then(|mode| shared.faults().test_mode(&mode, call)),
    };
    let head = request.method() == Method::HEAD;
    let answered = match refused {
        Some(refusal) => {
            drain(request.into_body(), line).await?;
            Err(refusal.error())
        }
        None => match answer(&shared, route, request, line).await {
            Ok(reply) => Ok(reply),
            Err(Broken::Refused(error)) => Err(error),
            Err(Broken::HungUp) => return Err(HangUp),
        },
    };
    let reply = match answered {
        Ok(reply) => reply,
        Err(error) => return Ok(refusal(&shared, &error)),
    };
    let cut = match fault {
        Some(Fault::HangUpInAnswer(after)) => Some(after),
        _ => None,
    };
    Ok(reply.send(&shared, head, slow.or(down), cut))
}

/// What goes back, if all goes well.
struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    content: Content,
    download: bool,
}

impl Reply {
    fn json(json: &Value) -> Self {
        Self {
            status: 200,
            headers: vec![("content-type".to_owned(), "application/json".to_owned())],
            content: Content::in_memory(json.to_string().into()),
            download: false,
        }
    }

    fn send(
        self,
        shared: &Arc<Shared>,
        head: bool,
        per_second: Option<u64>,
        cut: Option<u64>,
    ) -> Response<Outgoing> {
        let length = self.content.len();
        let counted = self.download.then(|| Arc::clone(shared));
        let body = if head {
            Outgoing::empty()
        } else {
            Outgoing::streaming(self.content, per_second, cut, counted)
        };
        let mut response = Response::new(body);
        *response.status_mut() = StatusCode::from_u16(self.status).expect("a status of ours");
        let headers = response.headers_mut();
        headers.insert(http::header::CONTENT_LENGTH, length.into());
        for (name, value) in self.headers {
            let name = HeaderName::try_from(name);
            let value = HeaderValue::try_from(value);
            if let (Ok(name), Ok(value)) = (name, value) {
                headers.insert(name, value);
            }
        }
        dated(shared, response)
    }
}

async fn answer(
    shared: &Arc<Shared>,
    route: Route,
    request: Request<Incoming>,
    line: Line,
) -> Result<Reply, Broken> {
    let call = route.call();
    match route {
        Route::Authorize => {
            let header = header(request.headers(), "authorization").map(str::to_owned);
            drain(request.into_body(), line)
                .await
                .map_err(|_| Broken::HungUp)?;
            shared.counters().charge(call.class(), 1);
            let json = auth::authorize(&mut shared.store(), header.as_deref())?;
            Ok(Reply::json(&json))
        }
        Route::Json(_) => {
            let token = token(shared, call, request.headers(), None);
            let body = whole(request.into_body(), line).await?;
            let access = token?.access;
            let body = serde_json::from_slice(&body).map_err(B2Error::bad_request)?;
            let answer = dispatch(&mut shared.store(), &access, call, body)?;
            Ok(done(shared, call, &answer))
        }
        Route::UploadFile(bucket) => upload_file(shared, &bucket, request, line).await,
        Route::UploadPart(id) => upload_part(shared, &id, request, line).await,
        Route::ById { id, .. } => {
            let token = token(shared, call, request.headers(), None);
            let range = header(request.headers(), "range");
            let found = download::by_id(&shared.store(), token, &id, range)?;
            Ok(downloaded(shared, call, found))
        }
        Route::ByName {
            bucket,
            name,
            token: shown,
        } => {
            let token = token(shared, call, request.headers(), shown.as_deref());
            let range = header(request.headers(), "range");
            let found = download::by_name(&shared.store(), token, &bucket, &name, range)?;
            Ok(downloaded(shared, call, found))
        }
    }
}

fn token(
    shared: &Shared,
    call: Call,
    headers: &HeaderMap,
    in_query: Option<&str>,
) -> Result<auth::Token, B2Error> {
    let shown = header(headers, "authorization").or(in_query);
    auth::check(&shared.store(), call, shown)
}

async fn upload_file(
    shared: &Arc<Shared>,
    bucket: &str,
    request: Request<Incoming>,
    line: Line,
) -> Result<Reply, Broken> {
    let call = Call::UploadFile;
    let token = token(shared, call, request.headers(), None)?;
    if token.scope != auth::Scope::Upload(bucket.to_owned()) {
        return Err(B2Error::unauthorized("the upload URL is for another bucket").into());
    }
    let upload = said(request.headers())?;
    let received = receive(shared, request, line).await?;
    let mut store = shared.store();
    let name = upload.name.clone();
    let version = upload::store_file(&mut store, &token.access, bucket, upload, received)?;
    let answer = Answer::stored(version.to_json(bucket), bucket, &name);
    drop(store);
    Ok(done(shared, call, &answer))
}

async fn upload_part(
    shared: &Arc<Shared>,
    id: &str,
    request: Request<Incoming>,
    line: Line,
) -> Result<Reply, Broken> {
    let call = Call::UploadPart;
    let token = token(shared, call, request.headers(), None)?;
    if token.scope != auth::Scope::Part(id.to_owned()) {
        return Err(B2Error::unauthorized("the upload URL is for another file").into());
    }
    let number = header(request.headers(), "x-bz-part-number").and_then(|it| it.parse().ok());
    let number = number.ok_or_else(|| B2Error::bad_request("X-Bz-Part-Number is missing"))?;
    let received = receive(shared, request, line).await?;
    let json = large::add_part(&mut shared.store(), id, number, received)?;
    Ok(done(shared, call, &Answer::new(json)))
}

/// What the headers of an upload say of it.
fn said(headers: &HeaderMap) -> Result<Upload, B2Error> {
    let name = header(headers, "x-bz-file-name");
    let name = decode(name.ok_or_else(|| B2Error::bad_request("X-Bz-File-Name is missing"))?)?;
    let mut info = Info::new();
    for (key, value) in headers {
        if let Some(key) = key.as_str().strip_prefix("x-bz-info-") {
            let value = value.to_str().map_err(B2Error::bad_request)?;
            info.insert(key.to_owned(), decode(value)?);
        }
    }
    let content_type = header(headers, "content-type").unwrap_or_default();
    Ok(Upload {
        name,
        content_type: content_type.to_owned(),
        info,
    })
}

/// Counts a call that was answered, and does the damage that was ordered for its file.
fn done(shared: &Shared, call: Call, answer: &Answer) -> Reply {
    shared.counters().charge(call.class(), answer.charged);
    if let Some((bucket, name)) = &answer.stored {
        shared
            .faults()
            .due(call, name, |damage| shared.damage(bucket, name, damage));
    }
    Reply::json(&answer.json)
}

fn downloaded(shared: &Shared, call: Call, found: Download) -> Reply {
    shared.counters().charge(call.class(), 1);
    Reply {
        status: found.status,
        headers: found.headers,
        content: found.content,
        download: true,
    }
}

fn refusal(shared: &Shared, error: &B2Error) -> Response<Outgoing> {
    shared.counters().refused(error.code);
    let body = Outgoing::whole(error.to_json().to_string().into());
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(error.status).expect("a status of ours");
    if let Some(seconds) = error.retry_after {
        let headers = response.headers_mut();
        headers.insert(http::header::RETRY_AFTER, seconds.into());
    }
    dated(shared, response)
}

/// Where its clock is wrong, so is the date it tells.
fn dated(shared: &Shared, mut response: Response<Outgoing>) -> Response<Outgoing> {
    if let Some(date) = shared.wrong_date() {
        let value = HeaderValue::try_from(date).expect("a date in ASCII");
        response.headers_mut().insert(http::header::DATE, value);
    }
    response
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}
