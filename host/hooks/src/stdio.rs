//! What a guest writes to its standard output and error: lines of its log.

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use bytes::Bytes;
use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

use crate::guest_log::{GuestLog, Level};
use crate::wasi::AT_ONCE;

/// The longest line kept; the log would cut it in any case.
const LINE: usize = 16 * 1024;

/// One of a guest's two outputs. It takes everything, and never fails: panics and tracebacks come
/// this way, and a guest that writes too much is only not heard to the end.
#[derive(Debug, Clone)]
pub(crate) struct Stdio {
    log: GuestLog,
    line: Arc<Mutex<Line>>,
}

/// A line that has no end yet.
#[derive(Debug, Default)]
struct Line {
    text: Vec<u8>,
}

impl Stdio {
    pub(crate) fn new(log: &GuestLog) -> Self {
        Self {
            log: log.clone(),
            line: Arc::default(),
        }
    }

    /// Ends a line that the guest began and never ended.
    pub(crate) fn flush(&self) {
        let mut line = self.line.lock().expect("no holder of this lock panics");
        if !line.text.is_empty() {
            self.log(&std::mem::take(&mut line.text));
        }
    }

    fn take(&self, bytes: &[u8]) {
        let mut line = self.line.lock().expect("no holder of this lock panics");
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            let (text, ends) = match part.split_last() {
                Some((b'\n', text)) => (text, true),
                _ => (part, false),
            };
            let room = LINE.saturating_sub(line.text.len());
            line.text.extend_from_slice(&text[..text.len().min(room)]);
            if ends {
                self.log(&line.text);
                line.text.clear();
            }
        }
    }

    fn log(&self, line: &[u8]) {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        self.log
            .write(Level::Info, &String::from_utf8_lossy(line), &[]);
    }
}

impl IsTerminal for Stdio {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Stdio {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

impl OutputStream for Stdio {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.take(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(AT_ONCE)
    }
}

#[async_trait::async_trait]
impl Pollable for Stdio {
    async fn ready(&mut self) {}
}

/// Asked for by the interface of another version of WASI, which is not linked.
impl AsyncWrite for Stdio {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        self.take(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use copal_core::units::ByteCount;

    use super::*;
    use crate::mask::Masks;

    #[test]
    fn lines_are_put_together_and_a_last_one_without_an_end_is_kept() {
        let log = GuestLog::new("test", ByteCount(1 << 20), &Masks::default());
        let stdio = Stdio::new(&log);
        for piece in ["a", "b\r\nc", "\n", "d"] {
            stdio.take(piece.as_bytes());
        }
        stdio.take(b"\xff");
        assert_eq!(log.last_words(), ["ab", "c"]);
        stdio.flush();
        assert_eq!(
            log.last_words().last().map(String::as_str),
            Some("d\u{fffd}")
        );
    }

    #[test]
    fn a_line_without_end_takes_no_more_room_than_a_line() {
        let log = GuestLog::new("test", ByteCount(1 << 20), &Masks::default());
        let stdio = Stdio::new(&log);
        for _ in 0..100 {
            stdio.take(&vec![b'x'; 64 * 1024]);
        }
        let line = stdio.line.lock().expect("nobody panicked");
        assert_eq!(line.text.len(), LINE);
    }
}
