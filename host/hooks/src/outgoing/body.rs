//! Bodies of requests and answers, held in memory as far as there is leave to.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt as _;
use wasmtime_wasi_http::{Error, WasiBody};

use crate::budget::{Budget, Share};

/// What came of a request's body.
pub(super) enum Collected {
    /// All of it.
    Whole(Vec<u8>, Vec<Share>),
    /// More than it may be, or than there is room for.
    TooLarge,
    /// The guest did not go on with it.
    Broken(Error),
}

/// Waits for the whole body of a request, of at most `most` bytes.
pub(super) async fn collect(mut body: WasiBody, most: u64, budget: &Budget) -> Collected {
    let (mut whole, mut shares) = (Vec::new(), Vec::new());
    while let Some(frame) = body.frame().await {
        let data = match frame.map(Frame::into_data) {
            Ok(Ok(data)) => data,
            // Trailers are not sent.
            Ok(Err(_)) => continue,
            Err(error) => return Collected::Broken(error),
        };
        let Some(share) = budget.take(data.len() as u64) else {
            return Collected::TooLarge;
        };
        shares.push(share);
        whole.extend_from_slice(&data);
        if whole.len() as u64 > most {
            return Collected::TooLarge;
        }
    }
    whole.shrink_to_fit();
    Collected::Whole(whole, shares)
}

/// The whole body of an answer, and its share of the budget until it has been read.
pub(super) struct Buffered {
    body: Option<Bytes>,
    share: Option<Share>,
}

impl Buffered {
    pub(super) fn new(body: Bytes, share: Share) -> Self {
        Self {
            body: Some(body).filter(|body| !body.is_empty()),
            share: Some(share),
        }
    }
}

impl Body for Buffered {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let body = self.body.take();
        if body.is_none() {
            self.share = None;
        }
        Poll::Ready(body.map(|body| Ok(Frame::data(body))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.body.as_ref().map_or(0, |body| body.len() as u64))
    }
}
