//! What Copal's tests, its demo and its benchmarks share.
//!
//! - [`OpenWebUi`] makes the data directory of an Open WebUI; a [`Writer`] keeps writing to it, as
//!   its users would, and remembers what was acknowledged; [`Restored`] looks for exactly that in a
//!   restored copy.
//! - [`World`] runs the `copal` binary where nothing of the outside reaches it.
//! - [`HttpServer`] answers on the loopback interface, and remembers what it was asked.
//! - [`docker_engine`] is a Docker engine that is the test process's own.
//! - [`Moto`] is a server of S3.
//! - [`tree`] makes trees with everything odd that a file system allows, and compares trees.
//!
//! All generated data comes from a seed, so that a failure can be had again.

#![forbid(unsafe_code)]
#![expect(
    clippy::missing_panics_doc,
    reason = "a panic is how a test says that something is amiss"
)]

pub mod tree;

mod docker;
mod http;
mod moto;
mod mount;
mod openwebui;
mod random;
mod restored;
mod sqlite;
mod stock;
mod wait;
mod world;
mod writer;

pub use docker::{
    DockerEngine, DockerProxy, IMAGE, TestContainer, docker_engine, own_docker_engine,
};
pub use http::{Authority, HttpReply, HttpRequest, HttpServer};
pub use moto::Moto;
pub use mount::{FileSystem, Mount};
pub use openwebui::{OpenWebUi, Size};
pub use random::Random;
pub use restored::{Restored, Tally};
pub use sqlite::leave_a_database;
pub use stock::stock_rclone;
pub use wait::{TimedOut, wait_until};
pub use world::{Output, REMOTE, Redactions, Running, World};
pub use writer::{Acknowledged, Pace, Stopped, Write, Writer};

/// The SHA-256 of some bytes, as lower-case hexadecimal digits.
pub fn sha256(bytes: impl AsRef<[u8]>) -> String {
    use sha2::{Digest, Sha256};
    use std::fmt::Write;

    let mut text = String::with_capacity(64);
    for byte in Sha256::digest(bytes) {
        write!(text, "{byte:02x}").expect("a String takes any text");
    }
    text
}
