//! A small HTTP server on the loopback interface that remembers what it was asked.

mod message;
mod tls;

use std::io::{BufReader, Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

pub use message::{HttpReply, HttpRequest};
use rustls::ServerConfig;
pub use tls::Authority;

use crate::TimedOut;

type Answer = dyn Fn(&HttpRequest) -> HttpReply + Send + Sync;

/// A server of HTTP/1.1 at a free port of `127.0.0.1`, one request a connection. It is there once
/// this exists, and gone when it is dropped.
pub struct HttpServer {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: Option<JoinHandle<()>>,
}

struct Shared {
    answer: Box<Answer>,
    state: Mutex<State>,
    changed: Condvar,
    /// Who it proves to be, where it speaks TLS.
    tls: Option<Arc<ServerConfig>>,
}

#[derive(Default)]
struct State {
    connections: usize,
    requests: Vec<HttpRequest>,
    stopping: bool,
}

impl HttpServer {
    /// A server that answers everything by 200 and an empty body.
    pub fn start() -> Self {
        Self::answering(|_| HttpReply::status(200))
    }

    /// A server that answers what a function says.
    pub fn answering(answer: impl Fn(&HttpRequest) -> HttpReply + Send + Sync + 'static) -> Self {
        Self::at(Ipv4Addr::LOCALHOST.into(), answer)
    }

    /// The same at another address of this machine: `127.0.0.2`, `::1`.
    pub fn at(
        address: IpAddr,
        answer: impl Fn(&HttpRequest) -> HttpReply + Send + Sync + 'static,
    ) -> Self {
        Self::listen(address, Box::new(answer), None)
    }

    /// A server of HTTPS that answers everything by 200, and proves by a certificate of this authority
    /// to be `name`.
    pub fn over_tls(authority: &Authority, name: &str) -> Self {
        let answer = Box::new(|_: &HttpRequest| HttpReply::status(200));
        let tls = Some(authority.certify(name));
        Self::listen(Ipv4Addr::LOCALHOST.into(), answer, tls)
    }

    fn listen(address: IpAddr, answer: Box<Answer>, tls: Option<Arc<ServerConfig>>) -> Self {
        let listener = TcpListener::bind((address, 0)).expect("a free port");
        let address = listener.local_addr().expect("a bound listener");
        let shared = Arc::new(Shared {
            answer,
            state: Mutex::default(),
            changed: Condvar::new(),
            tls,
        });
        let accepting = thread::spawn({
            let shared = Arc::clone(&shared);
            move || shared.accept(&listener)
        });
        Self {
            address,
            shared,
            accepting: Some(accepting),
        }
    }

    /// Its origin: `http://127.0.0.1:PORT`, or `https://…` where it speaks TLS.
    pub fn origin(&self) -> String {
        let scheme = self.shared.tls.as_ref().map_or("http", |_| "https");
        format!("{scheme}://{}", self.address)
    }

    /// The URL of a path, which begins with a slash.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.origin())
    }

    /// The port it listens at.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// The requests so far, in the order in which they had arrived whole.
    pub fn requests(&self) -> Vec<HttpRequest> {
        self.shared.state().requests.clone()
    }

    /// The requests so far as `METHOD TARGET`, for a comparison at a glance.
    pub fn asked(&self) -> Vec<String> {
        let shown = |request: &HttpRequest| format!("{} {}", request.method, request.target);
        self.shared.state().requests.iter().map(shown).collect()
    }

    /// How often somebody connected, with or without a request to follow.
    pub fn connections(&self) -> usize {
        self.shared.state().connections
    }

    /// Waits until so many requests have arrived.
    pub fn wait_for(&self, count: usize, limit: Duration) -> Result<(), TimedOut> {
        crate::wait_until(&format!("{count} requests"), limit, || {
            (self.shared.state().requests.len() >= count).then_some(())
        })
    }
}

impl std::fmt::Debug for HttpServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("HttpServer").field(&self.address).finish()
    }
}

impl Drop for HttpServer {
    fn drop(&mut self) {
        self.shared.state().stopping = true;
        self.shared.changed.notify_all();
        // Wakes the thread that accepts. If nobody can connect, it has ended already.
        let _woken = TcpStream::connect(self.address);
        if let Some(thread) = self.accepting.take() {
            let _ended = thread.join();
        }
    }
}

impl Shared {
    fn accept(self: &Arc<Self>, listener: &TcpListener) {
        let mut serving = Vec::new();
        for stream in listener.incoming() {
            if self.state().stopping {
                break;
            }
            let Ok(stream) = stream else { continue };
            self.state().connections += 1;
            let shared = Arc::clone(self);
            serving.push(thread::spawn(move || shared.serve(&stream)));
        }
        for thread in serving {
            let _ended = thread.join();
        }
    }

    fn serve(&self, mut stream: &TcpStream) {
        // One that goes silent in the middle of a request must not keep the server from ending.
        let _set = stream.set_read_timeout(Some(Duration::from_secs(30)));
        let _set = stream.set_write_timeout(Some(Duration::from_secs(30)));
        match &self.tls {
            None => self.exchange(&mut stream),
            Some(config) => {
                let mut secured = tls::secured(config, stream);
                self.exchange(&mut secured);
                // A client that did not trust it has gone away.
                let _closed = tls::close(&mut secured);
            }
        }
    }

    fn exchange(&self, stream: &mut (impl Read + Write)) {
        let Ok(Some(request)) = HttpRequest::read(&mut BufReader::new(&mut *stream)) else {
            return;
        };
        self.state().requests.push(request.clone());
        match (self.answer)(&request) {
            HttpReply::Bytes(bytes) => {
                // A client that has gone away is a client's own affair.
                let _sent = stream.write_all(&bytes);
            }
            HttpReply::BytesThenSilence(bytes) => {
                let _sent = stream.write_all(&bytes);
                self.wait_for_the_end();
            }
        }
    }

    fn wait_for_the_end(&self) {
        let waiting = self
            .changed
            .wait_while(self.state(), |state| !state.stopping);
        drop(waiting.unwrap_or_else(PoisonError::into_inner));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
