//! What `wit/` becomes in Rust.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::pedantic,
    reason = "generated; the words are in wit/"
)]

wasmtime::component::bindgen!({
    path: "../../wit",
    world: "host",
    ownership: Borrowing { duplicate_if_necessary: false },
    imports: { default: trappable },
    exports: { default: async },
    with: {
        "copal:hooks/report.report": crate::report::Report,
        "copal:hooks/service.hold": crate::gate::Held,
    },
});
