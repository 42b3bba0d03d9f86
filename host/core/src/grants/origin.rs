//! Where a request over HTTP goes: scheme, host and port.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use super::is_private;

/// A scheme, a host and a port: `https://ntfy.sh`, `http://127.0.0.1:9000`.
///
/// There is one way to write each, so that two are the same exactly if their texts are: hosts are
/// lower-cased, addresses in their shortest form, and the scheme's own port is not written. Parsing is a
/// security boundary: what some program could read as another host than this one does is refused.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Origin {
    scheme: Scheme,
    host: Host,
    port: u16,
}

/// How the request travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scheme {
    /// In the clear.
    Http,
    /// Over TLS.
    Https,
}

/// The host of an origin.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Host {
    /// A name, lower-cased, that is no address in disguise.
    Name(String),
    /// An address.
    Address(IpAddr),
}

/// Why a text is no origin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidOrigin {
    /// Neither `http://` nor `https://` begins it.
    #[error("it does not begin with `http://` or `https://`")]
    Scheme,
    /// Nothing stands where the host belongs.
    #[error("it has no host")]
    NoHost,
    /// A user or a password stands before the host.
    #[error("it holds a user or a password, which belong into a secret")]
    UserInfo,
    /// More than scheme, host and port.
    #[error("it holds a path, a query or a fragment, and only scheme, host and port are looked at")]
    Path,
    /// A character beyond ASCII.
    #[error("its host is not ASCII; write it in punycode (`xn--…`)")]
    NotAscii,
    /// A dot at the end, or two in a row.
    #[error("its host has an empty part: a dot at its end or its beginning, or two in a row")]
    EmptyLabel,
    /// A character that no host has.
    #[error(
        "its host has a character that hosts do not have; letters, digits, `-`, `_` and `.` are"
    )]
    Character,
    /// Longer than any name can be, or a part with a hyphen at an end.
    #[error(
        "its host is no name: parts have at most 63 characters and no hyphen at their ends, all of it 253"
    )]
    Name,
    /// A number that some programs read as an address.
    #[error(
        "its host is a number that some programs take for an address; write all four decimal parts"
    )]
    Number,
    /// Brackets around something else than an IPv6 address.
    #[error("its host is no IPv6 address (in brackets, without a zone)")]
    V6,
    /// No port from 1 to 65535.
    #[error("its port is not a number from 1 to 65535")]
    Port,
}

impl Scheme {
    /// `http` or `https`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    const fn port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

impl Origin {
    /// How the request travels.
    pub const fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The host.
    pub const fn host(&self) -> &Host {
        &self.host
    }

    /// The port, also where it is the scheme's own.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The host, and the port unless it is the scheme's own: the value of the header `host`.
    pub fn authority(&self) -> String {
        if self.port == self.scheme.port() {
            self.host.to_string()
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }

    /// Whether it says by itself that it leads to this computer or its neighbours: an address that is
    /// private, or `localhost`.
    pub fn is_private_by_name(&self) -> bool {
        match &self.host {
            Host::Name(name) => name == "localhost" || name.ends_with(".localhost"),
            Host::Address(address) => is_private(*address).is_some(),
        }
    }
}

impl FromStr for Origin {
    type Err = InvalidOrigin;

    fn from_str(text: &str) -> Result<Self, InvalidOrigin> {
        let (scheme, rest) = scheme(text).ok_or(InvalidOrigin::Scheme)?;
        if rest.contains('@') {
            return Err(InvalidOrigin::UserInfo);
        }
        if rest.contains(['/', '?', '#', '\\']) {
            return Err(InvalidOrigin::Path);
        }
        let (host, port) = match rest.strip_prefix('[') {
            Some(bracketed) => {
                let (address, rest) = bracketed.split_once(']').ok_or(InvalidOrigin::V6)?;
                let address: Ipv6Addr = address.parse().map_err(|_| InvalidOrigin::V6)?;
                let port = match rest {
                    "" => None,
                    _ => Some(rest.strip_prefix(':').ok_or(InvalidOrigin::V6)?),
                };
                (Host::Address(address.into()), port)
            }
            None => match rest.split_once(':') {
                Some((name, port)) => (host(name)?, Some(port)),
                None => (host(rest)?, None),
            },
        };
        let port = port.map_or(Ok(scheme.port()), self::port)?;
        Ok(Self { scheme, host, port })
    }
}

fn scheme(text: &str) -> Option<(Scheme, &str)> {
    [Scheme::Https, Scheme::Http]
        .into_iter()
        .find_map(|scheme| {
            let (name, rest) = text.split_once("://")?;
            name.eq_ignore_ascii_case(scheme.name())
                .then_some((scheme, rest))
        })
}

fn port(text: &str) -> Result<u16, InvalidOrigin> {
    let is_number =
        !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) && !text.starts_with('0');
    match text.parse() {
        Ok(port) if is_number => Ok(port),
        _ => Err(InvalidOrigin::Port),
    }
}

/// A name or an IPv4 address. Source for what counts as a number: <https://url.spec.whatwg.org/#host-parsing>.
fn host(text: &str) -> Result<Host, InvalidOrigin> {
    if text.is_empty() {
        return Err(InvalidOrigin::NoHost);
    }
    if !text.is_ascii() {
        return Err(InvalidOrigin::NotAscii);
    }
    if text
        .bytes()
        .any(|b| !b.is_ascii_alphanumeric() && !b"-_.".contains(&b))
    {
        return Err(InvalidOrigin::Character);
    }
    let name = text.to_ascii_lowercase();
    let labels: Vec<_> = name.split('.').collect();
    if labels.iter().any(|label| label.is_empty()) {
        return Err(InvalidOrigin::EmptyLabel);
    }
    if labels.last().is_some_and(|last| looks_like_a_number(last)) {
        let address: Ipv4Addr = name.parse().map_err(|_| InvalidOrigin::Number)?;
        return Ok(Host::Address(address.into()));
    }
    let is_label =
        |label: &&str| label.len() <= 63 && !label.starts_with('-') && !label.ends_with('-');
    if name.len() > 253 || !labels.iter().all(is_label) {
        return Err(InvalidOrigin::Name);
    }
    Ok(Host::Name(name))
}

fn looks_like_a_number(label: &str) -> bool {
    let is_hexadecimal = label
        .strip_prefix("0x")
        .is_some_and(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
    is_hexadecimal || label.bytes().all(|b| b.is_ascii_digit())
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.pad(name),
            Self::Address(IpAddr::V4(address)) => address.fmt(f),
            Self::Address(IpAddr::V6(address)) => f.pad(&format!("[{address}]")),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}://{}", self.scheme, self.authority()))
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Origin({self})")
    }
}

#[cfg(test)]
#[path = "origin_tests.rs"]
mod tests;
