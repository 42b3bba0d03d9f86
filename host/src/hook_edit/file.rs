//! The text that is edited keeps its line ends.

/// `after` with the line ends of `before`, which a TOML document does not keep. A new line ends as the
/// one above it.
pub(super) fn with_line_ends_of(before: &str, after: &str) -> String {
    const CRLF: &str = "\r\n";
    let mut known: Vec<&str> = before.split_inclusive('\n').collect();
    let ends_so = |line: &str| line.ends_with(CRLF);
    let mut is_crlf = known.first().is_some_and(|line| ends_so(line));
    known.reverse();
    let mut text = String::with_capacity(before.len() + after.len());
    for line in after.split_inclusive('\n') {
        let content = line.trim_end_matches(['\r', '\n']);
        let is_it = |known: &&str| known.trim_end_matches(['\r', '\n']) == content;
        if let Some(at) = known.iter().rposition(is_it) {
            is_crlf = ends_so(known[at]);
            known.truncate(at);
        }
        text.push_str(content);
        if line.ends_with('\n') {
            text.push_str(if is_crlf { CRLF } else { "\n" });
        }
    }
    text
}
