//! Counts of things, as one reads them.

/// `1 key`, `2 keys`.
pub(crate) fn count(n: impl TryInto<u64>, one: &str, many: &str) -> String {
    let n = n.try_into().unwrap_or(u64::MAX);
    let noun = if n == 1 { one } else { many };
    format!("{n} {noun}")
}

/// `1 byte`, `2 bytes`.
pub(crate) fn bytes(n: usize) -> String {
    count(n, "byte", "bytes")
}
