//! Containers of which nobody knows whether they are about to be held.
//!
//! A process that is killed may have asked the engine to stop a container the moment before. Until the
//! container's own time to end is over, it runs as if nothing had been asked, and whoever looked once
//! and went away would leave it down.

use std::time::{Duration, Instant};

use super::containers::Undone;
use super::{Deed, HeldContainer, HeldContainers, HoldHow};
use crate::edge::docker::{Engine, EngineError};

/// How long an engine may take from a request to its effect, beside the container's time to end.
const EFFECT: Duration = Duration::from_secs(1);

/// Between two looks.
const AGAIN: Duration = Duration::from_millis(50);

/// What came of watching them.
pub(super) enum Effect {
    /// None is held, and none will be.
    Known,
    /// There was not enough time to know.
    Unclear(String),
}

/// Watches them until nothing that was asked of the engine can be outstanding, and releases what
/// comes to be held meanwhile.
pub(super) async fn await_effect(
    all: &HeldContainers,
    engine: &Engine<'_>,
    mut unknown: Vec<&HeldContainer>,
    deed: Deed,
) -> Result<Effect, EngineError> {
    let time = match all.how {
        HoldHow::Pause => EFFECT,
        HoldHow::Stop { grace } => grace.saturating_add(EFFECT),
    };
    let Some(left) = deed.left_of(time) else {
        return Ok(Effect::Known);
    };
    let known = Instant::now() + left;
    while !unknown.is_empty() && Instant::now() < known {
        if engine.deadline() <= Instant::now() + AGAIN {
            let names: Vec<_> = unknown.iter().map(|held| held.name.as_str()).collect();
            let why = format!("{} may still be about to stop", names.join(", "));
            return Ok(Effect::Unclear(why));
        }
        engine.rest(AGAIN).await;
        let mut left = Vec::new();
        for held in unknown {
            match all.undo_one(engine, held).await {
                Ok(Undone::Surely) => {}
                // A look that the deadline cut short has told nothing.
                Ok(Undone::Perhaps) | Err(EngineError::Silent { .. }) => left.push(held),
                Err(error) => return Err(error),
            }
        }
        unknown = left;
    }
    Ok(Effect::Known)
}
