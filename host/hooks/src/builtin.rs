//! The hooks that are part of Copal: components like anybody's, carried in the binary.

/// The names of the built-in hooks, for `use = "…"` in copal.toml.
pub const BUILTIN_NAMES: [&str; 7] = [
    "archive",
    "exclude",
    "log-outcome",
    "notify",
    "open-webui",
    "quiesce",
    "sqlite-backup",
];

/// What the built-in components were built from: a line `sources` with the SHA-256 of their sources,
/// then a line for each component with its own. `scripts/build-hooks` writes it.
pub const PREBUILT_STAMP: &str = include_str!("../../../guest-hooks/prebuilt/STAMP");

/// The component of a built-in hook.
pub fn builtin(name: &str) -> Option<&'static [u8]> {
    Some(match name {
        "archive" => include_bytes!("../../../guest-hooks/prebuilt/archive.wasm"),
        "exclude" => include_bytes!("../../../guest-hooks/prebuilt/exclude.wasm"),
        "log-outcome" => include_bytes!("../../../guest-hooks/prebuilt/log-outcome.wasm"),
        "notify" => include_bytes!("../../../guest-hooks/prebuilt/notify.wasm"),
        "open-webui" => include_bytes!("../../../guest-hooks/prebuilt/open-webui.wasm"),
        "quiesce" => include_bytes!("../../../guest-hooks/prebuilt/quiesce.wasm"),
        "sqlite-backup" => include_bytes!("../../../guest-hooks/prebuilt/sqlite-backup.wasm"),
        _ => return None,
    })
}
