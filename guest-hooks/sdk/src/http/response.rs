//! What comes back.

use std::borrow::Cow;

use serde::de::DeserializeOwned;

use crate::Error;

/// The most of an answer's body that an error quotes.
const QUOTED: usize = 200;

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// Its status code, for example 200.
    pub status: u16,
    /// Its headers, with names in lower case.
    pub headers: Vec<(String, Vec<u8>)>,
    /// Its body.
    pub body: Vec<u8>,
    /// Whom it is from, for errors.
    pub(super) origin: String,
    /// Whether errors quote its body.
    pub(super) is_quoted: bool,
}

impl Response {
    /// The value of the first header of that name, if it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        let (_, value) = headers.find(|(known, _)| known.eq_ignore_ascii_case(name))?;
        std::str::from_utf8(value).ok()
    }

    /// The body as text; what is not UTF-8 is replaced.
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.body)
    }

    /// The body read as JSON.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_slice(&self.body).map_err(|error| {
            Error::Failed(format!(
                "the answer of {} makes no sense: {error}",
                self.origin
            ))
        })
    }

    /// The same, of which errors quote nothing: it may repeat what was asked, in a form of its own that Copal
    /// can't know for a secret. Answers to requests with a secret are so from the start.
    #[must_use]
    pub fn unquoted(self) -> Self {
        Self {
            is_quoted: false,
            ..self
        }
    }

    /// The answer where its status means success (2xx), else an error with the beginning of its
    /// body, unless it is [unquoted](Self::unquoted).
    pub fn ok(self) -> Result<Self, Error> {
        if (200..300).contains(&self.status) {
            return Ok(self);
        }
        let (origin, status) = (&self.origin, self.status);
        if !self.is_quoted {
            return Err(Error::Failed(format!("{origin} answered {status}")));
        }
        let text = self.text();
        let text: String = text.trim().chars().take(QUOTED).collect();
        let text = text.replace(char::is_control, " ");
        let colon = if text.is_empty() { "" } else { ": " };
        Err(Error::Failed(format!(
            "{origin} answered {status}{colon}{text}"
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(status: u16, body: &str) -> Response {
        Response {
            status,
            headers: vec![("content-type".into(), b"text/plain".to_vec())],
            body: body.into(),
            origin: "https://ntfy.sh".into(),
            is_quoted: true,
        }
    }

    #[test]
    fn success_is_any_status_of_the_two_hundreds() {
        for (status, fine) in [(200, true), (204, true), (302, false), (404, false)] {
            assert_eq!(response(status, "").ok().is_ok(), fine, "{status}");
        }
    }

    #[test]
    fn a_refusal_quotes_the_beginning_of_its_body_on_one_line() {
        let long = format!("no\nsuch {}", "x".repeat(1000));
        let Err(Error::Failed(why)) = response(403, &long).ok() else {
            panic!("403 is no success");
        };
        assert!(why.starts_with("https://ntfy.sh answered 403: no such xx"));
        assert!(why.len() < 300);
    }

    #[test]
    fn a_refusal_quotes_nothing_of_an_answer_that_may_repeat_a_secret() {
        let Err(Error::Failed(why)) = response(403, "no topic sesame").unquoted().ok() else {
            panic!("403 is no success");
        };
        assert_eq!(why, "https://ntfy.sh answered 403");
    }

    #[test]
    fn a_header_is_found_by_its_name_in_any_case() {
        assert_eq!(response(200, "").header("Content-Type"), Some("text/plain"));
    }
}
