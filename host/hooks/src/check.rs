//! Judges a component before it is linked, in our own words and by the names of `wit/`.

use wasmtime::Engine;
use wasmtime::component::Component;

use crate::{Flaw, Phase};

/// The version of `package copal:hooks` that this host has.
const OFFERED: &str = "0.1.0";

/// Versions of one track (equal up to the minor number while the major is 0) fit each other.
const TRACK: &str = "0.1.";

const PACKAGE: &str = "copal:hooks/";

/// The interfaces that a hook may import.
const IMPORTS: [&str; 9] = [
    "types", "log", "run-info", "sqlite", "archive", "command", "state", "secrets", "report",
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

/// Checks the names of all that a component imports and exports; the phases it exports.
pub(crate) fn phases(engine: &Engine, component: &Component) -> Result<Vec<Phase>, Flaw> {
    let component_type = component.component_type();
    for (name, _) in component_type.imports(engine) {
        let interface = name
            .strip_prefix(PACKAGE)
            .ok_or_else(|| Flaw::UnknownImport(name.to_owned()))?;
        if !IMPORTS.contains(&of_this_version(interface)?) {
            return Err(Flaw::UnknownImport(name.to_owned()));
        }
    }
    let mut phases = Vec::new();
    for (name, _) in component_type.exports(engine) {
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
