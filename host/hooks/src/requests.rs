//! The section of a component that holds its requests.

use copal_core::grants::Grants;
use serde_json::Value;

use crate::{Flaw, check};

/// Its name.
pub(crate) const SECTION: &str = "copal-hook";

/// The largest one. Entries are compared with one another, and nobody reads thousands of them.
const LARGEST: usize = 64 * 1024;

/// Reads a component's requests: `own` are the sections at its top, which were put there after it was
/// built, and stand before those `inner` ones that its compiler wrote.
pub(crate) fn read(own: &[&[u8]], inner: &[&[u8]]) -> Result<Option<Grants>, Flaw> {
    let sections = if own.is_empty() { inner } else { own };
    match sections {
        [] => Ok(None),
        [section] => {
            let text = std::str::from_utf8(section).map_err(|_| flaw("it is not UTF-8"))?;
            parse(text).map(Some)
        }
        several => Err(flaw(format!("there are {} of them", several.len()))),
    }
}

/// The component with these requests, `{"requests": {"http": ["https://ntfy.sh"]}}`, in place of its
/// own.
///
/// # Errors
/// [`Flaw::Requests`] for what are no requests, and as [`inspect`](crate::inspect) for what is no
/// component.
pub fn add_requests(component: &[u8], requests: &str) -> Result<Vec<u8>, Flaw> {
    parse(requests)?;
    check::header(component)?;
    let mut packed = without_requests(component)?;
    packed.push(0); // a custom section
    let name_and_data = 1 + SECTION.len() + requests.len();
    leb128(&mut packed, name_and_data);
    leb128(&mut packed, SECTION.len());
    packed.extend_from_slice(SECTION.as_bytes());
    packed.extend_from_slice(requests.as_bytes());
    Ok(packed)
}

/// The component without sections of requests at its top.
fn without_requests(component: &[u8]) -> Result<Vec<u8>, Flaw> {
    let mut kept = component[..8].to_vec();
    let mut at = 8;
    while at < component.len() {
        let cut = || Flaw::Damaged("a section goes beyond its end".to_owned());
        let (size, header) = read_leb128(&component[at + 1..]).ok_or_else(cut)?;
        let end = at + 1 + header + size;
        let section = component.get(at..end).ok_or_else(cut)?;
        let name = read_leb128(&section[1 + header..]);
        let is_requests = section[0] == 0
            && name.is_some_and(|(length, bytes)| {
                let from = 1 + header + bytes;
                section.get(from..from + length) == Some(SECTION.as_bytes())
            });
        if !is_requests {
            kept.extend_from_slice(section);
        }
        at = end;
    }
    Ok(kept)
}

fn parse(text: &str) -> Result<Grants, Flaw> {
    // A compiler may round the section up.
    let text = text.trim_end_matches('\0');
    if text.len() > LARGEST {
        let size = text.len();
        return Err(flaw(format!(
            "they are {size} bytes, and {LARGEST} are the most"
        )));
    }
    let value: Value = serde_json::from_str(text).map_err(|error| flaw(error.to_string()))?;
    let Value::Object(table) = &value else {
        return Err(flaw("it is no object"));
    };
    if let Some(unknown) = table.keys().find(|key| *key != "requests") {
        return Err(flaw(format!("`{unknown}` is not known in it")));
    }
    let requests = table
        .get("requests")
        .ok_or_else(|| flaw("it has no `requests`"))?;
    Grants::from_json(requests).map_err(|problems| {
        let texts: Vec<_> = problems.iter().map(ToString::to_string).collect();
        flaw(texts.join("; "))
    })
}

fn flaw(why: impl Into<String>) -> Flaw {
    Flaw::Requests(why.into())
}

/// The number at the beginning, and how many bytes it takes.
fn read_leb128(bytes: &[u8]) -> Option<(usize, usize)> {
    let mut number = 0;
    for (at, byte) in bytes.iter().take(5).enumerate() {
        number |= usize::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return Some((number, at + 1));
        }
    }
    None
}

fn leb128(bytes: &mut Vec<u8>, mut number: usize) {
    loop {
        let low = number.to_le_bytes()[0] & 0x7f;
        number >>= 7;
        if number == 0 {
            bytes.push(low);
            return;
        }
        bytes.push(low | 0x80);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";

    #[test]
    fn requests_replace_those_that_are_there_and_keep_everything_else() {
        let one = r#"{"requests":{"state":true}}"#;
        let packed = add_requests(COMPONENT, r#"{"requests":{"sqlite":["*"]}}"#).unwrap();
        let packed = add_requests(&packed, one).unwrap();
        assert_eq!(packed, add_requests(COMPONENT, one).unwrap());
        assert!(packed.ends_with(one.as_bytes()));
    }

    #[test]
    fn what_are_no_requests_is_refused_with_what_is_wrong() {
        for (text, why) in [
            ("", "EOF"),
            ("[]", "no object"),
            ("{}", "no `requests`"),
            (r#"{"request":{}}"#, "`request` is not known"),
            (r#"{"requests":{"http":["*"]}}"#, "no star"),
        ] {
            let flaw = add_requests(COMPONENT, text).unwrap_err().to_string();
            assert!(flaw.contains(why), "{flaw}");
        }
    }

    #[test]
    fn more_requests_than_anybody_reads_are_refused_at_once() {
        let entries: Vec<_> = (0..100_000).map(|n| format!("https://h{n}.net")).collect();
        let text = serde_json::json!({ "requests": { "http": entries } }).to_string();
        let flaw = add_requests(COMPONENT, &text).unwrap_err().to_string();
        assert!(flaw.contains("65536 are the most"), "{flaw}");
    }

    #[test]
    fn numbers_of_any_size_come_back() {
        for number in [0, 1, 127, 128, 300, 1 << 20, u32::MAX as usize] {
            let mut bytes = Vec::new();
            leb128(&mut bytes, number);
            assert_eq!(read_leb128(&bytes), Some((number, bytes.len())));
        }
    }
}
