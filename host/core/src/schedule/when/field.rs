//! One of cron's five fields.

use std::ops::RangeInclusive;

use super::InvalidWhen;

const MONTHS: [&str; 12] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];
pub(super) const DAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/// What one of the five fields allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) bits: u64,
    /// Whether it begins with `*`: cron asks for this where it has two fields about days.
    pub(super) is_star: bool,
}

pub(super) struct FieldKind {
    name: &'static str,
    range: RangeInclusive<u8>,
    words: &'static [&'static str],
    in_words: &'static str,
}

pub(super) const KINDS: [FieldKind; 5] = [
    FieldKind {
        name: "minute",
        range: 0..=59,
        words: &[],
        in_words: "0 to 59",
    },
    FieldKind {
        name: "hour",
        range: 0..=23,
        words: &[],
        in_words: "0 to 23",
    },
    FieldKind {
        name: "day of the month",
        range: 1..=31,
        words: &[],
        in_words: "1 to 31",
    },
    FieldKind {
        name: "month",
        range: 1..=12,
        words: &MONTHS,
        in_words: "1 to 12 or jan to dec",
    },
    FieldKind {
        name: "day of the week",
        range: 0..=7,
        words: &DAYS,
        in_words: "0 to 7 (0 and 7 are Sunday) or sun to sat",
    },
];

impl FieldKind {
    pub(super) fn read(&self, text: &str) -> Result<Field, InvalidWhen> {
        let mut parts = text.split(',').map(|part| self.part(part));
        let bits = parts.try_fold(0, |bits, part| Some(bits | part?));
        bits.map_or_else(
            || {
                Err(InvalidWhen::Field {
                    field: self.name,
                    text: text.to_owned(),
                    range: self.in_words,
                })
            },
            |bits| {
                Ok(Field {
                    bits,
                    is_star: text.starts_with('*'),
                })
            },
        )
    }

    fn part(&self, text: &str) -> Option<u64> {
        let (span, step) = match text.split_once('/') {
            Some((span, step)) => (span, Some(number(step)?)),
            None => (text, None),
        };
        let (first, last) = match span.split_once('-') {
            _ if span == "*" => (*self.range.start(), *self.range.end()),
            Some((first, last)) => (self.value(first)?, self.value(last)?),
            // A step needs something to step over.
            None if step.is_some() => return None,
            None => (self.value(span)?, self.value(span)?),
        };
        let step = step.unwrap_or(1);
        if first > last || step == 0 {
            return None;
        }
        let values = (first..=last).step_by(step.into());
        Some(values.fold(0, |bits, value| bits | 1 << value))
    }

    fn value(&self, text: &str) -> Option<u8> {
        let lower = text.to_ascii_lowercase();
        let word = self.words.iter().position(|word| *word == lower);
        let value = match word {
            Some(at) => u8::try_from(at).ok()? + *self.range.start(),
            None => number(text)?,
        };
        self.range.contains(&value).then_some(value)
    }
}

/// Digits alone: `+3` and the like are none of cron's.
pub(super) fn number(text: &str) -> Option<u8> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| digits)
}

impl Field {
    pub(super) fn has(self, value: i8) -> bool {
        self.bits >> value & 1 == 1
    }

    pub(super) fn values(self) -> impl Iterator<Item = i8> {
        (0..64).filter(move |value| self.has(*value))
    }
}
