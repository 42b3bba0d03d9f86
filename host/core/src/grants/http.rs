//! What one entry of an `http` grant covers.

use std::fmt;
use std::str::FromStr;

use super::{InvalidOrigin, Origin};

/// A method of HTTP: upper-case letters, and hyphens between them.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Method(String);

/// Why a text is no method that a hook may use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidMethod {
    /// Not written as methods are.
    #[error("methods are written in upper-case letters, as `GET` and `POST` are")]
    Text,
    /// `CONNECT` and `TRACE`.
    #[error(
        "`CONNECT` opens a tunnel to anywhere, and `TRACE` shows what Copal put into a request; neither is sent"
    )]
    Refused,
}

impl Method {
    /// The method as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Method {
    type Err = InvalidMethod;

    fn from_str(text: &str) -> Result<Self, InvalidMethod> {
        let is_word = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_uppercase());
        match text {
            "CONNECT" | "TRACE" => Err(InvalidMethod::Refused),
            _ if text.len() <= 32 && text.split('-').all(is_word) => Ok(Self(text.to_owned())),
            _ => Err(InvalidMethod::Text),
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// One entry: `[private ][METHOD[,METHOD…] ]ORIGIN`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpPattern {
    /// Where requests may go.
    pub origin: Origin,
    /// With which methods, each once; any where there is none.
    pub methods: Vec<Method>,
    /// Whether the host's name may lead to a private address.
    pub private: bool,
}

/// Why a text is no entry of an `http` grant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPattern {
    /// A star.
    #[error("each origin has to be named; there is no star for all of them")]
    Star,
    /// Too many words, or too many spaces.
    #[error("it has more than `private`, methods and an origin, with one space between them")]
    Words,
    /// Something stands for methods that is none.
    #[error("`{text}` stands where methods belong: {why}")]
    Method {
        /// What stands there.
        text: String,
        /// Why it is no method.
        why: InvalidMethod,
    },
    /// The origin is none.
    #[error("{0}")]
    Origin(#[from] InvalidOrigin),
}

impl HttpPattern {
    /// Whether it covers requests to `origin` with `method`, at an address that is private or not.
    pub fn covers(&self, method: &Method, origin: &Origin, private: bool) -> bool {
        self.names(method, origin) && (self.reaches_private() || !private)
    }

    /// Whether it speaks of these requests, wherever the host's name leads.
    pub(super) fn names(&self, method: &Method, origin: &Origin) -> bool {
        self.origin == *origin && (self.methods.is_empty() || self.methods.contains(method))
    }

    /// Whether it covers all that `other` does.
    pub(super) fn contains(&self, other: &Self) -> bool {
        let methods = self.methods.is_empty()
            || (!other.methods.is_empty()
                && other.methods.iter().all(|m| self.methods.contains(m)));
        self.origin == other.origin && methods && (self.reaches_private() || !other.private)
    }

    fn reaches_private(&self) -> bool {
        self.private || self.origin.is_private_by_name()
    }
}

impl FromStr for HttpPattern {
    type Err = InvalidPattern;

    fn from_str(text: &str) -> Result<Self, InvalidPattern> {
        if text == "*" {
            return Err(InvalidPattern::Star);
        }
        let words: Vec<_> = text.split(' ').collect();
        let (private, words) = match words.split_first() {
            Some((&"private", rest)) if !rest.is_empty() => (true, rest),
            _ => (false, &words[..]),
        };
        let (methods, origin) = match words {
            [origin] => (Vec::new(), origin),
            [methods, origin] => (self::methods(methods)?, origin),
            _ => return Err(InvalidPattern::Words),
        };
        let origin = origin.parse()?;
        Ok(Self {
            origin,
            methods,
            private,
        })
    }
}

fn methods(text: &str) -> Result<Vec<Method>, InvalidPattern> {
    let mut methods = Vec::new();
    for word in text.split(',') {
        let method = word.parse().map_err(|why| InvalidPattern::Method {
            text: word.to_owned(),
            why,
        })?;
        if !methods.contains(&method) {
            methods.push(method);
        }
    }
    Ok(methods)
}

impl fmt::Display for HttpPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.private {
            f.write_str("private ")?;
        }
        for (at, method) in self.methods.iter().enumerate() {
            let comma = if at == 0 { "" } else { "," };
            write!(f, "{comma}{method}")?;
        }
        let space = if self.methods.is_empty() { "" } else { " " };
        write!(f, "{space}{}", self.origin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_privacy_methods_and_an_origin_with_one_space_between() {
        for text in [
            "https://ntfy.sh",
            "POST https://hooks.example.com",
            "GET,POST http://127.0.0.1:9000",
            "private http://gotify.lan:8080",
            "private GET,POST http://gotify.lan:8080",
        ] {
            assert_eq!(text.parse::<HttpPattern>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "*",
            "",
            " ",
            "private",
            "GET",
            "https://ntfy.sh/topic",
            "post https://ntfy.sh",
            "POST  https://ntfy.sh",
            "POST, https://ntfy.sh",
            "POST private https://ntfy.sh",
            "private private https://ntfy.sh",
            "CONNECT https://ntfy.sh",
            "GET,TRACE https://ntfy.sh",
            "GET\thttps://ntfy.sh",
            "https://*",
            "* https://ntfy.sh",
        ] {
            assert!(text.parse::<HttpPattern>().is_err(), "{text:?}");
        }
    }
}
