//! What `wasi:filesystem` becomes in Rust.
#![allow(
    missing_docs,
    unreachable_pub,
    unused_qualifications,
    clippy::pedantic,
    reason = "generated; the words are in wit/deps/"
)]

wit_bindgen::generate!({
    path: "../../wit",
    world: "file-reader",
    generate_all,
});
