//! What an engine tells of containers while it happens.
//!
//! An engine remembers its last few hundred events, of all that it does. Who listens from the beginning depends
//! on no memory of it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use jiff::Timestamp;
use tokio::runtime::Builder;

use super::{DockerHost, Engine, EngineError, Happening, Whose};

/// How soon it is noticed that nobody listens any more.
const LOOK: Duration = Duration::from_secs(1);

/// How long the engine may take to answer at all.
const MEET: Duration = Duration::from_secs(10);

/// One open connection, over which an engine tells what happens to containers, for as long as this is there.
#[derive(Debug)]
pub struct Following(Arc<Mutex<Told>>);

/// What it has told so far.
#[derive(Debug, Clone, Default)]
pub struct Told {
    /// In its order.
    pub happened: Vec<Happening>,
    /// Why it tells no more. None while it does: then nothing is missing since the first of it.
    pub end: Option<Silence>,
}

/// Why an engine tells no more.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Silence {
    /// It said no, or somebody between us and it.
    #[error("{0}")]
    Refused(String),
    /// The connection ended.
    #[error("{0}")]
    Ended(String),
}

impl Following {
    /// Listens from now on, and to what it remembers from `since` on, a moment of its clock.
    pub fn begin(host: DockerHost, whose: Whose, since: Timestamp) -> Self {
        let following = Self(Arc::default());
        let to = Arc::downgrade(&following.0);
        let listener = thread::Builder::new().name("events".to_owned());
        let begun = listener.spawn(move || {
            let end = listen(&host, &whose, since, &to);
            tell(&to, |told| told.end = Some(end));
        });
        if let Err(error) = begun {
            lock(&following.0).end = Some(Silence::Ended(error.to_string()));
        }
        following
    }

    /// What was told until now.
    pub fn told(&self) -> Told {
        lock(&self.0).clone()
    }
}

/// Listens until the end of the connection, or until nobody wants to know.
fn listen(host: &DockerHost, whose: &Whose, since: Timestamp, to: &Weak<Mutex<Told>>) -> Silence {
    let ended = |why: String| Silence::Ended(why);
    let runtime = match Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return ended(error.to_string()),
    };
    runtime.block_on(async {
        let engine = match Engine::meet(host, Instant::now() + MEET).await {
            Ok(engine) => engine,
            Err(error) => return of(&error),
        };
        let mut happening = engine.happening(whose, since).boxed_local();
        loop {
            let next = tokio::time::timeout(LOOK, happening.next()).await;
            let is_heard = match next {
                Err(_) | Ok(Some(Ok(None))) => to.strong_count() > 0,
                Ok(Some(Ok(Some(one)))) => tell(to, |told| told.happened.push(one)),
                Ok(Some(Err(error))) => return of(&error),
                Ok(None) => return ended("it ended the connection".to_owned()),
            };
            if !is_heard {
                return ended("nobody listens".to_owned());
            }
        }
    })
}

fn of(error: &EngineError) -> Silence {
    if error.may_pass() {
        Silence::Ended(error.to_string())
    } else {
        Silence::Refused(error.to_string())
    }
}

/// Whether anybody is there to be told.
fn tell(to: &Weak<Mutex<Told>>, change: impl FnOnce(&mut Told)) -> bool {
    let told = to.upgrade();
    told.as_deref()
        .map(|told| change(&mut lock(told)))
        .is_some()
}

/// Whole at all times, so that another thread's panic left it so.
fn lock(told: &Mutex<Told>) -> MutexGuard<'_, Told> {
    told.lock().unwrap_or_else(PoisonError::into_inner)
}
