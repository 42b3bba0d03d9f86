//! Names that rclone hands on as they are.

/// Whether a path relative to a local remote arrives with exactly this name when rclone copies it.
///
/// rclone thinks of names in an encoding of its own: control characters become their Unicode
/// pictures (`␊` for a newline), and a picture or the quote `‛` in a name gets a quote before it.
/// Between two local remotes most of these come back as they were, but a listing shows another name,
/// and a list of files has to spell it so. Bytes that are not UTF-8 are replaced for good. The rule
/// is that of `lib/encoder` (`Standard` against the local backend's `Base`) in rclone 1.76.
pub fn travels_unchanged(name: &[u8]) -> bool {
    let Ok(name) = std::str::from_utf8(name) else {
        return false;
    };
    let is_sound = |part: &str| !part.is_empty() && part != "." && part != "..";
    name.split('/').all(is_sound) && !name.chars().any(is_rewritten)
}

fn is_rewritten(character: char) -> bool {
    matches!(
        character,
        '\0'..='\x1f' | '\x7f'          // become pictures
        | '\u{2401}'..='\u{241f}' | '␡' // the pictures themselves, quoted
        | '‛'                           // the quote, quoted
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everyday_names_travel() {
        for name in [
            "webui.db",
            "uploads/a b c.pdf",
            "Ärger/日本語",
            " lead",
            "trail. ",
            "~a",
            "-x",
        ] {
            assert!(travels_unchanged(name.as_bytes()), "{name:?}");
        }
    }

    #[test]
    fn names_that_rclone_would_spell_otherwise_do_not() {
        for name in [
            "a\nb",
            "tab\t",
            "bell/\x07",
            "del\x7f",
            "␊",
            "dir‛/x",
            "",
            "a//b",
            "/a",
            "a/..",
        ] {
            assert!(!travels_unchanged(name.as_bytes()), "{name:?}");
        }
        assert!(!travels_unchanged(b"caf\xe9"));
    }
}
