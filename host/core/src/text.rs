//! What others wrote, on its way to a terminal.

/// Whether a character does more than stand there: it moves the cursor, ends a line, or turns the
/// direction of what follows. A line feed and a tab do, too.
pub fn is_harmful(character: char) -> bool {
    let turns_or_ends = matches!(
        character,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}'
    );
    turns_or_ends || character.is_control()
}
