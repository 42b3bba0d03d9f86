//! The body of a request: whole, at a pace, or cut off.

use std::io;
use std::time::Duration;

use http::Request;
use http_body_util::BodyExt;
use hyper::body::Incoming;

use super::{HangUp, header};
use crate::error::B2Error;
use crate::pace::time_of;
use crate::receive::{Announced, Received, Receiver};
use crate::server::Shared;

/// What a request's body is to go through.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line {
    pub(super) per_second: Option<u64>,
    pub(super) hang_up_after: Option<u64>,
}

/// Why a body did not come whole.
pub(super) enum Broken {
    HungUp,
    Refused(B2Error),
}

impl From<B2Error> for Broken {
    fn from(error: B2Error) -> Self {
        Self::Refused(error)
    }
}

/// The body of an upload, to where it stays.
pub(super) async fn receive(
    shared: &Shared,
    request: Request<Incoming>,
    line: Line,
) -> Result<Received, Broken> {
    let announced = Announced::parse(header(request.headers(), "x-bz-content-sha1"))?;
    let mut receiver = Receiver::new(announced);
    each(request.into_body(), line, |data| {
        shared.counters().bytes_up += data.len() as u64;
        receiver.push(data)
    })
    .await?;
    Ok(receiver.finish()?)
}

pub(super) async fn whole(body: Incoming, line: Line) -> Result<Vec<u8>, Broken> {
    let mut all = Vec::new();
    each(body, line, |data| {
        all.extend_from_slice(data);
        Ok(())
    })
    .await?;
    Ok(all)
}

/// Reads a body that nobody wants, so that the client hears the answer.
pub(super) async fn drain(body: Incoming, line: Line) -> Result<(), HangUp> {
    let read = each(body, line, |_| Ok(())).await;
    read.map_err(|_| HangUp)
}

async fn each(
    mut body: Incoming,
    line: Line,
    mut take: impl FnMut(&[u8]) -> io::Result<()>,
) -> Result<(), Broken> {
    let mut come = 0;
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map(|frame| frame.into_data().unwrap_or_default()) else {
            return Err(Broken::HungUp); // the client was the one who did
        };
        come += data.len() as u64;
        if line.hang_up_after.is_some_and(|most| come >= most) {
            return Err(Broken::HungUp);
        }
        pause(time_of(data.len(), line.per_second)).await;
        take(&data).map_err(B2Error::broken)?;
    }
    match line.hang_up_after {
        Some(_) => Err(Broken::HungUp),
        None => Ok(()),
    }
}

pub(super) async fn pause(time: Duration) {
    if !time.is_zero() {
        tokio::time::sleep(time).await;
    }
}
