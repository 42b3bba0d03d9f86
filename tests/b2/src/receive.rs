//! Receiving a body: hashed as it comes, small ones kept in memory and others on the disk.

use std::fs::File;
use std::io::{self, Write};

use sha1::{Digest, Sha1};

use crate::content::{Content, hex};
use crate::error::B2Error;

/// What is kept in memory before it goes to the disk.
const IN_MEMORY: usize = 1 << 20;
/// A SHA-1 in hexadecimal digits.
const DIGITS: usize = 40;

/// `X-Bz-Content-Sha1`, by <https://www.backblaze.com/apidocs/b2-upload-file>.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Announced {
    Is(String),
    AtTheEnd,
    Unchecked,
}

impl Announced {
    pub(crate) fn parse(header: Option<&str>) -> Result<Self, B2Error> {
        match header {
            Some("hex_digits_at_end") => Ok(Self::AtTheEnd),
            Some("do_not_verify") => Ok(Self::Unchecked),
            Some(digits) if is_sha1(digits) => Ok(Self::Is(digits.to_ascii_lowercase())),
            Some(other) => Err(B2Error::bad_request(format!("Invalid SHA1: {other}"))),
            None => Err(B2Error::bad_request("Missing header: X-Bz-Content-Sha1")),
        }
    }
}

fn is_sha1(text: &str) -> bool {
    text.len() == DIGITS && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// What has come so far.
pub(crate) struct Receiver {
    announced: Announced,
    /// The last bytes, which may turn out to be digits.
    tail: Vec<u8>,
    hasher: Sha1,
    memory: Vec<u8>,
    disk: Option<File>,
    length: u64,
}

/// What has come, whole.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) content: Content,
    /// The one that was checked, or `none`.
    pub(crate) sha1: String,
}

impl Receiver {
    pub(crate) fn new(announced: Announced) -> Self {
        Self {
            announced,
            tail: Vec::new(),
            hasher: Sha1::new(),
            memory: Vec::new(),
            disk: None,
            length: 0,
        }
    }

    pub(crate) fn push(&mut self, data: &[u8]) -> io::Result<()> {
        if self.announced != Announced::AtTheEnd {
            return self.keep(data);
        }
        self.tail.extend_from_slice(data);
        let ready = self.tail.len().saturating_sub(DIGITS);
        let rest = self.tail.split_off(ready);
        let ready = std::mem::replace(&mut self.tail, rest);
        self.keep(&ready)
    }

    fn keep(&mut self, data: &[u8]) -> io::Result<()> {
        self.hasher.update(data);
        self.length += data.len() as u64;
        if let Some(disk) = &mut self.disk {
            return disk.write_all(data);
        }
        self.memory.extend_from_slice(data);
        if self.memory.len() > IN_MEMORY {
            let mut disk = tempfile::tempfile()?;
            disk.write_all(&std::mem::take(&mut self.memory))?;
            self.disk = Some(disk);
        }
        Ok(())
    }

    pub(crate) fn finish(self) -> Result<Received, B2Error> {
        let found = hex(&self.hasher.finalize());
        let expected = match self.announced {
            Announced::Is(digits) => Some(digits),
            Announced::AtTheEnd => Some(String::from_utf8_lossy(&self.tail).to_ascii_lowercase()),
            Announced::Unchecked => None,
        };
        if let Some(expected) = &expected
            && *expected != found
        {
            return Err(B2Error::bad_request(format!(
                "Sha1 did not match data received: expected {expected}, found {found}"
            )));
        }
        let content = match self.disk {
            Some(file) => Content::on_disk(file, self.length),
            None => Content::in_memory(self.memory.into()),
        };
        let sha1 = expected.unwrap_or_else(|| "none".to_owned());
        Ok(Received { content, sha1 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HELLO: &str = "aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d";

    #[test]
    fn digits_at_the_end_are_no_content_however_they_are_cut() {
        let body = format!("hello{HELLO}");
        for at in 0..body.len() {
            let mut receiver = Receiver::new(Announced::AtTheEnd);
            receiver.push(&body.as_bytes()[..at]).expect("memory");
            receiver.push(&body.as_bytes()[at..]).expect("memory");
            let whole = receiver.finish().expect("the right digits");
            assert_eq!(whole.content.to_vec().expect("memory"), b"hello");
            assert_eq!(whole.sha1, HELLO);
        }
    }

    #[test]
    fn another_content_than_was_announced_is_refused() {
        let mut receiver = Receiver::new(Announced::Is(HELLO.to_owned()));
        receiver.push(b"hallo").expect("memory");
        assert_eq!(receiver.finish().expect_err("another").code, "bad_request");
    }
}
