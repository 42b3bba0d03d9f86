//! What an engine's containers are doing, asked often and without a program in between.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use copal_testkit::DockerEngine;

/// An answer takes as long on a busy machine; an engine that is away answers never.
const ANSWER: Duration = Duration::from_secs(10);

/// The states by name, such as `running`. None where the engine does not answer.
pub(crate) fn states(engine: &DockerEngine) -> Option<BTreeMap<String, String>> {
    let mut stream = UnixStream::connect(engine.socket()).ok()?;
    stream.set_read_timeout(Some(ANSWER)).ok()?;
    let request = "GET /containers/json?all=1 HTTP/1.0\r\nHost: engine\r\n\r\n";
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (_, body) = answer.split_once("\r\n\r\n")?;
    let containers: serde_json::Value = serde_json::from_str(body).ok()?;
    let named = containers.as_array()?.iter().filter_map(|container| {
        let name = container["Names"][0].as_str()?.trim_start_matches('/');
        Some((name.to_owned(), container["State"].as_str()?.to_owned()))
    });
    Some(named.collect())
}
