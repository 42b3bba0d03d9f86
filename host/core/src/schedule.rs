//! When a job runs by itself, and what cron or systemd are told so that it does.

mod crontab;
mod entry;
mod units;
mod when;

pub use crontab::{BrokenBlock, Crontab};
pub use entry::{Entry, Unwritable};
pub use units::{MARK, Scope, Unit, Units, said_of, said_of_shipped};
pub use when::{InvalidWhen, When};
