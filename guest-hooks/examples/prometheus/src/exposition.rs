//! Prometheus' text format, and the Pushgateway's paths.

use std::fmt::Display;

/// Metrics as text, format 0.0.4.
#[derive(Default)]
pub(crate) struct Exposition(String);

impl Exposition {
    /// Adds a gauge without labels: the group has them.
    pub(crate) fn gauge(&mut self, name: &str, help: &str, value: &dyn Display) {
        let lines = format!("# HELP {name} {help}\n# TYPE {name} gauge\n{name} {value}\n");
        self.0.push_str(&lines);
    }

    pub(crate) fn into_text(self) -> String {
        self.0
    }
}

/// Nanoseconds since 1970 as seconds with a fraction.
pub(crate) fn seconds(nanoseconds: i64) -> String {
    let (seconds, rest) = (nanoseconds / 1_000_000_000, nanoseconds % 1_000_000_000);
    format!("{seconds}.{:03}", rest.unsigned_abs() / 1_000_000)
}

/// Whether it may be a label's name.
pub(crate) fn is_label(name: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    !name.is_empty() && !name.as_bytes()[0].is_ascii_digit() && name.bytes().all(word)
}

/// A label in the path of a group: percent-encoded where need be, in base64 where it has a slash
/// or nothing, since those can't be in a path.
pub(crate) fn segment(name: &str, value: &str) -> String {
    if value.is_empty() {
        return format!("{name}@base64/=");
    }
    if value.contains('/') {
        return format!("{name}@base64/{}", base64(value.as_bytes()));
    }
    let encode = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    };
    let parts: Vec<_> = value.bytes().map(encode).collect();
    format!("{name}/{}", parts.concat())
}

/// In the alphabet for URLs, without padding.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let part = |at: usize| u32::from(chunk.get(at).copied().unwrap_or(0));
        let bits = part(0) << 16 | part(1) << 8 | part(2);
        for digit in 0..=chunk.len() {
            let index = bits >> (18 - 6 * digit) & 63;
            text.push(ALPHABET[index as usize].into());
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_that_a_path_can_hold_is_written_as_it_is() {
        assert_eq!(segment("job", "open-webui"), "job/open-webui");
        assert_eq!(segment("job", "a b"), "job/a%20b");
    }

    #[test]
    fn a_label_that_a_path_can_not_hold_is_encoded() {
        // The Pushgateway's own example.
        assert_eq!(segment("path", "/var/tmp"), "path@base64/L3Zhci90bXA");
        assert_eq!(segment("empty", ""), "empty@base64/=");
    }

    #[test]
    fn a_name_that_is_no_label_is_known() {
        for (name, sound) in [
            ("instance", true),
            ("_a1", true),
            ("1a", false),
            ("a-b", false),
            ("", false),
        ] {
            assert_eq!(is_label(name), sound, "{name}");
        }
    }

    #[test]
    fn a_moment_is_told_in_seconds() {
        assert_eq!(seconds(1_700_000_000_123_456_789), "1700000000.123");
    }
}
