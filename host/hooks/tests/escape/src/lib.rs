//! A hook for tests: it tries to leave its sandbox in each of the ways that its config lists, and
//! answers with an error that tells what came of each.

use std::io::Write as _;
use std::net::{TcpStream, ToSocketAddrs as _, UdpSocket};
use std::time::Duration;
use std::{env, fs, io, thread};

use serde::Deserialize;

wit_bindgen::generate!({
    path: "../../../../wit",
    inline: "
        package copal:escape;
        world escape {
            include copal:hooks/pre-backup-hook@0.1.0;
            include copal:hooks/http-client@0.1.0;
            import wasi:filesystem/types@0.2.12;
            import wasi:filesystem/preopens@0.2.12;
            export copal:hooks/filter@0.1.0;
        }
    ",
    world: "copal:escape/escape",
    generate_all,
});

use copal::hooks::run_info;
use copal::hooks::secrets;
use copal::hooks::types::{CodedError, Error};
use exports::copal::hooks::filter::{Approach, Batch, Columns};
use wasi::filesystem::preopens;
use wasi::http::outgoing_handler;
use wasi::http::types::{ErrorCode, Fields, Method, OutgoingBody, OutgoingRequest, Scheme};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    tries: Vec<Try>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Try {
    /// Read a file; its content.
    Read(String),
    /// Write a file.
    Write(String),
    /// List a directory.
    List(String),
    /// Make a symbolic link to the first under the name of the second.
    Link(String, String),
    /// Make a hard link of the first under the name of the second.
    HardLink(String, String),
    /// Move the first to the second.
    Rename(String, String),
    Remove(String),
    /// How many variables, arguments there are.
    Environment,
    Connect(String),
    Udp(String),
    Resolve(String),
    /// Send a request; its status and the body of the answer.
    Send(Send),
    /// Bind a secret: name, origin, header, prefix.
    Bind(String, String, String, String),
    /// Write so many MiB to standard output.
    Stdout(u32),
    /// Write to standard error without an end of the line, and trap.
    Abort(String),
    Sleep(u64),
    /// Take a MiB of random bytes so many times.
    Random(u32),
    /// Keep so many headers.
    Hoard(u32),
    /// Make so many requests with a method, an authority, or headers and a path of so many bytes
    /// and as much of a body as is taken.
    Methods(u32, usize),
    Authorities(u32, usize),
    Bodies(u32, usize),
    /// Send so many requests here at once, and keep the answers.
    Answers(u32, String),
    Exit,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Send {
    method: String,
    /// Any text: `http` and `https` are those of WASI.
    scheme: String,
    authority: String,
    #[serde(default)]
    path: String,
    #[serde(default)]
    headers: Vec<(String, String)>,
    /// So many bytes of body.
    #[serde(default)]
    body: usize,
}

struct Escape;

impl exports::copal::hooks::pre_backup::Guest for Escape {
    fn run() -> Result<(), Error> {
        tell()
    }
}

impl exports::copal::hooks::filter::Guest for Escape {
    fn start() -> Result<Approach, Error> {
        let ask = Some(Columns::empty());
        let rules = Vec::new();
        Ok(Approach { rules, ask })
    }

    fn decide(_: Batch) -> Result<Vec<u8>, Error> {
        tell()?;
        Ok(Vec::new())
    }
}

fn tell() -> Result<(), Error> {
    let config: Config = serde_json::from_str(&run_info::config())
        .map_err(|error| Error::Invalid(error.to_string()))?;
    let answers: Vec<String> = config
        .tries
        .iter()
        .map(|one| match one.go() {
            Ok(got) => format!("got {got}"),
            Err(why) => format!("refused: {why}"),
        })
        .collect();
    let message = serde_json::to_string(&answers).unwrap_or_default();
    let code = "tried".to_owned();
    Err(Error::Other(CodedError { code, message }))
}

impl Try {
    fn go(&self) -> Result<String, String> {
        match self {
            Self::Read(path) => io(fs::read(path)).map(|b| String::from_utf8_lossy(&b).into()),
            Self::Write(path) => io(fs::write(path, "written")).map(done),
            Self::List(path) => {
                let entries = io(fs::read_dir(path))?;
                let names = entries.flatten().map(|one| one.file_name());
                let mut names: Vec<_> = names.map(|n| n.to_string_lossy().into_owned()).collect();
                names.sort();
                Ok(names.join(","))
            }
            Self::Link(to, path) => link(to, path).map(done),
            Self::HardLink(from, to) => io(fs::hard_link(from, to)).map(done),
            Self::Rename(from, to) => io(fs::rename(from, to)).map(done),
            Self::Remove(path) => io(fs::remove_file(path)).map(done),
            Self::Environment => Ok(format!("{} {}", env::vars().count(), env::args().count())),
            Self::Connect(address) => io(TcpStream::connect(address)).map(|_| "through".into()),
            Self::Udp(address) => io(UdpSocket::bind("0.0.0.0:0")
                .and_then(|socket| socket.send_to(b"x", address)))
            .map(|_| "through".into()),
            Self::Resolve(host) => io((host.as_str(), 80).to_socket_addrs())
                .map(|found| format!("{} addresses", found.count())),
            Self::Send(request) => request.send(),
            Self::Bind(name, origin, header, prefix) => {
                secrets::bind_header(name, origin, header, prefix)
                    .map(done)
                    .map_err(|error| format!("{error:?}"))
            }
            Self::Stdout(mib) => {
                let line = [vec![b'x'; 1023], vec![b'\n']].concat();
                let block = line.repeat(1024);
                let mut out = io::stdout().lock();
                (0..*mib).try_for_each(|_| out.write_all(&block)).map(done).map_err(text)
            }
            Self::Abort(text) => {
                eprint!("{text}");
                std::process::abort()
            }
            Self::Sleep(ms) => {
                thread::sleep(Duration::from_millis(*ms));
                Ok("slept".into())
            }
            Self::Random(times) => {
                for _ in 0..*times {
                    let mut file = vec![0_u8; 1 << 20];
                    getrandom(&mut file);
                }
                Ok("random".into())
            }
            Self::Hoard(count) => {
                let kept: Vec<_> = (0..*count).map(|_| Fields::new()).collect();
                Ok(format!("{} kept", kept.len()))
            }
            Self::Methods(count, size) => {
                let method = Method::Other("M".repeat(*size));
                keep(*count, |request| request.set_method(&method))
            }
            Self::Authorities(count, size) => {
                let authority = "a".repeat(*size);
                keep(*count, |request| request.set_authority(Some(&authority)))
            }
            Self::Bodies(count, size) => bodies(*count, *size),
            Self::Answers(count, authority) => answers(*count, authority),
            Self::Exit => std::process::exit(3),
        }
    }
}

/// Makes requests and keeps them; how many.
fn keep(
    count: u32,
    fill: impl Fn(&OutgoingRequest) -> Result<(), ()>,
) -> Result<String, String> {
    let mut kept = Vec::new();
    for at in 0..count {
        let request = OutgoingRequest::new(Fields::new());
        fill(&request).map_err(|()| format!("the request {at}"))?;
        kept.push(request);
    }
    Ok(format!("{} kept", kept.len()))
}

fn bodies(count: u32, size: usize) -> Result<String, String> {
    let value = vec![b'v'; size];
    let path = format!("/{}", "p".repeat(size));
    let mut kept = Vec::new();
    for _ in 0..count {
        let headers = Fields::new();
        headers.append("x-value", &value).map_err(|error| format!("{error:?}"))?;
        let request = OutgoingRequest::new(headers);
        let _ = request.set_path_with_query(Some(&path));
        let body = request.body().map_err(|()| "body")?;
        let stream = body.write().map_err(|()| "stream")?;
        while let Ok(room @ 1..) = stream.check_write() {
            if stream.write(&vec![b'b'; (room as usize).min(1 << 16)]).is_err() {
                break;
            }
        }
        kept.push(request);
    }
    Ok(format!("{} kept", kept.len()))
}

fn answers(count: u32, authority: &str) -> Result<String, String> {
    let mut kept = Vec::new();
    for _ in 0..count {
        let request = OutgoingRequest::new(Fields::new());
        request.set_scheme(Some(&Scheme::Http)).map_err(|()| "scheme")?;
        request.set_authority(Some(authority)).map_err(|()| "authority")?;
        request.set_path_with_query(Some("/")).map_err(|()| "path")?;
        let body = request.body().map_err(|()| "body")?;
        kept.push(outgoing_handler::handle(request, None).map_err(code)?);
        let _ = OutgoingBody::finish(body, None);
    }
    let came: Vec<_> = kept
        .iter()
        .filter_map(|answer| {
            answer.subscribe().block();
            answer.get()?.ok()?.ok()
        })
        .collect();
    Ok(format!("{} came", came.len()))
}

/// The standard library has this for nightly compilers alone.
fn link(to: &str, path: &str) -> Result<(), String> {
    let directories = preopens::get_directories();
    let mut places = directories.iter().filter_map(|(directory, at)| {
        let below = path.strip_prefix(at.as_str())?.strip_prefix('/')?;
        Some((directory, below))
    });
    let (directory, below) = places.next().ok_or("no such directory")?;
    directory.symlink_at(to, below).map_err(|error| format!("{error:?}"))
}

fn getrandom(into: &mut [u8]) {
    // What the standard library seeds its maps with.
    for chunk in into.chunks_mut(8) {
        use std::hash::{BuildHasher as _, Hasher as _, RandomState};
        let number = RandomState::new().build_hasher().finish().to_le_bytes();
        chunk.copy_from_slice(&number[..chunk.len()]);
    }
}

fn io<T>(result: io::Result<T>) -> Result<T, String> {
    result.map_err(text)
}

fn text(error: io::Error) -> String {
    error.to_string()
}

fn done(_: ()) -> String {
    "done".to_owned()
}

impl Send {
    fn send(&self) -> Result<String, String> {
        let headers = Fields::new();
        for (name, value) in &self.headers {
            headers
                .append(name, value.as_bytes())
                .map_err(|error| format!("header {error:?}"))?;
        }
        let request = OutgoingRequest::new(headers);
        let method = match self.method.as_str() {
            "GET" => Method::Get,
            "POST" => Method::Post,
            "CONNECT" => Method::Connect,
            "TRACE" => Method::Trace,
            other => Method::Other(other.to_owned()),
        };
        let scheme = match self.scheme.as_str() {
            "http" => Scheme::Http,
            "https" => Scheme::Https,
            other => Scheme::Other(other.to_owned()),
        };
        request.set_method(&method).map_err(|()| "method")?;
        request.set_scheme(Some(&scheme)).map_err(|()| "scheme")?;
        request.set_authority(Some(&self.authority)).map_err(|()| "authority")?;
        request.set_path_with_query(Some(&self.path)).map_err(|()| "path")?;
        let body = request.body().map_err(|()| "body")?;
        let answer = outgoing_handler::handle(request, None).map_err(code)?;
        {
            let stream = body.write().map_err(|()| "stream")?;
            let mut left = self.body;
            while left > 0 {
                let piece = left.min(4096);
                let written = stream.blocking_write_and_flush(&vec![b'b'; piece]);
                if written.is_err() {
                    break;
                }
                left -= piece;
            }
        }
        let _ = OutgoingBody::finish(body, None);
        answer.subscribe().block();
        let response = answer.get().ok_or("no answer")?.map_err(|()| "taken")?.map_err(code)?;
        let status = response.status();
        let stream_body = response.consume().map_err(|()| "consumed")?;
        let stream = stream_body.stream().map_err(|()| "stream")?;
        let mut text = Vec::new();
        while let Ok(bytes) = stream.blocking_read(65536) {
            text.extend_from_slice(&bytes);
        }
        let mut shown = String::from_utf8_lossy(&text).into_owned();
        shown.truncate(100);
        Ok(format!("{status} {} {shown}", text.len()))
    }
}

fn code(error: ErrorCode) -> String {
    format!("{error:?}")
}

export!(Escape);
