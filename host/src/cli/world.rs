//! What is around a run that a command starts: signals, the clock, the state directory, the progress that is
//! shown, and what opens its destinations.

use std::rc::Rc;

use jiff::Timestamp;

use super::open::state;
use crate::edge::interrupt::Interrupt;
use crate::edge::rclone::Rclone;
use crate::edge::state::StateDir;
use crate::edges::{Edges, Open};
use crate::error::CopalError;
use crate::job::Job;
use crate::show::progress::Progress;

/// All of it, for as long as the run goes on.
pub(super) struct World {
    pub(super) interrupt: Interrupt,
    pub(super) progress: Progress,
    state: StateDir,
    open: Box<Open<'static>>,
}

/// Takes over the signals that ask for an end.
pub(super) fn listen() -> Result<Interrupt, CopalError> {
    Interrupt::listen().map_err(CopalError::Signals)
}

impl World {
    /// That of a job whose destinations are spoken to.
    pub(super) fn of(job: &Job, interrupt: Interrupt, quiet: bool) -> Result<Self, CopalError> {
        let rclone = Rclone::new(Some(&job.config), &interrupt);
        Self::with(&Rc::new(rclone), interrupt, quiet)
    }

    /// The same by an rclone that is asked for more.
    pub(super) fn with(
        rclone: &Rc<Rclone>,
        interrupt: Interrupt,
        quiet: bool,
    ) -> Result<Self, CopalError> {
        let rclone = Rc::clone(rclone);
        let open: Box<Open<'static>> = Box::new(move |spec| Ok(rclone.open(spec)?));
        Ok(Self {
            open,
            ..Self::without_destinations(interrupt, quiet)?
        })
    }

    /// That of a run that sends nothing.
    pub(super) fn without_destinations(
        interrupt: Interrupt,
        quiet: bool,
    ) -> Result<Self, CopalError> {
        Ok(Self {
            interrupt,
            progress: Progress::new(quiet),
            state: state()?,
            open: Box::new(|_| Err(CopalError::NoDestination)),
        })
    }

    /// It, as runs take it.
    pub(super) fn edges(&self) -> Edges<'_> {
        Edges {
            open: &*self.open,
            now: &Timestamp::now,
            interrupt: &self.interrupt,
            state: &self.state,
            show: &self.progress,
        }
    }
}
