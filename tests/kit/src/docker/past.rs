//! What an engine remembers.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;

use anyhow::{Result, ensure};

use super::{DockerEngine, IMAGE};

/// More than the events that an engine keeps.
const EVENTS: u32 = 300;

impl DockerEngine {
    /// Has so much happen to another container that it has forgotten all that was before.
    pub fn forget(&self) -> Result<()> {
        let other = self.docker(&["create", IMAGE, "true"])?;
        for n in 0..EVENTS {
            let mut engine = UnixStream::connect(self.socket())?;
            let path = format!("/containers/{other}/rename?name=busy-{other}-{n}");
            engine.write_all(
                format!("POST {path} HTTP/1.1\r\nHost: docker\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                    .as_bytes(),
            )?;
            let mut answer = String::new();
            engine.read_to_string(&mut answer)?;
            ensure!(answer.starts_with("HTTP/1.1 204"), "{path}: {answer}");
        }
        self.docker(&["rm", &other]).map(drop)
    }
}
