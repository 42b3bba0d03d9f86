//! What a hook may touch: what it asks for, what its owner grants, and whether the one covers the other.
//!
//! Each capability that needs a grant is a [`Capability`]; one thing that a hook wants of it is a [`Need`]. The owner's
//! [`Grants`] are a line of copal.toml, empty by default; a component's requests have the same shape. What is in force is
//! what both cover ([`InForce`]).
//!
//! ```toml
//! grants = { sqlite = ["webui.db"], http = ["POST https://ntfy.sh"], state = true }
//! ```

mod address;
mod both;
mod capability;
mod entry;
mod http;
mod in_force;
mod line;
mod need;
mod origin;
mod set;

pub use address::is_private;
pub use capability::{Capability, UnknownCapability};
pub use entry::{GrantProblem, InvalidEntry};
pub use http::{HttpPattern, InvalidMethod, InvalidPattern, Method};
pub use in_force::{Change, Effect, InForce, Verdict};
pub use line::toml_text;
pub use need::{Need, Tree};
pub use origin::{Host, InvalidOrigin, Origin, Scheme};
pub use set::{Grants, Paths};

#[cfg(test)]
mod tests;
