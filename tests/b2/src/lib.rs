//! Backblaze B2's native API on the loopback interface, for tests and trials.
//!
//! A [`B2Server`] keeps buckets, versions of files and large files as B2 does, checks every SHA-1, asks
//! for the rights that a key has, and answers errors in B2's words. Beside that it does what the real one
//! does on bad days, when it is told to: see [`Faults`]. It [counts](Counters) what would be paid for.
//!
//! What it does is what <https://www.backblaze.com/apidocs/introduction-to-the-b2-native-api> says; each
//! module names the pages it follows. It does not do: encryption with a customer's key, object lock,
//! replication, notifications, CORS; and no lifecycle rule is ever carried out, only kept.

#![forbid(unsafe_code)]
#![expect(
    clippy::missing_panics_doc,
    reason = "a panic is how a test says that something is amiss"
)]

mod auth;
mod buckets;
mod call;
mod content;
mod copy;
mod counters;
mod damage;
mod dispatch;
mod download;
mod encoding;
mod error;
mod faults;
mod files;
mod http;
mod keys;
mod large;
mod list;
mod pace;
mod receive;
mod server;
mod state;
mod upload;

pub use call::{Call, Class};
pub use counters::Counters;
pub use damage::Damage;
pub use error::B2Error;
pub use faults::{Fault, Faults, Often, Order, Refusal};
pub use keys::KeyPair;
pub use pace::Pace;
pub use server::{B2Server, Stored};
