//! What a backslash means in a regular expression of Go's.

use std::iter::Peekable;
use std::str::Chars;

use super::RegexError;

/// The rest of an expression.
pub(super) type Input<'a> = Peekable<Chars<'a>>;

/// What an escape stands for.
pub(super) enum Escape {
    Literal(char),
    /// A class as Rust writes it, inside and outside of brackets.
    Class(String),
}

/// What follows a backslash, inside or outside a class.
pub(super) fn escape(input: &mut Input<'_>) -> Result<Escape, RegexError> {
    let c = input.next().ok_or_else(|| unsupported("\\"))?;
    let literal = match c {
        'd' | 'D' | 's' | 'S' | 'w' | 'W' => {
            return Ok(Escape::Class(perl_class(c).to_owned()));
        }
        'p' | 'P' => return unicode_class(input, c == 'P').map(Escape::Class),
        'a' => '\x07',
        'f' => '\x0C',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\x0B',
        'x' => hexadecimal(input)?,
        '0' => octal(input, 0)?,
        '1'..='7' if input.peek().is_some_and(|c| ('0'..='7').contains(c)) => {
            octal(input, c.to_digit(8).expect("an octal digit"))?
        }
        _ if c.is_ascii() && !c.is_ascii_alphanumeric() => c,
        _ => return Err(unsupported(&format!("\\{c}"))),
    };
    Ok(Escape::Literal(literal))
}

fn octal(input: &mut Input<'_>, first: u32) -> Result<char, RegexError> {
    let mut code = first;
    for _ in 0..2 {
        match input.next_if(|c| ('0'..='7').contains(c)) {
            Some(digit) => code = code * 8 + digit.to_digit(8).expect("an octal digit"),
            None => break,
        }
    }
    char::from_u32(code).ok_or_else(|| unsupported("\\0"))
}

/// `\x7F` or `\x{10FFFF}`.
fn hexadecimal(input: &mut Input<'_>) -> Result<char, RegexError> {
    let digits: String = if input.next_if_eq(&'{').is_some() {
        braced(input)?
    } else {
        input.by_ref().take(2).collect()
    };
    let invalid = || unsupported(&format!("\\x{{{digits}}}"));
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(invalid());
    }
    let code = u32::from_str_radix(&digits, 16).map_err(|_| invalid())?;
    char::from_u32(code).ok_or_else(invalid)
}

/// `\pL`, `\p{Greek}`, `\p{^Greek}`, and their complements.
///
/// Which characters a class holds is for this program's Unicode tables to say; rclone's can be
/// of another year.
fn unicode_class(input: &mut Input<'_>, negated: bool) -> Result<String, RegexError> {
    let name = match input.next() {
        Some('{') => braced(input)?,
        Some(c) => c.to_string(),
        None => return Err(unsupported("\\p")),
    };
    let (name, negated) = match name.strip_prefix('^') {
        Some(name) => (name, !negated),
        None => (name.as_str(), negated),
    };
    if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
        return Err(unsupported(&format!("\\p{{{name}}}")));
    }
    Ok(format!("\\{}{{{name}}}", if negated { 'P' } else { 'p' }))
}

fn braced(input: &mut Input<'_>) -> Result<String, RegexError> {
    let mut inside = String::new();
    loop {
        match input.next() {
            Some('}') => return Ok(inside),
            Some(c) => inside.push(c),
            None => return Err(unsupported("{")),
        }
    }
}

/// `\d`, `\s`, `\w` and their complements: ASCII, and without the vertical tab, in Go.
fn perl_class(letter: char) -> &'static str {
    match letter {
        'd' => "[0-9]",
        'D' => "[^0-9]",
        's' => r"[\t\n\x0C\r\x20]",
        'S' => r"[^\t\n\x0C\r\x20]",
        'w' => "[0-9A-Za-z_]",
        _ => "[^0-9A-Za-z_]",
    }
}

pub(super) fn unsupported(what: &str) -> RegexError {
    RegexError::Unsupported(what.to_owned())
}
