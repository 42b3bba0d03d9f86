//! The scale of a chart: how high its top is, in a round figure, and how high a value stands below it.

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Bytes, which are told in powers of 1024.
    Bytes,
    /// Milliseconds, which are told in seconds, minutes and hours.
    Milliseconds,
}

/// A scale from 0 to its top.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scale {
    top: u64,
}

const SECOND: u64 = 1000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;

impl Scale {
    /// The scale with the least round top that is no lower than any of these values.
    pub fn over(unit: Unit, values: impl IntoIterator<Item = u64>) -> Self {
        let most = values.into_iter().max().unwrap_or(0);
        let rounds: Vec<u64> = match unit {
            Unit::Bytes => {
                let powers = (0..6).map(|power| 1024_u64.pow(power));
                powers
                    .flat_map(|one| [1, 2, 5, 10, 20, 50, 100, 200, 500].map(|n| n * one))
                    .collect()
            }
            Unit::Milliseconds => {
                let few = [1, 2, 5, 10, 20, 50, 100, 200, 500];
                let sixtieths = [1, 2, 5, 10, 20, 30];
                let hours = [1, 2, 4, 8, 12, 24, 48, 96, 240, 480];
                let small = few.into_iter();
                let seconds = sixtieths.into_iter().map(|n| n * SECOND);
                let minutes = sixtieths.into_iter().map(|n| n * MINUTE);
                let hours = hours.into_iter().map(|n| n * HOUR);
                small.chain(seconds).chain(minutes).chain(hours).collect()
            }
        };
        let top = rounds.into_iter().find(|round| *round >= most);
        Self {
            top: top.unwrap_or(most),
        }
    }

    /// Its top.
    pub fn top(self) -> u64 {
        self.top
    }

    /// How high a value stands where the top is at `height`. What is not nothing is seen.
    pub fn height(self, value: u64, height: u64) -> u64 {
        let part = u128::from(value.min(self.top)) * u128::from(height) / u128::from(self.top);
        let part = u64::try_from(part).unwrap_or(height);
        part.max(u64::from(value > 0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_top_is_the_next_round_figure() {
        let top = |unit, value| Scale::over(unit, [0, value]).top();
        for (bytes, is) in [
            (0, 1),
            (3, 5),
            (500, 500),
            (501, 1024),
            (1025, 2 * 1024),
            (3 << 30, 5 << 30),
            (600 << 30, 1 << 40),
        ] {
            assert_eq!(top(Unit::Bytes, bytes), is, "{bytes}");
        }
        for (milliseconds, is) in [
            (700, SECOND),
            (31 * SECOND, MINUTE),
            (21 * MINUTE, 30 * MINUTE),
            (31 * MINUTE, HOUR),
            (3 * HOUR, 4 * HOUR),
        ] {
            let told = top(Unit::Milliseconds, milliseconds);
            assert_eq!(told, is, "{milliseconds}");
        }
    }

    #[test]
    fn a_value_stands_as_high_as_its_part_of_the_top_and_is_seen() {
        let scale = Scale::over(Unit::Bytes, [100]);
        assert_eq!(scale.height(50, 1000), 500);
        assert_eq!(scale.height(100, 1000), 1000);
        assert_eq!(scale.height(0, 1000), 0);
        assert_eq!(Scale::over(Unit::Bytes, [1 << 40]).height(1, 1000), 1);
        let highest = Scale::over(Unit::Milliseconds, [u64::MAX]);
        assert_eq!(highest.height(u64::MAX, 1000), 1000);
        assert_eq!(Scale::over(Unit::Bytes, []).height(0, 1000), 0);
    }
}
