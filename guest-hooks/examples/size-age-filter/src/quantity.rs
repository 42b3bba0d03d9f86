//! Sizes and ages as people write them.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, Visitor};

/// Bytes: a number, or `"500 MB"`, `"1 GiB"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Size(pub(crate) u64);

/// Nanoseconds: `"5m"`, `"12h"`, `"30d"`, `"2w"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Age(pub(crate) i64);

const SIZES: [(&str, u64); 9] = [
    ("", 1),
    ("B", 1),
    ("KB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
];

const SECOND: u64 = 1_000_000_000;

const AGES: [(&str, u64); 5] = [
    ("s", SECOND),
    ("m", 60 * SECOND),
    ("h", 3_600 * SECOND),
    ("d", 86_400 * SECOND),
    ("w", 7 * 86_400 * SECOND),
];

/// A whole number and a unit, with or without a space between them.
fn parse(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let unit = unit.strip_prefix(' ').unwrap_or(unit);
    let &(_, factor) = units.iter().find(|(name, _)| *name == unit)?;
    number.parse::<u64>().ok()?.checked_mul(factor)
}

struct SizeVisitor;

impl Visitor<'_> for SizeVisitor {
    type Value = Size;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a size as `1048576`, `\"500 MB\"` or `\"1 GiB\"`")
    }

    fn visit_u64<E: Error>(self, bytes: u64) -> Result<Size, E> {
        Ok(Size(bytes))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Size, E> {
        let size = parse(text, &SIZES).map(Size);
        size.ok_or_else(|| E::invalid_value(serde::de::Unexpected::Str(text), &self))
    }
}

struct AgeVisitor;

impl Visitor<'_> for AgeVisitor {
    type Value = Age;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an age as `\"12h\"`, `\"30d\"` or `\"2w\"`")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Age, E> {
        let age = parse(text, &AGES).and_then(|age| i64::try_from(age).ok());
        age.map(Age)
            .ok_or_else(|| E::invalid_value(serde::de::Unexpected::Str(text), &self))
    }
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SizeVisitor)
    }
}

impl<'de> Deserialize<'de> for Age {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AgeVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_with_the_usual_units() {
        for (text, bytes) in [("7", 7), ("500 MB", 500_000_000), ("1GiB", 1 << 30)] {
            assert_eq!(parse(text, &SIZES), Some(bytes), "{text}");
        }
    }

    #[test]
    fn ages_are_read_with_one_letter() {
        assert_eq!(parse("2w", &AGES), Some(14 * 86_400 * SECOND));
        assert_eq!(parse("90 s", &AGES), Some(90 * SECOND));
    }

    #[test]
    fn what_is_no_quantity_is_none() {
        for text in ["", "x", "1.5 GB", "-1", "1 gb", "99999999999999999999"] {
            assert_eq!(parse(text, &SIZES), None, "{text}");
        }
        for text in ["30", "d", "1y"] {
            assert_eq!(parse(text, &AGES), None, "{text}");
        }
    }
}
