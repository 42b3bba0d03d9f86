//! A URL in the parts that a request is made of.

use crate::Error;

/// A URL without user, password and fragment.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Url<'a> {
    pub(super) secure: bool,
    /// A host, and a port where one is given.
    pub(super) authority: &'a str,
    /// Begins with a slash.
    pub(super) path_and_query: String,
}

impl<'a> Url<'a> {
    pub(super) fn parse(text: &'a str) -> Result<Self, Error> {
        let sound = |text: &&str| text.bytes().all(|byte| byte > b' ' && byte != 0x7f);
        let (secure, rest) = strip_scheme(text)
            .filter(|(_, rest)| sound(rest))
            .ok_or_else(|| invalid(text, "no URL of http or https"))?;
        let (rest, _fragment) = rest.split_once('#').unwrap_or((rest, ""));
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        if authority.is_empty() {
            return Err(invalid(text, "a URL without a host"));
        }
        if authority.contains('@') {
            let why = "a URL with a user in it; a secret belongs into a header";
            return Err(Error::Invalid(why.into()));
        }
        let slash = if path.starts_with('/') { "" } else { "/" };
        Ok(Self {
            secure,
            authority,
            path_and_query: format!("{slash}{path}"),
        })
    }

    /// Scheme, host and port, as grants have them.
    pub(super) fn origin(&self) -> String {
        let (scheme, usual) = if self.secure {
            ("https", ":443")
        } else {
            ("http", ":80")
        };
        let host = self.authority.to_ascii_lowercase();
        let host = host.strip_suffix(usual).unwrap_or(&host);
        format!("{scheme}://{host}")
    }
}

fn strip_scheme(text: &str) -> Option<(bool, &str)> {
    let (scheme, rest) = text.split_once("://")?;
    match scheme.to_ascii_lowercase().as_str() {
        "https" => Some((true, rest)),
        "http" => Some((false, rest)),
        _ => None,
    }
}

fn invalid(text: &str, why: &str) -> Error {
    Error::Invalid(format!("`{text}` is {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> (String, String) {
        let url = Url::parse(text).expect("a URL");
        (url.origin(), url.path_and_query)
    }

    #[test]
    fn a_url_falls_into_its_origin_and_what_is_asked_there() {
        for (text, origin, path) in [
            ("https://ntfy.sh/backups", "https://ntfy.sh", "/backups"),
            ("HTTP://Gotify.LAN:8080", "http://gotify.lan:8080", "/"),
            ("https://a.example:443?x=1#y", "https://a.example", "/?x=1"),
            ("http://[::1]:80/", "http://[::1]", "/"),
        ] {
            assert_eq!(parts(text), (origin.to_owned(), path.to_owned()), "{text}");
        }
    }

    #[test]
    fn what_is_no_url_is_refused() {
        for text in [
            "",
            "ntfy.sh/backups",
            "ftp://ntfy.sh/",
            "https:///path",
            "https://user:word@ntfy.sh/",
            "https://ntfy.sh/a b",
            "https://ntfy.sh/\r\nx: y",
        ] {
            let error = Url::parse(text).expect_err(text);
            assert!(matches!(error, Error::Invalid(_)), "{text}");
        }
    }

    #[test]
    fn a_password_in_a_url_stays_out_of_the_message() {
        let error = Url::parse("https://user:word@ntfy.sh/").expect_err("has a user");
        assert!(matches!(error, Error::Invalid(why) if !why.contains("word")));
    }
}
