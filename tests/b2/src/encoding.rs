//! Text in headers, paths and names: <https://www.backblaze.com/docs/cloud-storage-native-api-string-encoding>.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::error::B2Error;

/// What B2 leaves as it is.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'.')
    .remove(b'_')
    .remove(b'-')
    .remove(b'/')
    .remove(b'~')
    .remove(b'!')
    .remove(b'$')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b';')
    .remove(b'=')
    .remove(b':')
    .remove(b'@');

pub(crate) fn encode(text: &str) -> String {
    utf8_percent_encode(text, ENCODED).to_string()
}

/// A plus stands for a space, as in forms.
pub(crate) fn decode(text: &str) -> Result<String, B2Error> {
    let spaced = text.replace('+', " ");
    let decoded = percent_decode_str(&spaced).decode_utf8();
    decoded
        .map(std::borrow::Cow::into_owned)
        .map_err(|_| B2Error::bad_request(format!("{text} is not UTF-8")))
}

/// The rules for names, by <https://www.backblaze.com/docs/cloud-storage-files>.
pub(crate) fn check_name(name: &str) -> Result<(), B2Error> {
    let refuse = |why: &str| Err(B2Error::bad_request(format!("File names must {why}")));
    match name {
        "" => refuse("contain at least 1 character"),
        _ if name.len() > 1024 => refuse("be at most 1024 bytes"),
        _ if name.starts_with('/') => refuse("not start with '/'"),
        _ if name.ends_with('/') => refuse("not end with '/'"),
        _ if name.contains("//") => refuse("not contain '//'"),
        _ if name.contains('\\') => refuse("not contain backslashes"),
        _ if name.chars().any(|c| c < ' ' || c == '\x7f') => {
            refuse("not contain control characters")
        }
        _ if name.split('/').any(|segment| segment.len() > 250) => {
            refuse("have segments of at most 250 bytes")
        }
        _ => Ok(()),
    }
}
