//! Sizes that say what they are sizes of.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A number of bytes. Displayed in binary units (`1.5 MiB`), as rclone and `du -h` show them.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct ByteCount(pub u64);

const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];

impl ByteCount {
    /// No bytes at all.
    pub const ZERO: Self = Self(0);

    /// `n` mebibytes (1,048,576 bytes each).
    pub const fn mebibytes(n: u64) -> Self {
        Self(n * 1024 * 1024)
    }
}

impl fmt::Display for ByteCount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 < 1024 {
            return f.pad(&format!("{} B", self.0));
        }
        let mut unit = 0;
        #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
        let mut value = self.0 as f64 / 1024.0;
        // 1023.95 would be shown as "1024.0", which belongs to the next unit.
        while value >= 1023.95 && unit + 1 < UNITS.len() {
            value /= 1024.0;
            unit += 1;
        }
        f.pad(&format!("{value:.1} {}", UNITS[unit]))
    }
}

/// A size that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a size")]
pub struct InvalidSize(String);

impl FromStr for ByteCount {
    type Err = InvalidSize;

    /// Reads `64 MiB`, `64MiB`, `64M`, `512 k`, `100B` and plain `1048576`.
    ///
    /// All units are binary, as rclone's are: `64M` is 64 MiB. `64MB` is refused, since half the
    /// world reads it as 64,000,000.
    fn from_str(text: &str) -> Result<Self, InvalidSize> {
        let invalid = || InvalidSize(text.to_owned());
        let trimmed = text.trim();
        let digits = trimmed
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(trimmed.len());
        let number: u64 = trimmed[..digits].parse().map_err(|_| invalid())?;
        let power = match trimmed[digits..].trim().to_ascii_lowercase().as_str() {
            "" | "b" => 0,
            "k" | "ki" | "kib" => 1,
            "m" | "mi" | "mib" => 2,
            "g" | "gi" | "gib" => 3,
            "t" | "ti" | "tib" => 4,
            "p" | "pi" | "pib" => 5,
            _ => return Err(invalid()),
        };
        number
            .checked_mul(1024_u64.pow(power))
            .map(Self)
            .ok_or_else(invalid)
    }
}

impl Add for ByteCount {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        // Sizes come from remotes too: a sum that no disk could hold is still no panic.
        Self(self.0.saturating_add(other.0))
    }
}

impl AddAssign for ByteCount {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sum for ByteCount {
    fn sum<I: Iterator<Item = Self>>(counts: I) -> Self {
        counts.fold(Self::ZERO, Add::add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn sizes_are_shown_in_binary_units_with_one_decimal() {
        let shown = |n| ByteCount(n).to_string();
        assert_eq!(shown(0), "0 B");
        assert_eq!(shown(1023), "1023 B");
        assert_eq!(shown(1024), "1.0 KiB");
        assert_eq!(shown(1536), "1.5 KiB");
        assert_eq!(shown(1024 * 1024 - 1), "1.0 MiB");
        assert_eq!(shown(256 << 20), "256.0 MiB");
        assert_eq!(shown(u64::MAX), "16384.0 PiB");
    }

    #[test]
    fn sizes_are_read_with_or_without_unit_and_space() {
        for text in ["64 MiB", "64MiB", "64M", "64 mi", "67108864", "67108864 B"] {
            assert_eq!(text.parse(), Ok(ByteCount::mebibytes(64)), "{text}");
        }
    }

    #[test]
    fn a_decimal_unit_a_sign_or_an_overflow_is_refused() {
        for text in ["64MB", "-1", "1.5G", "", "MiB", "20000P", "1 XiB"] {
            assert!(text.parse::<ByteCount>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_whole_number_of_bytes_reads_back(n: u64) {
            prop_assert_eq!(format!("{n} B").parse(), Ok(ByteCount(n)));
        }
    }
}
