//! What a component says it will ask for.

/// Says in the component itself what the hook asks for, as `copal hook inspect` shows it: the shape
/// is that of `grants` in copal.toml.
///
/// ```
/// copal_hook_sdk::requests! {
///     http = ["POST https://ntfy.sh"],
///     secrets = ["token"],
///     state = true,
/// }
/// ```
///
/// A name that is no capability's does not compile:
///
/// ```compile_fail
/// copal_hook_sdk::requests! { htp = ["POST https://ntfy.sh"] }
/// ```
///
/// The owner's grants count as far as they were asked for, so leave this out for a hook whose
/// owner alone knows what it will want, for example by a URL in its config; `requests! {}` says
/// that it wants nothing. Once in a crate, beside [`hook!`](crate::hook).
#[macro_export]
macro_rules! requests {
    () => {
        $crate::requests_section!("{\"requests\":{}}");
    };
    ($first:ident = $value:tt $(, $more:ident = $values:tt)* $(,)?) => {
        $crate::requests_section!(::core::concat!(
            "{\"requests\":{\"",
            $crate::requests_name!($first),
            "\":",
            ::core::stringify!($value),
            $(",\"", $crate::requests_name!($more), "\":", ::core::stringify!($values),)*
            "}}"
        ));
    };
}

/// The capabilities that there are.
#[doc(hidden)]
#[macro_export]
macro_rules! requests_name {
    (sqlite) => {
        "sqlite"
    };
    (archive) => {
        "archive"
    };
    (command) => {
        "command"
    };
    (http) => {
        "http"
    };
    (state) => {
        "state"
    };
    (secrets) => {
        "secrets"
    };
    (reveal) => {
        "reveal"
    };
    (files) => {
        "files"
    };
    ($other:ident) => {
        ::core::compile_error!(::core::concat!(
            "there is no capability `",
            ::core::stringify!($other),
            "`: sqlite, archive, command, http, state, secrets, reveal, files"
        ))
    };
}

/// Puts a text into the section.
#[doc(hidden)]
#[macro_export]
macro_rules! requests_section {
    ($json:expr) => {
        const _: () = {
            const JSON: &str = $json;
            #[used]
            #[cfg_attr(target_family = "wasm", unsafe(link_section = "copal-hook"))]
            static REQUESTS: [u8; JSON.len()] = $crate::glue::bytes(JSON);
        };
    };
}

/// The bytes of a text.
///
/// # Panics
///
/// Where there are fewer than `N`.
pub const fn bytes<const N: usize>(text: &str) -> [u8; N] {
    match text.as_bytes().first_chunk::<N>() {
        Some(bytes) => *bytes,
        None => panic!("as many bytes as the text has"),
    }
}
