//! The body of an answer: whole at once, or piece by piece at a pace, and perhaps not to its end.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::sync::mpsc;

use super::HangUp;
use super::incoming::pause;
use crate::content::Content;
use crate::pace::time_of;
use crate::server::Shared;

pub(crate) enum Outgoing {
    Whole(Option<Bytes>),
    Streaming {
        pieces: mpsc::Receiver<io::Result<Bytes>>,
        left: u64,
    },
}

impl Outgoing {
    pub(super) fn empty() -> Self {
        Self::Whole(None)
    }

    pub(super) fn whole(bytes: Bytes) -> Self {
        Self::Whole(Some(bytes))
    }

    /// At so many bytes a second, and if `cut` says so only that many in all. What is sent counts for
    /// `counted`.
    pub(super) fn streaming(
        content: Content,
        per_second: Option<u64>,
        cut: Option<u64>,
        counted: Option<Arc<Shared>>,
    ) -> Self {
        let left = content.len();
        let (sender, pieces) = mpsc::channel(4);
        tokio::spawn(async move {
            let mut sent = 0;
            for chunk in content.chunks() {
                let room = cut.map_or(u64::MAX, |cut| cut - sent);
                let chunk = chunk.map(|chunk| {
                    let most = usize::try_from(room).unwrap_or(usize::MAX);
                    chunk.slice(..chunk.len().min(most))
                });
                let length = chunk.as_ref().map_or(0, Bytes::len);
                pause(time_of(length, per_second)).await;
                sent += length as u64;
                if let Some(shared) = &counted {
                    shared.counters().bytes_down += length as u64;
                }
                if sender.send(chunk).await.is_err() {
                    return; // the client has gone
                }
                if cut == Some(sent) {
                    break;
                }
            }
            if cut.is_some() {
                // What is under way arrives first; if nobody is there any more, that is as well.
                let _gone = sender.send(Err(io::Error::other(HangUp))).await;
            }
        });
        Self::Streaming { pieces, left }
    }
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        match self.get_mut() {
            Self::Whole(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Self::Streaming { pieces, left } => pieces.poll_recv(context).map(|piece| {
                let piece = piece?;
                Some(piece.map(|bytes| {
                    *left -= bytes.len() as u64;
                    Frame::data(bytes)
                }))
            }),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, Bytes::len) as u64),
            Self::Streaming { left, .. } => SizeHint::with_exact(*left),
        }
    }
}
