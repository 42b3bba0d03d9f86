//! Requests as they arrived, and what is answered.

use std::io::{self, BufRead, Read};

/// A request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpRequest {
    /// `POST`.
    pub method: String,
    /// As it was sent: `/backups?x=1`.
    pub target: String,
    /// Names in lower case, in the order in which they came.
    pub headers: Vec<(String, String)>,
    /// Without its transfer coding.
    pub body: Vec<u8>,
}

impl HttpRequest {
    /// The value of the first header of that name, which is given in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        Some(&headers.find(|(known, _)| known == name)?.1)
    }

    /// The body as text; what is not UTF-8 is replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        match serde_json::from_slice(&self.body) {
            Ok(value) => value,
            Err(error) => panic!("the body is not JSON: {error}\n{self:?}"),
        }
    }

    /// Reads one; none where the client said nothing.
    pub(super) fn read(stream: &mut impl BufRead) -> io::Result<Option<Self>> {
        let first = line(stream)?;
        let mut words = first.split(' ');
        let (Some(method), Some(target)) = (words.next(), words.next()) else {
            return Ok(None);
        };
        let mut request = Self {
            method: method.to_owned(),
            target: target.to_owned(),
            headers: Vec::new(),
            body: Vec::new(),
        };
        loop {
            let header = line(stream)?;
            let Some((name, value)) = header.split_once(':') else {
                break;
            };
            let header = (name.to_ascii_lowercase(), value.trim().to_owned());
            request.headers.push(header);
        }
        request.body = request.read_body(stream)?;
        Ok(Some(request))
    }

    fn read_body(&self, stream: &mut impl BufRead) -> io::Result<Vec<u8>> {
        if self.header("transfer-encoding") == Some("chunked") {
            return chunks(stream);
        }
        let length = self.header("content-length").unwrap_or("0");
        let length = length.parse().map_err(io::Error::other)?;
        let mut body = Vec::new();
        stream.take(length).read_to_end(&mut body)?;
        Ok(body)
    }
}

fn chunks(stream: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let size = u64::from_str_radix(&line(stream)?, 16).map_err(io::Error::other)?;
        stream.take(size).read_to_end(&mut body)?;
        line(stream)?;
        if size == 0 {
            return Ok(body);
        }
    }
}

fn line(stream: &mut impl BufRead) -> io::Result<String> {
    let mut line = String::new();
    stream.read_line(&mut line)?;
    line.truncate(line.trim_end().len());
    Ok(line)
}

/// What a server does about a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HttpReply {
    /// Sends exactly these bytes, and closes.
    Bytes(Vec<u8>),
    /// Sends exactly these bytes, maybe none, and then nothing for as long as the server lives.
    BytesThenSilence(Vec<u8>),
}

impl HttpReply {
    /// An answer without a body.
    pub fn status(status: u16) -> Self {
        Self::new(status, &[], "")
    }

    /// An answer 200 with a body.
    pub fn body(body: impl AsRef<[u8]>) -> Self {
        Self::new(200, &[], body)
    }

    /// An answer that sends the client elsewhere.
    pub fn redirect(status: u16, location: &str) -> Self {
        Self::new(status, &[("location", location)], "")
    }

    /// No answer.
    pub fn silence() -> Self {
        Self::BytesThenSilence(Vec::new())
    }

    /// A whole answer.
    pub fn new(status: u16, headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> Self {
        let body = body.as_ref();
        let headers: Vec<_> = headers
            .iter()
            .chain(&[("connection", "close")])
            .map(|(name, value)| format!("{name}: {value}\r\n"))
            .collect();
        let headers = headers.concat();
        let length = body.len();
        let head = format!("HTTP/1.1 {status} Answer\r\n{headers}content-length: {length}\r\n\r\n");
        let bytes = [head.as_bytes(), body].concat();
        Self::Bytes(bytes)
    }
}
