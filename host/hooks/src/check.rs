//! Judges a component before it is linked, in our own words and by the names of `wit/`.

use crate::{Flaw, Phase};

/// The version of `package copal:hooks` that this host has.
pub(crate) const OFFERED: &str = "0.1.0";

/// Versions of one track (equal up to the minor number while the major is 0) fit each other.
const TRACK: &str = "0.1.";

pub(crate) const PACKAGE: &str = "copal:hooks/";

/// The interfaces that a hook may import.
const IMPORTS: [&str; 10] = [
    "types", "log", "run-info", "sqlite", "archive", "service", "command", "state", "secrets",
    "report",
];

/// The interfaces of WASI that are linked, and lead nowhere.
const WASI: [&str; 29] = [
    "wasi:cli/environment",
    "wasi:cli/exit",
    "wasi:cli/stderr",
    "wasi:cli/stdin",
    "wasi:cli/stdout",
    "wasi:cli/terminal-input",
    "wasi:cli/terminal-output",
    "wasi:cli/terminal-stderr",
    "wasi:cli/terminal-stdin",
    "wasi:cli/terminal-stdout",
    "wasi:clocks/monotonic-clock",
    "wasi:clocks/wall-clock",
    "wasi:filesystem/preopens",
    "wasi:filesystem/types",
    "wasi:http/outgoing-handler",
    "wasi:http/types",
    "wasi:io/error",
    "wasi:io/poll",
    "wasi:io/streams",
    "wasi:random/insecure",
    "wasi:random/insecure-seed",
    "wasi:random/random",
    "wasi:sockets/instance-network",
    "wasi:sockets/ip-name-lookup",
    "wasi:sockets/network",
    "wasi:sockets/tcp",
    "wasi:sockets/tcp-create-socket",
    "wasi:sockets/udp",
    "wasi:sockets/udp-create-socket",
];

/// Looks at a file's first bytes: what it is, if it isn't a component.
pub(crate) fn header(bytes: &[u8]) -> Result<(), Flaw> {
    const MAGIC: &[u8] = b"\0asm";
    if bytes.is_empty() {
        return Err(Flaw::Empty);
    }
    if !bytes.starts_with(&MAGIC[..bytes.len().min(MAGIC.len())]) {
        return Err(Flaw::NotWasm);
    }
    match bytes.get(4..8) {
        None => Err(Flaw::Damaged("it ends within its header".into())),
        Some([1, 0, 0, 0]) => Err(Flaw::CoreModule),
        Some([0x0d, 0, 1, 0]) => Ok(()),
        Some(_) => Err(Flaw::UnknownFormat),
    }
}

/// Reads what wasmtime says about bytes that have a component's header.
pub(crate) fn not_compiled(error: &wasmtime::Error) -> Flaw {
    let cause = error.root_cause().to_string();
    let cut = ["unexpected end", "out of bounds", "unexpected eof"];
    if cut.iter().any(|text| cause.contains(text)) {
        Flaw::Damaged(cause)
    } else {
        Flaw::Uncompilable(cause)
    }
}

/// Checks the names of all that a component imports.
pub(crate) fn imports<'a>(names: impl Iterator<Item = &'a str>) -> Result<(), Flaw> {
    for name in names {
        let is_offered = match name.strip_prefix(PACKAGE) {
            Some(interface) => IMPORTS.contains(&of_this_version(interface)?),
            None => is_wasi(name),
        };
        if !is_offered {
            return Err(Flaw::UnknownImport(name.to_owned()));
        }
    }
    Ok(())
}

/// Checks the names of all that a component exports; the phases among them, sorted.
pub(crate) fn phases<'a>(names: impl Iterator<Item = &'a str>) -> Result<Vec<Phase>, Flaw> {
    let mut phases = Vec::new();
    for name in names {
        // Some toolchains add exports of their own, which nobody calls.
        let Some(interface) = name.strip_prefix(PACKAGE) else {
            continue;
        };
        let interface = of_this_version(interface)?;
        let phase = Phase::ALL
            .into_iter()
            .find(|phase| phase.name() == interface)
            .ok_or_else(|| Flaw::UnknownPhase(name.to_owned()))?;
        phases.push(phase);
    }
    if phases.is_empty() {
        return Err(Flaw::NoPhase);
    }
    phases.sort();
    Ok(phases)
}

/// Whether this is one of the interfaces of WASI 0.2 that are linked.
pub(crate) fn is_wasi(name: &str) -> bool {
    let Some((interface, version)) = name.split_once('@') else {
        return false;
    };
    let patch = version.strip_prefix("0.2.").unwrap_or("");
    let is_0_2 = !patch.is_empty() && patch.bytes().all(|byte| byte.is_ascii_digit());
    is_0_2 && WASI.contains(&interface)
}

/// The interface's bare name, if its version is of the track that is offered.
fn of_this_version(interface: &str) -> Result<&str, Flaw> {
    let (bare, version) = interface.split_once('@').unwrap_or((interface, "none"));
    let patch = version.strip_prefix(TRACK);
    if patch.is_some_and(|patch| patch.bytes().all(|byte| byte.is_ascii_digit())) {
        return Ok(bare);
    }
    Err(Flaw::OtherVersion {
        interface: bare.to_owned(),
        found: version.to_owned(),
        offered: OFFERED,
    })
}
