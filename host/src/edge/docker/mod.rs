//! The engine that runs containers: Docker's, or Podman's, which speaks the same protocol.

mod container;
mod engine;
mod events;
mod fault;
mod following;
mod host;
mod own;

pub use container::{Container, Doing, Listed, Mounted};
pub use engine::{Engine, Volume, converse};
pub use events::{Happening, Whose};
pub use fault::EngineError;
pub use following::{Following, Silence};
pub use host::{DockerHost, HostFault, UnusableHost};
pub use own::{is_own, own, own_ids};
