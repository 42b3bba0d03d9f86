//! Words on their way to a terminal: what others wrote, numbers, times.

use jiff::Timestamp;

/// Whether a character does more than stand there: it moves the cursor, ends a line, or turns the
/// direction of what follows. A line feed and a tab do, too.
pub fn is_harmful(character: char) -> bool {
    let turns_or_ends = matches!(
        character,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}'
    );
    turns_or_ends || character.is_control()
}

/// A number with its noun: `1 file`, `2,003 files`.
pub fn count(n: u64, noun: &str) -> String {
    let plural = if n == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", thousands(n))
}

fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A time to the second: `2026-11-24 03:00:00Z`.
pub fn second(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%SZ").to_string()
}

/// A time to the minute that has begun, as a clock shows it: `2026-11-24 03:00Z`.
pub fn minute(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%MZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_grouped_and_agree_with_their_noun() {
        assert_eq!(count(1, "file"), "1 file");
        assert_eq!(count(0, "file"), "0 files");
        assert_eq!(count(1_234_567, "file"), "1,234,567 files");
    }

    #[test]
    fn times_are_cut_as_a_clock_cuts_them() {
        let at: Timestamp = "2026-11-24T03:00:59.9Z".parse().unwrap();
        assert_eq!(second(at), "2026-11-24 03:00:59Z");
        assert_eq!(minute(at), "2026-11-24 03:00Z");
    }
}
