//! How long a service may take to stop.

use std::time::Duration;

use serde::de::Error;
use serde::{Deserialize, Deserializer};

/// What Docker gives a container, too.
pub(crate) fn usual() -> Duration {
    Duration::from_secs(10)
}

pub(crate) fn read<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(from)?;
    duration(&text).ok_or_else(|| {
        D::Error::custom(format!(
            "`{text}` is no length of time: write a number and a unit (`ms`, `s`, `m`), for example `10s`"
        ))
    })
}

fn duration(text: &str) -> Option<Duration> {
    let at = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(at);
    let number: u64 = number.parse().ok()?;
    let milliseconds = match unit.trim() {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        _ => return None,
    };
    number.checked_mul(milliseconds).map(Duration::from_millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grace_is_a_number_with_a_unit() {
        assert_eq!(duration("10s"), Some(Duration::from_secs(10)));
        assert_eq!(duration("250 ms"), Some(Duration::from_millis(250)));
        assert_eq!(duration("2m"), Some(Duration::from_mins(2)));
        for unfit in [
            "",
            "10",
            "s",
            "-1s",
            "1h",
            "99999999999999999999s",
            "18446744073709551615m",
        ] {
            assert_eq!(duration(unfit), None, "{unfit}");
        }
    }
}
