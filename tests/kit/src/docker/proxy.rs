//! A proxy before an engine that lets some requests through and others not, as people put one before its
//! socket.

use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::thread;

use anyhow::Result;
use tempfile::TempDir;

use super::DockerEngine;

/// What it answers to what it does not let through.
const FORBIDDEN: &str = "HTTP/1.1 403 Forbidden\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n\
    <html><body><h1>403 Forbidden</h1>\nRequest forbidden by administrative rules.\n</body></html>\n";

/// A proxy that listens at a socket of its own.
#[derive(Debug)]
pub struct DockerProxy {
    directory: TempDir,
}

impl DockerEngine {
    /// A proxy before it, which refuses requests whose path has one of these in it.
    pub fn behind_a_proxy(&self, refused: &[&str]) -> Result<DockerProxy> {
        let proxy = DockerProxy {
            directory: tempfile::tempdir()?,
        };
        let listener = UnixListener::bind(proxy.socket())?;
        let engine = self.socket().to_owned();
        let refused: Vec<String> = refused.iter().map(ToString::to_string).collect();
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (engine, refused) = (engine.clone(), refused.clone());
                // Who goes away in the middle is no matter of a proxy's.
                thread::spawn(move || drop(serve(&client, &engine, &refused)));
            }
        });
        Ok(proxy)
    }
}

impl DockerProxy {
    /// Where it listens, as `DOCKER_HOST` has it.
    pub fn host(&self) -> String {
        format!("unix://{}", self.socket().display())
    }

    fn socket(&self) -> PathBuf {
        self.directory.path().join("proxy.sock")
    }
}

/// One request and its answer, as long as that may be. Of the requests that are made none has a body.
fn serve(client: &UnixStream, engine: &Path, refused: &[String]) -> io::Result<()> {
    let mut reader = BufReader::new(client);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let path = line.split(' ').nth(1).unwrap_or_default();
    let path = path.split('?').next().unwrap_or_default();
    let is_refused = refused.iter().any(|part| path.contains(part));
    let mut head = line.clone();
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        if line.trim().is_empty() {
            break;
        }
        if !line.to_ascii_lowercase().starts_with("connection:") {
            head += &line;
        }
    }
    let mut client = client;
    if is_refused {
        return client.write_all(FORBIDDEN.as_bytes());
    }
    let mut engine = UnixStream::connect(engine)?;
    engine.write_all(format!("{head}Connection: close\r\n\r\n").as_bytes())?;
    io::copy(&mut engine, &mut client).map(drop)
}
